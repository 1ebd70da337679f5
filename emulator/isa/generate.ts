// What the build makes of the rows for the decoder: file names in generated/ and their texts. Nothing that ships imports this file.
import { decodeTables } from './decode-tables';

/** Called by generate.mjs. */
export const generatedFiles = (): Readonly<Record<string, string>> => ({
  'decoder.ts': `// Generated from the rows by isa/generate.ts; not to be edited.
import type { DecodeTables } from '../decode-tables';
/** What decode.ts reads. */
export const DECODE_TABLES: DecodeTables = ${JSON.stringify(decodeTables())};
`,
});

/**
 * What the build makes from the rows, once, so that no process has to parse them before its first instruction: file names in generated/
 * and their texts. Nothing that ships imports this file.
 */
import { rowLibrary, rowSemantics } from '../isa/semantics';
import { interpreterText } from './source/program';
import { templateTable } from './translator/make-templates';
import { interpreterModule } from './wasm/interpreter-module';

const NOTE = '// Generated from the rows by engine/generate.ts; not to be edited.\n';

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** The templates' text has no backticks, dollar signs and backslashes; its lines stay lines. */
function templatesFile(): string {
  const { text, helpers } = templateTable(rowSemantics(), rowLibrary());
  return `${NOTE}/** What translator/templates.ts reads. */
export const TEMPLATES = \`${text}\`;
/** Functions of the library that templates call. */
export const HELPERS: readonly string[] = ${JSON.stringify(helpers)};
`;
}

/** Called by generate.mjs. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const module = base64(interpreterModule(rowSemantics(), rowLibrary()));
  return {
    'interpreter.ts': interpreterText(),
    'templates.ts': templatesFile(),
    'wasm-module.ts': `${NOTE}/** The WebAssembly interpreter, in base64. */\nexport const WASM_MODULE = '${module}';\n`,
  };
}

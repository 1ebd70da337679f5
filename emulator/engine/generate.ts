/**
 * What the build makes from the rows, once, so that no process has to parse them before its first instruction: file names in generated/
 * and their texts. Nothing that ships imports this file.
 */
import { rowLibrary, rowSemantics, templateLibrary } from '../isa/semantics';
import { interpreterText } from './source/program';
import { templateTable } from './translator/make-templates';
import { interpreterModule } from './wasm/interpreter-module';
import { signatureOf } from './wasm/region-helpers';

const NOTE = '// Generated from the rows by engine/generate.ts; not to be edited.\n';

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** The templates' text has no backticks, dollar signs and backslashes; its lines stay lines. */
function templatesFile(text: string): string {
  return `${NOTE}/** What translator/templates.ts reads: of a function, so that V8 keeps it out of the code of programs that translate nothing. */
export const templateText = (): string => \`${text}\`;
`;
}

function moduleFile(exported: readonly string[]): string {
  const library = rowLibrary();
  const bytes = interpreterModule(rowSemantics(), library, exported);
  const signatures = exported.map((name) => ({ name, signature: signatureOf(library.functions.get(name)!) }));
  return `${NOTE}import type { Signature } from '../wasm/module';
/** The WebAssembly interpreter, in base64. */
export const WASM_MODULE = '${base64(bytes)}';
/** Functions of the library that it exports, because templates call them. */
export const LIBRARY: readonly { readonly name: string; readonly signature: Signature }[] = ${JSON.stringify(signatures)};
`;
}

/** Called by generate.mjs. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const { text, helpers } = templateTable(rowSemantics(), templateLibrary());
  return {
    'interpreter.ts': interpreterText(),
    'templates.ts': templatesFile(text),
    'wasm-module.ts': moduleFile(helpers),
  };
}

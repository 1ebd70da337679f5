/**
 * What the build makes from the rows, once, so that no process has to parse them before its first instruction: file names in generated/
 * and their texts. Nothing that ships imports this file.
 */
import { rowLibrary, rowSemantics } from '../isa/semantics';
import { interpreterText } from './source/program';
import { interpreterModule } from './wasm/interpreter-module';

const NOTE = '// Generated from the rows by engine/generate.ts; not to be edited.\n';

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Called by generate.mjs. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const module = base64(interpreterModule(rowSemantics(), rowLibrary()));
  return {
    'interpreter.ts': interpreterText(),
    'wasm-module.ts': `${NOTE}/** The WebAssembly interpreter, in base64. */\nexport const WASM_MODULE = '${module}';\n`,
  };
}

#!/usr/bin/env node
/**
 * dist/penglai.js: starts the command (dist/penglai-main.js, a function expression) with the code that V8 made of it before. Compiling it anew
 * takes 40 ms of each start, and each function's first call some more. The cache lies beside the program and is written at the end of a run, when
 * there is none that fits; where nothing can be written the command only starts later. Node 20 has no `enableCompileCache`.
 */
// What V8 has kept is good for the same flags only: they are set first, here and not in the command.
import '../debug-adapter/node-flags';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';

const program = join(__dirname, 'penglai-main.js');
/** At the end of a run it holds what that called, not all there is: `run` has one for itself. */
const cache = join(__dirname, `penglai-main${process.argv[2] === 'run' ? '-run' : ''}.cache`);
/** What the cache was made of and for comes first in it: V8 looks at the length of the source only. */
const KEY_BYTES = 128;

function keyOf(): Buffer {
  const { size, mtimeMs } = statSync(program);
  return Buffer.alloc(KEY_BYTES, ' ').fill(`${process.version} ${process.arch} ${size} ${mtimeMs}`, 0, KEY_BYTES);
}

function cachedCode(key: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(cache);
    return bytes.subarray(0, KEY_BYTES).equals(key) ? bytes.subarray(KEY_BYTES) : undefined;
  } catch {
    return undefined;
  }
}

/** Complete, or not at all: others may be starting. */
function keep(key: Buffer, script: Script): void {
  const unfinished = `${cache}.${process.pid}`;
  try {
    writeFileSync(unfinished, Buffer.concat([key, script.createCachedData()]), { mode: 0o644 });
    renameSync(unfinished, cache);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

type Main = (exports: object, require: NodeJS.Require, module: object, filename: string, folder: string) => void;

/** Apart from running it: what the files were read into is garbage by then. */
function load(): Script {
  const key = keyOf();
  const cachedData = cachedCode(key);
  // The bundle is ASCII: everything else in it is escaped.
  const script = new Script(readFileSync(program, 'latin1'), {
    filename: program,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  if (cachedData === undefined || script.cachedDataRejected) process.on('exit', () => keep(key, script));
  return script;
}

const module_ = { exports: {} };
(load().runInThisContext() as Main)(module_.exports, require, module_, program, __dirname);

/**
 * CoreMark from its own sources (github.com/eembc/coremark), which are not part of this project: built with the compiler, the flags and the runtime
 * of the workloads, and measured as they are.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Measurable } from './workloads';

/** What CoreMark's rules want of a run at least. */
export const COREMARK_SECONDS = 10;

const PORT = join(process.cwd(), 'test/bench/coremark');
/** What a round of the port comes to that does not validate. */
const WRONG = '0'.repeat(16);

/** Builds it in a folder. Throws an Error when the sources are not there or the results are not right. */
export function buildCoreMark(sources: string, folder: string): Measurable {
  if (!existsSync(join(sources, 'core_main.c')))
    throw new Error(`${sources} has no core_main.c: it is not CoreMark's folder`);
  const files = readdirSync(sources).filter((name) => /^core_.*\.c$/.test(name));
  const inputs = [...files.map((name) => join(sources, name)), join(PORT, 'core_portme.c')];
  const image = join(folder, 'coremark.elf');
  // Warnings are its authors' to judge.
  const checksum = build(image, inputs, ['-w', '-I', PORT, '-I', sources, '-Dmain=coremark_main']);
  if (checksum === WRONG) throw new Error('CoreMark does not validate its results');
  return { name: 'coremark', kind: 'integer', image, checksum };
}

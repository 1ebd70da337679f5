/**
 * `npm run bench -- --elf FILE [args]`: any Linux program for RISC-V, beside qemu-riscv64, by CPU time of the whole process, best of several
 * turns. A dynamically linked program runs neither here nor there.
 */
import type { ChildResult } from './child';
import type { EngineName } from '../../emulator/machine/types';
import { findOpponents } from './measure';
import { timed } from './timed';

export interface ElfOptions {
  readonly engine?: EngineName;
  readonly turns: number;
}

/** Measures and tells. Throws an Error when the program ends in another way on one of them. */
export function measureElf(
  child: string,
  [file, ...args]: readonly string[],
  { engine, turns }: ElfOptions,
  say: (line: string) => void,
): void {
  const run = JSON.stringify({ rounds: 0, args, ...(engine === undefined ? {} : { engine }) });
  const any = Array.from({ length: 256 }, (_, status) => status);
  const qemu = findOpponents().user;
  let [best, theirs] = [Infinity, Infinity];
  let shown: ChildResult | undefined;
  for (let turn = 0; turn < turns; turn++) {
    const ours = timed(process.execPath, [child, file!, run]);
    const result = JSON.parse(ours.stdout) as ChildResult;
    best = Math.min(best, ours.seconds);
    if (qemu) {
      const other = timed('qemu-riscv64', [file!, ...args], any);
      theirs = Math.min(theirs, other.seconds);
      if (other.status !== result.exitStatus)
        throw new Error(`exit status ${result.exitStatus} here, ${other.status} in qemu-riscv64:\n${result.output}`);
      if (turn === 0 && other.stdout !== result.output) say('What it prints differs; times and addresses may.');
      if (turn === 0) say(`--- qemu-riscv64 ---\n${other.stdout}`);
    }
    if (!shown) say(`--- here ---\n${result.output}`);
    shown ??= result;
  }
  const mips = (shown!.instructions / best / 1e6).toFixed(0);
  say(`${shown!.engine}: ${best.toFixed(2)} s of CPU time, ${shown!.instructions} instructions, ${mips} MIPS`);
  if (qemu) say(`qemu-riscv64: ${theirs.toFixed(2)} s; ours is ${(theirs / best).toFixed(3)}x as fast`);
}

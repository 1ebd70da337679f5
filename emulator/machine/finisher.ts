/**
 * The test finisher at 0x100000, as SiFive's and as QEMU's `virt` has it: a word written to its register ends the machine. The low half says
 * how, the high half is a program's failure code. Software's way to power off and to reboot (device tree: syscon-poweroff, -reboot).
 */
import type { Device } from './bus';

/** How the machine ended, as plain data. */
export interface Ending {
  /** `halt`: a personality said so. `reset`: software asked for a restart; whoever owns the machine boots another. */
  readonly kind: 'halt' | 'pass' | 'fail' | 'reset';
  /** Of `fail`: what software gave, 0 … 65535. */
  readonly code: number;
}

const FAIL = 0x3333;
const PASS = 0x5555;
const RESET = 0x7777;
/** Word that stands for `Machine.halt`. */
export const HALT = 1;

/** How a machine ended whose Area.HALTED is `word`; undefined while it runs. */
export function endingOf(word: number): Ending | undefined {
  const kind = word & 0xffff;
  if (word === 0) return undefined;
  if (kind === FAIL) return { kind: 'fail', code: word >>> 16 };
  return { kind: kind === PASS ? 'pass' : kind === RESET ? 'reset' : 'halt', code: 0 };
}

export class Finisher implements Device {
  readonly name = 'finisher';
  readonly start = 0x100000;
  readonly size = 0x1000;

  constructor(private readonly end: (word: number) => void) {}

  read(_offset: number, size: number): bigint | undefined {
    return size === 2 || size === 4 ? 0n : undefined;
  }

  write(offset: number, size: number, value: bigint): boolean {
    if (size !== 2 && size !== 4) return false;
    const word = Number(value);
    if (offset === 0 && [FAIL, PASS, RESET].includes(word & 0xffff)) this.end(word | 0);
    return true;
  }

  /** What was written is the machine's. */
  snapshot(): unknown {
    return undefined;
  }
  restore(): void {}
}

/**
 * What must hold after hostile code has run, looked at from outside: bytes of the machine's memory that belong to nobody are untouched, and
 * every decoded instruction is what decoding the guest's memory gives now.
 */
import type { CodeCache } from '../../../emulator/engine/code-cache';
import { BLOCK_BYTES, Field, RECORD_BYTES } from '../../../emulator/engine/record';
import { SEEN_JUMP_BYTES, SEEN_JUMPS } from '../../../emulator/engine/wasm/seen-jumps';
import { Area, Bank, HART_STRIDE, HartWord, Second } from '../../../emulator/machine/layout';
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import type { PhysicalMemory } from '../../../emulator/machine/memory';

/** The parts of a machine that only tests look at. */
interface Inside {
  readonly memory: PhysicalMemory;
  readonly host: {
    readonly code: { readonly used: number; readonly pages: Int32Array; readonly decodeAt: CodeCache['decodeAt'] };
  };
}
const inside = (machine: SoftwareMachine): Inside => machine as unknown as Inside;

/** What the machine and its engines pass values in, at the memory's start, ends here. */
const SCRATCH = Area.JUMPS + SEEN_JUMPS * SEEN_JUMP_BYTES;
const PAINT = 0xa5;

export class Canary {
  private readonly gaps: readonly (readonly [number, number])[];

  constructor(private readonly machine: SoftwareMachine) {
    const banks = Bank.START + Bank.COUNT * Bank.WORDS * 4;
    const gaps: [number, number][] = [[SCRATCH, Area.HARTS]];
    for (const { id } of machine.harts) {
      const start = Area.HARTS + id * HART_STRIDE;
      gaps.push([start + 4 * HartWord.STATE_WORDS, start + Bank.START], [start + banks, start + HART_STRIDE]);
    }
    gaps.push([Area.HARTS + machine.harts.length * HART_STRIDE, Area.SECOND]);
    gaps.push([Area.SECOND + Second.BYTES, Area.BLOCKS], [Area.BLOCKS + machine.ramSize / 1024, Area.CODE]);
    gaps.push([Area.RAM + machine.ramSize, inside(machine).memory.buffer.byteLength]);
    this.gaps = gaps;
    this.paint();
  }

  /** Marks the bytes that nobody owns. */
  paint(): void {
    const { u8 } = inside(this.machine).memory;
    for (const [from, to] of this.gaps) u8.fill(PAINT, from, to);
  }

  /** What became of them. */
  check(): string[] {
    const { u8 } = inside(this.machine).memory;
    return this.gaps.flatMap(([from, to]) => {
      const at = u8.subarray(from, to).findIndex((byte) => byte !== PAINT);
      return at < 0
        ? []
        : [`byte 0x${(from + at).toString(16)} of the machine's memory, which nobody owns, was written`];
    });
  }
}

/** Decodes every instruction that is held decoded once more. */
export function checkRecords(machine: SoftwareMachine): string[] {
  const { memory, host } = inside(machine);
  const { code } = host;
  for (let number = 1; number < code.used; number++) {
    const page = code.pages[number]!;
    if (page < 0) continue;
    for (let offset = 0; offset < 4096; offset += 2) {
      const at = Area.CODE + number * BLOCK_BYTES + (offset / 2) * RECORD_BYTES;
      if (memory.u16[at >> 1] === 0) continue;
      // Behind the instruction stands what the translator knows of it.
      const held = memory.u8.slice(at, at + Field.SLOT);
      code.decodeAt(at);
      const fresh = memory.u8.subarray(at, at + Field.SLOT);
      if (held.some((byte, i) => byte !== fresh[i]))
        return [`the instruction held for page ${page} + 0x${offset.toString(16)} is not the one in memory`];
    }
  }
  return [];
}

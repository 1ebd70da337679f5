/**
 * Reads machine code for stepping: where a line calls something and what. Uses the emulator's own decoder, so that it agrees with
 * what is executed. RISC-V unprivileged specification, 2.5 (unconditional jumps, the link registers x1 and x5).
 */
import { decode } from '../../emulator/isa/decode';
import { newInstruction } from '../../emulator/isa/instruction';
import { Op } from '../../emulator/isa/op';

/** A jump that leaves a return address, or that leaves the function for good (`tail`). */
export interface CallSite {
  readonly address: number;
  readonly tail: boolean;
  /** Where it goes, given the x registers; undefined when they cannot be read. */
  target(x: (register: number) => number | undefined): number | undefined;
}

/** A line has at most this many instructions looked at; more means generated code nobody steps into. */
const INSTRUCTIONS_MAX = 20_000;

const isLink = (register: number) => register === 1 || register === 5;

/** Calls among the instructions of [start, end); `isInside` tells jumps inside the function from those that leave it. */
export function callsIn(
  code: Uint8Array,
  start: number,
  end: number,
  isInside: (address: number) => boolean,
): readonly CallSite[] {
  const calls: CallSite[] = [];
  for (const { address, instruction } of instructions(code.subarray(0, end - start), start)) {
    const site = callAt(address, instruction, isInside);
    if (site) calls.push(site);
  }
  return calls;
}

/** Address of the first `ret`. */
export function firstReturn(code: Uint8Array, start: number): number | undefined {
  for (const { address, instruction } of instructions(code, start)) {
    const { op, rd, rs1, imm } = instruction;
    if (op === Op.JALR && rd === 0 && rs1 === 1 && imm === 0) return address;
  }
  return undefined;
}

/** One after the other; the same object every time. */
function* instructions(code: Uint8Array, start: number) {
  const instruction = newInstruction();
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  let at = 0;
  for (let count = 0; at + 2 <= code.length && count < INSTRUCTIONS_MAX; count++) {
    const low = view.getUint16(at, true);
    const wide = (low & 3) === 3 && at + 4 <= code.length;
    decode(wide ? view.getUint32(at, true) : low, instruction);
    yield { address: start + at, instruction };
    at += (low & 3) === 3 ? 4 : 2;
  }
}

function callAt(
  address: number,
  { op, rd, rs1, imm }: { op: Op; rd: number; rs1: number; imm: number },
  isInside: (address: number) => boolean,
): CallSite | undefined {
  if (op === Op.JAL) {
    const target = address + imm;
    if (!isLink(rd) && (rd !== 0 || isInside(target))) return undefined;
    return { address, tail: rd === 0, target: () => target };
  }
  if (op !== Op.JALR) return undefined;
  // `jalr x0` through a link register is a return; through another one a tail call or a switch inside the function.
  if (rd === 0 && isLink(rs1)) return undefined;
  const tail = rd === 0;
  if (!tail && !isLink(rd)) return undefined;
  return {
    address,
    tail,
    target: (x) => {
      const base = rs1 === 0 ? 0 : x(rs1);
      if (base === undefined) return undefined;
      const target = base + imm - (Math.abs(base + imm) % 2);
      return tail && isInside(target) ? undefined : target;
    },
  };
}

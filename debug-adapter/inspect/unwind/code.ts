/**
 * Instructions of the stopped program, decoded one at a time, and what the code readers need to know about them.
 * Reads memory; never runs anything.
 */
import { decode } from '../../../emulator/isa/decode';
import { newInstruction, type Instruction } from '../../../emulator/isa/instruction';
import { Op } from '../../../emulator/isa/op';
import { F0, RA } from './registers';
import type { MemoryReader } from './types';

/** Code is read from memory in pieces of this many bytes. */
const CHUNK = 64;

export class CodeReader {
  readonly instruction: Instruction = newInstruction();
  /** The word that was decoded last. */
  bits = 0;
  private start = 0n;
  private chunk: Uint8Array = new Uint8Array(0);

  constructor(private readonly memory: MemoryReader) {}

  /** Decodes the instruction at an address into `instruction`; false where there is no memory or no instruction. */
  read(address: bigint): boolean {
    const low = this.half(address);
    if (low === undefined) return false;
    const high = (low & 3) === 3 ? this.half(address + 2n) : 0;
    if (high === undefined) return false;
    this.bits = low | (high << 16);
    decode(this.bits, this.instruction);
    return this.instruction.op !== Op.ILLEGAL;
  }

  private half(address: bigint): number | undefined {
    let at = Number(address - this.start);
    if (at < 0 || at + 2 > this.chunk.length) {
      // A function may end at the last byte before a hole, so a shorter piece is tried too.
      this.chunk = this.memory.readMemory(address, CHUNK) ?? this.memory.readMemory(address, 2) ?? new Uint8Array(0);
      this.start = address;
      at = 0;
    }
    return this.chunk.length < at + 2 ? undefined : this.chunk[at]! | (this.chunk[at + 1]! << 8);
  }
}

/** How an instruction leaves the straight line. */
export type Flow = 'next' | 'branch' | 'call' | 'system' | 'jump' | 'return' | 'elsewhere';

const T0 = 5;

/** Calls link to ra, or to t0 as the psABI's millicode does. */
export function flowOf({ op, rd, rs1 }: Instruction): Flow {
  switch (op) {
    case Op.JAL:
      return rd === 0 ? 'jump' : 'call';
    case Op.JALR:
      if (rd !== 0) return 'call';
      return rs1 === RA || rs1 === T0 ? 'return' : 'elsewhere';
    case Op.BEQ:
    case Op.BNE:
    case Op.BLT:
    case Op.BGE:
    case Op.BLTU:
    case Op.BGEU:
      return 'branch';
    case Op.ECALL:
    case Op.EBREAK:
      return 'system'; // comes back behind the instruction with ra as it was
    case Op.SRET:
    case Op.MRET:
      return 'elsewhere';
    default:
      return 'next';
  }
}

/** DWARF number of the register that an instruction writes; 0 for none. */
export function writtenBy({ op, rd }: Instruction, bits: number): number {
  if (op === Op.FLW || op === Op.FLD) return F0 + rd;
  const opcode = bits & 0x7f;
  const fused = opcode === 0x43 || opcode === 0x47 || opcode === 0x4b || opcode === 0x4f;
  if (!fused && opcode !== 0x53) return rd;
  // OP-FP writes an x register when it compares, classifies, moves or converts to an integer (funct5 1x100, 11000).
  const funct5 = bits >>> 27;
  const toInteger = !fused && (funct5 === 0x14 || funct5 === 0x18 || funct5 === 0x1c);
  return toInteger ? rd : F0 + rd;
}

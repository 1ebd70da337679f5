/**
 * Straight lines of code: the instructions from an address on up to the next one that transfers control, as far as they were executed.
 * What a transfer means: calls and returns by the manual's hints for return-address stacks (unprivileged manual, "Unconditional
 * Jumps": x1 and x5 are link registers), and jalr whose target the instructions before it load.
 */
import { decode } from '../../isa/decode';
import { newInstruction, type Instruction } from '../../isa/instruction';
import { Op } from '../../isa/op';
import { PAGE_SIZE, va, type VirtualAddress } from '../../units';
import type { CodeReader } from './code-reader';

/** A register that return addresses are kept in; 0: none. */
export type Link = 0 | 1 | 5;

/** How a straight line ends. `link`: it is a call, which leaves the address of the instruction behind it, `after`, there. */
export type Ending =
  | { readonly kind: 'branch'; readonly taken: VirtualAddress; readonly next: VirtualAddress }
  | {
      readonly kind: 'jump';
      readonly to: VirtualAddress;
      readonly link: Link;
      readonly after: VirtualAddress;
      /** It is a jalr: the first of the instructions that its target follows from. */
      readonly since?: VirtualAddress;
    }
  /** `returns`: it is a return to where that register says; else 0. */
  | {
      readonly kind: 'indirect';
      readonly pc: VirtualAddress;
      readonly link: Link;
      readonly after: VirtualAddress;
      readonly returns: Link;
    }
  /** On in another straight line. */
  | { readonly kind: 'next'; readonly to: VirtualAddress }
  | { readonly kind: 'interpret' };

export interface Segment {
  readonly pc: VirtualAddress;
  /** Address of the page it lies in. */
  readonly page: VirtualAddress;
  /** It is one instruction that lies across the end of the page: address of the next one. */
  readonly nextPage: VirtualAddress | undefined;
  readonly instructions: readonly Readonly<Instruction>[];
  readonly end: Ending;
}

export const pageOf = (pc: VirtualAddress): VirtualAddress => va(Math.floor(pc / PAGE_SIZE) * PAGE_SIZE);

const linkOf = (register: number): Link => (register === 1 || register === 5 ? register : 0);
const isBranch = (op: Op): boolean => op >= Op.BEQ && op <= Op.BGEU;

/** A value that a register has because of instructions from `since` on. */
interface Known {
  readonly value: number;
  readonly since: VirtualAddress;
}

/** What lui, auipc, addi and addiw make of known values; anything else makes its rd unknown. */
class Constants {
  private readonly known = new Map<number, Known>();

  of(register: number): Known | undefined {
    return this.known.get(register);
  }

  execute({ op, rd, rs1, imm }: Readonly<Instruction>, pc: VirtualAddress): void {
    const source = this.known.get(rs1);
    // An f register of the same number loses nothing but a chance.
    this.known.delete(rd);
    if (rd === 0) return;
    if (op === Op.LUI) this.known.set(rd, { value: imm, since: pc });
    else if (op === Op.AUIPC) this.known.set(rd, { value: pc + imm, since: pc });
    else if (!source) return;
    else if (op === Op.ADDI) this.known.set(rd, { ...source, value: source.value + imm });
    else if (op === Op.ADDIW) this.known.set(rd, { ...source, value: (source.value + imm) | 0 });
  }
}

/** The straight lines of a region that is being found. */
export class Segments {
  private readonly found = new Map<VirtualAddress, Segment | undefined>();

  constructor(private readonly reader: CodeReader) {}

  /** The straight line from a pc on; undefined when the instruction there was not executed. */
  at(pc: VirtualAddress): Segment | undefined {
    if (!this.found.has(pc)) this.found.set(pc, this.read(pc));
    return this.found.get(pc);
  }

  private read(pc: VirtualAddress): Segment | undefined {
    const { reader } = this;
    const address = pageOf(pc);
    const page = reader.pageAt(address);
    if (page === undefined || !reader.wasExecuted(page, pc - address)) return undefined;
    const instructions: Instruction[] = [];
    const constants = new Constants();
    const segment = (end: Ending, nextPage?: VirtualAddress): Segment => ({
      pc,
      page: address,
      nextPage,
      instructions,
      end,
    });
    for (let offset = pc - address, at = pc; ;) {
      // At the end of the page, and where code was not executed: another straight line, if any.
      if (offset >= PAGE_SIZE || !reader.wasExecuted(page, offset)) return segment({ kind: 'next', to: at });
      if (reader.isStop(page, offset)) return segment({ kind: 'interpret' });
      const low = reader.halfword(page, offset);
      const crossing = offset === PAGE_SIZE - 2 && (low & 3) === 3;
      if (crossing && instructions.length > 0) return segment({ kind: 'next', to: at });
      const nextPage = crossing ? va(address + PAGE_SIZE) : undefined;
      const instruction = this.decoded(low, page, offset, nextPage);
      if (!instruction) return segment({ kind: 'interpret' });
      instructions.push(instruction);
      const end = ending(instruction, at, constants);
      if (end) return segment(end, nextPage);
      constants.execute(instruction, at);
      at = va(at + instruction.length);
      offset += instruction.length;
      if (crossing) return segment({ kind: 'next', to: at }, nextPage);
    }
  }

  /** Undefined when the interpreter must do it. */
  private decoded(
    low: number,
    page: number,
    offset: number,
    nextPage: VirtualAddress | undefined,
  ): Instruction | undefined {
    const { reader } = this;
    const instruction = newInstruction();
    if (nextPage !== undefined) {
      const next = reader.pageAt(nextPage);
      if (next === undefined) return undefined;
      decode(low | (reader.halfword(next, 0) << 16), instruction);
    } else decode((low & 3) === 3 ? low | (reader.halfword(page, offset + 2) << 16) : low, instruction);
    return instruction.op !== Op.ILLEGAL && reader.translates(instruction) ? instruction : undefined;
  }
}

/** The end of a straight line that an instruction is; undefined for one that goes on to the next. */
function ending(
  { op, rd, rs1, imm, length }: Readonly<Instruction>,
  pc: VirtualAddress,
  constants: Constants,
): Ending | undefined {
  const after = va(pc + length);
  if (isBranch(op)) return { kind: 'branch', taken: va(pc + imm), next: after };
  if (op === Op.JAL) return { kind: 'jump', to: va(pc + imm), link: linkOf(rd), after };
  if (op !== Op.JALR) return undefined;
  const link = linkOf(rd);
  const known = constants.of(rs1);
  if (known) {
    const target = known.value + imm;
    return { kind: 'jump', to: va(target - (((target % 2) + 2) % 2)), link, after, since: known.since };
  }
  return { kind: 'indirect', pc, link, after, returns: link === 0 ? linkOf(rs1) : 0 };
}

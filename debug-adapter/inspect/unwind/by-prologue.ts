/**
 * The caller of a function without call frame information, from its code between its first instruction and the pc: how far
 * the stack pointer has moved, and where registers were saved. Follows a way that control can take, the one with the fewest calls,
 * because what is behind a call that never returns belongs to another way; where jumps through registers hide the way, the text
 * of the function, in which a return goes back to the state before the epilogue. A heuristic, and marked as one.
 */
import { Op } from '../../../emulator/isa/op';
import type { CodeRange } from './by-epilogue';
import { CodeReader, flowOf, writtenBy } from './code';
import { F0, FP, PRESERVED, RA, REGISTERS, RegisterSet, SP } from './registers';
import { failure, NOT_KEPT, outermost, readWord, type Caller, type MemoryReader, type NoCaller } from './types';

/** Instructions looked at; prologues are at the start. */
const MAX_INSTRUCTIONS = 2048;

/** What a register holds: the value another one had on entry, plus an offset; or a constant (`base` -1); or something else. */
interface Abstract {
  readonly base: number;
  readonly offset: bigint;
}
const CONSTANT = -1;

class State {
  constructor(
    readonly values: (Abstract | undefined)[],
    /**
     * Offset from the stack pointer on entry where a register's value on entry was stored, until it is loaded back. It counts more
     * than the register itself: a loop may have changed that by code that stands further down.
     */
    readonly saved: Map<number, bigint>,
    /** Registers are being loaded back: the epilogue has begun. */
    public leaving = false,
  ) {}

  static onEntry(): State {
    const values = Array.from({ length: REGISTERS }, (_, base): Abstract => ({ base, offset: 0n }));
    values[0] = { base: CONSTANT, offset: 0n };
    return new State(values, new Map());
  }

  copy(): State {
    return new State([...this.values], new Map(this.saved), this.leaving);
  }

  /** How far below its value on entry the stack pointer is. */
  get depth(): bigint {
    const sp = this.values[SP];
    return sp?.base === SP ? -sp.offset : 0n;
  }

  keeps(register: number): boolean {
    const value = this.values[register];
    return value?.base === register && value.offset === 0n;
  }
}

const isPreserved: ReadonlySet<number> = new Set([SP, ...PRESERVED]);

/** A place control can come to, and the state it comes with. */
interface Way {
  readonly at: bigint;
  readonly state: State;
}

class PrologueReader {
  state = State.onEntry();
  /** The state behind the prologue, as far as it was read. */
  private body = this.state.copy();

  constructor(private readonly code: CodeReader) {}

  /** The state at the pc; `exact` where it was not called from the instruction before it. */
  run(range: CodeRange, pc: bigint, exact: boolean): State {
    return this.follow(range, pc, exact) ?? this.read(range.low, pc);
  }

  private follow({ low, high }: CodeRange, pc: bigint, exact: boolean): State | undefined {
    const seen = new Set<bigint>();
    let ways: Way[] = [{ at: low, state: State.onEntry() }];
    let behindCalls: Way[] = [];
    while (ways.length > 0) {
      const way = ways.pop()!;
      let { at } = way;
      this.state = way.state;
      while (at >= low && at < high && !seen.has(at) && seen.size < MAX_INSTRUCTIONS) {
        if (at === pc && exact) return this.state;
        seen.add(at);
        if (!this.code.read(at)) break;
        const { instruction } = this.code;
        const flow = flowOf(instruction);
        const [next, target] = [at + BigInt(instruction.length), at + BigInt(instruction.imm)];
        if (flow === 'return' || flow === 'elsewhere') break;
        if (flow === 'branch') ways.push({ at: target, state: this.state.copy() });
        if (flow === 'next') this.simple();
        if (flow === 'call' || flow === 'system') this.forgetResults(flow);
        if (flow === 'call' && next === pc && !exact) return this.state;
        if (flow === 'call') behindCalls.push({ at: next, state: this.state });
        if (flow === 'call') break;
        at = flow === 'jump' ? target : next;
      }
      if (ways.length === 0) [ways, behindCalls] = [behindCalls.reverse(), []];
    }
    return undefined;
  }

  /** Reads the text from the first instruction up to the pc. */
  private read(start: bigint, pc: bigint): State {
    this.state = State.onEntry();
    let at = start;
    for (let count = 0; at < pc && count < MAX_INSTRUCTIONS && this.code.read(at); count++) {
      this.step();
      at += BigInt(this.code.instruction.length);
    }
    return this.state;
  }

  private step(): void {
    const flow = flowOf(this.code.instruction);
    if (flow === 'next') {
      // The frame is set up by what moves sp, s0 or saves a register: only then is there something new to keep.
      if (this.simple() && !this.state.leaving && this.state.depth >= this.body.depth) this.body = this.state.copy();
    } else if (flow === 'call' || flow === 'system') {
      this.forgetResults(flow);
    } else if (flow !== 'branch') {
      this.state = this.body.copy(); // what follows is reached by a branch from before the epilogue
    }
  }

  private forgetResults(flow: 'call' | 'system'): void {
    for (let register = 1; register < REGISTERS; register++)
      if (!isPreserved.has(register) && !(flow === 'system' && register === RA))
        this.state.values[register] = undefined;
  }

  /** Carries out an instruction; says whether it changed the frame. */
  private simple(): boolean {
    const { values, saved } = this.state;
    const { op, rs1, rs2, imm } = this.code.instruction;
    if (op === Op.SD || op === Op.FSD) {
      const register = op === Op.FSD ? F0 + rs2 : rs2;
      const base = values[rs1];
      const isSave = base?.base === SP && this.state.keeps(register) && (register === RA || isPreserved.has(register));
      if (!isSave || saved.has(register)) return false;
      saved.set(register, base.offset + BigInt(imm));
      return true;
    }
    const written = writtenBy(this.code.instruction, this.code.bits);
    if (written === 0) return false;
    const from = values[rs1];
    const loads = (op === Op.LD || op === Op.FLD) && from?.base === SP;
    values[written] = this.result(values);
    if (loads && saved.get(written) === from.offset + BigInt(imm)) {
      values[written] = { base: written, offset: 0n }; // loaded back from where it was saved
      saved.delete(written);
      this.state.leaving = true;
    }
    return written === SP || written === FP;
  }

  private result(values: readonly (Abstract | undefined)[]): Abstract | undefined {
    const { op, rs1, rs2, imm } = this.code.instruction;
    const [a, b] = [values[rs1], values[rs2]];
    const constant = (value: bigint): Abstract => ({ base: CONSTANT, offset: BigInt.asIntN(64, value) });
    switch (op) {
      case Op.LUI:
        return constant(BigInt(imm));
      case Op.ADDI:
        return a && { base: a.base, offset: a.offset + BigInt(imm) };
      case Op.ADDIW:
        return a?.base === CONSTANT ? constant(BigInt.asIntN(32, a.offset + BigInt(imm))) : undefined;
      case Op.ADD:
        if (a?.base === CONSTANT && b) return { base: b.base, offset: a.offset + b.offset };
        return a && b?.base === CONSTANT ? { base: a.base, offset: a.offset + b.offset } : undefined;
      case Op.SUB:
        return a && b?.base === CONSTANT ? { base: a.base, offset: a.offset - b.offset } : undefined;
      default:
        return undefined;
    }
  }
}

/** The caller of a function with this code. */
export function callerByPrologue(
  range: CodeRange,
  registers: RegisterSet,
  exact: boolean,
  memory: MemoryReader,
): Caller | NoCaller {
  const state = new PrologueReader(new CodeReader(memory)).run(range, registers.pc, exact);
  const cfa = entryStackPointer(state, registers);
  if (cfa === undefined)
    return failure('it has no call frame information, and its code does not show the size of its frame');
  const slot = state.saved.get(RA);
  const live = slot === undefined && state.keeps(RA);
  if (slot === undefined && !exact) return outermost(NOT_KEPT, cfa);
  const ra = live ? registers.get(RA) : slot === undefined ? undefined : readWord(memory, cfa + slot);
  if (ra === undefined)
    return failure('it has no call frame information, and its code does not show where its return address is', cfa);
  const caller = new RegisterSet(ra & ~1n);
  caller.set(RA, ra);
  caller.set(SP, cfa);
  for (const register of PRESERVED) {
    const offset = state.saved.get(register);
    const value = offset === undefined ? undefined : readWord(memory, cfa + offset);
    if (value !== undefined) caller.set(register, value, { memory: BigInt.asUintN(64, cfa + offset!) });
    else if (offset === undefined && state.keeps(register)) caller.copy(register, registers);
  }
  return { cfa, registers: caller, foundBy: live ? 'ra' : 'prologue', exact: false };
}

/**
 * The stack pointer on entry. From the frame pointer where there is one, which by the psABI is just that address: sp may have moved
 * by amounts that the code does not show. Other uses of s0 are variables, which loops change.
 */
function entryStackPointer({ values }: State, registers: RegisterSet): bigint | undefined {
  const [sp, fp] = [values[SP], values[FP]];
  const isFramePointer = fp?.base === SP && fp.offset === 0n;
  const [register, offset] = isFramePointer ? [FP, 0n] : sp?.base === SP ? [SP, sp.offset] : [FP, undefined];
  const value = registers.get(register);
  return value === undefined || offset === undefined ? undefined : BigInt.asUintN(64, value - offset);
}

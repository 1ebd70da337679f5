/**
 * The caller of a function without call frame information when a straight line leads from the pc to its return: the instructions on
 * it that move the stack pointer and load registers are carried out on a copy. Exact where it applies: in leaves, and in the
 * epilogue, where reading the prologue would be wrong. Never writes to the program.
 */
import { Op } from '../../../emulator/isa/op';
import { CodeReader, flowOf, writtenBy } from './code';
import { F0, PRESERVED, RA, REGISTERS, RegisterSet, SP } from './registers';
import { readWord, type Caller, type MemoryReader } from './types';

const MAX_INSTRUCTIONS = 32;

/** Where a jump still stays in the function. */
export interface CodeRange {
  readonly low: bigint;
  readonly high: bigint;
}

class Ahead {
  private readonly values: (bigint | undefined)[];
  /** For each register, where its value was loaded from; undefined as long as it is the frame's own. */
  private readonly loaded = new Map<number, bigint | undefined>();
  /** Words that were stored on the way; undefined for a value that is not known. */
  private readonly stored = new Map<bigint, bigint | undefined>();
  private readonly code: CodeReader;

  constructor(
    private readonly registers: RegisterSet,
    private readonly memory: MemoryReader,
    private readonly range: CodeRange | undefined,
  ) {
    this.values = Array.from({ length: REGISTERS }, (_, register) => registers.get(register));
    this.code = new CodeReader(memory);
  }

  /** Register that holds the return address at the return; undefined when the way is not straight or too long. */
  run(): number | undefined {
    let at = this.registers.pc;
    for (let count = 0; count < MAX_INSTRUCTIONS && this.code.read(at); count++) {
      const { instruction } = this.code;
      const flow = flowOf(instruction);
      if (flow === 'return') return instruction.rs1;
      if (flow === 'next' || flow === 'system') {
        if (flow === 'next') this.step();
        else this.forgetResults();
        at += BigInt(instruction.length);
      } else if (flow === 'jump') {
        at += BigInt(instruction.imm);
        if (!this.range) return undefined;
        if (at < this.range.low || at >= this.range.high) return RA; // a tail call: the frame is gone already
      } else return undefined;
    }
    return undefined;
  }

  caller(link: number, exact: boolean): Caller | undefined {
    // A frame that called has lost what was in the link register, unless it is loaded on the way.
    if (!exact && !this.loaded.has(link)) return undefined;
    const [cfa, ra] = [this.values[SP], this.values[link]];
    const sp = this.registers.get(SP);
    if (cfa === undefined || ra === undefined || sp === undefined || cfa < sp) return undefined;
    const caller = new RegisterSet(ra & ~1n);
    caller.set(RA, this.values[RA] ?? ra);
    caller.set(SP, cfa);
    for (const register of PRESERVED) {
      const value = this.values[register];
      const from = this.loaded.get(register);
      if (!this.loaded.has(register)) caller.copy(register, this.registers);
      else if (value !== undefined) caller.set(register, value, from === undefined ? undefined : { memory: from });
    }
    const foundBy = this.loaded.has(link) ? 'epilogue' : 'ra';
    return { cfa, registers: caller, foundBy, exact: false };
  }

  /** After a system call only what a call preserves, and ra, is taken for granted. */
  private forgetResults(): void {
    for (let register = 1; register < REGISTERS; register++)
      if (register !== RA && register !== SP && !PRESERVED.includes(register)) this.values[register] = undefined;
  }

  private step(): void {
    const { op, rs1, rs2, imm } = this.code.instruction;
    const base = this.values[rs1];
    const address = base === undefined ? undefined : BigInt.asUintN(64, base + BigInt(imm));
    if (isStore(op)) return this.store(op, address, op === Op.FSD ? F0 + rs2 : rs2);
    const written = writtenBy(this.code.instruction, this.code.bits);
    if (written === 0) return;
    const isLoad = (op === Op.LD || op === Op.FLD) && address !== undefined;
    this.loaded.set(written, isLoad ? address : undefined);
    this.values[written] = isLoad ? this.load(address) : this.result();
  }

  private store(op: Op, address: bigint | undefined, register: number): void {
    if (address === undefined) return; // not relative to a known register, so not to the stack
    if (op === Op.SD || op === Op.FSD) this.stored.set(address, this.values[register]);
    else this.stored.set(address & ~7n, undefined);
  }

  private load(address: bigint): bigint | undefined {
    return this.stored.has(address) ? this.stored.get(address) : readWord(this.memory, address);
  }

  private result(): bigint | undefined {
    const { op, rs1, rs2, imm } = this.code.instruction;
    const [a, b] = [this.values[rs1], this.values[rs2]];
    const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
    switch (op) {
      case Op.LUI:
        return wrap(BigInt(imm));
      case Op.ADDI:
        return a === undefined ? undefined : wrap(a + BigInt(imm));
      case Op.ADDIW:
        return a === undefined ? undefined : wrap(BigInt.asIntN(32, a + BigInt(imm)));
      case Op.ADD:
        return a === undefined || b === undefined ? undefined : wrap(a + b);
      case Op.SUB:
        return a === undefined || b === undefined ? undefined : wrap(a - b);
      default:
        return undefined;
    }
  }
}

function isStore(op: Op): boolean {
  return op === Op.SD || op === Op.SW || op === Op.SH || op === Op.SB || op === Op.FSD || op === Op.FSW;
}

/** The caller when the code from the pc runs straight into the return of the function; undefined when it does not. */
export function callerByEpilogue(
  registers: RegisterSet,
  exact: boolean,
  memory: MemoryReader,
  range: CodeRange | undefined,
): Caller | undefined {
  const ahead = new Ahead(registers, memory, range);
  const link = ahead.run();
  return link === undefined ? undefined : ahead.caller(link, exact);
}

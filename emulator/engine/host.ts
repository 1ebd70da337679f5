/**
 * The side of an engine that is no computation, the same for every engine: slow paths of loads and stores, fetches, CSRs, xRET,
 * reservations, WFI, fences, cache blocks. Plain calls with int32 arguments (64-bit values as low and high word); a value comes back
 * in `low` and `high` and at Area.VALUE. The meaning of the row language's host functions (isa/language/ir.ts, HostName) is here.
 *
 * Before a call the engine has written at Area.COUNT how many instructions of this entry of its loop have begun, the one it works for
 * included: what devices and counters see of the clock follows from it. Of a `Result` of TRAP the facts are in `fault`.
 */
import { Csr, Status } from '../hart/csr-numbers';
import type { Hart } from '../hart/hart';
import { pairToNumber } from '../hart/registers';
import { Cause, Privilege } from '../hart/types';
import type { Bus } from '../machine/bus';
import type { Clock } from '../machine/clock';
import { Area, HartWord } from '../machine/layout';
import type { PhysicalMemory } from '../machine/memory';
import type { Stops } from '../machine/stops';
import type { Watches } from '../machine/watches';
import { DataAccess } from './access';
import { Atomics } from './atomics';
import { CodeCache } from './code-cache';
import { Fetch, FETCH_FAULT, FETCH_RETRY } from './fetch';
import { Field } from './record';
import { Regime } from './convention';
import { NO_PASS, Result, type Fault } from './types';

/** Instead of a block, like FETCH_FAULT and FETCH_RETRY: a stop is armed there. */
export const FETCH_STOP = -3;
export { FETCH_FAULT, FETCH_RETRY };
/** No tick. */
const NEVER = -1;
/** HEAT of a record that nobody wants to be told of soon. */
export const COLD = 0;

/** Bits of a CSR that a Zicsr instruction changes: all (CSRRW), or those set in the operand. */
function operandMask(hart: Hart, bits: number): number {
  const source = (bits >> 15) & 31;
  if (((bits >> 12) & 3) === 1) return -1;
  return bits & (1 << 14) ? source : hart.words[2 * source]!;
}

export class Host {
  readonly code: CodeCache;
  readonly access: DataAccess;
  readonly fault: Fault;
  private readonly fetch: Fetch;
  private readonly atomics: Atomics;
  private hart!: Hart;
  /** Something that decides what runs next changed: the machine must look at interrupts and deadlines. */
  changed = false;
  /** Instructions of this run before the current entry of the loop. */
  before = 0;
  /** The stop to pass: armed by `passStop`, gone with the first instruction there, which may be begun more than once. */
  private passSpace = NO_PASS;
  private passPc = 0;
  private passedAt = NEVER;
  /** Told of a hot record and the address of its page; answers the HEAT that it begins anew with. */
  onHot: (at: number, low: number, high: number) => number = () => COLD;
  /** The value that the last call answered with. */
  low = 0;
  high = 0;

  constructor(
    readonly memory: PhysicalMemory,
    private readonly clock: Clock,
    bus: Bus,
    stops: Stops,
    private readonly watches: Watches,
  ) {
    this.code = new CodeCache(memory);
    this.access = new DataAccess(memory, bus, watches);
    this.fault = this.access.fault;
    this.fetch = new Fetch(memory, this.code, stops, this.fault);
    this.atomics = new Atomics(memory, this.access);
  }

  /** The next instruction at this pc of the space is executed though a stop is armed there; -1 is no space, NO_PASS takes that back. */
  passStop(space: number, pc: number): void {
    this.passSpace = space;
    this.passPc = pc;
    this.passedAt = NEVER;
  }

  /** A run begins. */
  begin(): void {
    this.before = 0;
    this.changed = false;
    this.access.deviceWritten = false;
    this.access.watched = false;
  }

  /** Must the run end before its budget is used up? */
  get interrupted(): boolean {
    return this.changed || this.access.deviceWritten || this.access.watched;
  }

  /** A run ended: outside of runs the clock is what the machine set. */
  end(): void {
    this.clock.elapsed = 0;
  }

  /** Before each entry of the loop: takes over the hart's context (privileges, spaces) and selects its bank of translations. */
  enter(hart: Hart): void {
    this.hart = hart;
    const { words } = hart;
    const status = words[HartWord.MSTATUS]!;
    const privilege = hart.privilege;
    const data: Privilege =
      privilege === Privilege.Machine && status & Status.MPRV ? (status & Status.MPP) >> 11 : privilege;
    const root = hart.csr.rootPage();
    const sum = (status & Status.SUM) !== 0;
    const mxr = (status & Status.MXR) !== 0;
    const { context } = this.access;
    context.privilege = data;
    context.sum = sum;
    context.mxr = mxr;
    this.access.space = data === Privilege.Machine ? -1 : root;
    this.fetch.context.privilege = privilege;
    this.fetch.space = privilege === Privilege.Machine ? -1 : root;
    const key = privilege | (data << 2) | (sum ? 16 : 0) | (mxr ? 32 : 0);
    this.memory.i32[Area.REGIME / 4] = this.direct(data) ? Regime.DIRECT : 0;
    hart.translations.select(words[HartWord.SATP]!, words[HartWord.SATP + 1]!, key);
    this.access.begin(hart);
    this.fetch.begin(hart);
  }

  /** Do loads need no more than to lie in RAM? (convention.ts) */
  private direct(data: Privilege): boolean {
    return data === Privilege.Machine && this.watches.none && this.hart.pmp.openToMachine;
  }

  /** The clock stands at the instruction that is being executed. */
  private now(): void {
    this.clock.elapsed = this.before + this.memory.i32[Area.COUNT / 4]! - 1;
  }

  private answer(result: Result, low: number, high: number): Result {
    this.low = low;
    this.high = high;
    const { i32 } = this.memory;
    i32[Area.VALUE / 4] = low;
    i32[Area.VALUE / 4 + 1] = high;
    return result;
  }

  private answerAccess(result: Result): Result {
    return this.answer(result, this.access.low, this.access.high);
  }

  // Code. The codes instead of a block are FETCH_FAULT, FETCH_RETRY and FETCH_STOP.

  /** Decodes the instruction of a record. */
  decode(at: number): void {
    this.code.decodeAt(at);
  }

  /** The record of an entry, in a page of this address, was jumped to as often as makes it hot. */
  hot(at: number, low: number, high: number): void {
    this.memory.u16[(at + Field.HEAT) >> 1] = this.onHot(at, low, high);
  }

  /** The block for the page of a pc, or SINGLE with its instruction. Area.COUNT: instructions begun before the one at this pc, plus 1. */
  resolve(low: number, high: number): number {
    this.now();
    return this.fetch.resolve(low, high);
  }

  /** SINGLE, with the instruction at a pc. */
  single(low: number, high: number): number {
    this.now();
    return this.fetch.single(low, high);
  }

  /** The same where a stop is armed: only when it is to be passed. */
  stop(low: number, high: number): number {
    if (this.passSpace !== this.fetch.space || this.passPc !== pairToNumber(low, high)) return FETCH_STOP;
    this.now();
    const { tick } = this.clock;
    if (this.passedAt !== NEVER && this.passedAt !== tick) return FETCH_STOP;
    const block = this.single(low, high);
    if (block >= 0) this.passedAt = tick;
    return block;
  }

  // Exceptions.

  trap(cause: Cause, low: number, high: number): Result {
    return this.access.fail(cause, low, high);
  }

  /** The instruction of a record is illegal here: tval is its bits. */
  illegal(at: number): Result {
    return this.trap(Cause.IllegalInstruction, this.code.bitsAt(at), 0);
  }

  // Memory: 1, 2, 4 or 8 bytes. A loaded value is zero-extended.

  load(low: number, high: number, size: number): Result {
    this.now();
    return this.answerAccess(this.access.load(low, high, size));
  }

  store(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    this.now();
    return this.access.store(low, high, size, valueLow, valueHigh);
  }

  loadReserved(low: number, high: number, size: number): Result {
    this.now();
    return this.answerAccess(this.atomics.loadReserved(this.hart, low, high, size));
  }

  /** Answers 0 when it stored, 1 when not. */
  storeConditional(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    this.now();
    return this.answerAccess(this.atomics.storeConditional(this.hart, low, high, size, valueLow, valueHigh));
  }

  amoLoad(low: number, high: number, size: number): Result {
    this.now();
    return this.answerAccess(this.atomics.amoLoad(low, high, size));
  }

  amoStore(low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    return this.atomics.amoStore(low, high, size, valueLow, valueHigh);
  }

  /** May a cache-block operation touch the block that an address lies in? `writes`: cbo.zero, else cbo.clean, flush, inval. */
  cacheBlock(low: number, high: number, writes: number): Result {
    this.now();
    return this.access.cacheBlock(low, high, writes !== 0);
  }

  /** Zeroes the block that an address lies in, if it may be stored to. */
  zeroBlock(low: number, high: number): Result {
    this.now();
    return this.access.zeroBlock(low, high);
  }

  // CSRs and privilege.

  /** `writes`: 1 when the instruction writes the CSR too. */
  readCsr(number: number, writes: number, at: number): Result {
    const { csr, privilege } = this.hart;
    this.now();
    if (!csr.permitted(number, privilege, writes !== 0) || !csr.read(number)) return this.illegal(at);
    if (number === Csr.MIP && writes) csr.pendingMask = operandMask(this.hart, this.code.bitsAt(at));
    return this.answer(Result.DONE, csr.low, csr.high);
  }

  writeCsr(number: number, low: number, high: number): Result {
    this.now();
    this.hart.csr.write(number, low, high, 1);
    if (number >= Csr.FFLAGS && number <= Csr.FCSR) return Result.DONE;
    this.changed = true;
    return Result.LEAVE;
  }

  /** xRET of a level. */
  returnFromTrap(level: number): Result {
    if (level === (Privilege.Machine as number)) this.hart.mret();
    else this.hart.sret();
    this.changed = true;
    return Result.JUMPED;
  }

  wait(): Result {
    this.hart.waitForInterrupt();
    return Result.WFI;
  }

  fenceTranslations(): Result {
    this.hart.fenceVma();
    return Result.LEAVE;
  }

  /** Code is coherent (code-cache.ts): nothing is left to do. */
  fenceInstructions(): Result {
    return Result.DONE;
  }
}

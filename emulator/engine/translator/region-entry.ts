/**
 * What a region's function asks before its body, and again where what it was made under may have changed: the page and its variant, the state
 * of floating point, the instructions left, the other pages it lies on (engine/convention.ts). Each question leaves 1 on the stack where the answer is no.
 */
import { Status } from '../../hart/csr-numbers';
import { Area, Bank, HartWord } from '../../machine/layout';
import type { Code } from '../wasm/code';
import { Parameter, Regime, RegionExit } from '../convention';
import type { Region } from './region';
import type { RegionExits } from './region-exits';

/** Labels: where an assumption of the variant does not hold; where the interpreter is to go on. */
const MISMATCH = 'mismatch';
const INTERPRET = 'not now';

/** The flag NX of fflags; the field frm. */
const NX = 1;
const FRM = 0xe0;
const FRM_SHIFT = 5;

/** What a region is made under. */
export interface Assumptions {
  readonly slot: number;
  /** By index of the region's pages, the block of records (byte address) that the code was read with. */
  readonly blocks: readonly number[];
  /** The variant for fflags.NX set; else for NX clear. */
  readonly inexact: boolean;
  /** What frm says. */
  readonly frm: number;
  /** The variant for Regime.DIRECT. */
  readonly direct: boolean;
}

export class RegionEntry {
  constructor(
    private readonly code: Code,
    private readonly region: Region,
    private readonly assumptions: Assumptions,
    private readonly exits: RegionExits,
  ) {}

  /** The body stands between: it is reached where all assumptions hold, and there are `longest` instructions left. */
  around(usesFloat: boolean, longest: number, body: () => void): void {
    const { code } = this;
    code.block(MISMATCH);
    code.block(INTERPRET);
    this.check(usesFloat, longest);
    body();
    code.end();
    this.notEntered(RegionExit.INTERPRET);
    code.end();
    this.otherVariant();
    this.notEntered(RegionExit.MISMATCH);
    code.unreachable();
  }

  private check(usesFloat: boolean, longest: number): void {
    const { code, region } = this;
    code.get(Parameter.PAGE);
    code.i64(BigInt(region.pages[0]!.address));
    code.op('i64.ne');
    this.leaveIf(MISMATCH);
    const { nextPage } = region.blocks[0]!;
    if (nextPage !== undefined) {
      // The caller looked up where the first half of the instruction lies.
      this.isElsewhere(nextPage);
      this.leaveIf(INTERPRET);
    }
    if (this.assumptions.direct) {
      code.i32(0);
      code.memory('i32.load', Area.REGIME);
      code.i32(Regime.DIRECT);
      code.op('i32.and', 'i32.eqz');
      this.leaveIf(MISMATCH);
    }
    if (usesFloat) this.checkFloat();
    this.isTooShort(longest);
    this.leaveIf(INTERPRET);
  }

  private checkFloat(): void {
    const { code } = this;
    code.get(Parameter.HART);
    code.memory('i32.load', 4 * HartWord.MSTATUS);
    code.i32(Status.FS);
    code.op('i32.and');
    code.i32(Status.FS);
    code.op('i32.ne');
    this.leaveIf(INTERPRET);
    this.isOtherFcsr(true, true);
    this.leaveIf(MISMATCH);
  }

  private leaveIf(label: string): void {
    this.code.hint(false);
    this.code.brIf(label);
  }

  /** Whether fflags.NX, frm, or one of both, is not that of the variant. */
  isOtherFcsr(flags: boolean, rounding: boolean): void {
    const { code } = this;
    const { inexact, frm } = this.assumptions;
    const bits = (flags ? NX : 0) | (rounding ? FRM : 0);
    code.get(Parameter.HART);
    code.memory('i32.load', 4 * HartWord.FCSR);
    code.i32(bits);
    code.op('i32.and');
    code.i32(bits & ((inexact ? NX : 0) | (frm << FRM_SHIFT)));
    code.op('i32.ne');
  }

  /** Whether the instructions left may not reach the next check, so many further on. */
  isTooShort(longest: number): void {
    const { code } = this;
    code.get(Parameter.REST);
    code.i32(longest);
    code.op('i32.lt_s');
  }

  /** Whether a page of the region is not what is executed at its address. */
  isElsewhere(page: number): void {
    const { code } = this;
    const { address } = this.region.pages[page]!;
    const entry = 4 * Bank.EXEC + 16 * (Math.floor(address / 4096) & (Bank.EXEC_ENTRIES - 1));
    code.get(Parameter.BANK);
    code.memory('i64.load', entry);
    code.i64(BigInt(address));
    code.op('i64.ne');
    code.get(Parameter.BANK);
    code.memory('i32.load', entry + 8);
    code.i32(this.assumptions.blocks[page]!);
    code.op('i32.ne', 'i32.or');
  }

  /** The pc is the entry, and nothing was done. */
  private notEntered(exit: RegionExit): void {
    const { code, exits } = this;
    code.get(Parameter.HART);
    code.get(Parameter.PAGE);
    code.i64(BigInt(this.region.blocks[0]!.pc - this.region.pages[0]!.address));
    code.op('i64.add');
    code.memory('i64.store', 4 * HartWord.PC);
    exits.back(() => code.i32(exit));
  }

  private otherVariant(): void {
    const { code, exits } = this;
    const slot = code.local('i32');
    code.i32(2 * this.assumptions.slot);
    code.memory('i32.load16_u', Area.NEXT_SLOTS);
    code.tee(slot);
    code.if();
    exits.call(slot);
    code.end();
  }
}

/**
 * Where the interpreter's loop (loop.ts) meets translated regions (convention.ts): jumps that may close a cycle count the heat
 * of the record they go to, and a record with a slot is left to its region. Without a translator no record ever has one.
 */
import { Area, Bank, HartWord } from '../../machine/layout';
import { RegionExit } from '../convention';
import { Field } from '../record';
import { Left } from '../types';
import { BANK, HART, LoopState } from './loop-state';
import type { Linkage } from './row-function';
import { entryAddress } from './translated-access';

/** One more in a record's HEAT, as SLOT and HEAT are loaded together. */
const ONE_JUMP = 0x10000;
/** What of SLOT and HEAT says that the loop is to be left: there is a slot, or the record is hot. */
const SLOT_OR_HOT = 0x8000ffff | 0;

/** Labels of loop.ts that what is here goes to. */
export const enum Outer {
  /** The inner loop begins again at the record. */
  AGAIN = 'outer',
  /** The record has a slot, or is hot. */
  LINK = 'link',
  /** The page of the target is in no exec translation. */
  RESOLVE = 'resolve',
}

export abstract class LoopRegions extends LoopState {
  constructor(
    protected readonly linkage: Linkage,
    private readonly regionType: number,
  ) {
    super();
  }

  /** Block, page and record become those of the target; `miss` where the exec translations don't know its page. */
  protected lookUp(miss: string): void {
    const { code, target, page } = this;
    const tag = code.local('i64');
    code.get(target);
    code.i64(-4096n);
    code.op('i64.and');
    code.tee(tag);
    code.get(page);
    code.op('i64.ne');
    code.if();
    const entry = code.local('i32');
    entryAddress(code, target, BANK, Bank.EXEC_ENTRIES);
    code.tee(entry);
    code.memory('i64.load', 4 * Bank.EXEC);
    code.get(tag);
    code.op('i64.ne');
    code.brIf(miss);
    code.get(entry);
    code.memory('i32.load', 4 * Bank.EXEC + 8);
    code.set(this.block);
    code.get(tag);
    code.set(page);
    code.end();
    this.recordOfTarget();
    code.release('i32', entry);
    code.release('i64', tag);
  }

  /**
   * Before the first instruction, whose pc is in `target`: where a run begins, by a debugger's steps or the end of a slice, is no jump and
   * counts no heat.
   */
  protected begin(): void {
    const { code } = this;
    // No page: a local begins as that of address 0.
    code.i64(-1n);
    code.set(this.page);
    code.block('at once');
    code.block('by a jump');
    this.lookUp('by a jump');
    this.pushSlot();
    code.op('i32.eqz');
    code.brIf('at once');
    code.end();
    this.toTarget();
    code.end();
  }

  protected pushSlot(): void {
    this.code.get(this.record);
    this.code.memory('i32.load16_u', Field.SLOT);
  }

  /** Behind a jump to the record: its heat. Falls through where nothing else is to be done. */
  protected heat(): void {
    const { code } = this;
    const counted = code.local('i32');
    code.get(this.record);
    code.memory('i32.load', Field.SLOT);
    code.i32(ONE_JUMP);
    code.op('i32.add');
    code.tee(counted);
    code.i32(SLOT_OR_HOT);
    code.op('i32.and');
    code.brIf(Outer.LINK);
    code.get(this.record);
    code.get(counted);
    code.memory('i32.store', Field.SLOT);
    code.release('i32', counted);
  }

  /** LINK: the record's region goes on, or the host is told that one is missed. */
  protected link(): void {
    const { code, answer } = this;
    this.pushSlot();
    code.tee(answer);
    code.op('i32.eqz');
    code.if();
    this.tellHot();
    code.br(Outer.AGAIN);
    code.end();
    for (const local of [HART, BANK, this.rest, this.block, this.page, answer]) code.get(local);
    code.callIndirect(this.regionType);
    code.set(answer);
    code.i32(0);
    code.memory('i32.load', Area.REST);
    code.set(this.rest);
    code.get(HART);
    code.memory('i64.load', 4 * HartWord.PC);
    code.set(this.target);
    this.answerIs(RegionExit.JUMP, () => {
      this.toTarget();
      code.br(Outer.AGAIN);
    });
    this.answerIs(RegionExit.LEAVE, () => this.leaveAtTarget(Left.AGAIN));
    this.answerIs(RegionExit.TRAP, () => this.leaveAtTarget(Left.TRAP));
    this.lookUp(Outer.RESOLVE);
    this.answerIs(RegionExit.MISMATCH, () => this.mismatch());
    code.br(Outer.AGAIN);
  }

  /** The record has a slot; that of another variant is missed. */
  private mismatch(): void {
    const { code, answer } = this;
    code.get(this.record);
    code.memory('i32.load', Field.SLOT);
    code.i32(ONE_JUMP);
    code.op('i32.add');
    code.set(answer);
    code.get(this.record);
    code.get(answer);
    code.memory('i32.store', Field.SLOT);
    code.get(answer);
    code.i32(0);
    code.op('i32.lt_s');
    code.if();
    this.tellHot();
    code.end();
  }

  private tellHot(): void {
    const { code } = this;
    code.get(this.record);
    this.pushPair(this.page);
    code.call(this.linkage.import('hot'));
  }
}

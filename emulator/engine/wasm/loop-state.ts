/**
 * What the interpreter's loop (loop.ts) holds in locals, and what is done with it in more than one place: the pc, the count of
 * instructions, records that stand apart, exits.
 */
import { Area, HartWord } from '../../machine/layout';
import { SINGLE } from '../code-cache';
import { RECORD_BYTES, RECORD_SHIFT } from '../record';
import type { Left } from '../types';
import { Code } from './code';
import { pushPc } from './loop-target';

/** Parameters of `run`. */
export const HART = 0;
export const BANK = 1;
export const LIMIT = 2;

/** A record that says "next page", from which a jump to any pc can be begun. */
const ENTRY_RECORD = SINGLE + RECORD_BYTES;
/**
 * The distance of a record that stands apart from its block: so the "page" is the pc minus 1, odd, and equal to no page.
 */
const APART_BYTES = 1 << RECORD_SHIFT;

export class LoopState {
  protected readonly code = new Code(['i32', 'i32', 'i32']);
  protected readonly record = this.code.local('i32');
  protected readonly block = this.code.local('i32');
  protected readonly page = this.code.local('i64');
  /** Instructions that may still be begun. */
  protected readonly rest = this.code.local('i32');
  protected readonly target = this.code.local('i64');
  /** What an import or a row's function answered. */
  protected readonly answer = this.code.local('i32');

  protected count(by: number): void {
    this.code.get(this.rest);
    this.code.i32(by);
    this.code.op('i32.add');
    this.code.set(this.rest);
  }

  /** The record of the target, which lies in the page. */
  protected recordOfTarget(): void {
    const { code } = this;
    code.get(this.target);
    code.op('i32.wrap_i64');
    code.i32(4095);
    code.op('i32.and');
    code.i32(RECORD_SHIFT);
    code.op('i32.shl');
    code.get(this.block);
    code.op('i32.add');
    code.set(this.record);
  }

  protected pushPc(): void {
    const { page, record, block } = this;
    pushPc(this.code, { page, record, block });
  }

  /** A record outside of its page, whose pc is in `target`. */
  protected standApart(record: number): void {
    const { code } = this;
    code.i32(record);
    code.set(this.record);
    code.i32(record - APART_BYTES);
    code.set(this.block);
    code.get(this.target);
    code.i64(1n);
    code.op('i64.sub');
    code.set(this.page);
  }

  /** The next thing the inner loop does is a jump to the pc in `target`. */
  protected toTarget(): void {
    this.standApart(ENTRY_RECORD);
  }

  protected writeCount(add: number): void {
    const { code } = this;
    code.i32(0);
    code.get(LIMIT);
    code.get(this.rest);
    code.op('i32.sub');
    if (add !== 0) {
      code.i32(add);
      code.op('i32.add');
    }
    code.memory('i32.store', Area.COUNT);
  }

  /** Returns; the pc is the record's. */
  protected leave(left: Left): void {
    this.pushPc();
    this.code.set(this.target);
    this.leaveAtTarget(left);
  }

  protected leaveAtTarget(left: Left): void {
    const { code } = this;
    code.get(HART);
    code.get(this.target);
    code.memory('i64.store', 4 * HartWord.PC);
    this.writeCount(0);
    code.i32(left);
    code.return();
  }

  protected answerIs(value: number, then: () => void): void {
    const { code } = this;
    code.get(this.answer);
    code.i32(value);
    code.op('i32.eq');
    code.if();
    then();
    code.end();
  }

  /** Pushes the halves of an i64 local. */
  protected pushPair(local: number): void {
    const { code } = this;
    code.get(local);
    code.op('i32.wrap_i64');
    code.get(local);
    code.i64(32n);
    code.op('i64.shr_u', 'i32.wrap_i64');
  }

  protected pushTargetPair(): void {
    this.pushPair(this.target);
  }
}

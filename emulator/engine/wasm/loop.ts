/**
 * `run(hart, bank, limit)`: the interpreter's loop. Executes at most `limit` instructions from the hart's pc and returns a `Left`; leaves
 * the pc in the hart's words and the number of instructions at Area.COUNT. `bank` is the byte address of the selected bank.
 *
 * It is two loops. The inner one, `next`, has no calls: frequent rows stand in it whole. What needs a call leaves it (a row's own
 * function, decoding, a page that the exec translations do not know), is done in the outer one, and the inner one begins again.
 */
import type { Library, Semantics } from '../../isa/language/ir';
import { eachStatement } from '../../isa/language/walk';
import type { Op } from '../../isa/op';
import { Bank, HartWord } from '../../machine/layout';
import { SINGLE } from '../code-cache';
import { FETCH_FAULT, FETCH_STOP } from '../host';
import { Field, HANDLERS, NEAR, Pseudo, RECORD_BYTES, RECORD_SHIFT } from '../record';
import { Left, Result } from '../types';
import type { Code } from './code';
import { Emitter } from './emitter';
import { BANK, HART, LIMIT, LoopState } from './loop-state';
import { Label, LoopTarget } from './loop-target';
import { TARGET, type Linkage } from './row-function';
import { entryAddress } from './translated-access';

/** Labels besides those of handlers. */
const OUTER = 'outer';
const EXIT = 'exit';
const DECODE = 'decode';
const RESOLVE = 'resolve';
const APART = 'apart';
const NEXT_PAGE = 'next page';

/** A record that says "next page", from which a jump to any pc can be begun. */
const ENTRY_RECORD = SINGLE + RECORD_BYTES;
interface Handler {
  readonly label: string;
  readonly semantics: Semantics;
  readonly near: boolean;
}

export class LoopBuilder extends LoopState {
  constructor(
    private readonly rows: ReadonlyMap<Op, Semantics>,
    private readonly library: Library,
    private readonly linkage: Linkage,
    private readonly rowType: number,
  ) {
    super();
  }

  build(): Code {
    const { code } = this;
    code.get(HART);
    code.setGlobal(this.linkage.hart);
    code.get(LIMIT);
    code.set(this.rest);
    code.get(HART);
    code.memory('i64.load', 4 * HartWord.PC);
    code.set(this.target);
    this.toTarget();
    code.block(EXIT);
    code.loop(OUTER);
    code.block(APART);
    code.block(RESOLVE);
    code.block(DECODE);
    code.block(Label.REST);
    this.inner();
    code.end();
    this.rowFunction();
    code.end();
    this.decode();
    code.end();
    this.resolve();
    code.end();
    this.apart();
    code.end();
    code.end();
    // EXIT: the limit is reached, the pc is the record's.
    this.leave(Left.LIMIT);
    code.unreachable();
    return code;
  }

  /** The dispatch, the handlers, and jumps that are not near. */
  private inner(): void {
    const { code } = this;
    code.loop(Label.NEXT);
    code.block(Label.JUMP);
    code.get(this.rest);
    code.op('i32.eqz');
    code.brIf(EXIT);
    this.count(-1);
    const handlers = this.handlers();
    for (const { label } of [...handlers.values()].reverse()) code.block(label);
    code.block(NEXT_PAGE);
    code.get(this.record);
    code.memory('i32.load16_u', Field.HANDLER);
    code.brTable(
      Array.from({ length: HANDLERS }, (_, handler) => this.labelOf(handler, handlers)),
      Label.REST,
    );
    code.end();
    this.count(1);
    this.pushPc();
    code.set(this.target);
    code.br(Label.JUMP);
    for (const handler of handlers.values()) {
      code.end();
      this.handler(handler);
    }
    code.end();
    this.jump();
    code.end();
  }

  private labelOf(handler: number, handlers: ReadonlyMap<number, Handler>): string {
    if (handler === Pseudo.UNDECODED) return DECODE;
    if (handler === Pseudo.NEXT_PAGE) return NEXT_PAGE;
    if (handler === Pseudo.CROSSING || handler === Pseudo.STOP) return APART;
    return handlers.get(handler)?.label ?? Label.REST;
  }

  /** By handler number, in the order of the rows. */
  private handlers(): ReadonlyMap<number, Handler> {
    const handlers = new Map<number, Handler>();
    for (const [op, semantics] of this.rows) {
      if (!this.linkage.placing.standsInLoop(semantics)) continue;
      handlers.set(op, { label: `row ${op}`, semantics, near: false });
      let relative = false;
      eachStatement(semantics.body, (statement) => {
        relative ||= statement.kind === 'jump' && statement.relative;
      });
      if (relative) handlers.set(op + NEAR, { label: `near ${op}`, semantics, near: true });
    }
    return handlers;
  }

  private handler({ semantics, near }: Handler): void {
    const { code, linkage } = this;
    const target = new LoopTarget(
      code,
      linkage,
      {
        hart: HART,
        bank: BANK,
        record: this.record,
        block: this.block,
        page: this.page,
        target: this.target,
      },
      near,
    );
    target.begin(semantics.usesFloat);
    new Emitter(code, target, this.library).row(semantics.body);
    if (semantics.body.at(-1)?.kind !== 'jump') target.end();
  }

  /** To the pc in `target`: in the page, or by the exec translations; else RESOLVE. */
  private jump(): void {
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
    code.brIf(RESOLVE);
    code.get(entry);
    code.memory('i32.load', 4 * Bank.EXEC + 8);
    code.set(this.block);
    code.get(tag);
    code.set(page);
    code.end();
    this.recordOfTarget();
    code.br(Label.NEXT);
    code.release('i32', entry);
    code.release('i64', tag);
  }

  /** The next thing the inner loop does is a jump to the pc in `target`. */
  private toTarget(): void {
    this.standApart(ENTRY_RECORD);
  }

  /** On to the record behind this one, in the outer loop. */
  private step(): void {
    const { code } = this;
    code.get(this.record);
    code.get(this.record);
    code.memory('i32.load8_u', Field.STRIDE);
    code.op('i32.add');
    code.set(this.record);
    code.br(OUTER);
  }

  /** REST: the row's own function does the instruction. */
  private rowFunction(): void {
    const { code } = this;
    this.writeCount(0);
    code.get(HART);
    code.get(this.record);
    this.pushPc();
    code.get(this.record);
    code.memory('i32.load16_u', Field.HANDLER);
    code.callIndirect(this.rowType);
    code.set(this.answer);
    this.answerIs(Result.DONE, () => this.step());
    this.answerIs(Result.LEAVE, () => {
      // Nothing may follow this instruction in this entry of the loop.
      code.get(LIMIT);
      code.get(this.rest);
      code.op('i32.sub');
      code.set(LIMIT);
      code.i32(0);
      code.set(this.rest);
      this.step();
    });
    this.answerIs(TARGET, () => {
      code.getGlobal(this.linkage.target);
      code.set(this.target);
      this.toTarget();
      code.br(OUTER);
    });
    this.answerIs(Result.RETRY, () => {
      this.count(1);
      this.leave(Left.AGAIN);
    });
    this.answerIs(Result.JUMPED, () => {
      this.writeCount(0);
      code.i32(Left.AGAIN);
      code.return();
    });
    this.answerIs(Result.WFI, () => {
      this.pushPc();
      code.get(this.record);
      code.memory('i32.load8_u', Field.STRIDE);
      code.i32(RECORD_SHIFT);
      code.op('i32.shr_u', 'i64.extend_i32_u', 'i64.add');
      code.set(this.target);
      this.leaveAtTarget(Left.WFI);
    });
    this.leave(Left.TRAP);
  }

  private decode(): void {
    const { code } = this;
    this.count(1);
    code.get(this.record);
    code.call(this.linkage.import('decode'));
    code.br(OUTER);
  }

  /** RESOLVE: the page of the target is in no exec translation. */
  private resolve(): void {
    const { code } = this;
    code.get(this.rest);
    code.op('i32.eqz');
    code.if();
    this.leaveAtTarget(Left.LIMIT);
    code.end();
    this.writeCount(1);
    this.pushTargetPair();
    code.call(this.linkage.import('resolve'));
    code.tee(this.answer);
    code.i32(0);
    code.op('i32.lt_s');
    code.if();
    this.answerIs(FETCH_FAULT, () => {
      this.count(-1);
      this.leaveAtTarget(Left.TRAP);
    });
    this.leaveAtTarget(Left.AGAIN);
    code.end();
    this.answerIs(SINGLE, () => {
      this.standApart(SINGLE);
      code.br(OUTER);
    });
    code.get(this.answer);
    code.set(this.block);
    code.get(this.target);
    code.i64(-4096n);
    code.op('i64.and');
    code.set(this.page);
    this.recordOfTarget();
    code.br(OUTER);
  }

  /** APART: an instruction across pages, or one at which a stop is armed, goes into the single block. */
  private apart(): void {
    const { code } = this;
    this.writeCount(0);
    this.pushPc();
    code.set(this.target);
    code.get(this.record);
    code.memory('i32.load16_u', Field.HANDLER);
    code.i32(Pseudo.STOP);
    code.op('i32.eq');
    code.if('i32');
    this.pushTargetPair();
    code.call(this.linkage.import('stop'));
    code.else();
    this.pushTargetPair();
    code.call(this.linkage.import('single'));
    code.end();
    code.set(this.answer);
    this.answerIs(FETCH_FAULT, () => this.leaveAtTarget(Left.TRAP));
    this.count(1);
    this.answerIs(FETCH_STOP, () => this.leaveAtTarget(Left.STOP));
    code.get(this.answer);
    code.i32(0);
    code.op('i32.lt_s');
    code.if();
    this.leaveAtTarget(Left.AGAIN);
    code.end();
    this.standApart(SINGLE);
    code.br(OUTER);
  }
}

/**
 * `run(hart, bank, limit)`: the interpreter's loop. Executes at most `limit` instructions from the hart's pc and returns a `Left`; leaves
 * the pc in the hart's words and the number of instructions at Area.COUNT. `bank` is the byte address of the selected bank.
 *
 * It is two loops. The inner one, `next`, has no calls: frequent rows stand in it whole. What needs a call leaves it (a row's own
 * function, decoding, a page that the exec translations do not know, a translated region: loop-regions.ts), is done in the outer one, and
 * the inner one begins again.
 */
import type { Library, Semantics } from '../../isa/language/ir';
import { eachStatement } from '../../isa/language/walk';
import type { Op } from '../../isa/op';
import { Area, HartWord } from '../../machine/layout';
import { SINGLE } from '../code-cache';
import { FETCH_FAULT, FETCH_STOP } from '../host';
import { Field, HANDLERS, NEAR, Pseudo, RECORD_SHIFT } from '../record';
import { SLOTS } from '../convention';
import { Left, Result } from '../types';
import type { Code } from './code';
import { Emitter } from './emitter';
import { LoopRegions, Outer } from './loop-regions';
import { BANK, HART, LIMIT } from './loop-state';
import { Label, LoopTarget } from './loop-target';
import { TARGET, type Linkage } from './row-function';

/** Labels besides those of handlers. */
const EXIT = 'exit';
const DECODE = 'decode';
const APART = 'apart';
const NEXT_PAGE = 'next page';

interface Handler {
  readonly label: string;
  readonly semantics: Semantics;
  readonly near: boolean;
}

export class LoopBuilder extends LoopRegions {
  constructor(
    private readonly rows: ReadonlyMap<Op, Semantics>,
    private readonly library: Library,
    linkage: Linkage,
    private readonly rowType: number,
    regionType: number,
  ) {
    super(linkage, regionType);
  }

  build(): Code {
    const { code } = this;
    code.get(HART);
    code.setGlobal(this.linkage.hart);
    code.get(BANK);
    code.setGlobal(this.linkage.bank);
    code.get(LIMIT);
    code.set(this.rest);
    code.i32(0);
    code.get(LIMIT);
    code.memory('i32.store', Area.LIMIT);
    code.get(HART);
    code.memory('i64.load', 4 * HartWord.PC);
    code.set(this.target);
    this.begin();
    code.block(EXIT);
    code.loop(Outer.AGAIN);
    code.block(APART);
    code.block(Outer.RESOLVE);
    code.block(Outer.LINK);
    code.block(DECODE);
    code.block(Label.REST);
    this.inner();
    code.end();
    this.rowFunction();
    code.end();
    this.decode();
    code.end();
    this.link();
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
    code.block(Label.HEAT);
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
    this.lookUp(Outer.RESOLVE);
    code.end();
    this.heat();
    code.br(Label.NEXT);
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
        rest: this.rest,
      },
      near,
    );
    target.begin(semantics.usesFloat);
    new Emitter(code, target, this.library).row(semantics.body);
    if (semantics.body.at(-1)?.kind !== 'jump') target.end();
  }

  /** The record becomes the one behind it. */
  private step(): void {
    const { code } = this;
    code.get(this.record);
    code.get(this.record);
    code.memory('i32.load8_u', Field.STRIDE);
    code.op('i32.add');
    code.set(this.record);
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
    code.i32(SLOTS);
    code.op('i32.add');
    code.callIndirect(this.rowType);
    code.set(this.answer);
    this.answerIs(Result.DONE, () => {
      this.step();
      // Regions end before what is only done here, and begin behind it.
      this.heat();
      code.br(Outer.AGAIN);
    });
    this.answerIs(Result.LEAVE, () => {
      // Nothing may follow this instruction in this entry of the loop.
      code.get(LIMIT);
      code.get(this.rest);
      code.op('i32.sub');
      code.set(LIMIT);
      code.i32(0);
      code.set(this.rest);
      this.step();
      code.br(Outer.AGAIN);
    });
    this.answerIs(TARGET, () => {
      code.getGlobal(this.linkage.target);
      code.set(this.target);
      this.toTarget();
      code.br(Outer.AGAIN);
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
    code.br(Outer.AGAIN);
  }

  /** RESOLVE: the page of the target is in no exec translation. */
  private resolve(): void {
    const { code } = this;
    code.get(this.rest);
    code.op('i32.eqz');
    code.if();
    this.leaveAtTarget(Left.LIMIT);
    code.end();
    code.get(this.target);
    code.call(this.linkage.secondLevel('secondBlock'));
    code.if();
    // Now they know it, and the jump is made as any other.
    this.toTarget();
    code.br(Outer.AGAIN);
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
      code.br(Outer.AGAIN);
    });
    // Now they know it. What comes to a new page is not counted: the drop of all translations makes each one new.
    this.lookUp(Outer.AGAIN);
    this.pushSlot();
    code.if();
    this.toTarget();
    code.end();
    code.br(Outer.AGAIN);
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
    code.br(Outer.AGAIN);
  }
}

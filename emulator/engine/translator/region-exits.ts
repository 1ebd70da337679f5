/**
 * How a region is left (engine/convention.ts): at one place for all its exits, where the registers go back to the hart and the next region, if
 * there is one at the target, takes over.
 */
import { Area, Bank, HartWord } from '../../machine/layout';
import { Field, RECORD_SHIFT } from '../record';
import { Result } from '../types';
import type { Code } from '../wasm/code';
import { entryAddress } from '../wasm/translated-access';
import { Parameter, RegionExit } from '../convention';
import type { RegionLinkage } from './region-linkage';
import type { RegionRegisters } from './region-registers';

/** Labels around the region's body. */
const EXIT = 'exit';
const FAULT = 'fault';

export class RegionExits {
  /** Where control goes. */
  private readonly target: number;
  /** What the region answers: JUMP unless it says otherwise. */
  private readonly answer: number;

  constructor(
    private readonly code: Code,
    private readonly linkage: RegionLinkage,
    private readonly registers: RegionRegisters,
  ) {
    this.target = code.local('i64');
    this.answer = code.local('i32');
  }

  /** Before the body. */
  open(): void {
    this.code.block(EXIT);
    this.code.block(FAULT);
  }

  /** Pushes the instructions left, `undone` of the block's among them. */
  rest(undone: number): void {
    const { code } = this;
    code.get(Parameter.REST);
    if (undone === 0) return;
    code.i32(undone);
    code.op('i32.add');
  }

  private restore(undone: number): void {
    if (undone === 0) return;
    this.rest(undone);
    this.code.set(Parameter.REST);
  }

  private setTarget(pc: number): void {
    this.code.i64(BigInt(pc));
    this.code.set(this.target);
  }

  private answers(exit: RegionExit): void {
    this.code.i32(exit);
    this.code.set(this.answer);
  }

  /** To an address outside; so many of the block's instructions were not begun. */
  jump(pc: number, undone = 0): void {
    this.setTarget(pc);
    this.restore(undone);
    this.code.br(EXIT);
  }

  /** To the address in a local. */
  jumpTo(local: number): void {
    this.code.get(local);
    this.code.set(this.target);
    this.code.br(EXIT);
  }

  /** The interpreter goes on at the pc; so many of the block's instructions were not begun. */
  interpret(pc: number, undone: number): void {
    this.answers(RegionExit.INTERPRET);
    this.jump(pc, undone);
  }

  /** Everything before the pc is done, and nothing may follow in this entry of the loop. */
  leave(pc: number, undone: number): void {
    this.answers(RegionExit.LEAVE);
    this.jump(pc, undone);
  }

  /** The host did not do the access of the instruction at the pc: `result` is TRAP or RETRY. So many instructions of the block follow it. */
  fault(pc: number, after: number, result: number): void {
    this.setTarget(pc);
    this.restore(after);
    this.code.get(result);
    this.code.set(this.answer);
    this.code.br(FAULT);
  }

  /** Behind the body, which never falls through. */
  close(): void {
    const { code, answer } = this;
    code.unreachable();
    code.end();
    // FAULT: an instruction that raised an exception counts as begun.
    code.get(answer);
    code.i32(Result.TRAP);
    code.op('i32.eq');
    code.if('i32');
    code.i32(RegionExit.TRAP);
    code.else();
    this.restore(1);
    code.i32(RegionExit.INTERPRET);
    code.end();
    code.set(answer);
    code.end();
    this.registers.store();
    code.get(answer);
    code.op('i32.eqz');
    code.if();
    this.chain();
    code.end();
    code.get(Parameter.HART);
    code.get(this.target);
    code.memory('i64.store', 4 * HartWord.PC);
    this.back(() => code.get(answer));
  }

  /** Answers; the hart's pc is set. */
  back(answer: () => void): void {
    const { code } = this;
    code.i32(0);
    code.get(Parameter.REST);
    code.memory('i32.store', Area.REST);
    answer();
    code.return();
  }

  /** To the region that begins at the target, if the exec translations know the page and its record names one. */
  private chain(): void {
    const { code, target } = this;
    const entry = code.local('i32');
    const slot = code.local('i32');
    entryAddress(code, target, Parameter.BANK, Bank.EXEC_ENTRIES);
    code.tee(entry);
    code.memory('i64.load', 4 * Bank.EXEC);
    code.get(target);
    code.i64(-4096n);
    code.op('i64.and');
    code.tee(Parameter.PAGE);
    code.op('i64.eq');
    code.if();
    code.get(entry);
    code.memory('i32.load', 4 * Bank.EXEC + 8);
    code.tee(Parameter.BLOCK);
    code.get(target);
    code.op('i32.wrap_i64');
    code.i32(4095);
    code.op('i32.and');
    code.i32(RECORD_SHIFT);
    code.op('i32.shl', 'i32.add');
    code.memory('i32.load16_u', Field.SLOT);
    code.tee(slot);
    code.if();
    this.call(slot);
    code.end();
    code.end();
    code.release('i32', entry);
    code.release('i32', slot);
  }

  /** The region of a slot, entered as the parameters say, takes over. */
  call(slot: number): void {
    const { code } = this;
    code.get(Parameter.HART);
    code.get(Parameter.BANK);
    code.get(Parameter.REST);
    code.get(Parameter.BLOCK);
    code.get(Parameter.PAGE);
    code.get(slot);
    code.returnCallIndirect(this.linkage.regionType);
  }
}

/**
 * A row as a function of its own: the whole meaning of the instruction, everything that may fail or needs the host included. The
 * interpreter's loop calls it for what it does not do itself; so can translated code, for any instruction. Memory is accessed by the
 * second level of translations or the host: what a bank answers, the callers have tried.
 *
 * Parameters: address of the hart, of the record, the pc. The result is a `Result`, or TARGET.
 */
import type { FunctionDefinition, HostName, RegisterFile, Source, StateName } from '../../isa/language/ir';
import { Area } from '../../machine/layout';
import { hostCall } from '../host-calls';
import { Result } from '../types';
import type { Code } from './code';
import type { Push, Target } from './emitter';
import type { Import } from './imports';
import { INLINE_NODES, type Placing } from './placing';
import { HartCode, RecordCode } from './registers';
import type { SecondLevel } from './second-level';
import { LOADS, STORES } from './translated-access';

/** The next pc is in the module's global `target`. */
export const TARGET = 6;

const HART = 0;
const RECORD = 1;
const PC = 2;

/** What the functions of one module share. */
export interface Linkage {
  import(name: Import): number;
  function(name: string): number;
  global(name: string): number;
  readonly placing: Placing;
  /** Index of the global with the target of a jump. */
  readonly target: number;
  /** Index of the global with the hart's address, for library functions. */
  readonly hart: number;
  /** Index of the global with the address of the selected bank of translations. */
  readonly bank: number;
  secondLevel(name: SecondLevel): number;
}

/** A value of 64 bits as two i32 arguments. */
export function pair(code: Code, value: Push): void {
  const local = code.local('i64');
  value();
  code.tee(local);
  code.op('i32.wrap_i64');
  code.get(local);
  code.i64(32n);
  code.op('i64.shr_u', 'i32.wrap_i64');
  code.release('i64', local);
}

/** What is the same wherever code stands in a function: the hart's state, and calls of the library. */
abstract class FunctionTarget {
  constructor(
    protected readonly code: Code,
    protected readonly linkage: Linkage,
    protected readonly hart: HartCode,
  ) {}

  state(name: StateName): void {
    this.hart.state(name);
  }
  raise(flags: Push, constant: number | undefined): void {
    this.hart.raise(flags, constant);
  }
  inlines(definition: FunctionDefinition): boolean {
    return this.linkage.placing.inlines(definition, INLINE_NODES);
  }
  call({ name }: FunctionDefinition, args: readonly Push[]): void {
    for (const push of args) push();
    this.code.call(this.linkage.function(name));
  }
  global(name: string): number {
    return this.linkage.global(name);
  }
}

export class RowTarget extends FunctionTarget implements Target {
  private readonly record: RecordCode;
  /** The result so far: DONE or LEAVE. */
  private readonly result: number;

  constructor(code: Code, linkage: Linkage) {
    const push =
      (local: number): Push =>
      () =>
        code.get(local);
    super(code, linkage, new HartCode(code, push(HART)));
    this.record = new RecordCode(code, push(HART), this.hart, push(RECORD));
    this.result = code.local('i32');
  }

  /** Before the row's body. */
  begin(usesFloat: boolean): void {
    if (!usesFloat) return;
    this.hart.floatOff();
    this.code.if();
    this.illegal();
    this.code.end();
  }

  /** Behind the row's body. */
  end(): void {
    this.code.get(this.result);
  }

  register(_file: RegisterFile, field: Source): void {
    this.record.register(field);
  }
  setRegister(file: RegisterFile, value: Push): void {
    this.record.setRegister(file, value);
  }
  number(field: Source | 'rd'): void {
    this.record.number(field);
  }
  immediate(): void {
    this.record.immediate();
  }
  pc(): void {
    this.code.get(PC);
  }
  length(): void {
    this.record.length();
  }
  rounding(): void {
    this.record.rounding(() => this.illegal());
  }

  /** The result of an import on the stack: a failure ends the row. */
  private check(): void {
    const { code } = this;
    const result = code.local('i32');
    code.tee(result);
    code.i32(Result.TRAP);
    code.op('i32.ge_u');
    code.if();
    code.get(result);
    code.return();
    code.end();
    code.get(this.result);
    code.get(result);
    code.op('i32.or');
    code.set(this.result);
    code.release('i32', result);
  }

  private answer(bits: number): void {
    this.code.i32(0);
    this.code.memory(bits === 64 ? 'i64.load' : 'i32.load', Area.VALUE);
  }

  load(bits: number, address: Push): void {
    const { code } = this;
    const at = code.local('i64');
    address();
    code.set(at);
    const place = this.second('secondLoad', at, bits);
    code.if(bits === 64 ? 'i64' : 'i32');
    code.get(place);
    code.memory(LOADS[bits]!);
    code.else();
    pair(code, () => code.get(at));
    code.i32(bits / 8);
    code.call(this.linkage.import('load'));
    this.check();
    this.answer(bits);
    code.end();
    code.release('i64', at);
    code.release('i32', place);
  }

  store(bits: number, address: Push, value: Push): void {
    const { code } = this;
    const type = bits === 64 ? 'i64' : 'i32';
    const [at, stored] = [code.local('i64'), code.local(type)];
    address();
    code.set(at);
    value();
    code.set(stored);
    const place = this.second('secondStore', at, bits);
    code.if();
    code.get(place);
    code.get(stored);
    code.memory(STORES[bits]!);
    code.else();
    this.storeBy(
      'store',
      bits,
      () => code.get(at),
      () => code.get(stored),
    );
    code.end();
    code.release('i64', at);
    code.release(type, stored);
    code.release('i32', place);
  }

  /** Asks the second level for the address in a local; the answer is in the local that is returned, and on the stack. */
  private second(name: SecondLevel, at: number, bits: number): number {
    const { code } = this;
    const place = code.local('i32');
    code.get(at);
    code.i32(bits / 8);
    code.call(this.linkage.secondLevel(name));
    code.tee(place);
    return place;
  }

  private storeBy(name: Import, bits: number, address: Push, value: Push): void {
    const { code } = this;
    pair(code, address);
    code.i32(bits / 8);
    if (bits === 64) pair(code, value);
    else {
      value();
      code.i32(0);
    }
    code.call(this.linkage.import(name));
    this.check();
  }

  jump(target: Push): void {
    target();
    this.code.setGlobal(this.linkage.target);
    this.code.i32(TARGET);
    this.code.return();
  }

  trap(cause: Push, value: Push | undefined): void {
    const { code } = this;
    cause();
    if (value) pair(code, value);
    else {
      code.i32(0);
      code.i32(0);
    }
    code.call(this.linkage.import('trap'));
    code.return();
  }

  illegal(): void {
    this.code.get(RECORD);
    this.code.call(this.linkage.import('illegal'));
    this.code.return();
  }

  host(name: HostName, args: readonly Push[], answers: boolean): void {
    const { code } = this;
    const { method, bytes: size } = hostCall(name);
    const [first, second] = args;
    if (name.startsWith('amoStore') || name.startsWith('storeConditional')) {
      this.storeBy(method, 8 * size!, first!, second!);
      if (answers) this.answer(64);
      return;
    }
    if (name === 'readCsr' || name === 'writeCsr') {
      first!();
      code.op('i32.wrap_i64');
      if (name === 'writeCsr') pair(code, second!);
      else {
        second!();
        code.get(RECORD);
      }
    } else if (name === 'returnFromTrap') first!();
    else if (first) {
      pair(code, first);
      second?.();
      if (size !== undefined) code.i32(size);
    }
    code.call(this.linkage.import(method));
    this.check();
    if (answers) this.answer(size === 4 ? 32 : 64);
  }
}

/** A function of the library: it sees the hart's state and nothing else of an instruction. */
export class LibraryTarget extends FunctionTarget implements Target {
  constructor(code: Code, linkage: Linkage) {
    super(code, linkage, new HartCode(code, () => code.getGlobal(linkage.hart)));
  }

  private readonly none = (): never => {
    throw new Error('a function of the library sees no registers, no memory and no exits');
  };
  register = this.none;
  setRegister = this.none;
  number = this.none;
  immediate = this.none;
  pc = this.none;
  length = this.none;
  rounding = this.none;
  load = this.none;
  store = this.none;
  jump = this.none;
  trap = this.none;
  illegal = this.none;
  host = this.none;
}

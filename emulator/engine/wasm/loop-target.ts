/**
 * A row inside the interpreter's loop: computations, and what the translations answer at once. Whatever else happens, a miss, an
 * exception, a function too long to stand here, branches to `rest`, where the row's own function does the instruction from its start:
 * so nothing may have changed before that cannot be done twice. Raised flags can; globals have no meaning before they are assigned.
 * The loop contains no calls, so that its locals stay in registers: with calls of library functions in it, loops of integer instructions
 * ran at 0.8 of their speed.
 */
import type { FunctionDefinition, HostName, RegisterFile, Source, StateName } from '../../isa/language/ir';
import { Bank } from '../../machine/layout';
import { RECORD_SHIFT } from '../record';
import type { Code } from './code';
import type { Push, Target } from './emitter';
import { LOOP_INLINE_NODES } from './placing';
import { HartCode, RecordCode } from './registers';
import { ReservedAccess } from './reserved-access';
import type { Linkage } from './row-function';
import { noteJump } from './seen-jumps';
import { LOADS, STORES, TranslatedAccess } from './translated-access';

/** Locals of the loop. */
export interface LoopLocals {
  readonly hart: number;
  /** Byte address of the bank of translations. */
  readonly bank: number;
  /** The record. */
  readonly record: number;
  /** Of the block the record is in, and of the page: pc = page + (record - block) / 8. */
  readonly block: number;
  readonly page: number;
  /** Where a jump that is not near goes. */
  readonly target: number;
  /** Instructions that may still be begun. */
  readonly rest: number;
}

/** Labels that handlers branch to. */
export const enum Label {
  NEXT = 'next',
  /** The record is set: behind a jump that may close a cycle. */
  HEAT = 'heat',
  /** To the pc in `target`. */
  JUMP = 'jump',
  REST = 'rest',
}

/** Pushes the pc: the page, and how far the record is from the start of its block. */
export function pushPc(code: Code, locals: Pick<LoopLocals, 'page' | 'record' | 'block'>): void {
  code.get(locals.page);
  code.get(locals.record);
  code.get(locals.block);
  code.op('i32.sub');
  code.i32(RECORD_SHIFT);
  code.op('i32.shr_u', 'i64.extend_i32_u', 'i64.add');
}

export class LoopTarget implements Target {
  private readonly hart: HartCode;
  private readonly record: RecordCode;
  private readonly access: TranslatedAccess;
  private readonly reserved: ReservedAccess;
  /** Where an AMO stores. */
  private amoAt: number | undefined;

  constructor(
    private readonly code: Code,
    private readonly linkage: Linkage,
    private readonly locals: LoopLocals,
    /** The row's relative jumps stay in the page. */
    private readonly near: boolean,
  ) {
    const hart = (): void => code.get(locals.hart);
    this.hart = new HartCode(code, hart);
    this.record = new RecordCode(code, hart, this.hart, () => code.get(locals.record));
    this.access = new TranslatedAccess(code, locals.bank, Label.REST);
    this.reserved = new ReservedAccess(code, hart, this.access, Label.REST);
  }

  begin(usesFloat: boolean): void {
    if (!usesFloat) return;
    this.hart.floatOff();
    this.code.brIf(Label.REST);
  }

  /** On to the next instruction. */
  end(): void {
    const { code, locals } = this;
    code.get(locals.record);
    this.record.stride();
    code.op('i32.add');
    code.set(locals.record);
    code.br(Label.NEXT);
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
  length(): void {
    this.record.length();
  }
  rounding(): void {
    this.record.rounding(() => this.code.br(Label.REST));
  }
  state(name: StateName): void {
    this.hart.state(name);
  }

  pc(): void {
    pushPc(this.code, this.locals);
  }

  private addressLocal(push: Push): number {
    const address = this.code.local('i64');
    push();
    this.code.set(address);
    return address;
  }

  load(bits: number, push: Push): void {
    const { code } = this;
    const address = this.addressLocal(push);
    this.access.place(Bank.READ, address, bits);
    code.memory(LOADS[bits]!);
    code.release('i64', address);
  }

  store(bits: number, push: Push, value: Push): void {
    const { code } = this;
    const address = this.addressLocal(push);
    this.access.place(Bank.WRITE, address, bits);
    value();
    code.memory(STORES[bits]!);
    code.release('i64', address);
  }

  jump(target: Push, relative: boolean): void {
    const { code, locals } = this;
    if (relative && this.near) {
      code.get(locals.record);
      const distance = code.local('i32');
      this.record.distance();
      code.tee(distance);
      code.op('i32.add');
      code.set(locals.record);
      code.get(distance);
      code.i32(0);
      code.op('i32.le_s');
      code.brIf(Label.HEAT);
      code.release('i32', distance);
      return code.br(Label.NEXT);
    }
    target();
    code.set(locals.target);
    if (!relative) noteJump(code, locals.rest, () => code.get(locals.record), locals.target);
    code.br(Label.JUMP);
  }

  trap(): void {
    this.code.br(Label.REST);
  }
  illegal(): void {
    this.code.br(Label.REST);
  }
  raise(flags: Push, constant: number | undefined): void {
    this.hart.raise(flags, constant);
  }

  host(name: HostName, args: readonly Push[]): void {
    const { code } = this;
    const bits = name.endsWith('64') ? 64 : 32;
    if (name === 'amoLoad32' || name === 'amoLoad64') {
      const address = this.addressLocal(args[0]!);
      this.access.placeBoth(address, bits);
      this.amoAt = code.local('i32');
      code.tee(this.amoAt);
      code.memory(LOADS[bits]!);
      code.release('i64', address);
    } else if ((name === 'amoStore32' || name === 'amoStore64') && this.amoAt !== undefined) {
      code.get(this.amoAt);
      args[1]!();
      code.memory(STORES[bits]!);
      code.release('i32', this.amoAt);
    } else if (name === 'loadReserved32' || name === 'loadReserved64') {
      const address = this.addressLocal(args[0]!);
      this.reserved.load(address, bits);
      code.release('i64', address);
    } else if (name === 'storeConditional32' || name === 'storeConditional64') {
      const address = this.addressLocal(args[0]!);
      this.reserved.store(address, bits, args[1]!);
      code.release('i64', address);
    } else code.br(Label.REST);
  }

  inlines(definition: FunctionDefinition): boolean {
    return this.linkage.placing.inlines(definition, LOOP_INLINE_NODES);
  }
  call(): void {
    this.code.br(Label.REST);
  }
  global(name: string): number {
    return this.linkage.global(name);
  }
}

/**
 * Where code finds the hart: what every target emits alike about a hart's words (machine/layout.ts) and a record's fields
 * (engine/record.ts). The address of the hart and of the record are in locals that the target names.
 */
import type { FloatCsr, RegisterFile, Source, StateName } from '../../isa/language/ir';
import { Status } from '../../hart/csr-numbers';
import { HartWord } from '../../machine/layout';
import { DISCARD_SLOT, Field, RECORD_SHIFT } from '../record';
import type { Code } from './code';
import type { Push } from './emitter';

const FIELDS: Readonly<Record<Source | 'rd', Field>> = {
  rd: Field.RD,
  rs1: Field.RS1,
  rs2: Field.RS2,
  rs3: Field.RS3,
};
/** Where in fcsr they are: the lowest bit, and the bits there. */
const FLOAT_CSRS: Readonly<Record<FloatCsr, readonly [shift: number, mask: number]>> = {
  fflags: [0, 31],
  frm: [5, 7],
  fcsr: [0, 255],
};
const DYNAMIC = 7;
const LAST_MODE = 4;
const HART = { mstatus: HartWord.MSTATUS, menvcfg: HartWord.MENVCFG, senvcfg: HartWord.SENVCFG } as const;

export class HartCode {
  constructor(
    private readonly code: Code,
    /** Pushes the hart's address. */
    private readonly hart: Push,
  ) {}

  private word(at: HartWord): void {
    this.hart();
    this.code.memory('i32.load', 4 * at);
  }

  state(name: StateName): void {
    const { code } = this;
    switch (name) {
      case 'privilege':
        return this.word(HartWord.PRIVILEGE);
      case 'frm':
        this.word(HartWord.FCSR);
        code.i32(5);
        code.op('i32.shr_u');
        code.i32(7);
        return code.op('i32.and');
      case 'fflags':
        this.word(HartWord.FCSR);
        code.i32(31);
        return code.op('i32.and');
      default:
        this.hart();
        return code.memory('i64.load', 4 * HART[name]);
    }
  }

  /** fcsr, or one of its fields, becomes the low bits of a value; mstatus.FS is Dirty before. */
  setFloatCsr(field: FloatCsr, value: Push): void {
    const { code } = this;
    const [shift, mask] = FLOAT_CSRS[field];
    this.hart();
    this.word(HartWord.FCSR);
    code.i32(~(mask << shift));
    code.op('i32.and');
    value();
    code.i32(mask);
    code.op('i32.and');
    code.i32(shift);
    code.op('i32.shl', 'i32.or');
    code.memory('i32.store', 4 * HartWord.FCSR);
  }

  /** Leaves 1 where mstatus.FS is Off. */
  floatOff(): void {
    this.word(HartWord.MSTATUS);
    this.code.i32(Status.FS);
    this.code.op('i32.and', 'i32.eqz');
  }

  /** mstatus.FS becomes Dirty. */
  floatDirty(): void {
    const { code } = this;
    const status = code.local('i32');
    this.word(HartWord.MSTATUS);
    code.tee(status);
    code.i32(Status.FS);
    code.op('i32.and');
    code.i32(Status.FS);
    code.op('i32.ne');
    code.if();
    this.hart();
    code.get(status);
    code.i32(Status.FS);
    code.op('i32.or');
    code.memory('i32.store', 4 * HartWord.MSTATUS);
    code.end();
    code.release('i32', status);
  }

  /** Accrues flags; none change nothing, FS neither. */
  raise(flags: Push, constant: number | undefined): void {
    if (constant === 0) return;
    const { code } = this;
    const local = code.local('i32');
    flags();
    if (constant === undefined) {
      code.tee(local);
      code.if();
    } else code.set(local);
    this.hart();
    this.word(HartWord.FCSR);
    code.get(local);
    code.op('i32.or');
    code.memory('i32.store', 4 * HartWord.FCSR);
    this.floatDirty();
    if (constant === undefined) code.end();
    code.release('i32', local);
  }
}

export class RecordCode {
  constructor(
    private readonly code: Code,
    private readonly hart: Push,
    private readonly state: HartCode,
    /** Pushes the record's address. */
    private readonly record: Push,
  ) {}

  private byte(field: Field): void {
    this.record();
    this.code.memory('i32.load8_u', field);
  }

  /** Address of the register that a field names. */
  private address(field: Source | 'rd'): void {
    const { code } = this;
    this.byte(FIELDS[field]);
    code.i32(3);
    code.op('i32.shl');
    this.hart();
    code.op('i32.add');
  }

  register(field: Source): void {
    this.address(field);
    this.code.memory('i64.load');
  }

  setRegister(file: RegisterFile, value: Push): void {
    this.address('rd');
    value();
    this.code.memory('i64.store');
    if (file === 'f') this.state.floatDirty();
  }

  number(field: Source | 'rd'): void {
    const { code } = this;
    this.byte(FIELDS[field]);
    code.i32(31);
    code.op('i32.and');
    if (field !== 'rd') return;
    // The slot that takes results for x0.
    code.i32(0);
    this.byte(Field.RD);
    code.i32(DISCARD_SLOT);
    code.op('i32.ne');
    code.select();
  }

  immediate(): void {
    this.record();
    this.code.memory('i64.load32_s', Field.IMMEDIATE);
  }

  /** The same as an i32: of a NEAR jump. */
  distance(): void {
    this.record();
    this.code.memory('i32.load', Field.IMMEDIATE);
  }

  stride(): void {
    this.byte(Field.STRIDE);
  }

  length(): void {
    this.stride();
    this.code.i32(RECORD_SHIFT);
    this.code.op('i32.shr_u', 'i64.extend_i32_u');
  }

  /** The rounding mode in force; `reserved` is emitted where there is none and must not fall through. */
  rounding(reserved: Push): void {
    const { code } = this;
    const mode = code.local('i32');
    this.byte(Field.RM);
    code.tee(mode);
    code.i32(LAST_MODE);
    code.op('i32.gt_u');
    code.if();
    code.get(mode);
    code.i32(DYNAMIC);
    code.op('i32.ne');
    code.if();
    reserved();
    code.end();
    this.state.state('frm');
    code.tee(mode);
    code.i32(LAST_MODE);
    code.op('i32.gt_u');
    code.if();
    reserved();
    code.end();
    code.end();
    code.get(mode);
    code.release('i32', mode);
  }
}

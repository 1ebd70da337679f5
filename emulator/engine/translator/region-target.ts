/**
 * An instruction inside a region: registers are locals, what the encoding says are constants, memory is what the translations answer. An
 * instruction with an access is emitted twice: `fast` as if the translations know the page, `slow` with the host's help. Whatever ends
 * the instruction early leaves the region with everything before it done and nothing of it (region-exits.ts).
 */
import type { FloatCsr, FunctionDefinition, HostName, RegisterFile, Source, StateName } from '../../isa/language/ir';
import type { Instruction } from '../../isa/instruction';
import { Area, Bank, HartWord } from '../../machine/layout';
import type { VirtualAddress } from '../../units';
import { Result } from '../types';
import type { Code } from '../wasm/code';
import type { Push, Target } from '../wasm/emitter';
import { HartCode } from '../wasm/registers';
import { tellCount } from '../wasm/region-helpers';
import { ReservedAccess } from '../wasm/reserved-access';
import { LOADS, STORES, TranslatedAccess } from '../wasm/translated-access';
import type { AccessGroup } from './access-groups';
import { Parameter, SLOTS } from '../convention';
import type { RegionExits } from './region-exits';
import type { RegionLinkage } from './region-linkage';
import type { RegionRegisters } from './region-registers';

/** Label of the part of an instruction that asks the host. */
export const SLOW = 'slow';

const never = (): never => {
  throw new Error('this instruction is not for a region');
};

export class RegionTarget implements Target {
  private readonly hart: HartCode;
  private readonly access: TranslatedAccess;
  private readonly reserved: ReservedAccess;
  private instruction!: Readonly<Instruction>;
  private at!: VirtualAddress;
  /** Instructions of the block behind this one: `rest` is without them already. */
  private after = 0;
  private slow = false;
  /** The address of the access, from the fast part on. */
  private address: number | undefined;
  /** What the host answered in the slow part. */
  private readonly result: number;
  private amoAt: number | undefined;
  /** What the access shares with others of its block. */
  private group: AccessGroup | undefined;
  /** Locals of the groups of this block that were looked up. */
  private open: number[] = [];

  constructor(
    private readonly code: Code,
    private readonly linkage: RegionLinkage,
    private readonly registers: RegionRegisters,
    private readonly exits: RegionExits,
    /** Loads need no translation. */
    private readonly direct: boolean,
  ) {
    const hart = (): void => code.get(Parameter.HART);
    this.hart = new HartCode(code, hart);
    this.access = new TranslatedAccess(code, Parameter.BANK, SLOW);
    this.reserved = new ReservedAccess(code, hart, this.access, SLOW);
    this.result = code.local('i32');
  }

  /** The instruction at an address, with so many behind it in its block. */
  begin(instruction: Readonly<Instruction>, at: VirtualAddress, after: number, group?: AccessGroup): void {
    this.group = group;
    this.instruction = instruction;
    this.at = at;
    this.after = after;
    this.slow = false;
    this.address = undefined;
  }

  /** Label SLOW has been closed: the same instruction again, by the host. */
  beginSlow(): void {
    this.slow = true;
  }

  /** Behind the slow part: it may be the last thing the region does. */
  endSlow(): void {
    this.leaveIfTold();
    this.releaseAddress();
  }

  private leaveIfTold(): void {
    const { code } = this;
    code.get(this.result);
    code.hint(false);
    code.if();
    this.exits.leave(this.at + this.instruction.length, this.after);
    code.end();
  }

  private releaseAddress(): void {
    if (this.address !== undefined) this.code.release('i64', this.address);
  }

  register(file: RegisterFile, field: Source): void {
    const local = this.registers.local(file, this.instruction[field]);
    if (local === undefined) return this.code.i64(0n);
    this.code.get(local);
    if (file === 'f') this.code.op('i64.reinterpret_f64');
  }

  setRegister(file: RegisterFile, value: Push): void {
    value();
    const local = this.registers.local(file, this.instruction.rd);
    if (local === undefined) return this.code.drop();
    if (file === 'f') this.code.op('f64.reinterpret_i64');
    this.code.set(local);
  }

  floatRegister(field: Source): void {
    this.code.get(this.registers.local('f', this.instruction[field])!);
  }

  setFloatRegister(value: Push): void {
    value();
    this.code.set(this.registers.local('f', this.instruction.rd)!);
  }

  number(field: Source | 'rd'): void {
    this.code.i32(this.instruction[field]);
  }
  immediate(): void {
    this.code.i64(BigInt(this.instruction.imm));
  }
  pc(): void {
    this.code.i64(BigInt(this.at));
  }
  length(): void {
    this.code.i64(BigInt(this.instruction.length));
  }
  state(name: StateName): void {
    this.hart.state(name);
  }

  /** Puts the address of the access into a local, for the slow part too. */
  private addressLocal(push: Push): number {
    this.address = this.code.local('i64');
    push();
    this.code.set(this.address);
    return this.address;
  }

  /** Pushes where in the memory the access of the instruction is; returns the distance from there. */
  private place(table: Bank, bits: number, push: Push): number {
    const { group, code } = this;
    if (this.direct && table === Bank.READ) {
      this.access.direct(this.addressLocal(push));
      return Area.RAM;
    }
    if (!group) {
      this.access.place(table, this.addressLocal(push), bits);
      return 0;
    }
    if (group.local === undefined) this.lookUp(group);
    code.get(group.local!);
    code.op('i32.eqz');
    code.hint(false);
    code.brIf(SLOW);
    code.get(group.local!);
    return this.instruction.imm - group.from;
  }

  /** The first access of a group finds the page of all. */
  private lookUp(group: AccessGroup): void {
    const { code } = this;
    group.local = code.local('i32');
    this.open.push(group.local);
    const address = code.local('i64');
    this.register('x', 'rs1');
    code.i64(BigInt(group.from));
    code.op('i64.add');
    code.set(address);
    this.access.span(group, address, group.local);
    code.release('i64', address);
  }

  /** The block ends: nothing looked up before is of use any more. */
  endBlock(): void {
    for (const local of this.open) this.code.release('i32', local);
    this.open = [];
  }

  /** Pushes the address again, or what the fast part has kept of it. */
  private sameAddress(push: Push): void {
    if (this.address === undefined) push();
    else this.code.get(this.address);
  }

  /** Pushes what `rest` is when this instruction is done. */
  private rest(): void {
    this.exits.rest(this.after);
  }

  /**
   * The row's own function does the instruction: an atomic access that the translations don't answer, or what only the host can do. Its
   * registers go through the hart; `record` is the record's byte address, without which the interpreter must do it.
   */
  callRow(record: number | undefined): void {
    const { code, registers, instruction } = this;
    this.releaseAddress();
    if (record === undefined) return this.exits.interpret(this.at, this.after + 1);
    registers.storeSources(instruction);
    tellCount(code, () => this.rest());
    code.get(Parameter.HART);
    code.i32(record);
    code.i64(BigInt(this.at));
    code.i32(SLOTS + instruction.op);
    code.callIndirect(this.linkage.rowType);
    this.check();
    registers.loadResult(instruction);
    this.leaveIfTold();
  }

  /** Takes the host's answer; leaves the region where nothing was done. */
  private check(): void {
    const { code } = this;
    code.tee(this.result);
    code.i32(Result.TRAP);
    code.op('i32.ge_u');
    code.hint(false);
    code.if();
    this.exits.fault(this.at, this.after, this.result);
    code.end();
    // The host may have changed what the translations say.
    for (const local of this.open) {
      code.i32(0);
      code.set(local);
    }
  }

  load(bits: number, push: Push): void {
    const { code } = this;
    if (this.slow) {
      code.get(Parameter.BANK);
      this.sameAddress(push);
      this.rest();
      code.call(this.linkage.helper(`load${bits}` as 'load8'));
      code.i32(0);
      code.memory('i32.load', Area.RESULT);
      return this.check();
    }
    const distance = this.place(Bank.READ, bits, push);
    code.memory(LOADS[bits]!, distance);
  }

  store(bits: number, push: Push, value: Push): void {
    const { code } = this;
    if (this.slow) {
      code.get(Parameter.BANK);
      this.sameAddress(push);
      value();
      this.rest();
      code.call(this.linkage.helper(`store${bits}` as 'store8'));
      return this.check();
    }
    const distance = this.place(Bank.WRITE, bits, push);
    value();
    code.memory(STORES[bits]!, distance);
  }

  loadFloat(push: Push): void {
    const { code } = this;
    if (this.slow) {
      this.load(64, push);
      return code.op('f64.reinterpret_i64');
    }
    code.memory('f64.load', this.place(Bank.READ, 64, push));
  }

  storeFloat(push: Push, value: Push): void {
    const { code } = this;
    if (this.slow)
      return this.store(64, push, () => {
        value();
        code.op('i64.reinterpret_f64');
      });
    const distance = this.place(Bank.WRITE, 64, push);
    value();
    code.memory('f64.store', distance);
  }

  /** An atomic access. */
  host(name: HostName, args: readonly Push[]): void {
    const { code } = this;
    const bits = name.endsWith('64') ? 64 : 32;
    if (name.startsWith('amoLoad')) {
      this.access.placeBoth(this.addressLocal(args[0]!), bits);
      this.amoAt = code.local('i32');
      code.tee(this.amoAt);
      code.memory(LOADS[bits]!);
    } else if (name.startsWith('amoStore')) {
      code.get(this.amoAt!);
      args[1]!();
      code.memory(STORES[bits]!);
      code.release('i32', this.amoAt!);
    } else if (name.startsWith('loadReserved')) this.reserved.load(this.addressLocal(args[0]!), bits);
    else if (name.startsWith('storeConditional')) this.reserved.store(this.addressLocal(args[0]!), bits, args[1]!);
    else never();
  }

  /** mstatus.FS is Dirty in a region with such an instruction. */
  raise(flags: Push): void {
    const { code } = this;
    code.get(Parameter.HART);
    code.get(Parameter.HART);
    code.memory('i32.load', 4 * HartWord.FCSR);
    flags();
    code.op('i32.or');
    code.memory('i32.store', 4 * HartWord.FCSR);
  }

  setFloatCsr(field: FloatCsr, value: Push): void {
    this.hart.setFloatCsr(field, value);
  }

  inlines(): boolean {
    return false;
  }
  call({ name }: FunctionDefinition, args: readonly Push[]): void {
    for (const push of args) push();
    this.code.call(this.linkage.function(name));
  }

  rounding = never;
  jump = never;
  trap = never;
  illegal = never;
  global = never;
}

/**
 * The guest's registers inside a region: each register that its instructions name is a local of the function, read from the hart at the
 * entry and, if any instruction may write it, put back where the region is left.
 */
import { DECODE_TABLES } from '../../isa/generated/decoder';
import type { Op } from '../../isa/op';
import type { Instruction } from '../../isa/instruction';
import type { RegisterFile } from '../../isa/language/ir';
import { HartWord } from '../../machine/layout';
import type { Code } from '../wasm/code';
import type { Region } from './region';

const FILES = ['x', 'f'] as const;
const FIELDS = ['rd', 'rs1', 'rs2', 'rs3'] as const;

const fileOf = (op: Op, field: number): RegisterFile | undefined =>
  [undefined, 'x', 'f'][(DECODE_TABLES.registers[op]! >> (2 * field)) & 3] as RegisterFile | undefined;

/** The x register that an instruction writes, if it is one. */
export const writtenX = ({ op, rd }: Readonly<Instruction>): number | undefined =>
  fileOf(op, 0) === 'x' && rd !== 0 ? rd : undefined;

/** Where a register is among the hart's words. */
const offsetOf = (file: RegisterFile, number: number): number =>
  4 * (file === 'x' ? HartWord.X : HartWord.F) + 8 * number;

export class RegionRegisters {
  /** Locals by number of the register; undefined for what the region does not name. */
  private readonly x: (number | undefined)[] = [];
  private readonly f: (number | undefined)[] = [];
  private readonly written = { x: new Set<number>(), f: new Set<number>() };

  constructor(
    private readonly code: Code,
    /** Local with the hart's address. */
    private readonly hart: number,
    region: Region,
  ) {
    for (const { instructions } of region.blocks) for (const instruction of instructions) this.note(instruction);
  }

  private note(instruction: Readonly<Instruction>): void {
    FIELDS.forEach((field, at) => {
      const file = fileOf(instruction.op, at);
      const number = instruction[field];
      if (file === undefined || (file === 'x' && number === 0)) return;
      this[file][number] ??= this.code.local(file === 'x' ? 'i64' : 'f64');
      if (field === 'rd') this.written[file].add(number);
    });
  }

  /** The local of a register; undefined for x0. */
  local(file: RegisterFile, number: number): number | undefined {
    return this[file][number];
  }

  /** At the entry. */
  load(): void {
    for (const file of FILES) this[file].forEach((_, number) => this.transfer(file, number, false));
  }

  /** Where the region is left: what may have been written. */
  store(): void {
    for (const file of FILES) for (const number of this.written[file]) this.transfer(file, number, true);
  }

  private transfer(file: RegisterFile, number: number, toHart: boolean): void {
    const { code, hart } = this;
    const local = this[file][number];
    if (local === undefined) return;
    const type = file === 'x' ? 'i64' : 'f64';
    code.get(hart);
    if (toHart) code.get(local);
    code.memory(`${type}.${toHart ? 'store' : 'load'}`, offsetOf(file, number));
    if (!toHart) code.set(local);
  }

  /** Before a row's own function does an instruction: the hart gets the registers that it reads. */
  storeSources(instruction: Readonly<Instruction>): void {
    FIELDS.forEach((field, at) => {
      const file = fileOf(instruction.op, at);
      if (field === 'rd' || file === undefined || !this.written[file].has(instruction[field])) return;
      this.transfer(file, instruction[field], true);
    });
  }

  /** Behind it: the result. */
  loadResult(instruction: Readonly<Instruction>): void {
    const file = fileOf(instruction.op, 0);
    if (file !== undefined) this.transfer(file, instruction.rd, false);
  }
}

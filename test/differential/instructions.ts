/**
 * Corner cases of rows as programs for a batch: each case loads its operands from the window, executes the one instruction, and
 * stores what it left back into the window. Rows of kinds 'system' and 'block' are not for user programs: see single.test.ts.
 */
import { GP, MIDDLE, WINDOW, type Program } from './batch';
import { casesOf, isMemory, usesFloat, type Case } from './cases';
import { line, type Item } from './items';
import { wordOf, type Shape } from './kinds';
import { Random } from './random';

/** What a register holds that the instruction should overwrite. */
const BEFORE = 0x5eed5eed5eed5eedn;
/** Bytes that a case may take of the window. */
const MOST_PER_CASE = 96;

export const runsInPrograms = ({ kind }: Shape): boolean => kind !== 'system' && kind !== 'block';

class Writer {
  readonly items: Item[] = [];
  readonly window = new Uint8Array(WINDOW);
  private readonly view = new DataView(this.window.buffer);
  private used = 0;
  /** Case of each 8 bytes of the window. */
  readonly owners: number[] = [];
  count = 0;

  get full(): boolean {
    return this.used + MOST_PER_CASE > WINDOW;
  }

  private slot(value: bigint, align = 8): number {
    this.used = Math.ceil(this.used / align) * align;
    this.view.setBigUint64(this.used, value, true);
    this.owners[this.used >> 3] = this.count;
    this.used += 8;
    return this.used - 8 - MIDDLE;
  }

  private put(...lines: string[]): void {
    for (const text of lines) this.items.push({ bits: line(text) });
  }

  add(made: Case): void {
    const { shape, word } = made;
    const { rd } = word.fields;
    const { result } = shape;
    const used = [rd, word.fields.rs1, word.fields.rs2, word.fields.rs3, GP, 0];
    const scratch = [31, 30, 29, 28, 27].find((register) => !used.includes(register))!;
    const before = this.slot(BEFORE);
    if (result === 'x' && rd !== 0) this.put(`ld x${rd},${before}(gp)`);
    if (result === 'f') this.put(`fld f${rd},${before}(gp)`);
    for (const [register, value] of made.f) this.put(`fld f${register},${this.slot(value)}(gp)`);
    for (const [register, value] of made.x) this.put(`ld x${register},${this.slot(value)}(gp)`);
    if (usesFloat(shape)) this.put(`csrrwi zero,frm,${made.frm}`, `csrrwi zero,fflags,${made.fflags}`);
    if (isMemory(shape)) this.access(made);
    else if (shape.kind === 'jumpRegister') this.jumpThrough(made, scratch);
    else if (shape.kind === 'branch' || shape.kind === 'jump') this.branch(made, scratch);
    else this.items.push({ bits: word.bits });
    if (result === 'x' && rd !== GP) this.put(`sd x${rd},${this.slot(0n)}(gp)`);
    if (result === 'f') this.put(`fsd f${rd},${this.slot(0n)}(gp)`);
    if (usesFloat(shape)) this.put(`csrrs x${scratch},fcsr,zero`, `sd x${scratch},${this.slot(0n)}(gp)`);
    this.count++;
  }

  /** Two or three slots of memory that the base register is made to point to. */
  private access({ shape, word, within }: Case): void {
    const base = word.fields.rs1;
    if (base === 0) return;
    const aligned = shape.kind !== 'load' && shape.kind !== 'store';
    const start = this.slot(0x8091a2b3c4d5e6f7n, 16);
    this.slot(0x0123456789abcdefn);
    this.slot(0xfedcba9876543210n);
    const offset = start + (aligned ? within & ~(shape.size - 1) : within) - word.fields.imm;
    for (const part of parts(offset, base === GP))
      this.put(`addi x${base},${part.from === 'gp' ? 'gp' : `x${base}`},${part.add}`);
    if (shape.kind === 'conditional' && within % 4 !== 0) {
      const width = shape.size === 4 ? 'w' : 'd';
      const spare = [28, 29, 30, 31].find((register) => ![word.fields.rs1, word.fields.rs2].includes(register))!;
      this.put(`lr.${width} x${spare},(x${base})`);
    }
    this.items.push({ bits: word.bits });
  }

  private branch({ shape, word }: Case, scratch: number): void {
    const near = shape.pattern.bits / 8 + 4;
    const { fields } = word;
    const target = this.encode(shape, { ...fields, imm: near });
    this.put(`addi x${scratch},zero,0`);
    this.items.push({ bits: target });
    this.put(`addi x${scratch},zero,1`, `sd x${scratch},${this.slot(0n)}(gp)`);
  }

  private encode(shape: Shape, fields: Case['word']['fields']): number {
    const word = wordOf(shape, fields);
    if (word === undefined) throw new Error(`${shape.row.mnemonic} has no short distance`);
    return word.bits;
  }

  /** The target's address less the immediate, and an odd bit that the instruction must clear. */
  private jumpThrough({ shape, word, within }: Case, scratch: number): void {
    const base = word.fields.rs1;
    if (base === 0) return;
    const { imm } = word.fields;
    this.put(`addi x${scratch},zero,0`);
    const adds = [Math.trunc(-imm / 2), -imm - Math.trunc(-imm / 2)];
    const length = shape.pattern.bits / 8;
    const distance = 4 + 4 * adds.length + 4 + length + 4;
    this.put(
      `auipc x${base},0`,
      ...adds.map((add) => `addi x${base},x${base},${add}`),
      `addi x${base},x${base},${distance + (imm % 2 === 0 ? within % 2 : 0)}`,
    );
    this.items.push({ bits: word.bits });
    this.put(`addi x${scratch},zero,1`, `sd x${scratch},${this.slot(0n)}(gp)`);
  }
}

/** Steps that an addi can take, the first of them from gp. */
function parts(offset: number, _same: boolean): { from: 'gp' | 'base'; add: number }[] {
  const list: { from: 'gp' | 'base'; add: number }[] = [];
  let left = offset;
  do {
    const add = Math.max(-2048, Math.min(2047, left));
    list.push({ from: list.length === 0 ? 'gp' : 'base', add });
    left -= add;
  } while (left !== 0);
  return list;
}

export interface CaseProgram extends Program {
  readonly cases: readonly Case[];
  /** The case that an offset in the window belongs to. */
  caseAt(offset: number): Case | undefined;
}

export interface CaseOptions {
  /** Cases with random operands besides the corners. */
  readonly extra?: number;
  /** Programs of each row at most; one holds some 40 cases. */
  readonly most?: number;
  readonly without?: (made: Case) => boolean;
}

/** Programs of the cases of these rows. */
export function instructionPrograms(
  shapes: readonly Shape[],
  seed: number,
  { extra = 40, most = Infinity, without = () => false }: CaseOptions = {},
): CaseProgram[] {
  const programs: CaseProgram[] = [];
  for (const shape of shapes.filter(runsInPrograms)) {
    const random = new Random(seed ^ Number(shape.row.op));
    const last = programs.length + most;
    let writer = new Writer();
    let cases: Case[] = [];
    const close = (): void => {
      if (cases.length > 0) programs.push(programOf(shape, writer, cases, programs.length));
      writer = new Writer();
      cases = [];
    };
    for (const made of random.shuffled(casesOf(shape, random, extra))) {
      if (without(made)) continue;
      if (writer.full) close();
      if (programs.length >= last) break;
      writer.add(made);
      cases.push(made);
    }
    if (programs.length < last) close();
  }
  return programs;
}

function programOf(
  shape: Shape,
  { items, window, owners }: Writer,
  cases: readonly Case[],
  index: number,
): CaseProgram {
  return {
    title: `${shape.row.mnemonic} (${index})`,
    items,
    x: [],
    f: [],
    fcsr: 0,
    window,
    cases,
    caseAt: (offset) => cases[owners[offset >> 3] ?? -1],
  };
}

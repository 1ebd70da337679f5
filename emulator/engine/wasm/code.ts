/**
 * The body of a WebAssembly function, instruction by instruction: locals, blocks with labels by name, operators by mnemonic.
 * Core specification 2.0, "Instructions" of the binary format. Knows nothing of RISC-V. Checks what is cheap to check (labels, the
 * nesting of blocks); types are the validator's.
 */
import { Bytes } from './bytes';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64';

export const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };
const NO_RESULT = 0x40;

/** Operators without immediates, in the order of their codes from 0x45 on. */
const NUMERIC = `
i32.eqz i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u
i64.eqz i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u
f32.eq f32.ne f32.lt f32.gt f32.le f32.ge f64.eq f64.ne f64.lt f64.gt f64.le f64.ge
i32.clz i32.ctz i32.popcnt i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s
i32.shr_u i32.rotl i32.rotr
i64.clz i64.ctz i64.popcnt i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s
i64.shr_u i64.rotl i64.rotr
f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign
f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign
i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u
i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u
f32.convert_i32_s f32.convert_i32_u f32.convert_i64_s f32.convert_i64_u f32.demote_f64
f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s f64.convert_i64_u f64.promote_f32
i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64
i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s`;
const OPERATORS = new Map(
  NUMERIC.trim()
    .split(/\s+/)
    .map((name, i) => [name, 0x45 + i] as const),
);

/** Codes of loads and stores, and log2 of their width: the alignment they may promise at most. */
const MEMORY = {
  'i32.load': [0x28, 2],
  'i64.load': [0x29, 3],
  'f32.load': [0x2a, 2],
  'f64.load': [0x2b, 3],
  'i32.load8_s': [0x2c, 0],
  'i32.load8_u': [0x2d, 0],
  'i32.load16_s': [0x2e, 1],
  'i32.load16_u': [0x2f, 1],
  'i64.load8_s': [0x30, 0],
  'i64.load8_u': [0x31, 0],
  'i64.load16_s': [0x32, 1],
  'i64.load16_u': [0x33, 1],
  'i64.load32_s': [0x34, 2],
  'i64.load32_u': [0x35, 2],
  'i32.store': [0x36, 2],
  'i64.store': [0x37, 3],
  'f32.store': [0x38, 2],
  'f64.store': [0x39, 3],
  'i32.store8': [0x3a, 0],
  'i32.store16': [0x3b, 1],
  'i64.store8': [0x3c, 0],
  'i64.store16': [0x3d, 1],
  'i64.store32': [0x3e, 2],
} as const;
/** Operators of vectors, after the prefix 0xfd; the "relaxed" ones are those of the relaxed SIMD proposal, part of version 3.0. */
const VECTOR = {
  'v128.const': 0x0c,
  'i8x16.shuffle': 0x0d,
  'f32x4.splat': 0x13,
  'f64x2.splat': 0x14,
  'f32x4.extract_lane': 0x1f,
  'f64x2.extract_lane': 0x21,
  'f32x4.relaxed_madd': 0x105,
  'f64x2.relaxed_madd': 0x107,
} as const;
export type VectorOperator = keyof typeof VECTOR;
export type MemoryOperator = keyof typeof MEMORY;

/** A branch, by its place in the body, and whether it is likely to find its condition true. */
interface Hint {
  readonly at: number;
  readonly likely: boolean;
}

/** A function's body as the code section wants it, and what is known of its branches. */
export class Body extends Bytes {
  hints: readonly Hint[] = [];
}

export class Code {
  private readonly bytes = new Bytes();
  private readonly labels: string[] = [];
  private readonly types: ValueType[] = [];
  private readonly parameters: number;
  /** Locals that were given back, by type. */
  private readonly free: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [] };

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters.length;
  }

  private readonly hints: Hint[] = [];

  /** Bytes so far. */
  get size(): number {
    return this.bytes.length;
  }

  /** A local that nobody uses; its value is whatever it had. */
  local(type: ValueType): number {
    const known = this.free[type].pop();
    if (known !== undefined) return known;
    this.types.push(type);
    return this.parameters + this.types.length - 1;
  }

  /** Gives a local back. */
  release(type: ValueType, local: number): void {
    this.free[type].push(local);
  }

  get(local: number): void {
    this.bytes.byte(0x20);
    this.bytes.u32(local);
  }
  set(local: number): void {
    this.bytes.byte(0x21);
    this.bytes.u32(local);
  }
  tee(local: number): void {
    this.bytes.byte(0x22);
    this.bytes.u32(local);
  }
  getGlobal(index: number): void {
    this.bytes.byte(0x23);
    this.bytes.u32(index);
  }
  setGlobal(index: number): void {
    this.bytes.byte(0x24);
    this.bytes.u32(index);
  }
  i32(value: number): void {
    this.bytes.byte(0x41);
    this.bytes.s32(value);
  }
  i64(value: bigint): void {
    this.bytes.byte(0x42);
    this.bytes.s64(value);
  }

  /** A float by its bits. */
  f32(bits: bigint): void {
    this.bytes.byte(0x43);
    for (let i = 0; i < 32; i += 8) this.bytes.byte(Number((bits >> BigInt(i)) & 0xffn));
  }
  f64(bits: bigint): void {
    this.bytes.byte(0x44);
    for (let i = 0; i < 64; i += 8) this.bytes.byte(Number((bits >> BigInt(i)) & 0xffn));
  }

  /** An operator of vectors; `lane` for those that name one. */
  vector(name: VectorOperator, lane?: number): void {
    this.bytes.byte(0xfd);
    this.bytes.u32(VECTOR[name]);
    if (lane !== undefined) this.bytes.byte(lane);
  }

  /** f64 to f32: the low half of its bits. */
  lowSingle(): void {
    this.vector('f64x2.splat');
    this.vector('f32x4.extract_lane', 0);
  }
  /** f32 to f64: its bits below 32 ones. */
  boxSingle(): void {
    this.vector('f32x4.splat');
    this.vector('v128.const');
    for (let i = 0; i < 16; i++) this.bytes.byte(0xff);
    // Lanes of 32 bits: 0 and 1 of each of the two in turn, for which processors have an instruction.
    this.vector('i8x16.shuffle');
    for (const lane of [0, 4, 1, 5]) for (let i = 0; i < 4; i++) this.bytes.byte(4 * lane + i);
    this.vector('f64x2.extract_lane', 0);
  }

  /** Operators without immediates, by mnemonic. */
  op(...names: string[]): void {
    for (const name of names) {
      const code = OPERATORS.get(name);
      if (code === undefined) throw new Error(`${name} is no operator of WebAssembly without immediates`);
      this.bytes.byte(code);
    }
  }

  /** f64 to i32 towards zero; never traps. */
  truncate(): void {
    this.bytes.byte(0xfc);
    this.bytes.u32(2);
  }

  drop(): void {
    this.bytes.byte(0x1a);
  }
  select(): void {
    this.bytes.byte(0x1b);
  }
  unreachable(): void {
    this.bytes.byte(0x00);
  }

  /** A load or store at the address on the stack plus an offset; it promises no alignment. */
  memory(name: MemoryOperator, offset = 0): void {
    this.bytes.byte(MEMORY[name][0]);
    this.bytes.u32(0);
    this.bytes.u32(offset);
  }

  private open(code: number, label: string, result: ValueType | undefined): void {
    this.bytes.byte(code);
    this.bytes.byte(result === undefined ? NO_RESULT : TYPE_CODES[result]);
    this.labels.push(label);
  }
  /** A branch to its label leaves it. Labels may be used again further in: the innermost counts. */
  block(label: string, result?: ValueType): void {
    this.open(0x02, label, result);
  }
  /** A branch to its label begins it again. */
  loop(label: string): void {
    this.open(0x03, label, undefined);
  }
  /**
   * Whether the `if` or `brIf` that follows at once is likely to find its condition true: the host keeps the other side out of the way,
   * and what that needs saved before a call is saved there only. (Branch hinting proposal; hosts without it ignore the section.)
   */
  hint(likely: boolean): void {
    this.hints.push({ at: this.bytes.length, likely });
  }
  /** Takes a condition off the stack. */
  if(result?: ValueType, label = ''): void {
    this.open(0x04, label, result);
  }
  else(): void {
    this.bytes.byte(0x05);
  }
  end(): void {
    if (this.labels.pop() === undefined) throw new Error('end without a block');
    this.bytes.byte(0x0b);
  }

  /** Can a label be branched to here? */
  isOpen(label: string): boolean {
    return this.labels.includes(label);
  }
  private depth(label: string): number {
    const at = this.labels.lastIndexOf(label);
    if (at < 0) throw new Error(`there is no label ${label} here`);
    return this.labels.length - 1 - at;
  }
  br(label: string): void {
    this.bytes.byte(0x0c);
    this.bytes.u32(this.depth(label));
  }
  brIf(label: string): void {
    this.bytes.byte(0x0d);
    this.bytes.u32(this.depth(label));
  }
  brTable(labels: readonly string[], otherwise: string): void {
    const depths = new Map<string, number>();
    this.bytes.byte(0x0e);
    this.bytes.u32(labels.length);
    for (const label of labels) {
      let depth = depths.get(label);
      if (depth === undefined) depths.set(label, (depth = this.depth(label)));
      this.bytes.u32(depth);
    }
    this.bytes.u32(this.depth(otherwise));
  }
  return(): void {
    this.bytes.byte(0x0f);
  }
  call(index: number): void {
    this.bytes.byte(0x10);
    this.bytes.u32(index);
  }
  /** Takes the place in the module's table off the stack. */
  callIndirect(type: number): void {
    this.bytes.byte(0x11);
    this.bytes.u32(type);
    this.bytes.byte(0);
  }
  /** The same as the function's own last act: its frame is gone when the other begins (tail calls, version 3.0). */
  returnCallIndirect(type: number): void {
    this.bytes.byte(0x13);
    this.bytes.u32(type);
    this.bytes.byte(0);
  }

  /** The body as the code section wants it. */
  finish(): Body {
    if (this.labels.length > 0) throw new Error(`block ${this.labels.pop()} has no end`);
    const body = new Body();
    // Locals in the order they were made, a run of one type at a time.
    const runs: [ValueType, number][] = [];
    for (const type of this.types) {
      const last = runs[runs.length - 1];
      if (last?.[0] === type) last[1]++;
      else runs.push([type, 1]);
    }
    body.u32(runs.length);
    for (const [type, count] of runs) {
      body.u32(count);
      body.byte(TYPE_CODES[type]);
    }
    body.hints = this.hints.map(({ at, likely }) => ({ at: at + body.length, likely }));
    body.append(this.bytes);
    body.byte(0x0b);
    return body;
  }
}

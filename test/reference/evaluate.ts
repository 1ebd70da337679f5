/**
 * The meaning of rows by walking their trees over BigInts: slow, plain, and sharing nothing with the engines, so that the engines can
 * be checked against it. Integers are unsigned BigInts of their width, bools are BigInts 0 and 1, floats are numbers.
 */
import type {
  Expression,
  FunctionDefinition,
  HostName,
  Library,
  Source,
  StateName,
  Statement,
} from '../../emulator/isa/language/ir';

export type Value = bigint | number;

/** Fields of the instruction under evaluation. */
export interface Fields {
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly rs3: number;
  readonly rm: number;
  readonly imm: number;
  readonly length: number;
}

/** What a row works on. Registers are unsigned 64-bit values; x[0] stays 0. */
export interface ReferenceHart {
  readonly x: bigint[];
  readonly f: bigint[];
  pc: bigint;
  /** frm << 5 | fflags. */
  fcsr: number;
  state(name: Exclude<StateName, 'frm' | 'fflags'>): bigint;
  /** `bits` / 8 bytes, zero-extended; throws Trap. */
  load(address: bigint, bits: number): bigint;
  store(address: bigint, bits: number, value: bigint): void;
  /** The functions of HostName, arguments as the language has them. */
  host(name: HostName, args: readonly Value[]): bigint | undefined;
}

/** An exception raised by a row; `value` undefined for an illegal instruction, whose tval is the instruction's bits. */
export class Trap extends Error {
  constructor(
    readonly code: number,
    readonly value: bigint | undefined,
  ) {
    super(`exception ${code}`);
  }
}

const ILLEGAL = 2;
const DYNAMIC = 7;
const scratch = new DataView(new ArrayBuffer(8));
const ones = (width: number): bigint => (1n << BigInt(width)) - 1n;
const signed = (width: number, value: bigint): bigint => BigInt.asIntN(width, value);
const unsigned = (width: number, value: bigint): bigint => BigInt.asUintN(width, value);

class Returned {
  constructor(readonly value: Value | undefined) {}
}

class Evaluation {
  private readonly globals = new Map<string, Value>();

  constructor(
    private readonly library: Library,
    private readonly hart: ReferenceHart,
    private readonly fields: Fields | undefined,
    /** Where the row jumps to, if it does. */
    public target?: bigint,
  ) {}

  call(fn: FunctionDefinition, args: readonly Value[]): Value | undefined {
    const locals = new Map(fn.parameters.map(({ name }, i) => [name, args[i]!]));
    return this.run(fn.body, locals)?.value;
  }

  run(body: readonly Statement[], locals: Map<string, Value>): Returned | undefined {
    for (const statement of body) {
      const returned = this.statement(statement, locals);
      if (returned) return returned;
    }
    return undefined;
  }

  private statement(statement: Statement, locals: Map<string, Value>): Returned | undefined {
    const value = (expression: Expression): Value => this.expression(expression, locals);
    const bits = (expression: Expression): bigint => value(expression) as bigint;
    switch (statement.kind) {
      case 'let':
        locals.set(statement.name, value(statement.value));
        return undefined;
      case 'assign':
        (statement.scope === 'local' ? locals : this.globals).set(statement.name, value(statement.value));
        return undefined;
      case 'setRegister': {
        const result = bits(statement.value);
        if (statement.file === 'f') this.hart.f[this.fields!.rd] = result;
        else if (this.fields!.rd !== 0) this.hart.x[this.fields!.rd] = result;
        return undefined;
      }
      case 'if':
        return this.run(bits(statement.condition) ? statement.then : statement.otherwise, locals);
      case 'while':
        while (bits(statement.condition)) {
          const returned = this.run(statement.body, locals);
          if (returned) return returned;
        }
        return undefined;
      case 'return':
        return new Returned(statement.value && value(statement.value));
      case 'store':
        this.hart.store(bits(statement.address), statement.bits, bits(statement.value) & ones(statement.bits));
        return undefined;
      case 'jump':
        this.target = bits(statement.target);
        return undefined;
      case 'trap':
        throw new Trap(Number(bits(statement.cause)), statement.value ? bits(statement.value) : 0n);
      case 'illegal':
        throw new Trap(ILLEGAL, undefined);
      case 'raise':
        this.hart.fcsr |= Number(bits(statement.flags)) & 31;
        return undefined;
      case 'host':
        this.hart.host(statement.name, statement.args.map(value));
        return undefined;
      case 'call':
        this.call(this.library.functions.get(statement.name)!, statement.args.map(value));
        return undefined;
      default:
        throw new Error(`no row says ${statement.kind}`);
    }
  }

  private expression(expression: Expression, locals: Map<string, Value>): Value {
    const value = (inner: Expression): Value => this.expression(inner, locals);
    switch (expression.kind) {
      case 'constant':
        return unsigned(expression.type === 'i32' ? 32 : 64, expression.value);
      case 'local':
        return locals.get(expression.name)!;
      case 'global':
        return this.globals.get(expression.name)!;
      case 'register':
        return (expression.file === 'x' ? this.hart.x : this.hart.f)[this.fields![expression.field]]!;
      case 'number':
        return BigInt(this.fields![expression.field as Source]);
      case 'immediate':
        return unsigned(64, BigInt(this.fields!.imm));
      case 'pc':
        return this.hart.pc;
      case 'length':
        return BigInt(this.fields!.length);
      case 'rounding':
        return this.rounding();
      case 'state':
        if (expression.name === 'frm') return BigInt(this.hart.fcsr >> 5) & 7n;
        return expression.name === 'fflags' ? BigInt(this.hart.fcsr & 31) : this.hart.state(expression.name);
      case 'unary':
        return unary(expression.name, expression.operand.type, value(expression.operand));
      case 'binary':
        if (expression.name === '&&') return value(expression.left) ? value(expression.right) : 0n;
        if (expression.name === '||') return value(expression.left) ? 1n : value(expression.right);
        return binary(expression.name, expression.left.type, value(expression.left), value(expression.right));
      case 'choice':
        return value(expression.condition) ? value(expression.then) : value(expression.otherwise);
      case 'call':
        return this.call(this.library.functions.get(expression.name)!, expression.args.map(value))!;
      case 'load':
        return this.hart.load(value(expression.address) as bigint, expression.bits);
      case 'host':
        return this.hart.host(expression.name, expression.args.map(value))!;
      default:
        throw new Error(`no row says ${expression.kind}`);
    }
  }

  private rounding(): bigint {
    const { rm } = this.fields!;
    const mode = rm === DYNAMIC ? (this.hart.fcsr >> 5) & 7 : rm;
    if (mode > 4) throw new Trap(ILLEGAL, undefined);
    return BigInt(mode);
  }
}

function leadingZeros(width: number, value: bigint): bigint {
  return BigInt(value === 0n ? width : width - value.toString(2).length);
}

function trailingZeros(width: number, value: bigint): bigint {
  return value === 0n ? BigInt(width) : BigInt((value & -value).toString(2).length - 1);
}

function reinterpret(name: string, value: Value): Value {
  if (name === 'asF32') scratch.setUint32(0, Number(value));
  else if (name === 'asI32') scratch.setFloat32(0, value as number);
  else if (name === 'asF64') scratch.setBigUint64(0, value as bigint);
  else scratch.setFloat64(0, value as number);
  if (name === 'asF32') return scratch.getFloat32(0);
  if (name === 'asI32') return BigInt(scratch.getUint32(0));
  return name === 'asF64' ? scratch.getFloat64(0) : scratch.getBigUint64(0);
}

function floatUnary(name: string, type: string, value: number): Value {
  const rounded = (result: number): number => (type === 'f32' ? Math.fround(result) : result);
  if (name === '-') return -value;
  if (name === 'abs') return Math.abs(value);
  if (name === 'sqrt') return rounded(Math.sqrt(value));
  if (name === 'promote') return value;
  if (name === 'demote') return Math.fround(value);
  return unsigned(32, BigInt(Math.trunc(value)));
}

function unary(name: string, type: string, value: Value): Value {
  if (name.startsWith('as')) return reinterpret(name, value);
  if (typeof value === 'number') return floatUnary(name, type, value);
  const width = type === 'i64' ? 64 : 32;
  const extension = /^([sz])ext(8|16|32)$/.exec(name);
  if (extension) {
    const from = Number(extension[2]);
    return extension[1] === 's' ? unsigned(width, signed(from, value)) : unsigned(from, value);
  }
  switch (name) {
    case '-':
      return unsigned(width, -value);
    case '~':
      return unsigned(width, ~value);
    case '!':
      return value ? 0n : 1n;
    case 'clz':
      return leadingZeros(width, value);
    case 'ctz':
      return trailingZeros(width, value);
    case 'popcnt':
      return BigInt(value.toString(2).replaceAll('0', '').length);
    case 'low32':
      return unsigned(32, value);
    case 'sext64':
      return unsigned(64, signed(32, value));
    case 'zext64':
    case 'bit':
      return value;
    case 'signedToF64':
      return Number(signed(32, value));
    case 'unsignedToF64':
      return Number(value);
    default:
      throw new Error(`no operator ${name}`);
  }
}

function floatBinary(name: string, type: string, a: number, b: number): Value {
  const rounded = (result: number): number => (type === 'f32' ? Math.fround(result) : result);
  switch (name) {
    case '+':
      return rounded(a + b);
    case '-':
      return rounded(a - b);
    case '*':
      return rounded(a * b);
    case '/':
      return rounded(a / b);
    case '==':
      return BigInt(a === b);
    case '!=':
      return BigInt(a !== b);
    case '<':
      return BigInt(a < b);
    default:
      return BigInt(a <= b);
  }
}

function binary(name: string, type: string, left: Value, right: Value): Value {
  if (typeof left === 'number') return floatBinary(name, type, left, right as number);
  const width = type === 'i64' ? 64 : 32;
  const b = right as bigint;
  const n = b % BigInt(width);
  const s = (value: bigint): bigint => signed(width, value);
  const results: Readonly<Record<string, () => bigint>> = {
    '+': () => left + b,
    '-': () => left - b,
    '*': () => left * b,
    '/s': () => s(left) / s(b),
    '/u': () => left / b,
    '%s': () => s(left) % s(b),
    '%u': () => left % b,
    '&': () => left & b,
    '|': () => left | b,
    '^': () => left ^ b,
    '<<': () => left << n,
    '>>s': () => s(left) >> n,
    '>>u': () => left >> n,
    rotl: () => (left << n) | (left >> (BigInt(width) - n)),
    rotr: () => (left >> n) | (left << (BigInt(width) - n)),
    '==': () => BigInt(left === b),
    '!=': () => BigInt(left !== b),
    '<s': () => BigInt(s(left) < s(b)),
    '<u': () => BigInt(left < b),
    '<=s': () => BigInt(s(left) <= s(b)),
    '<=u': () => BigInt(left <= b),
  };
  return unsigned(width, results[name]!());
}

/**
 * Executes one instruction: registers, fcsr and pc of the hart change, or Trap is thrown with pc still at the instruction.
 * Knows nothing of mstatus.FS.
 */
export function execute(library: Library, body: readonly Statement[], fields: Fields, hart: ReferenceHart): void {
  const evaluation = new Evaluation(library, hart, fields);
  evaluation.run(body, new Map());
  hart.pc = unsigned(64, evaluation.target ?? hart.pc + BigInt(fields.length));
}

/**
 * Calls a function of a library.
 * @param fcsr frm << 5 | fflags before
 * @returns the result and fcsr after
 */
export function callFunction(
  library: Library,
  name: string,
  args: readonly Value[],
  fcsr = 0,
): { result: Value | undefined; fcsr: number } {
  const none = (): never => {
    throw new Error(`${name}: a function has no hart`);
  };
  const hart: ReferenceHart = { x: [], f: [], pc: 0n, fcsr, state: none, load: none, store: none, host: none };
  const result = new Evaluation(library, hart, undefined).call(library.functions.get(name)!, args);
  return { result, fcsr: hart.fcsr };
}

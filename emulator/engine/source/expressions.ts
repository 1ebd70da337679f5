/**
 * Expressions of the row language as JavaScript: 64-bit integers as pairs of int32, everything else as one number or bool.
 * What has effects or may trap is emitted as a statement when it is met, so evaluation goes left to right; what is left over is a pure
 * expression of constants, locals and registers, evaluated where it is used. No statement between may assign these.
 *
 * A part of a local that nobody reads is not computed. Who reads what is known after the text was lowered once: `needs` collects it,
 * and the text is lowered again until it stays the same.
 */
import type { BinaryName, Expression, StateName, Type, UnaryName } from '../../isa/language/ir';
import * as p from './pairs';
import { ABSENT, Part, type Emitter, type Pair } from './pairs';
import { COMPARED, narrowBinary, narrowUnary } from './narrow';
import * as v from './values';
import { literal, type Value } from './values';

export type Call = Extract<Expression, { kind: 'call' }>;
export type Load = Extract<Expression, { kind: 'load' }>;
export type Host = Extract<Expression, { kind: 'host' }>;
type Unary = Extract<Expression, { kind: 'unary' }>;
type Binary = Extract<Expression, { kind: 'binary' }>;
type Choice = Extract<Expression, { kind: 'choice' }>;
/** What only a row has: its fields, and the doings of the hart. */
export type RowValue = Extract<
  Expression,
  { kind: 'register' | 'number' | 'immediate' | 'pc' | 'length' | 'rounding' }
>;

/** A value of either shape: `low` alone where it is no i64. */
export const single = (value: Value): Pair => p.pair(value, ABSENT);

export interface Local {
  /** The name in the output, without the ending of a part. */
  readonly name: string;
  readonly type: Type;
  /** A `let` or argument that is an atom stands for itself. */
  value: Pair;
}

export const PARTS = [Part.LOW, Part.HIGH, Part.FLOAT] as const;
export const ENDINGS: Readonly<Record<number, string>> = { [Part.LOW]: '', [Part.HIGH]: '_h', [Part.FLOAT]: '_f' };

export const partOf = (value: Pair, part: Part): Value =>
  part === Part.LOW ? value.low : part === Part.HIGH ? value.high : value.float!;

export const pairOf = (get: (part: (typeof PARTS)[number]) => Value, need: Part): Pair => {
  const low = need & Part.LOW ? get(Part.LOW) : ABSENT;
  const high = need & Part.HIGH ? get(Part.HIGH) : ABSENT;
  return need & Part.FLOAT ? { low, high, float: get(Part.FLOAT) } : { low, high };
};

/** Does its lowering know the bits as a float64 without a detour through their words? */
const givesFloat = (e: Expression): boolean =>
  e.kind === 'constant' ||
  e.kind === 'local' ||
  e.kind === 'choice' ||
  e.kind === 'call' ||
  (e.kind === 'register' && e.file === 'f') ||
  (e.kind === 'unary' && e.name === 'asI64');

export abstract class Expressions implements Emitter {
  protected lines: string[] = [];
  protected scope = new Map<string, Local>();
  private temporaries = 0;

  /** @param needs parts that are read of each local, by its name in the output; outlives the object */
  constructor(protected readonly needs: Map<string, Part>) {}

  protected abstract rowValue(e: RowValue, need: Part): Pair;
  protected abstract load(e: Load, need: Part): Pair;
  protected abstract host(e: Host, need: Part): Pair;
  protected abstract call(e: Call, need: Part): Pair;
  protected abstract state(name: StateName, need: Part): Pair;
  protected abstract globalSlot(name: string): string;

  emit(line: string): void {
    this.lines.push(line);
  }

  protected fresh(): string {
    return `t${++this.temporaries}`;
  }

  keep(value: Value): Value {
    return value.atom ? value : this.copy(value);
  }

  /** A constant of its own, whatever becomes of the variables in the value. */
  copy(value: Value): Value {
    if (value.literal !== undefined) return value;
    const kept = v.name(this.fresh());
    this.emit(`const ${kept.code} = ${value.code};`);
    return kept;
  }

  declare(type = 'number'): Value {
    const declared = v.name(this.fresh());
    this.emit(`let ${declared.code}: ${type};`);
    return declared;
  }

  helper(name: string, args: readonly Value[], need: Part): Pair {
    const low = this.keep(v.access(`${name}(${args.map(({ code }) => code).join(', ')})`));
    return p.pair(low, need & Part.HIGH ? this.keep(v.access('words[0]')) : ABSENT);
  }

  /** The statements that an action emits, apart. */
  protected apart<T>(action: () => T): { lines: string[]; result: T } {
    const { lines } = this;
    this.lines = [];
    const result = action();
    const emitted = this.lines;
    this.lines = lines;
    return { lines: emitted, result };
  }

  protected read(name: string, need: Part): Pair {
    const local = this.scope.get(name);
    if (!local) throw new Error(`no local ${name}`);
    this.needs.set(local.name, (this.needs.get(local.name) ?? Part.NONE) | need);
    const { value } = local;
    return need & Part.FLOAT && !value.float ? { ...value, float: ABSENT } : value;
  }

  /** A value that is no i64. */
  lower(e: Expression): Value {
    return e.type === 'i64' ? this.lower64(e, Part.LOW).low : this.lowerAny(e, Part.LOW).low;
  }

  /** The parts of an i64 that are needed. */
  lower64(e: Expression, need: Part): Pair {
    if (!(need & Part.FLOAT) || givesFloat(e)) return this.lowerAny(e, need);
    const whole = this.lowerAny(e, Part.BOTH);
    const [low, high] = [this.keep(whole.low), this.keep(whole.high)];
    return { low, high, float: this.reinterpreted(low, high) };
  }

  protected reinterpreted(low: Value, high: Value): Value {
    this.emit(`words[0] = ${low.code}; words[1] = ${high.code};`);
    return this.copy(v.access('doubles[0]'));
  }

  /** By type: an i64 in the parts needed, anything else in `low`. */
  protected lowerAny(e: Expression, need: Part): Pair {
    switch (e.kind) {
      case 'constant':
        return this.constant(e, need);
      case 'local':
        return this.read(e.name, e.type === 'i64' ? need : Part.LOW);
      case 'global':
        return this.global(e, need);
      case 'state':
        return this.state(e.name, need);
      case 'unary':
        return this.unary(e, need);
      case 'binary':
        return this.binary(e, need);
      case 'choice':
        return this.choice(e, need);
      case 'call':
        return this.call(e, need);
      case 'load':
        return this.load(e, need);
      case 'host':
        return this.host(e, need);
      case 'float':
      case 'floatRegister':
      case 'loadFloat':
      case 'intrinsic':
      case 'block':
        throw new Error(`no row says ${e.kind}`);
      default:
        return this.rowValue(e, need);
    }
  }

  private constant(e: Extract<Expression, { kind: 'constant' }>, need: Part): Pair {
    if (e.type === 'bool') return single(literal(e.value !== 0n));
    const value = p.constant(e.value);
    if (e.type === 'i32') return single(value.low);
    if (!(need & Part.FLOAT)) return value;
    const float = new Float64Array(new BigInt64Array([BigInt.asIntN(64, e.value)]).buffer)[0]!;
    return { ...value, float: literal(float) };
  }

  private global(e: Extract<Expression, { kind: 'global' }>, need: Part): Pair {
    const slot = this.globalSlot(e.name);
    if (e.type === 'i64')
      return pairOf(
        (part) => this.copy(v.access(`globals[${slot}${part === Part.HIGH ? ' + 1' : ''}]`)),
        need & Part.BOTH,
      );
    if (e.type === 'bool') return single(this.copy(v.access(`globals[${slot}] !== 0`)));
    if (e.type === 'i32') return single(this.copy(v.access(`globals[${slot}]`)));
    return single(this.copy(v.access(`floatGlobals[${slot}]`)));
  }

  private choice(e: Choice, need: Part): Pair {
    const condition = this.lower(e.condition);
    const wanted = e.type === 'i64' ? need : Part.LOW;
    const branch = (of: Expression) => () => (of.type === 'i64' ? this.lower64(of, wanted) : single(this.lower(of)));
    if (condition.literal !== undefined) return branch(condition.literal ? e.then : e.otherwise)();
    const then = this.apart(branch(e.then));
    const otherwise = this.apart(branch(e.otherwise));
    return this.merge(condition, then, otherwise, wanted, e.type === 'bool' ? 'boolean' : 'number');
  }

  private merge(
    condition: Value,
    then: { lines: string[]; result: Pair },
    otherwise: { lines: string[]; result: Pair },
    need: Part,
    type: string,
  ): Pair {
    const needed = PARTS.filter((part) => need & part);
    const differ = needed.filter((part) => {
      const [a, b] = [partOf(then.result, part), partOf(otherwise.result, part)];
      return !(a.atom && a.code === b.code);
    });
    const simple = then.lines.length + otherwise.lines.length === 0;
    if (simple && differ.length <= 1)
      return pairOf((part) => v.select(condition, partOf(then.result, part), partOf(otherwise.result, part)), need);
    const merged = new Map(differ.map((part) => [part, this.declare(type)]));
    const assign = (value: Pair): string =>
      differ.map((part) => `${merged.get(part)!.code} = ${partOf(value, part).code};`).join(' ');
    this.emit(`if (${condition.code}) {`);
    this.lines.push(...then.lines, assign(then.result), '} else {', ...otherwise.lines, assign(otherwise.result), '}');
    return pairOf((part) => merged.get(part) ?? partOf(then.result, part), need);
  }

  private unary(e: Unary, need: Part): Pair {
    const { operand, name } = e;
    if (e.type === 'i64') return this.unary64(name, operand, need);
    if (operand.type === 'i64') return single(this.fromWide(name, operand));
    return single(narrowUnary(this, name, e.type, this.lower(operand)));
  }

  /** i64 to something else. */
  private fromWide(name: UnaryName, operand: Expression): Value {
    if (name === 'low32') return this.lower64(operand, Part.LOW).low;
    if (name === 'asF64') return this.lower64(operand, Part.FLOAT).float!;
    throw new Error(`${name} of an i64`);
  }

  private unary64(name: UnaryName, operand: Expression, need: Part): Pair {
    if (name === 'asI64') return this.bitsOf(this.lower(operand), need);
    if (operand.type !== 'i64') {
      const value = this.lower(operand);
      const low = operand.type === 'bool' ? v.bit(value) : value;
      return name === 'sext64' ? p.signExtended(this, low, need) : p.zeroExtended(low);
    }
    const all = need & Part.BOTH ? Part.BOTH : Part.NONE;
    const low = need & Part.BOTH ? Part.LOW : Part.NONE;
    switch (name) {
      case '-':
        return p.subtract(this, p.constant(0n), this.lower64(operand, need & Part.HIGH ? Part.BOTH : need), need);
      case '~': {
        const a = this.lower64(operand, need & Part.BOTH);
        return pairOf((part) => v.not(partOf(a, part)), need & Part.BOTH);
      }
      case 'clz':
        return p.leadingZeros(this, this.lower64(operand, all));
      case 'ctz':
        return p.trailingZeros(this, this.lower64(operand, all));
      case 'popcnt':
        return p.population(this.lower64(operand, all));
      default: {
        const bits = Number(name.slice(4)) as 8 | 16 | 32;
        return p.extended(this, this.lower64(operand, low), bits, name.startsWith('sext'), need);
      }
    }
  }

  /** The bits of a float64. */
  private bitsOf(float: Value, need: Part): Pair {
    if (!(need & Part.BOTH)) return need & Part.FLOAT ? { low: ABSENT, high: ABSENT, float } : single(ABSENT);
    const kept = need & Part.FLOAT ? this.keep(float) : float;
    this.emit(`doubles[0] = ${kept.code};`);
    const words = pairOf((part) => this.copy(v.access(`words[${part === Part.HIGH ? 1 : 0}]`)), need & Part.BOTH);
    return need & Part.FLOAT ? { ...words, float: kept } : words;
  }

  private binary(e: Binary, need: Part): Pair {
    if (e.name === '&&' || e.name === '||') return single(this.logical(e));
    if (e.left.type !== 'i64')
      return single(narrowBinary(this, e.name, e.left.type, this.lower(e.left), this.lower(e.right)));
    if (COMPARED.has(e.name)) return single(this.compareWide(e));
    return this.wide(e, need);
  }

  private logical(e: Binary): Value {
    const left = this.lower(e.left);
    const right = this.apart(() => this.lower(e.right));
    const isAnd = e.name === '&&';
    if (right.lines.length === 0) return isAnd ? v.both(left, right.result) : v.either(left, right.result);
    const result = v.name(this.fresh());
    this.emit(`let ${result.code} = ${left.code};`);
    this.emit(`if (${isAnd ? '' : '!'}${result.code}) {`);
    this.lines.push(...right.lines, `${result.code} = ${right.result.code};`, '}');
    return result;
  }

  private compareWide(e: Binary): Value {
    // What a value's sign tells is asked of its high word alone.
    const zero = e.right.kind === 'constant' && e.right.value === 0n;
    const left = this.lower64(e.left, zero && e.name === '<s' ? Part.HIGH : Part.BOTH);
    const right = this.lower64(e.right, Part.BOTH);
    switch (e.name) {
      case '==':
        return p.equal(left, right);
      case '!=':
        return p.different(left, right);
      case '<s':
      case '<u':
        return p.below(this, left, right, e.name === '<s');
      default:
        return v.negation(p.below(this, right, left, e.name === '<=s'));
    }
  }

  private wide(e: Binary, need: Part): Pair {
    const { name } = e;
    if (name === '<<' || name === '>>s' || name === '>>u' || name === 'rotl' || name === 'rotr')
      return this.shift(e, need);
    if (name === '&' || name === '|' || name === '^') {
      const operator = name === '&' ? v.and : name === '|' ? v.or : v.xor;
      // A half that a constant masks away is not asked for.
      const masked = (by: Expression): Part =>
        name === '&' && by.kind === 'constant' ? halvesOf(by.value) : Part.BOTH;
      const left = this.lower64(e.left, need & masked(e.right));
      return p.bitwise(operator, left, this.lower64(e.right, need & masked(e.left)), need);
    }
    // The high half of a sum or product depends on the low ones.
    const wanted = need & Part.HIGH ? Part.BOTH : need & Part.LOW;
    const isDivision = name.startsWith('/') || name.startsWith('%');
    const operands = isDivision && wanted ? Part.BOTH : wanted;
    const left = this.lower64(e.left, operands);
    const right = this.lower64(e.right, operands);
    switch (name) {
      case '+':
        return p.add(this, left, right, need);
      case '-':
        return p.subtract(this, left, right, need);
      case '*':
        return p.multiply(this, left, right, need);
      default:
        return wanted ? this.helper(DIVISIONS[name]!, [left.low, left.high, right.low, right.high], need) : left;
    }
  }

  private shift(e: Binary, need: Part): Pair {
    const { name } = e;
    const wanted = need & Part.BOTH;
    const counted = e.right.kind === 'constant' ? Number(e.right.value & 63n) : undefined;
    const operands = !wanted ? Part.NONE : partsToShift(name, wanted, counted);
    const left = this.lower64(e.left, operands);
    const by = this.lower64(e.right, wanted ? Part.LOW : Part.NONE).low;
    if (!wanted) return left;
    if (name === '<<') return p.shiftLeft(this, left, by, wanted);
    if (name === 'rotl') return p.rotateLeft(this, left, by, wanted);
    if (name === 'rotr') return p.rotateLeft(this, left, v.negate(by), wanted);
    return p.shiftRight(this, left, by, wanted, name === '>>s');
  }
}

const DIVISIONS: Readonly<Partial<Record<BinaryName, string>>> = {
  '/s': 'quotientSigned',
  '/u': 'divideUnsigned',
  '%s': 'remainderSigned',
  '%u': 'remainderUnsigned',
};

/** Halves of the operand that the wanted halves of a shift come from; `count` where it is known. */
function partsToShift(name: BinaryName, wanted: Part, count: number | undefined): Part {
  if (name === 'rotl' || name === 'rotr') return Part.BOTH;
  if (count === 0) return wanted;
  const far = count !== undefined && count >= 32;
  if (name === '<<') return far || !(wanted & Part.HIGH) ? Part.LOW : Part.BOTH;
  return far || !(wanted & Part.LOW) ? Part.HIGH : Part.BOTH;
}

/** Halves that are not zero. */
const halvesOf = (value: bigint): Part =>
  (BigInt.asUintN(32, value) === 0n ? Part.NONE : Part.LOW) |
  (BigInt.asUintN(64, value) >> 32n === 0n ? Part.NONE : Part.HIGH);

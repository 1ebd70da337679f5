/**
 * The forms that specialised bodies are brought into (specialise.ts): conversions of bits to floats are pushed inwards until they meet
 * their inverses, decisions that return become choices, what nobody reads disappears.
 */
import { binary, choice, constant, isConstant, masked, pure, same, unary } from './fold';
import type { Expression, Statement, Type } from './ir';
import { eachStatement, everyExpression } from './walk';

/** The bits of a value as a float: turned round as far inside as they go. */
export function asF64(value: Expression): Expression {
  if (value.kind === 'load') return { kind: 'loadFloat', type: 'f64', address: value.address };
  const single = boxedBits(value);
  if (single) return boxed(single);
  return signed(value, 'f64', asF64) ?? within(value, 'f64', asF64) ?? unary('f64', 'asF64', value);
}
export function asF32(value: Expression): Expression {
  if (
    value.kind === 'unary' &&
    value.name === 'low32' &&
    value.operand.kind === 'unary' &&
    value.operand.name === 'asI64'
  )
    return { kind: 'intrinsic', type: 'f32', name: 'single', args: [value.operand.operand] };
  if (isUnboxed(value))
    return { ...choice(value.condition, asF32(value.then), asF32(value.otherwise)), likely: true } as Expression;
  return signed(value, 'f32', asF32) ?? within(value, 'f32', asF32) ?? unary('f32', 'asF32', value);
}

const BOX = -(1n << 32n);

/** x of `zext64(x) | BOX`, a binary32 number as an f register holds it. */
function boxedBits(value: Expression): Expression | undefined {
  if (value.kind !== 'binary' || value.name !== '|' || !isConstant(value.right, BOX)) return undefined;
  return value.left.kind === 'unary' && value.left.name === 'zext64' ? value.left.operand : undefined;
}

/** The bits of a binary32 number in their box, as a float. */
function boxed(bits: Expression): Expression {
  if (bits.kind === 'unary' && bits.name === 'asI32')
    return { kind: 'intrinsic', type: 'f64', name: 'boxed', args: [bits.operand] };
  const plain = (): Expression => binary('i64', '|', unary('i64', 'zext64', bits), constant('i64', BOX));
  return within(bits, 'f64', boxed) ?? unary('f64', 'asF64', plain());
}

/** Is it what a box holds, or a NaN where there is none (unbox32)? */
export function isUnboxed(value: Expression): value is Extract<Expression, { kind: 'choice' }> {
  return (
    value.kind === 'choice' &&
    value.type === 'i32' &&
    value.then.kind === 'unary' &&
    value.then.name === 'low32' &&
    value.then.operand.kind === 'unary' &&
    value.then.operand.name === 'asI64' &&
    value.otherwise.kind === 'constant'
  );
}

type Convert = (value: Expression) => Expression;

/** Operations on bits that are one of a float. */
function signed(value: Expression, type: 'f32' | 'f64', convert: Convert): Expression | undefined {
  if (value.kind !== 'binary') return undefined;
  const { name, left, right } = value;
  const sign = type === 'f64' ? -(1n << 63n) : -(1n << 31n);
  if (name === '^' && isConstant(right, sign)) return unary(type, '-', convert(left));
  if (name === '&' && isConstant(right, ~sign)) return unary(type, 'abs', convert(left));
  const [size, from] = [masked(left), masked(right)];
  if (name !== '|' || size?.mask !== ~sign || from?.mask !== sign) return undefined;
  const turned = from.x.kind === 'unary' && from.x.name === '~' ? from.x.operand : undefined;
  if (turned && same(size.x, turned)) return unary(type, '-', convert(size.x));
  const other = turned ? unary(type, '-', convert(turned)) : convert(from.x);
  return { kind: 'intrinsic', type, name: 'copysign', args: [convert(size.x), other] };
}

/** A conversion of what a choice or a block gives, inside it. */
function within(value: Expression, type: Type, convert: Convert): Expression | undefined {
  if (value.kind === 'choice') return choice(value.condition, convert(value.then), convert(value.otherwise));
  if (value.kind !== 'block') return undefined;
  const returned = (list: readonly Statement[]): Statement[] =>
    list.map((statement) => {
      if (statement.kind === 'return') return { kind: 'return', value: convert(statement.value!) };
      if (statement.kind !== 'if') return statement;
      return { ...statement, then: returned(statement.then), otherwise: returned(statement.otherwise) };
    });
  return blockOf(type, returned(value.body));
}

/** The value that a body returns, without a block where it does nothing else, and as choices where it decides first. */
export function blockOf(type: Type, body: readonly Statement[]): Expression {
  const tidy = named(decided(type, withoutUnused(body)));
  const [only] = tidy;
  if (tidy.length === 1 && only!.kind === 'return') return only!.value!;
  return { kind: 'block', type, body: tidy };
}

/** `let x = v; return e` where e is a chain of operations on x alone: v in place of x. */
function named(body: readonly Statement[]): readonly Statement[] {
  const [first, last] = body;
  if (body.length !== 2 || first!.kind !== 'let' || last!.kind !== 'return') return body;
  const value = chained(last.value!, first);
  return value === undefined ? body : [{ kind: 'return', value }];
}

function chained(e: Expression, { name, value }: Extract<Statement, { kind: 'let' }>): Expression | undefined {
  const inner = (of: Expression): Expression | undefined =>
    of.kind === 'local' && of.name === name ? value : chained(of, { kind: 'let', name, type: value.type, value });
  if (e.kind === 'unary') {
    const operand = inner(e.operand);
    return operand && unary(e.type, e.name, operand);
  }
  if (e.kind !== 'binary' || e.right.kind !== 'constant') return undefined;
  const left = inner(e.left);
  return left && binary(e.type, e.name, left, e.right);
}

const endsInReturn = (body: readonly Statement[]): boolean => body.at(-1)?.kind === 'return';

/** `if (c) { … return a } … return b` as `return c ? a : b`. */
function decided(type: Type, body: readonly Statement[]): readonly Statement[] {
  const at = body.findIndex((statement) => statement.kind === 'if' && endsInReturn(statement.then));
  if (at < 0) return body;
  const { condition, then, otherwise } = body[at] as Extract<Statement, { kind: 'if' }>;
  const rest = [...otherwise, ...body.slice(at + 1)];
  if (!endsInReturn(rest)) return body;
  const value = choice(condition, blockOf(type, then), blockOf(type, rest));
  return [...body.slice(0, at), { kind: 'return', value }];
}

/** Leaves out the names that nobody reads, where nothing else depends on their values. */
export function withoutUnused(body: readonly Statement[]): Statement[] {
  for (;;) {
    const used = new Set<string>();
    everyExpression(body, (e) => {
      if (e.kind === 'local') used.add(e.name);
    });
    eachStatement(body, (statement) => {
      if (statement.kind === 'assign') used.add(statement.name);
    });
    const left = body.filter(
      (statement) => statement.kind !== 'let' || used.has(statement.name) || !pure(statement.value),
    );
    if (left.length === body.length) return left;
    body = left;
  }
}

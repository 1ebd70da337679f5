/**
 * The value of a C expression in a stack frame. Reads and never writes, so a hover may use it. What C would refuse or this
 * debugger cannot know is an EvaluateError with a sentence for the user; nothing is thrown past `evaluateExpression`.
 */
import { memoryPlace, valuePlace } from '../variables/place';
import { sizeOf, strip, typeName, type Type } from '../../symbols/dwarf/info/model';
import type { FrameScope } from '../variables/frame';
import { Value } from '../variables/value';
import { errors, EvaluateError } from './errors';
import { address, arrayOf, dereference, index, member } from './lvalues';
import {
  bytesOf,
  float,
  INT,
  integer,
  LONG,
  promote,
  truth,
  UNSIGNED_INT,
  UNSIGNED_LONG,
  DOUBLE,
  FLOAT,
  type NumberValue,
} from './numbers';
import { castTo, isTruthy, numberOf, operate, scalar } from './operators';
import { parse } from './parser';
import { registerValue } from './register-values';
import type { Expression, Parsed } from './syntax';
import { isTypeName, resolveType } from './type-names';

/** Evaluates `text` in a frame. The value's name is the text. */
export function evaluateExpression(text: string, scope: FrameScope): Value | EvaluateError {
  try {
    const parsed = parse(text, (name) => isTypeName(scope, name));
    return present(parsed, new Evaluator(scope), text.trim());
  } catch (error) {
    if (error instanceof EvaluateError) return error;
    throw error;
  }
}

function present(parsed: Parsed, evaluator: Evaluator, text: string): Value {
  let value = evaluator.evaluate(parsed.expression);
  if (parsed.length)
    value = arrayOf(value, numberOf(evaluator.evaluate(parsed.length), parsed.length.column), parsed.length.column);
  // A format is not part of the expression that children build on, and `p,[4]` is none that one could index.
  const plain = parsed.format === undefined && parsed.length === undefined;
  const evaluateName = plain ? text : undefined;
  return new Value(text, value.type, value.place, value.context, { evaluateName, format: parsed.format });
}

class Evaluator {
  constructor(private readonly scope: FrameScope) {}

  evaluate(expression: Expression): Value {
    switch (expression.kind) {
      case 'integer':
        return this.number(integerLiteral(expression));
      case 'float':
        return this.number(float(expression.isSingle ? FLOAT : DOUBLE, expression.value));
      case 'character':
        return this.number(integer(INT, expression.value));
      case 'name':
        return this.name(expression.name, expression.column);
      case 'register':
        return registerValue(this.scope, expression.name.slice(1), expression.column);
      case 'unary':
        return this.unary(expression);
      case 'binary':
        return this.binary(expression);
      case 'conditional':
        return this.evaluate(
          isTruthy(this.evaluate(expression.test), expression.column) ? expression.yes : expression.no,
        );
      case 'member':
        return member(this.evaluate(expression.of), expression.name, expression.arrow, expression.column);
      case 'index':
        return index(this.evaluate(expression.of), this.evaluate(expression.index), expression.column);
      case 'cast':
        return castTo(this.evaluate(expression.operand), resolveType(this.scope, expression.type), expression.column);
      case 'sizeofType':
        return this.size(resolveType(this.scope, expression.type), expression.column);
      case 'sizeof':
        return this.sizeofValue(this.evaluate(expression.operand), expression.column);
    }
  }

  private number(value: NumberValue): Value {
    return new Value('', value.type, valuePlace(bytesOf(value)), this.scope.context);
  }

  private name(name: string, column: number): Value {
    const found = this.scope.lookUp(name);
    if (found) return found;
    const { info } = this.scope.program;
    const constant = info.enumeratorNamed(name, this.scope.frame.pc);
    if (constant) return new Value(name, constant.type, valuePlace(this.enumBytes(constant)), this.scope.context);
    const fn = info.functionsNamed(name)[0];
    if (!fn) throw errors.unknownIdentifier(name, column);
    return new Value(
      name,
      fn.type,
      memoryPlace(BigInt(fn.low) + (this.scope.frame.loadBias ?? 0n)),
      this.scope.context,
    );
  }

  private enumBytes(constant: { type: Type; value: bigint }): Uint8Array {
    return bytesOf(integer((sizeOf(constant.type) ?? 4) > 4 ? LONG : INT, constant.value));
  }

  private unary(expression: Extract<Expression, { kind: 'unary' }>): Value {
    const { operator, column } = expression;
    const operand = this.evaluate(expression.operand);
    switch (operator) {
      case '*':
        return dereference(operand, column);
      case '&':
        return address(operand, column);
      case '!':
        return this.number(truth(!isTruthy(operand, column)));
      default: {
        const value = promote(numberOf(operand, column));
        if (operator === '+') return this.number(value);
        if (value.kind === 'float') {
          if (operator === '~') throw errors.wrongType(`'~' needs an integer, not ${typeName(operand.type)}.`, column);
          return this.number(float(value.type, -value.float));
        }
        return this.number(integer(value.type, operator === '-' ? -value.integer : ~value.integer));
      }
    }
  }

  private binary(expression: Extract<Expression, { kind: 'binary' }>): Value {
    const { operator, column } = expression;
    const left = this.evaluate(expression.left);
    if (operator === '&&' || operator === '||') {
      const first = isTruthy(left, column);
      const decided = operator === '&&' ? !first : first;
      return this.number(truth(decided ? first : isTruthy(this.evaluate(expression.right), column)));
    }
    const result = operate(operator, scalar(left), scalar(this.evaluate(expression.right)), column);
    return result instanceof Value ? result : this.number(result);
  }

  private size(type: Type, column: number): Value {
    const size = sizeOf(type);
    if (size === undefined) throw errors.wrongType(`The size of ${typeName(type)} is not known.`, column);
    return this.number(integer(UNSIGNED_LONG, BigInt(size)));
  }

  private sizeofValue(value: Value, column: number): Value {
    if (value.place.bits) throw errors.wrongType('A bit field has no size of its own.', column);
    const { size } = value;
    if (size === undefined || strip(value.type).kind === 'function')
      throw errors.wrongType(`The size of ${typeName(value.type)} is not known.`, column);
    return this.number(integer(UNSIGNED_LONG, BigInt(size)));
  }
}

/** The type of an integer constant (C17, section 6.4.4.1). */
function integerLiteral({ value, suffix, isDecimal }: Extract<Expression, { kind: 'integer' }>): NumberValue {
  const isUnsigned = suffix.includes('u');
  const isLong = suffix.includes('l');
  if (!isLong && !isUnsigned && value < 1n << 31n) return integer(INT, value);
  if (!isLong && (isUnsigned || !isDecimal) && value < 1n << 32n) return integer(UNSIGNED_INT, value);
  if (!isUnsigned && value < 1n << 63n) return integer(LONG, value);
  return integer(UNSIGNED_LONG, value);
}

export { EvaluateError } from './errors';

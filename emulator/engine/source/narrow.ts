/** Operators of the row language on values that are one JavaScript value: i32, bool, f32, f64. */
import type { BinaryName, Type, UnaryName } from '../../isa/language/ir';
import * as p from './pairs';
import type { Emitter } from './pairs';
import * as v from './values';
import type { Value } from './values';

/** Operators that give a bool. */
export const COMPARED = new Set<BinaryName>(['==', '!=', '<s', '<u', '<=s', '<=u', '<', '<=']);
const isFloat = (type: Type): boolean => type === 'f32' || type === 'f64';

export function narrowUnary(out: Emitter, name: UnaryName, type: Type, a: Value): Value {
  const call = (of: string): Value => v.access(`${of}(${a.code})`);
  switch (name) {
    case '-':
      return isFloat(type) ? v.computed(`-${a.code}`) : v.negate(a);
    case '~':
      return v.not(a);
    case '!':
      return v.negation(a);
    case 'clz':
      return call('Math.clz32');
    case 'ctz':
      return call('trailingZeros');
    case 'popcnt':
      return call('population');
    case 'bit':
      return v.bit(a);
    case 'asF32':
      out.emit(`words[0] = ${a.code};`);
      return out.keep(v.access('singles[0]'));
    case 'asI32':
      out.emit(`singles[0] = ${a.code};`);
      return out.keep(v.access('words[0]'));
    case 'promote':
    case 'signedToF64':
      return a;
    case 'demote':
      return call('Math.fround');
    case 'sqrt':
      return type === 'f32' ? v.access(`Math.fround(Math.sqrt(${a.code}))`) : call('Math.sqrt');
    case 'abs':
      return call('Math.abs');
    case 'unsignedToF64':
      return v.computed(`${a.code} >>> 0`);
    case 'truncateToI32':
      return v.computed(`${a.code} | 0`);
    default:
      return p.narrow(a, Number(name.slice(4)), name.startsWith('sext'));
  }
}

/** Of i32, bool and floats. */
export function narrowBinary(out: Emitter, name: BinaryName, type: Type, a: Value, b: Value): Value {
  if (isFloat(type)) return floating(name, type, a, b);
  switch (name) {
    case '+':
      return v.add(a, b);
    case '-':
      return v.subtract(a, b);
    case '*':
      return v.multiply(a, b);
    // A quotient of 32-bit integers is never rounded across an integer by 53 bits.
    case '/s':
      return v.computed(`(${a.code} / ${b.code}) | 0`);
    case '/u':
      return v.computed(`(${v.unsigned(a)} / ${v.unsigned(b)}) | 0`);
    case '%s':
      return v.computed(`(${a.code} % ${b.code}) | 0`);
    case '%u':
      return v.computed(`(${v.unsigned(a)} % ${v.unsigned(b)}) | 0`);
    case '&':
      return v.and(a, b);
    case '|':
      return v.or(a, b);
    case '^':
      return v.xor(a, b);
    case '<<':
      return v.shiftLeft(a, b);
    case '>>s':
      return v.shiftRightSigned(a, b);
    case '>>u':
      return v.shiftRightUnsigned(a, b);
    case 'rotl':
      return p.rotateLeft32(out, a, b);
    case 'rotr':
      return p.rotateLeft32(out, a, v.negate(b));
    case '==':
      return v.equal(a, b);
    case '!=':
      return v.different(a, b);
    case '<s':
      return v.belowSigned(a, b);
    case '<u':
      return v.belowUnsigned(a, b);
    case '<=s':
      return v.negation(v.belowSigned(b, a));
    case '<=u':
      return v.negation(v.belowUnsigned(b, a));
    default:
      throw new Error(`${name} of ${type}`);
  }
}

function floating(name: BinaryName, type: Type, a: Value, b: Value): Value {
  if (name === '==') return v.equal(a, b);
  if (name === '!=') return v.different(a, b);
  const result = v.computed(`${a.code} ${name} ${b.code}`);
  // Twice the precision and two more bits: rounding once more to binary32 is innocuous for these operators.
  return type === 'f32' && !COMPARED.has(name) ? v.access(`Math.fround${result.code}`) : result;
}

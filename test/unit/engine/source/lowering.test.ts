import * as assert from 'node:assert/strict';
import { parseLibrary } from '../../../../emulator/isa/language/check';
import type { Library, Type } from '../../../../emulator/isa/language/ir';
import { callFunction, type Value } from '../../../reference/evaluate';
import { compiled } from './compiled';

const WIDE = [
  0n,
  1n,
  2n,
  31n,
  32n,
  33n,
  63n,
  64n,
  0x7fffffffn,
  0x80000000n,
  0x80000001n,
  0xffffffffn,
  1n << 32n,
  (1n << 32n) + 1n,
  (1n << 53n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 63n) + 1n,
  (1n << 64n) - 1n,
  (1n << 64n) - (1n << 31n),
  0x0123456789abcdefn,
  0xfedcba9876543210n,
];
const NARROW = [
  0n,
  1n,
  2n,
  15n,
  31n,
  32n,
  33n,
  0x7fn,
  0x80n,
  0x7fffn,
  0x8000n,
  0x7fffffffn,
  0x80000000n,
  0x80000001n,
  0xffffffffn,
  0x01234567n,
  0xfedcba98n,
];
const DOUBLES = [0, -0, 1, -1.5, 2 ** -1074, 2 ** 31 - 1, -(2 ** 31), 0.1, 1e300, -Infinity, Infinity, 3.999999];
const OPERATORS = ['+', '-', '*', '/s', '/u', '%s', '%u', '&', '|', '^', '<<', '>>s', '>>u'];
const COMPARISONS = ['==', '!=', '<s', '<u', '<=s', '<=u', '>s', '>=u'];

const libraryOf = (text: string): Library => parseLibrary([{ title: 'test', text }]);
const defined = (operator: string, width: bigint, a: bigint, b: bigint): boolean =>
  !/^[/%]/.test(operator) || (b !== 0n && !(b === (1n << width) - 1n && a === 1n << (width - 1n)));

const plain = (value: Value | undefined): string =>
  typeof value === 'bigint' ? `0x${value.toString(16)}` : Object.is(value, -0) ? '-0' : String(value);

/** Calls one function on every combination and compares with the evaluator. */
function compare(library: Library, name: string, operands: readonly (readonly Value[])[], inlines = true): void {
  const { call, text } = compiled(library, inlines);
  for (const args of operands) {
    const wanted = callFunction(library, name, args);
    const got = call(name, args);
    if (!Object.is(got.result, wanted.result) || got.fcsr !== wanted.fcsr)
      assert.fail(
        `${name}(${args.map(plain).join(', ')}) is ${plain(got.result)}, not ${plain(wanted.result)}\n${text}`,
      );
  }
}

const pairs = (values: readonly bigint[]): bigint[][] => values.flatMap((a) => values.map((b) => [a, b]));

describe('lowering to pairs of int32', () => {
  for (const operator of OPERATORS)
    it(`i64 ${operator}: both halves, either half, or a constant operand`, () => {
      const operands = pairs(WIDE).filter(([a, b]) => defined(operator, 64n, a!, b!));
      const parts = {
        testWhole: `-> i64 { return a ${operator} b; }`,
        testLow: `-> i32 { return low32(a ${operator} b); }`,
        testHigh: `-> i32 { return low32((a ${operator} b) >>u 32); }`,
        testNobody: `-> i64 { let unused = a ${operator} b; return a; }`,
      };
      for (const [name, body] of Object.entries(parts))
        compare(libraryOf(`fn ${name}(a: i64, b: i64) ${body}`), name, operands);
      for (const known of WIDE) {
        const withRight = WIDE.filter((a) => defined(operator, 64n, a, known)).map((a) => [a]);
        const withLeft = WIDE.filter((b) => defined(operator, 64n, known, b)).map((b) => [b]);
        const constant = `${BigInt.asIntN(64, known)}i64`;
        compare(libraryOf(`fn testRight(a: i64) -> i64 { return a ${operator} ${constant}; }`), 'testRight', withRight);
        compare(
          libraryOf(`fn testRightLow(a: i64) -> i32 { return low32(a ${operator} ${constant}); }`),
          'testRightLow',
          withRight,
        );
        compare(libraryOf(`fn testLeft(b: i64) -> i64 { return ${constant} ${operator} b; }`), 'testLeft', withLeft);
      }
    });

  for (const operator of COMPARISONS)
    it(`i64 ${operator}, with variables and with constants`, () => {
      compare(libraryOf(`fn test(a: i64, b: i64) -> bool { return a ${operator} b; }`), 'test', pairs(WIDE));
      for (const known of WIDE) {
        const constant = `${BigInt.asIntN(64, known)}i64`;
        const each = WIDE.map((a) => [a]);
        compare(libraryOf(`fn test(a: i64) -> bool { return a ${operator} ${constant}; }`), 'test', each);
        compare(libraryOf(`fn test(a: i64) -> bool { return !(${constant} ${operator} a); }`), 'test', each);
      }
    });

  it('i32: every operator and comparison', () => {
    for (const operator of OPERATORS) {
      const operands = pairs(NARROW).filter(([a, b]) => defined(operator, 32n, a!, b!));
      compare(libraryOf(`fn test(a: i32, b: i32) -> i32 { return a ${operator} b; }`), 'test', operands);
    }
    for (const operator of COMPARISONS)
      compare(libraryOf(`fn test(a: i32, b: i32) -> bool { return a ${operator} b; }`), 'test', pairs(NARROW));
  });

  it('rotations by any count', () => {
    for (const name of ['rotl', 'rotr']) {
      compare(libraryOf(`fn test(a: i64, b: i64) -> i64 { return ${name}(a, b); }`), 'test', pairs(WIDE));
      compare(libraryOf(`fn test(a: i32, b: i32) -> i32 { return ${name}(a, b); }`), 'test', pairs(NARROW));
      for (const count of [0, 1, 31, 32, 33, 63])
        compare(
          libraryOf(`fn test(a: i64) -> i64 { return ${name}(a, ${count}); }`),
          'test',
          WIDE.map((a) => [a]),
        );
    }
  });

  it('operators of one operand', () => {
    for (const name of ['-', '~', 'clz', 'ctz', 'popcnt', 'sext8', 'zext8', 'sext16', 'zext16'])
      for (const [type, values] of [
        ['i64', WIDE],
        ['i32', NARROW],
      ] as [Type, bigint[]][])
        compare(
          libraryOf(`fn test(a: ${type}) -> ${type} { return ${name}(a); }`),
          'test',
          values.map((a) => [a]),
        );
    for (const name of ['sext32', 'zext32'])
      compare(
        libraryOf(`fn test(a: i64) -> i64 { return ${name}(a); }`),
        'test',
        WIDE.map((a) => [a]),
      );
    for (const name of ['sext64', 'zext64'])
      compare(
        libraryOf(`fn test(a: i32) -> i64 { return ${name}(a); }`),
        'test',
        NARROW.map((a) => [a]),
      );
    compare(
      libraryOf('fn test(a: i32) -> i64 { return zext64(a == 1) + zext64(bit(a != 2)); }'),
      'test',
      NARROW.map((a) => [a]),
    );
  });

  it('floats: operators, comparisons, changes of type', () => {
    const operands = DOUBLES.flatMap((a) => DOUBLES.map((b) => [a, b]));
    const singles = operands.map((each) => each.map(Math.fround));
    for (const operator of ['+', '-', '*', '/']) {
      // The bits of a NaN that the host made are not defined.
      const bits = `let c = a ${operator} b; return c == c ? asI64(c) : 0;`;
      compare(libraryOf(`fn test(a: f64, b: f64) -> i64 { ${bits} }`), 'test', operands);
      const narrow = `let c = a ${operator} b; return c == c ? asI32(c) : 0;`;
      compare(libraryOf(`fn test(a: f32, b: f32) -> i32 { ${narrow} }`), 'test', singles);
    }
    for (const operator of ['==', '!=', '<', '<=', '>', '>=']) {
      const withNaN = [...operands, [NaN, 1], [1, NaN], [NaN, NaN]];
      compare(libraryOf(`fn test(a: f64, b: f64) -> bool { return a ${operator} b; }`), 'test', withNaN);
      compare(libraryOf(`fn test(a: f64, b: f64) -> bool { return !(a ${operator} b); }`), 'test', withNaN);
    }
    compare(
      libraryOf('fn test(a: i64) -> f64 { return asF64(a) + asF64(a ^ 1); }'),
      'test',
      WIDE.filter((a) => (a >> 52n) % 2048n !== 2047n).map((a) => [a]),
    );
    compare(
      libraryOf('fn test(a: f64) -> f32 { return demote(sqrt(abs(a)) * -a); }'),
      'test',
      DOUBLES.map((a) => [a]),
    );
    compare(
      libraryOf('fn test(a: i32) -> f64 { return signedToF64(a) + unsignedToF64(a) / promote(asF32(0x3fc00000)); }'),
      'test',
      NARROW.map((a) => [a]),
    );
    compare(
      libraryOf('fn test(a: f64) -> i32 { return truncateToI32(a); }'),
      'test',
      DOUBLES.filter((a) => Math.abs(a) < 2 ** 31).map((a) => [a]),
    );
  });
});

describe('lowering of statements', () => {
  const PROGRAM = `
    global extra: i64;
    global truth: bool;
    fn small(a: i64, b: i64) -> i64 { let c = a + b; return c ^ (a >>u 3); }
    fn early(a: i64, b: i64) -> i64 {
      if (a == b) { return 7; }
      var n = a;
      if (b <s 0) { n = -n; if (n == 3) { return n; } }
      return n * b;
    }
    fn flags(a: i32) -> i32 { if (a <s 0) { raise(16); } extra = zext64(a) << 5; truth = a == 5; raise(a & 1); return a + 1; }
    fn none(a: i32) { raise(a & 2); }
    fn long(a: i64, b: i64) -> i64 {
      var low = a; var high = b; var n: i32 = 0;
      while (high != 0 && n <s 70) {
        let carry = (low & high) << 1;
        low = low ^ high;
        high = carry;
        n = n + 1;
      }
      return low;
    }
    fn swapping(a: i64) -> i64 { var x = a; x = (x << 32) | (x >>u 32); x = x + 1; return x; }
    fn viaFloat(a: i64, b: i64) -> i64 { let r = asF64(a) + asF64(b); return r != r ? 0x7ff8000000000000 : asI64(r); }
    fn chosen(a: i64, b: i64) -> i64 { return a <u b ? small(a, b) : flags(low32(a)) == 0 ? long(a, b) : extra; }`;
  const TESTS: Readonly<Record<string, string>> = {
    'a function put in place': 'return small(a, b) + small(b, a);',
    'returns before the end': 'let x = early(a, b); let y = early(b, a); return x ^ (y << 1);',
    'a loop': 'return long(a, b);',
    'a variable whose halves change places': 'return swapping(a) - swapping(b);',
    'globals and flags, left to right':
      'let f = zext64(flags(low32(a))); let e = extra; let g = flags(low32(b)); return f + e + zext64(g) * extra + zext64(truth);',
    'left to right inside one expression':
      'return zext64(flags(low32(a))) + extra * zext64(flags(low32(b))) + (truth ? extra : 0);',
    'a choice that calls': 'return chosen(a, b);',
    'and, or: the right side only where it decides':
      'return zext64((a == 0 || flags(low32(b)) == 1) && (b <s 5 || flags(low32(a)) == 2));',
    'a call for its effects': 'none(low32(a)); if (b == 0) { none(3); } return 0;',
    'conditions known before': 'if (true) { return a; } return b;',
    'both branches of an if':
      'var r: i64 = 1; if (a <u b) { r = a; } else if (a == b) { r = 5; } else { r = b - a; } return r;',
    'one half of a variable': 'var r = a; var s = b; if (a <s b) { s = r; } r = s + 1; return zext64(low32(r));',
  };
  for (const inlines of [true, false])
    for (const [title, body] of Object.entries(TESTS))
      it(`${title}${inlines ? '' : ', with every function called'}`, () => {
        const library = libraryOf(`${PROGRAM}\nfn test(a: i64, b: i64) -> i64 { ${body} }`);
        compare(library, 'test', pairs(WIDE), inlines);
      });

  for (const inlines of [true, false])
    it(`a float that passes through functions as bits${inlines ? '' : ', with every function called'}`, () => {
      const library = libraryOf(`${PROGRAM}\nfn test(a: i64, b: i64) -> i64 { return viaFloat(viaFloat(a, b), b); }`);
      const bits = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
      compare(library, 'test', pairs(DOUBLES.map(bits)), inlines);
    });

  it('computes nothing that nobody reads', () => {
    const library = libraryOf('fn test(a: i64, b: i64) -> i32 { let c = a * b; let d = c >>u 5; return low32(c); }');
    const { text } = compiled(library, true);
    assert.doesNotMatch(text.slice(text.indexOf('function')), /multiplyHigh|>>>|_h/);
  });
});

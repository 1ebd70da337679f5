import assert from 'node:assert/strict';
import { encode, parseIntegerLiteral, writesFor } from '../../../debug-adapter/inspect/variables/encode';
import { decodeFloat, encodeFloat, formatFloat } from '../../../debug-adapter/inspect/variables/floats';
import { toBytes, type Place } from '../../../debug-adapter/inspect/variables/place';
import { characterLiteral, MAX_STRING, readString, stringLiteral } from '../../../debug-adapter/inspect/variables/text';
import { Value } from '../../../debug-adapter/inspect/variables/value';
import { evaluateExpression } from '../../../debug-adapter/inspect/evaluate/evaluate';
import type { BaseType, EnumType, Type } from '../../../debug-adapter/symbols/dwarf/info/model';
import { stopAt } from '../dwarf-info/tour';

const base = (name: string, size: number, encoding: BaseType['encoding']): BaseType => ({
  kind: 'base',
  name,
  size,
  encoding,
});
const INT = base('int', 4, 'signed');
const FLAGS: EnumType = {
  kind: 'enum',
  name: 'flags',
  size: 4,
  signed: false,
  enumerators: [
    { name: 'READ', value: 1n },
    { name: 'WRITE', value: 2n },
  ],
};
const hex = (result: Uint8Array | { error: string }): string =>
  'error' in result ? result.error : Buffer.from(result).toString('hex');

describe('Setting a value', () => {
  it('takes numbers, characters, names and signs as C writes them', () => {
    assert.equal(hex(encode(INT, '42')), '2a000000');
    assert.equal(hex(encode(INT, ' -1 ')), 'ffffffff');
    assert.equal(hex(encode(INT, '0xffffffff')), 'ffffffff');
    assert.equal(hex(encode(INT, '017')), '0f000000');
    assert.equal(hex(encode(base('char', 1, 'unsignedChar'), "'\\n'")), '0a');
    assert.equal(hex(encode(base('_Bool', 1, 'boolean'), 'true')), '01');
    assert.equal(hex(encode(base('float', 4, 'float'), '1.5f')), '0000c03f');
    assert.equal(hex(encode(base('double', 8, 'float'), '-2')), '00000000000000c0');
    assert.equal(hex(encode(FLAGS, 'READ | WRITE')), '03000000');
    assert.equal(hex(encode({ kind: 'pointer', size: 8, symbol: '*', target: INT }, 'NULL')), '0000000000000000');
  });

  it('refuses what does not fit, and says what would', () => {
    assert.equal(hex(encode(INT, '2147483648')), '2147483648 does not fit int: it holds -2147483648 to 2147483647.');
    assert.equal(
      hex(encode(base('unsigned char', 1, 'unsignedChar'), '-1')),
      '-1 does not fit unsigned char: it holds 0 to 255.',
    );
    assert.equal(hex(encode(base('_Bool', 1, 'boolean'), '2')), '2 does not fit _Bool: it holds 0 to 1.');
    assert.equal(hex(encode(INT, 'x + 1')), "'x + 1' is not a value of type int.");
    assert.equal(hex(encode(FLAGS, 'EXECUTE')), "'EXECUTE' is not a value of type enum flags. It has READ, WRITE.");
    const array: Type = { kind: 'array', element: INT, count: 2, bound: undefined };
    assert.equal(hex(encode(array, '{1, 2}')), 'A value of type int [2] cannot be set as a whole; set its parts.');
  });

  it('a bit field is merged with its neighbours, and refuses what it is too narrow for', () => {
    const { scope } = stopAt('gcc-v5-O0', 'in-run');
    const field = (name: string): Value => {
      const value = evaluateExpression(`sample.${name}`, scope);
      assert.ok(value instanceof Value);
      return value;
    };
    const before = scope.context.readMemory(scope.lookUp('sample')!.address!, 8)!;
    const write = writesFor(field('delta'), '15');
    assert.ok('kind' in write && write.kind === 'memory');
    const after = before.slice();
    after.set(write.bytes, Number(write.address - scope.lookUp('sample')!.address!));
    const patched = new Value(
      'sample',
      scope.lookUp('sample')!.type,
      { location: { kind: 'value', bytes: Uint8Array.from([...after, ...new Uint8Array(24)]) }, offset: 0 },
      scope.context,
    );
    assert.deepEqual(
      patched.children(0, 4).map((v) => v.text()),
      ['5', '1', '15', '737894400291'],
    );
    assert.equal('error' in writesFor(field('delta'), '16') ? 'refused' : '', 'refused');
    assert.equal('error' in writesFor(field('version'), '8') ? 'refused' : '', 'refused');
  });

  it('a register keeps the form that the calling convention gives it', () => {
    const context = { readMemory: () => undefined, readRegister: () => 0x1111222233334444n };
    const inRegister = (type: Type, register: number, offset = 0): Value =>
      new Value('r', type, { location: { kind: 'register', register }, offset } satisfies Place, context);
    assert.deepEqual(writesFor(inRegister(INT, 10), '-2'), {
      kind: 'register',
      register: 10,
      value: 0xfffffffffffffffen,
    });
    assert.deepEqual(writesFor(inRegister(base('unsigned int', 4, 'unsigned'), 10), '0x80000000'), {
      kind: 'register',
      register: 10,
      value: 0xffffffff80000000n,
    });
    assert.deepEqual(writesFor(inRegister(base('unsigned char', 1, 'unsignedChar'), 10), '200'), {
      kind: 'register',
      register: 10,
      value: 200n,
    });
    assert.deepEqual(writesFor(inRegister(base('float', 4, 'float'), 42), '1.5'), {
      kind: 'register',
      register: 42,
      value: 0xffffffff3fc00000n,
    });
    // The upper half of a struct that lives in a register.
    assert.deepEqual(writesFor(inRegister(INT, 10, 4), '1'), { kind: 'register', register: 10, value: 0x133334444n });
  });

  it('a value that is nowhere cannot be set, and the reason is given', () => {
    const context = { readMemory: () => undefined, readRegister: () => undefined };
    const at = (location: Place['location']): string => {
      const write = writesFor(new Value('v', INT, { location, offset: 0 }, context), '1');
      return 'error' in write ? write.error : 'no error';
    };
    assert.equal(at({ kind: 'unavailable', reason: 'optimised out' }), 'It cannot be set: optimised out.');
    assert.equal(
      at({ kind: 'value', bytes: new Uint8Array(4) }),
      'It cannot be set: the compiler keeps this value nowhere.',
    );
    assert.equal(at({ kind: 'pieces', pieces: [] }), 'It cannot be set: its parts are in several places.');
  });

  it('literals that C does not have are none', () => {
    for (const text of ['', '-', '08', '0x', '1.5', 'abc', "''", "'ab'", "'\\'", '1 2', '1ulx'])
      assert.equal(parseIntegerLiteral(text), undefined, text);
    assert.equal(parseIntegerLiteral('0b101'), 5n);
    assert.equal(parseIntegerLiteral("'\\x41'"), 65n);
    assert.equal(parseIntegerLiteral('10UL'), 10n);
  });
});

describe('Floating point as text', () => {
  it('is the shortest decimal that reads back as the same number', () => {
    const single = (value: number): string => formatFloat(encodeFloat(value, 4)!)!;
    assert.equal(single(0.1), '0.1');
    assert.equal(single(16777216), '16777216');
    assert.equal(single(3.4028234663852886e38), '3.4028235e+38');
    for (const value of [0, -0, NaN, Infinity, -Infinity, 1e-45])
      assert.equal(Object.is(decodeFloat(encodeFloat(value, 4)!), Math.fround(value)), true, String(value));
  });

  it('has the exact digits of 16-byte and 2-byte numbers', () => {
    const quad = (value: number): string => formatFloat(encodeFloat(value, 16)!)!;
    assert.equal(quad(1), '1');
    assert.equal(quad(-0), '-0');
    assert.equal(quad(0.1), '0.1000000000000000055511151231257827');
    assert.equal(quad(1e300), '1.00000000000000005250476025520442e+300');
    assert.equal(quad(5e-324), '4.940656458412465441765687928682214e-324');
    assert.equal(quad(123456.75), '123456.75');
    assert.equal(formatFloat(toBytes((1n << 112n) - 1n, 16)), '3.362103143112093506262677817321752e-4932');
    assert.equal(formatFloat(toBytes(0x7ffen << 112n, 16)), '5.948657476786158825428796633140036e+4931');
    assert.equal(formatFloat(toBytes(0x3c00n, 2)), '1');
    assert.equal(formatFloat(toBytes(0x7bffn, 2)), '65504');
    assert.equal(formatFloat(toBytes(0x0001n, 2)), '5.9605e-8');
    assert.equal(formatFloat(new Uint8Array(10)), undefined);
  });
});

describe('Text from the program', () => {
  const memory = (bytes: Uint8Array, base = 0x1000n) => ({
    readRegister: () => undefined,
    readMemory: (address: bigint, length: number) => {
      const offset = Number(address - base);
      return offset >= 0 && offset + length <= bytes.length ? bytes.subarray(offset, offset + length) : undefined;
    },
  });

  it('control characters, quotes and broken UTF-8 are escaped; visible UTF-8 stays', () => {
    assert.equal(stringLiteral(new TextEncoder().encode('a"b\\\n\u0007\u001b[31m')), '"a\\"b\\\\\\n\\a\\033[31m"');
    assert.equal(stringLiteral(new TextEncoder().encode('蓬莱 é')), '"蓬莱 é"');
    assert.equal(stringLiteral(Uint8Array.of(0xff, 0xc3, 0x28, 0xe8, 0x93)), '"\\377\\303(\\350\\223"');
    // A character that turns the text around it to the other direction must not reach the screen.
    assert.equal(stringLiteral(new TextEncoder().encode('\u202e')), '"\\342\\200\\256"');
    assert.equal(characterLiteral(0x27), "'\\''");
    assert.equal(characterLiteral(0), "'\\000'");
  });

  it('long strings are cut, and strings are read up to the page that is missing', () => {
    assert.equal(readString(memory(new Uint8Array(4096).fill(0x61)), 0x1000n), `"${'a'.repeat(MAX_STRING)}"…`);
    assert.equal(readString(memory(new TextEncoder().encode('x'.repeat(60) + 'abc\0')), 0x103cn), '"abc"');
    assert.equal(readString(memory(new Uint8Array(64).fill(0x62)), 0x103en), '"bb"… <cannot read on>');
    assert.equal(readString(memory(new Uint8Array(64)), 0x9000n), undefined);
  });
});

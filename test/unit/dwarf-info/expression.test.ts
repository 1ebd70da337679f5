import assert from 'node:assert/strict';
import {
  evaluate,
  MAX_STACK,
  type EvaluationContext,
  type ExpressionUnit,
} from '../../../debug-adapter/symbols/dwarf/expression/evaluate';
import type { Location } from '../../../debug-adapter/symbols/dwarf/expression/location';
import { Op } from '../../../debug-adapter/symbols/dwarf/expression/opcodes';
import { Bytes } from './builder';
import { random } from './exercise';

const unit: ExpressionUnit = {
  addressSize: 8,
  offsetSize: 4,
  addressAt: (index) => 0x5000n + BigInt(index),
  baseTypeAt: (offset) =>
    offset === 4
      ? { size: 4, signed: true, isFloat: false }
      : offset === 8
        ? { size: 8, signed: true, isFloat: false }
        : offset === 1
          ? { size: 1, signed: false, isFloat: false }
          : undefined,
  expressionAt: (offset) =>
    offset === 9 ? Uint8Array.of(Op.call4, 9, 0, 0, 0) : offset === 7 ? Uint8Array.of(Op.lit0 + 7) : undefined,
};
const context: EvaluationContext = {
  readMemory: (address, length) =>
    address === 0x100n ? Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0).subarray(0, length) : undefined,
  readRegister: (register) => (register < 32 ? BigInt(register * 0x10) : undefined),
  frameBase: () => 0x8000n,
  cfa: () => 0x9000n,
};

const run = (...bytes: number[]): Location => evaluate(Uint8Array.from(bytes), context, unit);
const value = (location: Location): bigint => {
  assert.equal(
    location.kind,
    'memory',
    JSON.stringify(location, (_, v) => (typeof v === 'bigint' ? String(v) : v)),
  );
  return location.kind === 'memory' ? location.address : 0n;
};
const reason = (location: Location): string =>
  location.kind === 'unavailable' ? location.reason : `not unavailable: ${location.kind}`;
const lit = (n: number): number => Op.lit0 + n;

describe('DWARF expressions', () => {
  it('an address is moved by the load bias, a constant is not', () => {
    const biased = { ...context, loadBias: 0x1000n };
    const addr = new Bytes().u8(Op.addr).u64(0x400n).done;
    assert.equal(value(evaluate(addr, biased, unit)), 0x1400n);
    assert.equal(value(evaluate(Uint8Array.of(Op.addrx, 2), biased, unit)), 0x6002n);
    assert.equal(value(evaluate(Uint8Array.of(Op.constx, 2), biased, unit)), 0x5002n);
  });

  it('constants of every width push their value, signed ones sign-extended to an address', () => {
    assert.equal(value(run(Op.const1u, 0xff)), 0xffn);
    assert.equal(value(run(Op.const1s, 0xff)), 0xffffffffffffffffn);
    assert.equal(value(run(Op.const2u, 0xfe, 0xff)), 0xfffen);
    assert.equal(value(run(Op.const2s, 0xfe, 0xff)), 0xfffffffffffffffen);
    assert.equal(value(run(Op.const4u, 1, 2, 3, 4)), 0x04030201n);
    assert.equal(value(run(Op.const4s, 0, 0, 0, 0x80)), 0xffffffff80000000n);
    assert.equal(value(run(Op.constu, 0x80, 1)), 0x80n);
    assert.equal(value(run(Op.consts, 0x7f)), 0xffffffffffffffffn);
    assert.equal(value(run(lit(31))), 31n);
  });

  it('breg, bregx, fbreg and call_frame_cfa add to what the frame knows', () => {
    assert.equal(value(run(Op.breg0 + 2, 0x78)), 0x18n);
    assert.equal(value(run(Op.bregx, 31, 0x7f)), 0x1efn);
    assert.equal(value(run(Op.fbreg, 0x70)), 0x7ff0n);
    assert.equal(value(run(Op.call_frame_cfa)), 0x9000n);
  });

  it('arithmetic wraps at 64 bits; div is signed, mod and shr unsigned, shra signed', () => {
    assert.equal(value(run(lit(1), lit(2), Op.minus)), 0xffffffffffffffffn);
    assert.equal(value(run(Op.const1s, 0xf9, lit(2), Op.div)), 0xfffffffffffffffdn);
    assert.equal(value(run(Op.const1s, 0xff, lit(10), Op.mod)), 0xffffffffffffffffn % 10n);
    assert.equal(value(run(Op.const1s, 0xff, lit(4), Op.shr)), 0x0fffffffffffffffn);
    assert.equal(value(run(Op.const1s, 0xf0, lit(4), Op.shra)), 0xffffffffffffffffn);
    assert.equal(value(run(lit(1), Op.const1u, 200, Op.shl)), 0n);
    assert.equal(value(run(lit(6), lit(3), Op.xor, lit(8), Op.or, lit(9), Op.and)), 9n);
    assert.equal(value(run(Op.const1s, 0xfb, Op.abs, Op.plus_uconst, 0x81, 1)), 134n);
    assert.equal(value(run(lit(1), Op.neg, Op.not)), 0n);
  });

  it('dup, over, pick, swap, rot and drop move values as the standard shows', () => {
    assert.equal(value(run(lit(1), lit(2), Op.over, Op.minus, Op.minus)), 0n);
    assert.equal(value(run(lit(9), lit(2), Op.swap, Op.minus)), BigInt.asUintN(64, -7n));
    // rot: [1, 2, 3] becomes [3, 1, 2].
    assert.equal(value(run(lit(1), lit(2), lit(3), Op.rot, Op.minus, Op.minus)), 4n);
    assert.equal(value(run(lit(5), lit(6), lit(7), Op.pick, 2)), 5n);
    assert.equal(value(run(lit(5), Op.dup, Op.mul, lit(1), Op.drop)), 25n);
  });

  it('comparisons are signed, and bra and skip jump', () => {
    assert.equal(value(run(Op.const1s, 0xff, lit(1), Op.lt)), 1n);
    assert.equal(value(run(lit(1), Op.bra, 2, 0, lit(5), lit(6), lit(7))), 7n);
    assert.equal(value(run(lit(3), Op.skip, 1, 0, lit(9), Op.nop)), 3n);
    for (const [op, expected] of [
      [Op.eq, 0n],
      [Op.ne, 1n],
      [Op.ge, 0n],
      [Op.gt, 0n],
      [Op.le, 1n],
    ] as const)
      assert.equal(value(run(lit(1), lit(2), op)), expected);
  });

  it('deref reads memory and says which address could not be read', () => {
    assert.equal(value(run(Op.const2u, 0, 1, Op.deref)), 0x1fffffffen);
    assert.equal(value(run(Op.const2u, 0, 1, Op.deref_size, 2)), 0xfffen);
    assert.equal(reason(run(lit(16), Op.deref)), 'cannot read memory at 0x10');
    assert.match(reason(run(lit(16), Op.deref_size, 99)), /reads 99 bytes/);
  });

  it('registers, values and implicit values are locations of their own', () => {
    assert.deepEqual(run(Op.reg0 + 10), { kind: 'register', register: 10 });
    assert.deepEqual(run(Op.regx, 40), { kind: 'register', register: 40 });
    assert.deepEqual(run(lit(3), Op.stack_value), { kind: 'value', bytes: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0) });
    assert.deepEqual(run(Op.implicit_value, 2, 7, 8), { kind: 'value', bytes: Uint8Array.of(7, 8) });
  });

  it('pieces keep their order, and one without a location is optimised out', () => {
    const location = run(Op.reg0 + 9, Op.piece, 4, Op.piece, 4, lit(8), Op.bit_piece, 3, 5);
    assert.deepEqual(location, {
      kind: 'pieces',
      pieces: [
        { location: { kind: 'register', register: 9 }, bitOffset: 0, bitSize: 32 },
        { location: { kind: 'unavailable', reason: 'optimised out' }, bitOffset: 0, bitSize: 32 },
        { location: { kind: 'memory', address: 8n }, bitOffset: 5, bitSize: 3 },
      ],
    });
  });

  it('typed values are sign-extended when they are converted', () => {
    // breg10+0 is 0xa0; as an unsigned byte, then as a signed 32-bit number, then as a 64-bit one.
    assert.deepEqual(run(Op.breg0 + 10, 0, Op.convert, 1, Op.convert, 4, Op.convert, 8, Op.stack_value), {
      kind: 'value',
      bytes: Uint8Array.of(0xa0, 0, 0, 0, 0, 0, 0, 0),
    });
    const negative = run(Op.const_type, 4, 4, 0xff, 0xff, 0xff, 0xff, Op.convert, 8, Op.stack_value);
    assert.deepEqual(negative, { kind: 'value', bytes: new Uint8Array(8).fill(0xff) });
    assert.deepEqual(
      run(Op.const2u, 0, 1, Op.deref_type, 4, 4, Op.const_type, 4, 4, 2, 0, 0, 0, Op.mul, Op.stack_value),
      {
        kind: 'value',
        bytes: Uint8Array.of(0xfc, 0xff, 0xff, 0xff),
      },
    );
    assert.match(reason(run(lit(1), Op.convert, 3)), /names a type that is not there/);
  });

  it('what cannot be known says why', () => {
    assert.equal(reason(run()), 'optimised out');
    assert.equal(reason(run(Op.entry_value, 1, Op.reg0 + 10, Op.stack_value)), 'optimised out');
    assert.match(reason(run(Op.implicit_pointer, 0, 0, 0, 0, 0)), /not in memory/);
    assert.match(reason(run(lit(1), Op.form_tls_address)), /thread-local/);
    assert.equal(reason(run(Op.breg0 + 31, 0, Op.bregx, 40, 0)), 'cannot read register 40 in this frame');
    assert.match(
      reason(evaluate(Uint8Array.of(Op.fbreg, 0), { ...context, frameBase: () => undefined }, unit)),
      /frame base .* not known/,
    );
    assert.match(
      reason(evaluate(Uint8Array.of(Op.call_frame_cfa), { ...context, cfa: () => undefined }, unit)),
      /canonical frame address/,
    );
    assert.match(reason(run(Op.push_object_address)), /object/);
  });

  it('an entry value that the caller knows is used', () => {
    const knowing = {
      ...context,
      entryValue: (expression: Uint8Array) => (expression[0] === Op.reg0 + 10 ? 77n : undefined),
    };
    assert.equal(value(evaluate(Uint8Array.of(Op.entry_value, 1, Op.reg0 + 10), knowing, unit)), 77n);
  });

  it('call runs the location of another entry on the same stack', () => {
    assert.equal(value(run(lit(2), Op.call2, 7, 0, Op.mul)), 14n);
    assert.equal(value(run(lit(2), Op.call_ref, 5, 0, 0, 0)), 2n);
  });

  describe('malformed ones end', () => {
    it('loops, calls of themselves, and stacks without end', () => {
      assert.match(reason(run(Op.skip, 0xfd, 0xff)), /more than 10000 steps/);
      assert.match(reason(run(Op.call4, 9, 0, 0, 0)), /more than 16 deep/);
      assert.match(
        reason(evaluate(new Uint8Array(MAX_STACK + 1).fill(Op.lit0), context, unit)),
        /more than 1024 values/,
      );
    });

    it('empty stacks, cut operands, wild jumps, unknown operations, division by zero', () => {
      assert.match(reason(run(Op.plus)), /empty stack/);
      assert.match(reason(run(lit(1), Op.pick, 1)), /empty stack/);
      assert.match(reason(run(Op.const4u, 1)), /malformed: expression\+0x1: needs 4 bytes, 1 remain/);
      assert.match(reason(run(Op.skip, 0xff, 0x7f)), /outside the section/);
      assert.match(reason(run(0xff)), /unknown operation 0xff/);
      assert.match(reason(run(lit(1), lit(0), Op.div)), /divides by zero/);
      assert.match(reason(run(Op.piece, 0xff, 0xff, 0xff, 0x7f)), /pieces of more than 65536 bytes/);
    });

    it('random bytes always give a location', () => {
      const next = random(7);
      const kinds = new Set<string>();
      for (let i = 0; i < 5_000; i++) {
        const bytes = Uint8Array.from({ length: 1 + next(12) }, () => (next(3) === 0 ? next(256) : lit(next(32))));
        kinds.add(evaluate(bytes, context, unit).kind);
      }
      assert.deepEqual([...kinds].sort(), ['memory', 'pieces', 'register', 'unavailable', 'value']);
    });
  });
});

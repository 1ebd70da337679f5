/** Calls among the instructions of a line. */
import assert from 'node:assert/strict';
import { callsIn } from '../../../debug-adapter/target/code';
import { encode } from './encode';

const inside = (address: number) => address >= 0x1000 && address < 0x1100;
const calls = (...words: number[]) =>
  callsIn(encode(...words), 0x1000, 0x1000 + 4 * words.length, inside).map(({ address, tail, target }) => ({
    ...{ address, tail },
    target: target((register) => (register === 10 ? 0x2345 : register === 0 ? 0 : 0x1010)),
  }));

describe('The calls of a line', () => {
  it('are jumps that link', () => {
    // addi a0, a0, 1; jal ra, +0x400
    assert.deepEqual(calls(0x0015_0513, 0x4000_00ef), [{ address: 0x1004, tail: false, target: 0x1404 }]);
  });

  it('through a register go where the register says, with bit 0 cleared', () => {
    assert.deepEqual(calls(0x0005_00e7), [{ address: 0x1000, tail: false, target: 0x2344 }]); // jalr ra, 0(a0)
  });

  it('include a jump out of the function, and not one inside it', () => {
    assert.deepEqual(calls(0x4000_006f, 0x0080_006f), [{ address: 0x1000, tail: true, target: 0x1400 }]); // j +0x400; j +8
  });

  it('do not include a return', () => {
    assert.deepEqual(calls(0x0000_8067), []); // ret
  });

  it('do not include a switch that stays inside the function', () => {
    assert.deepEqual(calls(0x0007_8067), [{ address: 0x1000, tail: true, target: undefined }]); // jr a5, to 0x1010
  });

  it('are found in compressed code', () => {
    const code = new Uint8Array([0x01, 0x00, 0x02, 0x95]); // c.nop; c.jalr a0
    const [call] = callsIn(code, 0x1000, 0x1004, inside);
    assert.equal(call!.address, 0x1002);
    assert.equal(
      call!.target(() => 0x2000),
      0x2000,
    );
  });

  it('of cut and undefined code end without a fault', () => {
    assert.deepEqual(callsIn(new Uint8Array([0xff]), 0x1000, 0x1001, inside), []);
    assert.deepEqual(callsIn(new Uint8Array([0xff, 0xff, 0xff]), 0x1000, 0x1003, inside), []);
  });
});

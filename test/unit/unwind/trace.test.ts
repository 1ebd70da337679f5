import assert from 'node:assert/strict';
import type { FoundBy } from '../../../debug-adapter/inspect/unwind/unwind';
import { StackWalk } from '../../../debug-adapter/inspect/unwind/stack-walk';
import { fixture } from '../../fixtures/elf/fixtures';
import { playTrace } from '../../fixtures/elf/trace';

const [RA, SP] = [1, 2];
const CALLEE_SAVED = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

/** What a call left behind, noted when it happened. */
interface Call {
  /** Where the callee returns to. */
  readonly returnTo: bigint;
  /** The stack pointer and the preserved registers at the call: the caller's when the callee returns. */
  readonly sp: bigint;
  readonly preserved: readonly (bigint | undefined)[];
}

/**
 * Unwinds before every instruction of a recorded run and compares with the calls that really happened: a call is an instruction
 * that puts the address behind itself into ra and continues elsewhere, a return continues where the last call said.
 */
function compare(name: string): { steps: number; deepest: number; foundBy: Set<FoundBy | 'hart'> } {
  const elf = fixture(name);
  const calls: Call[] = [];
  const foundBy = new Set<FoundBy | 'hart'>();
  let last: { pc: bigint; sp: bigint; preserved: (bigint | undefined)[] } | undefined;
  let deepest = 0;
  const steps = playTrace(name, elf, (registers, memory) => {
    const { pc } = registers;
    const [ra, sp] = [registers.get(RA)!, registers.get(SP)!];
    const distance = last && ra - last.pc;
    const called = last && (distance === 2n || distance === 4n) && pc !== ra && (pc < last.pc || pc > last.pc + 4n);
    if (called) calls.push({ returnTo: ra, sp: last!.sp, preserved: last!.preserved });
    else if (calls.at(-1)?.returnTo === pc) calls.pop();
    last = { pc, sp, preserved: CALLEE_SAVED.map((register) => registers.get(register)) };
    deepest = Math.max(deepest, calls.length);

    const walk = new StackWalk(registers, memory, 100);
    const frames = walk.frames(0, 100);
    const where = `${name} at 0x${pc.toString(16)}: ${walk.end?.end}`;
    assert.deepEqual(
      frames.map((frame) => frame.pc),
      [pc, ...calls.map(({ returnTo }) => returnTo).reverse()],
      where,
    );
    [...calls].reverse().forEach(({ sp: expected, preserved }, i) => {
      const caller = frames[i + 1]!;
      assert.equal(frames[i]!.cfa, expected, `${where}, CFA of frame ${i}`);
      assert.equal(caller.registers.get(SP), expected, `${where}, sp of frame ${i + 1}`);
      CALLEE_SAVED.forEach((register, n) =>
        assert.equal(caller.registers.get(register), preserved[n], `${where}, x${register} of frame ${i + 1}`),
      );
      foundBy.add(caller.foundBy);
    });
    assert.equal(walk.end?.isError, false, where);
  });
  return { steps, deepest, foundBy };
}

describe('The stack before every instruction of a run', () => {
  for (const name of ['o0-dwarf5', 'o1-dwarf4', 'clang-dwarf5'])
    it(`is found by call frame information: ${name}`, () => {
      const { steps, deepest, foundBy } = compare(name);
      assert.ok(steps > 200 && deepest >= 5);
      assert.deepEqual([...foundBy], ['cfi']);
    });
  for (const name of ['o0-bare', 'o1-bare'])
    it(`is found by reading the code where there is none: ${name}`, () => {
      const { deepest, foundBy } = compare(name);
      assert.ok(deepest >= 5);
      assert.deepEqual([...foundBy].sort(), ['epilogue', 'prologue', 'ra']);
    });
});

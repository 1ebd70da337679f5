import assert from 'node:assert/strict';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { RegisterSet, unwindFrame, type UnwindContext } from '../../../debug-adapter/inspect/unwind/unwind';
import { StackWalk } from '../../../debug-adapter/inspect/unwind/stack-walk';
import { ElfFile } from '../../../debug-adapter/symbols/elf/elf';
import { makeElf, TEXT, Writer } from '../../fixtures/elf/build-elf';
import { damaged, fixture, fixtureBytes, randomNumbers } from '../../fixtures/elf/fixtures';
import { TestMemory } from '../../fixtures/elf/trace';

const [RA, SP, S0, A0] = [1, 2, 8, 10];
const STACK = 0x10000n;
const TOP = 0x20000n;
const START = BigInt(TEXT);

const registers = (pc: bigint, values: Readonly<Record<number, bigint>>): RegisterSet =>
  RegisterSet.ofHart(pc, (register) => values[register]);

/** Call frame information for `TEXT` to `TEXT + 0x100`: the CFA is sp. */
function withFrames(instructions: readonly number[], augmentation = ''): TestMemory {
  const cie = new Writer().u32(0xffffffff).u8(1).text(augmentation).uleb(1).sleb(-8).u8(RA);
  if (augmentation) cie.uleb(0);
  cie.u8(0x0c, SP, 0);
  const fde = new Writer()
    .u32(0)
    .u64(TEXT)
    .u64(0x100)
    .add(augmentation ? [0] : [])
    .add(instructions);
  const elf = makeElf({ '.debug_frame': new Writer().sized(cie).sized(fde) });
  return new TestMemory(elf, 0n, STACK, TOP);
}

describe('A frame with call frame information', () => {
  it('gives back a saved register, tells where it is, and forgets what a call may destroy', () => {
    const memory = withFrames([0x0e, 32, 0x81, 1, 0x88, 2]); // CFA sp+32, ra at -8, s0 at -16
    memory.words.set(STACK + 24n, START + 0x40n).set(STACK + 16n, 77n);
    const found = unwindFrame(registers(START, { [RA]: 1n, [SP]: STACK, [S0]: 5n, 9: 6n, [A0]: 7n }), true, memory);
    assert.ok('registers' in found);
    assert.equal(found.registers.pc, START + 0x40n);
    assert.equal(found.registers.get(SP), STACK + 32n);
    assert.equal(found.registers.get(S0), 77n);
    assert.deepEqual(found.registers.homeOf(S0), { memory: STACK + 16n });
    assert.equal(found.registers.get(9), 6n);
    assert.deepEqual(found.registers.homeOf(9), { register: 9 });
    assert.equal(found.registers.get(A0), undefined);
    assert.equal(found.foundBy, 'cfi');
  });

  it('may compute the CFA and the place of a register by expressions', () => {
    // CFA: s0 + 16; ra: saved where CFA - 8 points.
    const memory = withFrames([0x0f, 2, 0x78, 16, 0x10, RA, 3, 0x38, 0x1c, 0x06]);
    memory.words.set(STACK + 8n, STACK + 64n).set(STACK + 64n, START + 0x20n);
    const found = unwindFrame(registers(START, { [SP]: STACK, [S0]: STACK }), true, memory);
    assert.ok('registers' in found, 'end' in found ? found.end : '');
    assert.equal(found.cfa, STACK + 16n);
    assert.equal(found.registers.pc, START + 0x20n);
  });

  it('is the outermost when its return address is undefined, but keeps its CFA', () => {
    const found = unwindFrame(registers(START, { [SP]: STACK, [RA]: START }), true, withFrames([0x0e, 16, 0x07, RA]));
    assert.deepEqual(found, { end: 'outermost frame', isError: false, cfa: STACK + 16n });
  });

  it('is the outermost when its return address is 0 or in no program', () => {
    for (const [ra, reason] of [
      [0n, /is 0/],
      [0x5000n, /0x5000 is in no loaded program/],
    ] as const) {
      const found = unwindFrame(registers(START, { [SP]: STACK, [RA]: ra }), true, withFrames([]));
      assert.ok('end' in found && !found.isError);
      assert.match(found.end, reason);
    }
  });

  it('that called without keeping its return address is the outermost, and says so', () => {
    const pc = START + 0x10n;
    const found = unwindFrame(registers(pc, { [SP]: STACK, [RA]: pc }), false, withFrames([]));
    assert.ok('end' in found && !found.isError);
    assert.match(found.end, /not kept across the call/);
  });

  it('whose stack cannot be read says so', () => {
    const found = unwindFrame(registers(START, { [SP]: 0x900000n }), true, withFrames([0x0e, 16, 0x81, 1]));
    assert.ok('end' in found && found.isError);
    assert.match(found.end, /return address cannot be read/);
  });

  it('with damaged rules says where', () => {
    const found = unwindFrame(registers(START, { [SP]: STACK }), true, withFrames([0x3f]));
    assert.ok('end' in found && found.isError);
    assert.match(found.end, /damaged \(\.debug_frame\+0x/);
  });

  it('is looked up at the call, which may be the last instruction of its function', () => {
    const memory = withFrames([0x0e, 16, 0x81, 1]);
    memory.words.set(STACK + 8n, START + 0x40n);
    const end = registers(START + 0x100n, { [SP]: STACK, [RA]: START });
    const how = (exact: boolean): string => {
      const found = unwindFrame(end, exact, memory);
      return 'end' in found ? found.end : found.foundBy;
    };
    assert.equal(how(false), 'cfi');
    assert.equal(how(true), 'ra', 'no function covers the pc itself');
  });

  it('of a signal was interrupted at its pc', () => {
    const found = unwindFrame(registers(START, { [SP]: STACK, [RA]: START + 8n }), true, withFrames([], 'zS'));
    assert.ok('registers' in found && found.exact);
  });
});

describe('A frame without call frame information', () => {
  it('of a program that was moved when it was loaded is found at its new place', () => {
    const bias = 0x2a0000_0000n;
    const elf = fixture('o1-bare');
    const last = elf.symbolNamed('last')!;
    const entry = bias + BigInt(elf.entry);
    const memory = new TestMemory(elf, bias, STACK, TOP);
    const found = unwindFrame(registers(bias + BigInt(last.value), { [SP]: STACK, [RA]: entry + 8n }), true, memory);
    assert.ok('registers' in found);
    assert.equal(found.registers.pc, entry + 8n);
  });

  /** Hand-written code at `TEXT` under one symbol, without call frame information. */
  function handWritten(code: readonly number[]): UnwindContext & { readonly words: Map<bigint, bigint> } {
    const elf = makeElf({}, [{ name: 'label', value: TEXT, size: 4 * code.length }]);
    const memory = new TestMemory(elf, 0n, STACK, TOP);
    const text = code.reduce((writer, word) => writer.u32(word), new Writer()).bytes;
    return {
      words: memory.words,
      imageAt: (pc) => memory.imageAt(pc),
      readMemory: (address, length) => {
        const at = Number(address) - TEXT;
        return at >= 0 && at + length <= text.length
          ? text.subarray(at, at + length)
          : memory.readMemory(address, length);
      },
    };
  }

  it('keeps its return address across a system call', () => {
    // li a7, 93; ecall; bltu a0, a5, +8; ret; ret
    const context = handWritten([0x05d00893, 0x00000073, 0x00f56463, 0x00008067, 0x00008067]);
    const found = unwindFrame(registers(START + 8n, { [SP]: STACK, [RA]: START + 0x200n }), true, context);
    assert.ok('registers' in found);
    assert.deepEqual([found.foundBy, found.registers.pc, found.cfa], ['ra', START + 0x200n, STACK]);
  });

  it('is not mistaken for what calls a function that never returns and stands before it in the text', () => {
    // beqz a0, +16; addi sp, sp, -16; sd ra, 8(sp); jal; ecall; beqz a0, +8; ret; ret
    const context = handWritten([
      ...[0x00050863, 0xff010113, 0x00113423, 0x000000ef],
      ...[0x00000073, 0x00050463, 0x00008067, 0x00008067],
    ]);
    const found = unwindFrame(registers(START + 20n, { [SP]: STACK, [RA]: START + 0x200n }), true, context);
    assert.ok('registers' in found);
    assert.deepEqual([found.foundBy, found.registers.pc, found.cfa], ['ra', START + 0x200n, STACK]);
  });

  it('that starts a thread and ends it by a system call is the outermost', () => {
    // jalr a1; li a7, 93; ecall; ret
    const context = handWritten([0x000580e7, 0x05d00893, 0x00000073, 0x00008067]);
    const found = unwindFrame(registers(START + 4n, { [SP]: STACK, [RA]: START + 4n }), false, context);
    assert.ok('end' in found && !found.isError);
    assert.match(found.end, /not kept across the call/);
  });

  it('that moved its stack pointer by an amount only known when it ran is found by its frame pointer', () => {
    // addi sp, sp, -32; sd ra, 24(sp); sd s0, 16(sp); addi s0, sp, 32; sub sp, sp, a0; jal; beqz a0, +8; ret
    const code = [0xfe010113, 0x00113c23, 0x00813823, 0x02010413, 0x40a10133, 0x000000ef, 0x00050463, 0x00008067];
    const context = handWritten(code);
    const top = STACK + 0x800n;
    context.words.set(top - 8n, START + 0x200n).set(top - 16n, 99n);
    const found = unwindFrame(registers(START + 24n, { [SP]: STACK, [RA]: START + 24n, [S0]: top }), true, context);
    assert.ok('registers' in found);
    assert.deepEqual([found.foundBy, found.registers.pc, found.cfa], ['prologue', START + 0x200n, top]);
    assert.equal(found.registers.get(S0), 99n);
  });

  it('reached by a call through a null pointer is left by the return address', () => {
    const elf = fixture('o1-dwarf4');
    const memory = new TestMemory(elf, 0n, STACK, TOP);
    const ra = BigInt(elf.symbolNamed('last')!.value + 12);
    const found = unwindFrame(registers(0n, { [SP]: STACK, [RA]: ra, [S0]: 9n }), true, memory);
    assert.ok('registers' in found);
    assert.deepEqual([found.foundBy, found.registers.pc, found.registers.get(S0)], ['ra', ra, 9n]);
  });

  it('of a signal handler leads to what was interrupted, on whatever stack', () => {
    const trampoline = [0x93, 0x08, 0xb0, 0x08, 0x73, 0, 0, 0];
    const page = 0x70000n;
    const program = withFrames([]);
    const context: UnwindContext = {
      imageAt: (pc) => program.imageAt(pc),
      readMemory: (address, length) =>
        address === page && length === 8 ? Uint8Array.from(trampoline) : program.readMemory(address, length),
    };
    const mcontext = STACK + 0x4000n + 304n; // the alternate stack lies above the interrupted one
    program.words
      .set(mcontext, START + 0x30n)
      .set(mcontext + 8n, START + 0x60n)
      .set(mcontext + 16n, STACK + 0x100n);
    program.words.set(mcontext + 8n * 10n, 42n).set(mcontext + 256n + 8n, 43n);
    const walk = new StackWalk(registers(START, { [SP]: STACK + 0x4000n, [RA]: page }), context, 10);
    const frames = walk.frames(0, 4);
    assert.deepEqual(
      frames.map(({ pc }) => pc),
      [START, page, START + 0x30n, START + 0x60n],
    );
    assert.deepEqual(
      frames.map(({ foundBy }) => foundBy),
      ['hart', 'cfi', 'signal', 'cfi'],
    );
    assert.equal(frames[2]!.registers.get(A0), 42n);
    assert.equal(frames[2]!.registers.get(33), 43n);
    assert.equal(frames[2]!.lookupPc, START + 0x30n);
    assert.equal(frames[3]!.lookupPc, START + 0x5fn);
  });
});

describe('A walk up the stack', () => {
  const recursive = (depth: number): { memory: TestMemory; start: RegisterSet } => {
    const memory = withFrames([0x0e, 16, 0x81, 1]);
    for (let i = 0; i < depth; i++) memory.words.set(STACK + BigInt(16 * i + 8), i === depth - 1 ? 0n : START + 0x10n);
    return { memory, start: registers(START, { [SP]: STACK }) };
  };

  it('finds only the frames that were asked for', () => {
    const { memory, start } = recursive(500);
    const walk = new StackWalk(start, memory, 1000);
    assert.deepEqual(
      walk.frames(2, 3).map(({ level }) => level),
      [2, 3, 4],
    );
    assert.deepEqual(walk.known, { count: 5, complete: false });
    assert.equal(walk.end, undefined);
    assert.equal(walk.frames(0, 5)[4]!.cfa, STACK + 16n * 5n);
    assert.equal(walk.frames(490, 100).length, 10);
    assert.deepEqual(walk.known, { count: 500, complete: true });
  });

  it('stops at its limit', () => {
    const { memory, start } = recursive(500);
    const walk = new StackWalk(start, memory, 20);
    assert.equal(walk.frames(0, 100).length, 20);
    assert.match(walk.end!.end, /more than 20 frames/);
  });

  it('ends on a stack that leads downwards or nowhere', () => {
    const down = withFrames([0x0f, 3, 0x72, 0x70, 0x96, 0x81, 1]); // CFA sp-16
    for (let i = -10n; i < 10n; i++) down.words.set(STACK + 0x1000n + 8n * i, START + 0x10n);
    const walk = new StackWalk(registers(START, { [SP]: STACK + 0x1000n }), down, 1000);
    assert.equal(walk.frames(0, 1000).length, 2);
    assert.match(walk.end!.end, /stack is damaged/);

    const same = withFrames([0x09, RA, 9]); // the return address is in s1, which never changes
    const loop = new StackWalk(registers(START, { [SP]: STACK, 9: START + 4n }), same, 1000);
    assert.ok(loop.frames(0, 1000).length <= 4);
    assert.equal(loop.end?.isError, true);
  });

  it('never throws and always ends, whatever registers, memory and file hold', () => {
    const random = randomNumbers(7);
    const original = fixtureBytes('o1-dwarf4');
    const code = fixture('o1-dwarf4').sectionNamed('.text')!;
    let walks = 0;
    for (const name of ['o1-dwarf4', 'o0-bare'])
      for (const bytes of damaged(name === 'o0-bare' ? fixtureBytes(name) : original, 500, 99, 0x100)) {
        const elf = ElfFile.parse(bytes);
        if (elf instanceof SymbolError) continue;
        const memory = new TestMemory(elf, 0n, STACK, TOP);
        const address = (): bigint => BigInt(code.addr + random(code.size));
        for (let i = 0; i < 200; i++)
          memory.words.set(STACK + BigInt(8 * i), random(2) ? address() : STACK + BigInt(random(2000)));
        const start = RegisterSet.ofHart(address(), () => (random(3) ? STACK + BigInt(8 * random(200)) : address()));
        const walk = new StackWalk(start, memory, 200);
        assert.ok(walk.frames(0, 300).length > 0);
        assert.ok(walk.known.complete && walk.end);
        walks++;
      }
    assert.ok(walks > 500);
  });
});

import assert from 'node:assert/strict';
import { Set as ISet, List, Map as IMap, OrderedMap } from 'immutable';
import { Canonical, fromCloneable, toCloneable } from '../../../emulator/machine/canonical';
import { createMachine } from '../../../emulator/machine/machine';
import type { MachineSnapshot } from '../../../emulator/machine/types';
import { pa, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { random } from '../engine/programs';
import { loadUser, PTE, userMachine, type UserMachine } from './user';
import { eachEngine } from '../engine/engines';

const CODE = 0x10000;
const DATA = 0x300000;
const RX = PTE.V | PTE.R | PTE.X | PTE.U;
const RW = PTE.V | PTE.R | PTE.W | PTE.U;

/** Walks over 16 pages with stores, atomics and floating point, and writes a line now and then. */
const SOURCE = `
  li s0, ${DATA}
  li s2, 0
  li s3, 0x6a09e667
outer:
  slli t0,s2,4
  xor s3,s3,t0
  slli t1,s3,13
  add s3,s3,t1
  srli t1,s3,7
  xor s3,s3,t1
  lui t2,0x10
  addi t2,t2,-8
  and t3,s3,t2
  add t3,t3,s0
  sd s3,0(t3)
  amoadd.d t4,s2,(t3)
  fcvt.d.l f1,s3,rne
  fadd.d f2,f2,f1
  fsd f2,0(t3)
  lr.d t5,(t3)
  sc.d t6,s2,(t3)
  addi s2,s2,1
  andi t0,s2,127
  bnez t0,outer
  li a7,64
  li a0,1
  mv a1,s0
  li a2,16
  ecall
  j outer
`;

function started(): UserMachine {
  const user = userMachine(CODE);
  loadUser(user, CODE, assemble(CODE, SOURCE).bytes, RX);
  loadUser(user, DATA, new Uint8Array(16 * 4096), RW);
  return user;
}

/** Hash and output at the end of a run to a tick. */
const result = (user: UserMachine): [string, string] => [user.machine.hash(), user.firmware.output.join()];

const END = 40_000;

eachEngine('Snapshots', () => {
  const straight = started();
  straight.machine.run(tick(END));
  const [expectedHash, expectedOutput] = result(straight);

  it('a run cut at random ticks ends in the same state as one that was not cut', () => {
    const next = random(7);
    const user = started();
    while (user.machine.tick < END) {
      const exit = user.machine.run(tick(Math.min(END, user.machine.tick + 1 + next(2000))));
      assert.equal(exit.reason, 'until');
      if (next(2)) user.machine.snapshot();
      if (next(3) === 0) user.machine.hash();
    }
    assert.deepEqual(result(user), [expectedHash, expectedOutput]);
  });

  it('going back and running on gives the same state, from any snapshot, in any order', () => {
    const next = random(11);
    const user = started();
    const taken: { snapshot: MachineSnapshot; hash: string }[] = [];
    for (let i = 0; i < 12; i++) {
      user.machine.run(tick(user.machine.tick + 1 + next(3000)));
      taken.push({ snapshot: user.machine.snapshot(), hash: user.machine.hash() });
    }
    for (let i = 0; i < 60; i++) {
      const { snapshot, hash } = taken[next(taken.length)]!;
      user.machine.restore(snapshot);
      assert.equal(user.machine.tick, snapshot.tick);
      assert.equal(user.machine.hash(), hash, 'restored');
      if (next(2)) user.machine.run(tick(user.machine.tick + next(5000)));
      if (next(3) === 0 && taken.length > 6) {
        const [gone] = taken.splice(1 + next(taken.length - 1), 1);
        user.machine.giveUp(gone!.snapshot);
      }
      // Another branch: memory is changed from outside, then a snapshot of that is taken.
      if (next(4) === 0) {
        user.machine.machinePort.writeU64(pa(0x80300000 + 4096 * next(8)), BigInt(i));
        taken.push({ snapshot: user.machine.snapshot(), hash: user.machine.hash() });
      }
    }
    user.machine.restore(taken[0]!.snapshot);
    user.machine.run(tick(END));
    assert.deepEqual(result(user), [expectedHash, expectedOutput]);
  });

  it('of a long run with few snapshots kept any can be gone back to, and memory for copies is used again', () => {
    const next = random(17);
    const { machine } = started();
    const taken: { snapshot: MachineSnapshot; hash: string }[] = [];
    for (let i = 0; i < 200; i++) {
      // Long enough for pages that are written in each interval, and short enough for some that are not.
      machine.run(tick(machine.tick + 1 + next(i % 40 < 20 ? 1000 : 60)));
      const snapshot = machine.snapshot();
      taken.push({ snapshot, hash: i % 5 === 0 ? machine.hash() : '' });
      if (taken.length > 10) machine.giveUp(taken.splice(next(taken.length), 1)[0]!.snapshot);
    }
    const { made, touched, held } = machine.copies;
    // 16 pages of data and what the firmware writes, for each of ten.
    assert.ok(touched <= 11 * 20 && held <= touched && made > 4 * touched, JSON.stringify(machine.copies));
    for (const { snapshot, hash } of taken.reverse()) {
      machine.restore(snapshot);
      if (hash) assert.equal(machine.hash(), hash);
    }
    for (const { snapshot } of taken) machine.giveUp(snapshot);
    assert.equal(machine.copies.held, 0);
  });

  it('refuses what was given up', () => {
    const { machine } = started();
    const [first, second, third] = [1, 2, 3].map(() => {
      machine.run(tick(machine.tick + 1000));
      return machine.snapshot();
    });
    machine.giveUp(second!);
    machine.giveUp(third!);
    for (const gone of [second!, third!]) assert.throws(() => machine.restore(gone), /was given up/);
    machine.restore(first!);
    machine.run(tick(END));
    assert.deepEqual(machine.hash(), expectedHash);
  });

  it('a saved state goes on in another machine to the same end', () => {
    const next = random(13);
    let user = started();
    for (let i = 0; i < 8; i++) {
      user.machine.run(tick(user.machine.tick + 1 + next(4000)));
      const before = user.machine.hash();
      const saved = structuredClone(user.machine.save());
      user = userMachine(CODE);
      user.machine.load(saved);
      assert.equal(user.machine.hash(), before);
    }
    user.machine.run(tick(END));
    assert.deepEqual(result(user), [expectedHash, expectedOutput]);
  });

  it('the sequence number and what was halted are state, what was delivered is not', () => {
    const { machine } = started();
    machine.outbox.emit({ n: 1 });
    const snapshot = machine.snapshot();
    machine.outbox.emit({ n: 2 });
    machine.halt();
    machine.restore(snapshot);
    assert.equal(machine.run(tick(5)).reason, 'until');
    machine.outbox.emit({ n: 2 });
    assert.deepEqual(machine.outbox.drain().map((event) => event.sequence), [1, 2, 2]); // prettier-ignore
    machine.restore(snapshot);
    machine.outbox.emit({ n: 2 });
    assert.deepEqual(machine.outbox.drain(), [], 'a replay delivers nothing twice');
  });

  it('refuses a snapshot of another machine, and saved state of another format or size', () => {
    const { machine } = started();
    assert.throws(() => machine.restore(started().machine.snapshot()), /another machine/);
    assert.throws(() => machine.load({ format: 99 }), /format 99.*format 2/);
    assert.throws(() => machine.load(null), /format undefined/);
    const small = createMachine({ ramBytes: 2 ** 20 });
    const snapshot = small.snapshot();
    assert.throws(() => small.load(machine.save()), /4194304 bytes.*1048576/);
    small.restore(snapshot); // what was refused changed nothing
  });

  it('costs nothing for pages that are not written, however large the RAM', () => {
    const machine = createMachine({ ramBytes: 3 * 2 ** 30 });
    machine.machinePort.writeU64(pa(0x80000000 + 3 * 2 ** 30 - 8), 5n);
    const first = machine.snapshot();
    const hash = machine.hash();
    machine.machinePort.writeU64(pa(0xc0000000), 1n);
    machine.restore(first);
    assert.equal(machine.machinePort.readU64(pa(0xc0000000)), 0n);
    assert.equal(machine.hash(), hash);
    const saved = machine.save() as { pages: Uint32Array };
    assert.deepEqual([...saved.pages], [3 * 2 ** 18 - 1]);
  });

  it('runs code whose frames lie where the memory has not grown yet', () => {
    const user = userMachine(CODE, 256 * 2 ** 20);
    loadUser(user, CODE, assemble(CODE, SOURCE).bytes, RX);
    for (let i = 0; i < 16; i++) user.tables.map(DATA + 4096 * i, 0x80000000 + (17 + 14 * i) * 2 ** 20, RW);
    user.machine.run(tick(END));
    assert.equal(user.firmware.output.join(), expectedOutput);
    assert.equal(user.machine.tick, END);
    assert.equal(user.machine.harts[0]!.getX(18), straight.machine.harts[0]!.getX(18));
  });

  it('RAM sizes that make no sense are refused', () => {
    for (const ramBytes of [0, 1000, 2 ** 32, 2 ** 20 + 1, NaN])
      assert.throws(() => createMachine({ ramBytes }), /RAM of/);
    assert.throws(() => createMachine({ ramBytes: 2 ** 20, clockHz: 1 }), /clock of 1 Hz/);
  });
});

describe('The canonical form of state', () => {
  const bytesOf = (value: unknown): string => {
    const parts: number[] = [];
    const canonical = new Canonical({ update: (bytes) => parts.push(...bytes) });
    canonical.value(value);
    canonical.flush();
    return Buffer.from(parts).toString('hex');
  };

  it('does not depend on the order in which records and maps were built', () => {
    assert.equal(bytesOf({ a: 1, b: [2n, undefined] }), bytesOf({ b: [2n, undefined], a: 1 }));
    const keys = Array.from({ length: 100 }, (_, i) => i);
    const up = IMap(keys.map((key) => [key, { key }]));
    const down = IMap([...keys].reverse().map((key) => [key, { key }]));
    assert.equal(bytesOf(up), bytesOf(down));
    assert.equal(bytesOf(ISet(['b', 'a'])), bytesOf(ISet(['a', 'b'])));
  });

  it('tells unequal values apart', () => {
    const values: unknown[] = [
      0, 1, '1', 1n, true, false, null, undefined, '', [], {}, [[]], [1, 2], List([1, 2]), [[1], 2], { a: undefined }, IMap(), OrderedMap(),
      ISet(), OrderedMap([[1, 2], [3, 4]]), OrderedMap([[3, 4], [1, 2]]), new Uint8Array([1]), new Int8Array([1]), 'a\u0000', NaN,
      new Uint8Array(100), new Uint8Array(101), -1n, '-1', { a: 1 }, { b: 1 },
    ]; // prettier-ignore
    assert.equal(new Set(values.map(bytesOf)).size, values.length);
  });

  it('survives cloning into another process with the same iteration order', () => {
    const tree = {
      map: IMap(Array.from({ length: 200 }, (_, i) => [`k${i * 7919}`, List([i, { deep: ISet([i, i + 1]) }])])),
      ordered: OrderedMap([[9, 'nine'], [1, 'one']]),
      bytes: new Uint8Array([1, 2, 3]),
      big: 2n ** 70n,
      none: undefined,
    }; // prettier-ignore
    const back = fromCloneable(structuredClone(toCloneable(tree))) as typeof tree;
    assert.equal(bytesOf(back), bytesOf(tree));
    assert.deepEqual([...back.map.keys()], [...tree.map.keys()]);
    assert.deepEqual([...back.ordered.keys()], [9, 1]);
  });

  it('refuses what could not come back', () => {
    class Thing {}
    for (const value of [new Thing(), () => 1, Symbol('s'), new Map(), new Date(0)]) {
      assert.throws(() => bytesOf({ value }), /is not plain data/);
      assert.throws(() => toCloneable({ value }), /is not plain data/);
    }
  });
});

describe('Frames of the machine', () => {
  it('a hart saves and loads its registers', () => {
    const { machine } = started();
    const hart = machine.harts[0]!;
    machine.run(tick(500));
    const saved = hart.saveRegisters();
    const before = machine.hash();
    hart.setX64(5, 2n ** 64n - 1n);
    hart.setF64(3, 5n);
    hart.pc = va(0x1234);
    assert.notEqual(machine.hash(), before);
    hart.loadRegisters(saved);
    assert.equal(machine.hash(), before);
  });
});

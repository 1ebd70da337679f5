/**
 * Pages that hold code and data, and more pages than a bank of translations has room for: what the second level of translations answers
 * (engine/wasm/second-level.ts) is what the host would answer, and the host is not asked for it.
 */
import assert from 'node:assert/strict';
import type { Host } from '../../../emulator/engine/host';
import { Area, Second } from '../../../emulator/machine/layout';
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import type { PhysicalMemory } from '../../../emulator/machine/memory';
import { pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { loadUser, PTE, userMachine, type UserMachine } from '../machine/user';
import { eachEngine } from './engines';

const CODE = 0x10000;
const RWX = PTE.V | PTE.R | PTE.W | PTE.X | PTE.U;

/** A user program in a page that may be written, whose address is in a1. */
function user(source: string): UserMachine {
  const made = userMachine(CODE);
  const image = new Uint8Array(4096);
  image.set(assemble(CODE, source).bytes);
  loadUser(made, CODE, image, RWX);
  made.machine.harts[0]!.setX(11, CODE);
  return made;
}

const ahead = (machine: SoftwareMachine, ticks: number): ReturnType<SoftwareMachine['run']> =>
  machine.run(tick(machine.tick + ticks));

type Asked = 'load' | 'store' | 'resolve' | 'amoLoad';

/** Counts what the host is asked for, from before the machine's first run. */
function asked(machine: SoftwareMachine): Record<Asked, number> {
  const { host } = machine as unknown as { readonly host: Host };
  const counts = { load: 0, store: 0, resolve: 0, amoLoad: 0 };
  for (const name of Object.keys(counts) as Asked[]) {
    const plain = (host[name] as (...args: number[]) => number).bind(host);
    host[name] = (...args: number[]): number => {
      counts[name]++;
      return plain(...args);
    };
  }
  return counts;
}

/** A loop that counts in its own page, and every 50 rounds turns the addition to a0 into one of another number. */
const SELF_MODIFYING = `
  outer: addi a5,zero,50
  loop: ld a2,1024(a1)
  addi a2,a2,1
  sd a2,1024(a1)
  sh a2,1031(a1)
  patched: addi a0,a0,1
  addi a5,a5,-1
  bne a5,zero,loop
  lw a3,20(a1)
  xor a3,a3,a4
  sw a3,20(a1)
  j outer`;
/** What turns an addition of 1 into one of 2. */
const TOGGLE = 3 << 20;
const ROUND = 50 * 7 + 5;

eachEngine('Code and data in one page', (engine) => {
  const begun = (): UserMachine => {
    const made = user(SELF_MODIFYING);
    made.machine.harts[0]!.setX(14, TOGGLE);
    return made;
  };

  it('work together while the code changes, at any tick', () => {
    const { machine } = begun();
    const hart = machine.harts[0]!;
    for (let n = 1; n <= 60; n++) {
      ahead(machine, ROUND);
      assert.equal(hart.getX(10), 50 * n + 50 * Math.floor(n / 2), `round ${n}`);
      assert.equal(hart.pc, CODE);
    }
    const other = begun().machine;
    for (let step = 0; other.tick < 60 * ROUND; step++)
      ahead(other, Math.min(1 + ((step * 37) % 61), 60 * ROUND - other.tick));
    assert.equal(other.hash(), machine.hash());
  });

  it('are the same with snapshots, stops and watches on the way', () => {
    const { machine } = begun();
    ahead(machine, 40 * ROUND);
    const made = begun();
    const other = made.machine;
    const here = space(made.tables.root / 4096);
    ahead(other, 9 * ROUND);
    const snapshot = other.snapshot();
    ahead(other, 3 * ROUND + 11);
    other.restore(snapshot);
    other.stops.arm(here, va(CODE + 20));
    assert.equal(ahead(other, ROUND).reason, 'stop');
    other.stops.disarm(here, va(CODE + 20));
    const watch = other.watches.add(here, va(CODE + 1028), 1, 'write');
    const exit = ahead(other, ROUND);
    assert.ok(exit.reason === 'watch' && exit.address === CODE + 1024);
    other.watches.remove(watch);
    const change = other.watches.add(here, va(CODE + 20), 4, 'change');
    assert.equal(ahead(other, ROUND).reason, 'watch');
    other.watches.remove(change);
    ahead(other, 40 * ROUND - other.tick);
    assert.equal(other.hash(), machine.hash());
  });

  it('see each store that reaches an instruction, aligned or not, and no other', () => {
    // addi a0, a0, 2 differs from what stands at CODE + 12 in its third byte.
    const bytes = [0x13, 0x05, 0x25, 0x00];
    for (const [name, size] of [
      ['sb', 1],
      ['sh', 2],
      ['sw', 4],
      ['sd', 8],
    ] as const)
      for (let at = 4; at + size <= 16; at++) {
        const { machine } = user(`
          j code
          nop
          nop
          code: addi a0,a0,1
          addi a5,a5,-1
          bne a5,zero,code
          ${name} a2,${at}(a1)
          addi a5,a5,40
          addi a6,a6,-1
          bne a6,zero,code
          end: j end`);
        const hart = machine.harts[0]!;
        hart.setX(15, 300);
        hart.setX(16, 3);
        const value = Array.from({ length: size }, (_, i) => BigInt(bytes[at + i - 12] ?? 0xff) << BigInt(8 * i));
        hart.setX64(
          12,
          value.reduce((all, byte) => all | byte),
        );
        ahead(machine, 2000);
        const reached = at <= 14 && at + size > 14;
        assert.equal(hart.getX(10), 300 + 80 * (reached ? 2 : 1), `${name} at ${at}`);
      }
  });

  if (engine === 'source') return;

  it('cost no call of the host for each store', () => {
    const { machine } = user(`
      loop: ld a2,1024(a1)
      addi a2,a2,1
      sd a2,1024(a1)
      sb a2,1043(a1)
      sw a2,1050(a1)
      j loop`);
    const counts = asked(machine);
    ahead(machine, 60_000);
    assert.equal(machine.harts[0]!.getX(12), 10_000);
    assert.ok(counts.store < 10 && counts.load < 10, `${counts.store} stores, ${counts.load} loads`);
  });
});

/** As far apart as pages are that have one place in the tables for data, and so many of them; the first is at a1 + FAR. */
const FAR = 2048 * 4096;
const FRAMES = [0x80240000, 0x80241000, 0x80242000];

/** A loop that adds 1 to the first word of each of three pages in turn. */
function far(): UserMachine {
  const made = user(`
    outer: addi a3,a1,0
    addi a5,zero,3
    loop: add a3,a3,a4
    ld a2,0(a3)
    addi a2,a2,1
    sd a2,0(a3)
    addi a5,a5,-1
    bne a5,zero,loop
    j outer`);
  FRAMES.forEach((frame, i) => made.tables.map(CODE + (i + 1) * FAR, frame, PTE.V | PTE.R | PTE.W | PTE.U));
  made.machine.harts[0]!.setX(14, FAR);
  return made;
}
const FAR_ROUND = 3 + 3 * 6;
const sums = ({ machine }: UserMachine): bigint[] => FRAMES.map((frame) => machine.machinePort.readU64(pa(frame)));

eachEngine('Pages that push one another out of a bank', (engine) => {
  it('keep their translations until the page table changes', () => {
    const made = far();
    const { machine, tables } = made;
    const counts = asked(machine);
    ahead(machine, 1000 * FAR_ROUND);
    assert.deepEqual(sums(made), [1000n, 1000n, 1000n]);
    if (engine !== 'source') assert.ok(counts.store < 10 && counts.load < 10, `${counts.store}, ${counts.load}`);
    // The second page is mapped elsewhere, for as long as the third cannot be written.
    tables.map(CODE + 2 * FAR, FRAMES[2]!, PTE.V | PTE.R | PTE.W | PTE.U);
    ahead(machine, 500 * FAR_ROUND);
    assert.deepEqual(sums(made), [1500n, 1000n, 2000n]);
    tables.map(CODE + 3 * FAR, FRAMES[2]!, PTE.V | PTE.R | PTE.U);
    ahead(machine, FAR_ROUND);
    assert.deepEqual(made.firmware.ended, `cause 15 at ${(CODE + 20).toString(16)}`);
    assert.deepEqual(sums(made), [1501n, 1000n, 2001n]);
  });

  it('are written for the first time after each snapshot', () => {
    const made = far();
    const { machine } = made;
    ahead(machine, 100 * FAR_ROUND);
    const [before, hash] = [machine.snapshot(), machine.hash()];
    ahead(machine, 100 * FAR_ROUND);
    const later = machine.hash();
    machine.restore(before);
    assert.deepEqual(sums(made), [100n, 100n, 100n]);
    assert.equal(machine.hash(), hash);
    ahead(machine, 100 * FAR_ROUND);
    assert.equal(machine.hash(), later);
  });

  it('go on when all generations have had their turn', () => {
    const made = far();
    const { machine } = made;
    const { memory } = machine as unknown as { readonly memory: PhysicalMemory };
    ahead(machine, 100 * FAR_ROUND);
    const latest = memory as unknown as { generation: number };
    const before = latest.generation;
    // The next one will be 0.
    latest.generation = (before - memory.nextGeneration()) | 0;
    const some = (): boolean =>
      memory.i32.subarray(Area.SECOND / 4, (Area.SECOND + Second.BYTES) / 4).some((word) => word !== 0);
    assert.ok(some());
    made.tables.map(CODE + 2 * FAR, FRAMES[1]!, PTE.V | PTE.R | PTE.W | PTE.U);
    assert.ok(!some());
    ahead(machine, 100 * FAR_ROUND);
    assert.deepEqual(sums(made), [200n, 200n, 200n]);
  });

  it('may be pages of code that call one another', () => {
    const apart = 1024 * 4096;
    const made = user('loop: jalr ra,0(a2)\njalr ra,0(a3)\naddi a5,a5,1\nj loop');
    const { machine, tables } = made;
    const body = assemble(CODE + apart, 'addi a0,a0,1\nret').bytes;
    for (const [i, frame] of FRAMES.slice(0, 2).entries()) {
      machine.machinePort.write(pa(frame), body);
      tables.map(CODE + (i + 1) * apart, frame, PTE.V | PTE.R | PTE.X | PTE.U);
      machine.harts[0]!.setX(12 + i, CODE + (i + 1) * apart);
    }
    const counts = asked(machine);
    ahead(machine, 1000 * 8);
    assert.equal(machine.harts[0]!.getX(10), 2000);
    if (engine !== 'source') assert.ok(counts.resolve < 30, `${counts.resolve} pages were looked up`);
    tables.map(CODE + apart, FRAMES[1]!, PTE.V | PTE.R | PTE.U);
    ahead(machine, 3);
    assert.equal(made.firmware.ended, `cause 12 at ${(CODE + apart).toString(16)}`);
  });
});

import assert from 'node:assert/strict';
import { withRegisters } from '../../../emulator/hart/registers';
import type { Core } from '../../../emulator/linux/core';
import { applyProt, dropPages, withProt } from '../../../emulator/linux/memory/areas';
import { buddyFreePages } from '../../../emulator/linux/memory/buddy';
import { emptyMemory, forkAreas, forkPages } from '../../../emulator/linux/memory/fork';
import { allocateBlock, frameReferences } from '../../../emulator/linux/memory/frames';
import { USER_TOP } from '../../../emulator/linux/memory/layout';
import { setAreas } from '../../../emulator/linux/memory/objects';
import { Pte } from '../../../emulator/hart/pte';
import { frameOf, isCopyOnWrite } from '../../../emulator/linux/memory/tables';
import { Prot } from '../../../emulator/linux/state';
import { makeReady } from '../../../emulator/linux/scheduler';
import type { Personality } from '../../../emulator/machine/personality';
import type { MachineSnapshot } from '../../../emulator/machine/types';
import { PAGE_SIZE, tick } from '../../../emulator/units';
import { newHost, type Host } from '../../integration/linux/host';
import { call, CALL, tinyElf } from '../../integration/linux/tiny';

const [MUNMAP, NANOSLEEP, CLOCK_GETTIME, GETPID] = [215, 101, 113, 172];
/** a5 of the getpid that the test turns into a fork. */
const FORK = 0x666f;
const CHILD = 2;
const PRIVATE_PAGES = 4;

const repeated = (label: string, address: string): string => `${label}: ld t0,${address}\nbeqz t0,${label}`;
const page = (number: number): string => `li t6,${number * PAGE_SIZE}\nadd t6,t6,s0`;

/**
 * Private pages at s0, shared ones at s1 (the second is first touched after the fork). Parent and child write, one of them lets its pages
 * go first, and what each saw is printed from the shared pages: word 3 and 4 by the parent, 5, 7 and 9 … by the child.
 */
const program = (first: 'parent' | 'child'): string => `
start:
${call(CALL.mmap, 0, PRIVATE_PAGES * PAGE_SIZE, 3, 0x22, -1, 0)}
mv s0,a0
${call(CALL.mmap, 0, 2 * PAGE_SIZE, 3, 0x21, -1, 0)}
mv s1,a0
li s5,0x11
sd s5,0(s0)
${page(1)}
sd s5,0(t6)
${page(2)}
sd s5,0(t6)
sd s5,16(s1)
li a5,${FORK}
li a7,${GETPID}
ecall
beqz a0,child
${repeated('wrote', '0(s1)')}
ld t1,0(s0)
sd t1,24(s1)
${page(2)}
ld t1,0(t6)
sd t1,32(s1)
${page(1)}
li t1,0x33
sd t1,0(t6)
${first === 'parent' ? call(MUNMAP, 's0', PRIVATE_PAGES * PAGE_SIZE) : ''}
sd s5,8(s1)
${repeated('ended', '48(s1)')}
${call(NANOSLEEP, '=moment', 0)}
${first === 'child' ? `${page(2)}\nli t1,0x77\nsd t1,0(t6)\n${call(MUNMAP, 's0', PRIVATE_PAGES * PAGE_SIZE)}` : ''}
${call(CALL.write, 1, 's1', 64)}
li t6,${PAGE_SIZE}
add s2,s1,t6
${call(CALL.write, 1, 's2', 32)}
${call(MUNMAP, 's1', 2 * PAGE_SIZE)}
${call(CALL.exitGroup, 0)}
child:
ld t1,0(s0)
sd t1,56(s1)
li t1,0x22
sd t1,0(s0)
${page(2)}
mv s3,t6
${call(CLOCK_GETTIME, 1, 's3')}
li t6,${PAGE_SIZE}
add s2,s1,t6
li t1,0x44
sd t1,0(s2)
ld t1,0(s3)
sltiu t1,t1,0x11
sd t1,16(s2)
sd s5,0(s1)
${repeated('go', '8(s1)')}
${page(1)}
ld t1,0(t6)
sd t1,40(s1)
ld t1,0(s0)
sd t1,8(s2)
li t1,0x55
sd t1,0(t6)
ld t1,0(t6)
sd t1,24(s2)
sd s5,48(s1)
${call(CALL.exitGroup, 0)}
.align 3
moment: .dword 0, 1000000`;

/** In order: the shared words as they must be, whoever goes first. */
const EXPECTED = [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x44, 0x22, 1, 0x55];

interface Forking extends Host {
  readonly core: Core;
}

/** A host whose program's marked getpid doubles the process, a piece of the address space at a step, as a system call of fork will. */
function forkingHost(first: 'parent' | 'child'): Forking {
  const host = newHost({ program: tinyElf(program(first)), ramMiB: 64 });
  const { core } = host.linux as unknown as { core: Core };
  const inner = host.machine.personalities.supervisor!;
  let at: number | undefined;
  const marked = (hart: Parameters<Personality['step']>[0]): boolean =>
    core.state.doing.at === 'user' && hart.getX(17) === GETPID && hart.getX(15) === FORK;
  host.machine.personalities.supervisor = {
    step(hart) {
      core.hart = hart;
      if (at === undefined && !core.state.processes.has(CHILD) && core.state.nextPid === CHILD && marked(hart)) {
        startChild(core);
        at = 0;
      }
      if (at === undefined) return inner.step(hart);
      at = forkPages(core, 1, CHILD, at);
      assert.ok(at !== undefined);
      if (at === USER_TOP) {
        at = undefined;
        makeReady(core, CHILD);
      }
      return 100;
    },
    snapshot: () => ({ inner: inner.snapshot(), at }),
    restore(root) {
      const saved = root as { inner: unknown; at: number | undefined };
      inner.restore(saved.inner);
      at = saved.at;
    },
  };
  return { ...host, core };
}

function startChild(core: Core): void {
  const [parent, thread] = [core.process(1), core.thread(1)];
  const registers = withRegisters(core.hart.saveRegisters(), { pc: core.hart.sepc + 4, x: { 10: 0 } });
  const memory = emptyMemory(core, parent.memory)!;
  core.set({
    nextPid: CHILD + 1,
    processes: core.state.processes.set(CHILD, {
      ...parent,
      pid: CHILD,
      parent: 1,
      memory,
      threads: [CHILD],
      descriptors: parent.descriptors.clear(),
    }),
    threads: core.state.threads.set(CHILD, { ...thread, tid: CHILD, pid: CHILD, registers }),
  });
  forkAreas(core, 1, CHILD);
}

const words = (host: Host): number[] => {
  const bytes = Uint8Array.from(host.events.flatMap((event) => (event.kind === 'output' ? [...event.bytes] : [])));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 8 }, (_, i) => Number(view.getBigUint64(8 * i, true)));
};

/** Runs in small pieces until something holds. */
function runUntil(host: Forking, what: () => boolean): void {
  for (let i = 0; !what(); i++) {
    assert.ok(i < 20_000 && host.machine.ending === undefined, 'it never came to that');
    host.run(host.machine.tick + 500);
  }
}

const startOf = (core: Core, pages: number): number =>
  core.process(1).memory.areas.find((area) => area.end - area.start === pages * PAGE_SIZE && area.name === '')!.start;

/** The leaf of a process at a page of an area of so many pages. */
const leafAt = ({ core }: Forking, pid: number, start: number, number: number): number | undefined =>
  core.state.processes.get(pid)?.memory.pages.get(start / PAGE_SIZE + number);

function assertAllFreed({ core, machine }: Forking): void {
  const { buddy, references, objects, pools } = core.state;
  const order = Math.ceil(Math.log2(machine.ramSize / PAGE_SIZE));
  const free = core.layout.free.reduce((sum, { start, end }) => sum + (end - start) / PAGE_SIZE, 0);
  // The list page and the trampoline are the kernel's.
  assert.equal(buddyFreePages(buddy, order), free - 2);
  assert.equal(references.size, 0);
  assert.equal(objects.size, 0);
  // Root tables: all but the kernel's own are back.
  assert.equal(pools.root.next - pools.root.freed.size, 1);
  assert.equal(pools.leaf.next, pools.leaf.freed.size);
}

/** Lines of the kernel's log: a frame that is freed twice is one. */
const logged = (host: Host): string[] => host.events.flatMap((event) => (event.kind === 'console' ? [event.text] : []));

describe('An address space that is doubled', function () {
  for (const first of ['parent', 'child'] as const)
    it(`shows each process its own stores and both the shared pages; the ${first} lets go first, and nothing stays behind`, () => {
      const host = forkingHost(first);
      assert.deepEqual(host.run(), { reason: 'halted' });
      assert.deepEqual(words(host), EXPECTED);
      assert.equal(host.linux.exitStatus, 0);
      assertAllFreed(host);
      assert.deepEqual(logged(host), []);
    });

  it('shares frames until they are written: counts, permissions, copies, and a frame that is taken back', () => {
    const host = forkingHost('child');
    const { core } = host;
    runUntil(host, () => core.state.processes.has(CHILD) && core.state.ready.includes(CHILD));
    const [own, shared] = [startOf(core, PRIVATE_PAGES), startOf(core, 2)];
    const leaf = (pid: number, number: number, start = own): number => leafAt(host, pid, start, number)!;
    const count = (pid: number, number: number, start = own): number =>
      frameReferences(core, frameOf(leaf(pid, number, start)));
    for (const number of [0, 1, 2]) {
      assert.equal(leaf(1, number), leaf(CHILD, number));
      assert.ok(isCopyOnWrite(leaf(1, number)) && (leaf(1, number) & Pte.W) === 0);
      assert.equal(count(1, number), 2);
    }
    assert.equal(leafAt(host, 1, own, 3), undefined);
    // Both mappings and the object; never copied.
    assert.equal(count(1, 0, shared), 3);
    assert.ok(!isCopyOnWrite(leaf(1, 0, shared)) && (leaf(1, 0, shared) & Pte.W) !== 0);
    const before = [0, 1, 2].map((number) => frameOf(leaf(1, number)));

    runUntil(host, () => leafAt(host, CHILD, shared, 1) !== undefined);
    // The child stored to page 0, the kernel on its behalf to page 2: the parent still has the frames, alone.
    for (const number of [0, 2]) {
      assert.equal(frameOf(leaf(1, number)), before[number]);
      assert.equal(count(1, number), 1);
      assert.notEqual(frameOf(leaf(CHILD, number)), before[number]);
      assert.ok(!isCopyOnWrite(leaf(CHILD, number)) && (leaf(CHILD, number) & Pte.W) !== 0);
    }
    assert.equal(count(1, 1), 2);

    runUntil(host, () => !core.state.processes.has(CHILD));
    assert.equal(count(1, 0, shared), 2);
    runUntil(host, () => leafAt(host, 1, own, 2) === undefined || !isCopyOnWrite(leaf(1, 2)));
    // Its only holder stored to it: the same frame, writable again.
    assert.equal(frameOf(leaf(1, 2)), before[2]);
    assert.equal(count(1, 2), 1);
  });

  it('runs on the same from a snapshot taken at any moment, in this machine and in another', () => {
    const whole = forkingHost('parent');
    const snapshots: { at: number; snapshot: MachineSnapshot; saved: unknown; hash: string }[] = [];
    runUntil(whole, () => whole.core.state.nextPid > CHILD);
    while (whole.run(whole.machine.tick + 40).reason === 'until' && whole.core.state.processes.size === 2) {
      const { machine } = whole;
      if (snapshots.length < 40 || machine.tick % 17 === 0)
        snapshots.push({ at: machine.tick, snapshot: machine.snapshot(), saved: undefined, hash: machine.hash() });
      if (snapshots.length === 80) break;
    }
    whole.run();
    const end = whole.machine.hash();
    assert.deepEqual(words(whole), EXPECTED);
    const distinct = new Set(snapshots.map(({ hash }) => hash));
    assert.equal(distinct.size, snapshots.length);
    for (const [i, { snapshot, at, hash }] of snapshots.entries()) {
      if (i % 5 !== 0) continue;
      whole.machine.restore(snapshot);
      assert.equal(whole.machine.tick, at);
      assert.equal(whole.machine.hash(), hash);
      const other = forkingHost('parent');
      other.machine.load(structuredClone(whole.machine.save()));
      assert.equal(other.machine.hash(), hash);
      for (const host of [whole, other]) {
        host.machine.run(tick(20_000_000_000));
        assert.equal(host.machine.hash(), end);
      }
    }
  });

  it('counts are part of the state and of the hash', () => {
    const host = forkingHost('child');
    runUntil(host, () => host.core.state.references.size > 0);
    const hash = host.machine.hash();
    const { references } = host.core.state;
    const [frame] = references.keys();
    host.core.set({ references: references.set(frame!, references.get(frame!)! + 1) });
    assert.notEqual(host.machine.hash(), hash);
  });

  it('a fork that runs out of table pages is undone by dropping what the child has', () => {
    const host = forkingHost('child');
    const { core } = host;
    runUntil(host, () => core.state.processes.has(CHILD) && core.state.ready.includes(CHILD));
    const references = core.state.references;
    for (let at = 0; at < USER_TOP;) at = dropPages(core, CHILD, at, USER_TOP);
    // What is left are the objects' own references.
    assert.ok(references.size > core.state.references.size);
    for (const [frame, count] of core.state.references) assert.equal(count, references.get(frame)! - 1);
    const { pools } = core.state;
    core.set({ pools: { ...pools, leaf: { next: Infinity, freed: pools.leaf.freed.clear() } } });
    const kept = core.state.references;
    assert.equal(forkPages(core, 1, CHILD, 0), undefined);
    assert.ok(core.state.references.equals(kept));
    assert.equal(core.process(CHILD).memory.pages.size, 0);
  });

  it('permissions that change leave a page copy on write', () => {
    const host = forkingHost('child');
    const { core } = host;
    runUntil(host, () => core.state.processes.has(CHILD) && core.state.ready.includes(CHILD));
    const own = startOf(core, PRIVATE_PAGES);
    const [before, end] = [leafAt(host, 1, own, 0)!, own + PRIVATE_PAGES * PAGE_SIZE];
    const protect = (prot: number): number => {
      setAreas(core, 1, withProt(core.process(1).memory.areas, own, end, prot));
      for (let at = own; at < end;) at = applyProt(core, 1, at, end);
      return leafAt(host, 1, own, 0)!;
    };
    const none = protect(0);
    assert.ok(isCopyOnWrite(none) && (none & Pte.V) === 0);
    for (const prot of [Prot.WRITE, Prot.READ | Prot.WRITE]) assert.equal(protect(prot), before);
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.deepEqual(words(host), EXPECTED);
  });

  it('no block for a driver, and so for the firmware, has a frame that a process holds', () => {
    const host = forkingHost('parent');
    const { core } = host;
    runUntil(host, () => core.state.references.size > 0 && core.state.ready.includes(CHILD));
    const held = new Set([1, CHILD].flatMap((pid) => [...core.process(pid).memory.pages.values()].map(frameOf)));
    assert.ok(held.size > PRIVATE_PAGES);
    for (let order = 12; order >= 0; order--)
      for (let block = allocateBlock(core, order); block; block = allocateBlock(core, order))
        for (let at = 0; at < 2 ** order; at++) assert.ok(!held.has(block.address + at * PAGE_SIZE));
  });
});

const MADVISE = 233;
const MREMAP = 216;

describe('A shared mapping', () => {
  const run = (body: string): number[] => {
    const source = `start:
${call(CALL.mmap, 0, 3 * PAGE_SIZE, 3, 0x21, -1, 0)}
mv s1,a0
li t6,${PAGE_SIZE}
add s2,s1,t6
li t1,0x31
sd t1,0(s1)
li t1,0x32
sd t1,0(s2)
${body}
${call(CALL.exitGroup, 0)}`;
    const host = newHost({ program: tinyElf(source), ramMiB: 64 });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.deepEqual(logged(host), []);
    return words(host);
  };
  const print = (register: string): string => call(CALL.write, 1, register, 8);

  it('keeps its pages when a process drops them', () => {
    const drop = call(MADVISE, 's1', 3 * PAGE_SIZE, 4);
    assert.deepEqual(run(`${drop}\n${print('s1')}\n${print('s2')}`), [0x31, 0x32]);
  });

  it('shows the same pages where a part of it is moved to', () => {
    // A page behind is in the way, so the middle one has to move to grow.
    const move = `${call(MREMAP, 's2', PAGE_SIZE, 2 * PAGE_SIZE, 1)}\nmv s3,a0`;
    const drop = call(MADVISE, 's3', 2 * PAGE_SIZE, 4);
    assert.deepEqual(run(`${move}\n${drop}\n${print('s3')}\n${print('s1')}`), [0x32, 0x31]);
  });

  it('gives its frames back when its last area is gone', () => {
    // More rounds than there is memory for, if a page stayed behind in each.
    const source = `start:
li s4,300
round:
${call(CALL.mmap, 0, 64 * PAGE_SIZE, 3, 0x21, -1, 0)}
mv s1,a0
li t0,64
li t6,${PAGE_SIZE}
mv t1,s1
touch: sd s4,0(t1)
add t1,t1,t6
addi t0,t0,-1
bnez t0,touch
${call(MUNMAP, 's1', 64 * PAGE_SIZE)}
addi s4,s4,-1
bnez s4,round
${call(CALL.exitGroup, 7)}`;
    const host = newHost({ program: tinyElf(source), ramMiB: 64 });
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 7);
    assert.ok(host.machine.dirtyPages < 400, `${host.machine.dirtyPages} pages were written`);
  });
});

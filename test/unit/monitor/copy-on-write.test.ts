import assert from 'node:assert/strict';
import { space, va } from '../../../emulator/units';
import { Ocall, Result, ResumeReason, Sbi } from '../../../monitor/abi';
import { PageKind } from '../../../monitor/pages';
import type { MonitorState } from '../../../monitor/state';
import { Bench, Code } from './bench';

const PAGE = 4096;
const DATA = 0x2000;
const STACK_TOP = 0x38_0000_0000;
/** Pages of an instance that has written nothing: its root, and the two tables of the kbuffer. */
const BARE = 3;
/** What the first store to a region costs: a middle table, a leaf table, the page. */
const FIRST_STORE = 3;

/** Adds one to the word at DATA, waits for the host, and exits with what the word is then. */
const COUNTER = `li t0, ${DATA}\nlw t1, 0(t0)\naddi t1, t1, 1\nsw t1, 0(t0)
${Code.ocall(Ocall.SYS_WRITE)}\nli t0, ${DATA}\nlw a0, 0(t0)\n${Code.exitA0}`;
const resume = (b: Bench, eid: number, ocall: number, ...more: number[]): number =>
  b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.OCALL, ocall, ...more);

const stateOf = (b: Bench): MonitorState => b.monitor.snapshot() as MonitorState;
const ownedBy = (b: Bench, eid: number): number => stateOf(b).owned.get(b.enclave(eid).instance)?.size ?? 0;
const rootOf = (b: Bench, id: number): number => b.monitor.shadows().find((shadow) => shadow.id === id)!.root;

/** Where a space shows an address, and the word there. */
const placeOf = (b: Bench, root: number, address: number): number | undefined =>
  b.machine.debugPort.translate(space(root), va(address));
function wordAt(b: Bench, root: number, address: number): number {
  const bytes = b.machine.debugPort.read(space(root), va(address), 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
}

function template(source: string, memory = 64): { b: Bench; shadow: number } {
  const b = new Bench().start();
  const made = b.create(source, { type: 'SHADOW' });
  assert.equal(made.result, 0);
  if (memory > 0) b.extend(memory);
  return { b, shadow: made.eid };
}

describe('instances share what they do not write', () => {
  it('a fork without a pool is refused with NO_MEM, and nothing changed, until the monitor has memory', () => {
    const { b, shadow } = template(COUNTER, 0);
    const before = stateOf(b);
    assert.equal(b.fork(shadow, { size: 0 }).result, Result.NO_MEM);
    assert.equal(stateOf(b), before);
    b.extend(16);
    assert.equal(b.fork(shadow, { size: 0 }).result, Result.OCALL);
  });

  it('a store is seen by the instance that made it only', () => {
    const { b, shadow } = template(COUNTER);
    const [one, two] = [b.fork(shadow, { size: 0, name: 'one' }), b.fork(shadow, { size: 0, name: 'two' })];
    assert.deepEqual([one.result, two.result], [Result.OCALL, Result.OCALL]);
    const roots = [one, two].map(({ eid }) => b.enclave(eid).root);
    for (const root of roots) assert.equal(wordAt(b, root, DATA), 1);
    assert.equal(wordAt(b, rootOf(b, shadow), DATA), 0);
    const places = [...roots, rootOf(b, shadow)].map((root) => placeOf(b, root, DATA));
    assert.equal(new Set(places).size, 3);
    for (const made of [one, two]) {
      assert.equal(resume(b, made.eid, Ocall.SYS_WRITE), Result.SUCCESS);
      assert.equal(b.retval(made), 1n);
    }
  });

  it('text and pages that nobody writes are the template’s, and an instance costs what it writes', () => {
    const { b, shadow } = template(`${Code.ocall(Ocall.SYS_WRITE)}\naddi sp, sp, -16\nsd zero, 0(sp)
${Code.ocall(Ocall.SYS_WRITE)}\nli t0, ${DATA}\nsd zero, 0(t0)\n${Code.ocall(Ocall.SYS_WRITE)}\n${Code.loop}`);
    const { eid, result } = b.fork(shadow, { size: 0 });
    assert.equal(result, Result.OCALL);
    const { root } = b.enclave(eid);
    for (const address of [0x1000, DATA])
      assert.equal(placeOf(b, root, address), placeOf(b, rootOf(b, shadow), address));
    assert.equal(ownedBy(b, eid), BARE);
    assert.equal(resume(b, eid, Ocall.SYS_WRITE), Result.OCALL);
    assert.equal(ownedBy(b, eid), BARE + FIRST_STORE, 'the stack');
    assert.equal(resume(b, eid, Ocall.SYS_WRITE), Result.OCALL);
    assert.equal(ownedBy(b, eid), BARE + 2 * FIRST_STORE, 'data');
    assert.equal(placeOf(b, root, 0x1000), placeOf(b, rootOf(b, shadow), 0x1000));
  });

  it('the stack of an instance is 64 KiB of zeros of its own, whatever others left in theirs', () => {
    const deep = `li t0, ${STACK_TOP - 65536}\nld a0, 0(t0)\nli t1, 99\nsd t1, 0(t0)\nsd t1, -8(sp)\n${Code.exitA0}`;
    const { b, shadow } = template(deep);
    for (let i = 0; i < 3; i++) {
      const made = b.fork(shadow, { size: 0 });
      assert.equal(made.result, Result.SUCCESS);
      assert.equal(b.retval(made), 0n);
    }
  });

  it('a store below the stack, to text, and to an address that nothing maps, still are faults', () => {
    for (const address of [STACK_TOP - 65536 - 8, 0x1000, 0x40_0000]) {
      const { b, shadow } = template(`li t0, ${address}\nsd zero, 0(t0)\n${Code.exit(0)}`);
      assert.equal(b.fork(shadow, { size: 0 }).result, Result.ERROR, address.toString(16));
      assert.equal(b.monitor.enclaves().length, 0);
      assert.equal(stateOf(b).memory.free, stateOf(b).memory.total);
    }
  });

  it('an instance’s last end gives everything back: pages zeroed and free, numbers and tables as before', () => {
    const { b, shadow } = template(COUNTER);
    const before = stateOf(b);
    const made = [1, 2, 3].map((i) => b.fork(shadow, { size: 0, name: `i${i}` }));
    const frames = made.map(({ eid }) => placeOf(b, b.enclave(eid).root, DATA)!);
    resume(b, made[0]!.eid, Ocall.SYS_WRITE);
    for (const { eid } of made.slice(1)) assert.equal(b.call(Sbi.DESTROY_ENCLAVE, eid), 0);
    const after = stateOf(b);
    assert.deepEqual([after.memory.free, after.memory.total], [before.memory.free, before.memory.total]);
    for (const table of ['owned', 'enclaves', 'byInstance', 'names', 'servers'] as const)
      assert.equal(after[table].size, before[table].size, table);
    assert.equal(after.shadows.get(shadow)!.instances, 0);
    for (const frame of frames) assert.equal(b.peek(frame), 0);
    assert.equal(b.fork(shadow, { size: 0 }).eid, 0);
  });
});

describe('the monitor writes for an instance', () => {
  it('random bytes, a report and a key go to the instance’s own pages', () => {
    const calls = {
      getrandom: Code.ocall(Ocall.GETRANDOM, DATA, 64),
      get_report: Code.call(94, 0, DATA, 5),
      get_key: Code.call(88, 0, DATA, 48),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { b, shadow } = template(`${call}\n${Code.ocall(Ocall.SYS_WRITE)}\n${Code.loop}`);
      const { eid, result } = b.fork(shadow, { size: 0 });
      assert.equal(result, Result.OCALL, name);
      const read = (root: number) => b.machine.debugPort.read(space(root), va(DATA), 328);
      assert.ok(
        read(b.enclave(eid).root).some((byte) => byte !== 0),
        name,
      );
      assert.ok(
        read(rootOf(b, shadow)).every((byte) => byte === 0),
        `${name}: the template stays as it was`,
      );
    }
  });

  it('an instance that has just been given its own page reads what was written there at once', () => {
    const { b, shadow } = template(
      `li t0, ${DATA}\nld t1, 0(t0)\n${Code.ocall(Ocall.GETRANDOM, DATA, 8)}\nli t0, ${DATA}\nld a0, 0(t0)\n${Code.exitA0}`,
    );
    const made = b.fork(shadow, { size: 0 });
    assert.equal(made.result, Result.SUCCESS);
    assert.notEqual(b.retval(made), 0n);
  });
});

describe('the monitor’s memory grows on demand', () => {
  it('a store for which there is no page waits until the host has given some, and is made then', () => {
    const { b, shadow } = template(COUNTER, BARE);
    const made = b.fork(shadow, { size: 0 });
    assert.equal(made.result, Result.OCALL);
    const out = (index: number) => b.port.readI64(va(made.page + 1024 + 8 * index));
    assert.equal(out(0), Ocall.SHM_EXTEND_MEMORY);
    assert.equal(out(2), FIRST_STORE * PAGE);
    assert.equal(wordAt(b, b.enclave(made.eid).root, DATA), 0, 'not made yet');
    // Asked again without memory it waits again.
    assert.equal(resume(b, made.eid, Ocall.SHM_EXTEND_MEMORY), Result.OCALL);
    b.extend(8);
    assert.equal(resume(b, made.eid, Ocall.SHM_EXTEND_MEMORY), Result.OCALL);
    assert.equal(out(0), Ocall.SYS_WRITE);
    assert.equal(resume(b, made.eid, Ocall.SYS_WRITE), Result.SUCCESS);
    assert.equal(b.retval(made), 1n);
  });

  it('an instance that waits for memory can be destroyed', () => {
    const { b, shadow } = template(COUNTER, BARE);
    const made = b.fork(shadow, { size: 0 });
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, made.eid), 0);
    assert.equal(stateOf(b).memory.free, BARE);
  });

  it('a call whose result has no page is made again, not failed', () => {
    const { b, shadow } = template(
      `${Code.ocall(Ocall.GETRANDOM, DATA, 8)}\n${Code.ocall(Ocall.SYS_WRITE)}\n${Code.loop}`,
      BARE,
    );
    const made = b.fork(shadow, { size: 0 });
    assert.equal(b.port.readI64(va(made.page + 1024)), Ocall.SHM_EXTEND_MEMORY);
    b.extend(8);
    assert.equal(resume(b, made.eid, Ocall.SHM_EXTEND_MEMORY), Result.OCALL);
    assert.equal(b.port.readI64(va(made.page + 1024)), Ocall.SYS_WRITE);
    assert.notEqual(wordAt(b, b.enclave(made.eid).root, DATA), 0);
  });

  it('memory for an area is not taken before there are pages for its tables', () => {
    const { b, shadow } = template(`${Code.ocall(Ocall.MMAP, 0, PAGE)}\nsd zero, 0(a0)\n${Code.exit(7)}`, BARE);
    const made = b.fork(shadow, { size: 0 });
    assert.equal(made.result, Result.OCALL);
    const block = b.take(2);
    assert.equal(resume(b, made.eid, Ocall.MMAP, block, 2 * PAGE), Result.NO_MEM);
    assert.equal(b.enclave(made.eid).state, 'OCALLING');
    b.port.writeI64(va(block), 1);
    b.extend(8);
    assert.equal(resume(b, made.eid, Ocall.MMAP, block, 2 * PAGE), Result.SUCCESS);
    assert.equal(b.retval(made), 7n);
    // The list of blocks begins where ocalls have their argument: the instance has no pool.
    assert.equal(b.port.readI64(va(made.page + 1024 + 8)), block);
    assert.equal(b.port.readI64(va(block)), 0);
  });

  it('blocks that are in no use go back to the host, zeroed; others stay', () => {
    const { b, shadow } = template(COUNTER, 512);
    const made = b.fork(shadow, { size: 0 });
    const reclaim = () => b.sbi(0x100100, Sbi.MEMORY_RECLAIM);
    assert.deepEqual(reclaim(), { error: 0, value: 0 });
    assert.equal(resume(b, made.eid, Ocall.SYS_WRITE), Result.SUCCESS);
    const { value } = reclaim();
    assert.ok(value !== 0);
    assert.deepEqual([stateOf(b).memory.free, stateOf(b).memory.total], [0, 0]);
    assert.ok(b.port.read(va(value), 512 * PAGE).every((byte) => byte === 0));
    b.port.writeI64(va(value), 1);
    assert.equal(b.call(Sbi.MEMORY_EXTEND, value, 512 * PAGE), 0, 'and can be given again');
  });

  it('memory that is not the host’s, or has been given already, is refused', () => {
    const { b } = template(COUNTER, 0);
    const base = b.extend(4);
    const pool = b.create(Code.loop).base;
    for (const [at, size] of [
      [base, PAGE],
      [pool, PAGE],
      [0x8000_0000, PAGE],
      [base + 1, PAGE],
      [base, 0],
    ] as const)
      assert.equal(b.call(Sbi.MEMORY_EXTEND, at, size), Result.ERROR, `${at.toString(16)}, ${size}`);
    assert.equal(stateOf(b).memory.total, 4);
    assert.equal(PageKind.Monitor, 5);
  });

  it('with a pool of its own an instance takes pages from there first', () => {
    const { b, shadow } = template(COUNTER, 16);
    const made = b.fork(shadow, { size: 16 * PAGE });
    assert.equal(made.result, Result.OCALL);
    assert.equal(ownedBy(b, made.eid), 0);
    const place = placeOf(b, b.enclave(made.eid).root, DATA)!;
    assert.ok(place >= made.base && place < made.base + 16 * PAGE);
  });
});

/** Attacks on the hand-over of memory: old mappings, pages owned twice, and how the machine is set up in the first place. */
import { Ocall, ResumeReason, Sbi } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Code, Layout, MIB, PAGE, RAM_START, SECRET, leaf, pointer, type World } from './world';

const RELAY = '0x3800000000';
const UNSEEN = 'load page fault';
/** Writes the secret to a relay page, then loops. */
const WRITES_RELAY = `li t0, ${RELAY}\nli t1, ${SECRET}\nsd t1, 0(t0)\n${Code.loop}`;
const WRITES_DATA = `li t0, 0x2000\nli t1, ${SECRET}\nsd t1, 0(t0)\n${Code.loop}`;
/** A middle table that shows all of memory at its physical address. */
const ALL_OF_RAM = Array.from({ length: 32 }, (_, i) => leaf(RAM_START + 2 * MIB * i));
/** Returns the first word of its relay page. */
const READS_RELAY = `li t0, ${RELAY}\nld a0, 0(t0)\n${Code.exitA0}`;
/** Asks for a page, writes the secret there and loops. */
const MAPS = `${Code.ocall(Ocall.MMAP, 0, PAGE)}\nli t1, ${SECRET}\nsd t1, 0(a0)\n${Code.loop}`;
/** Asks for a page and returns its first word. */
const MAPS_AND_READS = `${Code.ocall(Ocall.MMAP, 0, PAGE)}\nld a0, 0(a0)\n${Code.exitA0}`;

/** Runs an enclave with a page as its relay page: the result, and the value it returned. */
function readsRelay(w: World, relay: number, name = 'attacker'): (number | string)[] {
  const made = w.create(READS_RELAY, { name });
  return [w.runFor(made, 2_000_000, relay, PAGE), w.retval(made)];
}

/** Grants memory to an enclave that asked for a page. */
const grant = (w: World, eid: number, block: number, size = 2 * PAGE): number =>
  w.resume(eid, ResumeReason.OCALL, Ocall.MMAP, block, size);

export const HANDOVER_ATTACKS: readonly Attack[] = [
  {
    name: 'a relay page through the mapping the host had before',
    by: 'kernel',
    checks: ['hostPteInvalidation'],
    refused: [1, UNSEEN],
    succeeds: [1, SECRET],
    prepare: (w) => {
      const relay = w.take();
      const made = w.create(WRITES_RELAY);
      return () => [w.runFor(made, 300_000, relay, PAGE), w.read(relay)];
    },
  },
  {
    name: 'the code of a measured enclave, changed through the mapping the host had before',
    by: 'kernel',
    checks: ['hostPteInvalidation'],
    refused: ['store page fault', 0, 1],
    succeeds: ['done', 0, 2],
    prepare: (w) => {
      const made = w.create(Code.exit(1));
      const [LI_A0_2, LI_A7_99] = [0x00200513n, 0x06300893n];
      return () => [w.put(made.base + 3 * PAGE, (LI_A7_99 << 32n) | LI_A0_2), w.runFor(made, 300_000), w.retval(made)];
    },
  },
  {
    name: 'memory granted for an mmap, through the mapping the host had before',
    by: 'kernel',
    checks: ['hostPteInvalidation'],
    refused: [1, UNSEEN],
    succeeds: [1, SECRET],
    prepare: (w) => {
      const made = w.create(MAPS);
      const block = w.take(2);
      w.runFor(made, 2_000_000);
      return () => [grant(w, made.eid, block), w.read(block + PAGE)];
    },
  },
  {
    name: 'the page tables of a new enclave, changed by another hart after their check',
    by: 'kernel',
    checks: ['hostPteInvalidation'],
    refused: [0, -1, 0],
    succeeds: [0, 0, SECRET],
    prepare: (w, { secret }) => {
      const pool = w.pool(`lui t0, 3\nld a0, 0(t0)\n${Code.exitA0}`);
      const entry = pool.base + 7 * PAGE + 24;
      w.race = { watch: entry, store: { address: entry, value: leaf(secret, 0xd7) } };
      return () => {
        const made = w.create('', { pool });
        return [made.result, w.runFor(made, 300_000), w.retval(made)];
      };
    },
  },
  {
    name: 'a relay page of which a large page of the host shows more',
    by: 'kernel',
    checks: ['partialLeaf'],
    refused: [-1, 0],
    succeeds: [1, SECRET],
    prepare: (w) => {
      const relay = w.block();
      const made = w.create(WRITES_RELAY);
      return () => [w.runFor(made, 300_000, relay, PAGE), w.read(relay)];
    },
  },
  {
    name: 'a relay page that another enclave owns',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      const { relay } = w.relayKeeper();
      return () => readsRelay(w, relay);
    },
  },
  {
    name: 'a page of another enclave as a relay page',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare:
      (w, { secret }) =>
      () =>
        readsRelay(w, secret),
  },
  {
    name: 'a pool that is another enclave’s',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const { base } = w.victim(w.create(Code.loop, { type: 'SERVER', name: 'server' }));
      const pool = { base, size: 2 * MIB, free: base + 100 * PAGE };
      return () => [w.create('', { pool, type: 'SERVER', name: 'other' }).result];
    },
  },
  {
    name: 'a pool that reaches into another enclave',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const pool = w.pool(Code.loop);
      const next = w.keeper();
      // The keeper's pool is the next block.
      const size = next.base + 2 * MIB - pool.base;
      return () => [w.create('', { pool: { ...pool, size } }).result];
    },
  },
  {
    name: 'the memory of an instance: another enclave',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [1],
    harms: true,
    prepare: (w, { base }) => {
      const template = w.create(Code.loop, { type: 'SHADOW' });
      return () => {
        w.k.timer(2_000_000);
        return [w.fork(template.eid, { sptbr: base }).result];
      };
    },
  },
  {
    name: 'memory granted for an mmap that is another enclave’s',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w, { secret }) => {
      const made = w.create(MAPS_AND_READS);
      w.runFor(made, 2_000_000);
      return () => [grant(w, made.eid, secret - PAGE)];
    },
  },
  {
    name: 'memory granted for an mmap that is the enclave’s own',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const made = w.victim(w.create(MAPS_AND_READS));
      w.runFor(made, 2_000_000);
      return () => [grant(w, made.eid, made.base + 20 * PAGE)];
    },
  },
  {
    name: 'MEMORY_EXTEND with another enclave',
    by: 'kernel',
    checks: ['claimOwnership'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { base }) =>
      () => [w.k.call(Sbi.MEMORY_EXTEND, base, 2 * MIB)],
  },
  {
    name: 'a relay page that an accomplice has as shared memory',
    by: 'kernel',
    checks: ['claimUnshared'],
    refused: [-1, 0],
    succeeds: [1, SECRET],
    prepare: (w) => {
      const shared = w.take();
      const read = `li t0, 0x3900000000\nld a0, 0(t0)\n${Code.exitA0}`;
      const accomplice = w.create(read, { name: 'accomplice', shm: shared, shmSize: PAGE });
      const made = w.create(WRITES_RELAY);
      return () => {
        const result = w.runFor(made, 300_000, shared, PAGE);
        w.runFor(accomplice, 2_000_000);
        return [result, w.retval(accomplice)];
      };
    },
  },
  {
    name: 'the bitmap of owners as memory for an mmap, so that the monitor zeroes it',
    by: 'kernel',
    checks: ['claimOrdinary'],
    refused: [-1, -1, 0],
    succeeds: [0, 0, SECRET],
    prepare: (w, { secret }) => {
      const made = w.create(`${Code.ocall(Ocall.MMAP, 0, 15 * PAGE)}\n${Code.exitA0}`);
      w.runFor(made, 2_000_000);
      w.split(Layout.bitmap, 2);
      return () => {
        const granted = grant(w, made.eid, Layout.bitmap, Layout.bitmapSize);
        return [granted, ...w.alias(secret)];
      };
    },
  },
  {
    name: 'what an enclave leaves behind when it is destroyed',
    by: 'kernel',
    checks: ['zeroFreed'],
    refused: [0, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      const made = w.create(WRITES_DATA, { name: 'gone' });
      w.runFor(made, 300_000);
      return () => [w.k.call(Sbi.DESTROY_ENCLAVE, made.eid), w.read(made.base + 4 * PAGE)];
    },
  },
  {
    name: 'SM_INIT once more, with another area and bitmap',
    by: 'kernel',
    checks: ['smInitOnce'],
    refused: [-1, 'store access fault', 0],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const [area, bitmap] = [w.block(), w.block()];
      // The tables in use would be memory like any other.
      return () => [w.smInit(bitmap, area), w.put(w.lastEntry, leaf(secret)), w.read(w.lastSmall)];
    },
  },
  {
    name: 'SM_INIT with the bitmap inside the page-table area',
    by: 'kernel',
    checks: ['smInitDisjoint', 'separationTables'],
    refused: [-1],
    succeeds: [0, 0, 0, SECRET],
    boots: true,
    prepare: (w) => {
      const bitmap = Layout.tables + MIB;
      const result = w.smInit(bitmap);
      if (result !== 0) {
        w.boot().keeper();
        return () => [result];
      }
      if (w.separate() !== 0) return () => [result];
      w.page();
      const { secret } = w.keeper();
      const entry = bitmap + 4 * Math.floor((secret - RAM_START) / PAGE);
      return () => [result, w.setPte(entry - (entry % 8), 0), ...w.alias(secret)];
    },
  },
  {
    name: 'an enclave made before PT_AREA_SEPARATION, while satp takes anything',
    by: 'kernel',
    checks: ['separatedFirst'],
    refused: [-1],
    succeeds: [0, 'done', SECRET],
    boots: true,
    prepare: (w) => {
      const [root, middle] = [w.take(), w.take()];
      w.words(root, [0, 0, pointer(middle)]);
      w.words(middle, ALL_OF_RAM);
      w.smInit();
      w.enter(root);
      const made = w.create(WRITES_DATA);
      if (made.result !== 0) {
        w.enter(0, 0n);
        w.separate();
        w.page().keeper();
        return () => [made.result];
      }
      w.runFor(made, 300_000);
      // The enclave's pages are hidden in the area's tables only.
      return () => [made.result, w.enter(root), w.read(made.base + 4 * PAGE)];
    },
  },
  {
    name: 'an enclave made while satp is Bare',
    by: 'kernel',
    checks: ['hostPaging'],
    refused: [-1],
    succeeds: [0, SECRET],
    boots: true,
    prepare: (w) => {
      w.smInit();
      w.separate();
      const made = w.create(WRITES_DATA);
      if (made.result !== 0) {
        w.page().keeper();
        return () => [made.result];
      }
      w.runFor(made, 300_000);
      return () => [made.result, w.read(made.base + 4 * PAGE)];
    },
  },
  {
    name: 'PT_AREA_SEPARATION over tables that point out of the area',
    by: 'kernel',
    checks: ['separationTables'],
    refused: [-1],
    succeeds: [0, 'done', SECRET],
    boots: true,
    prepare: (w) => {
      const [root, middle, table] = [Layout.root + 2 * PAGE, w.take(), w.take()];
      w.words(root, [pointer(middle), 0, pointer(Layout.kernelMiddle)]);
      w.words(middle, [pointer(table)]);
      w.smInit();
      const result = w.separate();
      if (result !== 0) return () => [result];
      const { secret } = w.page().keeper();
      w.words(table, [leaf(secret)]);
      return () => [result, w.enter(root), w.read(0)];
    },
  },
  {
    name: 'PT_AREA_SEPARATION while satp names a root of the host’s own',
    by: 'kernel',
    checks: ['separationRoot'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    boots: true,
    prepare: (w) => {
      const [root, middle] = [w.take(), w.take()];
      w.words(middle, ALL_OF_RAM);
      w.words(root, [0, 0, pointer(middle)]);
      w.smInit();
      w.enter(root);
      const result = w.separate();
      if (result !== 0) {
        w.enter(0, 0n);
        const again = w.separate();
        w.page().keeper();
        return () => [result, again];
      }
      const { secret } = w.keeper();
      return () => [result, w.read(secret)];
    },
  },
];

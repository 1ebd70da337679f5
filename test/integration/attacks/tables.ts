/** Attacks on the host's page tables: forged entries, forged tables, forged roots, and stores past all of it. */
import { Sbi, SetPte } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Layout, MIB, PAGE, RAM_START, SECRET, leaf, pointer } from './world';

const UNSEEN = 'load page fault';

export const TABLE_ATTACKS: readonly Attack[] = [
  {
    name: 'SET_PTE: an entry that shows a page of an enclave',
    by: 'kernel',
    checks: ['setPteOwnership'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare:
      (w, { secret }) =>
      () =>
        w.show(secret),
  },
  {
    name: 'SET_PTE: a large page over an enclave',
    by: 'kernel',
    checks: ['setPteOwnership'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { base, secret }) => {
      const { root } = w.secondSpace();
      return () => [w.setPte(Layout.middle + 8, leaf(base)), w.enter(root), w.read(2 * MIB + secret - base)];
    },
  },
  {
    name: 'SET_PTE in a list: an entry that shows a page of an enclave',
    by: 'kernel',
    checks: ['setPteOwnership'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      const list = w.take();
      w.words(list, [space.leaf, leaf(secret)]);
      return () => [w.k.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, 1), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'SET_PTE: deep in a list that takes more than one step',
    by: 'kernel',
    checks: ['setPteOwnership'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      const [list, other] = [w.take(3), w.take()];
      const pairs = Array.from({ length: 700 }, (_, i) => [Layout.leaf + PAGE + 8 * (i % 512), leaf(other)]);
      pairs[600] = [space.leaf, leaf(secret)];
      w.words(list, pairs.flat());
      return () => [w.k.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, pairs.length), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'SET_PTE by copy: an entry that shows a page of an enclave',
    by: 'kernel',
    checks: ['setPteOwnership'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      const source = w.take();
      w.words(source, [leaf(secret)]);
      return () => [w.k.call(Sbi.SET_PTE, SetPte.COPY, space.leaf, source, 8), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'SET_PTE by copy: from the memory of an enclave to where the host can read',
    by: 'kernel',
    checks: ['copySource'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare:
      (w, { secret }) =>
      () => [w.k.call(Sbi.SET_PTE, SetPte.COPY, Layout.leaf + PAGE, secret, 8), w.read(Layout.leaf + PAGE)],
  },
  {
    name: 'SET_PTE in a list that lies in the memory of an enclave',
    by: 'kernel',
    checks: ['listPublic'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      const { secret } = w.keeper([Layout.leaf + PAGE, SECRET]);
      return () => [w.k.call(Sbi.SET_PTE, SetPte.BATCH_SET, secret + 8, 1), w.read(Layout.leaf + PAGE)];
    },
  },
  {
    name: 'SET_PTE in a list that another hart changes after the check',
    by: 'kernel',
    checks: ['listCopied'],
    refused: [0, 'done', 7],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      const [list, mine] = [w.take(), w.take()];
      w.words(mine, [7]);
      w.words(list, [space.leaf, leaf(mine)]);
      w.race = { watch: list + 8, store: { address: list + 8, value: leaf(secret) } };
      return () => [w.k.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, 1), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'SET_PTE: an address that is no entry but the memory of an enclave',
    by: 'kernel',
    checks: ['setPteRange'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { secret }) =>
      () => [w.setPte(secret, 0)],
  },
  {
    name: 'SET_PTE: zeroing on, past the end of the page-table area',
    by: 'kernel',
    checks: ['setPteRange'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w, { secret }) => {
      const last = Layout.tables + Layout.tablesSize - 8;
      return () => [w.k.call(Sbi.SET_PTE, SetPte.ZERO, last, 0, secret + 8 - last)];
    },
  },
  {
    name: 'SET_PTE: a list of ranges to zero, one of them an enclave',
    by: 'kernel',
    checks: ['setPteRange'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w, { secret }) => {
      const list = w.take();
      w.words(list, [Layout.leaf + PAGE, 8, secret, 8]);
      return () => [w.k.call(Sbi.SET_PTE, SetPte.BATCH_ZERO, list, 2)];
    },
  },
  {
    name: 'SET_PTE: an entry put across two, so that no check sees it whole',
    by: 'kernel',
    checks: ['setPteAligned'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      return () => [w.setPte(space.leaf - 2, leaf(secret) * 0x10000), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'SET_PTE: a root entry that points to a table of the host’s own',
    by: 'kernel',
    checks: ['setPteTables'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const { root } = w.secondSpace();
      const [middle, table] = [w.take(), w.take()];
      w.words(middle, [pointer(table)]);
      w.words(table, [leaf(secret)]);
      return () => [w.setPte(root + 8, pointer(middle)), w.enter(root), w.read(2 ** 30)];
    },
  },
  {
    name: 'SET_PTE: a middle entry that points to a table of the host’s own',
    by: 'kernel',
    checks: ['setPteTables'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const { root } = w.secondSpace();
      const table = w.take();
      w.words(table, [leaf(secret)]);
      return () => [w.setPte(Layout.middle + 8, pointer(table)), w.enter(root), w.read(2 * MIB)];
    },
  },
  {
    name: 'SET_PTE: a leaf table linked a level too high, where its entries show 2 MiB',
    by: 'kernel',
    checks: ['setPteTables'],
    refused: [0, -1, 'done', UNSEEN],
    succeeds: [0, 0, 'done', SECRET],
    prepare: (w) => {
      const { relay } = w.relayKeeper();
      const { root } = w.secondSpace();
      // The first page of the 2 MiB is public, the relay page isn't.
      return () => [
        w.setPte(Layout.leaf + PAGE, leaf(Layout.small)),
        w.setPte(root + 8, pointer(Layout.leaf + PAGE)),
        w.enter(root),
        w.read(2 ** 30 + relay - Layout.small),
      ];
    },
  },
  {
    name: 'SET_PTE: a leaf of 1 GiB in a root table',
    by: 'kernel',
    checks: ['setPteRootLeaf'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const { root } = w.secondSpace();
      return () => [w.setPte(root + 8, leaf(RAM_START)), w.enter(root), w.read(2 ** 30 + secret - RAM_START)];
    },
  },
  {
    name: 'MAP_PTE: a large page split into a root table, where its parts show 1 GiB each',
    by: 'kernel',
    checks: ['mapPteTables'],
    refused: [-1, 0, 'done', UNSEEN],
    succeeds: [0, 0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const root = Layout.root + 3 * PAGE;
      return () => [
        w.k.call(Sbi.MAP_PTE, Layout.kernelMiddle, root),
        w.setPte(root + 16, pointer(Layout.kernelMiddle)),
        w.enter(root),
        w.read(secret - RAM_START),
      ];
    },
  },
  {
    name: 'a store straight into the page-table area',
    by: 'kernel',
    checks: ['ptAreaPmp'],
    refused: ['store access fault', 'done', UNSEEN],
    succeeds: ['done', 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      return () => [w.put(space.leaf, leaf(secret)), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'a store into the bitmap of owners, then the page as host memory',
    by: 'kernel',
    checks: ['bitmapPmp'],
    refused: ['store access fault', -1, 0],
    succeeds: ['done', 0, SECRET],
    prepare: (w, { secret }) => {
      const entry = Layout.bitmap + 4 * Math.floor((secret - RAM_START) / PAGE);
      return () => [w.put(entry - (entry % 8), 0x7fffffff7fffffffn), ...w.alias(secret)];
    },
  },
  {
    name: 'a load and a store in the memory of the monitor',
    by: 'kernel',
    checks: ['monitorPmp'],
    refused: ['load access fault', 'store access fault'],
    succeeds: [0, 'done'],
    prepare: (w) => () => [w.read(RAM_START + MIB), w.put(RAM_START + MIB, 7)],
  },
  {
    name: 'satp: a root of the host’s own',
    by: 'kernel',
    checks: ['tvmRootCheck'],
    refused: ['illegal instruction', UNSEEN],
    succeeds: ['done', SECRET],
    prepare: (w, { secret }) => {
      const root = w.ownTables(secret);
      return () => [w.enter(root), w.read(0)];
    },
  },
  {
    name: 'satp: Bare, which shows all of memory',
    by: 'kernel',
    checks: ['tvmRootCheck'],
    refused: ['illegal instruction', UNSEEN],
    succeeds: ['done', SECRET],
    prepare:
      (w, { secret }) =>
      () => [w.enter(0, 0n), w.read(secret)],
  },
  {
    name: 'satp: Sv48, where allowed tables are one level higher',
    by: 'kernel',
    checks: ['tvmRootCheck'],
    refused: ['illegal instruction', UNSEEN],
    succeeds: ['done', SECRET],
    prepare: (w) => {
      const { relay } = w.relayKeeper();
      const [root, middle, table] = [Layout.root + 3 * PAGE, Layout.middle + PAGE, Layout.leaf + PAGE];
      w.setPte(root, pointer(middle));
      w.setPte(middle + 16, pointer(table));
      for (const at of [RAM_START + 2 * MIB, Layout.small])
        w.setPte(table + 8 * ((at - RAM_START) / (2 * MIB)), leaf(at));
      return () => [w.enter(root, 9n), w.read(relay)];
    },
  },
  {
    name: 'satp: a middle table as the root, where its large pages show 1 GiB',
    by: 'kernel',
    checks: ['tvmRootCheck'],
    refused: ['illegal instruction', UNSEEN],
    succeeds: ['done', SECRET],
    prepare: (w, { secret }) => {
      const [root, table] = [Layout.middle + PAGE, Layout.leaf + PAGE];
      w.setPte(root, leaf(RAM_START));
      w.setPte(root + 16, pointer(table));
      w.setPte(table + 8, leaf(RAM_START + 2 * MIB));
      return () => [w.enter(root), w.read(secret - RAM_START)];
    },
  },
];

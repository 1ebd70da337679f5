import assert from 'node:assert/strict';
import { Cause } from '../../../emulator/hart/types';
import { MemoryFault } from '../../../emulator/machine/ports';
import { tick, va } from '../../../emulator/units';
import { CreateParam, Pte, Sbi, SetPte } from '../../../monitor/abi';
import type { Checks } from '../../../monitor/checks';
import { Bench, Code, HOST_ROOT, Layout, MIB } from './bench';

const PAGE = 4096;
const SECRET = 0x5ec2e7;
/** Writes the secret to 0x2000, then loops. */
const KEEPER = `li t0, 0x2000\nli t1, ${SECRET}\nsd t1, 0(t0)\n${Code.loop}`;
const RWX = Pte.V + Pte.R + Pte.W + Pte.X + Pte.A + Pte.D;

const rootPart = Layout.tables;
const middlePart = rootPart + PAGE * 2 ** Layout.rootOrder;
const leafPart = middlePart + PAGE * 2 ** Layout.middleOrder;
const pointer = (table: number): number => (table / PAGE) * 1024 + Pte.V;
const leaf = (frame: number, flags = RWX): number => (frame / PAGE) * 1024 + flags;

/** An enclave that holds the secret at this physical address, preempted. */
function keeper(b: Bench): { eid: number; secret: number; page: number } {
  const made = b.create(KEEPER);
  b.timerIn(100_000);
  assert.equal(b.run(made), 1);
  // The bench maps 0x2000 to the fifth page of the pool.
  const secret = made.base + 4 * PAGE;
  assert.equal(b.peek(secret), SECRET, 'the secret is where the test thinks');
  return { ...made, secret };
}

function attackers(checks: Partial<Checks> = {}): Bench {
  return new Bench(checks).start();
}

/** Maps 1 GiB of physical memory from 0x80000000 on at the same addresses, with large pages, through SET_PTE. */
function identity(b: Bench): void {
  const root = rootPart + PAGE;
  assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, root + 8 * 2, pointer(middlePart)), 0);
  for (let i = 0; i < 32; i++) {
    // The monitor's own 2 MiB too: PMP guards them.
    const value = leaf(0x8000_0000 + i * 2 * MIB, RWX);
    assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, middlePart + 8 * i, value), 0, `entry ${i}`);
  }
}

function enablePaging(b: Bench, root: number): void {
  b.hart.csrWrite(0x180, (8n << 60n) | BigInt(root / PAGE));
  // The write traps; the monitor emulates it and returns, or hands the host an illegal instruction.
  for (let i = 0; i < 20; i++) b.machine.run(tick(b.machine.tick + 1));
}

/** What the host reads at a virtual address: the value, or the cause of its fault. */
function read(b: Bench, address: number): number | string {
  try {
    return b.port.readI64(va(address));
  } catch (error) {
    assert.ok(error instanceof MemoryFault);
    return error.cause === Cause.LoadPageFault ? 'page fault' : 'access fault';
  }
}

describe('what the host cannot do, and the check that stops it', () => {
  it('before an enclave exists the host reads its own pages through its tables', () => {
    const b = attackers();
    identity(b);
    enablePaging(b, rootPart + PAGE);
    b.port.writeI64(va(Layout.free), 77);
    assert.equal(read(b, Layout.free), 77);
  });

  it('the monitor, and the bitmap of owners, are no memory to the host', () => {
    const b = attackers();
    for (const address of [0x8000_0000, 0x801f_fff8, Layout.bitmap, Layout.bitmap + Layout.bitmapSize - 8]) {
      assert.equal(read(b, address), 'access fault');
      assert.throws(() => b.port.writeI64(va(address), 0), MemoryFault);
    }
  });

  describe('a forged entry by SET_PTE', () => {
    const forge = (b: Bench, secret: number): number => {
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, rootPart + PAGE, pointer(middlePart + PAGE)), 0);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, middlePart + PAGE, pointer(leafPart)), 0);
      return b.call(Sbi.SET_PTE, SetPte.ONE, leafPart, leaf(secret));
    };
    it('is denied, and the address stays unmapped', () => {
      const b = attackers();
      identity(b);
      const { secret } = keeper(b);
      assert.equal(forge(b, secret), -1);
      assert.ok(b.logged(/denied: the page is private/));
      enablePaging(b, rootPart + PAGE);
      assert.equal(read(b, 0), 'page fault');
    });
    it('shows the secret when setPteOwnership is off', () => {
      const b = attackers({ setPteOwnership: false });
      identity(b);
      const { secret } = keeper(b);
      assert.equal(forge(b, secret), 0);
      enablePaging(b, rootPart + PAGE);
      assert.equal(read(b, 0), SECRET);
    });
    it('is denied in every form: single, batch, copy, and as part of a large page', () => {
      const b = attackers();
      const { secret } = keeper(b);
      const list = b.take(1);
      b.writeWords(list, [leafPart, leaf(secret)]);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, 1), -1);
      b.writeWords(list, [leaf(secret)]);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.COPY, leafPart, list, 8), -1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, middlePart, leaf(secret - (secret % (2 * MIB)))), -1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, leafPart + 3, leaf(Layout.free)), -1, 'unaligned');
      assert.equal(b.call(Sbi.SET_PTE, 6, leafPart, 0), -1, 'unknown reason');
      assert.equal(b.peek(leafPart), 0);
      assert.equal(b.peek(middlePart), 0);
    });
    it('is denied in the middle of a long list, too: what comes before it is stored, nothing behind it', () => {
      const b = attackers();
      const { secret } = keeper(b);
      const [COUNT, BAD] = [2000, 1700];
      const list = b.take(8);
      const good = leaf(b.take(1));
      const pairs = Array.from(
        { length: COUNT },
        (_, i) => [leafPart + 8 * i, i === BAD ? leaf(secret) : good] as const,
      );
      b.writeWords(list, pairs.flat());
      assert.equal(b.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, COUNT), -1);
      const stored = [0, BAD - 1, BAD, BAD + 1].map((i) => b.peek(leafPart + 8 * i));
      assert.deepEqual(stored, [good, good, 0, 0]);
      b.writeWords(
        list,
        pairs.map(([, value]) => value),
      );
      const elsewhere = leafPart + 16 * PAGE;
      assert.equal(b.call(Sbi.SET_PTE, SetPte.COPY, elsewhere, list, 8 * COUNT), -1);
      assert.deepEqual(
        [BAD - 1, BAD].map((i) => b.peek(elsewhere + 8 * i)),
        [good, 0],
      );
      assert.equal(b.call(Sbi.SET_PTE, SetPte.COPY, elsewhere, list, 8 * BAD), 0);
      b.writeWords(list, [leafPart, 8 * BAD, elsewhere, 8 * BAD]);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.BATCH_ZERO, list, 2), 0);
      assert.deepEqual([b.peek(leafPart), b.peek(elsewhere)], [0, 0]);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.BATCH_ZERO, list, 0), 0, 'an empty list');
      assert.equal(b.call(Sbi.SET_PTE, SetPte.BATCH_SET, list, 2 ** 40), -1, 'a list without end');
    });
    it('cannot make a table of memory outside the page-table area', () => {
      const b = attackers();
      const forged = b.take(1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, rootPart + PAGE, pointer(forged)), -1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, middlePart, pointer(forged)), -1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, leafPart, pointer(leafPart + PAGE)), -1);
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, rootPart + PAGE, leaf(0x8000_0000)), -1, 'a 1 GiB page');
      assert.equal(b.call(Sbi.SET_PTE, SetPte.ONE, forged, 0), -1, 'an entry elsewhere');
    });
  });

  describe('a direct store into the page-table area', () => {
    const store = (b: Bench, secret: number): void => {
      for (const [at, value] of [
        [rootPart + PAGE, pointer(middlePart + PAGE)],
        [middlePart + PAGE, pointer(leafPart)],
        [leafPart, leaf(secret)],
      ] as const)
        b.port.writeI64(va(at), value);
    };
    it('faults', () => {
      const b = attackers();
      const { secret } = keeper(b);
      assert.throws(() => store(b, secret), MemoryFault);
      assert.equal(b.peek(rootPart + PAGE), 0);
    });
    it('shows the secret when ptAreaPmp is off', () => {
      const b = attackers({ ptAreaPmp: false });
      const { secret } = keeper(b);
      store(b, secret);
      enablePaging(b, rootPart + PAGE);
      assert.equal(read(b, 0), SECRET);
    });
  });

  describe("a root table of the host's own in satp", () => {
    const own = (b: Bench, secret: number): number => {
      const [root, middle, table] = [b.take(1), b.take(1), b.take(1)];
      b.writeWords(root, [pointer(middle)]);
      b.writeWords(middle, [pointer(table)]);
      b.writeWords(table, [leaf(secret)]);
      return root;
    };
    it('is an illegal instruction', () => {
      const b = attackers();
      const { secret } = keeper(b);
      enablePaging(b, own(b, secret));
      assert.equal(b.trapped?.cause, Cause.IllegalInstruction);
      assert.equal(b.hart.readCsr(0x180), (8n << 60n) | BigInt(HOST_ROOT / PAGE));
      assert.ok(b.logged(/satp := .* denied/));
    });
    it('shows the secret when tvmRootCheck is off', () => {
      const b = attackers({ tvmRootCheck: false });
      const { secret } = keeper(b);
      enablePaging(b, own(b, secret));
      assert.equal(read(b, 0), SECRET);
    });
    it('may not be the first page of the root part, a middle table, or Bare after paging', () => {
      for (const root of [rootPart, middlePart, leafPart, Layout.free]) {
        const b = attackers();
        enablePaging(b, root);
        assert.equal(b.trapped?.cause, Cause.IllegalInstruction, root.toString(16));
      }
      const b = attackers();
      b.hart.csrWrite(0x180, 0n);
      for (let i = 0; i < 20; i++) b.machine.run(tick(b.machine.tick + 1));
      assert.equal(b.trapped?.cause, Cause.IllegalInstruction);
    });
  });

  describe('a mapping from before the hand-over', () => {
    const relay = (b: Bench): number => {
      identity(b);
      const memory = b.take(512);
      // The host keeps the large page the relay memory is all of.
      enablePaging(b, rootPart + PAGE);
      b.port.writeI64(va(memory), 22222);
      assert.equal(read(b, memory), 22222);
      const program = `li t0, 0x3800000000\nli t1, ${SECRET}\nsd t1, 0(t0)\n${Code.loop}`;
      const made = b.create(program);
      b.timerIn(300_000);
      assert.equal(b.run(made, memory, 2 * MIB), 1);
      assert.equal(b.peek(memory), SECRET);
      return memory;
    };
    it('faults while the enclave owns the page, and shows its content afterwards', () => {
      const b = attackers();
      const memory = relay(b);
      assert.equal(read(b, memory), 'page fault');
      assert.equal(b.call(Sbi.DESTROY_ENCLAVE, 0), 0);
      assert.equal(read(b, memory), SECRET, 'relay pages come back as the enclave left them');
    });
    it('shows the secret when hostPteInvalidation is off', () => {
      const b = attackers({ hostPteInvalidation: false });
      assert.equal(read(b, relay(b)), SECRET);
    });
  });

  it('memory of an enclave that is gone is zero when the host sees it again', () => {
    const b = attackers();
    const { eid, secret } = keeper(b);
    assert.equal(b.call(Sbi.DESTROY_ENCLAVE, eid), 0);
    assert.equal(read(b, secret), 0);
  });

  it('a large page that shows more than the enclave gets must be split first; split, its other pages stay', () => {
    const b = attackers();
    identity(b);
    const memory = b.take(1);
    enablePaging(b, rootPart + PAGE);
    const made = b.create(Code.loop);
    assert.equal(b.run(made, memory, PAGE), -1);
    assert.ok(b.logged(/shows more than the pages/));
    b.port.writeI64(va(memory), 5);
    const index = Math.floor((memory - 0x8000_0000) / (2 * MIB));
    assert.equal(b.call(Sbi.MAP_PTE, middlePart + 8 * index, leafPart), 0);
    b.timerIn(300_000);
    assert.equal(b.run(made, memory, PAGE), 1);
    assert.equal(read(b, memory), 'page fault');
    assert.equal(read(b, memory + PAGE), 0);
  });
});

describe('what a driver may not give an enclave', () => {
  /** Creates with one word of the pool or parameters changed. */
  function hostile(
    change: (b: Bench, pool: { base: number }, put: (field: number, value: number) => void) => void,
  ): Bench {
    const b = attackers();
    const pool = b.buildPool(Code.loop);
    const page = b.take(2);
    const put = (field: number, value: number) => b.port.writeI64(va(page + field), value);
    put(CreateParam.eid_ptr, page + 512);
    put(CreateParam.paddr, pool.base);
    put(CreateParam.size, pool.size);
    put(CreateParam.entry_point, 0x1000);
    put(CreateParam.free_mem, pool.free);
    put(CreateParam.kbuffer, page + PAGE);
    for (let i = 0; i < 5; i++) put(CreateParam.ecall_arg0 + 8 * i, page + 1024 + 8 * i);
    change(b, pool, put);
    const before = b.monitor.enclaves().length;
    assert.equal(b.call(Sbi.CREATE_ENCLAVE, page), -1);
    assert.equal(b.monitor.enclaves().length, before);
    assert.equal(read(b, pool.base + 3 * PAGE) !== 'access fault', true, 'the pool is the host’s again');
    return b;
  }
  const leafTable = (base: number): number => base + 7 * PAGE;

  it('a page of another enclave, of the monitor, or twice the same', () => {
    hostile((b, { base }) => b.port.writeI64(va(leafTable(base) + 24), leaf(keeper(b).secret, RWX + Pte.U)));
    hostile((b, { base }) => b.port.writeI64(va(leafTable(base) + 24), leaf(0x8000_0000, RWX + Pte.U)));
    hostile((b, { base }) => b.port.writeI64(va(leafTable(base) + 24), leaf(base + 4 * PAGE, RWX + Pte.U)));
  });
  it('its own page tables, the monitor’s page of the pool, or pages kept for later tables', () => {
    for (const page of [0, 1, 7, 10, 100])
      hostile((b, { base }) => b.port.writeI64(va(leafTable(base) + 24), leaf(base + page * PAGE, RWX + Pte.U)));
  });
  it('a table outside of the pool, a large page, a page that is not for user mode', () => {
    hostile((b, { base }) => b.port.writeI64(va(base + 6 * PAGE + 8), pointer(b.take(1))));
    hostile((b, { base }) => b.port.writeI64(va(base + 6 * PAGE + 8), leaf(base, RWX + Pte.U)));
    hostile((b, { base }) => b.port.writeI64(va(leafTable(base) + 24), leaf(base + 5 * PAGE, RWX)));
  });
  it('a page behind the stack’s top', () => {
    hostile((b, { base }) => b.port.writeI64(va(base + PAGE + 8 * 300), pointer(base + 8 * PAGE)));
  });
  it('parameters that are unaligned, outside of memory, or somebody else’s', () => {
    for (const value of [0, 1, 0x8000_0000, Layout.tables, Layout.bitmap, 2 ** 40, 2 ** 53 - 4096])
      hostile((_b, _pool, put) => put(CreateParam.paddr, value));
    for (const value of [0, 3, 2 ** 50]) hostile((_b, _pool, put) => put(CreateParam.size, value));
    for (const value of [0x8000_0000, Layout.bitmap, 12]) hostile((_b, _pool, put) => put(CreateParam.kbuffer, value));
    for (const value of [0x8000_0000, Layout.tables, 4]) hostile((_b, _pool, put) => put(CreateParam.eid_ptr, value));
    for (const value of [0x8000_0000, Layout.tables, 1])
      hostile((_b, _pool, put) => put(CreateParam.ecall_arg0, value));
    hostile((b, _pool, put) => put(CreateParam.retval, keeper(b).secret));
    hostile((b, _pool, put) => put(CreateParam.kbuffer, keeper(b).secret - (keeper(b).secret % PAGE)));
  });
  it('memory that another enclave shares with the host: it stays public', () => {
    const b = attackers();
    const shm = b.take(1);
    assert.equal(b.create(Code.loop, { shm, shmSize: PAGE }).result, 0);
    const made = b.create(Code.loop, { name: 'other' });
    assert.equal(b.run(made, shm, PAGE), -1);
  });
});

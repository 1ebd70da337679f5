/** Attacks by what the host passes to CREATE, RUN and ATTEST: addresses that are not its own, tables that are not what they seem, names. */
import { RELAY_TRANSFERRED, Sbi } from '../../../monitor/abi';
import { EnclaveCall } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Code, Layout, MIB, PAGE, RAM_START, SECRET, leaf, pointer, type Parameters, type World } from './world';

/** Flags of a page that an enclave may use in every way. */
const ENCLAVE_PAGE = 0xdf;
const UNSEEN = 'load page fault';
const RESULTS = ['ecall_arg0', 'ecall_arg1', 'ecall_arg2', 'ecall_arg3', 'retval'] as const;
const load = (address: number | string): string => `li t0, ${address}\nld a0, 0(t0)\n${Code.exitA0}`;
/** All result pointers at a place, 8 bytes apart, `retval` there. */
const resultsAt = (retval: number) =>
  Object.fromEntries(RESULTS.map((field, i) => [field, retval + (field === 'retval' ? 0 : 8 * (i + 1))]));

/** Creates and runs an enclave; both results and what it returned. */
function tries(w: World, source: string, parameters: Parameters): (number | string)[] {
  const made = w.create(source, parameters);
  return [made.result, w.runFor(made, 2_000_000), w.retval(made)];
}

/** The same with a pool in which words were changed after it was built. */
function withPool(w: World, source: string, change: (base: number, put: (at: number, word: number) => void) => void) {
  const pool = w.pool(source);
  change(pool.base, (at, word) => w.words(pool.base + at, [word]));
  return () => tries(w, source, { pool });
}
const REFUSED = [-1, -1, 0] as const;
const READ = [0, 0, SECRET] as const;

export const PARAMETER_ATTACKS: readonly Attack[] = [
  {
    name: 'CREATE: a page of another enclave as the kbuffer',
    by: 'kernel',
    checks: ['sharePublic'],
    refused: REFUSED,
    succeeds: READ,
    prepare:
      (w, { secret }) =>
      () =>
        tries(w, load(-0x20_0000_0000), { fields: { kbuffer: secret } }),
  },
  {
    name: 'CREATE: a page of another enclave as shared memory',
    by: 'kernel',
    checks: ['sharePublic'],
    refused: REFUSED,
    succeeds: READ,
    prepare:
      (w, { secret }) =>
      () =>
        tries(w, load('0x3900000000'), { shm: secret, shmSize: PAGE }),
  },
  {
    name: 'CREATE: shared memory whose end reaches into another enclave',
    by: 'kernel',
    checks: ['sharePublic'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w) => {
      const shm = w.block();
      const { secret } = w.keeper();
      const source = load(0x39_0000_0000 + secret - shm);
      return () => tries(w, source, { shm, shmSize: secret + PAGE - shm });
    },
  },
  {
    name: 'RUN_SHADOW: a page of another enclave as an instance’s shared memory',
    by: 'kernel',
    checks: ['sharePublic'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare: (w, { secret }) => {
      const template = w.create(load('0x3900000000'), { type: 'SHADOW' });
      return () => {
        w.k.timer(2_000_000);
        const made = w.fork(template.eid, { shm_paddr: secret, shm_size: PAGE });
        return [made.result, w.retval(made)];
      };
    },
  },
  {
    name: 'CREATE: results that the monitor writes into another enclave',
    by: 'kernel',
    checks: ['sharePublic'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { secret }) =>
      () => {
        const made = w.create(Code.exit(0xbad), { fields: resultsAt(secret) });
        w.runFor(made, 2_000_000);
        return [made.result];
      },
  },
  {
    name: 'CREATE: results in two pages, the second of another enclave',
    by: 'kernel',
    checks: ['outPointers'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { secret }) =>
      () => {
        const made = w.create(Code.exit(0xbad), { fields: { retval: secret } });
        w.runFor(made, 2_000_000);
        return [made.result];
      },
  },
  {
    name: 'CREATE: an accomplice’s return value that the monitor writes as a page table entry',
    by: 'kernel',
    checks: ['outPointers', 'sharePublic'],
    refused: [-1, -1, 'done', UNSEEN],
    succeeds: [0, 0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      return () => {
        const made = w.create(Code.exit(leaf(secret)), { fields: resultsAt(space.leaf) });
        return [made.result, w.runFor(made, 2_000_000), w.enter(space.root), w.read(0)];
      };
    },
  },
  {
    name: 'CREATE: an eid that the monitor writes into the bitmap of owners',
    by: 'kernel',
    checks: ['eidPointer'],
    refused: [-1, -1, 0],
    succeeds: [0, 0, SECRET],
    prepare: (w, { secret }) => {
      const entry = Layout.bitmap + 4 * Math.floor((secret - RAM_START) / PAGE);
      return () => {
        const { result } = w.create(Code.loop, { fields: { eid_ptr: entry - (entry % 8) } });
        return [result, ...w.alias(secret)];
      };
    },
  },
  {
    name: 'CREATE: an eid that the monitor writes into another enclave',
    by: 'kernel',
    checks: ['eidPointer'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { secret }) =>
      () => [w.create(Code.loop, { fields: { eid_ptr: secret } }).result],
  },
  {
    name: 'CREATE: an eid that the monitor writes into the new enclave, after it was measured',
    by: 'kernel',
    checks: ['eidPointer'],
    refused: REFUSED,
    succeeds: [0, 0, 1],
    prepare: (w) => {
      const source = load(0x2000);
      const pool = w.pool(source);
      w.words(pool.base + 4 * PAGE, [77]);
      return () => {
        const made = w.create(source, { pool, fields: { eid_ptr: pool.base + 4 * PAGE } });
        return [made.result, w.runFor({ ...made, eid: 1 }, 2_000_000), w.retval(made)];
      };
    },
  },
  {
    name: 'RUN_SHADOW: an eid that the monitor writes into the new instance’s relay page',
    by: 'kernel',
    checks: ['eidPointer'],
    refused: [-1, 0],
    succeeds: [0, 1],
    prepare: (w) => {
      const template = w.create(load('0x3800000000'), { type: 'SHADOW' });
      const relay = w.take();
      return () => {
        w.k.timer(2_000_000);
        const fields = { eid_ptr: relay, mm_arg_addr: relay, mm_arg_size: PAGE };
        const made = w.fork(template.eid, fields);
        return [made.result, w.retval(made)];
      };
    },
  },
  {
    name: 'ATTEST: a report whose nonce the monitor writes as a page table entry',
    by: 'kernel',
    checks: ['reportPointer'],
    refused: [-1, 'done', UNSEEN],
    succeeds: [0, 'done', SECRET],
    prepare: (w, { secret }) => {
      const space = w.secondSpace();
      const { eid } = w.create(Code.loop);
      return () => [w.k.call(Sbi.ATTEST_ENCLAVE, eid, space.leaf - 256, leaf(secret)), w.enter(space.root), w.read(0)];
    },
  },
  {
    name: 'ATTEST: a report into another enclave',
    by: 'kernel',
    checks: ['reportPointer'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w, { secret }) => {
      const { eid } = w.create(Code.loop);
      return () => [w.k.call(Sbi.ATTEST_ENCLAVE, eid, secret, 1)];
    },
  },
  {
    name: 'RUN: a parameter block in the memory of another enclave',
    by: 'kernel',
    checks: ['paramPublic'],
    refused: [-1],
    succeeds: [0],
    prepare: (w, { secret }) => {
      const made = w.create(Code.exit(1));
      w.k.timer(2_000_000);
      return () => [w.k.call(Sbi.RUN_ENCLAVE, made.eid, secret + 256)];
    },
  },
  {
    name: 'CREATE: a page table that shows a page of another enclave',
    by: 'kernel',
    checks: ['tableOwnership'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w, { secret }) =>
      withPool(w, load(0x3000), (_base, put) => put(7 * PAGE + 24, leaf(secret, ENCLAVE_PAGE))),
  },
  {
    name: 'CREATE: a page table outside of the pool, which the host changes later',
    by: 'kernel',
    checks: ['tableOwnership'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w, { secret }) => {
      const table = w.take();
      const source = load(2 * MIB);
      const pool = w.pool(source);
      w.words(pool.base + 6 * PAGE + 8, [pointer(table)]);
      return () => {
        const made = w.create(source, { pool });
        w.words(table, [leaf(secret, ENCLAVE_PAGE)]);
        return [made.result, w.runFor(made, 2_000_000), w.retval(made)];
      };
    },
  },
  {
    name: 'CREATE: a page table that the enclave can write',
    by: 'kernel',
    checks: ['tableOwnership'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w, { secret }) => {
      const forge = `li t0, 0x3000\nli t1, ${leaf(secret, ENCLAVE_PAGE)}\nsd t1, 32(t0)`;
      return withPool(w, `${forge}\n${load(0x4000)}`, (base, put) =>
        put(7 * PAGE + 24, leaf(base + 7 * PAGE, ENCLAVE_PAGE)),
      );
    },
  },
  {
    name: 'CREATE: a page that later becomes a page table and that the enclave can write',
    by: 'kernel',
    checks: ['tableFree'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w, { secret }) => {
      // The kbuffer's tables are the first that are taken: pages 10 and 11.
      const forge = `li t0, 0x3000\nli t1, ${leaf(secret, ENCLAVE_PAGE)}\nsd t1, 8(t0)`;
      return withPool(w, `${forge}\n${load(-0x20_0000_0000 + PAGE)}`, (base, put) =>
        put(7 * PAGE + 24, leaf(base + 11 * PAGE, ENCLAVE_PAGE)),
      );
    },
  },
  {
    name: 'CREATE: a large page over another enclave',
    by: 'kernel',
    checks: ['tableLeaves'],
    refused: REFUSED,
    succeeds: READ,
    prepare: (w, { base, secret }) =>
      withPool(w, load(2 * MIB + secret - base), (_base, put) => put(6 * PAGE + 8, leaf(base, ENCLAVE_PAGE))),
  },
  {
    name: 'CREATE_SERVER: the name of a server that lives',
    by: 'kernel',
    checks: ['serverName'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      w.create(Code.loop, { type: 'SERVER', name: 'filesystem' });
      return () => [w.create(Code.loop, { type: 'SERVER', name: 'filesystem' }).result];
    },
  },
  {
    name: 'CREATE_SERVER: the name of a server that lives, with something behind its NUL',
    by: 'kernel',
    checks: ['serverName'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      w.create(Code.loop, { type: 'SERVER', name: 'filesystem' });
      return () => [w.create(Code.loop, { type: 'SERVER', name: 'filesystem\0evil' }).result];
    },
  },
  {
    name: 'CREATE_SERVER: a name of 16 bytes without a NUL, gone on in the next field',
    by: 'kernel',
    checks: ['nameLength'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      const name = 'sixteen bytes...';
      w.create(Code.loop, { type: 'SERVER', name });
      return () => [w.create(Code.loop, { type: 'SERVER', name, fields: { type: 0x42 } }).result];
    },
  },
  {
    name: 'RUN: the name of another enclave that has relay pages',
    by: 'kernel',
    checks: ['relayName'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      w.relayKeeper();
      const made = w.create(Code.exit(1), { name: 'relay-keeper' });
      const relay = w.take();
      return () => [w.runFor(made, 2_000_000, relay, PAGE)];
    },
  },
  {
    name: 'RUN: relay pages that were transferred to another name',
    by: 'kernel',
    checks: ['transferName'],
    refused: [-1, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      const pass = `li t0, 0x3800000000\nli t1, ${SECRET}\nsd t1, 0(t0)\nli t0, 0x2000\nli t1, 0x3800000000
        sd t1, 16(t0)\nli t1, ${PAGE}\nsd t1, 24(t0)\nla a0, name\nli a1, 0x2000\nli a6, 0x100101
        li a7, ${EnclaveCall.ASYN_ENCLAVE_CALL}\necall\n${Code.exitA0}\nname:\n.dword 0x626f62`;
      const alice = w.create(pass, { name: 'alice' });
      w.runFor(alice, 2_000_000, w.take(), PAGE);
      const mallory = w.create(load('0x3800000000'), { name: 'mallory' });
      return () => [w.runFor(mallory, 2_000_000, RELAY_TRANSFERRED, 0), w.retval(mallory)];
    },
  },
];

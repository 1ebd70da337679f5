/** Attacks from inside enclaves: by what they pass to the monitor and to each other. The kernel only lends a hand. */
import { EnclaveCall, Ocall, ResumeReason } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Code, PAGE, SECRET, type Made, type World } from './world';

/** Where the victim's area lies: not where another enclave's first one would. */
const AREA = 0x20_0000_0000;
const UNSEEN = 'load page fault';
/** Fields of call_enclave_arg_t at 0x2000. */
const ARGUMENT = { resp_val: 8, req_vaddr: 16, req_size: 24, resp_vaddr: 32, resp_size: 40 } as const;
const put = (field: keyof typeof ARGUMENT, value: number | string, base = 0x2000): string =>
  `li t0, ${base}\nli t1, ${value}\nsd t1, ${ARGUMENT[field]}(t0)`;
const get = (register: string, field: keyof typeof ARGUMENT): string =>
  `li t0, 0x2000\nld ${register}, ${ARGUMENT[field]}(t0)`;
const NAME = 'name:\n.dword 0x726576726573';
/** Acquires "server" and calls it with the argument at 0x2000 (or elsewhere). */
const call = (argument = 0x2000): string => `la a0, name\nli a6, 0x100101\nli a7, ${EnclaveCall.ACQUIRE_ENCLAVE}\necall
  li a1, ${argument}\nli a7, ${EnclaveCall.CALL_ENCLAVE}\necall`;
const RETURN = Code.call(EnclaveCall.ENCLAVE_RETURN, 0x2000);

const grant = (w: World, eid: number, ocall: number = Ocall.MMAP): number =>
  w.resume(eid, ResumeReason.OCALL, ocall, w.take(2), 2 * PAGE);

/** A keeper that has the secret in an area of its own, at AREA. */
function areaKeeper(w: World): Made {
  const made = w.create(
    `${Code.ocall(Ocall.MMAP, AREA, PAGE)}\nli t1, ${SECRET}\nsd t1, 0(a0)\nli t0, 0x2000\nsd t1, 0(t0)\n${Code.loop}`,
    { name: 'area-keeper' },
  );
  w.runFor(made, 2_000_000);
  w.k.timer(300_000);
  grant(w, made.eid);
  return w.victim(made);
}

/** A template whose first page, mapped read-only in its instances, one of them asks the monitor to write to. */
function writesToText(name: string, source: string, value: number): Attack {
  return {
    name: `${name}: a result written to a page that instances share with their template`,
    by: 'enclave',
    checks: ['pageAccess'],
    refused: [0, -1],
    succeeds: [0, value],
    harms: true,
    prepare: (w) => {
      const template = w.victim(w.create(`${source}\n${Code.exitA0}`, { type: 'SHADOW' }));
      return () => {
        w.k.timer(20_000_000);
        const made = w.fork(template.eid);
        return [made.result, w.retval(made)];
      };
    },
  };
}

export const CALL_ATTACKS: readonly Attack[] = [
  {
    name: 'call_enclave: memory of another enclave as the request',
    by: 'enclave',
    checks: ['areaOwner'],
    refused: [0, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      areaKeeper(w);
      w.create(`ld t2, 0(a1)\nli t0, 0x2000\nsd t2, 8(t0)\n${RETURN}`, { type: 'SERVER', name: 'server' });
      const source = `${put('req_vaddr', AREA)}\n${put('req_size', PAGE)}\n${call()}\n${get('a0', 'resp_val')}`;
      const made = w.create(`${source}\n${Code.exitA0}\n${NAME}`);
      return () => [w.runFor(made, 2_000_000), w.retval(made)];
    },
  },
  {
    name: 'SERVER_RETURN: memory that the server does not own as the response',
    by: 'enclave',
    checks: ['areaOwner'],
    refused: [0, 0],
    succeeds: [0, SECRET],
    prepare: (w) => {
      areaKeeper(w);
      w.create(`${put('resp_vaddr', AREA)}\n${put('resp_size', PAGE)}\n${RETURN}`, { type: 'SERVER', name: 'server' });
      const source = `${call()}\n${get('a0', 'resp_vaddr')}\nbeqz a0, out\nld a0, 0(a0)\nout:`;
      const made = w.create(`${source}\n${Code.exitA0}\n${NAME}`);
      return () => [w.runFor(made, 2_000_000), w.retval(made)];
    },
  },
  {
    name: 'SERVER_RETURN: memory that the server does not own in place of the request',
    by: 'enclave',
    checks: ['areaOwner'],
    refused: [2, 0, 0],
    succeeds: [2, 0, SECRET],
    prepare: (w) => {
      areaKeeper(w);
      w.create(`${put('req_vaddr', AREA)}\n${put('req_size', PAGE)}\n${RETURN}`, { type: 'SERVER', name: 'server' });
      const area = `${Code.ocall(Ocall.MMAP, 0, PAGE)}\nli t0, 0x2000\nsd a0, 16(t0)\n${put('req_size', PAGE)}`;
      const source = `${area}\n${call()}\n${get('a0', 'req_vaddr')}\nbeqz a0, out\nld a0, 0(a0)\nout:`;
      const made = w.create(`${source}\n${Code.exitA0}\n${NAME}`);
      return () => [w.runFor(made, 4_000_000), grant(w, made.eid), w.retval(made)];
    },
  },
  {
    name: 'munmap of memory of another enclave',
    by: 'enclave',
    checks: ['areaOwner'],
    refused: [0, -1],
    succeeds: [2, 0],
    harms: true,
    prepare: (w) => {
      areaKeeper(w);
      const made = w.create(`${Code.ocall(Ocall.UNMAP, AREA, PAGE)}\n${Code.exitA0}`);
      return () => [w.runFor(made, 2_000_000), w.retval(made)];
    },
  },
  {
    name: 'asyn_enclave_call: relay pages of another enclave given to an accomplice',
    by: 'enclave',
    checks: ['relayOwner'],
    refused: [0, -1, -1, 0],
    succeeds: [0, 0, 0, SECRET],
    prepare: (w) => {
      w.relayKeeper();
      const thief = w.create(
        `${put('req_vaddr', 0x38_0000_0000)}\n${put('req_size', PAGE)}\nla a0, name\nli a1, 0x2000\nli a6, 0x100101
        li a7, ${EnclaveCall.ASYN_ENCLAVE_CALL}\necall\n${Code.exitA0}\nname:\n.dword 0x626f62`,
        { name: 'thief' },
      );
      const bob = w.create(`li t0, 0x3800000000\nld a0, 0(t0)\n${Code.exitA0}`, { name: 'bob' });
      return () => [w.runFor(thief, 2_000_000), w.retval(thief), w.runFor(bob, 2_000_000, 0xffff, 0), w.retval(bob)];
    },
  },
  {
    name: 'split_mem_region: relay pages of another enclave',
    by: 'enclave',
    checks: ['relayOwner'],
    refused: [0, -1],
    succeeds: [0, 0],
    prepare: (w) => {
      const relay = w.take(2);
      w.runFor(w.create(Code.loop, { name: 'owner' }), 300_000, relay, 2 * PAGE);
      const base = 0x38_0000_0000;
      const split = Code.call(EnclaveCall.SPLIT_MEM_REGION, base, 2 * PAGE, base + PAGE);
      const thief = w.create(`${split}\n${Code.exitA0}`, { name: 'thief' });
      return () => [w.runFor(thief, 2_000_000), w.retval(thief)];
    },
  },
  {
    name: 'a store of an instance to a page that it shares with its template',
    by: 'enclave',
    checks: ['templateReadOnly'],
    refused: [0, SECRET],
    succeeds: [0, SECRET],
    harms: true,
    prepare: (w) => {
      const source = `li t0, 0x2000\nli t1, ${SECRET}\nsd t1, 0(t0)\nld a0, 0(t0)\n${Code.exitA0}`;
      const template = w.victim(w.create(source, { type: 'SHADOW' }));
      return () => {
        w.k.timer(20_000_000);
        const made = w.fork(template.eid);
        return [made.result, w.retval(made)];
      };
    },
  },
  {
    name: 'what an instance wrote, through the page table it has in common with another',
    by: 'enclave',
    checks: ['tableCopied'],
    refused: [1, 0, 0],
    succeeds: [1, 0, SECRET],
    prepare: (w) => {
      // With shared memory (a0) it writes, without it reads.
      const source = `li t0, 0x2000\nbnez a0, writes\nld a0, 0(t0)\n${Code.exitA0}
        writes:\nli t1, ${SECRET}\nsd t1, 0(t0)\n${Code.loop}`;
      const template = w.victim(w.create(source, { type: 'SHADOW' }));
      const shm = w.take();
      w.k.timer(400_000);
      const writer = w.fork(template.eid, { shm_paddr: shm, shm_size: PAGE }, 'writer');
      w.victim(writer);
      return () => {
        w.k.timer(2_000_000);
        const reader = w.fork(template.eid, {}, 'reader');
        return [writer.result, reader.result, w.retval(reader)];
      };
    },
  },
  writesToText('getrandom', Code.ocall(Ocall.GETRANDOM, 0x1800, 8), 8),
  writesToText('get_key', Code.call(EnclaveCall.GET_KEY, 0, 0x1800, 16), 0),
  writesToText('get_report', Code.call(EnclaveCall.GET_REPORT, 0, 0x1800, 1), 0),
  {
    name: 'call_enclave: an argument in memory shared with the host, changed while the server works',
    by: 'kernel',
    checks: ['callCopied'],
    refused: [2, 1, 'done', 0, 55],
    succeeds: [2, 1, 'done', -1, 0],
    prepare: (w) => {
      const shm = w.take();
      const base = 0x39_0000_0000;
      w.create(
        `li t2, 300000\nwait:\naddi t2, t2, -1\nbnez t2, wait
        li t0, 0x2000\nsd a1, 16(t0)\nsd a2, 24(t0)\n${RETURN}`,
        { type: 'SERVER', name: 'server' },
      );
      // Passes an area with 55 in it, and reads there afterwards: is it back?
      const made = w.create(
        `${Code.ocall(Ocall.MMAP, 0, PAGE)}\nmv s0, a0\nli t1, 55\nsd t1, 0(s0)\nli t0, ${base}\nsd s0, 16(t0)
        ${put('req_size', PAGE, base)}\n${call(base)}\nld a0, 0(s0)\n${Code.exitA0}\n${NAME}`,
        { name: 'caller', shm, shmSize: PAGE },
      );
      return () => {
        const mapping = w.runFor(made, 2_000_000);
        w.k.timer(400_000);
        const preempted = grant(w, made.eid);
        const changed = w.put(shm + ARGUMENT.req_vaddr, 0);
        w.k.timer(4_000_000);
        return [mapping, preempted, changed, w.resume(made.eid), w.retval(made)];
      };
    },
  },
  {
    name: 'shared memory of enclaves destroyed by one while another uses it',
    by: 'enclave',
    checks: ['sharedUsers'],
    refused: [0, 1, UNSEEN],
    succeeds: [2, 1, SECRET],
    prepare: (w) => {
      const KEY = 5;
      const creator = w.create(
        `${Code.ocall(Ocall.SHM_GET, KEY, PAGE)}\n${Code.call(EnclaveCall.YIELD)}
        ${Code.ocall(Ocall.SHM_DESTROY, KEY)}\n${Code.exitA0}`,
        { name: 'creator' },
      );
      const user = w.create(
        `${Code.call(EnclaveCall.SHM_ATTACH, KEY)}\nli t1, ${SECRET}\nagain:\nsd t1, 0(a0)\nj again`,
        { name: 'user' },
      );
      w.runFor(creator, 2_000_000);
      const block = w.take(2);
      w.k.timer(2_000_000);
      w.resume(creator.eid, ResumeReason.OCALL, Ocall.SHM_GET, block, 2 * PAGE);
      w.runFor(user, 300_000);
      return () => {
        w.k.timer(2_000_000);
        const destroyed = w.resume(creator.eid);
        w.k.timer(100_000);
        return [destroyed, w.resume(user.eid), w.read(block + PAGE)];
      };
    },
  },
];

/** Attacks by operations at the wrong time, on the wrong enclave, by the wrong process, or with a handle that is no longer one. */
import { EnclaveCall, Ocall, ResumeReason, Sbi } from '../../../monitor/abi';
import type { Attack } from './attack';
import { Code, MIB, PAGE, SECRET, type Made, type World } from './world';

const MMAP_TOP = 0x30_0000_0000;
/** Asks for a page, then returns what it got. */
const MAPS = `${Code.ocall(Ocall.MMAP, 0, PAGE)}\n${Code.exitA0}`;
/** Acquires "server" and calls it with the argument at 0x2000; resp_val is what it returns. */
const CALLS = `la a0, name\nli a6, 0x100101\nli a7, ${EnclaveCall.ACQUIRE_ENCLAVE}\necall\nli a1, 0x2000
  li a7, ${EnclaveCall.CALL_ENCLAVE}\necall\nli t0, 0x2000\nld a0, 8(t0)\n${Code.exitA0}\nname:\n.dword 0x726576726573`;

/** A caller that was preempted while a server works for it. */
function busyServer(w: World): { server: Made; caller: Made } {
  const server = w.create(Code.loop, { type: 'SERVER', name: 'server' });
  const caller = w.create(CALLS, { name: 'caller' });
  w.runFor(caller, 300_000);
  return { server: w.victim(server), caller: w.victim(caller) };
}

/** Does something in another process's address space. */
const elsewhere = (w: World, work: () => number) => {
  const { root } = w.secondSpace();
  return () => [w.enter(root), work()];
};

const stale = (w: World): Made => {
  const made = w.create(Code.loop, { name: 'gone' });
  w.runFor(made, 300_000);
  w.k.call(Sbi.DESTROY_ENCLAVE, made.eid);
  return made;
};

export const HANDLE_ATTACKS: readonly Attack[] = [
  {
    name: 'STOP by another process',
    by: 'kernel',
    checks: ['ownerSpace'],
    refused: ['done', -1],
    succeeds: ['done', 0],
    harms: true,
    prepare: (w, { eid }) => elsewhere(w, () => w.k.call(Sbi.STOP_ENCLAVE, eid)),
  },
  {
    name: 'RESUME by another process',
    by: 'kernel',
    checks: ['ownerSpace'],
    refused: ['done', -1],
    succeeds: ['done', 1],
    prepare: (w, { eid }) => {
      w.k.timer(400_000);
      return elsewhere(w, () => w.resume(eid));
    },
  },
  {
    name: 'DESTROY by another process',
    by: 'kernel',
    checks: ['ownerSpace'],
    refused: ['done', -1],
    succeeds: ['done', 0],
    harms: true,
    prepare: (w, { eid }) => elsewhere(w, () => w.k.call(Sbi.DESTROY_ENCLAVE, eid)),
  },
  {
    name: 'DESTROY of a template by another process',
    by: 'kernel',
    checks: ['ownerSpace'],
    refused: ['done', -1],
    succeeds: ['done', 0],
    harms: true,
    prepare: (w) => {
      const { eid } = w.victim(w.create(Code.loop, { type: 'SHADOW' }));
      return elsewhere(w, () => w.k.call(Sbi.DESTROY_SHADOW_ENCLAVE, eid));
    },
  },
  {
    name: 'ATTEST by another process',
    by: 'kernel',
    checks: ['ownerSpace'],
    refused: ['done', -1],
    succeeds: ['done', 0],
    prepare: (w) => {
      const { eid } = w.create(Code.loop);
      const report = w.take();
      return elsewhere(w, () => w.k.call(Sbi.ATTEST_ENCLAVE, eid, report, 1));
    },
  },
  {
    name: 'RUN of an enclave that runs already: from its entry point again',
    by: 'kernel',
    checks: ['stateTable'],
    refused: [-1],
    succeeds: [1],
    harms: true,
    prepare: (w, victim) => () => [w.runFor(victim, 300_000)],
  },
  {
    name: 'RESUME as after a stop, without a stop',
    by: 'kernel',
    checks: ['stateTable'],
    refused: [-1],
    succeeds: [0],
    prepare:
      (w, { eid }) =>
      () => [w.resume(eid, ResumeReason.STOP)],
  },
  {
    name: 'STOP that races with an ocall of the enclave',
    by: 'kernel',
    checks: ['stateTable'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const made = w.victim(w.create(MAPS));
      w.runFor(made, 2_000_000);
      return () => [w.k.call(Sbi.STOP_ENCLAVE, made.eid)];
    },
  },
  {
    name: 'ATTEST of an enclave in the middle of its run',
    by: 'kernel',
    checks: ['stateTable'],
    refused: [-1],
    succeeds: [0],
    prepare: (w, { eid }) => {
      const report = w.take();
      return () => [w.k.call(Sbi.ATTEST_ENCLAVE, eid, report, 1)];
    },
  },
  {
    name: 'DESTROY twice: the second time the memory is another enclave’s',
    by: 'kernel',
    checks: ['slotFreed'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const heir = w.create(`${Code.ocall(Ocall.MMAP, 0, 511 * PAGE)}\nli t1, ${SECRET}\nsd t1, 0(a0)\n${Code.loop}`);
      w.runFor(heir, 2_000_000);
      const gone = stale(w);
      w.k.timer(2_000_000);
      w.resume(heir.eid, ResumeReason.OCALL, Ocall.MMAP, gone.base, 2 * MIB);
      w.victim(heir);
      return () => [w.k.call(Sbi.DESTROY_ENCLAVE, gone.eid)];
    },
  },
  {
    name: 'STOP with the handle of an enclave that is gone',
    by: 'kernel',
    checks: ['slotFreed'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      const { eid } = stale(w);
      return () => [w.k.call(Sbi.STOP_ENCLAVE, eid)];
    },
  },
  {
    name: 'ATTEST with the handle of an enclave that is gone',
    by: 'kernel',
    checks: ['slotFreed'],
    refused: [-1],
    succeeds: [0],
    prepare: (w) => {
      const { eid } = w.create(Code.loop);
      w.k.call(Sbi.DESTROY_ENCLAVE, eid);
      const report = w.take();
      return () => [w.k.call(Sbi.ATTEST_ENCLAVE, eid, report, 1)];
    },
  },
  {
    name: 'RESUME of a server in the middle of a call, past its caller',
    by: 'kernel',
    checks: ['resumeServer'],
    refused: [-1],
    succeeds: [1],
    prepare: (w) => {
      const { server } = busyServer(w);
      w.k.timer(300_000);
      return () => [w.resume(server.eid)];
    },
  },
  {
    name: 'RESUME with the answer to another ocall than the enclave waits in',
    by: 'kernel',
    checks: ['ocallMatch'],
    refused: [-1, 0],
    succeeds: [0, 3],
    prepare: (w) => {
      const made = w.create(MAPS);
      w.runFor(made, 2_000_000);
      return () => [w.resume(made.eid, ResumeReason.OCALL, Ocall.SYS_WRITE), w.retval(made)];
    },
  },
  {
    name: 'RESUME with less memory than the enclave asked for',
    by: 'kernel',
    checks: ['grantSize'],
    refused: [-1, 0],
    succeeds: [0, MMAP_TOP - PAGE],
    prepare: (w) => {
      const made = w.create(`${Code.ocall(Ocall.MMAP, 0, 3 * PAGE)}\n${Code.exitA0}`);
      w.runFor(made, 2_000_000);
      const block = w.take(2);
      return () => [w.resume(made.eid, ResumeReason.OCALL, Ocall.MMAP, block, 2 * PAGE), w.retval(made)];
    },
  },
  {
    name: 'RESUME with memory that is not whole pages',
    by: 'kernel',
    checks: ['claimAligned', 'partialLeaf'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const made = w.create(MAPS);
      w.runFor(made, 2_000_000);
      // The last bytes of the host's page, and then the next one, which is an enclave's.
      w.take(2);
      const { relay } = w.relayKeeper();
      w.k.timer(2_000_000);
      return () => [w.resume(made.eid, ResumeReason.OCALL, Ocall.MMAP, relay - 2 * PAGE + 8, 2 * PAGE)];
    },
  },
  {
    name: 'DESTROY of a server as an enclave',
    by: 'kernel',
    checks: ['destroyType'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const { eid } = w.victim(w.create(Code.loop, { type: 'SERVER', name: 'server' }));
      return () => [w.k.call(Sbi.DESTROY_ENCLAVE, eid)];
    },
  },
  {
    name: 'DESTROY of an enclave as a server',
    by: 'kernel',
    checks: ['destroyType'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare:
      (w, { eid }) =>
      () => [w.k.call(Sbi.DESTROY_SERVER_ENCLAVE, eid)],
  },
  {
    name: 'DESTROY of a server in the middle of a call',
    by: 'kernel',
    checks: ['serverBusy'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const { server } = busyServer(w);
      return () => [w.k.call(Sbi.DESTROY_SERVER_ENCLAVE, server.eid)];
    },
  },
  {
    name: 'DESTROY of a template whose pages instances map',
    by: 'kernel',
    checks: ['templateInUse'],
    refused: [-1],
    succeeds: [0],
    harms: true,
    prepare: (w) => {
      const template = w.victim(w.create(Code.loop, { type: 'SHADOW' }));
      w.k.timer(400_000);
      w.fork(template.eid);
      return () => [w.k.call(Sbi.DESTROY_SHADOW_ENCLAVE, template.eid)];
    },
  },
  {
    name: 'a server put in the place of the one that an enclave acquired',
    by: 'kernel',
    checks: ['handleCurrent'],
    refused: [0, 0, -1],
    succeeds: [0, 0, 666],
    prepare: (w) => {
      const server = (value: number) =>
        w.create(`li t0, 0x2000\nli t1, ${value}\nsd t1, 8(t0)\n${Code.call(EnclaveCall.ENCLAVE_RETURN, 0x2000)}`, {
          type: 'SERVER',
          name: 'server',
        });
      const good = server(1);
      // Acquires, gives way, then calls: what the server answered, or the error.
      const caller = w.create(
        `la a0, name\nli a6, 0x100101\nli a7, ${EnclaveCall.ACQUIRE_ENCLAVE}\necall\nmv s0, a0
        li a7, ${EnclaveCall.YIELD}\necall\nmv a0, s0\nli a1, 0x2000\nli a7, ${EnclaveCall.CALL_ENCLAVE}\necall
        bnez a0, out\nli t0, 0x2000\nld a0, 8(t0)\nout:\n${Code.exitA0}\nname:\n.dword 0x726576726573`,
        { name: 'caller' },
      );
      w.runFor(caller, 2_000_000);
      return () => {
        const gone = w.k.call(Sbi.DESTROY_SERVER_ENCLAVE, good.eid);
        server(666);
        return [gone, w.resume(caller.eid), w.retval(caller)];
      };
    },
  },
];

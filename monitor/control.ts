/**
 * What the host does with enclaves that exist: RUN, RESUME, STOP, DESTROY. Every precondition comes from the table in
 * operations.ts; this file adds who asks, and the effects.
 */
import { withRegisters } from '../emulator/hart/registers';
import { EnclaveVa, Ocall, Result, ResumeReason, RunParam } from './abi';
import { grantArea } from './areas';
import type { Core } from './core';
import { pagesLeft, tablesFor } from './enclave-tables';
import { hostSpace, readParam } from './create';
import { endEnclave, enter, entryRegisters, finishOcall, releaseBlocks, transition } from './lifecycle';
import type { Operation } from './operations';
import { freeOwned } from './own-memory';
import { permitted } from './permission';
import { ordinary } from './pages';
import { relayUndo, takeRelays } from './relays';
import { grantShared } from './secure-shm';
import { chainOf, innermost, withoutShadow, type Enclave, type Shadow } from './state';
import { answer } from './task';

/**
 * The address space that asks: the caller's, or the one a driver names when it acts for a process that is not on the hart (0: the
 * caller's). The kernel can enter any of its spaces, so naming one gives it nothing it has not.
 */
function asker(m: Core, named: number): number {
  return named > 0 ? named : hostSpace(m);
}

/** Does another process own it than the one that asks? */
export const isForeign = (m: Core, { host }: { readonly host: number }, named = 0): boolean =>
  !m.holds('ownerSpace', host === asker(m, named));

/** What the table is asked when the owner, or somebody for it, does something. */
const byOwner = (
  m: Core,
  operation: Operation,
  what: string,
  subject: Enclave | Shadow | undefined,
  named: number,
) => ({
  operation,
  what,
  quiet: named > 0,
  foreign: subject !== undefined && isForeign(m, subject, named),
});

export function run(m: Core, eid: number, parameter: number): void {
  const enclave = m.enclave(eid);
  // Whoever runs it owns it from then on.
  if (!permitted(m, enclave, { operation: 'run', what: 'run_enclave' })) return;
  const param = readParam(m, parameter, RunParam.SIZE);
  if (!param) return m.error();
  const [address, size] = [param.u64(RunParam.mm_arg_addr), param.u64(RunParam.mm_arg_size)];
  if (pagesLeft(m, enclave) < tablesFor(size)) return m.answer(Result.NO_MEM);
  const plan = takeRelays(m, enclave.name, enclave.instance, address, size);
  if (!plan) return m.error();
  const total = plan.relays.reduce((sum, relay) => sum + relay.size, 0);
  const registers = entryRegisters(enclave.entry, entryArguments(enclave, m.state.runCounter, total));
  m.update({ undo: relayUndo(plan) });
  m.queue(...plan.tasks, { do: 'map-relays', eid, relays: plan.relays }, { do: 'start', eid, registers });
}

/** a0 … a4 of a normal enclave or an instance. */
export function entryArguments(enclave: Enclave, counter: number, relayBytes: number): number[] {
  return [
    enclave.shmSize > 0 ? EnclaveVa.SHM_BASE : 0,
    enclave.shmSize,
    counter,
    relayBytes > 0 ? EnclaveVa.RELAY_BASE : 0,
    relayBytes,
  ];
}

/** RESUME: `eid` is the enclave the host ran; what is resumed is the one that works for it. */
export function resume(m: Core, eid: number, reason: number, a2: number, a3: number, a4: number): void {
  const head = m.enclave(eid);
  if (reason === ResumeReason.STOP) return resumeStopped(m, head, a2);
  if (reason !== ResumeReason.TIMER && reason !== ResumeReason.OCALL) return m.error();
  // A server is resumed through the enclave the host ran; an enclave that is gone has ended: RUN is to learn that.
  const operation = reason === ResumeReason.TIMER ? 'resumeTimer' : 'resumeOcall';
  if (!permitted(m, head, byOwner(m, operation, 'resume_enclave', head, 0))) return;
  const enclave = innermost(m.state, head);
  if (reason === ResumeReason.OCALL) return resumeOcall(m, enclave, a2, a3, a4);
  transition(m, 'resume', undefined, enclave.instance);
  enter(m, enclave.eid);
}

function resumeStopped(m: Core, head: Enclave | undefined, named: number): void {
  if (!permitted(m, head, byOwner(m, 'resumeStop', 'wake_enclave', head, named))) return;
  for (const enclave of chainOf(m.state, head)) m.change(enclave.eid, { state: 'RUNNABLE' });
  m.answer(Result.SUCCESS);
}

function resumeOcall(m: Core, enclave: Enclave, ocall: number, a3: number, a4: number): void {
  if (!m.holds('ocallMatch', ocall === enclave.ocall)) {
    m.log(`resume_enclave: enclave ${enclave.eid} waits for ocall ${enclave.ocall}, not ${ocall}`);
    return m.error();
  }
  if (ocall === Ocall.MMAP || (ocall === Ocall.SBRK && enclave.ocallArgs[1] > 0)) return grantArea(m, enclave, a3, a4);
  if (ocall === Ocall.SHM_GET) return grantShared(m, enclave, a3, a4);
  if (ocall === Ocall.RETURN_RELAY_PAGE) return regainRelays(m, enclave, a3, a4);
  if (ocall === Ocall.SHM_EXTEND_MEMORY) {
    // It tries again what it could not do.
    m.change(enclave.eid, { ocall: 0 });
    transition(m, 'resume', undefined, enclave.instance);
    return enter(m, enclave.eid);
  }
  // SYS_WRITE leaves a0 as the enclave set it, the id; results of the others come from the host or are known already.
  const result =
    ocall === Ocall.SYS_WRITE
      ? Ocall.SYS_WRITE
      : ocall === Ocall.SBRK || ocall === Ocall.UNMAP
        ? enclave.ocallArgs[0]
        : a3;
  finishOcall(m, enclave, result);
  enter(m, enclave.eid);
}

/** The host had its relay pages back for a while; (0, 0) means it keeps them. */
function regainRelays(m: Core, enclave: Enclave, address: number, size: number): void {
  if (pagesLeft(m, enclave) < tablesFor(size)) return m.answer(Result.NO_MEM);
  const plan = takeRelays(m, enclave.name, enclave.instance, address, size, enclave.type);
  if (!plan) return m.error();
  m.update({ undo: relayUndo(plan) });
  const registers = withRegisters(enclave.registers!, { x: { 10: 0 } });
  m.queue(
    ...plan.tasks,
    { do: 'map-relays', eid: enclave.eid, relays: plan.relays },
    { do: 'start', eid: enclave.eid, registers },
  );
}

export function stop(m: Core, eid: number, named: number): void {
  const enclave = m.enclave(eid);
  if (!permitted(m, enclave, byOwner(m, 'stop', 'stop_enclave', enclave, named))) return;
  for (const member of chainOf(m.state, enclave)) m.change(member.eid, { state: 'STOPPED' });
  m.answer(Result.SUCCESS);
}

/** `reason` 1: the owning process is gone; for the event only. */
export function destroy(m: Core, eid: number, named: number, reason: number, type: 'NORMAL' | 'SERVER'): void {
  const enclave = m.enclave(eid);
  if (!permitted(m, enclave, byOwner(m, 'destroy', 'destroy_enclave', enclave, named))) return;
  if (!m.holds('destroyType', enclave.type === type)) {
    m.log(`destroy_enclave: enclave ${eid} is a ${enclave.type} enclave`);
    return m.error();
  }
  m.queue(
    ...endEnclave(m, chainOf(m.state, enclave), reason === 1 ? 'owner-exited' : 'destroy'),
    answer(Result.SUCCESS),
  );
}

export function destroyShadow(m: Core, id: number, named: number, reason: number): void {
  const shadow = m.state.shadows.get(id);
  if (!permitted(m, shadow, byOwner(m, 'destroy', 'destroy_shadow_enclave', shadow, named))) return;
  m.update(withoutShadow(m.state, shadow));
  m.emit({ kind: 'enclave-gone', instance: shadow.instance, why: reason === 1 ? 'owner-exited' : 'destroy' });
  m.queue(freeOwned(shadow.instance), ...releaseBlocks(m, [shadow.pool]), answer(Result.SUCCESS));
}

/** SCHRODINGER_INIT: where the driver keeps relay pages. Ownership is kept per page, so only the range is checked. */
export function schrodingerInit(m: Core, base: number, size: number): void {
  m.answer(ordinary(m, base, size) ? Result.SUCCESS : Result.ERROR);
}

/**
 * An enclave's ecalls: dispatch by a7, and the calls that are short. Owns what happens to an enclave that calls something it must
 * not. Arguments come from an untrusted program: every pointer is followed through its own page table only.
 */
import { Cause } from '../emulator/hart/types';
import { va } from '../emulator/units';
import { EnclaveCall, Ocall, Result, SBI_EXT_PENGLAI_ENCLAVE } from './abi';
import { mmapCall, sbrkCall, unmapCall, type Reply } from './areas';
import { callEnclave, enclaveReturn, raiseUnknown } from './calls';
import type { Core } from './core';
import { Mapper, readString, readVirtual } from './enclave-tables';
import { endEnclave, killRunning, leave, leaveForMemory, leaveForOcall, releaseRelays } from './lifecycle';
import { getRandom } from './random';
import { missingFor } from './needs';
import { getKey, getReport } from './report';
import { shmAttach, shmDestroy, shmDetach, shmGet, shmStat } from './secure-shm';
import { enclavesOf, serverNamed, type Enclave, type RelayRegion } from './state';
import { answer } from './task';
import { pa } from '../emulator/units';
import { isRefused, ruleFor } from './operations';
import { kindOf, stateOf } from './permission';

/** The ecall returns `result` in a0; the enclave goes on behind it. */
export const replyTo =
  (m: Core): Reply =>
  (result) => {
    m.hart.setX(10, result);
    m.hart.mepc = va(m.hart.mepc + 4);
    m.hart.mret();
  };

export function enclaveCall(m: Core): void {
  const { hart } = m;
  const reply = replyTo(m);
  const number = hart.getX(17);
  const [a0, a1, a2] = [hart.getX(10), hart.getX(11), hart.getX(12)];
  if (hart.getX(16) !== SBI_EXT_PENGLAI_ENCLAVE) {
    if (number === EnclaveCall.LINUX_IOCTL) return reply(0);
    m.hazard('ecall-linux', { number });
    return killRunning(m, Cause.EcallFromUser, 0, `illegal user ecall ${number}: enclaves have no system calls`);
  }
  const missing = missingFor(m, number, a0, a1, a2);
  if (missing > 0) return leaveForMemory(m, missing);
  switch (number) {
    case EnclaveCall.EXIT:
      return exit(m, reply);
    case EnclaveCall.OCALL:
      return ocall(m, reply, a0, a1, a2);
    case EnclaveCall.ACQUIRE_ENCLAVE:
      return acquire(m, reply, a0);
    case EnclaveCall.CALL_ENCLAVE:
      return callEnclave(m, reply, a0, a1);
    case EnclaveCall.ENCLAVE_RETURN:
      return enclaveReturn(m, reply, a0);
    case EnclaveCall.GET_REPORT:
      return getReport(m, reply, a0, a1, hart.getX64(12));
    case EnclaveCall.ASYN_ENCLAVE_CALL:
      return asynCall(m, reply, a0, a1);
    case EnclaveCall.SPLIT_MEM_REGION:
      return splitRegion(m, reply, a0, a1, a2);
    case EnclaveCall.GET_CALLER_ID:
      // The published monitor compares where it should copy, and programs have seen 0 ever since.
      return reply(0);
    case EnclaveCall.GET_ENCLAVE_ID:
      return reply(m.state.running);
    case EnclaveCall.YIELD:
      m.hazard('yield');
      hart.setX(10, 0);
      return leave(m, 'RUNNABLE', Result.TIMER_IRQ, 4, 'timer');
    case EnclaveCall.GET_KEY:
      return getKey(m, reply, a0, a1, a2);
    case EnclaveCall.SHM_ATTACH:
      return shmAttach(m, reply, hart.getX64(10));
    case EnclaveCall.SHM_STAT:
      return shmStat(m, reply, hart.getX64(10), a1);
    default:
      m.hazard('ecall-unknown', { number });
      return killRunning(m, Cause.EcallFromUser, 0, `unsupported ecall number ${number} from enclave`);
  }
}

function ocall(m: Core, reply: Reply, id: number, a1: number, a2: number): void {
  switch (id) {
    case Ocall.MMAP:
      return mmapCall(m, reply, a1, a2);
    case Ocall.UNMAP:
      return unmapCall(m, reply, a1, a2);
    case Ocall.SBRK:
      return sbrkCall(m, reply, a1);
    case Ocall.SYS_WRITE:
    case Ocall.READ_SECT:
    case Ocall.WRITE_SECT:
      return leaveForOcall(m, { ocall: id, arg0: a1, arg1: a2, kept: [0, 0] });
    case Ocall.RETURN_RELAY_PAGE:
      return returnRelays(m);
    case Ocall.GETRANDOM:
      return getRandom(m, reply, a1, a2);
    case Ocall.SHM_GET:
      return shmGet(m, reply, m.hart.getX64(11), a2);
    case Ocall.SHM_DETACH:
      return shmDetach(m, reply, m.hart.getX64(11));
    case Ocall.SHM_DESTROY:
      return shmDestroy(m, reply, m.hart.getX64(11));
    default:
      m.hazard('ocall-unknown', { number: id });
      return reply(Result.ERROR);
  }
}

function exit(m: Core, reply: Reply): void {
  const enclave = m.enclave(m.state.running)!;
  const rule = ruleFor('exit', kindOf(enclave), stateOf(m.state, enclave));
  if (isRefused(rule)) {
    if (rule.hazard) m.hazard(rule.hazard);
    m.log(`exit_enclave: enclave ${enclave.eid}: ${rule.why}`);
    return reply(Result.ERROR);
  }
  const value = m.hart.getX64(10);
  m.port.writeU64(pa(enclave.out.retval), value);
  m.emit({
    kind: 'transition',
    name: 'exit',
    from: enclave.instance,
    to: undefined,
    tid: m.options.currentThread(),
  });
  m.queue(...endEnclave(m, [enclave], 'exit', value), answer(Result.SUCCESS));
}

function acquire(m: Core, reply: Reply, pointer: number): void {
  const self = m.enclave(m.state.running)!;
  const name = readString(m, self, pointer, 16);
  const server = name === undefined ? undefined : serverNamed(m.state, name);
  if (!server) raiseUnknown(m, name);
  if (!server) m.log(`acquire_server_enclave: haven't alloc this enclave: ${name ?? '(bad pointer)'}`);
  if (server) {
    const others = self.acquired.filter(({ eid }) => eid !== server.eid);
    m.change(self.eid, { acquired: [...others, { eid: server.eid, instance: server.instance }] });
  }
  reply(server ? server.eid : Result.ERROR);
}

/** All relay regions go back to the host and out of the enclave; the host learns of the first one. */
function returnRelays(m: Core): void {
  const enclave = m.enclave(m.state.running)!;
  const mapper = Mapper.of(m, enclave);
  for (const relay of enclave.relays) mapper.unmap(relay.va, relay.size);
  m.hart.fenceVma();
  m.change(enclave.eid, { relays: [] });
  const first = enclave.relays[0];
  const request = {
    ocall: Ocall.RETURN_RELAY_PAGE,
    arg0: first?.pa ?? 0,
    arg1: first?.size ?? 0,
    kept: [0, 0] as const,
  };
  m.queue(...releaseRelays(enclave), { do: 'ocall', request });
}

// ---- relay memory that changes hands ----------------------------------------------------------------------------------------

function regionAt(m: Core, enclave: Enclave, address: number, size: number): RelayRegion | undefined {
  const wanted = (relay: RelayRegion) => relay.va === address && relay.size === size;
  const own = enclave.relays.find(wanted);
  return own || m.checks.relayOwner
    ? own
    : enclavesOf(m.state)
        .flatMap((other) => other.relays)
        .find(wanted);
}

/** Gives an owned relay region to whatever enclave of the name runs next with transferred pages. */
function asynCall(m: Core, reply: Reply, namePointer: number, argument: number): void {
  const enclave = m.enclave(m.state.running)!;
  const name = readString(m, enclave, namePointer, 16);
  const bytes = readVirtual(m, enclave, argument, 48);
  const view = bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const region = view && regionAt(m, enclave, Number(view.getBigInt64(16, true)), Number(view.getBigInt64(24, true)));
  if (name === undefined || !region) return reply(Result.ERROR);
  Mapper.of(m, enclave).unmap(region.va, region.size);
  m.hart.fenceVma();
  m.change(enclave.eid, { relays: enclave.relays.filter((other) => other !== region) });
  m.update({ transferred: [...m.state.transferred, { name, pa: region.pa, size: region.size }] });
  reply(Result.SUCCESS);
}

/** One owned region becomes two; the mapping stays. */
function splitRegion(m: Core, reply: Reply, address: number, size: number, at: number): void {
  const enclave = m.enclave(m.state.running)!;
  const region = regionAt(m, enclave, address, size);
  const bad = !region || at % 4096 !== 0 || at < address || at > address + size;
  if (bad || enclave.relays.length >= m.limits.relayRegions) {
    if (!bad)
      m.log(`split_mem_region: a device keeps ${m.limits.relayRegions} regions; launch with "limits": "memory"`);
    return reply(Result.ERROR);
  }
  // A split at an end leaves the region as it is.
  if (at === address || at === address + size) return reply(Result.SUCCESS);
  const first = { ...region, size: at - address };
  const second = { pa: region.pa + first.size, va: at, size: size - first.size };
  m.change(enclave.eid, { relays: enclave.relays.flatMap((other) => (other === region ? [first, second] : [other])) });
  reply(Result.SUCCESS);
}

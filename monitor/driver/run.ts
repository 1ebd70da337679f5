/**
 * RUN: starts an enclave or forks an instance, then keeps it going: gives way after timer interrupts, waits while it is stopped,
 * serves its ocalls, until it exits. Every step looks its enclave up again, because another thread may have destroyed it meanwhile.
 */
import type { DeviceStep } from '../../emulator/linux/device';
import { PAGE_SIZE, pa, va } from '../../emulator/units';
import {
  ErrorDetail,
  InstanceParam,
  Ocall,
  RELAY_TRANSFERRED,
  ResumeReason,
  Result,
  RunParam,
  RunResult,
  Sbi,
  UserParam,
} from '../abi';
import { hex } from '../hazards';
import { LIMIT_REMEDY } from '../limits';
import { SharedPage, orderOf, queueOf, sbi } from './core';
import { nameBytes, raiseShmIgnored } from './create';
import { EFAULT, EINTR, ENOMEM, EPERM } from './errno';
import { serveOcall } from './ocalls';
import { errnoOf, known, raise, refusal } from './permission';
import { collectAll, regionPart, useRegion } from './regions';
import { freeId } from '../../emulator/machine/sorted';
import { extend } from './extend';
import type { EnclaveRecord } from './state';
import { ask, finish, goOn, type Request, type Running, type Step, type Turn, type UserParams } from './step';

/** Of a device's instance pool, what copies, page tables and the stack can have; and what the stack and its tables take. */
const DEVICE_FORK_PAGES = 509;
const STACK_PAGES = 16 + 4;
/** Enclaves a device runs before its area of guarded page tables is used up. */
const DEVICE_RUNS = 230;

export function startRun(t: Turn, request: Request, param: UserParams): DeviceStep {
  const { driver, kernel } = t;
  const record = known(t, param.eid);
  if (param.rerunReason > 0) return rerun(t, request, param, record);
  const refused = refusal(t, record, { operation: 'RUN_ENCLAVE', eid: param.eid, isShadow: param.isShadow === 1 });
  if (!record || refused) {
    if (!record) driver.log(kernel, '[ERROR] enclave is not exist');
    return refuse(t, request, errnoOf(refused!));
  }
  if (record.kind === 'SHADOW') return runShadow(t, request, param, record);
  const relay = takeRelay(t, param, record);
  driver.change(record.eid, { runner: t.caller.tid, pid: t.caller.pid, space: t.caller.space });
  const page = record.shared.pa + SharedPage.runParam;
  kernel.port.writeI64(kernel.linear(pa(page + RunParam.mm_arg_addr)), relay.pa);
  kernel.port.writeI64(kernel.linear(pa(page + RunParam.mm_arg_size)), relay.size);
  clearRetval(t, record);
  const { eid, serial, pid, space } = record;
  const running = { request, eid, serial, instance: false, started: false, before: { pid, space } };
  return enter(t, running, [relay], sbi(Sbi.RUN_ENCLAVE, record.monitorEid, page));
}

/** What was left in the result word by the allocator, or an earlier enclave, is nobody's return value. */
function clearRetval(t: Turn, record: EnclaveRecord): void {
  t.kernel.port.writeI64(t.kernel.linear(pa(record.shared.pa + SharedPage.out + 32)), 0);
}

function refuse(t: Turn, request: Request, errno: number): DeviceStep {
  t.driver.log(t.kernel, '[ERROR] sbi call run enclave is failed');
  return goOn(1, finish(request, errno));
}

/** The relay memory a RUN names; its pages leave the linear map's large leaves first. */
function takeRelay(t: Turn, param: UserParams, record: EnclaveRecord): { pa: number; size: number } {
  if (param.relayId > 0 && param.relaySize === 0) return { pa: RELAY_TRANSFERRED, size: 0 };
  const part = regionPart(t.driver, 'relay', param.relayId, param.relayOffset, param.relaySize);
  if (!part) {
    const named = { id: param.relayId, offset: hex(param.relayOffset), size: hex(param.relaySize) };
    if (param.relayId !== 0 || param.relaySize !== 0)
      raise(t, 'relay-ignored', { eid: hex(record.eid), ...named }, record);
    return { pa: 0, size: 0 };
  }
  useRegion(t.driver, 'relay', param.relayId, record.serial);
  t.driver.change(record.eid, { relay: param.relayId });
  return part;
}

function enter(
  t: Turn,
  running: Running,
  given: readonly { pa: number; size: number }[],
  call: ReturnType<typeof sbi>,
): DeviceStep {
  const calls = given.flatMap(({ pa: base, size }) => (size > 0 ? t.kernel.splitLinear(pa(base), size) : []));
  const then: Step = { at: 'run', running, call };
  return calls.length > 0 ? goOn(64, { at: 'calls', calls, then }) : ask(call, { at: 'ran', running, call });
}

/** RUN again after RETURN_RELAY_PAGE: the pages the enclave gave back go to it again. */
function rerun(t: Turn, request: Request, param: UserParams, record: EnclaveRecord | undefined): DeviceStep {
  const isShadow = param.isShadow === 1;
  const refused = refusal(t, record, { operation: 'RERUN_ENCLAVE', eid: param.eid, isShadow, owned: true });
  if (!record || refused) return refuse(t, request, errnoOf(refused!));
  if (param.rerunReason !== RunResult.RETURN_USER_RELAY_PAGE) {
    raise(t, 'rerun-reason', { eid: hex(param.eid), reason: param.rerunReason }, record);
    return refuse(t, request, EPERM);
  }
  const { eid, serial } = record;
  const returned = record.returned!;
  t.driver.change(eid, { runner: t.caller.tid, returned: undefined });
  const given = relayAgain(t, record, returned);
  const instance = record.kind === 'INSTANCE';
  const running = { request, eid, serial, instance, started: true, returned };
  const { pa: base, size } = given;
  const call = sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.OCALL, Ocall.RETURN_RELAY_PAGE, base, size);
  return enter(t, running, [given], call);
}

/** The pages an enclave returned, if their region is still there; else it goes on without. */
function relayAgain({ driver }: Turn, record: EnclaveRecord, returned: { pa: number; size: number }) {
  const region = driver.state.relay.get(record.relay);
  const inside = region && region.pa <= returned.pa && returned.pa + returned.size <= region.pa + region.size;
  if (returned.size === 0 || !inside || region.removed) return { pa: 0, size: 0 };
  useRegion(driver, 'relay', record.relay, record.serial);
  return returned;
}

function runShadow(t: Turn, request: Request, param: UserParams, template: EnclaveRecord): DeviceStep {
  const { driver, kernel, caller } = t;
  const tooLarge = template.forkPages + STACK_PAGES > DEVICE_FORK_PAGES;
  if (tooLarge) raise(t, 'fork-too-large', { eid: hex(template.eid), pages: template.forkPages }, template);
  if (tooLarge && driver.limits.instancePages !== undefined) {
    const pages = `${template.forkPages} writable pages and tables do not fit into an instance of ${driver.limits.instancePages}`;
    driver.log(kernel, `[ERROR] run_shadow_enclave: copy_page_table fail: ${pages}: ${LIMIT_REMEDY}`);
    return refuse(t, request, EPERM);
  }
  const eid = freeId(driver.state.eids);
  const shared = eid < driver.limits.enclaveIds ? kernel.allocatePages(1) : undefined;
  if (shared === undefined) return refuse(t, request, ENOMEM);
  // On a device an instance has so many pages; otherwise no pool, and every page of it is the monitor's own.
  const { instancePages } = driver.limits;
  const order = instancePages === undefined ? 0 : orderOf(instancePages);
  const pool = instancePages === undefined ? undefined : kernel.allocateBlock(order);
  if (instancePages !== undefined && !pool) {
    kernel.freePages(shared, 1);
    return refuse(t, request, ENOMEM);
  }
  const serial = driver.state.nextSerial;
  const shm = regionPart(driver, 'shm', param.shmid, param.shmOffset, param.shmSize);
  const record: EnclaveRecord = {
    ...template,
    eid,
    serial,
    monitorEid: -1,
    kind: 'INSTANCE',
    name: param.name,
    pid: caller.pid,
    space: caller.space,
    pool: pool && { pa: pool.address, order },
    shared: { pa: shared, order: 1 },
    runner: caller.tid,
    shm: shm ? param.shmid : 0,
    relay: 0,
  };
  driver.put(record);
  driver.update({ nextSerial: serial + 1 });
  if (!shm) raiseShmIgnored(t, 'RUN', param, template);
  if (shm) useRegion(driver, 'shm', param.shmid, serial);
  const relay = takeRelay(t, param, record);
  writeInstanceParam(t, record, shm, relay);
  const running = { request, eid, serial, instance: true, started: false };
  const call = sbi(Sbi.RUN_SHADOW_ENCLAVE, template.monitorEid, shared + SharedPage.param);
  const pools = pool ? [{ pa: pool.address, size: PAGE_SIZE * 2 ** order }] : [];
  return enter(t, running, [...pools, relay], call);
}

function writeInstanceParam(
  t: Turn,
  record: EnclaveRecord,
  shm: { pa: number; size: number } | undefined,
  relay: { pa: number; size: number },
): void {
  const page = record.shared.pa;
  const at = t.kernel.linear(pa(page + SharedPage.param));
  const put = (field: number, value: number) => t.kernel.port.writeI64(va(at + field), value);
  put(InstanceParam.sptbr, record.pool?.pa ?? 0);
  put(InstanceParam.size, record.pool ? PAGE_SIZE * 2 ** record.pool.order : 0);
  // Until the instance exists.
  put(SharedPage.eid - SharedPage.param, -1);
  put(InstanceParam.eid_ptr, page + SharedPage.eid);
  put(InstanceParam.kbuffer, page + PAGE_SIZE);
  put(InstanceParam.kbuffer_size, PAGE_SIZE);
  put(InstanceParam.shm_paddr, shm?.pa ?? 0);
  put(InstanceParam.shm_size, shm?.size ?? 0);
  put(InstanceParam.mm_arg_addr, relay.pa);
  put(InstanceParam.mm_arg_size, relay.size);
  for (let i = 0; i < 4; i++) put(InstanceParam.ecall_arg0 + 8 * i, page + SharedPage.out + 8 * i);
  put(InstanceParam.retval, page + SharedPage.out + 32);
  t.kernel.port.write(va(at + InstanceParam.name), nameBytes(record.name));
}

// ---- while it runs ----------------------------------------------------------------------------------------------------------

/** Somebody else destroyed it: RUN returns 0, and there is no return value. */
export function gone(running: Running): DeviceStep {
  return goOn(1, finish(withResult(running, 0n), 0));
}

/** A call of the monitor for an enclave, which another one may have destroyed since it was decided on. */
export function runCall(t: Turn, { running, call }: Step & { at: 'run' }): DeviceStep {
  return t.driver.record(running.eid, running.serial) ? ask(call, { at: 'ran', running, call }) : gone(running);
}

/** The monitor came back from RUN, RUN_SHADOW or RESUME. */
export function ran(t: Turn, { running, call }: Step & { at: 'ran' }): DeviceStep {
  const { driver, kernel } = t;
  let record = driver.record(running.eid, running.serial);
  if (!record) return gone(running);
  const { error, value } = t.input.sbi!;
  if (error === Result.NO_MEM && call) return extend(t, 0, { at: 'run', running, call }, { at: 'no-memory', running });
  if (error < 0) return ended(t, running, record, value === ErrorDetail.GONE);
  if (record.monitorEid < 0)
    record = driver.change(record.eid, {
      monitorEid: kernel.port.readI64(kernel.linear(pa(record.shared.pa + SharedPage.eid))),
    });
  const started = taken(t, running);
  if (value === Result.SUCCESS) return exited(t, started, record);
  if (t.input.killed) return killedInside(t, started, record);
  if (value === Result.OCALL) return serveOcall(t, started, record);
  return giveWay(started, record);
}

/** The monitor has taken it: from now on an error is its end. */
function taken(t: Turn, running: Running): Running {
  if (!running.started) {
    const runs = t.driver.state.runs + 1;
    t.driver.update({ runs });
    if (runs === DEVICE_RUNS) raise(t, 'runs-exhausted', { count: runs });
  }
  return { ...running, started: true, returned: undefined };
}

/** The process is to die: a device would go on running the enclave. */
function killedInside(t: Turn, running: Running, record: EnclaveRecord): DeviceStep {
  raise(t, 'kill-in-run', { eid: hex(record.eid), name: record.name }, record);
  return kill(running, record, EINTR);
}

/** After an interrupt: the kernel does what is due, other threads have their turns when the slice is over. */
function giveWay(running: Running, record: EnclaveRecord): DeviceStep {
  return record.stopped
    ? { do: 'wait', queue: queueOf(record), state: { at: 'waited', running } satisfies Step }
    : goOn(1, { at: 'waited', running });
}

export function waited(t: Turn, { running }: Step & { at: 'waited' }): DeviceStep {
  const record = t.driver.record(running.eid, running.serial);
  if (!record) return gone(running);
  if (t.input.killed) return killedInside(t, running, record);
  if (record.stopped) return giveWay(running, record);
  const call = sbi(Sbi.RESUME_ENCLAVE, record.monitorEid, ResumeReason.TIMER);
  return ask(call, { at: 'ran', running, call });
}

/** The monitor or the enclave needs memory, and there is none: an enclave that has started ends, another one does not start. */
export function noMemory(t: Turn, { running }: Step & { at: 'no-memory' }): DeviceStep {
  const record = t.driver.record(running.eid, running.serial);
  if (!record) return gone(running);
  t.driver.log(t.kernel, `[ERROR] enclave ${record.eid.toString(16)} needs memory and there is none: it is destroyed`);
  return refused(t, running, record, ENOMEM);
}

/** The monitor did not take it: nothing has changed, unless it was running already. */
function refused({ driver, kernel }: Turn, running: Running, record: EnclaveRecord, errno: number): DeviceStep {
  if (running.returned) {
    // Its pages could not be had again: it waits for them on, and the host may run it another time.
    driver.release('relay', record.relay, record.serial);
    driver.change(record.eid, { runner: 0, returned: running.returned });
    collectAll(driver, kernel, record);
  } else if (running.started) return kill(running, record, errno);
  else if (running.instance) {
    if (record.pool) kernel.freePages(pa(record.pool.pa), record.pool.order);
    driver.forget(kernel, record);
  } else {
    driver.release('relay', record.relay, record.serial);
    driver.change(record.eid, { runner: 0, relay: 0, ...running.before });
    collectAll(driver, kernel, record);
  }
  return goOn(1, finish(running.request, errno));
}

/** The host gives up on an enclave: it is destroyed, and RUN returns `value`. */
export function kill(running: Running, record: EnclaveRecord, value: number): DeviceStep {
  const owner = record.space ?? 0;
  return ask(sbi(Sbi.DESTROY_ENCLAVE, record.monitorEid, owner, 0), { at: 'killed', running, value });
}

export function killed(t: Turn, { running, value }: Step & { at: 'killed' }): DeviceStep {
  const record = t.driver.record(running.eid, running.serial);
  if (record && t.input.sbi!.error >= 0) t.driver.reap(t.kernel, record);
  else if (record) t.driver.change(record.eid, { runner: 0 });
  return goOn(1, finish(running.request, value));
}

function exited(t: Turn, running: Running, record: EnclaveRecord): DeviceStep {
  const retval = t.kernel.port.readU64(t.kernel.linear(pa(record.shared.pa + SharedPage.out + 32)));
  t.driver.reap(t.kernel, record);
  return goOn(200, finish(withResult(running, retval), 0));
}

/** The bytes that go back to the caller: return value, and for an instance its id. */
export function withResult(running: Running, retval: bigint): Request {
  const bytes = running.request.bytes.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setBigUint64(UserParam.retval, retval, true);
  if (running.instance) {
    view.setBigUint64(UserParam.eid, BigInt(running.eid), true);
    view.setInt32(UserParam.isShadow, 1, true);
  }
  return { ...running.request, bytes };
}

/**
 * An error: either the enclave is gone (a fault, a call that is not allowed), or the monitor refused and nothing has changed. The
 * published driver frees its object in both cases; here a refusal leaves everything as it was.
 */
function ended(t: Turn, running: Running, record: EnclaveRecord, isGone: boolean): DeviceStep {
  const { driver, kernel } = t;
  driver.log(kernel, '[ERROR] sbi call run enclave is failed');
  const errno = running.instance ? EPERM : EFAULT;
  if (isGone) {
    driver.reap(kernel, record);
    return goOn(1, finish(withResult(running, 0n), errno));
  }
  return refused(t, running, record, errno);
}

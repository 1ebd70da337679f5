/**
 * STOP, RESUME, DESTROY and ATTEST, by the owning process, by a command from outside that acts for it, and the reclaiming of what a
 * process leaves behind. Owns what these mean for a host thread that is inside RUN.
 */
import type { DeviceStep } from '../../emulator/linux/device';
import { pa, va } from '../../emulator/units';
import { AttestParam, ErrorDetail, Report, ResumeReason, Sbi } from '../abi';
import { SharedPage, give, queueOf, sbi } from './core';
import { hex } from '../hazards';
import { ruleFor } from '../operations';
import { errnoOf, known, raise, refusal } from './permission';
import { leaveRegions } from './regions';
import { ownedBy, type DriverState, type EnclaveRecord } from './state';
import { ask, finish, goOn, type Request, type Step, type Turn } from './step';

type What = (Step & { at: 'asked' })['what'];

/** It was destroyed between two steps. */
const GONE = errnoOf(ruleFor('STOP_ENCLAVE', 'NORMAL', 'GONE'));

/** An enclave that serves a call of the host right now is asked again at most this often. */
const MAX_TRIES = 1000;

const OPERATION = {
  stop: 'STOP_ENCLAVE',
  resume: 'RESUME_ENCLAVE',
  destroy: 'DESTROY_ENCLAVE',
  attest: 'ATTEST_ENCLAVE',
} as const;

/** `request` is undefined for a command, which acts for the owner; `isShadow` as the handle says. */
export function control(t: Turn, what: What, eid: number, request: Request | undefined, isShadow = false): DeviceStep {
  const record = known(t, eid);
  const operation = OPERATION[what];
  // Numbers of templates are not those of enclaves: about their stop and resume the monitor can't be asked.
  const mute = record?.kind === 'SHADOW' && (what === 'stop' || what === 'resume');
  const refused = !record || mute ? refusal(t, record, { operation, eid, isShadow }) : undefined;
  if (!record || refused) {
    if (!record) t.driver.log(t.kernel, '[ERROR] get real enclave: enclave is not exist');
    return result(request, errnoOf(refused ?? ruleFor(operation, 'NORMAL', 'GONE')));
  }
  if (isShadow && record.kind === 'INSTANCE' && (what === 'destroy' || what === 'attest'))
    raise(t, 'destroy-instance-handle', { call: what.toUpperCase(), eid: hex(eid) }, record);
  return askFor(what, record, request, 0);
}

const result = (request: Request | undefined, value: number): DeviceStep =>
  request ? goOn(1, finish(request, value)) : give(value);

function askFor(what: What, record: EnclaveRecord, request: Request | undefined, tries: number): DeviceStep {
  const owner = request ? 0 : (record.space ?? 0);
  const step: Step = { at: 'asked', what, eid: record.eid, serial: record.serial, request, tries };
  const { monitorEid } = record;
  switch (what) {
    case 'stop':
      return ask(sbi(Sbi.STOP_ENCLAVE, monitorEid, owner), step);
    case 'resume':
      return ask(sbi(Sbi.RESUME_ENCLAVE, monitorEid, ResumeReason.STOP, owner), step);
    case 'destroy':
      return ask(destroyCall(record, owner, 0), step);
    case 'attest': {
      const report = record.shared.pa + SharedPage.report;
      const view = new DataView(request!.bytes.buffer, request!.bytes.byteOffset);
      // In halves: an argument holds at most 2^53.
      const nonce = [view.getUint32(AttestParam.nonce, true), view.getUint32(AttestParam.nonce + 4, true)] as const;
      const fid = record.kind === 'SHADOW' ? Sbi.ATTEST_SHADOW_ENCLAVE : Sbi.ATTEST_ENCLAVE;
      return ask(sbi(fid, monitorEid, report, ...nonce), step);
    }
  }
}

const DESTROY = {
  NORMAL: Sbi.DESTROY_ENCLAVE,
  INSTANCE: Sbi.DESTROY_ENCLAVE,
  SERVER: Sbi.DESTROY_SERVER_ENCLAVE,
  SHADOW: Sbi.DESTROY_SHADOW_ENCLAVE,
} as const;
const destroyCall = (record: EnclaveRecord, owner: number, reason: number) =>
  sbi(DESTROY[record.kind], record.monitorEid, owner, reason);

export function asked(t: Turn, step: Step & { at: 'asked' }): DeviceStep {
  const { driver, kernel } = t;
  const { what, request } = step;
  const record = driver.record(step.eid, step.serial);
  const { error, value } = t.input.sbi!;
  // The thread inside RUN may have learnt of a destruction first, and freed everything.
  if (!record) return result(request, what === 'destroy' && error >= 0 ? 0 : GONE);
  const failed = error < 0;
  if (failed && what === 'stop' && value === ErrorDetail.BUSY && record.runner !== 0 && step.tries < MAX_TRIES) {
    // In the middle of an ocall: it will be over when its thread has had its turn.
    const { hazard } = ruleFor('STOP_ENCLAVE', record.kind, 'OCALLING');
    if (step.tries === 0 && request && hazard) raise(t, hazard, { eid: hex(record.eid), name: record.name }, record);
    return { do: 'yield', state: { ...step, at: 'ask-again', tries: step.tries + 1 } satisfies Step };
  }
  if (failed) {
    driver.log(kernel, `[ERROR] sbi call ${what} enclave is failed`);
    // The monitor's no, whatever its reason; which errno that is does not depend on it.
    return result(request, errnoOf(ruleFor(OPERATION[what], 'NORMAL', 'FOREIGN')));
  }
  if (what === 'destroy') driver.reap(kernel, record);
  else if (what !== 'attest') {
    driver.change(record.eid, { stopped: what === 'stop' });
    kernel.wake(queueOf(record));
  }
  return result(what === 'attest' ? withReport(t, request!, record) : request, 0);
}

export function askAgain(t: Turn, step: Step & { at: 'ask-again' }): DeviceStep {
  const record = t.driver.record(step.eid, step.serial);
  return record ? askFor(step.what, record, step.request, step.tries) : result(step.request, GONE);
}

function withReport({ kernel }: Turn, request: Request, record: EnclaveRecord): Request {
  const bytes = request.bytes.slice();
  bytes.set(
    kernel.port.read(va(kernel.linear(pa(record.shared.pa)) + SharedPage.report), Report.SIZE),
    AttestParam.report,
  );
  return { ...request, bytes };
}

/** Destroys what a process that is gone owned: enclaves first, then servers, then templates. */
export function reclaim(t: Turn, step: Step & { at: 'reclaim' }): DeviceStep {
  const { driver, kernel, input } = t;
  let { skip } = step;
  const last = step.asked && driver.record(step.asked.eid, step.asked.serial);
  if (last && input.sbi) {
    if (input.sbi.error < 0) {
      driver.log(kernel, `[ERROR] enclave ${last.eid.toString(16)} of process ${step.pid} can't be reclaimed`);
      skip = [...skip, last.serial];
    } else driver.reap(kernel, last);
  }
  const next = nextOf(driver.state, step.pid, skip);
  if (!next) return goOn(1, { at: 'freed', regions: leaveRegions(driver, step.pid), then: { at: 'left' } });
  // Never got as far as the monitor: only the driver knows it.
  if (next.monitorEid < 0) {
    if (next.pool) kernel.freePages(pa(next.pool.pa), next.pool.order);
    driver.forget(kernel, next);
    return goOn(1, { ...step, skip, asked: undefined });
  }
  tellLeft(t, next);
  const { eid, serial } = next;
  return ask(destroyCall(next, next.space ?? 0, 1), { ...step, skip, asked: { eid, serial } });
}

/** The first of a process's enclaves that is to end, but for those that can't. */
function nextOf(state: DriverState, pid: number, skip: readonly number[]): EnclaveRecord | undefined {
  for (const { tie: eid } of ownedBy(state, pid)) {
    const record = state.enclaves.get(eid)!;
    if (!skip.includes(record.serial)) return record;
  }
  return undefined;
}

/** On a device the enclave would outlive its process. */
function tellLeft({ driver, kernel }: Turn, record: EnclaveRecord): void {
  const { kind, eid, name } = record;
  const instance = driver.options.instanceOf?.(record);
  const args = { type: kind, eid: hex(eid), name };
  kernel.emit({ kind: 'hazard', code: 'owner-exited', tid: 0, args, ...(instance === undefined ? {} : { instance }) });
}

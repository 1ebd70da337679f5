/**
 * The driver's questions to the table of operations (operations.ts), with the state an enclave has as far as the driver knows, and the
 * hazards of host programs. What the driver does not know (who works for whom) the monitor answers, from the same table.
 */
import { pa } from '../../emulator/units';
import { hex, type HazardArguments, type HazardCode, type HazardEvent } from '../hazards';
import { isRefused, ruleFor, type Kind, type Operation, type Refused, type State } from '../operations';
import { SharedPage } from './core';
import { EFAULT, EINVAL, EPERM } from './errno';
import type { EnclaveRecord } from './state';
import type { Turn } from './step';

const ERRNO = { EPERM, EFAULT, EINVAL } as const;
export const errnoOf = ({ errno }: { readonly errno?: keyof typeof ERRNO }): number => ERRNO[errno ?? 'EPERM'];

export type HostOperation = Extract<Operation, `${string}_ENCLAVE`>;
const CALL: Readonly<Record<HostOperation, string>> = {
  CREATE_ENCLAVE: 'CREATE',
  RUN_ENCLAVE: 'RUN',
  RERUN_ENCLAVE: 'RUN',
  ATTEST_ENCLAVE: 'ATTEST',
  STOP_ENCLAVE: 'STOP',
  RESUME_ENCLAVE: 'RESUME',
  DESTROY_ENCLAVE: 'DESTROY',
};

/** A host program did what goes wrong on a device; commands from outside are no program's. */
export function raise(t: Turn, code: HazardCode, args: HazardArguments, about?: EnclaveRecord): void {
  if (t.caller.tid === 0) return;
  const { options } = t.driver;
  const instance = about && options.instanceOf?.(about);
  emitHazard(t, { code, args, instance, site: options.siteOf?.(t.caller.tid) });
}

/** A hazard of the enclave that waits for an ocall. */
export function raiseInside(t: Turn, code: HazardCode, args: HazardArguments, monitorEid: number): void {
  const { enclaveSite, speaker } = t.driver.options;
  emitHazard(t, { code, args, instance: speaker(monitorEid)?.instance, site: enclaveSite?.(monitorEid) });
}

type Found = Pick<HazardEvent, 'code' | 'args'> & { readonly [K in 'instance' | 'site']: HazardEvent[K] | undefined };

function emitHazard({ kernel, caller }: Turn, { code, args, instance, site }: Found): void {
  kernel.emit({
    kind: 'hazard',
    code,
    tid: caller.tid,
    args,
    ...(instance === undefined ? {} : { instance }),
    ...(site === undefined ? {} : { site }),
  });
}

/**
 * The record of an enclave that exists in the monitor. Of an instance that runs already though its RUN has not come back once, the
 * monitor has written its number.
 */
export function known({ driver, kernel }: Turn, eid: number): EnclaveRecord | undefined {
  const record = driver.record(eid);
  if (!record || record.monitorEid >= 0 || record.kind !== 'INSTANCE')
    return record?.monitorEid === -1 ? undefined : record;
  const monitorEid = kernel.port.readI64(kernel.linear(pa(record.shared.pa + SharedPage.eid)));
  return monitorEid >= 0 ? driver.change(eid, { monitorEid }) : undefined;
}

/** As the driver sees it: in RUN, whatever it does there, is RUNNABLE. */
export function stateOf(record: EnclaveRecord): State {
  if (record.returned) return 'RETURNED';
  if (record.runner !== 0) return record.stopped ? 'STOPPED' : 'RUNNABLE';
  return record.kind === 'SERVER' || record.kind === 'INSTANCE' ? 'RUNNABLE' : 'FRESH';
}

export interface Asked {
  readonly operation: HostOperation;
  readonly eid: number;
  /** The handle says that it is an instance's. */
  readonly isShadow?: boolean;
  /** Only its owner may. */
  readonly owned?: boolean;
}

/** Why the table refuses an operation of the host, told as a hazard; undefined when it does not. */
export function refusal(t: Turn, record: EnclaveRecord | undefined, asked: Asked): Refused | undefined {
  const { operation, eid, isShadow, owned } = asked;
  const kind: Kind = record?.kind ?? (isShadow ? 'INSTANCE' : 'NORMAL');
  const foreign = owned && record && record.space !== t.caller.space;
  const state: State = !record ? 'GONE' : foreign ? 'FOREIGN' : stateOf(record);
  const rule = ruleFor(operation, kind, state);
  if (!isRefused(rule)) return undefined;
  const args = { call: CALL[operation], eid: hex(eid), state, ...(record ? { name: record.name } : {}) };
  if (rule.hazard) raise(t, rule.hazard, args, record);
  return rule;
}

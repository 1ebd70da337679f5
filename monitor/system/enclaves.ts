/**
 * What the debugger is told about enclaves: the monitor's view and the driver's, joined by the pool of memory both know. Owns the
 * sentences that say why something can't be done now.
 */
import type { EnclaveRecord } from '../driver/state';
import type { PenglaiDevice } from '../driver/driver';
import { spaceOf, type Monitor } from '../monitor';
import { ruleFor } from '../operations';
import { kindOf } from '../permission';
import type { Enclave, Shadow } from '../state';
import type { Instance } from '../types';
import type { EnclaveInfo } from './types';

/** So many instances are named in a sentence. */
const NAMED = 8;

/** Everything that exists, by instance number. */
export function enclaveInfos(monitor: Monitor, device: PenglaiDevice): EnclaveInfo[] {
  const enclaves = monitor.enclaves().map((enclave) => enclaveInfo(monitor, device, enclave));
  const forked = new Map<Instance, Instance[]>();
  for (const { instance, template } of enclaves)
    if (template !== undefined) {
      const known = forked.get(template);
      if (known) known.push(instance);
      else forked.set(template, [instance]);
    }
  const shadows = monitor.shadows().map((shadow) => shadowInfo(device, shadow, forked.get(shadow.instance) ?? []));
  return [...enclaves, ...shadows].sort((a, b) => a.instance - b.instance);
}

const byEid = (monitor: Monitor, eid: number): Instance | undefined => monitor.enclave(eid)?.instance;

function enclaveInfo(monitor: Monitor, device: PenglaiDevice, enclave: Enclave): EnclaveInfo {
  const record = device.byEidPointer(enclave.eidPointer);
  const head = monitor.enclave(enclave.top >= 0 ? enclave.top : enclave.eid);
  const runner = head && device.byEidPointer(head.eidPointer)?.runner;
  const caller = enclave.caller >= 0 ? byEid(monitor, enclave.caller) : undefined;
  const callee = enclave.callee >= 0 ? byEid(monitor, enclave.callee) : undefined;
  return {
    ...common(enclave, record),
    type: enclave.type,
    state: enclave.state,
    ...(enclave.template === undefined ? {} : { template: enclave.template }),
    ...(runner ? { tid: runner } : {}),
    ...(caller === undefined ? {} : { caller }),
    ...(callee === undefined ? {} : { callee }),
    refused: refusals(monitor, enclave, record),
  };
}

function common(made: Enclave | Shadow, record: EnclaveRecord | undefined) {
  return {
    instance: made.instance,
    eid: record?.eid ?? 0,
    name: made.name,
    pid: record?.pid ?? 0,
    space: spaceOf(made),
    imageHash: record?.imageHash ?? '',
  };
}

function shadowInfo(device: PenglaiDevice, shadow: Shadow, alive: readonly Instance[]): EnclaveInfo {
  const record = device.byEidPointer(shadow.eidPointer);
  const names = alive.slice(0, NAMED).map((instance) => `#${instance}`);
  const more = alive.length > NAMED ? [`${alive.length - NAMED} more`] : [];
  return {
    ...common(shadow, record),
    type: 'SHADOW',
    state: shadow.state,
    refused: {
      stop: reason('STOP_ENCLAVE', 'SHADOW', shadow.state)!,
      resume: reason('RESUME_ENCLAVE', 'SHADOW', shadow.state)!,
      ...(alive.length > 0
        ? {
            destroy: `Instance${alive.length > 1 ? 's' : ''} ${[...names, ...more].join(', ')} still use its pages; destroy them first.`,
          }
        : {}),
    },
  };
}

function reason(...[operation, kind, state]: Parameters<typeof ruleFor>): string | undefined {
  return ruleFor(operation, kind, state).why;
}

function refusals(monitor: Monitor, enclave: Enclave, record: EnclaveRecord | undefined): EnclaveInfo['refused'] {
  if (!record) {
    const why = 'The driver does not know it.';
    return { stop: why, resume: why, destroy: why };
  }
  const kind = kindOf(enclave);
  const state = monitor.tableState(enclave);
  const stop = state === 'STOPPED' ? 'It is stopped already.' : reason('STOP_ENCLAVE', kind, state);
  const resume = reason('RESUME_ENCLAVE', kind, state);
  const destroy = reason('DESTROY_ENCLAVE', kind, state);
  return {
    ...(stop === undefined ? {} : { stop }),
    ...(resume === undefined ? {} : { resume }),
    ...(destroy === undefined ? {} : { destroy }),
  };
}

/** Which records of a trace somebody wants to see. */
import { OCALLS } from './names';
import type { Place, TraceRecord } from './records';

export const TRACE_CLASSES = ['ioctls', 'transitions', 'ocalls', 'calls', 'syscalls', 'hazards'] as const;
export type TraceClass = (typeof TRACE_CLASSES)[number];

export interface TraceFilter {
  /** Default: all. */
  readonly only?: readonly TraceClass[] | undefined;
  /** Records in which this instance, or one of this name, takes part. */
  readonly instance?: number | undefined;
  readonly name?: string | undefined;
}

const OCALL_NAMES: ReadonlySet<string> = new Set(Object.values(OCALLS).map(({ name }) => name));

function classesOf(record: TraceRecord): readonly TraceClass[] {
  switch (record.kind) {
    case 'ioctl':
    case 'ioctl-end':
      return ['ioctls'];
    case 'hazard':
      return ['hazards'];
    case 'syscall':
      return ['syscalls'];
    case 'summary':
      return TRACE_CLASSES;
    case 'monitor': {
      const isOcall = record.by === 'enclave' && OCALL_NAMES.has(record.op);
      const passes = record.transition !== undefined || record.gone !== undefined;
      return [...(isOcall ? ['ocalls' as const] : []), ...(passes ? ['transitions' as const] : []), 'calls'];
    }
  }
}

function namesOf(record: TraceRecord): { readonly instance: number; readonly name: string }[] {
  const places: (Place | undefined)[] =
    record.kind === 'monitor'
      ? [record.from, record.to, record.about, record.created, ...(record.gone ?? [])]
      : 'about' in record
        ? [record.about]
        : [];
  return places.filter((place) => place !== undefined && place !== 'host');
}

export function isWanted(record: TraceRecord, { only, instance, name }: TraceFilter): boolean {
  if (record.kind === 'summary') return true;
  if (only && !classesOf(record).some((one) => only.includes(one))) return false;
  if (instance === undefined && name === undefined) return true;
  return namesOf(record).some((who) => (instance ?? who.instance) === who.instance && (name ?? who.name) === who.name);
}

/**
 * Joins what the machine tells into records: a visit to the monitor from its beginning and end and what was told between, the depth of a
 * thread's calls, and where the ticks went. Owns no machine state: it is fed with a machine's events in their order, each once. What it
 * keeps is bounded by the enclaves that exist and the calls that are open.
 */
import type { Stamped } from '../../emulator/machine/outbox';
import { explainHazard } from '../hazards';
import type { SystemEvent } from '../system/types';
import type { TracedEnclave, TrapEntered, TrapLeft } from './events';
import { Frames } from './frames';
import { hexText, shown } from './names';
import { VERSION, type MonitorRecord, type SummaryRecord, type TraceRecord, type Who } from './records';

type Told<K extends SystemEvent['kind']> = Stamped<Extract<SystemEvent, { kind: K }>>;
/** What is told between the two ends of a visit to the monitor. */
type Inner =
  Told<'transition'> | Told<'enclave-created'> | Told<'enclave-gone'> | Told<'enclave-fault'> | Told<'hazard'>;
interface Visit {
  readonly entered: Stamped<TrapEntered>;
  readonly inner: Inner[];
}

export class Tracer {
  private readonly names = new Map<number, Who>();
  private readonly frames = new Frames();
  private visit: Visit | undefined;
  /** The enclave on the hart, and since when. */
  private inside: { readonly instance: number; readonly since: number } | undefined;
  private monitor = 0;
  private readonly ran = new Map<string, { instances: number; ticks: number }>();
  private readonly calls = new Map<string, { count: number; cost: number }>();

  constructor(private readonly clockHz: number) {}

  /** The records an event completes. */
  take(event: Stamped<SystemEvent>): TraceRecord[] {
    switch (event.kind) {
      case 'trap-entered':
        this.visit = { entered: event, inner: [] };
        return [];
      case 'trap-left':
        return this.left(event);
      case 'enclave-created':
        this.created(event);
        return this.within(event);
      case 'transition':
      case 'enclave-gone':
      case 'enclave-fault':
        return this.within(event);
      case 'hazard':
        return this.visit ? this.within(event) : [this.hazard(event)];
      case 'ioctl-entered':
        return [this.ioctl(event)];
      case 'ioctl-left':
        return this.ioctlEnd(event);
      case 'system-call':
        return [this.syscall(event)];
      case 'thread-exited':
        this.frames.forget(event.tid);
        return [];
      default:
        return [];
    }
  }

  private common(tick: number, tid: number, depth: number) {
    return { version: VERSION, tick, seconds: Number((tick / this.clockHz).toFixed(9)), tid, depth } as const;
  }

  private who(instance: number | undefined): Who | undefined {
    return instance === undefined ? undefined : this.names.get(instance);
  }

  /** An enclave by all its names; of one that was created before the trace began the monitor's number is known. */
  private place(enclave: TracedEnclave | undefined): Who | 'host' {
    if (!enclave) return 'host';
    const { instance, monitorEid } = enclave;
    const known = this.names.get(instance) ?? { instance, name: '?', eid: '?', monitorEid };
    if (known.monitorEid === monitorEid) return known;
    const who = { ...known, monitorEid };
    this.names.set(instance, who);
    return who;
  }

  private created({ instance, name, eid, monitorEid }: Told<'enclave-created'>): void {
    this.names.set(instance, { instance, name, eid: hexText(eid), monitorEid });
    const ran = this.ran.get(name) ?? { instances: 0, ticks: 0 };
    this.ran.set(name, { ...ran, instances: ran.instances + 1 });
  }

  private within(event: Inner): TraceRecord[] {
    this.visit?.inner.push(event);
    return [];
  }

  // ---- visits to the monitor ------------------------------------------------------------------------------------------------

  private left(event: Stamped<TrapLeft>): TraceRecord[] {
    const { visit } = this;
    this.visit = undefined;
    if (!visit) return [];
    const end = event.tick + event.ticks;
    const { entered, inner } = visit;
    const ran = entered.from && this.inside ? entered.tick - this.inside.since : undefined;
    const record = this.visited(visit, event, end - entered.tick, ran);
    this.count(record);
    this.inside = event.to && { instance: event.to.instance, since: end };
    const hazards = inner.flatMap((told) => (told.kind === 'hazard' ? [this.hazard(told, record.depth + 1)] : []));
    for (const told of inner) if (told.kind === 'enclave-gone') this.names.delete(told.instance);
    return [record, ...hazards];
  }

  private visited({ entered, inner }: Visit, event: TrapLeft, cost: number, ran: number | undefined): MonitorRecord {
    const { tid, tick, by, name, args } = entered;
    const passed = inner.findLast((told) => told.kind === 'transition')?.name;
    const ends = inner.filter((told) => told.kind === 'enclave-gone');
    const fault = inner.find((told) => told.kind === 'enclave-fault')?.what;
    const made = inner.find((told) => told.kind === 'enclave-created');
    if (made) this.frames.made(tid, made.instance);
    const from = this.place(entered.from);
    const to = this.place(event.to);
    const transition = passed ?? (entered.from && !event.to ? 'fault' : undefined);
    const { depth, since } = this.frames.cross(tid, transition, tick);
    const result = transition === undefined ? resultOf(by, name, event) : undefined;
    return {
      ...this.common(tick, tid, depth),
      kind: 'monitor',
      ...{ by, op: name, args, from, to },
      ...optional('transition', transition),
      ...optional('about', this.about(entered.about)),
      ...optional('result', result),
      ...optional('created', made && this.made(made)),
      ...(ends.length === 0 ? {} : { gone: ends.map((told) => this.ended(told)) }),
      ...optional('ocall', event.ocall !== name ? event.ocall : undefined),
      ...optional('fault', fault),
      cost,
      ...optional('ran', ran),
      ...optional('total', since === undefined ? undefined : tick + cost - since),
    };
  }

  private about(enclave: TracedEnclave | undefined): Who | undefined {
    const who = this.place(enclave);
    return who === 'host' ? undefined : who;
  }

  private made({ instance, type, template }: Told<'enclave-created'>): NonNullable<MonitorRecord['created']> {
    return { ...this.names.get(instance)!, type, ...optional('template', template) };
  }

  private ended({ instance, why, returnValue }: Told<'enclave-gone'>) {
    const who = this.names.get(instance) ?? { instance, name: '?', eid: '?', monitorEid: -1 };
    return { ...who, why, ...(returnValue === undefined ? {} : { retval: shown(returnValue, 'int') }) };
  }

  private count({ op, cost, from, ran }: MonitorRecord): void {
    this.monitor += cost;
    const calls = this.calls.get(op) ?? { count: 0, cost: 0 };
    this.calls.set(op, { count: calls.count + 1, cost: calls.cost + cost });
    if (from === 'host' || ran === undefined) return;
    const known = this.ran.get(from.name) ?? { instances: 0, ticks: 0 };
    this.ran.set(from.name, { ...known, ticks: known.ticks + ran });
  }

  // ---- the rest -------------------------------------------------------------------------------------------------------------

  private ioctl({ name, args, tid, about, ...at }: Told<'ioctl-entered'>): TraceRecord {
    const tick = at.tick + at.after;
    const depth = this.frames.open(tid, name, tick, about);
    return { ...this.common(tick, tid, depth), kind: 'ioctl', op: name, args, ...optional('about', this.who(about)) };
  }

  private ioctlEnd({ tid, result, error, out, ...at }: Told<'ioctl-left'>): TraceRecord[] {
    const tick = at.tick + at.after;
    const open = this.frames.close(tid);
    if (!open) return [];
    const { depth, name, since } = open;
    const ended = {
      ...optional('about', this.who(open.about)),
      result,
      ...optional('error', error),
      out,
      total: tick - since,
    };
    return [{ ...this.common(tick, tid, depth), kind: 'ioctl-end', op: name, ...ended }];
  }

  private hazard({ tick, tid, code, args, instance }: Told<'hazard'>, depth = this.frames.depth(tid)): TraceRecord {
    const text = explainHazard({ code, args }).did;
    const about = optional('about', this.who(instance));
    return { ...this.common(tick, tid, depth), kind: 'hazard', code, args, ...about, text };
  }

  private syscall({ pid, tid, name, started, ticks, result, error, text, ...rest }: Told<'system-call'>): TraceRecord {
    return {
      ...this.common(started, tid, this.frames.depth(tid)),
      ...{ kind: 'syscall', pid, op: name },
      args: Object.fromEntries(rest.arguments.map((argument) => [argument.name, argument.text])),
      ...optional('result', result),
      ...optional('error', error),
      text,
      total: ticks,
    };
  }

  /** Where the ticks up to now went. */
  summary(tick: number): SummaryRecord {
    const enclaves = [...this.ran].map(([name, ran]) => ({ name, ...ran })).sort(by('ticks', 'name'));
    const calls = [...this.calls].map(([op, rest]) => ({ op, ...rest })).sort(by('cost', 'op'));
    const inside = enclaves.reduce((sum, { ticks }) => sum + ticks, 0);
    const host = tick - this.monitor - inside;
    return { ...this.common(tick, 0, 0), kind: 'summary', host, monitor: this.monitor, enclaves, calls };
  }
}

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

/** Largest first, equals by name. */
const by =
  <N extends string, T extends string>(number: N, text: T) =>
  (a: Record<N, number> & Record<T, string>, b: Record<N, number> & Record<T, string>): number =>
    b[number] - a[number] || (a[text] < b[text] ? -1 : 1);

const ADDRESSES: ReadonlySet<string> = new Set(['memory_reclaim']);

/** What the caller got: the host 0 … 100 in a1 or an error in a0, an enclave a0. */
function resultOf(by: MonitorRecord['by'], op: string, { a0, a1 }: TrapLeft): number | string | undefined {
  if (by === 'host') return shown(a0 === 0n ? a1 : a0, a0 === 0n && ADDRESSES.has(op) ? 'hex' : 'int');
  return by === 'enclave' ? shown(a0, 'int') : undefined;
}

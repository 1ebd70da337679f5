/**
 * What holds after every call, looked at where something changed: no valid entry of the host's tables shows a private page; private pages
 * belong to somebody who lives; enclaves change state only as the table of operations (monitor/operations.ts) says.
 */
import type { Machine } from '../../../emulator/machine/types';
import { PAGE_SIZE } from '../../../emulator/units';
import { Pte } from '../../../monitor/abi';
import type { EnclaveEvent } from '../../../monitor/events';
import type { Monitor } from '../../../monitor/monitor';
import { isRefused, OPERATIONS, type Kind, type State } from '../../../monitor/operations';
import { PageKind, PUBLIC } from '../../../monitor/pages';
import { kindOf as kindOfEnclave } from '../../../monitor/permission';
import { byInstance, type MonitorState } from '../../../monitor/state';
import type { EnclaveState } from '../../../monitor/types';
import {
  LEAF,
  Violation,
  bytesAt,
  entryOf,
  frameOf,
  hex,
  isPrivate,
  kindOf,
  must,
  ownerOf,
  pageOf,
  peek,
} from './memory';

const HUGE = 512;

/** A state of the table as the monitor keeps it. */
const RAW: Readonly<Partial<Record<State, EnclaveState>>> = {
  CALLING: 'RUNNABLE',
  SERVING: 'RUNNABLE',
  RETURNED: 'OCALLING',
  FORKED: 'FRESH',
};
const raw = (state: State): string => RAW[state] ?? state;

/** Changes of state that some operation of the table makes, and those that servers go through with the enclave they work for. */
function allowedChanges(): Set<string> {
  const allowed = new Set<string>();
  for (const { rows } of Object.values(OPERATIONS))
    for (const [kind, states] of Object.entries(rows))
      for (const [state, rule] of Object.entries(states ?? {}))
        if (!isRefused(rule) && state !== 'FOREIGN') allowed.add(`${kind} ${raw(state as State)} ${raw(rule.next)}`);
  for (const [from, next] of [
    ['RUNNABLE', 'STOPPED'],
    ['STOPPED', 'RUNNABLE'],
    ['OCALLING', 'RUNNABLE'],
    ['RUNNING', 'RUNNABLE'],
    ['RUNNABLE', 'RUNNING'],
    ['OCALLING', 'RUNNING'],
  ])
    allowed.add(`SERVER ${from} ${next}`);
  // An enclave that called goes on when its server returns.
  for (const kind of ['NORMAL', 'INSTANCE']) allowed.add(`${kind} RUNNABLE RUNNING`);
  // A fork: RUN of a template.
  allowed.add('INSTANCE FRESH RUNNING');
  return allowed;
}
const ALLOWED = allowedChanges();

export class Guard {
  private owners: Int32Array;
  private readonly tables = new Map<number, Uint8Array>();
  /** Valid leaves of the host's tables that show a page, by page. */
  private readonly shown: Int32Array;
  private readonly known = new Map<number, { kind: Kind; state: string }>();
  /** What a listener found, to be thrown where the call is known. */
  private wrong: string | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly monitor: Monitor,
  ) {
    const pages = machine.ramSize / PAGE_SIZE;
    this.owners = new Int32Array(pages).fill(PUBLIC);
    this.shown = new Int32Array(pages);
    for (const enclave of [...monitor.enclaves(), ...monitor.shadows()])
      this.known.set(enclave.instance, { kind: kindOfEnclave(enclave), state: enclave.state });
  }

  get state(): MonitorState {
    return this.monitor.snapshot() as MonitorState;
  }

  heard(event: EnclaveEvent): void {
    if (event.kind === 'enclave-created') {
      const made = byInstance(this.state, event.instance)!;
      if (this.known.has(event.instance)) this.wrong = `instance ${event.instance} is there already`;
      this.known.set(event.instance, { kind: kindOfEnclave(made), state: made.state });
    } else if (event.kind === 'enclave-state') this.changes(event.instance, event.state);
    else if (event.kind === 'enclave-gone') {
      this.changes(event.instance, 'GONE');
      this.known.delete(event.instance);
    }
  }

  private changes(instance: number, state: string): void {
    const before = this.known.get(instance);
    const change = before && `${before.kind} ${before.state} ${state}`;
    const fine = before && (before.state === state || ALLOWED.has(change!) || state === 'GONE');
    if (!fine) this.wrong = `no operation of the table leads from ${change ?? `nothing to ${state}`}`;
    else before.state = state;
  }

  afterCall(): void {
    if (this.wrong !== undefined) throw new Violation(this.wrong);
    const { state } = this;
    const pages = new Set<number>();
    this.compareOwners(state, pages);
    this.compareTables(state, pages);
    for (const page of pages)
      must(
        !isPrivate(this.owners[page]!) || this.shown[page] === 0,
        () => `the host's tables show the private ${name(page)}`,
      );
  }

  private compareOwners(state: MonitorState, changed: Set<number>): void {
    const { base } = state.bitmap!;
    const bytes = peek(this.machine, base, 4 * this.owners.length);
    const before = Buffer.from(this.owners.buffer, 0, this.owners.byteLength);
    if (before.equals(bytes)) return;
    const now = new Int32Array(Uint8Array.from(bytes).buffer);
    for (let page = 0; page < now.length; page++) {
      const entry = now[page]!;
      if (entry === this.owners[page]) continue;
      changed.add(page);
      if (isPrivate(entry)) this.ownerLives(state, page, entry);
    }
    this.owners = now;
  }

  private ownerLives(state: MonitorState, page: number, entry: number): void {
    const [owner, kind] = [ownerOf(entry), kindOf(entry)];
    if (kind === PageKind.Monitor) return must(owner === 0, () => `${name(page)} is the monitor's and ${owner}'s`);
    // What was transferred, and what enclaves share, may outlive who had it: the full check knows them one by one.
    if (kind === PageKind.Relay || kind === PageKind.Shared) return;
    must(byInstance(state, owner) !== undefined, () => `${name(page)} belongs to ${owner}, which is gone`);
  }

  private compareTables(state: MonitorState, changed: Set<number>): void {
    const area = state.area!;
    const middleEnd = area.rootBytes + area.middleBytes;
    for (let page = 0; page < area.size / PAGE_SIZE; page++) {
      if (!(state.tables[page >> 3]! & (1 << (page & 7)))) continue;
      const bytes = peek(this.machine, area.base + page * PAGE_SIZE, PAGE_SIZE);
      const before = this.tables.get(page);
      if (before && bytes.equals(before)) continue;
      const now = Uint8Array.from(bytes);
      this.tables.set(page, now);
      const [old, words] = [before && new Int32Array(before.buffer), new Int32Array(now.buffer)];
      const level = page * PAGE_SIZE < area.rootBytes ? 2 : page * PAGE_SIZE < middleEnd ? 1 : 0;
      for (let i = 0; i < 512; i++) {
        const [was, is] = [old ? entryOf(old, i) : 0, entryOf(words, i)];
        if (was === is) continue;
        this.show(was, level, -1, changed);
        this.show(is, level, 1, changed);
        this.pointsInside(state, is, level);
      }
    }
  }

  private show(entry: number, level: number, by: number, changed: Set<number>): void {
    if (!(entry & Pte.V) || !((entry % 1024) & LEAF)) return;
    must(level < 2, () => `a leaf in a root table: ${hex(entry)}`);
    const first = pageOf(frameOf(entry));
    for (let page = first; page < first + (level === 1 ? HUGE : 1); page++) {
      if (page < 0 || page >= this.shown.length) continue;
      this.shown[page]! += by;
      changed.add(page);
    }
  }

  private pointsInside({ area }: MonitorState, entry: number, level: number): void {
    if (!(entry & Pte.V) || (entry % 1024) & LEAF) return;
    const offset = frameOf(entry) - area!.base;
    const middleEnd = area!.rootBytes + area!.middleBytes;
    const [from, to] = level === 2 ? [area!.rootBytes, middleEnd] : [middleEnd, level === 1 ? area!.size : 0];
    must(offset >= from && offset < to, () => `a host pointer of level ${level} leads to ${hex(frameOf(entry))}`);
  }

  /** The same, from memory alone: what is kept here about tables and owners must be what is there. */
  fromScratch(): void {
    const fresh = new Guard(this.machine, this.monitor);
    fresh.afterCall();
    must(
      fresh.shown.every((count, page) => count === this.shown[page]),
      () => 'tables changed behind the checks',
    );
  }

  /** The monitor's memory was put back to a snapshot: nothing to be told about. */
  forget(work: () => void): void {
    const known = new Map([...this.known].map(([instance, record]) => [instance, { ...record }]));
    work();
    this.known.clear();
    for (const [instance, record] of known) this.known.set(instance, record);
    this.wrong = undefined;
  }
}

const name = (page: number): string => `page ${hex(0x8000_0000 + page * PAGE_SIZE)}`;
export const entriesOf = (machine: Machine, { bitmap }: MonitorState): Int32Array =>
  new Int32Array(bytesAt(machine, bitmap!.base, (4 * machine.ramSize) / PAGE_SIZE).buffer);

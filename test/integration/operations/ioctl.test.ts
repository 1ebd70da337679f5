import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../../../debug-adapter/symbols/program';
import { tick, va, type Space } from '../../../emulator/units';
import { Ocall } from '../../../monitor/abi';
import type { EnclaveEvent } from '../../../monitor/events';
import type { HazardEvent } from '../../../monitor/hazards';
import { isRefused, type State } from '../../../monitor/operations';
import { shadowStateOf, stateOf } from '../../../monitor/permission';
import { byInstance, type Enclave, type MonitorState } from '../../../monitor/state';
import { ComposedSystem, createSystem } from '../../../monitor/system/system';
import type { SystemEvent } from '../../../monitor/system/types';
import { build } from '../adapter/builds';
import { cells, Visited, type Cell } from './visited';

const SOURCES = join(process.cwd(), 'test/integration/operations/programs');
const ERRNO = { EPERM: -1, EFAULT: -14, EINVAL: -22 } as const;
/** A refusal takes at most this many ticks. */
const MILLION = 1_000_000;
/** Told once per boot, whatever the operation. */
const UNRELATED = new Set(['runs-exhausted']);

/** States the test puts into the monitor's record, because no call meets them on one hart; a server's RETURNED needs relay pages. */
const isSet = ({ kind, state }: Cell): boolean =>
  state === 'RUNNING' || state === 'ATTESTING' || state === 'OCALLING' || (kind === 'SERVER' && state === 'RETURNED');

/** The system, and the cell the host is at. */
class Drive {
  readonly system: ComposedSystem;
  private readonly entry: number;
  private space: Space | undefined;

  constructor(host: Uint8Array, subject: Uint8Array, plan: string) {
    const file = (path: string, bytes: Uint8Array) => ({ path: `/root/${path}`, bytes, mode: 0o755 });
    this.system = createSystem({
      ...{ program: '/root/host', args: [], cwd: '/root', memoryMiB: 256, schedule: { quantum: 20_000 } },
      files: [file('host', host), file('subject', subject), file('plan', new TextEncoder().encode(plan))],
    }) as ComposedSystem;
    const program = Program.load(host) as Program;
    this.entry = program.addressOfSymbol('operate_here')!;
    assert.ok(this.entry > 0, 'the host has its label');
  }

  /** Runs until an event; the events up to it. */
  until(wanted: (event: SystemEvent) => boolean): SystemEvent[] {
    this.system.onEvent = wanted;
    const { reason } = this.system.run(tick(this.system.tick + 200_000_000));
    this.system.onEvent = undefined;
    const events = [...this.system.drain()];
    const first = events.find((event) => event.kind === 'image');
    if (first?.kind === 'image') this.space ??= first.space;
    assert.equal(reason, 'event', `${reason}: ${said(events)}`);
    return events;
  }

  /** Runs to the ecall of the operation. */
  toEcall(): void {
    const { stops } = this.system.machine;
    stops.arm(this.space!, va(this.entry));
    const { reason } = this.system.run(tick(this.system.tick + 200_000_000));
    stops.disarm(this.space!, va(this.entry));
    assert.equal(reason, 'stop');
  }

  get monitor(): MonitorState {
    return this.system.monitor.snapshot() as MonitorState;
  }

  stateOf(instance: number | undefined): State {
    const made = instance === undefined ? undefined : byInstance(this.monitor, instance);
    if (!made) return 'GONE';
    return 'type' in made ? stateOf(this.monitor, made) : shadowStateOf(made);
  }

  /** Changes an enclave's or a template's record. */
  set(instance: number, change: object): void {
    const state = this.monitor;
    const made = byInstance(state, instance)!;
    this.system.monitor.restore(
      'type' in made
        ? { ...state, enclaves: state.enclaves.set(made.eid, { ...made, ...change }) }
        : { ...state, shadows: state.shadows.set(made.id, { ...made, ...change }) },
    );
  }
}

const said = (events: readonly SystemEvent[]): string =>
  events.map((e) => (e.kind === 'output' ? new TextDecoder().decode(e.bytes) : '')).join('');
const says = (text: string) => (event: SystemEvent) => event.kind === 'output' && said([event]).startsWith(text);

/** Does the operation of a cell, the host being ready for it. */
function perform(
  drive: Drive,
  cell: Cell,
  instance: number | undefined,
): { result: number; ticks: number; events: SystemEvent[] } {
  const forced = isSet(cell) && instance !== undefined;
  let before: Pick<Enclave, 'state' | 'ocall'> | undefined;
  if (forced) {
    drive.toEcall();
    const made = byInstance(drive.monitor, instance)!;
    before = { state: made.state, ocall: 'ocall' in made ? made.ocall : 0 };
    const waits = cell.state === 'RETURNED' ? Ocall.RETURN_RELAY_PAGE : Ocall.SYS_WRITE;
    const change = ['RETURNED', 'OCALLING'].includes(cell.state)
      ? { state: 'OCALLING', ocall: waits }
      : { state: cell.state };
    drive.set(instance, change);
  }
  const from = drive.system.tick;
  const events: SystemEvent[] = [];
  // A stop waits for the end of an ocall: here the ocall ends when the driver has been refused once.
  if (
    instance !== undefined &&
    forced &&
    cell.state === 'OCALLING' &&
    cell.operation === 'STOP_ENCLAVE' &&
    cell.kind !== 'SERVER'
  ) {
    events.push(...drive.until((event) => event.kind === 'hazard'));
    drive.set(instance, before!);
    before = undefined;
  }
  events.push(...drive.until(says('#done')));
  const ticks = drive.system.tick - from;
  if (before && instance !== undefined && drive.stateOf(instance) === cell.state) drive.set(instance, before);
  else if (before) before = undefined;
  return { result: Number(/#done (-?\d+)/.exec(said(events))![1]), ticks, events };
}

describe('every operation of a host on every kind in every state, by ioctl', function () {
  const visited = new Visited(['ioctl']);
  const all = cells('ioctl');
  let drive: Drive;

  before(async () => {
    const [host, subject] = await Promise.all([
      build('host', join(SOURCES, 'host.c'), 'operations/host'),
      build('eapp', join(SOURCES, 'subject.c'), 'operations/subject'),
    ]);
    const plan = all
      .map(({ operation, kind, state }) => `${operation.replace('_ENCLAVE', '')} ${kind} ${state}\n`)
      .join('');
    drive = new Drive(readFileSync(host), readFileSync(subject), plan);
  });

  for (const cell of all) {
    const { operation, kind, state, rule } = cell;
    const outcome = isRefused(rule) ? `-1 ${rule.errno}` : `${rule.value}, then ${rule.next}`;
    it(`${operation} of ${kind} ${state}: ${outcome}`, () => {
      const setup = said(drive.until(says('#ready')));
      const ready = /#ready (\w+) (\w+) (\w+) (\d+)/.exec(setup)!;
      assert.deepEqual([`${ready[1]}_ENCLAVE`, ready[2], ready[3]], [operation, kind, state], setup);
      const subject = drive.system.enclaves().find(({ eid }) => eid === Number(ready[4]));
      if (state !== 'GONE' && state !== 'FOREIGN' && !isSet(cell))
        assert.equal(drive.stateOf(subject?.instance), state);
      const untouched = drive.stateOf(subject?.instance);
      const { result, ticks, events } = perform(drive, cell, subject?.instance);
      assert.equal(result, isRefused(rule) ? ERRNO[rule.errno!] : 0);
      const hazards = events.filter(
        (e): e is HazardEvent & SystemEvent => e.kind === 'hazard' && !UNRELATED.has(e.code),
      );
      assert.deepEqual(
        hazards.map(({ code }) => code),
        rule.hazard ? [rule.hazard] : [],
      );
      for (const { site } of hazards) assert.ok(site, 'it says where');
      if (isRefused(rule)) {
        assert.ok(ticks < MILLION, `${ticks} ticks`);
        // CREATE takes many slices: the thread inside RUN meets the state that was set, and ends.
        if (operation !== 'CREATE_ENCLAVE' || !isSet(cell))
          assert.equal(drive.stateOf(subject?.instance), untouched, 'a refusal changes nothing');
      } else checkAfter(cell, drive.stateOf(subject?.instance), untouched, events);
      visited.visit(cell, isSet(cell) ? 'set' : 'driven');
    });
  }

  after(() => visited.finish());
});

function checkAfter(
  { operation, state, rule }: Cell,
  after: State,
  before: State,
  events: readonly SystemEvent[],
): void {
  const entered = (event: SystemEvent): boolean => event.kind === 'transition' && event.to !== undefined;
  const created = (event: SystemEvent): event is EnclaveEvent & { kind: 'enclave-created' } =>
    event.kind === 'enclave-created';
  if (operation === 'CREATE_ENCLAVE') assert.equal(events.filter(created).length, 1);
  else if (rule.next === 'FORKED' && operation === 'RUN_ENCLAVE')
    assert.ok(events.some((e) => created(e) && e.template !== undefined));
  else if (rule.next === 'RUNNING') assert.ok(events.some(entered), 'it ran');
  else assert.equal(after, rule.next === state ? before : rule.next);
}

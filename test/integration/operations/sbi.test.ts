import assert from 'node:assert/strict';
import { EnclaveCall, Ocall, ResumeReason, Sbi } from '../../../monitor/abi';
import type { HazardEvent } from '../../../monitor/hazards';
import { isRefused, type Kind, type Operation, type State } from '../../../monitor/operations';
import { stateOf } from '../../../monitor/permission';
import { enclavesOf, shadowsOf, type Enclave, type MonitorState, type Shadow } from '../../../monitor/state';
import { savedX } from '../../../emulator/hart/registers';
import { Bench, Code } from '../../unit/monitor/bench';
import { cells, Visited, type Cell } from './visited';

/** The enclave a cell is about: its number, and the page its parameters lie in. */
interface Subject {
  readonly eid: number;
  readonly page: number;
}
const SUBJECT = 'subject';
const NOBODY: Subject = { eid: 77, page: 0 };
const SLICE = 20_000;
const CALL = 'li a6, 0x100101\necall';
const CALL_ARGUMENT = 0x2100;

const printing = `${Code.ocall(Ocall.SYS_WRITE)}\n${Code.loop}`;
const returning = `${Code.ocall(Ocall.RETURN_RELAY_PAGE)}\n${Code.exit(0)}`;
const calling = (eid: number) => `${Code.call(EnclaveCall.CALL_ENCLAVE, eid, CALL_ARGUMENT)}\n${Code.loop}`;
/** acquire_enclave of the subject. */
const acquiring = `
  li t0, 0x7463656a627573
  li t1, 0x2000
  sd t0, 0(t1)
  ${Code.call(EnclaveCall.ACQUIRE_ENCLAVE, 0x2000)}
  ${Code.loop}`;

/** Changes the record of an enclave or a template, as no call could. */
function set(b: Bench, eid: number, shadow: boolean, change: object): void {
  const state = b.monitor.snapshot() as MonitorState;
  b.monitor.restore(
    shadow
      ? { ...state, shadows: state.shadows.set(eid, { ...state.shadows.get(eid)!, ...change }) }
      : { ...state, enclaves: state.enclaves.set(eid, { ...state.enclaves.get(eid)!, ...change }) },
  );
}

/** An enclave of a kind that runs `source` until it leaves for the host. */
function started(b: Bench, kind: Kind, source: string): Subject {
  if (kind === 'INSTANCE') {
    const template = b.create(source, { type: 'SHADOW', name: 'template' });
    b.timerIn(SLICE);
    return b.fork(template.eid, { name: SUBJECT });
  }
  const made = b.create(source, { name: kind === 'SERVER' ? 'caller' : SUBJECT });
  b.timerIn(SLICE);
  b.run(made);
  return made;
}

/** A server that a caller has called, running `source`. */
function serving(b: Bench, source: string): { server: Subject; caller: Subject } {
  const server = b.create(source, { type: 'SERVER', name: SUBJECT });
  return { server, caller: started(b, 'SERVER', calling(server.eid)) };
}

const worker = (b: Bench): number => b.create(Code.loop, { type: 'SERVER', name: 'worker' }).eid;

/** Reaches a state by calls only; undefined where that takes another hart. */
function reached(b: Bench, kind: Kind, state: State): Subject | undefined {
  if (state === 'GONE') return NOBODY;
  if (kind === 'SHADOW') {
    if (state !== 'FRESH' && state !== 'FORKED') return undefined;
    const made = b.create(Code.loop, { type: 'SHADOW', name: SUBJECT });
    b.timerIn(SLICE);
    if (state === 'FORKED') b.fork(made.eid);
    return made;
  }
  if (kind === 'SERVER') {
    switch (state) {
      case 'RUNNABLE':
        return b.create(Code.loop, { type: 'SERVER', name: SUBJECT });
      case 'SERVING':
        return serving(b, Code.loop).server;
      case 'CALLING':
        return serving(b, calling(worker(b))).server;
      case 'OCALLING':
        return serving(b, printing).server;
      case 'RETURNED':
        return serving(b, returning).server;
      case 'STOPPED': {
        const { server, caller } = serving(b, Code.loop);
        assert.equal(b.call(Sbi.STOP_ENCLAVE, caller.eid), 0);
        return server;
      }
      default:
        return undefined;
    }
  }
  switch (state) {
    case 'FRESH':
      return b.create(printing, { name: SUBJECT });
    case 'RUNNABLE':
      return started(b, kind, Code.loop);
    case 'CALLING':
      return started(b, kind, calling(worker(b)));
    case 'OCALLING':
      return started(b, kind, printing);
    case 'RETURNED':
      return started(b, kind, returning);
    case 'STOPPED': {
      const made = started(b, kind, Code.loop);
      assert.equal(b.call(Sbi.STOP_ENCLAVE, made.eid), 0);
      return made;
    }
    default:
      return undefined;
  }
}

/** Reaches a state, or the nearest one and sets it. */
function subjectIn(b: Bench, kind: Kind, state: State): { subject: Subject; how: 'driven' | 'set' } {
  const subject = reached(b, kind, state);
  if (subject) return { subject, how: 'driven' };
  const near: State = kind === 'NORMAL' || kind === 'SHADOW' ? 'FRESH' : 'RUNNABLE';
  const from = reached(b, kind, state !== 'RUNNING' ? near : kind === 'SERVER' ? 'SERVING' : 'RUNNABLE')!;
  set(b, from.eid, kind === 'SHADOW', state === 'FOREIGN' ? { host: 0x12345 } : { state });
  return { subject: from, how: 'set' };
}

const DESTROY = {
  NORMAL: Sbi.DESTROY_ENCLAVE,
  INSTANCE: Sbi.DESTROY_ENCLAVE,
  SERVER: Sbi.DESTROY_SERVER_ENCLAVE,
  SHADOW: Sbi.DESTROY_SHADOW_ENCLAVE,
};

/** The SBI call of an operation; its result. */
const CALLS: Partial<Record<Operation, (b: Bench, subject: Subject, kind: Kind) => number>> = {
  create: (b, _subject, kind) => b.create(Code.loop, { type: kind as 'NORMAL', name: SUBJECT }).result,
  run: (b, subject, kind) => {
    b.timerIn(SLICE);
    return kind === 'SHADOW'
      ? b.fork(subject.eid).result
      : b.run(subject.page === 0 ? { ...subject, page: b.take(1) } : subject);
  },
  resumeTimer: (b, { eid }) => {
    b.timerIn(SLICE);
    return b.resumeTimer(eid);
  },
  resumeStop: (b, { eid }) => b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.STOP),
  resumeOcall: (b, { eid }) => {
    b.timerIn(SLICE);
    const waits = enclavesOf(b.monitor.snapshot() as MonitorState).find(({ state }) => state === 'OCALLING');
    return b.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.OCALL, waits?.ocall ?? Ocall.SYS_WRITE);
  },
  stop: (b, { eid }) => b.call(Sbi.STOP_ENCLAVE, eid),
  destroy: (b, { eid }, kind) => b.call(DESTROY[kind], eid),
  attest: (b, { eid }, kind) =>
    b.call(kind === 'SHADOW' ? Sbi.ATTEST_SHADOW_ENCLAVE : Sbi.ATTEST_ENCLAVE, eid, b.take(1)),
};

function found(b: Bench, instance: number | undefined): Enclave | Shadow | undefined {
  const state = b.monitor.snapshot() as MonitorState;
  return [...enclavesOf(state), ...shadowsOf(state)].find((one) => one.instance === instance);
}

function stateIn(b: Bench, instance: number | undefined): State {
  const made = found(b, instance);
  if (!made) return 'GONE';
  if ('type' in made) return stateOf(b.monitor.snapshot() as MonitorState, made);
  return made.instances > 0 ? 'FORKED' : made.state;
}

const named = (b: Bench, kind: Kind): number | undefined => {
  const state = b.monitor.snapshot() as MonitorState;
  const all = kind === 'SHADOW' ? shadowsOf(state) : enclavesOf(state);
  return all.find(({ name }) => name === SUBJECT)?.instance;
};

const hazardsOf = (b: Bench): string[] =>
  b.events.filter((event): event is HazardEvent => event.kind === 'hazard').map(({ code }) => code);

/** The state afterwards, or, of what enters the enclave and comes back, that it was entered. */
function checkAfter(b: Bench, { operation, kind, state, rule }: Cell, instance: number | undefined, id: string): void {
  const entered = b.events.some((event) => event.kind === 'transition' && event.to !== undefined);
  if (rule.next === 'RUNNING' && state !== 'RUNNING') return assert.ok(entered, `${id}: it runs`);
  if (operation === 'create') return assert.equal(named(b, kind) !== undefined, true, id);
  const after = stateIn(b, instance);
  if (state === 'FOREIGN' && isRefused(rule)) return assert.notEqual(after, 'GONE', id);
  if (rule.next === 'FOREIGN') return assert.equal(after, 'FRESH', id);
  assert.equal(after, rule.next, `${id}: the state after`);
}

describe('every operation on every kind in every state, by SBI call', function () {
  const visited = new Visited(['sbi']);
  const all = cells('sbi');

  for (const where of new Set(all.map(({ kind, state }) => `${kind} ${state}`)))
    it(`${where}: returns, leaves and raises what the table says`, () => {
      const b = new Bench().start();
      const [kind, state] = where.split(' ') as [Kind, State];
      const { subject, how } = subjectIn(b, kind, state);
      const instance = subject === NOBODY ? undefined : named(b, kind);
      const before = b.machine.snapshot();
      for (const cell of all) {
        if (cell.kind !== kind || cell.state !== state) continue;
        b.machine.restore(before);
        b.events.length = 0;
        const id = `${cell.operation} of ${where}`;
        const result = CALLS[cell.operation]!(b, subject, kind);
        if (isRefused(cell.rule)) assert.equal(result, cell.rule.value, id);
        else assert.ok(result >= 0, `${id}: ${result}`);
        assert.deepEqual(hazardsOf(b), cell.rule.hazard ? [cell.rule.hazard] : [], id);
        checkAfter(b, cell, instance, id);
        visited.visit(cell, how);
      }
    });

  after(() => visited.finish());
});

/** What an enclave does on the hart, by operation. */
const DOES: Partial<Record<Operation, string>> = {
  timer: '',
  exit: `li a0, 5\nli a7, ${EnclaveCall.EXIT}\n${CALL}`,
  ocall: Code.ocall(Ocall.SYS_WRITE),
  returnRelay: Code.ocall(Ocall.RETURN_RELAY_PAGE),
  yield: Code.call(EnclaveCall.YIELD),
  enclaveReturn: Code.call(EnclaveCall.ENCLAVE_RETURN, CALL_ARGUMENT),
};

describe('every call of an enclave of every kind, in every state of the one it is about', function () {
  const visited = new Visited(['ecall', 'trap']);
  const all = cells('ecall', 'trap');
  const a0 = (b: Bench, eid: number): number => savedX(b.monitor.registers(b.enclave(eid))!, 10);

  for (const cell of all) {
    const { operation, kind, state, rule } = cell;
    const does = operation === 'callEnclave' ? undefined : DOES[operation];
    if (does === undefined && operation !== 'callEnclave') continue;
    it(`${operation} by ${kind}: ${isRefused(rule) ? `a0 = ${rule.value}` : `leads to ${rule.next}`}`, () => {
      const b = new Bench().start();
      const source = does === undefined ? calling(worker(b)) : `${does}\n${Code.loop}`;
      const subject = kind === 'SERVER' ? serving(b, source).server : started(b, kind, source);
      const alive = enclavesOf(b.monitor.snapshot() as MonitorState).find(({ eid }) => eid === subject.eid);
      assert.deepEqual(hazardsOf(b), rule.hazard ? [rule.hazard] : []);
      if (isRefused(rule)) assert.equal(a0(b, subject.eid), rule.value);
      else assert.equal(alive ? stateIn(b, alive.instance) : 'GONE', rule.next);
      visited.visit(cell, 'driven');
      assert.equal(state, 'RUNNING');
    });
  }

  for (const where of new Set(
    all
      .filter(({ operation }) => ['acquire', 'called'].includes(operation))
      .map(({ kind, state }) => `${kind} ${state}`),
  ))
    it(`${where} is acquired and called as the table says`, () => {
      const b = new Bench().start();
      const [kind, state] = where.split(' ') as [Kind, State];
      const { subject, how } = subjectIn(b, kind, state);
      const before = b.machine.snapshot();
      for (const cell of all) {
        if (cell.kind !== kind || cell.state !== state || !['acquire', 'called'].includes(cell.operation)) continue;
        b.machine.restore(before);
        b.events.length = 0;
        const { operation, rule } = cell;
        const id = `${operation} ${where}`;
        const other = b.create(operation === 'acquire' ? acquiring : calling(subject.eid), { name: 'other' });
        b.timerIn(SLICE);
        assert.ok(b.run(other) >= 0, id);
        assert.deepEqual(hazardsOf(b), rule.hazard ? [rule.hazard] : [], id);
        if (isRefused(rule)) assert.equal(a0(b, other.eid), rule.value, id);
        else if (operation === 'acquire') assert.equal(a0(b, other.eid), subject.eid, id);
        else assert.equal(b.enclave(other.eid).callee, subject.eid, id);
        visited.visit(cell, how);
      }
    });

  after(() => visited.finish());
});

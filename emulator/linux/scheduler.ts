/**
 * Who runs: a FIFO run queue, named FIFO wait queues, timers by (deadline, id). Threads have positive ids, jobs of the kernel
 * negative ones; ready jobs go before threads. However many wait for one thing: a step wakes a PIECE or two of them, jobs or later steps
 * the others, before any thread runs.
 */
import { TIMEBASE_HZ } from '../machine/clock';
import { EMPTY_FIFO, joined, left, membersFrom, sizeOf, type Fifo } from '../machine/fifo';
import { first, insert, remove } from '../machine/sorted';
import { Cost, type Core } from './core';
import { tellWatchers } from './files/watches';
import { cpuTimeLeft } from './timers';
import type { Job, State, Wait, Woken } from './state';

/** SBI specification: TIME extension, set_timer. */
const SBI_TIME = 0x54494d45;

/** Threads looked at or woken in one piece of a step. */
export const PIECE = 64;

type Queues = State['queues'];
type Timers = State['timers'];

const withTimer = (timers: Timers, { deadline }: Wait, id: number): Timers =>
  deadline < Infinity ? insert(timers, deadline, id) : timers;
const withoutTimer = (timers: Timers, { deadline }: Wait, id: number): Timers =>
  deadline < Infinity ? remove(timers, deadline, id) : timers;

/** A queue that nobody stands in is not kept. */
const withQueue = (queues: Queues, name: string, queue: Fifo): Queues =>
  sizeOf(queue) > 0 ? queues.set(name, queue) : queues.remove(name);

/** Who stands in a queue, first come first. */
export const waitersIn = (core: Core, queue: string): Fifo => core.state.queues.get(queue) ?? EMPTY_FIFO;

const waitOf = (core: Core, id: number): Wait | undefined =>
  id < 0 ? core.state.jobs.get(id)?.wait : core.state.threads.get(id)?.wait;

function setWait(core: Core, id: number, wait: Wait | undefined, woken?: Woken): void {
  if (id < 0) {
    const job = core.state.jobs.get(id)!;
    core.set({ jobs: core.state.jobs.set(id, { ...job, wait }) });
    return;
  }
  const { call } = core.thread(id);
  core.setThread(id, { wait, call: call && { ...call, woken } });
}

export function makeReady(core: Core, id: number): void {
  if (id < 0) core.set({ readyJobs: core.state.readyJobs.push(id) });
  else core.set({ ready: core.state.ready.push(id) });
}

/** Blocks a thread (which stops being current) or a job until one of its queues is woken or the deadline passes. */
export function block(core: Core, id: number, wait: Wait): void {
  setWait(core, id, wait);
  let { queues } = core.state;
  for (const queue of wait.queues) queues = queues.set(queue, joined(queues.get(queue) ?? EMPTY_FIFO, id));
  const timers = withTimer(core.state.timers, wait, id);
  core.set({ queues, timers });
  if (core.state.current === id) leaveCurrent(core);
}

function leaveQueues(core: Core, id: number, wait: Wait): void {
  let { queues } = core.state;
  for (const name of wait.queues) queues = withQueue(queues, name, left(queues.get(name) ?? EMPTY_FIFO, id));
  core.set({ queues, timers: withoutTimer(core.state.timers, wait, id) });
}

/** Makes a blocked thread or job ready; nothing when it isn't blocked. */
export function unblock(core: Core, id: number, woken: Woken): void {
  const wait = waitOf(core, id);
  if (!wait) return;
  leaveQueues(core, id, wait);
  setWait(core, id, undefined, woken);
  makeReady(core, id);
}

/** A signal has come for a blocked thread: it goes on, unless only the end of its process may end the wait. */
export function interrupt(core: Core, tid: number): void {
  if (!waitOf(core, tid)?.killable) unblock(core, tid, 'signal');
}

/** `unblock` for many threads, in their order: each queue they stand in is changed once, and so is the map of threads. */
export function unblockThreads(core: Core, tids: readonly number[], woken: Woken): void {
  const blocked = tids.filter((tid) => waitOf(core, tid));
  const leaving = new Map<string, number[]>();
  let { queues, timers } = core.state;
  for (const tid of blocked) {
    const wait = waitOf(core, tid)!;
    timers = withoutTimer(timers, wait, tid);
    for (const name of wait.queues) {
      const ids = leaving.get(name);
      if (ids) ids.push(tid);
      else leaving.set(name, [tid]);
    }
  }
  for (const [name, ids] of leaving) queues = withQueue(queues, name, ids.reduce(left, waitersIn(core, name)));
  const threads = core.state.threads.withMutations((map) => {
    for (const tid of blocked) {
      const thread = map.get(tid)!;
      map.set(tid, { ...thread, wait: undefined, call: thread.call && { ...thread.call, woken } });
    }
  });
  core.set({ queues, timers, threads, ready: core.state.ready.push(...blocked) });
}

interface Some {
  /** How many. */
  readonly count: number;
  /** The place to go on at; undefined when it is done. */
  readonly next: number | undefined;
}

interface Wanted {
  readonly from?: number;
  readonly before?: number;
  readonly count?: number;
  readonly accept?: (wait: Wait) => boolean;
}

/** A piece of `charge`'s bill: a tick a thread, while few wait. */
const chargeSome = (core: Core, count: number, whole: boolean): void => core.charge(whole ? count : count * Cost.WAKE);

/** Wakes the first `count` that `accept` takes of those who stand in a queue at [from, before): a piece of them. */
export function wakeSome(core: Core, queue: string, wanted: Wanted): Some {
  const { from = 0, before = Infinity, count = Infinity, accept = () => true } = wanted;
  const woken: number[] = [];
  let [looked, next]: [number, number | undefined] = [0, undefined];
  for (const { key, tie } of membersFrom(waitersIn(core, queue), from)) {
    if (woken.length >= count || key >= before) break;
    if (looked === PIECE) {
      next = key;
      break;
    }
    looked++;
    if (accept(waitOf(core, tie)!)) woken.push(tie);
  }
  if (woken.length === 1 || woken.some((id) => id < 0)) for (const id of woken) unblock(core, id, 'wake');
  else if (woken.length > 0) unblockThreads(core, woken, 'wake');
  const whole = from === 0 && next === undefined;
  chargeSome(core, whole ? woken.length : looked, whole);
  return { count: woken.length, next };
}

/** Wakes all in a queue, many of them in a job. Watchers of the queue are told, too. */
export function wake(core: Core, queue: string): void {
  const before = waitersIn(core, queue).next;
  const { next } = wakeSome(core, queue, {});
  if (next !== undefined) addJob(core, { kind: 'wake', queue, from: next, before });
  tellWatchers(core, queue);
}

/** Wakes the first in a queue. */
export function wakeFirst(core: Core, queue: string): void {
  wakeSome(core, queue, { count: 1 });
  tellWatchers(core, queue);
}

/** Moves the first `count` threads of a queue to the end of another: a piece of them. */
export function requeueSome(core: Core, from: string, to: string, count: number): Some {
  const moved: number[] = [];
  for (const { tie } of membersFrom(waitersIn(core, from), 0)) {
    if (moved.length >= Math.min(count, PIECE)) break;
    moved.push(tie);
  }
  if (moved.length === 0) return { count: 0, next: undefined };
  const queues = withQueue(core.state.queues, from, moved.reduce(left, waitersIn(core, from)));
  const threads = core.state.threads.withMutations((map) => {
    for (const id of moved) {
      const thread = map.get(id)!;
      const standsIn = thread.wait!.queues.map((queue) => (queue === from ? to : queue));
      map.set(id, { ...thread, wait: { ...thread.wait!, queues: standsIn } });
    }
  });
  core.set({ queues: queues.set(to, moved.reduce(joined, waitersIn(core, to))), threads });
  const more = moved.length < count && queues.has(from);
  chargeSome(core, moved.length, moved.length < PIECE);
  return { count: moved.length, next: more ? 0 : undefined };
}

export function addJob(core: Core, work: Job['work']): void {
  const id = core.state.nextJob;
  const job: Job = { id, work, phase: undefined, sbi: undefined, wait: undefined };
  core.set({ nextJob: id - 1, jobs: core.state.jobs.set(id, job) });
  makeReady(core, id);
}

/** Wakes whoever's deadline has passed: a piece of them. True when there are more. */
export function expireTimers(core: Core): boolean {
  const { timerSet } = core.state;
  if (timerSet !== undefined && core.now >= timerSet) core.set({ timerSet: undefined });
  let count = 0;
  for (let next = first(core.state.timers); next && next.key <= core.now; next = first(core.state.timers)) {
    if (count === PIECE) {
      chargeSome(core, count, false);
      return true;
    }
    count++;
    unblock(core, next.tie, 'timeout');
  }
  return false;
}

/** Takes the current thread off the hart: its registers are saved. */
export function leaveCurrent(core: Core): void {
  core.saveLive();
  core.set({ current: undefined });
}

/** The current thread goes to the back of the run queue. */
export function preempt(core: Core): void {
  const { current } = core.state;
  if (current === undefined) return;
  leaveCurrent(core);
  makeReady(core, current);
}

/** Makes the first ready thread current with a fresh slice; false when none is ready. */
export function pickNext(core: Core): boolean {
  const tid = core.state.ready.first();
  if (tid === undefined) return false;
  const { quantum, vary } = core.options;
  const half = Math.floor(quantum / 2);
  const slice = vary ? half + (core.random() % (quantum + 1)) : quantum;
  core.set({ ready: core.state.ready.shift(), current: tid, sliceEnd: core.now + Math.max(1, slice) });
  return true;
}

const others = (core: Core): boolean => core.state.ready.size > 0 || core.state.yielded.length > 0;

/** The current thread has used up its slice and somebody waits for the hart. */
export const sliceOver = (core: Core): boolean => others(core) && core.now >= core.state.sliceEnd;

/** Tick at which the timer has to interrupt next, as exact as `time` is: never before what it is for. */
function wantedTimer(core: Core): number {
  const { timers, alarms } = core.state;
  const soonest = Math.min(
    first(timers)?.key ?? Infinity,
    alarms[0]?.deadline ?? Infinity,
    core.now + cpuTimeLeft(core),
  );
  const end = core.state.current !== undefined && others(core) ? core.state.sliceEnd : Infinity;
  const wanted = Math.min(soonest, end);
  return wanted === Infinity ? wanted : Math.ceil(wanted / ticksPerTime(core)) * ticksPerTime(core);
}

/** Ticks per unit of the `time` CSR, which SBI's set_timer counts in. */
const ticksPerTime = (core: Core): number => core.options.clockHz / TIMEBASE_HZ;

/**
 * Is the timer set for whatever must not be missed? With `lazy`, one that fires too early is left alone: it costs one interrupt per
 * quantum, where setting it anew costs an SBI call per switch.
 */
export function timerReady(core: Core, lazy: boolean): boolean {
  const wanted = wantedTimer(core);
  const { timerSet } = core.state;
  return wanted === timerSet || (lazy && timerSet !== undefined && timerSet > core.now && timerSet < wanted);
}

/** Sets the timer: the hart goes to the firmware. */
export function setTimer(core: Core): void {
  const wanted = wantedTimer(core);
  core.set({ timerSet: wanted });
  const time = wanted === Infinity ? -1 : wanted / ticksPerTime(core);
  core.sbi({ extension: SBI_TIME, function: 0, args: [time] }, 'timer');
}

/** A thread that is gone leaves no trace in queues. */
export function forget(core: Core, id: number): void {
  const wait = waitOf(core, id);
  if (wait) leaveQueues(core, id, wait);
  const at = core.state.ready.indexOf(id);
  if (at >= 0) core.set({ ready: core.state.ready.remove(at) });
}

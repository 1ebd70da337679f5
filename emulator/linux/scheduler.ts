/**
 * Who runs: a FIFO run queue, named FIFO wait queues, timers by (deadline, id). Threads have positive ids, jobs of the kernel
 * negative ones; ready jobs go before threads.
 */
import { List } from 'immutable';
import { TIMEBASE_HZ } from '../machine/clock';
import type { Core } from './core';
import { tellWatchers } from './files/watches';
import { cpuTimeLeft } from './timers';
import type { State, Wait, Woken } from './state';

/** SBI specification: TIME extension, set_timer. */
const SBI_TIME = 0x54494d45;

type Timers = State['timers'];

function withTimer(timers: Timers, deadline: number, id: number): Timers {
  const at = timers.findIndex((timer) => timer.deadline > deadline || (timer.deadline === deadline && timer.id > id));
  return at < 0 ? [...timers, { deadline, id }] : [...timers.slice(0, at), { deadline, id }, ...timers.slice(at)];
}

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
  for (const queue of wait.queues) queues = queues.set(queue, [...(queues.get(queue) ?? []), id]);
  const timers = wait.deadline < Infinity ? withTimer(core.state.timers, wait.deadline, id) : core.state.timers;
  core.set({ queues, timers });
  if (core.state.current === id) leaveCurrent(core);
}

function leaveQueues(core: Core, id: number, wait: Wait): void {
  let { queues } = core.state;
  for (const queue of wait.queues) {
    const rest = (queues.get(queue) ?? []).filter((other) => other !== id);
    queues = rest.length > 0 ? queues.set(queue, rest) : queues.remove(queue);
  }
  const timers = wait.deadline < Infinity ? core.state.timers.filter((timer) => timer.id !== id) : core.state.timers;
  core.set({ queues, timers });
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

/** `unblock` for many threads, in their order: one pass over each queue they stand in, one new map. */
export function unblockThreads(core: Core, tids: readonly number[], woken: Woken): void {
  const blocked = new Set(tids.filter((tid) => waitOf(core, tid)));
  const names = new Set([...blocked].flatMap((tid) => waitOf(core, tid)!.queues));
  let { queues } = core.state;
  for (const name of names) {
    const rest = (queues.get(name) ?? []).filter((id) => !blocked.has(id));
    queues = rest.length > 0 ? queues.set(name, rest) : queues.remove(name);
  }
  const threads = core.state.threads.withMutations((map) => {
    for (const tid of blocked) {
      const thread = map.get(tid)!;
      map.set(tid, { ...thread, wait: undefined, call: thread.call && { ...thread.call, woken } });
    }
  });
  const timers = core.state.timers.filter(({ id }) => !blocked.has(id));
  core.set({ queues, timers, threads, ready: core.state.ready.push(...blocked) });
}

/** Wakes the first `count` in a queue that `accept` takes; returns how many. Watchers of the queue are told, too. */
export function wake(
  core: Core,
  queue: string,
  count = Infinity,
  accept: (wait: Wait) => boolean = () => true,
): number {
  let woken = 0;
  for (const id of core.state.queues.get(queue) ?? []) {
    if (woken >= count) break;
    const wait = waitOf(core, id);
    if (!wait || !accept(wait)) continue;
    unblock(core, id, 'wake');
    woken++;
  }
  tellWatchers(core, queue);
  return woken;
}

/** Moves the first `count` waiters of a queue to the end of another; returns how many. */
export function requeue(core: Core, from: string, to: string, count: number): number {
  const moved = (core.state.queues.get(from) ?? []).slice(0, count);
  for (const id of moved) {
    const wait = waitOf(core, id)!;
    leaveQueues(core, id, wait);
    const next = { ...wait, queues: wait.queues.map((queue) => (queue === from ? to : queue)) };
    block(core, id, next);
  }
  return moved.length;
}

/** Wakes whoever's deadline has passed. */
export function expireTimers(core: Core): void {
  const { timerSet } = core.state;
  if (timerSet !== undefined && core.now >= timerSet) core.set({ timerSet: undefined });
  for (let first = core.state.timers[0]; first && first.deadline <= core.now; first = core.state.timers[0])
    unblock(core, first.id, 'timeout');
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
  const first = Math.min(
    timers[0]?.deadline ?? Infinity,
    alarms[0]?.deadline ?? Infinity,
    core.now + cpuTimeLeft(core),
  );
  const end = core.state.current !== undefined && others(core) ? core.state.sliceEnd : Infinity;
  const wanted = Math.min(first, end);
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
  core.set({ ready: List(core.state.ready.filter((other) => other !== id)) });
}

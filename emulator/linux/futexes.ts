/**
 * Futexes in the kernel (futex(2)): which word a waiter waits on, and who holds the locks the kernel passes on itself (priority inheritance; as
 * there is one priority, it comes to handing a lock over in FIFO order). A word in shared pages is the same futex in every process that maps it.
 */
import type { Core } from './core';
import { areaAt } from './memory/areas';
import { firstOf } from '../machine/fifo';
import type { Outcome } from './calls/call';
import { requeueSome, waitersIn, wakeFirst, wakeSome } from './scheduler';

export const OWNER_DIED = 0x40000000;
export const WAITERS = 0x80000000;
export const TID_MASK = 0x3fffffff;

/** The word at a user address of a process, as a name: by its place in a shared object, or by address space and address. */
export function futexKey(core: Core, pid: number, address: number): string {
  const { memory } = core.process(pid);
  const area = areaAt(memory, address);
  if (area?.shared && area.object) return `o${area.object.id}:${area.object.start + address - area.start}`;
  return `${memory.root}:${address}`;
}

export const waitQueue = (key: string): string => `futex:${key}`;
export const lockQueue = (key: string): string => `futex-lock:${key}`;

/** Wakes the first who waits on a word. */
export function wakeFutex(core: Core, pid: number, address: number): void {
  wakeFirst(core, waitQueue(futexKey(core, pid, address)));
}

/** Up to `count` of a queue are woken (those whose masks have a bit of `bitset`), or go to the queue `to`. */
export interface Task {
  readonly queue: string;
  readonly count: number;
  readonly bitset?: number;
  readonly to?: string;
}

/** A call that wakes or moves many, so far: left to do, of the first task from a place on, and how many it has done. */
export interface Progress {
  readonly tasks: readonly Task[];
  readonly from: number;
  readonly done: number;
}

/** Does the tasks, a piece of a long one; returns how many were woken or moved in all. */
export function carryOut(core: Core, { tasks, from, done }: Progress): Outcome {
  const [task, ...others] = tasks;
  if (!task) return done;
  const { queue, count, to, bitset = ~0 } = task;
  const some =
    to === undefined
      ? wakeSome(core, queue, { from, count, accept: (wait) => (wait.bitset & bitset) !== 0 })
      : requeueSome(core, queue, to, count);
  const sum = done + some.count;
  if (some.next === undefined) return carryOut(core, { tasks: others, from: 0, done: sum });
  const left = [{ ...task, count: count - some.count }, ...others];
  return { do: 'more', phase: { tasks: left, from: some.next, done: sum } satisfies Progress };
}

/** Notes who holds a lock that threads wait for, or (undefined) that its word alone says so. */
export function setHolder(core: Core, key: string, tid: number | undefined): void {
  const { lockHolders } = core.state;
  core.set({ lockHolders: tid === undefined ? lockHolders.remove(key) : lockHolders.set(key, tid) });
}

/** Gives a lock to the first who waits for it, who goes on; returns who, undefined when nobody waits. */
export function handOver(core: Core, key: string): number | undefined {
  const next = firstOf(waitersIn(core, lockQueue(key)));
  setHolder(core, key, next);
  if (next !== undefined) wakeFirst(core, lockQueue(key));
  return next;
}

/** A thread is gone: locks that others wait for are handed on. The new holder puts itself into the word. */
export function passOnLocks(core: Core, tid: number): void {
  if (core.state.lockHolders.size === 0) return;
  core.charge(core.state.lockHolders.size);
  const held = [...core.state.lockHolders].filter(([, holder]) => holder === tid).map(([key]) => key);
  for (const key of held.sort()) handOver(core, key);
}

/**
 * Futexes in the kernel (futex(2)): which word a waiter waits on, and who holds the locks the kernel passes on itself (priority inheritance; as
 * there is one priority, it comes to handing a lock over in FIFO order). A word in shared pages is the same futex in every process that maps it.
 */
import type { Core } from './core';
import { areaAt } from './memory/areas';
import { waitersIn, wake } from './scheduler';

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

export function wakeFutex(core: Core, pid: number, address: number, count: number): number {
  return wake(core, waitQueue(futexKey(core, pid, address)), count);
}

/** Notes who holds a lock that threads wait for, or (undefined) that its word alone says so. */
export function setHolder(core: Core, key: string, tid: number | undefined): void {
  const { lockHolders } = core.state;
  core.set({ lockHolders: tid === undefined ? lockHolders.remove(key) : lockHolders.set(key, tid) });
}

/** Gives a lock to the first who waits for it, who goes on; returns who, undefined when nobody waits. */
export function handOver(core: Core, key: string): number | undefined {
  const next = waitersIn(core, lockQueue(key)).first();
  setHolder(core, key, next);
  if (next !== undefined) wake(core, lockQueue(key), 1);
  return next;
}

/** A thread is gone: locks that others wait for are handed on. The new holder puts itself into the word. */
export function passOnLocks(core: Core, tid: number): void {
  if (core.state.lockHolders.size === 0) return;
  core.charge(core.state.lockHolders.size);
  const held = [...core.state.lockHolders].filter(([, holder]) => holder === tid).map(([key]) => key);
  for (const key of held.sort()) handOver(core, key);
}

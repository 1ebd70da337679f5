/**
 * Locks on files: records (fcntl(2)) of processes and of open files, and whole files (flock(2)) of open files. They are advice to who asks
 * for them and stop nobody else. A process's records go when it closes any descriptor of the file; an open file's with its last one.
 */
import type { Core } from '../core';
import { wake } from '../scheduler';

export interface FileLock {
  /** `flock` locks and records do not see each other. */
  readonly kind: 'record' | 'flock';
  /** pid of a process, or minus the number of an open file. */
  readonly owner: number;
  readonly exclusive: boolean;
  /** Bytes [start, end); end is Infinity for all that there will be. */
  readonly start: number;
  readonly end: number;
}

export const lockQueue = (inode: number): string => `lock:${inode}`;

const locksOf = (core: Core, inode: number): readonly FileLock[] => core.state.locks.get(inode) ?? [];

function setLocks(core: Core, inode: number, locks: readonly FileLock[]): void {
  const all = core.state.locks;
  core.set({ locks: locks.length === 0 ? all.remove(inode) : all.set(inode, locks) });
}

const overlap = (a: FileLock, b: FileLock): boolean => a.start < b.end && b.start < a.end;

/** The first lock in the way of one; undefined when it can be had. */
export function conflicting(core: Core, inode: number, wanted: FileLock): FileLock | undefined {
  return locksOf(core, inode).find(
    (lock) =>
      lock.kind === wanted.kind &&
      lock.owner !== wanted.owner &&
      (lock.exclusive || wanted.exclusive) &&
      overlap(lock, wanted),
  );
}

/** What is left of a lock without a range. */
const without = (lock: FileLock, { start, end }: FileLock): FileLock[] => [
  ...(lock.start < start ? [{ ...lock, end: Math.min(lock.end, start) }] : []),
  ...(lock.end > end ? [{ ...lock, start: Math.max(lock.start, end) }] : []),
];

/** Neighbours of one owner and one kind become one; in the order of their starts. */
function joined(locks: readonly FileLock[]): FileLock[] {
  const result: FileLock[] = [];
  for (const lock of [...locks].sort((a, b) => a.start - b.start || a.owner - b.owner)) {
    const at = result.findIndex(
      (other) =>
        other.owner === lock.owner &&
        other.kind === lock.kind &&
        other.exclusive === lock.exclusive &&
        other.end >= lock.start,
    );
    if (at < 0) result.push(lock);
    else result[at] = { ...result[at]!, end: Math.max(result[at]!.end, lock.end) };
  }
  return result;
}

/** Replaces what the owner has in the range by the lock, or by none. Whoever waits for the file looks again. */
export function setLock(core: Core, inode: number, lock: FileLock, locks: boolean): void {
  const before = locksOf(core, inode);
  const rest = before.flatMap((other) =>
    other.owner === lock.owner && other.kind === lock.kind && overlap(other, lock) ? without(other, lock) : [other],
  );
  setLocks(core, inode, joined(locks ? [...rest, lock] : rest));
  core.charge(before.length);
  wake(core, lockQueue(inode));
}

/** Locks on a file at most, of all owners together. */
export const MAX_LOCKS = 1024;
export const lockCount = (core: Core, inode: number): number => locksOf(core, inode).length;

/** An owner has let go of a file. */
export function dropLocks(core: Core, inode: number, owner: number): void {
  const before = locksOf(core, inode);
  if (!before.some((lock) => lock.owner === owner)) return;
  setLocks(
    core,
    inode,
    before.filter((lock) => lock.owner !== owner),
  );
  wake(core, lockQueue(inode));
}

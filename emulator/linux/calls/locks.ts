/** Record locks of fcntl (F_SETLK, F_OFD_SETLK and their kin) and flock(2). */
import { Errno } from '../errno';
import { openFileOf } from '../files/descriptors';
import { kindOf } from '../files/kinds/table';
import { conflicting, lockCount, lockQueue, MAX_LOCKS, setLock, type FileLock } from '../files/locks';
import { mayRead, mayWrite } from '../files/open-files';
import type { OpenFile } from '../files/types';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

const enum LockType {
  READ = 0,
  WRITE = 1,
  UNLOCK = 2,
}
const F_GETLK = 5;
const F_SETLKW = 7;
const F_OFD_GETLK = 36;
const F_OFD_SETLKW = 38;
/** Commands of fcntl that this file answers. */
export const isLockCommand = (command: number): boolean =>
  (command >= F_GETLK && command <= F_SETLKW) || (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);

/** struct flock: where its fields lie. */
const FLOCK = { type: 0, whence: 2, start: 8, length: 16, pid: 24 } as const;

/** A process waits for another one's lock. */
interface Waiting {
  readonly blockedBy: number;
}

/** The record a program describes; a negative errno when there can be no such. */
function recordAt(context: CallContext, file: OpenFile, address: number, owner: number): FileLock | number {
  const { core } = context;
  const whence = core.user.readU16(address + FLOCK.whence);
  const [from, length] = [core.user.readI64(address + FLOCK.start), core.user.readI64(address + FLOCK.length)];
  const bases = [0, 'offset' in file ? file.offset : 0, kindOf(file).size?.(core, file) ?? 0];
  const base = bases[whence];
  if (base === undefined) return -Errno.EINVAL;
  const start = base + from + Math.min(0, length);
  const end = length === 0 ? Infinity : start + Math.abs(length);
  if (start < 0) return -Errno.EINVAL;
  const exclusive = core.user.readU16(address + FLOCK.type) === LockType.WRITE;
  return { kind: 'record', owner, exclusive, start, end };
}

/** Would waiting for a process close a circle of processes that wait for each other? */
function closesCircle(context: CallContext, blockedBy: number): boolean {
  const { state } = context.core;
  const seen = new Set<number>();
  for (let pid: number | undefined = blockedBy; pid !== undefined && pid > 0 && !seen.has(pid);) {
    if (pid === context.process.pid) return true;
    seen.add(pid);
    const threads: readonly number[] = state.processes.get(pid)?.threads ?? [];
    const waiting: Waiting | undefined = threads
      .map((tid) => state.threads.get(tid))
      .flatMap((thread) => (thread?.wait?.queues[0]?.startsWith('lock:') ? [thread.call!.phase as Waiting] : []))[0];
    pid = waiting?.blockedBy;
  }
  return false;
}

function inodeOfFile(file: OpenFile): number | undefined {
  return 'inode' in file ? file.inode : undefined;
}

/** fcntl with one of the commands of `isLockCommand`. */
export function lockRecord(context: CallContext, fd: number, command: number, address: number): Outcome {
  const { core, process, call } = context;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const ofFile = command >= F_OFD_GETLK;
  const owner = ofFile ? -open.id : process.pid;
  const type = core.user.readU16(address + FLOCK.type) as LockType;
  const asks = command === F_GETLK || command === F_OFD_GETLK;
  if (type > LockType.UNLOCK || (asks && type === LockType.UNLOCK)) return -Errno.EINVAL;
  if (ofFile && core.user.readU32(address + FLOCK.pid) !== 0) return -Errno.EINVAL;
  const wanted = recordAt(context, open.file, address, owner);
  if (typeof wanted === 'number') return wanted;
  const inode = inodeOfFile(open.file);
  if (inode === undefined) return -Errno.EBADF;
  if (!asks && ((type === LockType.READ && !mayRead(open.file)) || (type === LockType.WRITE && !mayWrite(open.file))))
    return -Errno.EBADF;
  const held = type === LockType.UNLOCK ? undefined : conflicting(core, inode, wanted);
  if (asks) {
    if (!held) core.user.writeU16(address + FLOCK.type, LockType.UNLOCK);
    else {
      core.user.writeU16(address + FLOCK.type, held.exclusive ? LockType.WRITE : LockType.READ);
      core.user.writeU16(address + FLOCK.whence, 0);
      core.user.writeI64(address + FLOCK.start, held.start);
      core.user.writeI64(address + FLOCK.length, held.end === Infinity ? 0 : held.end - held.start);
      core.user.writeU32(address + FLOCK.pid, held.owner > 0 ? held.owner : 0xffff_ffff);
    }
    return 0;
  }
  if (!held) {
    if (lockCount(core, inode) >= MAX_LOCKS && type !== LockType.UNLOCK) return -Errno.ENOLCK;
    setLock(core, inode, wanted, type !== LockType.UNLOCK);
    return 0;
  }
  if (command !== F_SETLKW && command !== F_OFD_SETLKW) return -Errno.EAGAIN;
  if (call.woken === 'signal') return -Errno.ERESTARTSYS;
  if (!ofFile && held.owner > 0 && closesCircle(context, held.owner)) return -Errno.EDEADLK;
  return {
    do: 'block',
    wait: waitFor([lockQueue(inode)]),
    phase: { blockedBy: ofFile ? 0 : held.owner } satisfies Waiting,
  };
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

const flock: Handler = (context, fd, operation) => {
  const { core, process, call } = context;
  const open = openFileOf(core, process, fd! | 0);
  if (!open) return -Errno.EBADF;
  const what = operation! & ~LOCK_NB;
  if (what !== LOCK_SH && what !== LOCK_EX && what !== LOCK_UN) return -Errno.EINVAL;
  const inode = inodeOfFile(open.file);
  if (inode === undefined) return -Errno.EBADF;
  const exclusive = what === LOCK_EX;
  const wanted: FileLock = { kind: 'flock', owner: -open.id, exclusive, start: 0, end: Infinity };
  if (what === LOCK_UN) {
    setLock(core, inode, wanted, false);
    return 0;
  }
  if (!conflicting(core, inode, wanted)) {
    setLock(core, inode, wanted, true);
    return 0;
  }
  if (operation! & LOCK_NB) return -Errno.EAGAIN;
  if (call.woken === 'signal') return -Errno.ERESTARTSYS;
  // The old lock goes before the new one is waited for: conversion is not atomic, as flock(2) says.
  setLock(core, inode, wanted, false);
  return { do: 'block', wait: waitFor([lockQueue(inode)]), phase: { blockedBy: 0 } satisfies Waiting };
};

export const lockCalls: Readonly<Record<string, Handler>> = { flock };

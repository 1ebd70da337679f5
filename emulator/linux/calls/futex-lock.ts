/**
 * futex(2)'s locks: the word holds the owner's tid; who finds it taken waits in the kernel, which hands the lock over. glibc's mutexes with
 * PTHREAD_PRIO_INHERIT use it, robust ones included.
 */
import { Errno } from '../errno';
import type { Core } from '../core';
import { firstOf, sizeOf } from '../../machine/fifo';
import {
  carryOut,
  futexKey,
  handOver,
  lockQueue,
  OWNER_DIED,
  setHolder,
  TID_MASK,
  WAITERS,
  waitQueue,
} from '../futexes';
import { waitersIn, wakeFirst } from '../scheduler';
import { waitFor, type CallContext, type Outcome } from './call';

/** Set while blocked. */
interface Waiting {
  readonly deadline: number;
}

function writeWord(core: Core, address: number, tid: number, bits: number): void {
  core.user.writeU32(address, (tid | bits) >>> 0);
}

/** Threads are waiting for the lock: who the kernel says holds it. */
const holderOf = (core: Core, key: string): number | undefined => core.state.lockHolders.get(key);

const waitersBit = (core: Core, key: string): number => (sizeOf(waitersIn(core, lockQueue(key))) > 0 ? WAITERS : 0);

/** Tries to take a lock for a thread: 0, a negative errno, or undefined when it has to wait. */
function take(core: Core, address: number, key: string, tid: number): number | undefined {
  const word = core.user.readU32(address);
  const owner = word & TID_MASK;
  if (owner === tid) return -Errno.EDEADLK;
  if (holderOf(core, key) !== undefined) return undefined;
  if (owner === 0) {
    writeWord(core, address, tid, word & OWNER_DIED);
    return 0;
  }
  return core.state.threads.has(owner) ? undefined : -Errno.ESRCH;
}

/** Somebody is about to wait for a lock that is taken. */
function contend(core: Core, address: number, key: string): void {
  const word = core.user.readU32(address);
  core.user.writeU32(address, (word | WAITERS) >>> 0);
  if (holderOf(core, key) === undefined) setHolder(core, key, word & TID_MASK);
}

/** A thread that waited was given the lock; when its last owner died, the word does not say so yet. */
function given(core: Core, address: number, key: string, tid: number): void {
  const word = core.user.readU32(address);
  const bits = waitersBit(core, key);
  if ((word & TID_MASK) !== tid) writeWord(core, address, tid, (word & OWNER_DIED) | bits);
  setHolder(core, key, bits === 0 ? undefined : tid);
}

/** A thread gave up waiting: a lock nobody waits for is known by its word alone. */
function leave(core: Core, key: string): void {
  if (waitersBit(core, key) === 0) setHolder(core, key, undefined);
}

/** FUTEX_LOCK_PI, LOCK_PI2 and TRYLOCK_PI. */
export function lock(context: CallContext, address: number, deadline: number, tries: boolean): Outcome {
  const { core, process, thread, call } = context;
  const key = futexKey(core, process.pid, address);
  if (call.phase !== undefined) {
    if (call.woken === 'wake') {
      given(core, address, key, thread.tid);
      return 0;
    }
    leave(core, key);
    return call.woken === 'timeout' ? -Errno.ETIMEDOUT : -Errno.ERESTARTNOINTR;
  }
  const taken = take(core, address, key, thread.tid);
  if (taken !== undefined) return taken;
  if (tries) return -Errno.EAGAIN;
  if (deadline <= core.now) return -Errno.ETIMEDOUT;
  contend(core, address, key);
  return { do: 'block', wait: waitFor([lockQueue(key)], deadline), phase: { deadline } satisfies Waiting };
}

/** FUTEX_UNLOCK_PI. */
export function unlock({ core, process, thread }: CallContext, address: number): number {
  const key = futexKey(core, process.pid, address);
  if ((core.user.readU32(address) & TID_MASK) !== thread.tid) return -Errno.EPERM;
  core.user.probe(address, 4, 'write');
  const next = handOver(core, key);
  const bits = waitersBit(core, key);
  writeWord(core, address, next ?? 0, next === undefined ? 0 : bits);
  if (bits === 0) setHolder(core, key, undefined);
  return 0;
}

/** FUTEX_WAIT_REQUEUE_PI: waits on a word until it is given the lock at another. */
export function waitForLock(
  context: CallContext,
  address: number,
  expected: number,
  lockAt: number,
  deadline: number,
): Outcome {
  const { core, process, thread, call } = context;
  const [from, to] = [futexKey(core, process.pid, address), futexKey(core, process.pid, lockAt)];
  if (from === to) return -Errno.EINVAL;
  if (call.phase !== undefined) {
    leave(core, to);
    if (call.woken === 'timeout') return -Errno.ETIMEDOUT;
    const mine = (core.user.readU32(lockAt) & TID_MASK) === thread.tid || holderOf(core, to) === thread.tid;
    if (call.woken !== 'wake' || !mine) return -Errno.EAGAIN;
    given(core, lockAt, to, thread.tid);
    return 0;
  }
  if (core.user.readI32(address) !== (expected | 0)) return -Errno.EAGAIN;
  if (deadline <= core.now) return -Errno.ETIMEDOUT;
  return { do: 'block', wait: waitFor([waitQueue(from)], deadline), phase: { deadline } satisfies Waiting };
}

/** FUTEX_CMP_REQUEUE_PI: the first waiter gets the lock if it is free; it (else) and up to `limit` others wait for it from now on. */
export function requeueToLock(
  { core, process }: CallContext,
  address: number,
  lockAt: number,
  limit: number,
  expected: number,
): Outcome {
  const [from, to] = [futexKey(core, process.pid, address), futexKey(core, process.pid, lockAt)];
  if (from === to || limit < 0) return -Errno.EINVAL;
  if (core.user.readI32(address) !== (expected | 0)) return -Errno.EAGAIN;
  const waiters = waitersIn(core, waitQueue(from));
  const first = firstOf(waiters);
  if (first === undefined) return 0;
  const taken = take(core, lockAt, to, first);
  if (taken !== undefined && taken !== 0) return taken;
  if (taken === 0) wakeFirst(core, waitQueue(from));
  const count = sizeOf(waiters);
  const rest = taken === 0 ? Math.min(limit, count - 1) : Math.min(limit + 1, count);
  const done = taken === 0 ? 1 : 0;
  if (rest === 0) return done;
  contend(core, lockAt, to);
  return carryOut(core, { tasks: [{ queue: waitQueue(from), to: lockQueue(to), count: rest }], from: 0, done });
}

/** futex(2): waiting on and waking by a word of user memory. Its locks have a file of their own. */
import { Errno } from '../errno';
import { carryOut, futexKey, waitQueue, type Progress, type Task } from '../futexes';
import { lock, requeueToLock, unlock, waitForLock } from './futex-lock';
import type { CallContext, Handler, Outcome } from './call';
import { absoluteDeadline, readTimeSpec, relativeDeadline } from './time';

const enum Op {
  WAIT = 0,
  WAKE = 1,
  REQUEUE = 3,
  CMP_REQUEUE = 4,
  WAKE_OP = 5,
  LOCK_PI = 6,
  UNLOCK_PI = 7,
  TRYLOCK_PI = 8,
  WAIT_BITSET = 9,
  WAKE_BITSET = 10,
  WAIT_REQUEUE_PI = 11,
  CMP_REQUEUE_PI = 12,
  LOCK_PI2 = 13,
}
const COMMAND = 0x7f;
const CLOCK_REALTIME = 0x100;

/** Operations whose deadline may be on CLOCK_REALTIME at the caller's choice. */
const TIMED: ReadonlySet<Op> = new Set([Op.WAIT, Op.WAIT_BITSET, Op.WAIT_REQUEUE_PI, Op.LOCK_PI2]);

/** Set while blocked, so that a restart after a signal keeps the deadline. */
interface Waiting {
  readonly deadline: number;
}

function wait(
  context: CallContext,
  op: Op,
  address: number,
  expected: number,
  timeoutAt: number,
  bitset: number,
): Outcome {
  const { core, process, call } = context;
  if (bitset === 0) return -Errno.EINVAL;
  const before = call.phase as Waiting | undefined;
  if (before) {
    if (call.woken === 'wake') return 0;
    if (call.woken === 'timeout') return -Errno.ETIMEDOUT;
    if (before.deadline === Infinity) return -Errno.ERESTARTSYS;
    // A timed wait can start again without sleeping too long only when its deadline is absolute.
    return op === Op.WAIT ? -Errno.EINTR : -Errno.ERESTARTNOHAND;
  }
  let deadline = Infinity;
  if (timeoutAt) {
    const time = readTimeSpec(core, timeoutAt);
    if (!time) return -Errno.EINVAL;
    const realtime = (call.args[1]! & CLOCK_REALTIME) !== 0;
    deadline = op === Op.WAIT ? relativeDeadline(core, timeoutAt)! : absoluteDeadline(core, time, realtime);
  }
  if (core.user.readI32(address) !== (expected | 0)) return -Errno.EAGAIN;
  if (deadline <= core.now) return -Errno.ETIMEDOUT;
  return {
    do: 'block',
    wait: { queues: [waitQueue(futexKey(core, process.pid, address))], deadline, bitset },
    phase: { deadline } satisfies Waiting,
  };
}

/** FUTEX_WAKE_OP's operation on a word: its new value. */
function operate(operation: number, old: number, argument: number): number | undefined {
  switch (operation) {
    case 0:
      return argument;
    case 1:
      return old + argument;
    case 2:
      return old | argument;
    case 3:
      return old & ~argument;
    case 4:
      return old ^ argument;
    default:
      return undefined;
  }
}
function compare(comparison: number, old: number, argument: number): boolean | undefined {
  const results = [
    old === argument,
    old !== argument,
    old < argument,
    old <= argument,
    old > argument,
    old >= argument,
  ];
  return results[comparison];
}

function wakeOp(
  { core, process }: CallContext,
  first: number,
  second: number,
  count: number,
  count2: number,
  code: number,
): Outcome {
  let argument = (code << 8) >> 20;
  const operation = (code >>> 28) & 7;
  if (code & 0x80000000) argument = 1 << (argument & 31);
  const old = core.user.readI32(second);
  const value = operate(operation, old, argument);
  const holds = compare((code >>> 24) & 15, old, (code << 20) >> 20);
  if (value === undefined || holds === undefined) return -Errno.ENOSYS;
  core.user.writeU32(second, value >>> 0);
  const [queue, queue2] = [first, second].map((address) => waitQueue(futexKey(core, process.pid, address)));
  const tasks: Task[] = [{ queue: queue!, count }];
  if (holds) tasks.push({ queue: queue2!, count: count2 });
  return carryOut(core, { tasks, from: 0, done: 0 });
}

function wakeUp({ core, process }: CallContext, address: number, count: number, bitset = ~0): Outcome {
  const queue = waitQueue(futexKey(core, process.pid, address));
  return carryOut(core, { tasks: [{ queue, count: Math.max(1, count), bitset }], from: 0, done: 0 });
}

function move({ core, process }: CallContext, from: number, to: number, count: number, limit: number): Outcome {
  if (count < 0 || limit < 0) return -Errno.EINVAL;
  const [before, after] = [from, to].map((address) => waitQueue(futexKey(core, process.pid, address)));
  const tasks: Task[] = [{ queue: before!, count }];
  if (before !== after) tasks.push({ queue: before!, to: after!, count: limit });
  return carryOut(core, { tasks, from: 0, done: 0 });
}

/** Tick of an absolute deadline at a user address; Infinity for none, undefined for an invalid one. */
function deadlineAt({ core }: CallContext, address: number, realtime: boolean): number | undefined {
  if (!address) return Infinity;
  const time = readTimeSpec(core, address);
  return time && absoluteDeadline(core, time, realtime);
}

function lockOperation(context: CallContext, command: Op, address: number, timeoutAt: number): Outcome {
  const realtime = command === Op.LOCK_PI || (context.call.args[1]! & CLOCK_REALTIME) !== 0;
  const deadline = command === Op.TRYLOCK_PI ? Infinity : deadlineAt(context, timeoutAt, realtime);
  return deadline === undefined ? -Errno.EINVAL : lock(context, address, deadline, command === Op.TRYLOCK_PI);
}

const futex: Handler = (context, address, op, value, timeout, second, third) => {
  const { core, call } = context;
  const phase = call.phase as Progress | Waiting | undefined;
  if (phase && 'tasks' in phase) return carryOut(core, phase);
  if (address! % 4 !== 0) return -Errno.EINVAL;
  const command = (op! & COMMAND) as Op;
  if (op! & CLOCK_REALTIME && !TIMED.has(command)) return -Errno.ENOSYS;
  switch (command) {
    case Op.WAIT:
      return wait(context, command, address!, value!, timeout!, ~0);
    case Op.WAIT_BITSET:
      return wait(context, command, address!, value!, timeout!, third! | 0);
    case Op.WAKE:
      return wakeUp(context, address!, value! | 0);
    case Op.WAKE_BITSET: {
      const bitset = third! | 0;
      if (bitset === 0) return -Errno.EINVAL;
      return wakeUp(context, address!, value! | 0, bitset);
    }
    case Op.REQUEUE:
      return move(context, address!, second!, value! | 0, timeout! | 0);
    case Op.CMP_REQUEUE:
      if (core.user.readI32(address!) !== (third! | 0)) return -Errno.EAGAIN;
      return move(context, address!, second!, value! | 0, timeout! | 0);
    case Op.WAKE_OP:
      return wakeOp(context, address!, second!, value! | 0, timeout! | 0, third! | 0);
    case Op.LOCK_PI:
    case Op.LOCK_PI2:
    case Op.TRYLOCK_PI:
      return lockOperation(context, command, address!, timeout!);
    case Op.UNLOCK_PI:
      return unlock(context, address!);
    case Op.WAIT_REQUEUE_PI: {
      const deadline = deadlineAt(context, timeout!, (op! & CLOCK_REALTIME) !== 0);
      if (deadline === undefined || second! % 4 !== 0) return -Errno.EINVAL;
      return waitForLock(context, address!, value!, second!, deadline);
    }
    case Op.CMP_REQUEUE_PI:
      if (value !== 1 || second! % 4 !== 0) return -Errno.EINVAL;
      return requeueToLock(context, address!, second!, timeout! | 0, third!);
    default:
      return -Errno.ENOSYS;
  }
};

export const futexCalls: Readonly<Record<string, Handler>> = { futex };

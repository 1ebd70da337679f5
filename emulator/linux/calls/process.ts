/** Threads and processes: exit, ids, groups and sessions, robust futex lists. */
import { Errno } from '../errno';
import type { Core } from '../core';
import { endProcess, FIRST_PROCESS, removeThread } from '../process';
import { kinOf, membersOf } from '../family';
import type { Thread } from '../state';
import { OWNER_DIED, passOnLocks, TID_MASK, WAITERS, wakeFutex } from '../futexes';
import type { Handler } from './call';

const ROBUST_LIMIT = 2048;

/** Bit 0 of a list entry: the mutex is one whose lock the kernel passes on (futexes.ts), which wakes its waiter. */
const PASSED_ON = 1;

/** A mutex that a thread leaves behind, if it holds it: marked, and whoever waits for it woken. */
function leaveMutex(core: Core, thread: Thread, address: number, passedOn: boolean, pending: boolean): void {
  const word = core.user.readU32(address);
  // It was freed already, and the waking was still to come.
  if (pending && !passedOn && word === 0) wakeFutex(core, thread.pid, address);
  if ((word & TID_MASK) !== thread.tid) return;
  core.user.writeU32(address, ((word & WAITERS) | OWNER_DIED) >>> 0);
  if (word & WAITERS && !passedOn) wakeFutex(core, thread.pid, address);
}

/** Leaves all mutexes of the thread's robust list, and the one it was about to take or free. */
export function releaseRobust(core: Core, thread: Thread): void {
  const head = thread.robustList;
  if (head === 0) return;
  const address = (entry: number): number => entry - (entry % 2);
  const offset = core.user.readI64(head + 8);
  const pending = core.user.readI64(head + 16);
  const leave = (entry: number, last: boolean): void =>
    leaveMutex(core, thread, address(entry) + offset, (entry & PASSED_ON) !== 0, last);
  let entry = core.user.readI64(head);
  for (let count = 0; address(entry) !== head && count < ROBUST_LIMIT; count++) {
    const next = core.user.readI64(address(entry));
    if (address(entry) !== address(pending)) leave(entry, false);
    entry = next;
  }
  if (address(pending) !== 0) leave(pending, true);
}

/** exit, in phases, so that one user address that can't be written does not keep the thread alive. */
const exit: Handler = ({ core, thread, call }, status) => {
  const phase = (call.phase as number | undefined) ?? 0;
  if (phase === 0) {
    releaseRobust(core, thread);
    return { do: 'more', phase: 1 };
  }
  if (phase === 1) {
    if (thread.clearChildTid !== 0) {
      core.user.writeU32(thread.clearChildTid, 0);
      wakeFutex(core, thread.pid, thread.clearChildTid);
    }
    return { do: 'more', phase: 2 };
  }
  passOnLocks(core, thread.tid);
  removeThread(core, thread.tid, status!);
  return { do: 'done' };
};

const exit_group: Handler = ({ core, thread, process }, status) => {
  endProcess(core, process.pid, status!, 0);
  core.setThread(thread.tid, { dying: true });
  return 0;
};

const set_robust_list: Handler = ({ core, thread }, head, size) => {
  if (size !== 24) return -Errno.EINVAL;
  core.setThread(thread.tid, { robustList: head! });
  return 0;
};

const get_robust_list: Handler = ({ core, thread }, tid, headAt, sizeAt) => {
  const target = tid === 0 ? thread : core.state.threads.get(tid!);
  if (!target) return -Errno.ESRCH;
  core.user.writeI64(headAt!, target.robustList);
  core.user.writeI64(sizeAt!, 24);
  return 0;
};

/** Init, which takes in orphans and is no process here. */
const INIT = 1;
const getppid: Handler = ({ process }) => process.parent || (process.pid === FIRST_PROCESS ? 0 : INIT);

const getpgid: Handler = ({ core, process }, pid) =>
  pid === 0 ? process.group : (kinOf(core, pid! | 0)?.group ?? -Errno.ESRCH);
const getsid: Handler = ({ core, process }, pid) =>
  pid === 0 ? process.session : (kinOf(core, pid! | 0)?.session ?? -Errno.ESRCH);

const setpgid: Handler = ({ core, process }, whom, wanted) => {
  const pid = whom! | 0 || process.pid;
  const group = wanted! | 0 || pid;
  const target = core.state.processes.get(pid);
  if (group < 0) return -Errno.EINVAL;
  if (!target || (pid !== process.pid && target.parent !== process.pid)) return -Errno.ESRCH;
  if (pid !== process.pid && target.session !== process.session) return -Errno.EPERM;
  if (pid !== process.pid && target.executed) return -Errno.EACCES;
  if (target.session === pid) return -Errno.EPERM;
  if (group !== pid) {
    const zombies = [...core.state.zombies.values()].filter((zombie) => zombie.group === group);
    const [member] = [...membersOf(core, group), ...zombies];
    if (member?.session !== process.session) return -Errno.EPERM;
  }
  core.setProcess(pid, { group });
  return 0;
};

const setsid: Handler = ({ core, process: { pid } }) => {
  if (membersOf(core, pid).length > 0) return -Errno.EPERM;
  core.setProcess(pid, { group: pid, session: pid });
  return pid;
};

export const processCalls: Readonly<Record<string, Handler>> = {
  exit,
  exit_group,
  set_robust_list,
  get_robust_list,
  set_tid_address: ({ core, thread }, address) => {
    core.setThread(thread.tid, { clearChildTid: address! });
    return thread.tid;
  },
  sched_yield: ({ call }) => (call.phase === undefined ? { do: 'yield', phase: true } : 0),
  getpid: ({ process }) => process.pid,
  getppid,
  gettid: ({ thread }) => thread.tid,
  getpgid,
  getsid,
  setpgid,
  setsid,
};

/** What a program asks about the machine and itself: names, limits, ids, usage, random bytes, scheduling parameters. */
import { PAGE_SIZE } from '../../units';
import { Errno } from '../errno';
import { freePages } from '../files/proc/texts';
import { limitOf, MAX_NOFILE, Resource, RESOURCES } from '../limits';
import { RAM_BASE } from '../memory/layout';
import type { Limit, Process } from '../state';
import { processTicks, timeOf } from './time';
import type { CallContext, Handler } from './call';

const UTS_FIELD = 65;
const UTS_NAMES = ['Linux', 'penglai', '5.10.0', '#1', 'riscv64', '(none)'];

const uname: Handler = ({ core }, address) => {
  const bytes = new Uint8Array(UTS_FIELD * UTS_NAMES.length);
  UTS_NAMES.forEach((name, i) => bytes.set(new TextEncoder().encode(name), i * UTS_FIELD));
  core.user.write(address!, bytes);
  return 0;
};

/** Root may raise hard limits; only that of descriptors has a bound. */
const prlimit64: Handler = ({ core, process }, pid, resource, newAt, oldAt) => {
  const target = pid === 0 ? process : core.findProcess(pid! | 0);
  if (resource! < 0 || resource! >= RESOURCES) return -Errno.EINVAL;
  if (!target) return -Errno.ESRCH;
  const [soft, hard] = limitOf(target, resource!);
  let wanted: Limit | undefined;
  if (newAt) {
    wanted = [core.user.readU64(newAt), core.user.readU64(newAt + 8)];
    if (wanted[0] > wanted[1]) return -Errno.EINVAL;
    if (resource === Resource.NOFILE && wanted[1] > BigInt(MAX_NOFILE)) return -Errno.EPERM;
  }
  if (oldAt) {
    core.user.probe(oldAt, 16, 'write');
    core.user.writeU64(oldAt, soft);
    core.user.writeU64(oldAt + 8, hard);
  }
  if (wanted) core.setProcess(target.pid, { limits: { ...target.limits, [resource!]: wanted } });
  return 0;
};

const sysinfo: Handler = ({ core }, address) => {
  const view = new DataView(new ArrayBuffer(112));
  const put = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  put(0, timeOf(core, core.now).seconds);
  put(32, core.layout.ramEnd - RAM_BASE);
  put(40, freePages(core) * PAGE_SIZE);
  view.setUint16(80, core.state.processes.size, true);
  view.setUint32(104, 1, true);
  core.user.write(address!, new Uint8Array(view.buffer));
  return 0;
};

const getrusage: Handler = ({ core, process, thread }, who, address) => {
  const view = new DataView(new ArrayBuffer(144));
  const ticks = who === 1 ? thread.cpu : who === -1 ? process.childCpu : processTicks(core, process);
  if (who! > 1 || who! < -1) return -Errno.EINVAL;
  const { seconds, nanoseconds } = timeOf(core, ticks);
  view.setBigInt64(0, BigInt(seconds), true);
  view.setBigInt64(8, BigInt(Math.floor(nanoseconds / 1000)), true);
  view.setBigInt64(32, BigInt(process.memory.pages.size * 4), true);
  core.user.write(address!, new Uint8Array(view.buffer));
  return 0;
};

const RANDOM_PIECE = 65536;
const getrandom: Handler = ({ core, call }, address, length, flags) => {
  if (flags! & ~7) return -Errno.EINVAL;
  const done = (call.phase as number | undefined) ?? 0;
  const count = Math.min(RANDOM_PIECE, Math.min(length! < 0 ? 0x7fffffff : length!, 0x7fffffff) - done);
  core.user.write(address! + done, core.randomBytes(count));
  core.chargeBytes(count);
  return done + count < length! ? { do: 'more', phase: done + count } : done + count;
};

const PR_SET_PDEATHSIG = 1;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_NO_NEW_PRIVS = 38;

const prctl: Handler = ({ core, thread, process }, option, address) => {
  switch (option) {
    case PR_SET_NAME: {
      const bytes = core.user.read(address!, 16);
      const end = bytes.indexOf(0);
      core.setThread(thread.tid, {
        name: new TextDecoder().decode(bytes.subarray(0, end < 0 ? 15 : Math.min(end, 15))),
      });
      return 0;
    }
    case PR_GET_NAME: {
      const bytes = new Uint8Array(16);
      bytes.set(new TextEncoder().encode(thread.name).subarray(0, 15));
      core.user.write(address!, bytes);
      return 0;
    }
    case PR_SET_CHILD_SUBREAPER:
      core.setProcess(process.pid, { subreaper: address !== 0 });
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      core.user.writeU32(address!, process.subreaper ? 1 : 0);
      return 0;
    case PR_GET_DUMPABLE:
      return 1;
    case PR_SET_PDEATHSIG:
    case PR_SET_DUMPABLE:
    case PR_SET_NO_NEW_PRIVS:
      return 0;
    default:
      return -Errno.EINVAL;
  }
};

/** One CPU, number 0. */
const sched_getaffinity: Handler = ({ core }, tid, size, address) => {
  if (tid !== 0 && !core.state.threads.has(tid!)) return -Errno.ESRCH;
  if (size! < 8 || size! % 8 !== 0) return -Errno.EINVAL;
  core.user.writeU64(address!, 1n);
  return 8;
};
const sched_setaffinity: Handler = ({ core }, tid, size, address) => {
  if (tid !== 0 && !core.state.threads.has(tid!)) return -Errno.ESRCH;
  if (size! <= 0) return -Errno.EINVAL;
  return core.user.readU8(address!) & 1 ? 0 : -Errno.EINVAL;
};
const sched_getparam: Handler = ({ core }, tid, address) => {
  if (tid !== 0 && !core.state.threads.has(tid!)) return -Errno.ESRCH;
  core.user.writeU32(address!, 0);
  return 0;
};
const isRealTimePolicy = (policy: number): boolean => policy === 1 || policy === 2;

/** Every thread has the normal policy, in one priority. */
const sched_setscheduler: Handler = (_context, _tid, policy) => (isRealTimePolicy(policy!) ? -Errno.EPERM : 0);

/** The processes that setpriority(2) means; everybody is user 0. */
function priorityTargets({ core, process }: CallContext, which: number, who: number): readonly Process[] | number {
  if (which < 0 || which > 2) return -Errno.EINVAL;
  const all = [...core.state.processes.values()].sort((a, b) => a.pid - b.pid);
  const id = who | 0;
  const pid = id === 0 ? process.pid : (core.state.threads.get(id)?.pid ?? -1);
  const found = all.filter((one) =>
    which === 0 ? one.pid === pid : which === 1 ? one.group === (id || process.group) : id === 0,
  );
  return found.length > 0 ? found : -Errno.ESRCH;
}
const setpriority: Handler = (context, which, who, priority) => {
  const targets = priorityTargets(context, which! | 0, who!);
  if (typeof targets === 'number') return targets;
  const nice = Math.max(-20, Math.min(19, priority! | 0));
  for (const { pid } of targets) context.core.setProcess(pid, { nice });
  return 0;
};
/** 40 to 1, so that it is no errno. */
const getpriority: Handler = (context, which, who) => {
  const targets = priorityTargets(context, which! | 0, who!);
  return typeof targets === 'number' ? targets : 20 - Math.min(...targets.map(({ nice }) => nice ?? 0));
};

const getcpu: Handler = ({ core }, cpuAt, nodeAt) => {
  if (cpuAt) core.user.writeU32(cpuAt, 0);
  if (nodeAt) core.user.writeU32(nodeAt, 0);
  return 0;
};

const threeIds: Handler = ({ core }, a, b, c) => {
  for (const address of [a!, b!, c!]) core.user.writeU32(address, 0);
  return 0;
};
const root: Handler = () => 0;

/** MEMBARRIER_CMD_QUERY and the commands it names: with one hart, a system call is barrier enough. */
const MEMBARRIER_COMMANDS = 0x1ff;
const membarrier: Handler = (_context, command) => {
  if (command === 0) return MEMBARRIER_COMMANDS;
  return command! > 0 && (command! & ~MEMBARRIER_COMMANDS) === 0 ? 0 : -Errno.EINVAL;
};

/** syslog(2): the kernel's log goes to the console only; what can be read of it is empty. */
const syslog: Handler = (_context, type, _buffer, length) => {
  if (type! < 0 || type! > 10) return -Errno.EINVAL;
  return type! >= 2 && type! <= 4 && length! < 0 ? -Errno.EINVAL : 0;
};

export const systemCalls: Readonly<Record<string, Handler>> = {
  uname,
  prlimit64,
  getrlimit: (context, resource, address) => prlimit64(context, 0, resource!, 0, address!),
  setrlimit: (context, resource, address) => prlimit64(context, 0, resource!, address!, 0),
  sysinfo,
  getrusage,
  getrandom,
  prctl,
  sched_getaffinity,
  sched_setaffinity,
  sched_getparam,
  sched_setparam: root,
  sched_getscheduler: root,
  sched_setscheduler,
  sched_get_priority_max: (_context, policy) => (isRealTimePolicy(policy!) ? 99 : 0),
  sched_get_priority_min: (_context, policy) => (isRealTimePolicy(policy!) ? 1 : 0),
  setpriority,
  getpriority,
  getcpu,
  getuid: root,
  geteuid: root,
  getgid: root,
  getegid: root,
  setuid: root,
  setgid: root,
  setreuid: root,
  setregid: root,
  setresuid: root,
  setresgid: root,
  getresuid: threeIds,
  getresgid: threeIds,
  getgroups: root,
  setfsuid: root,
  setfsgid: root,
  syslog,
  setgroups: root,
  personality: root,
  membarrier,
  /** Not in Linux 5.10 for riscv; libraries ask and do without. */
  rseq: () => -Errno.ENOSYS,
  riscv_hwprobe: () => -Errno.ENOSYS,
  /** The hart sees its own stores to code after fence.i, which a return to user mode implies here. */
  riscv_flush_icache: root,
};

/**
 * Who belongs to whom: parents and children, zombies, process groups, sessions (credentials(7), setpgid(2), wait(2)). A child whose parent is
 * gone becomes the child of the nearest living ancestor that asked for it (PR_SET_CHILD_SUBREAPER), else of nobody: as on a board, where the
 * system's init takes it in and forgets it when it ends. That init is no process here; `getppid` shows it as 1.
 */
import type { Core } from './core';
import { Signal } from './errno';
import { wake } from './scheduler';
import { actionOf, kernelInfo, sendSignal, SigFlag } from './signals';
import type { Ending, Kin, Process, SignalInfo, Zombie } from './state';

/** si_code of SIGCHLD. */
export const enum Cld {
  EXITED = 1,
  KILLED = 2,
  STOPPED = 5,
  CONTINUED = 6,
}

const USER_HZ = 100;

/** Where the threads of a process wait for its children. */
export const childQueue = (pid: number): string => `children:${pid}`;

const ascending = (a: number, b: number): number => a - b;

/** The living processes of a group, by pid. */
export function membersOf(core: Core, group: number): Process[] {
  core.charge(core.state.processes.size >> 3);
  return [...core.state.processes.values()].filter((process) => process.group === group).sort((a, b) => a.pid - b.pid);
}

export const kinOf = (core: Core, pid: number): Kin | undefined =>
  core.state.processes.get(pid) ?? core.state.zombies.get(pid);

/** SIGCHLD's siginfo for what happened to a child. */
export const childInfo = (core: Core, signal: number, child: Kin, code: Cld, status: number): SignalInfo => ({
  signal,
  code,
  pid: child.pid,
  address: 0,
  value: 0,
  child: { status, time: Math.floor((child.cpu * USER_HZ) / core.options.clockHz) },
});

export const endingCode = ({ signal }: Ending): Cld => (signal > 0 ? Cld.KILLED : Cld.EXITED);
export const endingStatus = ({ status, signal }: Ending): number => (signal > 0 ? signal : status & 0xff);

/** A parent is told that a child was stopped or continued. */
export function tellParent(core: Core, child: Process, code: Cld.STOPPED | Cld.CONTINUED, status: number): void {
  const parent = core.state.processes.get(child.parent);
  if (!parent) return;
  const { handler, flags } = actionOf(parent, Signal.CHLD);
  if (handler > 1 && (flags & SigFlag.NOCLDSTOP) === 0)
    sendSignal(core, parent.pid, undefined, childInfo(core, Signal.CHLD, child, code, status));
  wake(core, childQueue(parent.pid));
}

/** The process has ended: a zombie for its parent, or nothing when that has said that it does not care. */
export function endsInFamily(core: Core, process: Process, ending: Ending): void {
  const parent = core.state.processes.get(process.parent);
  if (!parent) return;
  const { pid, group, session, exitSignal, cpu, childCpu, name } = process;
  const zombie: Zombie = { pid, parent: parent.pid, group, session, exitSignal, cpu, childCpu, name, ending };
  core.set({ zombies: core.state.zombies.set(pid, zombie) });
  announce(core, zombie);
}

/** Tells a zombie's parent about it; one that does not care is rid of it at once. */
function announce(core: Core, zombie: Zombie): void {
  const { parent: pid, exitSignal, ending } = zombie;
  const { handler, flags } = actionOf(core.process(pid), Signal.CHLD);
  const careless = exitSignal === Signal.CHLD && (handler === 1 || (flags & SigFlag.NOCLDWAIT) !== 0);
  if (careless) forgetChild(core, pid, zombie.pid);
  if (exitSignal !== 0)
    sendSignal(core, pid, undefined, childInfo(core, exitSignal, zombie, endingCode(ending), endingStatus(ending)));
  wake(core, childQueue(pid));
}

/** A zombie is gone for good. */
export function forgetChild(core: Core, parent: number, pid: number): void {
  core.set({ zombies: core.state.zombies.remove(pid) });
  const { children } = core.process(parent);
  core.charge(children.length >> 3);
  core.setProcess(parent, { children: children.filter((child) => child !== pid) });
}

/** A parent has asked for a zombie: its time becomes the parent's. */
export function reap(core: Core, parent: number, zombie: Zombie): void {
  forgetChild(core, parent, zombie.pid);
  const { childCpu } = core.process(parent);
  core.setProcess(parent, { childCpu: childCpu + zombie.cpu + zombie.childCpu });
}

export function addChild(core: Core, parent: number, pid: number): void {
  const process = core.state.processes.get(parent);
  if (process) core.setProcess(parent, { children: [...process.children, pid].sort(ascending) });
}

/** The children of a process that is gone go to who takes them, or to nobody; groups without a way back are let go. */
export function bequeath(core: Core, process: Process): void {
  const reaper = reaperOf(core, process);
  const above = core.state.processes.get(process.parent);
  const groups = new Set(above && isLink(above, process) ? [process.group] : []);
  for (const pid of process.children) {
    const child = core.state.processes.get(pid);
    const zombie = core.state.zombies.get(pid);
    if (child) {
      core.setProcess(pid, { parent: reaper, exitSignal: Signal.CHLD });
      if (isLink(process, child)) groups.add(child.group);
    } else if (zombie && reaper === 0) core.set({ zombies: core.state.zombies.remove(pid) });
    else if (zombie) core.set({ zombies: core.state.zombies.set(pid, adopted(zombie, reaper)) });
    if (reaper !== 0) addChild(core, reaper, pid);
  }
  core.charge(process.children.length);
  if (reaper !== 0)
    for (const pid of process.children) {
      const zombie = core.state.zombies.get(pid);
      if (zombie) announce(core, zombie);
    }
  for (const group of groups) releaseOrphans(core, group);
}

const adopted = (zombie: Zombie, parent: number): Zombie => ({ ...zombie, parent, exitSignal: Signal.CHLD });

/** A parent outside of its child's group, in its session: it can continue the group. */
const isLink = (parent: Process, child: Process): boolean =>
  parent.group !== child.group && parent.session === child.session;

function reaperOf(core: Core, process: Process): number {
  for (let pid = process.parent; pid !== 0;) {
    const ancestor = core.state.processes.get(pid);
    if (!ancestor) return 0;
    if (ancestor.subreaper && !ancestor.ending) return pid;
    pid = ancestor.parent;
  }
  return 0;
}

/** True when no member of the group has a parent in another group of its session, who could continue it. */
export function isOrphaned(core: Core, group: number): boolean {
  return membersOf(core, group).every(({ parent, session }) => {
    const above = core.state.processes.get(parent);
    return !above || above.group === group || above.session !== session;
  });
}

/** POSIX: a group that has become orphaned while a member is stopped gets SIGHUP, then SIGCONT. */
function releaseOrphans(core: Core, group: number): void {
  const members = membersOf(core, group);
  if (!members.some(({ stopped }) => stopped) || !isOrphaned(core, group)) return;
  for (const signal of [Signal.HUP, Signal.CONT]) signalGroup(core, group, kernelInfo(signal));
}

/** Sends a signal to all of a group; false when there is nobody. */
export function signalGroup(core: Core, group: number, info: SignalInfo): boolean {
  const members = membersOf(core, group);
  for (const { pid } of members) if (core.state.processes.has(pid)) sendSignal(core, pid, undefined, info);
  return members.length > 0;
}

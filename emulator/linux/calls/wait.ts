/** wait4 and waitid: what became of children. */
import { Errno, Signal } from '../errno';
import type { Core } from '../core';
import { childInfo, childQueue, Cld, endingCode, endingStatus, reap } from '../family';
import { infoBytes } from '../signals';
import type { Ending, Kin, Process, SignalInfo, Zombie } from '../state';
import { timeOf } from './time';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

const enum W {
  NOHANG = 1,
  /** WSTOPPED in waitid. */
  UNTRACED = 2,
  EXITED = 4,
  CONTINUED = 8,
  NOWAIT = 0x01000000,
  NOTHREAD = 0x20000000,
  ALL = 0x40000000,
  CLONE = 0x80000000,
}
const WAIT4_OPTIONS = W.NOHANG | W.UNTRACED | W.CONTINUED | W.NOTHREAD | W.ALL | W.CLONE;
const WAITID_OPTIONS = WAIT4_OPTIONS | W.EXITED | W.NOWAIT;

/** Which children, and which of their states. */
interface Wanted {
  readonly matches: (child: Kin) => boolean;
  readonly options: number;
}

interface Found {
  readonly info: SignalInfo;
  /** As wait4 gives it. */
  readonly status: number;
  readonly cpu: number;
  /** The state has been told and is not told again. */
  readonly take: () => void;
}

const waitStatus = ({ status, signal }: Ending): number => (signal > 0 ? signal : (status & 0xff) << 8);
const STOPPED_STATUS = 0x7f;
const CONTINUED_STATUS = 0xffff;

function ended(core: Core, parent: number, zombie: Zombie): Found {
  const { ending } = zombie;
  return {
    info: childInfo(core, Signal.CHLD, zombie, endingCode(ending), endingStatus(ending)),
    status: waitStatus(ending),
    cpu: zombie.cpu + zombie.childCpu,
    take: () => reap(core, parent, zombie),
  };
}

function changed(core: Core, child: Process, options: number): Found | undefined {
  const { pid, stopped, continued, cpu } = child;
  if (stopped && !stopped.told && options & W.UNTRACED)
    return {
      info: childInfo(core, Signal.CHLD, child, Cld.STOPPED, stopped.signal),
      status: (stopped.signal << 8) | STOPPED_STATUS,
      cpu,
      take: () => core.setProcess(pid, { stopped: { ...stopped, told: true } }),
    };
  if (continued && options & W.CONTINUED)
    return {
      info: childInfo(core, Signal.CHLD, child, Cld.CONTINUED, Signal.CONT),
      status: CONTINUED_STATUS,
      cpu,
      take: () => core.setProcess(pid, { continued: false }),
    };
  return undefined;
}

/** The first child that has something to tell; whether there is any child that may. */
function look(core: Core, process: Process, { matches, options }: Wanted): { found?: Found; any: boolean } {
  let any = false;
  core.charge(process.children.length >> 3);
  for (const pid of process.children) {
    const zombie = core.state.zombies.get(pid);
    const living = core.state.processes.get(pid);
    const child = zombie ?? living;
    if (!child || !matches(child)) continue;
    // Children that tell their end by another signal are waited for on request only.
    const isClone = child.exitSignal !== Signal.CHLD;
    if (!(options & W.ALL) && isClone !== ((options & W.CLONE) !== 0)) continue;
    any = true;
    if (zombie && options & W.EXITED) return { found: ended(core, process.pid, zombie), any };
    const found = living && changed(core, living, options);
    if (found) return { found, any };
  }
  return { any };
}

/** Looks, or waits; `tell` writes what was found (undefined: nothing yet, and nobody waits) and says the result. */
function wait(context: CallContext, wanted: Wanted, tell: (found: Found | undefined) => number): Outcome {
  const { core, process, call } = context;
  const { found, any } = look(core, process, wanted);
  if (found) {
    const result = tell(found);
    if (!(wanted.options & W.NOWAIT)) found.take();
    return result;
  }
  if (!any) return -Errno.ECHILD;
  if (wanted.options & W.NOHANG) return tell(undefined);
  if (call.woken === 'signal') return -Errno.ERESTARTSYS;
  return { do: 'block', wait: waitFor([childQueue(process.pid)]), phase: true };
}

const RUSAGE_SIZE = 144;
function writeUsage(core: Core, address: number, ticks: number): void {
  if (address === 0) return;
  const view = new DataView(new ArrayBuffer(RUSAGE_SIZE));
  const { seconds, nanoseconds } = timeOf(core, ticks);
  view.setBigInt64(0, BigInt(seconds), true);
  view.setBigInt64(8, BigInt(Math.floor(nanoseconds / 1000)), true);
  core.user.write(address, new Uint8Array(view.buffer));
}

const wait4: Handler = (context, which, statusAt, options, usageAt) => {
  const { core, process } = context;
  const pid = which! | 0;
  if (options! & ~WAIT4_OPTIONS) return -Errno.EINVAL;
  if (pid === -0x80000000) return -Errno.ESRCH;
  const matches = (child: Kin): boolean => {
    if (pid > 0) return child.pid === pid;
    return pid === -1 || child.group === (pid === 0 ? process.group : -pid);
  };
  return wait(context, { matches, options: options! | W.EXITED }, (found) => {
    if (!found) return 0;
    if (statusAt) core.user.writeU32(statusAt, found.status);
    writeUsage(core, usageAt!, found.cpu);
    return found.info.pid;
  });
};

const enum P {
  ALL,
  PID,
  PGID,
}

const waitid: Handler = (context, type, id, infoAt, options, usageAt) => {
  const { core, process } = context;
  const number = id! | 0;
  if (options! & ~WAITID_OPTIONS || !(options! & (W.EXITED | W.UNTRACED | W.CONTINUED))) return -Errno.EINVAL;
  if (type! > P.PGID || (type === P.PID && number <= 0) || (type === P.PGID && number < 0)) return -Errno.EINVAL;
  const matches = (child: Kin): boolean => {
    if (type === P.PID) return child.pid === number;
    return type !== P.PGID || child.group === (number === 0 ? process.group : number);
  };
  return wait(context, { matches, options: options! }, (found) => {
    if (infoAt) {
      const bytes = found ? infoBytes(found.info) : new Uint8Array(48);
      core.user.write(infoAt, bytes.subarray(0, 48));
    }
    writeUsage(core, usageAt!, found?.cpu ?? 0);
    return 0;
  });
};

export const waitCalls: Readonly<Record<string, Handler>> = { wait4, waitid };

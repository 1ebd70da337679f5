/** pipe2, eventfd2, fcntl, ioctl (of files and of drivers), ppoll and pselect6. */
import { List } from 'immutable';
import { va } from '../../units';
import { Errno, O } from '../errno';
import type { Core } from '../core';
import type { DeviceStep } from '../device';
import { callerOf, deviceAt, driverKernel, guarded } from '../drivers';
import {
  duplicate,
  newOpenFile,
  attach,
  freeDescriptor,
  mayRead,
  mayWrite,
  openAs,
  openFileOf,
  setOpenFile,
} from '../files/descriptors';
import { PIPE_SIZE } from '../files/transfer';
import { isTerminal } from '../files/stat';
import { inodeOf } from '../files/tree';
import type { OpenFile } from '../files/types';
import { sliceOver, timerReady } from '../scheduler';
import { UNMASKABLE } from '../signals';
import type { Process } from '../state';
import { relativeDeadline } from './time';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

const pipe2: Handler = ({ core, process }, address, flags) => {
  if (flags! & ~(O.CLOEXEC | O.NONBLOCK)) return -Errno.EINVAL;
  core.user.probe(address!, 8, 'write');
  const pipe = core.state.nextPipe;
  const cloexec = (flags! & O.CLOEXEC) !== 0;
  const kept = flags! & O.NONBLOCK;
  const first = freeDescriptor(process);
  const second = first === undefined ? undefined : freeDescriptor(process, first + 1);
  if (first === undefined || second === undefined) return -Errno.EMFILE;
  const empty = { chunks: List<Uint8Array>(), length: 0, readers: 1, writers: 1 };
  core.set({ nextPipe: pipe + 1, pipes: core.state.pipes.set(pipe, empty) });
  const path = `pipe:[${pipe}]`;
  attach(
    core,
    process.pid,
    first,
    newOpenFile(core, { kind: 'pipe', pipe, writes: false, flags: kept, path }),
    cloexec,
  );
  const writer = newOpenFile(core, { kind: 'pipe', pipe, writes: true, flags: kept | O.WRONLY, path });
  attach(core, process.pid, second, writer, cloexec);
  core.user.writeU32(address!, first);
  core.user.writeU32(address! + 4, second);
  return 0;
};

const EFD_SEMAPHORE = 1;
const eventfd2: Handler = ({ core, process }, count, flags) => {
  if (flags! & ~(O.CLOEXEC | O.NONBLOCK | EFD_SEMAPHORE)) return -Errno.EINVAL;
  return openAs(
    core,
    process.pid,
    {
      kind: 'event',
      count: BigInt(count! >>> 0),
      semaphore: (flags! & EFD_SEMAPHORE) !== 0,
      flags: O.RDWR | (flags! & O.NONBLOCK),
      path: 'anon_inode:[eventfd]',
    },
    (flags! & O.CLOEXEC) !== 0,
  );
};

const enum F {
  DUPFD = 0,
  GETFD = 1,
  SETFD = 2,
  GETFL = 3,
  SETFL = 4,
  GETLK = 5,
  SETLK = 6,
  SETLKW = 7,
  DUPFD_CLOEXEC = 1030,
  GETPIPE_SZ = 1032,
}

const fcntl: Handler = ({ core, process }, number, command, argument) => {
  const fd = number! | 0;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const descriptor = process.descriptors.get(fd)!;
  switch (command! as F) {
    case F.DUPFD:
    case F.DUPFD_CLOEXEC:
      if (argument! < 0) return -Errno.EINVAL;
      return duplicate(core, process.pid, fd, { from: argument! }, command === F.DUPFD_CLOEXEC);
    case F.GETFD:
      return descriptor.closeOnExec ? 1 : 0;
    case F.SETFD: {
      const changed = { ...descriptor, closeOnExec: (argument! & 1) !== 0 };
      core.setProcess(process.pid, { descriptors: process.descriptors.set(fd, changed) });
      return 0;
    }
    case F.GETFL:
      return open.file.flags;
    case F.SETFL: {
      const changeable = O.APPEND | O.NONBLOCK;
      setOpenFile(core, open.id, { ...open.file, flags: (open.file.flags & ~changeable) | (argument! & changeable) });
      return 0;
    }
    case F.GETLK: {
      const F_UNLCK = 2;
      core.user.writeU16(argument!, F_UNLCK);
      return 0;
    }
    case F.SETLK:
    case F.SETLKW:
      return 0;
    case F.GETPIPE_SZ:
      return open.file.kind === 'pipe' ? PIPE_SIZE : -Errno.EBADF;
    default:
      return -Errno.EINVAL;
  }
};

/** The driver's part of an ioctl in progress, plain data. */
export interface DevicePhase {
  readonly device: string;
  readonly state: unknown;
}

function deviceIoctl(context: CallContext, file: Extract<OpenFile, { kind: 'device' }>, id: number): Outcome {
  const { core, thread, call } = context;
  const device = deviceAt(core, file.device);
  if (!device) return -Errno.ENOTTY;
  // What the driver asks of the firmware may take long, like user code: it starts with the timer set, and within the thread's slice.
  if (sliceOver(core) || !timerReady(core, true)) return { do: 'make-way' };
  let data = file.data;
  const handle = {
    get data() {
      return data;
    },
    set(next: unknown) {
      data = next;
      const now = core.state.openFiles.get(id);
      if (now?.kind === 'device') setOpenFile(core, id, { ...now, data: next });
    },
  };
  const request = { command: call.args[1]! >>> 0, argument: va(call.args[2]!) };
  const input = {
    caller: callerOf(core, thread.pid, thread.tid),
    killed: thread.dying,
    ...(call.sbi ? { sbi: call.sbi } : {}),
  };
  const state = (call.phase as DevicePhase | undefined)?.state;
  const step = guarded(core, device, () => device.ioctl(driverKernel(core), request, handle, state, input));
  return deviceOutcome(core, step, (next) => ({ device: device.path, state: next }) satisfies DevicePhase);
}

function deviceOutcome(core: Core, step: DeviceStep, phase: (state: unknown) => unknown): Outcome {
  switch (step.do) {
    case 'return':
      return step.value;
    case 'sbi':
      return { do: 'sbi', call: step.call, phase: phase(step.state) };
    case 'yield':
      return { do: 'yield', phase: phase(step.state) };
    case 'wait':
      return { do: 'block', wait: waitFor([`device:${step.queue}`]), phase: phase(step.state) };
    case 'work':
      core.charge(step.ticks);
      return { do: 'more', phase: phase(step.state) };
  }
}

const FIONREAD = 0x541b;
const FIOCLEX = 0x5451;
const FIONBIO = 0x5421;
const TCGETS = 0x5401;
const TIOCGWINSZ = 0x5413;
/** struct termios of a terminal that changes nothing: all modes off, 38400 baud, 8 bits. */
const TERMIOS = new Uint8Array(36);
new DataView(TERMIOS.buffer).setUint32(8, 0xbf, true);
/** struct winsize: 24 rows of 80 columns. */
const WINDOW = new Uint8Array(new Uint16Array([24, 80, 0, 0]).buffer);

/** Bytes that can be read at once. */
function readable(core: Core, file: OpenFile): number {
  if (file.kind === 'pipe') return core.state.pipes.get(file.pipe)!.length;
  if (file.kind === 'stdin') return core.state.stdin.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (file.kind !== 'inode') return 0;
  const inode = inodeOf(core, file.inode);
  return inode.type === 'file' ? Math.max(0, inode.content.size - file.offset) : 0;
}

const ioctl: Handler = (context, number, command, argument) => {
  const { core, process } = context;
  const fd = number! | 0;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const { file, id } = open;
  if (file.kind === 'device') return deviceIoctl(context, file, id);
  switch (command! >>> 0) {
    case FIONREAD:
      core.user.writeU32(argument!, readable(core, file));
      return 0;
    case FIONBIO: {
      const on = core.user.readI32(argument!) !== 0;
      setOpenFile(core, id, { ...file, flags: on ? file.flags | O.NONBLOCK : file.flags & ~O.NONBLOCK });
      return 0;
    }
    case FIOCLEX:
      core.setProcess(process.pid, {
        descriptors: process.descriptors.set(fd, { ...process.descriptors.get(fd)!, closeOnExec: true }),
      });
      return 0;
    case TCGETS:
      if (!isTerminal(core, file)) return -Errno.ENOTTY;
      core.user.write(argument!, TERMIOS);
      return 0;
    case TIOCGWINSZ:
      if (!isTerminal(core, file)) return -Errno.ENOTTY;
      core.user.write(argument!, WINDOW);
      return 0;
    default:
      return -Errno.ENOTTY;
  }
};

const enum Poll {
  IN = 1,
  OUT = 4,
  ERR = 8,
  HUP = 16,
  NVAL = 32,
}

/** What can be done with an open file now, and the queue that says when that changes. */
function readiness(core: Core, id: number, file: OpenFile): { events: number; queue?: string } {
  switch (file.kind) {
    case 'stdin': {
      const { chunks, end } = core.state.stdin;
      return { events: chunks.size > 0 || end ? Poll.IN : 0, queue: 'stdin' };
    }
    case 'pipe': {
      const pipe = core.state.pipes.get(file.pipe)!;
      const queue = `pipe:${file.pipe}`;
      if (file.writes)
        return { events: pipe.readers === 0 ? Poll.ERR | Poll.OUT : pipe.length < PIPE_SIZE ? Poll.OUT : 0, queue };
      return { events: (pipe.length > 0 ? Poll.IN : 0) | (pipe.writers === 0 ? Poll.HUP : 0), queue };
    }
    case 'event':
      return { events: (file.count > 0n ? Poll.IN : 0) | Poll.OUT, queue: `file:${id}` };
    case 'stdout':
    case 'stderr':
      return { events: Poll.OUT };
    default:
      return { events: (mayRead(file) ? Poll.IN : 0) | (mayWrite(file) ? Poll.OUT : 0) };
  }
}

/** Ticks for one descriptor. */
const LOOK = 16;

interface Polled {
  readonly fd: number;
  readonly events: number;
}
/** Looks at descriptors: what each is ready for, and where to wait for more. */
function look(core: Core, process: Process, wanted: readonly Polled[]): { ready: number[]; queues: string[] } {
  const queues = new Set<string>();
  core.charge(wanted.length * LOOK);
  const ready = wanted.map(({ fd, events }) => {
    if (fd < 0) return 0;
    const open = openFileOf(core, process, fd);
    if (!open) return Poll.NVAL;
    const now = readiness(core, open.id, open.file);
    if (now.queue) queues.add(now.queue);
    return now.events & (events | Poll.ERR | Poll.HUP);
  });
  return { ready, queues: [...queues] };
}

interface Waiting {
  readonly deadline: number;
}
/** Blocks until something is ready; the mask given for the wait holds until its end. */
function awaitReady(
  context: CallContext,
  queues: readonly string[],
  deadline: number,
  mask: bigint | undefined,
): Outcome {
  const { core, thread, call } = context;
  if (call.woken === 'signal') return -Errno.ERESTARTNOHAND;
  if (mask !== undefined && thread.savedMask === undefined)
    core.setThread(thread.tid, { savedMask: thread.mask, mask: mask & ~UNMASKABLE });
  return { do: 'block', wait: waitFor(queues, deadline), phase: { deadline } satisfies Waiting };
}

const MAX_POLLED = 1024;

const ppoll: Handler = (context, address, count, timeoutAt, maskAt) => {
  const { core, process, call } = context;
  if (count! < 0 || count! > MAX_POLLED) return -Errno.EINVAL;
  const wanted = Array.from({ length: count! }, (_, i) => ({
    fd: core.user.readI32(address! + i * 8),
    events: core.user.readU16(address! + i * 8 + 4),
  }));
  const deadline =
    (call.phase as Waiting | undefined)?.deadline ?? (timeoutAt ? relativeDeadline(core, timeoutAt) : Infinity);
  if (deadline === undefined) return -Errno.EINVAL;
  const { ready, queues } = look(core, process, wanted);
  const found = ready.filter((events) => events !== 0).length;
  if (found === 0 && deadline > core.now && call.woken !== 'timeout')
    return awaitReady(context, queues, deadline, maskAt ? core.user.readU64(maskAt) : undefined);
  ready.forEach((events, i) => core.user.writeU16(address! + i * 8 + 6, events));
  return found;
};

const pselect6: Handler = (context, count, readAt, writeAt, exceptAt, timeoutAt, maskPair) => {
  const { core, process, call } = context;
  if (count! < 0 || count! > MAX_POLLED) return -Errno.EINVAL;
  const words = Math.ceil(count! / 64);
  const bitsAt = (address: number): bigint[] =>
    Array.from({ length: address ? words : 0 }, (_, i) => core.user.readU64(address + i * 8));
  const sets = [readAt!, writeAt!, exceptAt!].map(bitsAt);
  const has = (set: number, fd: number): boolean => ((sets[set]![fd >> 6] ?? 0n) & (1n << BigInt(fd & 63))) !== 0n;
  const wanted: Polled[] = [];
  for (let fd = 0; fd < count!; fd++) {
    const events = (has(0, fd) ? Poll.IN : 0) | (has(1, fd) ? Poll.OUT : 0);
    if (events !== 0 || has(2, fd)) wanted.push({ fd, events });
  }
  const deadline =
    (call.phase as Waiting | undefined)?.deadline ?? (timeoutAt ? relativeDeadline(core, timeoutAt) : Infinity);
  if (deadline === undefined) return -Errno.EINVAL;
  const { ready, queues } = look(core, process, wanted);
  if (ready.includes(Poll.NVAL)) return -Errno.EBADF;
  const results = [readAt!, writeAt!, exceptAt!].map(() => new Array<bigint>(words).fill(0n));
  let found = 0;
  wanted.forEach(({ fd, events }, i) => {
    const now = ready[i]!;
    const hits = [now & (Poll.IN | Poll.HUP) && events & Poll.IN, now & (Poll.OUT | Poll.ERR) && events & Poll.OUT];
    hits.forEach((hit, set) => {
      if (!hit) return;
      results[set]![fd >> 6]! |= 1n << BigInt(fd & 63);
      found++;
    });
  });
  if (found === 0 && deadline > core.now && call.woken !== 'timeout') {
    const maskAt = maskPair ? core.user.readI64(maskPair) : 0;
    return awaitReady(context, queues, deadline, maskAt ? core.user.readU64(maskAt) : undefined);
  }
  [readAt!, writeAt!, exceptAt!].forEach((address, set) => {
    if (address) results[set]!.forEach((word, i) => core.user.writeU64(address + i * 8, word));
  });
  return found;
};

export const descriptorCalls: Readonly<Record<string, Handler>> = { pipe2, eventfd2, fcntl, ioctl, ppoll, pselect6 };

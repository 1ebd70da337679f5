/** poll(2) and select(2): waiting until one of many descriptors can be used. */
import { Errno } from '../errno';
import type { Core } from '../core';
import { openFileOf } from '../files/descriptors';
import { Poll, type Readiness } from '../files/kinds/kind';
import { kindOf } from '../files/kinds/table';
import { UNMASKABLE } from '../signals';
import type { Process } from '../state';
import { relativeDeadline } from './time';
import { waitFor, type CallContext, type Handler, type Outcome } from './call';

/** Ticks for one descriptor. */
const LOOK = 16;

const READING = Poll.IN | Poll.PRI | Poll.RDNORM | Poll.RDBAND | Poll.RDHUP;
const WRITING = Poll.OUT | Poll.WRNORM | Poll.WRBAND;

/** Where to wait for some events; for errors and hang-ups alone, wherever there is a queue. */
export function queuesFor({ reading, writing }: Readiness, events: number): string[] {
  const [reads, writes] = [(events & READING) !== 0, (events & WRITING) !== 0];
  return [reads || !writes ? reading : undefined, writes || !reads ? writing : undefined].filter(
    (queue) => queue !== undefined,
  );
}

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
    const now = kindOf(open.file).ready(core, open.id, open.file);
    for (const queue of queuesFor(now, events)) queues.add(queue);
    return now.events & (events | Poll.ERR | Poll.HUP);
  });
  return { ready, queues: [...queues] };
}

interface Waiting {
  readonly deadline: number;
}
/** Blocks until something is ready; the mask given for the wait holds until its end. */
export function awaitReady(
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

export const pollCalls: Readonly<Record<string, Handler>> = { ppoll, pselect6 };

/** epoll(7): level and edge triggered, one-shot, instances in instances. Items are looked at only when a queue of theirs was woken. */
import { List, Map } from 'immutable';
import { Errno, O, SIGSET_BYTES } from '../errno';
import type { Core } from '../core';
import { openAs, openFileOf } from '../files/descriptors';
import { itemEvents } from '../files/kinds/epoll';
import { Poll, type FileOf } from '../files/kinds/kind';
import { kindOf } from '../files/kinds/table';
import { setOpenFile } from '../files/open-files';
import type { EpollItem, OpenFile } from '../files/types';
import { epollQueue, MAX_WATCHERS, mayBeReady, removeItem, watch } from '../files/watches';
import { awaitReady, queuesFor } from './poll';
import { millisecondsDeadline, relativeDeadline } from './time';
import type { CallContext, Handler, Outcome } from './call';

type Epoll = FileOf<'epoll'>;

/** Flags beside the events of an item. */
const EXCLUSIVE = 1 << 28;
const WAKEUP = 1 << 29;
const ONESHOT = 1 << 30;
const EDGE = 1 << 31;
/** What EPOLLEXCLUSIVE may be combined with. */
const WITH_EXCLUSIVE = Poll.IN | Poll.OUT | Poll.ERR | Poll.HUP | WAKEUP | EDGE | EXCLUSIVE;

/** Instances that may watch each other in a row. */
const MAX_NESTING = 5;
/** struct epoll_event: events, padding, data. */
const EVENT_SIZE = 16;
const MAX_EVENTS = Math.floor(0x7fff_ffff / EVENT_SIZE);
/** Events told in one call at most, so that it stays a short step. */
const MAX_TOLD = 1024;

const create: Handler = ({ core, process }, flags) => {
  if (flags! & ~O.CLOEXEC) return -Errno.EINVAL;
  const items = Map<string, EpollItem>();
  const file = { kind: 'epoll', items, ready: List<string>(), flags: O.RDWR, path: 'anon_inode:[eventpoll]' } as const;
  return openAs(core, process.pid, file, (flags! & O.CLOEXEC) !== 0);
};

/** Lengths of rows of instances that have been found in one call: each is followed once. */
type Found = globalThis.Map<number, number>;

/** Longest row of instances from this one down to what it watches, itself included; Infinity when `from` is met. */
function depthBelow(core: Core, id: number, from: number, found: Found): number {
  const known = id === from ? Infinity : found.get(id);
  if (known !== undefined) return known;
  const file = core.state.openFiles.get(id);
  if (file?.kind !== 'epoll') return 0;
  core.charge(file.items.size);
  let depth = 1;
  for (const item of file.items.values()) depth = Math.max(depth, 1 + depthBelow(core, item.file, from, found));
  found.set(id, depth);
  return depth;
}
/** Longest row of instances from this one up to what watches it. */
function depthAbove(core: Core, id: number, found: Found): number {
  const known = found.get(id);
  if (known !== undefined) return known;
  let depth = 1;
  for (const { epoll } of core.state.watches.files.get(id) ?? [])
    depth = Math.max(depth, 1 + depthAbove(core, epoll, found));
  core.charge(1);
  found.set(id, depth);
  return depth;
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** Regular files, directories and memory devices can't be waited for. */
function pollable(core: Core, file: OpenFile): boolean {
  if (file.kind === 'text') return false;
  const inode = file.kind === 'inode' ? core.state.fs.inodes.get(file.inode) : undefined;
  if (inode?.type === 'device') return inode.device === 'random' || inode.device === 'urandom';
  return inode?.type !== 'file' && inode?.type !== 'directory';
}

function put(
  core: Core,
  epoll: number,
  key: string,
  target: { id: number; file: OpenFile },
  events: number,
  data: bigint,
): void {
  const file = core.state.openFiles.get(epoll) as Epoll;
  const queues = queuesFor(kindOf(target.file).ready(core, target.id, target.file), events);
  const item = { file: target.id, events, data, queues, disarmed: false, listed: false };
  setOpenFile(core, epoll, { ...file, items: file.items.set(key, item) });
  watch(core, { epoll, item: key }, target.id, queues);
  if (itemEvents(core, core.state.openFiles.get(epoll) as Epoll, key) !== 0) mayBeReady(core, epoll, key);
}

const epoll_ctl: Handler = ({ core, process }, epfd, operation, fd, eventAt) => {
  const wanted = operation === EPOLL_CTL_DEL ? undefined : readEvent(core, eventAt!);
  const epoll = openFileOf(core, process, epfd! | 0);
  const target = openFileOf(core, process, fd! | 0);
  if (!epoll || !target) return -Errno.EBADF;
  if (!pollable(core, target.file)) return -Errno.EPERM;
  if (epoll.file.kind !== 'epoll' || epoll.id === target.id) return -Errno.EINVAL;
  const key = `${fd! | 0}:${target.id}`;
  const known = epoll.file.items.get(key);
  if (!wanted) {
    if (!known) return -Errno.ENOENT;
    removeItem(core, epoll.id, key);
    return 0;
  }
  const { events, data } = wanted;
  const exclusive = (events & EXCLUSIVE) !== 0;
  if (operation === EPOLL_CTL_ADD) {
    if (exclusive && (events & ~WITH_EXCLUSIVE || target.file.kind === 'epoll')) return -Errno.EINVAL;
    if (target.file.kind === 'epoll') {
      const below = depthBelow(core, target.id, epoll.id, new globalThis.Map());
      const row = below + depthAbove(core, epoll.id, new globalThis.Map());
      if (row > MAX_NESTING) return -Errno.ELOOP;
    }
    if (known) return -Errno.EEXIST;
    if ((core.state.watches.files.get(target.id)?.size ?? 0) >= MAX_WATCHERS) return -Errno.ENOSPC;
  } else if (operation === EPOLL_CTL_MOD) {
    if (!known) return -Errno.ENOENT;
    if (exclusive || known.events & EXCLUSIVE) return -Errno.EINVAL;
    removeItem(core, epoll.id, key);
  } else return -Errno.EINVAL;
  put(core, epoll.id, key, target, events, data);
  return 0;
};

const readEvent = (core: Core, address: number): { events: number; data: bigint } => ({
  events: core.user.readI32(address),
  data: core.user.readU64(address + 8),
});

interface Told {
  readonly events: number;
  readonly data: bigint;
}

/** Takes up to `limit` events: items of the list that are ready. Level-triggered ones stay in it, behind the others. */
function harvest(core: Core, id: number, limit: number): Told[] {
  const told: Told[] = [];
  const file = core.state.openFiles.get(id) as Epoll;
  let { items, ready } = file;
  for (let left = ready.size; left > 0 && told.length < limit; left--) {
    const key = ready.first()!;
    ready = ready.shift();
    const item = items.get(key)!;
    const events = itemEvents(core, file, key);
    const once = (item.events & ONESHOT) !== 0;
    const listed = events !== 0 && !once && (item.events & EDGE) === 0;
    if (events !== 0) told.push({ events, data: item.data });
    if (listed) ready = ready.push(key);
    items = items.set(key, { ...item, listed, disarmed: item.disarmed || (once && events !== 0) });
  }
  setOpenFile(core, id, { ...file, items, ready });
  return told;
}

function wait(context: CallContext, deadline: number | undefined, maskAt: number): Outcome {
  const { core, process, call } = context;
  const [epfd, eventsAt, limit] = call.args as [number, number, number];
  if (limit <= 0 || limit > MAX_EVENTS) return -Errno.EINVAL;
  const open = openFileOf(core, process, epfd | 0);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'epoll' || deadline === undefined) return -Errno.EINVAL;
  const told = harvest(core, open.id, Math.min(limit, MAX_TOLD));
  if (told.length === 0 && deadline > core.now && call.woken !== 'timeout')
    return awaitReady(context, [epollQueue(open.id)], deadline, maskAt ? core.user.readU64(maskAt) : undefined);
  told.forEach(({ events, data }, i) => {
    core.user.writeU32(eventsAt + i * EVENT_SIZE, events >>> 0);
    core.user.writeU64(eventsAt + i * EVENT_SIZE + 8, data);
  });
  return told.length;
}

const epoll_pwait: Handler = (context, _epfd, _events, _limit, timeout, maskAt, size) => {
  if (maskAt && size !== SIGSET_BYTES) return -Errno.EINVAL;
  const begun = context.call.phase as { deadline: number } | undefined;
  return wait(context, begun?.deadline ?? millisecondsDeadline(context.core, timeout! | 0), maskAt!);
};
const epoll_pwait2: Handler = (context, _epfd, _events, _limit, timeoutAt, maskAt, size) => {
  if (maskAt && size !== SIGSET_BYTES) return -Errno.EINVAL;
  const begun = context.call.phase as { deadline: number } | undefined;
  const deadline = begun?.deadline ?? (timeoutAt ? relativeDeadline(context.core, timeoutAt) : Infinity);
  return wait(context, deadline, maskAt!);
};

export const epollCalls: Readonly<Record<string, Handler>> = {
  epoll_create1: create,
  epoll_ctl,
  epoll_pwait,
  epoll_pwait2,
};

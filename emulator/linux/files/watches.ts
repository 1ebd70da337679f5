/**
 * Who is told when a queue is woken, besides the threads that wait in it: items of epoll instances (epoll(7)). An item is an open file under
 * the descriptor it was added with; once told it stands in its instance's list of what may be ready, until somebody has looked.
 */
import { List, Map } from 'immutable';
import type { Core } from '../core';
import { wake } from '../scheduler';
import { setOpenFile } from './open-files';

/** An item of an epoll instance. */
export interface Watcher {
  /** Open file of the instance. */
  readonly epoll: number;
  readonly item: string;
}

export interface Watches {
  readonly queues: Map<string, List<Watcher>>;
  /** By open file that is watched. */
  readonly files: Map<number, List<Watcher>>;
}

export const NO_WATCHES: Watches = { queues: Map(), files: Map() };

/** Items on one open file: few enough to be told in one step. */
export const MAX_WATCHERS = 1024;

export const epollQueue = (id: number): string => `file:${id}:read`;

const same = (a: Watcher, b: Watcher): boolean => a.epoll === b.epoll && a.item === b.item;

function without<K>(map: Map<K, List<Watcher>>, key: K, watcher: Watcher): Map<K, List<Watcher>> {
  const rest = map.get(key)?.filterNot((other) => same(other, watcher));
  return rest && rest.size > 0 ? map.set(key, rest) : map.remove(key);
}

/** Tells `watcher`, an item on open file `file`, whenever one of the queues is woken. */
export function watch(core: Core, watcher: Watcher, file: number, queues: readonly string[]): void {
  const { watches } = core.state;
  const more = (list: List<Watcher> = List()): List<Watcher> => list.push(watcher);
  core.set({
    watches: {
      queues: queues.reduce((map, queue) => map.set(queue, more(map.get(queue))), watches.queues),
      files: watches.files.set(file, more(watches.files.get(file))),
    },
  });
}

export function unwatch(core: Core, watcher: Watcher, file: number, queues: readonly string[]): void {
  const { watches } = core.state;
  core.set({
    watches: {
      queues: queues.reduce((map, queue) => without(map, queue, watcher), watches.queues),
      files: without(watches.files, file, watcher),
    },
  });
}

/** Takes an item out of its instance. */
export function removeItem(core: Core, epoll: number, key: string): void {
  const file = core.state.openFiles.get(epoll);
  const item = file?.kind === 'epoll' ? file.items.get(key) : undefined;
  if (file?.kind !== 'epoll' || !item) return;
  unwatch(core, { epoll, item: key }, item.file, item.queues);
  const ready = item.listed ? file.ready.filterNot((other) => other === key) : file.ready;
  setOpenFile(core, epoll, { ...file, items: file.items.remove(key), ready });
}

/** An open file is gone: it leaves every instance it is in. */
export function forgetWatched(core: Core, file: number): void {
  for (const { epoll, item } of core.state.watches.files.get(file) ?? []) removeItem(core, epoll, item);
}

/** A queue was woken: its watchers are told. */
export function tellWatchers(core: Core, queue: string): void {
  const watchers = core.state.watches.queues.get(queue);
  if (!watchers) return;
  core.charge(watchers.size);
  for (const { epoll, item } of watchers) mayBeReady(core, epoll, item);
}

/**
 * Puts an item into its instance's list. One that stands there already changes nothing: whoever waits has been told, as nobody goes on
 * waiting while the list has items that are not looked at. So no chain of instances is followed twice.
 */
export function mayBeReady(core: Core, epoll: number, key: string): void {
  const file = core.state.openFiles.get(epoll);
  const item = file?.kind === 'epoll' ? file.items.get(key) : undefined;
  if (file?.kind !== 'epoll' || !item || item.listed || item.disarmed) return;
  setOpenFile(core, epoll, {
    ...file,
    items: file.items.set(key, { ...item, listed: true }),
    ready: file.ready.push(key),
  });
  wake(core, epollQueue(epoll));
}

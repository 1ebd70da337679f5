/** Open files of epoll instances: ready when something they watch is. What they watch is kept by files/watches.ts and calls/epoll.ts. */
import type { Core } from '../../core';
import type { OpenFile } from '../types';
import { epollQueue, unwatch } from '../watches';
import { Poll, type FileOf, type Kind } from './kind';
import { kindOf } from './table';

type Epoll = FileOf<'epoll'>;

/** Ticks for one item looked at. */
const LOOK = 16;
/** Items looked at through nested instances for one answer; an instance with more counts as ready, which a wait then puts right. */
const MAX_LOOKED = 1024;

/** Events an item has now, of those it asks for. */
export function itemEvents(core: Core, epoll: Epoll, key: string): number {
  const item = epoll.items.get(key);
  const file = item && core.state.openFiles.get(item.file);
  if (!item || !file || item.disarmed) return 0;
  core.charge(LOOK);
  return kindOf(file).ready(core, item.file, file).events & (item.events | Poll.ERR | Poll.HUP);
}

/** Does an instance, or one it watches, have an item that is ready? */
function anyReady(core: Core, epoll: Epoll, budget: { left: number }): boolean {
  return epoll.ready.some((key) => {
    if (budget.left-- <= 0) return true;
    const item = epoll.items.get(key);
    const file: OpenFile | undefined = item && core.state.openFiles.get(item.file);
    if (file?.kind !== 'epoll') return itemEvents(core, epoll, key) !== 0;
    return (item!.events & Poll.IN) !== 0 && !item!.disarmed && anyReady(core, file, budget);
  });
}

export const epoll: Kind<Epoll> = {
  ready: (core, id, file) => ({
    events: anyReady(core, file, { left: MAX_LOOKED }) ? Poll.IN | Poll.RDNORM : 0,
    reading: epollQueue(id),
  }),
  closed(core, id, file) {
    for (const [key, item] of file.items) unwatch(core, { epoll: id, item: key }, item.file, item.queues);
    return undefined;
  },
};

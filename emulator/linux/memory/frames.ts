/**
 * Physical memory of the kernel: blocks of page frames, zeroed when handed out, and the way to write into one. Before paging is
 * on, S mode addresses memory physically; afterwards through the linear map.
 */
import { pa, PAGE_SIZE, va, type PhysicalAddress, type VirtualAddress } from '../../units';
import type { Core } from '../core';
import { buddyAllocate, buddyFree, buddyFrom, type Buddy } from './buddy';
import { linear, RAM_BASE, type PhysicalLayout } from './layout';

const pageOf = (address: number): number => (address - RAM_BASE) / PAGE_SIZE;
const orderOf = (layout: PhysicalLayout): number => Math.ceil(Math.log2(pageOf(layout.ramEnd)));

export function initialBuddy(layout: PhysicalLayout): Buddy {
  const free = layout.free.map(({ start, end }) => ({ first: pageOf(start), count: (end - start) / PAGE_SIZE }));
  return buddyFrom(orderOf(layout), free);
}

/** Where S mode reaches a physical address right now. */
export function reach(core: Core, address: number): VirtualAddress {
  return core.state.root === 0 ? va(address) : linear(address);
}

/** 2^order zeroed pages, naturally aligned; undefined when memory is short. */
export function allocateFrames(core: Core, order: number): PhysicalAddress | undefined {
  if (!Number.isInteger(order) || order < 0 || order > 18) return undefined;
  const got = buddyAllocate(core.state.buddy, orderOf(core.layout), order);
  if (!got) return undefined;
  for (const { first, count } of got.dirty) {
    core.port.fill(reach(core, RAM_BASE + first * PAGE_SIZE), count * PAGE_SIZE, 0);
    core.chargeBytes(count * PAGE_SIZE);
  }
  core.set({ buddy: got.tree });
  return pa(RAM_BASE + got.page * PAGE_SIZE);
}

/** Gives back a block; one that was not allocated like that is reported and ignored. */
export function freeFrames(core: Core, address: number, order: number): void {
  const tree = buddyFree(core.state.buddy, orderOf(core.layout), order, pageOf(address));
  if (tree === undefined) core.log(`BUG: bad page free: 0x${address.toString(16)}, order ${order}`);
  else core.set({ buddy: tree });
}

/**
 * Physical memory of the kernel: blocks of page frames, zeroed when handed out, their reference counts, and the way to write into one.
 * Before paging is on, S mode addresses memory physically; afterwards through the linear map. A block is handed out only when nobody
 * refers to any of its frames, so what a driver gives to the firmware is never shared with a process.
 */
import { pa, PAGE_SIZE, va, type PhysicalAddress, type VirtualAddress } from '../../units';
import { referencesTo, withoutReference, withReference } from '../../machine/references';
import type { Core } from '../core';
import type { AllocatedBlock } from '../device';
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

/** 4 GiB: more than any machine of this kernel has in one piece. */
const MAX_ORDER = 20;

/** 2^order pages, naturally aligned, and the parts of them that hold old content; undefined when memory is short. */
export function allocateBlock(core: Core, order: number): AllocatedBlock | undefined {
  if (!Number.isInteger(order) || order < 0 || order > MAX_ORDER) return undefined;
  const got = buddyAllocate(core.state.buddy, orderOf(core.layout), order);
  if (!got) return undefined;
  core.set({ buddy: got.tree });
  const stale = got.dirty.map(({ first, count }) => ({
    address: pa(RAM_BASE + first * PAGE_SIZE),
    length: count * PAGE_SIZE,
  }));
  return { address: pa(RAM_BASE + got.page * PAGE_SIZE), stale };
}

/** 2^order zeroed pages, naturally aligned; undefined when memory is short. */
export function allocateFrames(core: Core, order: number): PhysicalAddress | undefined {
  const block = allocateBlock(core, order);
  for (const { address, length } of block?.stale ?? []) {
    core.port.fill(reach(core, address), length, 0);
    core.chargeBytes(length);
  }
  return block?.address;
}

/** Gives back a block; one that was not allocated like that is reported and ignored. */
export function freeFrames(core: Core, address: number, order: number): void {
  const tree = buddyFree(core.state.buddy, orderOf(core.layout), order, pageOf(address));
  if (tree === undefined) core.log(`BUG: bad page free: 0x${address.toString(16)}, order ${order}`);
  else core.set({ buddy: tree });
}

/** Mappings of a frame and objects that hold it. */
export const frameReferences = (core: Core, frame: number): number => referencesTo(core.state.references, frame);

/** One more mapping or object holds the frame. */
export function shareFrame(core: Core, frame: number): void {
  core.set({ references: withReference(core.state.references, frame) });
}

/** One holder less; the last one frees it. */
export function releaseFrame(core: Core, frame: number): void {
  const references = withoutReference(core.state.references, frame);
  if (references) core.set({ references });
  else freeFrames(core, frame, 0);
}

/** A new frame with the content of another; undefined when memory is short. */
export function copyFrame(core: Core, frame: number): PhysicalAddress | undefined {
  // All of it is written: nothing need be zeroed.
  const copy = allocateBlock(core, 0)?.address;
  if (copy === undefined) return undefined;
  core.port.write(reach(core, copy), core.port.read(reach(core, frame), PAGE_SIZE));
  core.chargeBytes(PAGE_SIZE);
  return copy;
}

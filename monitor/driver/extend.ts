/**
 * Memory for the monitor's own use: given when it runs short, in blocks that are whole large pages of the kernel's linear map, and taken
 * back when the processes that needed it are gone. Owns which blocks were given.
 */
import type { DeviceStep } from '../../emulator/linux/device';
import { PAGE_SIZE, pa } from '../../emulator/units';
import { Sbi } from '../abi';
import { give, orderOf, sbi } from './core';
import { ask, goOn, type Step, type Turn } from './step';

/** 2 MiB: what MEMORY_RECLAIM gives back at a time. */
const EXTEND_ORDER = 9;
const BLOCK = PAGE_SIZE * 2 ** EXTEND_ORDER;

/** Gives the monitor at least `pages`, then goes on with `then`; with `failed` when there is no memory, or the monitor won't have it. */
export function extend({ driver, kernel }: Turn, pages: number, then: Step, failed: Step): DeviceStep {
  const order = Math.max(EXTEND_ORDER, orderOf(pages));
  const address = kernel.allocateBlock(order)?.address;
  if (address === undefined) {
    driver.log(kernel, `[ERROR] no memory left for the monitor: ${(PAGE_SIZE * 2 ** order) / 1024} KiB`);
    return goOn(1, failed);
  }
  const block = { pa: address, order };
  return ask(sbi(Sbi.MEMORY_EXTEND, address, PAGE_SIZE * 2 ** order), { at: 'extended', block, then, failed });
}

export function extended(t: Turn, { block, then, failed }: Step & { at: 'extended' }): DeviceStep {
  const { driver, kernel } = t;
  if (t.input.sbi!.error < 0) {
    driver.log(kernel, '[ERROR] SBI_SM_MEMORY_EXTEND is failed');
    kernel.freePages(pa(block.pa), block.order);
    return goOn(1, failed);
  }
  driver.update({
    extended: driver.state.extended.withMutations((blocks) => {
      for (let at = block.pa; at < block.pa + PAGE_SIZE * 2 ** block.order; at += BLOCK)
        blocks.set(at / PAGE_SIZE, true);
    }),
  });
  return goOn(1, then);
}

/** Asks for one block that the monitor has no use for, until there is none. */
export const takeBack = (): DeviceStep => ask(sbi(Sbi.MEMORY_RECLAIM), { at: 'taken-back' });

export function takenBack(t: Turn): DeviceStep {
  const { driver, kernel } = t;
  const { error, value } = t.input.sbi!;
  if (error < 0 || value === 0) return give(0);
  if (!driver.state.extended.has(value / PAGE_SIZE)) {
    driver.log(kernel, `the monitor gives back 0x${value.toString(16)}, which it was not given`);
    return give(0);
  }
  driver.update({ extended: driver.state.extended.remove(value / PAGE_SIZE) });
  kernel.freePages(pa(value), EXTEND_ORDER);
  return takeBack();
}

/**
 * Blocks that the host gives to enclaves, for an area (areas.ts) or to be shared among them (secure-shm.ts). Owns what is checked of one and
 * the order in which it becomes private; must not believe anything the host says about it.
 */
import { PAGE_SIZE } from '../emulator/units';
import { Result } from './abi';
import type { Core } from './core';
import { pagesLeft, tablesFor } from './enclave-tables';
import { claim, type PageKind } from './pages';
import type { Enclave } from './state';
import { answer, hide, show, type Task } from './task';

/** The host gives a block to an enclave. Nothing is believed: it must be public and big enough. Once it is hidden and zeroed comes `next`. */
export function takeBlock(m: Core, enclave: Enclave, kind: PageKind, next: Task & { do: 'granted' | 'shared' }): void {
  const { block, blockSize } = next;
  if (pagesLeft(m, enclave) < tablesFor(blockSize)) return m.answer(Result.NO_MEM);
  if (
    !m.holds('grantSize', blockSize - PAGE_SIZE >= enclave.ocallArgs[1]) ||
    !claim(m, block, blockSize, kind, enclave.instance)
  ) {
    m.log(`resume_enclave: the memory for enclave ${enclave.eid} is too small or not host memory`);
    return m.error();
  }
  m.update({ undo: [{ do: 'disown', base: block, size: blockSize }, show(block, blockSize), answer(Result.ERROR)] });
  // The host may have left anything in it.
  m.queue(hide(block, blockSize), { do: 'zero', base: block, size: blockSize, at: 0 }, next);
}

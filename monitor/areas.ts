/**
 * mmap, unmap and sbrk of enclaves. Memory comes from the host in blocks of 2^n pages, whose first page keeps the list the block is
 * freed by, so an area has 2^n − 1 pages, and all of an area moves and goes together. Owns placement; the real monitor's, because
 * programs print what comes of it.
 */
import { PAGE_SIZE } from '../emulator/units';
import { EnclaveVa, Ocall, Result } from './abi';
import { takeBlock } from './blocks';
import type { Core } from './core';
import { Mapper } from './enclave-tables';
import { hex } from './hazards';
import { blockOf, finishOcall, leaveForOcall, releaseBlocks } from './lifecycle';
import { limitsOf } from './limits';
import { PageKind } from './pages';
import { enclavesOf, type Area, type Enclave } from './state';
import type { Task } from './task';

const roundUp = (size: number): number => Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;

/** Bytes of the area that a request of whole pages leads to: the block is a power of two and holds one page more. */
const areaSize = (bytes: number): number => PAGE_SIZE * (2 ** Math.ceil(Math.log2(bytes / PAGE_SIZE + 1)) - 1);

export const heapTop = (enclave: Enclave): number =>
  enclave.heap.length === 0 ? EnclaveVa.HEAP_BASE : enclave.heap.at(-1)!.start + enclave.heap.at(-1)!.size;

/** Below the lowest area, or below 0x3000000000 when there is none. */
export const belowAreas = (enclave: Enclave, size: number): number =>
  (enclave.areas[0]?.start ?? EnclaveVa.MMAP_TOP) - size;

/** Is [start, start + size) inside the mmap range and free of areas? */
export function placeFree(enclave: Enclave, start: number, size: number): boolean {
  if (start < heapTop(enclave) || start + size > EnclaveVa.MMAP_TOP) return false;
  return enclave.areas.every((area) => start + size <= area.start || area.start + area.size <= start);
}

export const insertArea = (areas: readonly Area[], area: Area): Area[] =>
  [...areas, area].sort((a, b) => a.start - b.start);

/** The mmap area that contains the range. */
export function areaAt(m: Core, enclave: Enclave, start: number, size: number): Area | undefined {
  const inside = (area: Area) => area.start <= start && start + size <= area.start + area.size;
  const own = enclave.areas.find(inside);
  return own || m.checks.areaOwner
    ? own
    : enclavesOf(m.state)
        .flatMap((other) => other.areas)
        .find(inside);
}

// ---- what the enclave asks --------------------------------------------------------------------------------------------------

/** Ends the ecall with a result in a0, staying in the enclave. */
export type Reply = (result: number) => void;

/** More than a block of the device's kernel: told, and refused where the device's limits hold. */
function tooLarge(m: Core, bytes: number): boolean {
  const pages = (areaSize(bytes) + PAGE_SIZE) / PAGE_SIZE;
  if (pages <= limitsOf('device').blockPages) return false;
  m.hazard('mmap-too-large', { size: hex(bytes) });
  return pages > m.limits.blockPages;
}

export function mmapCall(m: Core, reply: Reply, address: number, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  const bytes = roundUp(size);
  // A place that was asked for takes whole pages only; elsewhere the size is rounded up.
  const bad = !(size > 0) || address % PAGE_SIZE !== 0 || (address !== 0 && size !== bytes);
  if (!bad && tooLarge(m, bytes)) return reply(0);
  if (bad || placement(enclave, address, areaSize(bytes)) === undefined) {
    if (size > 0) m.hazard('mmap-address', { address: hex(address) });
    return reply(0);
  }
  if (size % PAGE_SIZE !== 0) m.hazard('mmap-size', { size });
  leaveForOcall(m, { ocall: Ocall.MMAP, arg0: address, arg1: bytes + PAGE_SIZE, kept: [address, bytes] });
}

export function unmapCall(m: Core, reply: Reply, address: number, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  const area = size >= 0 ? areaAt(m, enclave, address, size) : undefined;
  if (!area) {
    m.hazard('unmap-unknown', { address: hex(address), size });
    return reply(Result.ERROR);
  }
  dropAreas(m, enclave, [area]);
  const block = blockOf(area);
  const request = { ocall: Ocall.UNMAP, arg0: block.base, arg1: block.size, kept: [0, 0] as const };
  m.queue(...releaseBlocks(m, [block]), { do: 'ocall', request });
}

/** Unmaps areas and takes them from the enclave's lists. */
export function dropAreas(m: Core, enclave: Enclave, gone: readonly Area[]): void {
  const mapper = Mapper.of(m, enclave);
  for (const area of gone) mapper.unmap(area.start, area.size);
  m.hart.fenceVma();
  m.change(enclave.eid, {
    areas: enclave.areas.filter((area) => !gone.includes(area)),
    heap: enclave.heap.filter((area) => !gone.includes(area)),
  });
}

export function sbrkCall(m: Core, reply: Reply, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  if (size % PAGE_SIZE !== 0) {
    m.hazard('sbrk-size', { size });
    return reply(Result.ERROR);
  }
  const top = heapTop(enclave);
  if (size === 0) return reply(top);
  if (size > 0) {
    if (tooLarge(m, size)) return reply(Result.ERROR);
    if (!(top + areaSize(size) <= belowAreas(enclave, 0))) {
      m.log(`sbrk: no addresses are left between heap and mmap areas for ${size} bytes more`);
      return reply(Result.ERROR);
    }
    return leaveForOcall(m, { ocall: Ocall.SBRK, arg0: 0, arg1: size + PAGE_SIZE, kept: [0, size] });
  }
  // Whole areas only, newest first.
  const gone = enclave.heap.filter((area) => area.start >= top + size).reverse();
  if (gone.length === 0) return reply(top);
  dropAreas(m, enclave, gone);
  const blocks = gone.map(blockOf);
  const request = {
    ocall: Ocall.SBRK,
    arg0: blocks[0]!.base,
    arg1: 0,
    kept: [heapTop(m.enclave(enclave.eid)!), 0] as const,
  };
  m.queue(...releaseBlocks(m, blocks), { do: 'ocall', request });
}

// ---- what the host gives ----------------------------------------------------------------------------------------------------

/** RESUME of an MMAP or growing SBRK. */
export const grantArea = (m: Core, enclave: Enclave, block: number, blockSize: number): void =>
  takeBlock(m, enclave, PageKind.Data, { do: 'granted', eid: enclave.eid, block, blockSize, at: 0 });

/** Bytes of an area mapped in one step. */
const MAP_PIECE = 128 * 1024 * 1024;

/**
 * The block is the enclave's: it is mapped, a piece per step, and the enclave goes on. When there is no room the block goes back to the
 * host with an ocall of its own, and the enclave gets 0 (mmap) or -1 (sbrk).
 */
export function areaGranted(m: Core, task: Task & { do: 'granted' }): Task | undefined {
  const enclave = m.enclave(task.eid)!;
  const heap = enclave.ocall === Ocall.SBRK;
  const size = task.blockSize - PAGE_SIZE;
  const start = heap ? heapTop(enclave) : placement(enclave, enclave.ocallArgs[0], size);
  const length = Math.min(MAP_PIECE, size - task.at);
  const mapper = Mapper.of(m, enclave);
  const fits =
    start !== undefined &&
    start + size <= (heap ? belowAreas(enclave, 0) : EnclaveVa.MMAP_TOP) &&
    mapper.map(start + task.at, task.block + PAGE_SIZE + task.at, length);
  if (!fits) {
    if (start !== undefined) mapper.unmap(start, task.at);
    m.change(enclave.eid, { pool: mapper.pool });
    m.update({ undo: [] });
    m.log(`resume_enclave: no room in the page tables of enclave ${enclave.eid} for ${size} bytes`);
    const block = { base: task.block, size: task.blockSize };
    const kept = [heap ? Result.ERROR : 0, 0] as const;
    const request = { ocall: Ocall.UNMAP, arg0: block.base, arg1: block.size, kept };
    m.queue(...releaseBlocks(m, [block]), { do: 'tell', eid: enclave.eid, request });
    return undefined;
  }
  const at = task.at + length;
  if (at < size) {
    m.change(enclave.eid, { pool: mapper.pool });
    return { ...task, at };
  }
  const area: Area = { start, size, block: task.block, blockSize: task.blockSize };
  m.change(enclave.eid, {
    pool: mapper.pool,
    ...(heap ? { heap: [...enclave.heap, area] } : { areas: insertArea(enclave.areas, area) }),
  });
  m.update({ undo: [] });
  finishOcall(m, enclave, heap ? start + size : start);
  m.queue({ do: 'enter', eid: enclave.eid });
  return undefined;
}

/** A given address if it still fits, else the top of the mmap range, else below the lowest area; gaps are not searched. */
function placement(enclave: Enclave, address: number, size: number): number | undefined {
  if (address !== 0) return placeFree(enclave, address, size) ? address : undefined;
  const top = EnclaveVa.MMAP_TOP - size;
  if (placeFree(enclave, top, size)) return top;
  const below = belowAreas(enclave, size);
  return placeFree(enclave, below, size) ? below : undefined;
}

/**
 * Paging in: what a fault of user code, or of the kernel's own access to user memory, asks for at a page. Anonymous pages start as zeros;
 * pages of files and of shared memory are those of their object; a private mapping shows an object's page until it is written.
 */
import { Pte } from '../../hart/pte';
import { Cause } from '../../hart/types';
import type { MemoryFault } from '../../machine/ports';
import { PAGE_SIZE } from '../../units';
import { Cost, type Core } from '../core';
import { Prot, type Area, type Memory, type Process } from '../state';
import { areaAt, PIECE } from './areas';
import { allocateFrames, copyFrame, frameReferences, reach, releaseFrame, shareFrame } from './frames';
import { objectFrame, provideObjectFrame, readThrough } from './objects';
import { storedChunk } from '../files/content';
import { addPage, changePage, copyOnWriteLeaf, frameOf, isCopyOnWrite, readEntry, userLeaf } from './tables';

/** What paging in came to. `bus-error`: the page lies behind the end of the file. */
export type PagedIn = 'done' | 'bad-address' | 'bad-access' | 'bus-error' | 'no-memory';

const allowed = (prot: number, cause: Cause): boolean => {
  if (cause === Cause.StorePageFault) return (prot & Prot.WRITE) !== 0;
  if (cause === Cause.InstructionPageFault) return (prot & Prot.EXEC) !== 0;
  return prot !== 0;
};

/** Does the page lie wholly behind the end of the file? */
function behindEnd(core: Core, { backing, start }: Area, page: number): boolean {
  if (backing.kind !== 'file' || backing.length !== undefined) return false;
  const inode = core.state.fs.inodes.get(backing.inode);
  return inode?.type !== 'file' || backing.offset + page * PAGE_SIZE - start >= inode.content.size;
}

/** The bytes of a file (or of a segment of a program) at a page of an area; fewer than a page where they end. */
function fileBytes(core: Core, { backing, start }: Area, page: number): Uint8Array {
  const inode = backing.kind === 'file' ? core.state.fs.inodes.get(backing.inode) : undefined;
  if (backing.kind !== 'file' || inode?.type !== 'file') return new Uint8Array(0);
  const skip = page * PAGE_SIZE - start;
  const count = Math.max(0, Math.min(PAGE_SIZE, (backing.length ?? Infinity) - skip));
  return readThrough(core, inode.object, inode.content, backing.offset + skip, count);
}

/** Does the area show the object's own page, or zeros behind a part of it? */
const isWholePage = ({ backing, start }: Area, page: number): boolean =>
  backing.kind !== 'file' || backing.length === undefined || (page + 1) * PAGE_SIZE - start <= backing.length;

/** A frame of the process's own with what an area shows at a page; undefined when memory is short. */
function ownFrame(core: Core, area: Area, page: number): number | undefined {
  const frame = allocateFrames(core, 0);
  if (frame === undefined) return undefined;
  const bytes = fileBytes(core, area, page);
  if (bytes.length > 0) core.port.write(reach(core, frame), bytes);
  core.chargeBytes(bytes.length);
  return frame;
}

/** One page of an area, which is not present: its frame, made if need be, mapped. Undefined when memory is short. */
function bringIn(core: Core, memory: Memory, area: Area, page: number, store: boolean): Memory | undefined {
  const { backing } = area;
  core.charge(Cost.LINE);
  if (backing.kind === 'frames') {
    const frame = backing.frames[page - area.start / PAGE_SIZE];
    return frame === undefined ? undefined : addPage(core, memory, page, userLeaf(frame, area.prot));
  }
  const objects = area.object !== undefined && isWholePage(area, page) && (area.shared || !store);
  const frame = objects ? provideObjectFrame(core, area, page) : ownFrame(core, area, page);
  if (frame === undefined) return undefined;
  if (objects) shareFrame(core, frame);
  const leafOf = objects && !area.shared ? copyOnWriteLeaf : userLeaf;
  const mapped = addPage(core, memory, page, leafOf(frame, area.prot));
  if (!mapped) releaseFrame(core, frame);
  return mapped;
}

/** A page that is copied when it is written, about to be: a frame of its own, its old one if nobody else has it. */
function unshare(core: Core, memory: Memory, { prot }: Area, page: number): Memory | undefined {
  const frame = frameOf(memory.pages.get(page)!);
  if (frameReferences(core, frame) === 1) return changePage(core, memory, page, userLeaf(frame, prot));
  const copy = copyFrame(core, frame);
  if (copy === undefined) return undefined;
  releaseFrame(core, frame);
  return changePage(core, memory, page, userLeaf(copy, prot));
}

/** What a fault asks for at a page: the memory as it is when nothing is to be done, undefined when memory is short. */
function provide(core: Core, memory: Memory, area: Area, page: number, store: boolean): Memory | undefined {
  const leaf = memory.pages.get(page);
  if (leaf === undefined) return bringIn(core, memory, area, page, store);
  return store && isCopyOnWrite(leaf) ? unshare(core, memory, area, page) : memory;
}

/**
 * Answers a page fault of user code or of the kernel's own access: maps the page, or copies one that is shared until it is written, and
 * as many of the following pages up to `end` as one step may. `id` (tid or job) tells a second fault at a page that is present from the first.
 */
export function pageIn(core: Core, process: Process, fault: MemoryFault, end: number, id: number): PagedIn {
  const { cause, address } = fault;
  let memory = core.process(process.pid).memory;
  const area = areaAt(memory, address);
  if (!area) return 'bad-address';
  if (cause !== Cause.StorePageFault && cause !== Cause.LoadPageFault && cause !== Cause.InstructionPageFault)
    return 'bad-access';
  if (!allowed(area.prot, cause)) return 'bad-access';
  core.charge(Cost.FAULT);
  const first = Math.floor(address / PAGE_SIZE);
  const store = cause === Cause.StorePageFault;
  const leaf = memory.pages.get(first);
  if (leaf !== undefined && !(store && isCopyOnWrite(leaf))) {
    // A translation that was cached before the entry was written; or the firmware took the page away.
    const { spurious } = core.state;
    if ((readEntry(core, memory, first) & Pte.V) === 0) return 'bad-access';
    if (spurious?.id === id && spurious.address === address) return 'bad-access';
    core.set({ fence: true, spurious: { id, address } });
    return 'done';
  }
  if (behindEnd(core, area, first)) return 'bus-error';
  const last = Math.max(first + 1, Math.min(Math.ceil(end / PAGE_SIZE), area.end / PAGE_SIZE, first + PIECE));
  for (let page = first; page < last && !behindEnd(core, area, page); page++) {
    const next = provide(core, memory, area, page, store);
    if (!next) return page === first ? 'no-memory' : finish(core, process, memory);
    memory = next;
  }
  return finish(core, process, memory);
}

function finish(core: Core, process: Process, memory: Memory): PagedIn {
  core.setProcess(process.pid, { memory });
  core.set({ spurious: undefined });
  return 'done';
}

/** What paging in would put there, without doing it; undefined for a page that is present, or that no area has. */
export function untouchedPage(core: Core, memory: Memory, address: number): Uint8Array | undefined {
  const area = areaAt(memory, address);
  const index = address / PAGE_SIZE;
  if (!area || area.prot === 0 || memory.pages.has(index) || behindEnd(core, area, index)) return undefined;
  const { backing } = area;
  const frame =
    backing.kind === 'frames'
      ? backing.frames[(address - area.start) / PAGE_SIZE]
      : isWholePage(area, index)
        ? objectFrame(core, area, index)
        : undefined;
  if (frame !== undefined) return core.port.read(reach(core, frame), PAGE_SIZE);
  const page = new Uint8Array(PAGE_SIZE);
  page.set(fileBytes(core, area, index));
  return page;
}

/**
 * As `untouchedPage`, but where a whole page of a file is shown as it was stored, the stored bytes themselves: for whoever reads much and
 * writes nothing.
 */
export function storedPage(core: Core, memory: Memory, address: number): Uint8Array | undefined {
  const area = areaAt(memory, address);
  const index = address / PAGE_SIZE;
  const inode = area?.backing.kind === 'file' ? core.state.fs.inodes.get(area.backing.inode) : undefined;
  const plain = inode?.type === 'file' && area?.backing.kind === 'file' && isWholePage(area, index);
  if (plain && !memory.pages.has(index) && objectFrame(core, area, index) === undefined) {
    const stored = storedChunk(inode.content, area.backing.offset + address - area.start);
    if (stored) return stored;
  }
  return untouchedPage(core, memory, address);
}

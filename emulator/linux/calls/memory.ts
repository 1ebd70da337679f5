/** mmap, munmap, mprotect, mremap, brk, madvise: areas at once, present pages a piece per step. */
import { PAGE_SIZE } from '../../units';
import { Errno } from '../errno';
import { openFileOf } from '../files/descriptors';
import { mayRead, mayWrite } from '../files/open-files';
import { inodeOf } from '../files/tree';
import {
  applyProt,
  areaAt,
  clip,
  covered,
  dropPages,
  findHole,
  MAX_AREAS,
  movePages,
  withArea,
  withoutRange,
  withProt,
} from '../memory/areas';
import { MMAP_MIN, RAM_BASE, STACK_TOP } from '../memory/layout';
import { dropObject, newObject, objectOfFile, setAreas as putAreas } from '../memory/objects';
import { deviceAt, driverKernel } from '../drivers';
import type { Core } from '../core';
import { MAX_FILE } from '../files/content';
import { Prot, type Area } from '../state';
import type { CallContext, Handler, Outcome } from './call';

const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_SHARED_VALIDATE = 3;
const MAP_TYPE = 0xf;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FIXED_NOREPLACE = 0x100000;
const PROT_ALL = 7;

const roundUp = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;
const aligned = (value: number): boolean => value % PAGE_SIZE === 0;
/** True for a page-aligned start and a length that stay inside what a program may map. */
const mappable = (start: number, length: number): boolean =>
  aligned(start) && start >= MMAP_MIN && start + length <= STACK_TOP;

interface Position {
  readonly at: number;
}
/** Runs `piece` from where the call's phase says to `end`; undefined when it is done, else what to do next. */
function inPieces(
  context: CallContext,
  start: number,
  end: number,
  piece: (from: number) => number,
): Outcome | undefined {
  const at = (context.call.phase as Position | undefined)?.at ?? start;
  if (at >= end) return undefined;
  const next = piece(at);
  return next < end ? { do: 'more', phase: { at: next } satisfies Position } : undefined;
}

function setAreas(context: CallContext, areas: readonly Area[]): boolean {
  if (areas.length > MAX_AREAS) return false;
  const { core, process } = context;
  putAreas(core, process.pid, areas);
  // The list was copied.
  core.charge(areas.length >> 2);
  return true;
}

/** Drops pages and areas of [start, end); undefined when done. */
function unmap(context: CallContext, start: number, end: number): Outcome | undefined {
  const { core, process } = context;
  const more = inPieces(context, start, end, (from) => dropPages(core, process.pid, from, end));
  if (more !== undefined) return more;
  const { areas } = core.process(process.pid).memory;
  return setAreas(context, withoutRange(areas, start, end)) ? undefined : -Errno.ENOMEM;
}

type Wanted = Pick<Area, 'backing' | 'name' | 'shared' | 'writeBack' | 'object'>;

/** What an mmap of a descriptor shows: a device's frames, zeros, or a file's pages; or a negative errno. */
function backingOf(context: CallContext, length: number, prot: number, shared: boolean, fd: number, offset: number) {
  const { core, process } = context;
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const { file } = open;
  if (file.kind === 'device') {
    const device = deviceAt(core, file.device);
    const frames = device?.mmap(driverKernel(core), file.data, length) ?? -Errno.ENODEV;
    if (typeof frames === 'number') return frames;
    const of = { path: file.device, data: file.data };
    return {
      backing: { kind: 'frames', frames: [...frames], device: of },
      name: file.path,
      shared,
      writeBack: 0,
    } satisfies Wanted;
  }
  if (!mayRead(file)) return -Errno.EACCES;
  if (file.kind !== 'inode') return -Errno.ENODEV;
  const inode = inodeOf(core, file.inode);
  if (inode.type === 'device' && inode.device === 'zero') return anonymous(core, '/dev/zero', shared);
  if (inode.type !== 'file') return -Errno.ENODEV;
  if (offset + length > MAX_FILE) return -Errno.EOVERFLOW;
  const writable = shared && mayWrite(file);
  if (shared && (prot & Prot.WRITE) !== 0 && !writable) return -Errno.EACCES;
  return {
    backing: { kind: 'file', inode: file.inode, offset },
    name: file.path,
    shared,
    writeBack: writable ? file.inode : 0,
    object: { id: objectOfFile(core, file.inode, writable), start: offset },
  } satisfies Wanted;
}

const anonymous = (core: Core, name: string, shared: boolean): Wanted => ({
  backing: { kind: 'anonymous' },
  name,
  shared,
  writeBack: 0,
  ...(shared ? { object: { id: newObject(core), start: 0 } } : {}),
});

/** Where a mapping goes; or a negative errno, or the next piece of making room. */
function placeOf(context: CallContext, address: number, length: number, flags: number): Outcome {
  const { memory } = context.core.process(context.process.pid);
  if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
    const hint = Math.ceil(address / PAGE_SIZE) * PAGE_SIZE;
    const fits =
      hint !== 0 &&
      mappable(hint, length) &&
      !memory.areas.some((area) => area.start < hint + length && hint < area.end);
    return (fits ? hint : findHole(memory, length)) ?? -Errno.ENOMEM;
  }
  if (!aligned(address)) return -Errno.EINVAL;
  if (address >= 0 && address < MMAP_MIN) return -Errno.EPERM;
  if (!mappable(address, length)) return -Errno.ENOMEM;
  const taken = memory.areas.some((area) => area.start < address + length && address < area.end);
  if (flags & MAP_FIXED_NOREPLACE && taken) return -Errno.EEXIST;
  // The pages of what was there go first, in pieces.
  return unmap(context, address, address + length) ?? address;
}

const mmap: Handler = (context, address, requested, prot, flags, fd, offset) => {
  const { core, process } = context;
  const length = roundUp(requested!);
  const type = flags! & MAP_TYPE;
  if (requested === 0 || !aligned(offset!) || offset! < 0) return -Errno.EINVAL;
  if (type !== MAP_SHARED && type !== MAP_PRIVATE && type !== MAP_SHARED_VALIDATE) return -Errno.EINVAL;
  if (requested! < 0 || length > STACK_TOP) return -Errno.ENOMEM;
  const shared = type !== MAP_PRIVATE;
  // Obvious overcommitment is refused, as with vm.overcommit_memory 0.
  const accounted = (prot! & Prot.WRITE) !== 0 && !(flags! & MAP_NORESERVE) && flags! & MAP_ANONYMOUS;
  if (accounted && length > core.layout.ramEnd - RAM_BASE) return -Errno.ENOMEM;
  if (!(flags! & MAP_ANONYMOUS) && !openFileOf(core, process, fd! | 0)) return -Errno.EBADF;
  const start = placeOf(context, address!, length, flags!);
  if (typeof start !== 'number' || start < 0) return start;
  const wanted =
    flags! & MAP_ANONYMOUS ? anonymous(core, '', shared) : backingOf(context, length, prot!, shared, fd! | 0, offset!);
  if (typeof wanted === 'number') return wanted;
  const area: Area = { start, end: start + length, prot: prot! & PROT_ALL, ...wanted };
  if (setAreas(context, withArea(core.process(process.pid).memory.areas, area))) return start;
  if (area.object) dropObject(core, area.object.id);
  return -Errno.ENOMEM;
};

const munmap: Handler = (context, address, length) => {
  if (!aligned(address!) || length! <= 0 || address! < 0 || address! + length! > STACK_TOP) return -Errno.EINVAL;
  return unmap(context, address!, address! + roundUp(length!)) ?? 0;
};

const mprotect: Handler = (context, address, requested, prot) => {
  const { core, process } = context;
  const start = address!;
  const end = start + roundUp(requested!);
  if (!aligned(start) || requested! < 0) return -Errno.EINVAL;
  if (prot! & ~(PROT_ALL | 0x01000000 | 0x02000000)) return -Errno.EINVAL;
  if (start < 0 || end > STACK_TOP || !covered(process.memory, start, end)) return -Errno.ENOMEM;
  if (context.call.phase === undefined) {
    for (let at = start; at < end;) {
      const area = areaAt(process.memory, at)!;
      const readOnlyFile = area.shared && area.backing.kind === 'file' && area.writeBack === 0;
      if (prot! & 2 && readOnlyFile) return -Errno.EACCES;
      at = area.end;
    }
    if (!setAreas(context, withProt(process.memory.areas, start, end, prot! & PROT_ALL))) return -Errno.ENOMEM;
  }
  return inPieces(context, start, end, (from) => applyProt(core, process.pid, from, end)) ?? 0;
};

const brk: Handler = (context, wanted) => {
  const { core, process } = context;
  const { memory } = process;
  const oldEnd = roundUp(memory.brk);
  const newEnd = roundUp(wanted!);
  if (wanted! < memory.brkStart || newEnd > STACK_TOP) return memory.brk;
  if (newEnd < oldEnd) {
    const more = unmap(context, newEnd, oldEnd);
    if (more !== undefined) return more;
  } else if (newEnd > oldEnd) {
    if (memory.areas.some((area) => area.start < newEnd && oldEnd < area.end)) return memory.brk;
    const area: Area = {
      start: oldEnd,
      end: newEnd,
      prot: 3,
      shared: false,
      name: '[heap]',
      backing: { kind: 'anonymous' },
      writeBack: 0,
    };
    if (!setAreas(context, withArea(memory.areas, area))) return memory.brk;
  }
  core.setProcess(process.pid, { memory: { ...core.process(process.pid).memory, brk: wanted! } });
  return wanted!;
};

const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;

interface Moving {
  readonly target: number;
  /** Pages below it have been moved; undefined while room is being made at the target. */
  readonly at: number | undefined;
  /** Pages of the target (then, of what is cut off) below it have been dropped. */
  readonly room?: number;
}

/** The area grows where it is, if there is room behind it: the result, undefined when it must move. */
function growInPlace(context: CallContext, area: Area, oldEnd: number, newEnd: number): number | undefined {
  const { areas } = context.process.memory;
  const room = !areas.some((other) => other.start < newEnd && oldEnd < other.end);
  if (oldEnd !== area.end || !room || newEnd > STACK_TOP) return undefined;
  const grown = { ...area, end: newEnd };
  return setAreas(context, withArea(withoutRange(areas, area.start, area.end), grown)) ? 0 : -Errno.ENOMEM;
}

/** Moves [address, address + oldLength) to a target that is free, a piece of its pages at a time. */
function move(
  context: CallContext,
  area: Area,
  address: number,
  oldLength: number,
  length: number,
  moving: Moving,
): Outcome {
  const { core, process } = context;
  const { target } = moving;
  if (moving.at === undefined) {
    const part = { ...clip(area, address, area.end), start: target, end: target + length };
    if (!setAreas(context, withArea(core.process(process.pid).memory.areas, part))) return -Errno.ENOMEM;
  }
  const end = address + Math.min(oldLength, length);
  const next = movePages(core, process.pid, moving.at ?? address, end, target - address);
  if (next === undefined) return -Errno.ENOMEM;
  if (next < end) return { do: 'more', phase: { target, at: next } satisfies Moving };
  // What is cut off goes too.
  const dropped = moving.at === end ? (moving.room ?? end) : end;
  if (dropped < address + oldLength)
    return { do: 'more', phase: { target, at: end, room: dropPages(core, process.pid, dropped, address + oldLength) } };
  const left = withoutRange(core.process(process.pid).memory.areas, address, address + oldLength);
  return setAreas(context, left) ? target : -Errno.ENOMEM;
}

const mremap: Handler = (context, address, oldRequested, newRequested, flags, wanted) => {
  const { core, process } = context;
  const oldLength = roundUp(oldRequested!);
  const newLength = roundUp(newRequested!);
  const fixed = (flags! & MREMAP_FIXED) !== 0;
  if (!aligned(address!) || flags! & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || (fixed && !(flags! & MREMAP_MAYMOVE)))
    return -Errno.EINVAL;
  if (newRequested! <= 0 || oldRequested! <= 0) return -Errno.EINVAL;
  const moving = context.call.phase as Moving | undefined;
  const area = areaAt(core.process(process.pid).memory, address!);
  if (!area || address! + oldLength > area.end) return -Errno.EFAULT;
  if (newLength > STACK_TOP) return -Errno.ENOMEM;
  const end = address! + oldLength;
  // Goes by a phase of its own when it takes more than one step.
  if (!fixed && newLength < oldLength) return unmap(context, address! + newLength, end) ?? address!;
  if (moving) {
    if (moving.at !== undefined) return move(context, area, address!, oldLength, newLength, moving);
    const { target, room = target } = moving;
    if (room < target + newLength)
      return { do: 'more', phase: { ...moving, room: dropPages(core, process.pid, room, target + newLength) } };
    const { areas } = core.process(process.pid).memory;
    if (!setAreas(context, withoutRange(areas, target, target + newLength))) return -Errno.ENOMEM;
    return move(context, area, address!, oldLength, newLength, moving);
  }
  if (fixed) {
    if (!aligned(wanted!) || !mappable(wanted!, newLength)) return -Errno.EINVAL;
    if (wanted! < end && address! < wanted! + newLength) return -Errno.EINVAL;
    if (area.backing.kind === 'frames') return -Errno.EINVAL;
    return { do: 'more', phase: { target: wanted!, at: undefined } satisfies Moving };
  }
  if (newLength === oldLength) return address!;
  if (area.backing.kind === 'frames') return -Errno.EFAULT;
  const grown = growInPlace(context, area, end, address! + newLength);
  if (grown !== undefined) return grown < 0 ? grown : address!;
  if (!(flags! & MREMAP_MAYMOVE)) return -Errno.ENOMEM;
  const target = findHole(process.memory, newLength);
  if (target === undefined) return -Errno.ENOMEM;
  return move(context, area, address!, oldLength, newLength, { target, at: undefined });
};

/** madvise(2): what is only advice is taken note of; two drop pages. */
const MADV_DONTNEED = 4;
const MADV_FREE = 8;
/** NORMAL … WILLNEED, the forking and merging ones, huge pages, dumps; WIPEONFORK and REMOVE are not there. */
const MADV_ADVICE = new Set([0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21]);

const madvise: Handler = (context, address, requested, advice) => {
  const { core, process } = context;
  const end = address! + roundUp(requested!);
  const drops = advice === MADV_DONTNEED || advice === MADV_FREE;
  if (!aligned(address!) || requested! < 0 || !(drops || MADV_ADVICE.has(advice!))) return -Errno.EINVAL;
  if (address! < 0 || end > STACK_TOP || !covered(process.memory, address!, end)) return -Errno.ENOMEM;
  if (!drops) return 0;
  if (advice === MADV_FREE)
    for (let at = address!; at < end;) {
      const area = areaAt(process.memory, at)!;
      if (area.shared || area.backing.kind !== 'anonymous') return -Errno.EINVAL;
      at = area.end;
    }
  return inPieces(context, address!, end, (from) => dropPages(core, process.pid, from, end)) ?? 0;
};

const MS_ASYNC = 1;
const MS_SYNC = 4;
/** Reads of a file see what its mappings hold, and there is no disk: nothing is left to do. */
const msync: Handler = (context, address, requested, flags) => {
  const end = address! + roundUp(requested!);
  if (!aligned(address!) || requested! < 0 || flags! & ~7) return -Errno.EINVAL;
  if ((flags! & (MS_ASYNC | MS_SYNC)) === (MS_ASYNC | MS_SYNC)) return -Errno.EINVAL;
  return address! < 0 || end > STACK_TOP || !covered(context.process.memory, address!, end) ? -Errno.ENOMEM : 0;
};

const MINCORE_PIECE = 4096;
const mincore: Handler = (context, address, length, vector) => {
  const { core, process } = context;
  const end = address! + roundUp(length!);
  if (!aligned(address!) || length! < 0) return -Errno.EINVAL;
  if (end > STACK_TOP || !covered(process.memory, address!, end)) return -Errno.ENOMEM;
  const piece = (from: number): number => {
    const count = Math.min(MINCORE_PIECE, (end - from) / PAGE_SIZE);
    const first = from / PAGE_SIZE;
    const { pages } = process.memory;
    const present = Uint8Array.from({ length: count }, (_, i) => (pages.has(first + i) ? 1 : 0));
    core.user.write(vector! + (from - address!) / PAGE_SIZE, present);
    core.charge(count);
    return from + count * PAGE_SIZE;
  };
  return inPieces(context, address!, end, piece) ?? 0;
};

/** Memory never leaves RAM: locking it is granted and changes nothing. */
const locked: Handler = () => 0;

export const memoryCalls: Readonly<Record<string, Handler>> = {
  mmap,
  munmap,
  mprotect,
  brk,
  mremap,
  madvise,
  msync,
  mincore,
  mlock: locked,
  mlock2: locked,
  munlock: locked,
  mlockall: locked,
  munlockall: locked,
};

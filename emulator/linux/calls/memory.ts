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
  syncPages,
  withArea,
  withoutRange,
  withProt,
} from '../memory/areas';
import { MMAP_MIN, STACK_TOP } from '../memory/layout';
import { newObject, setAreas as putAreas } from '../memory/objects';
import { deviceAt, driverKernel } from '../drivers';
import type { Area, Backing } from '../state';
import type { CallContext, Handler, Outcome } from './call';

const MAP_SHARED = 1;
const MAP_TYPE = 0xf;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
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

interface Wanted {
  readonly backing: Backing;
  readonly name: string;
  readonly shared: boolean;
  readonly writeBack: number;
}

function backingOf(
  context: CallContext,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): Wanted | number {
  const { core, process } = context;
  const shared = (flags & MAP_TYPE) === MAP_SHARED || (flags & MAP_TYPE) === 3;
  if (flags & MAP_ANONYMOUS) return { backing: { kind: 'anonymous' }, name: '', shared, writeBack: 0 };
  const open = openFileOf(core, process, fd);
  if (!open) return -Errno.EBADF;
  const { file } = open;
  if (file.kind === 'device') {
    const device = deviceAt(core, file.device);
    const frames = device?.mmap(driverKernel(core), file.data, length) ?? -Errno.ENODEV;
    if (typeof frames === 'number') return frames;
    const of = { path: file.device, data: file.data };
    return { backing: { kind: 'frames', frames: [...frames], device: of }, name: file.path, shared, writeBack: 0 };
  }
  if (!mayRead(file)) return -Errno.EACCES;
  if (file.kind === 'text')
    return { backing: { kind: 'file', content: file.content, offset, length }, name: file.path, shared, writeBack: 0 };
  if (file.kind !== 'inode') return -Errno.ENODEV;
  const inode = inodeOf(core, file.inode);
  if (inode.type === 'device' && inode.device === 'zero')
    return { backing: { kind: 'anonymous' }, name: '/dev/zero', shared, writeBack: 0 };
  if (inode.type !== 'file') return -Errno.ENODEV;
  const writable = shared && (prot & 2) !== 0;
  if (writable && !mayWrite(file)) return -Errno.EACCES;
  return {
    backing: { kind: 'file', content: inode.content, offset, length },
    name: file.path,
    shared,
    writeBack: shared && mayWrite(file) ? file.inode : 0,
  };
}

const mmap: Handler = (context, address, requested, prot, flags, fd, offset) => {
  const { core, process } = context;
  const length = roundUp(requested!);
  if (requested! <= 0 || !aligned(offset!) || offset! < 0 || (flags! & MAP_TYPE) === 0) return -Errno.EINVAL;
  if (length > STACK_TOP) return -Errno.ENOMEM;
  const { memory } = core.process(process.pid);
  const hint = address! - (address! % PAGE_SIZE);
  let start: number | undefined;
  if (flags! & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
    if (!aligned(address!)) return -Errno.EINVAL;
    if (!mappable(address!, length)) return -Errno.ENOMEM;
    start = address!;
    const taken = withoutRange(memory.areas, start, start + length) as readonly Area[];
    const free = taken.length === memory.areas.length && taken.every((area, i) => area === memory.areas[i]);
    if (flags! & MAP_FIXED_NOREPLACE && !free) return -Errno.EEXIST;
    // The pages of what was there go first, in pieces.
    const more = unmap(context, start, start + length);
    if (more !== undefined) return more;
  } else {
    const fits =
      hint !== 0 &&
      mappable(hint, length) &&
      !memory.areas.some((area) => area.start < hint + length && hint < area.end);
    start = fits ? hint : findHole(memory, length);
    if (start === undefined) return -Errno.ENOMEM;
  }
  const wanted = backingOf(context, length, prot!, flags!, fd! | 0, offset!);
  if (typeof wanted === 'number') return wanted;
  const object = wanted.shared && wanted.backing.kind !== 'frames' ? { id: newObject(core), start: 0 } : undefined;
  const area: Area = { start, end: start + length, prot: prot! & PROT_ALL, ...wanted, ...(object ? { object } : {}) };
  return setAreas(context, withArea(core.process(process.pid).memory.areas, area)) ? start : -Errno.ENOMEM;
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
  readonly at: number;
}

const mremap: Handler = (context, address, oldRequested, newRequested, flags) => {
  const { core, process, call } = context;
  const oldLength = roundUp(oldRequested!);
  const newLength = roundUp(newRequested!);
  if (!aligned(address!) || newRequested! <= 0 || oldRequested! <= 0 || flags! & ~MREMAP_MAYMOVE) {
    // Moving to a given address is rare enough to be refused.
    return flags! & MREMAP_FIXED ? -Errno.EOPNOTSUPP : -Errno.EINVAL;
  }
  const { memory } = process;
  const area = areaAt(memory, address!);
  if (!area || address! + oldLength > area.end) return -Errno.EFAULT;
  if (newLength > STACK_TOP) return -Errno.ENOMEM;
  const end = address! + oldLength;
  if (newLength < oldLength) return unmap(context, address! + newLength, end) ?? address!;
  if (newLength === oldLength) return address!;
  if (area.backing.kind === 'frames') return -Errno.EINVAL;
  const grownBacking: Backing =
    area.backing.kind === 'file'
      ? { ...area.backing, length: area.backing.length + newLength - oldLength }
      : area.backing;
  const room = !memory.areas.some((other) => other.start < address! + newLength && end < other.end);
  if (call.phase === undefined && end === area.end && room && address! + newLength <= STACK_TOP) {
    const grown = { ...area, end: address! + newLength, backing: grownBacking };
    return setAreas(context, withArea(withoutRange(memory.areas, area.start, area.end), grown))
      ? address!
      : -Errno.ENOMEM;
  }
  if (!(flags! & MREMAP_MAYMOVE)) return -Errno.ENOMEM;
  const moving = (call.phase as Moving | undefined) ?? { target: findHole(memory, newLength) ?? -1, at: address! };
  if (moving.target < 0) return -Errno.ENOMEM;
  if (call.phase === undefined) {
    const part = clip({ ...area, backing: grownBacking }, address!, area.end);
    const moved = { ...part, start: moving.target, end: moving.target + newLength };
    if (!setAreas(context, withArea(memory.areas, moved))) return -Errno.ENOMEM;
  }
  const next = movePages(core, process.pid, moving.at, end, moving.target - address!);
  if (next === undefined) return -Errno.ENOMEM;
  if (next < end) return { do: 'more', phase: { target: moving.target, at: next } satisfies Moving };
  const left = withoutRange(core.process(process.pid).memory.areas, address!, end);
  return setAreas(context, left) ? moving.target : -Errno.ENOMEM;
};

const MADV_DONTNEED = 4;
const MADV_FREE = 8;

const madvise: Handler = (context, address, requested, advice) => {
  const { core, process } = context;
  const end = address! + roundUp(requested!);
  if (!aligned(address!) || requested! < 0 || advice! < 0) return -Errno.EINVAL;
  if (address! < 0 || end > STACK_TOP || !covered(process.memory, address!, end)) return -Errno.ENOMEM;
  if (advice !== MADV_DONTNEED && advice !== MADV_FREE) return advice! > 25 && advice! < 100 ? -Errno.EINVAL : 0;
  return inPieces(context, address!, end, (from) => dropPages(core, process.pid, from, end)) ?? 0;
};

const msync: Handler = (context, address, requested) => {
  const { core, process } = context;
  const end = address! + roundUp(requested!);
  if (!aligned(address!) || requested! < 0) return -Errno.EINVAL;
  if (address! < 0 || end > STACK_TOP || !covered(process.memory, address!, end)) return -Errno.ENOMEM;
  return inPieces(context, address!, end, (from) => syncPages(core, process.pid, from, end)) ?? 0;
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

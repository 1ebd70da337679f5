/**
 * Who owns a page. One 32-bit entry per page of RAM, in a block of guest memory that PMP hides from S- and U-mode:
 *   0x7fffffff           public
 *   0x7fffffff − n       public, and mapped by n enclaves (kbuffer, shared memory): it can't become private meanwhile
 *   bit 31 set           private: kind in bits 30 … 28, instance number in bits 27 … 0
 * Must never let a page change from one owner to another without being public in between.
 */
import { PAGE_SIZE } from '../emulator/units';
import { Physical } from './abi';
import { type Core, physical } from './core';
import { PAGE_TICKS } from './costs';

export const PUBLIC = 0x7fffffff;
/** More sharers than this and the entry could be taken for another value. */
const MAX_SHARES = 0xffff;

/** What a private page is used for. */
export const enum PageKind {
  /** In an enclave's pool, not used yet. */
  Free = 0,
  Metadata = 1,
  /** A page table. */
  Table = 2,
  /** Mapped in the enclave. */
  Data = 3,
  Relay = 4,
  /** The monitor's own (MEMORY_EXTEND). */
  Monitor = 5,
  /** Of several enclaves (secure shm); the instance is the one that made it. */
  Shared = 6,
}

const privateEntry = (kind: PageKind, instance: number): number => 0x80000000 | (kind << 28) | (instance & 0xfffffff);

export const aligned = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value % PAGE_SIZE === 0;

function overlaps(base: number, size: number, otherBase: number, otherSize: number): boolean {
  return base < otherBase + otherSize && otherBase < base + size;
}

/** True when the range lies in RAM and touches neither the monitor, the page-table area nor the bitmap. */
export function ordinary(m: Core, base: number, size: number): boolean {
  const { area, bitmap } = m.state;
  if (!Number.isSafeInteger(base) || !Number.isSafeInteger(size) || size <= 0) return false;
  if (base < Physical.DRAM_BASE + Physical.SM_SIZE || base + size > Physical.DRAM_BASE + m.options.ramSize)
    return false;
  if (area && overlaps(base, size, area.base, area.size)) return false;
  return !(bitmap && overlaps(base, size, bitmap.base, bitmap.size));
}

/** Entries of `count` pages from `address` on, as a fresh array. */
function entries(m: Core, address: number, count: number): Int32Array {
  const bytes = m.read(entryAddress(m, address), 4 * count);
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, count)
    : new Int32Array(bytes.slice().buffer);
}

function entryAddress(m: Core, address: number): number {
  return m.state.bitmap!.base + 4 * Math.floor((address - Physical.DRAM_BASE) / PAGE_SIZE);
}

function putEntries(m: Core, address: number, values: Int32Array): void {
  m.port.write(physical(entryAddress(m, address)), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** The entry of the page that holds `address`, which must lie in RAM. */
export const pageEntry = (m: Core, address: number): number => m.port.readI32(physical(entryAddress(m, address)));

export const isPrivate = (entry: number): boolean => entry < 0;

/** True when [base, base + size) is ordinary memory and no page of it is private. */
export function isPublic(m: Core, base: number, size: number): boolean {
  if (!m.state.bitmap || !ordinary(m, base, size)) return false;
  // At boot all of RAM is looked at, which would take 10 ms.
  if (m.state.unclaimed) return true;
  const first = base - (base % PAGE_SIZE);
  const values = entries(m, first, Math.ceil((base + size - first) / PAGE_SIZE));
  return values.every((entry) => !isPrivate(entry));
}

/** Makes public pages private; false, and nothing changed, unless every page is public and mapped by no enclave. */
export function claim(m: Core, base: number, size: number, kind: PageKind, instance: number): boolean {
  if (!m.holds('claimAligned', aligned(base) && aligned(size)) || !m.state.bitmap) return false;
  if (!m.holds('claimOrdinary', ordinary(m, base, size))) return false;
  const values = entries(m, base, size / PAGE_SIZE);
  const free = (entry: number): boolean =>
    entry === PUBLIC || !m.checks[isPrivate(entry) ? 'claimOwnership' : 'claimUnshared'];
  if (!values.every(free)) return false;
  putEntries(m, base, values.fill(privateEntry(kind, instance)));
  if (m.state.unclaimed) m.update({ unclaimed: false });
  m.cost += values.length;
  return true;
}

/** Private pages become public again. */
export function disown(m: Core, base: number, size: number): void {
  putEntries(m, base, new Int32Array(size / PAGE_SIZE).fill(PUBLIC));
  m.cost += size / PAGE_SIZE;
}

/** Gives private pages another use or owner. */
export function reuse(m: Core, base: number, size: number, kind: PageKind, instance: number): void {
  putEntries(m, base, new Int32Array(size / PAGE_SIZE).fill(privateEntry(kind, instance)));
}

/** Is the page private to this instance, and of this kind? */
export function owns(m: Core, address: number, instance: number, kind: PageKind): boolean {
  return ordinary(m, address, PAGE_SIZE) && pageEntry(m, address) === privateEntry(kind, instance);
}

/** Are all pages of a range private to this instance, and of this kind? */
export function ownsAll(m: Core, base: number, size: number, instance: number, kind: PageKind): boolean {
  const wanted = privateEntry(kind, instance);
  return ordinary(m, base, size) && entries(m, base, size / PAGE_SIZE).every((entry) => entry === wanted);
}

/** An enclave maps public pages: they must stay public. False, and nothing changed, when one is private. */
export function share(m: Core, base: number, size: number): boolean {
  if (!aligned(base) || !aligned(size) || !m.holds('sharePublic', isPublic(m, base, size))) return false;
  const values = entries(m, base, size / PAGE_SIZE);
  if (values.some((entry) => !isPrivate(entry) && entry <= PUBLIC - MAX_SHARES)) return false;
  putEntries(
    m,
    base,
    values.map((entry) => entry - 1),
  );
  return true;
}

export function unshare(m: Core, base: number, size: number): void {
  if (size === 0) return;
  putEntries(
    m,
    base,
    entries(m, base, size / PAGE_SIZE).map((entry) => Math.min(entry + 1, PUBLIC)),
  );
}

/** Zeroes one page. */
export function zeroPage(m: Core, address: number): void {
  m.port.fill(physical(address), PAGE_SIZE, 0);
  m.cost += PAGE_TICKS;
}

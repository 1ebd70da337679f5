/**
 * The page tables of enclaves: Sv39, 4 KiB leaves, in private memory that only the monitor writes once the enclave exists. Owns
 * walking, mapping and unmapping, access to enclave memory by virtual address, and the check of the tables a driver built. Must
 * never map a page that is not the enclave's own, or shared with it on purpose.
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { EnclaveVa, Pte } from './abi';
import type { Core } from './core';
import { CHECKED_TABLES_PER_STEP, TABLE_TICKS } from './costs';
import { PageKind, owns, reuse } from './pages';
import type { Enclave, Pool } from './state';
import type { Task } from './task';

const LEAF = Pte.R | Pte.W | Pte.X;
/** Flags of a page that enclaves may read and write (and, for text, execute). */
export const READ_WRITE = Pte.V | Pte.R | Pte.W | Pte.U | Pte.A | Pte.D;
const HALF = 2 ** 38;

/** Page number in the 27-bit index space; virtual addresses are signed. */
const vpnOf = (address: number): number => {
  const page = Math.floor(address / PAGE_SIZE) % 2 ** 27;
  return page < 0 ? page + 2 ** 27 : page;
};
const canonical = (address: number): boolean => address >= -HALF && address < HALF;

function readEntry(m: Core, address: number): number {
  return m.port.readU32(pa(address + 4)) * 2 ** 32 + m.port.readU32(pa(address));
}
const frameOf = (entry: number): number => Math.floor(entry / 1024) * PAGE_SIZE;
const entryFor = (frame: number, flags: number): number => (frame / PAGE_SIZE) * 1024 + flags;

/** Address of the leaf entry of a virtual address; undefined when a table on the way is missing. */
function leafAddress(m: Core, root: number, address: number): number | undefined {
  const vpn = vpnOf(address);
  let table = root * PAGE_SIZE;
  for (const shift of [18, 9]) {
    const entry = readEntry(m, table + 8 * (Math.floor(vpn / 2 ** shift) & 511));
    if (!(entry % 2) || (entry % 1024) & LEAF) return undefined;
    table = frameOf(entry);
  }
  return table + 8 * (vpn & 511);
}

/** Physical address, when the enclave itself may read (or write) there. */
export function translate(m: Core, root: number, address: number, access: 'read' | 'write'): number | undefined {
  if (!canonical(address)) return undefined;
  const at = leafAddress(m, root, address);
  if (at === undefined) return undefined;
  const entry = readEntry(m, at);
  const need = Pte.V | Pte.U | (access === 'read' ? Pte.R : Pte.W);
  if (!m.holds('pageAccess', ((entry % 1024) & need) === need)) return undefined;
  const offset = address - Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
  return frameOf(entry) + offset;
}

/** Splits a range into pieces inside one page each, translated; undefined when a byte is not accessible. */
function pieces(m: Core, root: number, address: number, length: number, access: 'read' | 'write') {
  const found: { at: number; offset: number; length: number }[] = [];
  for (let offset = 0; offset < length;) {
    const here = address + offset;
    const inPage = here - Math.floor(here / PAGE_SIZE) * PAGE_SIZE;
    const size = Math.min(length - offset, PAGE_SIZE - inPage);
    const at = translate(m, root, here, access);
    if (at === undefined) return undefined;
    found.push({ at, offset, length: size });
    offset += size;
  }
  return found;
}

/** Bytes of an enclave's memory; undefined when it could not read them itself. */
export function readVirtual(m: Core, enclave: Enclave, address: number, length: number): Uint8Array | undefined {
  const found = pieces(m, enclave.root, address, length, 'read');
  if (!found) return undefined;
  const bytes = new Uint8Array(length);
  for (const piece of found) bytes.set(m.read(piece.at, piece.length), piece.offset);
  return bytes;
}

/** Writes an enclave's memory; false, and nothing written, when it could not write there itself. */
export function writeVirtual(m: Core, enclave: Enclave, address: number, bytes: Uint8Array): boolean {
  const found = pieces(m, enclave.root, address, bytes.length, 'write');
  for (const piece of found ?? [])
    m.port.write(pa(piece.at), bytes.subarray(piece.offset, piece.offset + piece.length));
  return found !== undefined;
}

/** Could the enclave itself write all of the range? Touches none of it. */
export const writable = (m: Core, enclave: Enclave, address: number, length: number): boolean =>
  pieces(m, enclave.root, address, length, 'write') !== undefined;

/** A string of at most `max` bytes, up to its NUL; undefined when it can't be read. */
export function readString(m: Core, enclave: Enclave, address: number, max: number): string | undefined {
  let text = '';
  for (let i = 0; i < max; i++) {
    const byte = readVirtual(m, enclave, address + i, 1);
    if (!byte) return undefined;
    if (byte[0] === 0) break;
    text += String.fromCharCode(byte[0]!);
  }
  return text;
}

/** Maps and unmaps in one space; page tables it needs come from the pool. `pool` is what is left afterwards. */
export class Mapper {
  constructor(
    private readonly m: Core,
    private readonly root: number,
    private readonly instance: number,
    public pool: Pool,
  ) {}

  static of(m: Core, enclave: Enclave): Mapper {
    return new Mapper(m, enclave.root, enclave.instance, enclave.pool);
  }

  /** A page of the pool for `kind`, zeroed; undefined when none is left. */
  take(kind: PageKind): number | undefined {
    const page = this.pool.free;
    if (page + PAGE_SIZE > this.pool.base + this.pool.size) return undefined;
    this.pool = { ...this.pool, free: page + PAGE_SIZE };
    reuse(this.m, page, PAGE_SIZE, kind, this.instance);
    this.m.port.fill(pa(page), PAGE_SIZE, 0);
    return page;
  }

  private leafTable(address: number): number | undefined {
    const vpn = vpnOf(address);
    let table = this.root * PAGE_SIZE;
    for (const shift of [18, 9]) {
      const at = table + 8 * (Math.floor(vpn / 2 ** shift) & 511);
      const entry = readEntry(this.m, at);
      if (entry % 2) table = frameOf(entry);
      else {
        const page = this.take(PageKind.Table);
        if (page === undefined) return undefined;
        this.m.port.writeI64(pa(at), entryFor(page, Pte.V));
        table = page;
      }
    }
    return table;
  }

  /** Is no page of [address, address + size) mapped? */
  vacant(address: number, size: number): boolean {
    for (let at = address; at < address + size;) {
      const end = Math.min(address + size, nextTable(at));
      const leaf = leafAddress(this.m, this.root, at);
      if (leaf !== undefined) {
        const words = words32(this.m.read(leaf, 8 * ((end - at) / PAGE_SIZE)));
        for (let i = 0; i < words.length; i += 2) if (words[i]! & Pte.V) return false;
      }
      at = end;
    }
    return true;
  }

  /** Maps contiguous physical pages; false, and nothing mapped, when something is mapped there or no table page is left. */
  map(address: number, physical: number, size: number, flags = READ_WRITE): boolean {
    if (size === 0) return true;
    if (!canonical(address) || !canonical(address + size - 1) || !this.vacant(address, size)) return false;
    const tables: [number, number, number][] = [];
    for (let at = address; at < address + size;) {
      const end = Math.min(address + size, nextTable(at));
      const table = this.leafTable(at);
      if (table === undefined) return false;
      tables.push([at, end, table + 8 * (vpnOf(at) & 511)]);
      at = end;
    }
    for (const [at, end, entries] of tables) {
      const words = new Uint32Array(2 * ((end - at) / PAGE_SIZE));
      // One frame further is 1024 more. (No division: an area of 512 MiB is mapped in one step.)
      let entry = entryFor(physical + at - address, flags);
      for (let i = 0; i < words.length; i += 2, entry += 1024) {
        const low = entry >>> 0;
        words[i] = low;
        words[i + 1] = (entry - low) / 2 ** 32;
      }
      this.m.port.write(pa(entries), new Uint8Array(words.buffer));
      this.m.cost += words.length;
    }
    return true;
  }

  unmap(address: number, size: number): void {
    for (let at = address; at < address + size;) {
      const end = Math.min(address + size, nextTable(at));
      const leaf = leafAddress(this.m, this.root, at);
      if (leaf !== undefined) this.m.port.fill(pa(leaf), 8 * ((end - at) / PAGE_SIZE), 0);
      this.m.cost += (end - at) / PAGE_SIZE;
      at = end;
    }
  }
}

/** First address that another leaf table maps. */
const nextTable = (address: number): number => (Math.floor(address / (512 * PAGE_SIZE)) + 1) * 512 * PAGE_SIZE;

export function words32(bytes: Uint8Array): Uint32Array {
  return bytes.byteOffset % 4 === 0
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
    : new Uint32Array(bytes.slice().buffer);
}

/** One leaf table of a space: where it is and the page index of its first entry. */
export interface LeafTable {
  readonly table: number;
  readonly vpn: number;
}

/**
 * Visits leaf tables in index order from `at` (root index * 512 + middle index) on, at most `limit`; returns where to go on, or
 * undefined at the end. `middle` sees every middle table first; either stops the walk by returning false ('stopped').
 */
export function walkTables(
  m: Core,
  root: number,
  at: number,
  limit: number,
  visit: (leaf: LeafTable) => boolean,
  middle: (table: number) => boolean = () => true,
): number | undefined | 'stopped' {
  const top = words32(m.read(root * PAGE_SIZE, PAGE_SIZE));
  let visited = 0;
  for (let i = at >> 9; i < 512; i++) {
    if (!(top[2 * i]! & Pte.V)) continue;
    if (top[2 * i]! & LEAF) return 'stopped';
    const middleTable = frameOf(top[2 * i + 1]! * 2 ** 32 + top[2 * i]!);
    const first = i === at >> 9 ? at & 511 : 0;
    if (first === 0 && !middle(middleTable)) return 'stopped';
    const words = words32(m.read(middleTable, PAGE_SIZE));
    for (let j = first; j < 512; j++) {
      if (!(words[2 * j]! & Pte.V)) continue;
      if (words[2 * j]! & LEAF) {
        if (m.checks.tableLeaves) return 'stopped';
        continue;
      }
      if (visited++ === limit) return i * 512 + j;
      const table = frameOf(words[2 * j + 1]! * 2 ** 32 + words[2 * j]!);
      if (!visit({ table, vpn: (i * 512 + j) * 512 })) return 'stopped';
    }
  }
  return undefined;
}

/**
 * Checks tables that a driver built, while their pages are private already: every table and every mapped page lies in the
 * pool, below its free part, is used once, and shows at an address of the enclave's low part, to the enclave.
 */
export function verifyStep(m: Core, task: Task & { do: 'verify' }): Task | undefined | 'failed' {
  const { base, free, instance, root } = task;
  const use = (address: number, kind: PageKind): boolean => {
    // The first page is the monitor's; what lies from `free` on is for later tables.
    if (!m.holds('tableFree', address < free)) return false;
    const own = address >= base + PAGE_SIZE && owns(m, address, instance, PageKind.Free);
    if (!m.holds('tableOwnership', own)) return false;
    reuse(m, address, PAGE_SIZE, kind, instance);
    return true;
  };
  if (task.at === 0 && !use(root * PAGE_SIZE, PageKind.Table)) return refused(m, 'the root page table');
  const next = walkTables(
    m,
    root,
    task.at,
    CHECKED_TABLES_PER_STEP,
    ({ table, vpn }) => {
      if (!use(table, PageKind.Table)) return false;
      m.cost += TABLE_TICKS;
      const words = words32(m.read(table, PAGE_SIZE));
      for (let i = 0; i < 512; i++) {
        const low = words[2 * i]!;
        if (!(low & Pte.V)) continue;
        if (!(low & LEAF) || !(low & Pte.U) || words[2 * i + 1]! >= 1 << 22) return false;
        if ((vpn + i) * PAGE_SIZE >= EnclaveVa.STACK_TOP) return false;
        if (!use(frameOf(words[2 * i + 1]! * 2 ** 32 + low), PageKind.Data)) return false;
      }
      return true;
    },
    (table) => use(table, PageKind.Table),
  );
  if (next === 'stopped') return refused(m, 'a page table');
  return next === undefined ? undefined : { ...task, at: next };
}

function refused(m: Core, what: string): 'failed' {
  m.log(`create: ${what} of the new enclave names pages outside of its pool, or twice`);
  return 'failed';
}

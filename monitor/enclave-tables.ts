/**
 * The page tables of enclaves: Sv39, 4 KiB leaves, in private memory that only the monitor writes once the enclave exists. Owns
 * walking, mapping and unmapping, access to enclave memory by virtual address, and copy-on-write: an instance begins with its
 * template's tables and pages and gets its own, table by table and page by page, when it writes. Must never map a page that is not
 * the enclave's own, or shared with it on purpose, and never write to a table or page of a template.
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { Pte } from './abi';
import type { Core } from './core';
import { PAGE_TICKS } from './costs';
import { takePage } from './own-memory';
import { PageKind, owns, reuse } from './pages';
import type { Enclave, Pool } from './state';

/** Any of these bits makes an entry a leaf. */
export const LEAF = Pte.R | Pte.W | Pte.X;
/** RSW, the bits left to software: a page of a template, that whoever writes there gets a copy of. Never together with W. */
export const COPY_ON_WRITE = 256;
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
export const frameOf = (entry: number): number => Math.floor(entry / 1024) * PAGE_SIZE;
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

/** Physical address, when the enclave itself may read (or write) there; a page that would have to be copied is not writable. */
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

/**
 * As readVirtual; within a step the same argument is read once, so that what looks ahead (needs.ts) and what acts see the same bytes,
 * whoever else can write them.
 */
export function readOnce(m: Core, enclave: Enclave, address: number, length: number): Uint8Array | undefined {
  const { argument } = m;
  if (argument?.eid === enclave.eid && argument.address === address && argument.bytes.length === length)
    return argument.bytes;
  const bytes = readVirtual(m, enclave, address, length);
  if (bytes) m.argument = { eid: enclave.eid, address, bytes };
  return bytes;
}

/** Writes an enclave's memory; false, and nothing written, when it could not write there itself, or a page had to be copied and none is left. */
export function writeVirtual(m: Core, enclave: Enclave, address: number, bytes: Uint8Array): boolean {
  if (makeOwn(m, enclave, address, bytes.length) > 0) return false;
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

/** Does a store of the enclave to this address need a page of its own first? */
export function isShared(m: Core, enclave: Enclave, address: number): boolean {
  if (enclave.template === undefined || !canonical(address)) return false;
  const at = leafAddress(m, enclave.root, address);
  return at !== undefined && (readEntry(m, at) & COPY_ON_WRITE) !== 0;
}

/**
 * Gives the enclave its own copies of the template's pages in [address, address + length), which it may write afterwards. Returns 0, or how
 * many pages of memory are missing at most; what was done until then stays done, and shows nowhere but in who owns what.
 */
export function makeOwn(m: Core, enclave: Enclave, address: number, length: number): number {
  if (enclave.template === undefined) return 0;
  const end = address + length;
  const mapper = Mapper.of(m, m.enclave(enclave.eid) ?? enclave);
  const { pool } = mapper;
  let [copied, missing] = [0, 0];
  for (let at = address - (((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE); at < end; at += PAGE_SIZE) {
    if (!isShared(m, enclave, at)) continue;
    if (mapper.makeOwn(at)) copied++;
    // A page, and the two tables on the way.
    else missing += 3;
  }
  if (mapper.pool !== pool) m.change(enclave.eid, { pool: mapper.pool });
  if (copied > 0) m.hart.fenceVma();
  return missing;
}

/**
 * Maps and unmaps in one space; pages it needs come from the enclave's pool, then from the monitor's memory. `pool` is what is left of the
 * pool afterwards.
 */
export class Mapper {
  constructor(
    private readonly m: Core,
    private readonly root: number,
    private readonly instance: number,
    public pool: Pool,
    /** Tables on the way may be a template's: they are copied before they are written. */
    private readonly shares: boolean,
  ) {}

  static of(
    m: Core,
    enclave: Pick<Enclave, 'root' | 'instance' | 'pool'> & { readonly template?: number | undefined },
  ): Mapper {
    return new Mapper(m, enclave.root, enclave.instance, enclave.pool, enclave.template !== undefined);
  }

  /** A page for `kind`, zeroed; undefined when none is left. */
  take(kind: PageKind): number | undefined {
    const page = this.pool.free;
    if (page + PAGE_SIZE > this.pool.base + this.pool.size) return takePage(this.m, kind, this.instance);
    this.pool = { ...this.pool, free: page + PAGE_SIZE };
    reuse(this.m, page, PAGE_SIZE, kind, this.instance);
    this.m.port.fill(pa(page), PAGE_SIZE, 0);
    return page;
  }

  /** A new root with the entries of another; its page number, as satp has it. */
  takeRoot(like: number): { readonly page: number; readonly pool: Pool } | undefined {
    const page = this.take(PageKind.Table);
    if (page === undefined) return undefined;
    this.copy(like * PAGE_SIZE, page);
    return { page: page / PAGE_SIZE, pool: this.pool };
  }

  /** The table that the entry at `at` points to, to be written: made when there is none, copied when it is the template's. */
  private next(at: number): number | undefined {
    const entry = readEntry(this.m, at);
    const there = entry % 2 === 1;
    if (
      there &&
      (!this.shares || this.m.holds('tableCopied', owns(this.m, frameOf(entry), this.instance, PageKind.Table)))
    )
      return frameOf(entry);
    const page = this.take(PageKind.Table);
    if (page === undefined) return undefined;
    if (there) this.copy(frameOf(entry), page);
    this.m.port.writeI64(pa(at), entryFor(page, Pte.V));
    return page;
  }

  private copy(from: number, to: number): void {
    this.m.port.write(pa(to), this.m.read(from, PAGE_SIZE));
    this.m.cost += PAGE_TICKS;
  }

  private leafTable(address: number): number | undefined {
    const vpn = vpnOf(address);
    let table: number | undefined = this.root * PAGE_SIZE;
    for (const shift of [18, 9]) {
      table = this.next(table + 8 * (Math.floor(vpn / 2 ** shift) & 511));
      if (table === undefined) return undefined;
    }
    return table;
  }

  /** Gives the space its own, writable copy of the template's page at an address, which must be marked; false when memory is short. */
  makeOwn(address: number): boolean {
    const table = this.leafTable(address);
    const page = table === undefined ? undefined : this.take(PageKind.Data);
    if (table === undefined || page === undefined) return false;
    const at = table + 8 * (vpnOf(address) & 511);
    const entry = readEntry(this.m, at);
    this.copy(frameOf(entry), page);
    this.m.port.writeI64(pa(at), entryFor(page, (entry % 1024) - COPY_ON_WRITE + Pte.W));
    return true;
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

/** How many tables a mapping of `size` bytes needs at most. */
export const tablesFor = (size: number): number =>
  size === 0 ? 0 : spans(size, 512 * PAGE_SIZE) + spans(size, 512 * 512 * PAGE_SIZE);
/** How many aligned stretches of `by` bytes whole pages of `size` bytes touch at most. */
const spans = (size: number, by: number): number => Math.ceil((size - PAGE_SIZE) / by) + 1;

/** Pages that an enclave can still get without the host. */
export const pagesLeft = (m: Core, { pool }: { readonly pool: Pool }): number =>
  (pool.base + pool.size - pool.free) / PAGE_SIZE + m.state.memory.free;

/**
 * The host's page tables: all of them lie in the page-table area, which PMP lets S-mode only read; the host changes an entry by
 * asking (SET_PTE, MAP_PTE), and this file says yes or no. Owns what may be an entry, satp's emulation under TVM, and taking
 * pages out of the host's sight when they become private. Must never store an entry that shows a private page or that points
 * to a table outside the area. (Penglai-TVM's monitor, memory protection model; privileged specification, Sv39.)
 */
import { LEAF } from './enclave-tables';
import { Privilege } from '../emulator/hart/types';
import { PAGE_SIZE, pa, va } from '../emulator/units';
import { Csr, Pte, Result, SetPte } from './abi';
import type { Core } from './core';
import { TABLES_PER_STEP, TABLE_TICKS } from './costs';
import { aligned, isPublic, ordinary } from './pages';
import type { PageTables } from './state';
import type { Task } from './task';

const HUGE = 512 * PAGE_SIZE;
/** Entries of one call; more is refused. */
const MAX_BATCH = 262144;
/** How many of them are done in one step: of a batch of ranges one, which may be as long as the whole area. */
const ENTRIES_PER_STEP: Readonly<Record<number, number>> = {
  [SetPte.COPY]: 512,
  [SetPte.BATCH_ZERO]: 1,
  [SetPte.BATCH_SET]: 512,
};

type Level = 'root' | 'middle' | 'leaf';

export function levelOf(area: PageTables, address: number): Level {
  const offset = address - area.base;
  if (offset < area.rootBytes) return 'root';
  return offset < area.rootBytes + area.middleBytes ? 'middle' : 'leaf';
}

const inArea = (area: PageTables, address: number, size: number): boolean =>
  address >= area.base && address + size <= area.base + area.size;

/** The frame an entry names, as an address. Entries stay below 2^53: physical addresses above that don't exist. */
const frameOf = (value: number): number => Math.floor(value / 1024) * PAGE_SIZE;
const flagsOf = (value: number): number => value % 1024;

/** Why an entry may not be stored at an address of the area; undefined when it may. */
export function refusal(m: Core, area: PageTables, address: number, value: number): string | undefined {
  if (!Number.isSafeInteger(address) || !m.holds('setPteRange', inArea(area, address, 8)))
    return 'the entry does not lie in the page-table area';
  if (!m.holds('setPteAligned', address % 8 === 0)) return 'the address of the entry is not a multiple of 8';
  if (!Number.isSafeInteger(value) || value < 0) return 'reserved bits of the entry are set';
  const flags = flagsOf(value);
  if (!(flags & Pte.V)) return undefined;
  const level = levelOf(area, address);
  const frame = frameOf(value);
  if (!(flags & LEAF)) {
    if (level === 'leaf') return 'a leaf table cannot point to another table';
    const next = level === 'root' ? 'middle' : 'leaf';
    return m.holds('setPteTables', inArea(area, frame, PAGE_SIZE) && levelOf(area, frame) === next)
      ? undefined
      : `the next table lies outside the ${next} part of the page-table area`;
  }
  if (!m.holds('setPteRootLeaf', level !== 'root')) return 'a root table takes no leaves';
  const size = level === 'middle' ? HUGE : PAGE_SIZE;
  if (frame % size !== 0) return 'a large page is not aligned';
  // Devices, and what PMP guards anyway (monitor, tables, bitmap), may be named: the access fails or is harmless.
  return m.holds('setPteOwnership', !privateIn(m, frame, size)) ? undefined : 'the page is private';
}

/** Is any page of the range private? Ranges that leave ordinary memory are looked at page by page. */
function privateIn(m: Core, base: number, size: number): boolean {
  if (ordinary(m, base, size)) return !isPublic(m, base, size);
  for (let at = base; at < base + size; at += PAGE_SIZE)
    if (ordinary(m, at, PAGE_SIZE) && !isPublic(m, at, PAGE_SIZE)) return true;
  return false;
}

/** Stores an allowed entry. */
function store(m: Core, area: PageTables, address: number, value: number): void {
  m.port.writeI64(pa(address), value);
  if (m.state.hidden.has(address / 8)) m.update({ hidden: m.state.hidden.delete(address / 8) });
  if (value !== 0) markUsed(m, area, address);
}

export function markUsed(m: Core, area: PageTables, address: number): void {
  const page = Math.floor((address - area.base) / PAGE_SIZE);
  if (m.state.tables[page >> 3]! & (1 << (page & 7))) return;
  const tables = m.state.tables.slice();
  tables[page >> 3]! |= 1 << (page & 7);
  m.update({ tables });
}

function storeChecked(m: Core, area: PageTables, address: number, value: number): boolean {
  const why = refusal(m, area, address, value);
  if (why !== undefined) {
    m.log(`set_pte: 0x${address.toString(16)} := 0x${value.toString(16)} denied: ${why}`);
    return false;
  }
  store(m, area, address, value);
  return true;
}

function zeroEntries(m: Core, area: PageTables, address: number, size: number): boolean {
  const whole = address % 8 === 0 && size % 8 === 0 && size >= 0;
  if (!whole || !Number.isSafeInteger(address + size) || !m.holds('setPteRange', inArea(area, address, size)))
    return deniedRange(m, address, size);
  m.port.fill(pa(address), size, 0);
  if (m.state.hidden.size > 0)
    m.update({
      hidden: m.state.hidden.withMutations((hidden) => {
        for (let at = address; at < address + size; at += 8) hidden.delete(at / 8);
      }),
    });
  m.cost += size >> 6;
  return true;
}

function deniedRange(m: Core, address: number, size: number): false {
  m.log(`set_pte: 0x${address.toString(16)}, ${size} bytes, denied: not a range of the page-table area`);
  return false;
}

/** The 64-bit pairs [at, end) of a batch in host memory; undefined when it can't be read. */
function batch(m: Core, list: number, at: number, end: number): number[][] | undefined {
  const from = list + 16 * at;
  const bytes = 16 * (end - at);
  if (!Number.isSafeInteger(list) || list % 8 !== 0 || !m.holds('listPublic', isPublic(m, from, bytes)))
    return undefined;
  const read = m.read(from, bytes);
  const view = new DataView(read.buffer, read.byteOffset, read.byteLength);
  m.cost += end - at;
  const number = (offset: number) => view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
  return Array.from({ length: end - at }, (_, i) => [number(16 * i), number(16 * i + 8)]);
}

/** SET_PTE. Entries before a denied one are stored, the denied one and what follows are not. */
export function setPte(m: Core, reason: number, to: number, from: number, size: number): void {
  const { area } = m.state;
  if (!area || !m.state.separated) return m.error();
  if (reason === SetPte.ONE || reason === SetPte.ZERO) {
    const one = reason === SetPte.ONE;
    const ok = one ? storeChecked(m, area, to, Number(m.hart.getX64(12))) : zeroEntries(m, area, to, size);
    return m.answer(ok ? Result.SUCCESS : Result.ERROR);
  }
  const count = reason === SetPte.COPY ? size / 8 : from;
  if (!ENTRIES_PER_STEP[reason] || !Number.isSafeInteger(count) || count < 0 || count > MAX_BATCH)
    return denied(m, `set_pte: reason ${reason}, ${count} entries, denied`);
  // Most are short: they get no step of their own.
  const left = setPteStep(m, { do: 'set-pte', reason, to, from, size, at: 0 });
  if (left) m.queue(left);
}

/** One piece of a SET_PTE of many entries; answers after the last. */
export function setPteStep(m: Core, task: Task & { do: 'set-pte' }): Task | undefined {
  const { reason, from, size, at } = task;
  const count = reason === SetPte.COPY ? size / 8 : from;
  const end = Math.min(count, at + ENTRIES_PER_STEP[reason]!);
  const ok = end === at || storeEntries(m, m.state.area!, task, end);
  if (ok && end < count) return { ...task, at: end };
  m.answer(ok ? Result.SUCCESS : Result.ERROR);
  return undefined;
}

function storeEntries(m: Core, area: PageTables, task: Task & { do: 'set-pte' }, end: number): boolean {
  const { reason, to, from, at } = task;
  if (reason === SetPte.COPY) return copyEntries(m, area, to + 8 * at, from + 8 * at, 8 * (end - at));
  const pairs = batch(m, to, at, end) ?? [];
  const change = reason === SetPte.BATCH_ZERO ? zeroEntries : storeChecked;
  return (
    pairs.length > 0 &&
    pairs.every(([address, value], i) => {
      if (m.checks.listCopied) return change(m, area, address!, value!);
      if (refusal(m, area, address!, value!) !== undefined) return false;
      store(m, area, address!, m.readU64(to + 16 * (at + i) + 8));
      return true;
    })
  );
}

function copyEntries(m: Core, area: PageTables, to: number, from: number, size: number): boolean {
  // The source is host memory or the area itself.
  if (!Number.isSafeInteger(from) || !m.holds('copySource', inArea(area, from, size) || isPublic(m, from, size)))
    return deniedRange(m, from, size);
  for (let at = 0; at < size; at += 8) if (!storeChecked(m, area, to + at, m.readU64(from + at))) return false;
  m.cost += size / 8;
  return true;
}

/** MAP_PTE: the 2 MiB leaf at `entry` becomes a pointer to `table`, filled with leaves that show the same. */
export function mapPte(m: Core, entry: number, table: number): void {
  const { area } = m.state;
  const fits =
    area &&
    m.state.separated &&
    entry % 8 === 0 &&
    inArea(area, entry, 8) &&
    aligned(table) &&
    inArea(area, table, PAGE_SIZE) &&
    m.holds('mapPteTables', levelOf(area, entry) === 'middle' && levelOf(area, table) === 'leaf');
  if (!fits) return denied(m, 'map_pte: not a middle entry and a leaf table');
  const value = m.readU64(entry);
  const flags = flagsOf(value);
  if (!(flags & Pte.V) || !(flags & LEAF)) return denied(m, 'map_pte: not a valid 2 MiB leaf');
  const leaves = new Float64Array(512).map((_, i) => (frameOf(value) / PAGE_SIZE + i) * 1024 + flags);
  zeroEntries(m, area, table, PAGE_SIZE);
  leaves.forEach((leaf, i) => m.port.writeI64(pa(table + 8 * i), leaf));
  markUsed(m, area, table);
  store(m, area, entry, (table / PAGE_SIZE) * 1024 + Pte.V);
  m.cost += 512;
  m.hart.fenceVma();
  m.answer(Result.SUCCESS);
}

export function denied(m: Core, text: string): void {
  m.log(text);
  m.error();
}

export function wordsAt(m: Core, address: number): Int32Array {
  const bytes = m.read(address, PAGE_SIZE);
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, 1024)
    : new Int32Array(bytes.slice().buffer);
}

export const entryValue = (words: Int32Array, index: number): number =>
  (words[index + 1]! >>> 0) * 2 ** 32 + (words[index]! >>> 0);

// ---- pages that become private, and public again ----------------------------------------------------------------------------

/** Calls `visit` for every leaf (valid or hidden) that overlaps the range, in the tables from `from` on; returns where to go on. */
function scan(
  m: Core,
  base: number,
  size: number,
  from: number,
  visit: (address: number, value: number, inside: boolean) => boolean,
): number | undefined | 'stopped' {
  const area = m.state.area!;
  const pages = area.size / PAGE_SIZE;
  const rootPages = area.rootBytes / PAGE_SIZE;
  const middleEnd = rootPages + area.middleBytes / PAGE_SIZE;
  let scanned = 0;
  // Root tables hold no leaves.
  for (let page = Math.max(from, rootPages); page < pages; page++) {
    if (!(m.state.tables[page >> 3]! & (1 << (page & 7)))) continue;
    if (scanned++ === TABLES_PER_STEP) return page;
    m.cost += TABLE_TICKS;
    const table = area.base + page * PAGE_SIZE;
    const words = wordsAt(m, table);
    const span = page < middleEnd ? HUGE : PAGE_SIZE;
    for (let i = 0; i < 1024; i += 2) {
      if (!(words[i]! & LEAF)) continue;
      const value = entryValue(words, i);
      const frame = frameOf(value);
      if (frame >= base + size || frame + span <= base) continue;
      if (!visit(table + 4 * i, value, frame >= base && frame + span <= base + size)) return 'stopped';
    }
  }
  return undefined;
}

/**
 * Takes the V bit from every host entry that shows a page of the range. A large page that shows more than the range makes it
 * fail before anything is changed: the host must have split it.
 */
export function hideStep(m: Core, task: Task & { do: 'hide' }): Task | undefined | 'failed' {
  if (!m.checks.hostPteInvalidation) return undefined;
  const clear = task.phase === 'clear';
  let hidden = m.state.hidden;
  const next = scan(m, task.base, task.size, task.at, (address, value, inside) => {
    if (!(flagsOf(value) & Pte.V)) return true;
    if (!inside) return !m.checks.partialLeaf;
    if (!clear) return true;
    m.port.writeI64(pa(address), value - Pte.V);
    hidden = hidden.set(address / 8, true);
    return true;
  });
  m.update({ hidden });
  if (next === 'stopped') {
    m.log('a large page of the host shows more than the pages that become private');
    return 'failed';
  }
  if (next !== undefined) return { ...task, at: next };
  if (!clear) return { ...task, phase: 'clear', at: 0 };
  m.hart.fenceVma();
  return undefined;
}

/** Gives the V bit back to the entries that lost it, for pages that are public again. */
export function showStep(m: Core, task: Task & { do: 'show' }): Task | undefined {
  if (m.state.hidden.size === 0) return undefined;
  let hidden = m.state.hidden;
  const area = m.state.area!;
  const next = scan(m, task.base, task.size, task.at, (address, value) => {
    if (flagsOf(value) & Pte.V || !hidden.has(address / 8)) return true;
    const span = levelOf(area, address) === 'middle' ? HUGE : PAGE_SIZE;
    if (privateIn(m, frameOf(value), span)) return true;
    m.port.writeI64(pa(address), value + Pte.V);
    hidden = hidden.delete(address / 8);
    return true;
  });
  m.update({ hidden });
  return typeof next === 'number' ? { ...task, at: next } : undefined;
}

// ---- satp under TVM ---------------------------------------------------------------------------------------------------------

/** Sv39 with a root strictly inside the root part (its first page excluded). */
export function rootAllowed(m: Core, satp: bigint): boolean {
  if (!m.checks.tvmRootCheck) return true;
  const { area } = m.state;
  if (!area || satp >> 60n !== 8n) return false;
  const root = Number(satp & 0xfff_ffff_ffffn) * PAGE_SIZE;
  return root > area.base && root < area.base + area.rootBytes;
}

/**
 * Emulates what TVM traps in S-mode: reads and writes of satp, and SFENCE.VMA. False when the instruction is none of these,
 * comes from another level, or would set a root that is not allowed: it is illegal then.
 */
export function emulateTvm(m: Core, instruction: number, from: Privilege): boolean {
  if (!m.holds('tvmSupervisor', from === Privilege.Supervisor) || (instruction & 0x7f) !== 0x73) return false;
  const hart = m.hart;
  const [rd, funct3, rs1] = [(instruction >>> 7) & 31, (instruction >>> 12) & 7, (instruction >>> 15) & 31];
  if (funct3 === 0) {
    if (instruction >>> 25 !== 9) return false;
    hart.fenceVma();
  } else {
    if (instruction >>> 20 !== Csr.satp || funct3 === 4) return false;
    const old = hart.readCsr(Csr.satp);
    const operand = funct3 >= 4 ? BigInt(rs1) : hart.getX64(rs1);
    const kind = funct3 & 3;
    if (kind === 1 || rs1 !== 0) {
      const value = kind === 1 ? operand : kind === 2 ? old | operand : old & ~operand;
      if (!rootAllowed(m, value)) {
        m.log(`satp := 0x${value.toString(16)} denied: not a root of the page-table area`);
        return false;
      }
      hart.writeCsr(Csr.satp, value);
      hart.fenceVma();
    }
    if (rd !== 0) hart.setX64(rd, old);
  }
  hart.mepc = va(hart.mepc + 4);
  return true;
}

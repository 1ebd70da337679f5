/**
 * The host's page tables: all of them lie in the page-table area, which PMP lets S-mode only read; the host changes an entry by
 * asking (SET_PTE, MAP_PTE), and this file says yes or no. Owns the area's structure, satp's emulation under TVM, and taking
 * pages out of the host's sight when they become private. Must never store an entry that shows a private page or that points
 * to a table outside the area. (Penglai-TVM's monitor, memory protection model; privileged specification, Sv39.)
 */
import { Privilege } from '../emulator/hart/types';
import { PAGE_SIZE, pa, va } from '../emulator/units';
import { Csr, Mstatus, PmpEntry, Pte, Result, SetPte } from './abi';
import type { Core } from './core';
import { BITMAP_PER_STEP, LARGE_PAGES_PER_STEP, TABLES_PER_STEP, TABLE_TICKS } from './costs';
import { PUBLIC, aligned, isPublic, ordinary } from './pages';
import type { PageTables } from './state';
import type { Task } from './task';
import { setPmp } from './pmp';

const LEAF = Pte.R | Pte.W | Pte.X;
const HUGE = 512 * PAGE_SIZE;
/** Entries of one batch; more is refused, so that one step stays short. */
const MAX_BATCH = 65536;

type Level = 'root' | 'middle' | 'leaf';

function levelOf(area: PageTables, address: number): Level {
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
function refusal(m: Core, area: PageTables, address: number, value: number): string | undefined {
  if (!Number.isSafeInteger(address) || address % 8 !== 0 || !inArea(area, address, 8))
    return 'the entry does not lie in the page-table area';
  if (!Number.isSafeInteger(value) || value < 0) return 'reserved bits of the entry are set';
  const flags = flagsOf(value);
  if (!m.checks.setPteOwnership || !(flags & Pte.V)) return undefined;
  const level = levelOf(area, address);
  const frame = frameOf(value);
  if (!(flags & LEAF)) {
    if (level === 'leaf') return 'a leaf table cannot point to another table';
    const next = level === 'root' ? 'middle' : 'leaf';
    return inArea(area, frame, PAGE_SIZE) && levelOf(area, frame) === next
      ? undefined
      : `the next table lies outside the ${next} part of the page-table area`;
  }
  if (level === 'root') return 'a root table takes no leaves';
  const size = level === 'middle' ? HUGE : PAGE_SIZE;
  if (frame % size !== 0) return 'a large page is not aligned';
  // Devices, and what PMP guards anyway (monitor, tables, bitmap), may be named: the access fails or is harmless.
  return privateIn(m, frame, size) ? 'the page is private' : undefined;
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
  if (m.state.hidden.has(address)) m.update({ hidden: m.state.hidden.delete(address) });
  if (value !== 0) markUsed(m, area, address);
}

function markUsed(m: Core, area: PageTables, address: number): void {
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
  if (!whole || !Number.isSafeInteger(address + size) || !inArea(area, address, size))
    return deniedRange(m, address, size);
  m.port.fill(pa(address), size, 0);
  if (m.state.hidden.size > 0)
    m.update({
      hidden: m.state.hidden.withMutations((hidden) => {
        for (let at = address; at < address + size; at += 8) hidden.delete(at);
      }),
    });
  m.cost += size >> 6;
  return true;
}

function deniedRange(m: Core, address: number, size: number): false {
  m.log(`set_pte: 0x${address.toString(16)}, ${size} bytes, denied: not a range of the page-table area`);
  return false;
}

/** The 64-bit pairs of a batch in host memory; undefined when it can't be read. */
function batch(m: Core, list: number, count: number): number[][] | undefined {
  if (!Number.isSafeInteger(count) || count < 0 || count > MAX_BATCH) return undefined;
  if (count === 0) return [];
  if (!Number.isSafeInteger(list) || list % 8 !== 0 || !isPublic(m, list, 16 * count)) return undefined;
  const bytes = m.read(list, 16 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  m.cost += count;
  const number = (at: number) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  return Array.from({ length: count }, (_, i) => [number(16 * i), number(16 * i + 8)]);
}

/** SET_PTE. Entries before a denied one are stored, the denied one and what follows are not. */
export function setPte(m: Core, reason: number, address: number, second: number, size: number): void {
  const { area } = m.state;
  if (!area || !m.state.separated) return m.error();
  let ok = false;
  if (reason === SetPte.ONE) ok = storeChecked(m, area, address, Number(m.hart.getX64(12)));
  else if (reason === SetPte.ZERO) ok = zeroEntries(m, area, address, size);
  else if (reason === SetPte.COPY) ok = copyEntries(m, area, address, second, size);
  else if (reason === SetPte.BATCH_ZERO)
    ok = batch(m, address, second)?.every(([at, bytes]) => zeroEntries(m, area, at!, bytes!)) ?? false;
  else if (reason === SetPte.BATCH_SET)
    ok = batch(m, address, second)?.every(([at, value]) => storeChecked(m, area, at!, value!)) ?? false;
  m.answer(ok ? Result.SUCCESS : Result.ERROR);
}

function copyEntries(m: Core, area: PageTables, to: number, from: number, size: number): boolean {
  if (!Number.isSafeInteger(size) || size < 0 || size > HUGE || size % 8 !== 0) return deniedRange(m, to, size);
  // The source is host memory or the area itself.
  if (!Number.isSafeInteger(from) || !(inArea(area, from, size) || isPublic(m, from, size)))
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
    levelOf(area, entry) === 'middle' &&
    aligned(table) &&
    inArea(area, table, PAGE_SIZE) &&
    levelOf(area, table) === 'leaf';
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

function denied(m: Core, text: string): void {
  m.log(text);
  m.error();
}

/** SM_INIT: the page-table area and the ownership bitmap, both NAPOT ranges of host memory, once. */
export function smInit(m: Core, base: number, size: number, mapBase: number, mapSize: number, flag: number): void {
  const napot = (at: number, bytes: number) =>
    aligned(at) && aligned(bytes) && bytes > 0 && Math.log2(bytes) % 1 === 0 && at % bytes === 0;
  const pages = m.options.ramSize / PAGE_SIZE;
  const fits =
    !m.state.area &&
    napot(base, size) &&
    napot(mapBase, mapSize) &&
    mapSize >= 4 * pages &&
    ordinary(m, base, size) &&
    ordinary(m, mapBase, mapSize) &&
    (base + size <= mapBase || mapBase + mapSize <= base);
  if (!fits || (flag !== 0 && !ordinary(m, flag, 4))) return denied(m, 'sm_init: refused');
  m.update({
    area: { base, size, rootBytes: 0, middleBytes: 0 },
    bitmap: { base: mapBase, size: mapSize },
    tables: new Uint8Array(Math.ceil(size / PAGE_SIZE / 8)),
  });
  if (m.checks.ptAreaPmp) setPmp(m, PmpEntry.PT_AREA, base, size, 'read');
  setPmp(m, PmpEntry.BITMAP, mapBase, mapSize, 'none');
  m.hart.fenceVma();
  m.queue({ do: 'publish', at: 0, flag });
}

/** One piece of SM_INIT: every page is public. */
export function publishStep(m: Core, task: Task & { do: 'publish' }): Task | undefined {
  const { base, size } = m.state.bitmap!;
  const length = Math.min(BITMAP_PER_STEP, size - task.at);
  m.port.write(pa(base + task.at), new Uint8Array(new Int32Array(length / 4).fill(PUBLIC).buffer));
  m.cost += length >> 6;
  const at = task.at + length;
  if (at < size) return { ...task, at };
  if (task.flag !== 0) m.port.writeU32(pa(task.flag), 1);
  m.answer(Result.SUCCESS);
  return undefined;
}

/** PT_AREA_SEPARATION: the area's parts; what already lies in it is checked like a SET_PTE, and TVM is turned on. */
export function separate(m: Core, rootOrder: number, middleOrder: number): void {
  const { area } = m.state;
  const order = (value: number) => Number.isInteger(value) && value >= 0 && value <= 20;
  if (!area || m.state.separated || !order(rootOrder) || !order(middleOrder))
    return denied(m, 'pt_area_separation: refused');
  const rootBytes = PAGE_SIZE * 2 ** rootOrder;
  const middleBytes = PAGE_SIZE * 2 ** middleOrder;
  if (rootBytes + middleBytes >= area.size) return denied(m, 'pt_area_separation: no room for leaf tables');
  m.update({ area: { ...area, rootBytes, middleBytes }, tasks: [{ do: 'separate', at: 0 }] });
}

/** One piece of the check of PT_AREA_SEPARATION; `at` is the number of an entry, counted from the start of the area. */
export function separateStep(m: Core, task: Task & { do: 'separate' }): Task | undefined {
  const area = m.state.area!;
  const entries = area.size / 8;
  const end = Math.min(task.at + TABLES_PER_STEP * 512, entries);
  let large = 0;
  let at = task.at;
  for (let words: Int32Array = new Int32Array(0); at < end && large < LARGE_PAGES_PER_STEP; at++) {
    if (at % 512 === 0 || at === task.at) words = wordsAt(m, area.base + Math.floor(at / 512) * PAGE_SIZE);
    const i = 2 * (at % 512);
    if ((words[i]! | words[i + 1]!) === 0) continue;
    const address = area.base + 8 * at;
    const why = refusal(m, area, address, entryValue(words, i));
    if (why !== undefined) return separationFailed(m, area, why);
    if (words[i]! & LEAF && levelOf(area, address) === 'middle') large++;
    markUsed(m, area, address);
  }
  m.cost += Math.ceil((at - task.at) / 32);
  if (at < entries) return { ...task, at };
  const satp = m.hart.readCsr(Csr.satp);
  if (satp >> 60n !== 0n && !rootAllowed(m, satp)) return separationFailed(m, area, 'satp names a root outside of it');
  m.update({ separated: true });
  m.hart.writeCsr(Csr.mstatus, m.hart.readCsr(Csr.mstatus) | Mstatus.TVM);
  m.answer(Result.SUCCESS);
  return undefined;
}

function separationFailed(m: Core, area: PageTables, why: string): undefined {
  m.update({ area: { ...area, rootBytes: 0, middleBytes: 0 } });
  denied(m, `pt_area_separation: ${why}`);
}

function wordsAt(m: Core, address: number): Int32Array {
  const bytes = m.read(address, PAGE_SIZE);
  return bytes.byteOffset % 4 === 0
    ? new Int32Array(bytes.buffer, bytes.byteOffset, 1024)
    : new Int32Array(bytes.slice().buffer);
}

const entryValue = (words: Int32Array, index: number): number =>
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
    if (!inside) return false;
    if (!clear) return true;
    m.port.writeI64(pa(address), value - Pte.V);
    hidden = hidden.set(address, true);
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
    if (flagsOf(value) & Pte.V || !hidden.has(address)) return true;
    const span = levelOf(area, address) === 'middle' ? HUGE : PAGE_SIZE;
    if (privateIn(m, frameOf(value), span)) return true;
    m.port.writeI64(pa(address), value + Pte.V);
    hidden = hidden.delete(address);
    return true;
  });
  m.update({ hidden });
  return typeof next === 'number' ? { ...task, at: next } : undefined;
}

// ---- satp under TVM ---------------------------------------------------------------------------------------------------------

/** Sv39 with a root strictly inside the root part (its first page excluded). */
function rootAllowed(m: Core, satp: bigint): boolean {
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
  if (from !== Privilege.Supervisor || (instruction & 0x7f) !== 0x73) return false;
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

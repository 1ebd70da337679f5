/**
 * The page-table area of the host: SM_INIT, which names it and the ownership bitmap, and PT_AREA_SEPARATION, which divides it and
 * checks what already lies in it. Both are done once, at boot, cut into steps. (Penglai-TVM's monitor, memory protection model.)
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { Csr, Mstatus, PmpEntry, Result } from './abi';
import type { Core } from './core';
import { BITMAP_PER_STEP, LARGE_PAGES_PER_STEP, TABLES_PER_STEP } from './costs';
import { LEAF } from './enclave-tables';
import { denied, entryValue, levelOf, markUsed, refusal, rootAllowed, wordsAt } from './page-tables';
import { PUBLIC, aligned, ordinary } from './pages';
import { setPmp } from './pmp';
import type { PageTables } from './state';
import type { Task } from './task';

/** SM_INIT: the page-table area and the ownership bitmap, both NAPOT ranges of host memory, once. */
export function smInit(m: Core, base: number, size: number, mapBase: number, mapSize: number, flag: number): void {
  const napot = (at: number, bytes: number) =>
    aligned(at) && aligned(bytes) && bytes > 0 && Math.log2(bytes) % 1 === 0 && at % bytes === 0;
  const pages = m.options.ramSize / PAGE_SIZE;
  const fits =
    m.holds('smInitOnce', !m.state.area) &&
    napot(base, size) &&
    napot(mapBase, mapSize) &&
    mapSize >= 4 * pages &&
    ordinary(m, base, size) &&
    ordinary(m, mapBase, mapSize) &&
    m.holds('smInitDisjoint', base + size <= mapBase || mapBase + mapSize <= base);
  // Not into what becomes the monitor's by this call.
  const apart = (at: number, bytes: number) => flag + 4 <= at || at + bytes <= flag;
  const flagFits = flag === 0 || (ordinary(m, flag, 4) && apart(base, size) && apart(mapBase, mapSize));
  if (!fits || !flagFits) return denied(m, 'sm_init: refused');
  m.update({
    area: { base, size, rootBytes: 0, middleBytes: 0 },
    bitmap: { base: mapBase, size: mapSize },
    tables: new Uint8Array(Math.ceil(size / PAGE_SIZE / 8)),
  });
  if (m.checks.ptAreaPmp) setPmp(m, PmpEntry.PT_AREA, base, size, 'read');
  if (m.checks.bitmapPmp) setPmp(m, PmpEntry.BITMAP, mapBase, mapSize, 'none');
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
    if (at % 512 === 0 || at === task.at) {
      const table = area.base + Math.floor(at / 512) * PAGE_SIZE;
      // Most of the area at boot, and reading it would take longer than the rest of booting (65 ms for 1 GiB of RAM).
      if (m.port.untouched(pa(table))) {
        at = Math.min(end, (Math.floor(at / 512) + 1) * 512) - 1;
        continue;
      }
      words = wordsAt(m, table);
    }
    const i = 2 * (at % 512);
    if ((words[i]! | words[i + 1]!) === 0) continue;
    const address = area.base + 8 * at;
    const why = refusal(m, area, address, entryValue(words, i));
    if (why !== undefined && m.checks.separationTables) return separationFailed(m, area, why);
    if (words[i]! & LEAF && levelOf(area, address) === 'middle') large++;
    markUsed(m, area, address);
  }
  m.cost += Math.ceil((at - task.at) / 32);
  if (at < entries) return { ...task, at };
  const satp = m.hart.readCsr(Csr.satp);
  if (!m.holds('separationRoot', satp >> 60n === 0n || rootAllowed(m, satp)))
    return separationFailed(m, area, 'satp names a root outside of it');
  m.update({ separated: true });
  m.hart.writeCsr(Csr.mstatus, m.hart.readCsr(Csr.mstatus) | Mstatus.TVM);
  m.answer(Result.SUCCESS);
  return undefined;
}

function separationFailed(m: Core, area: PageTables, why: string): undefined {
  m.update({ area: { ...area, rootBytes: 0, middleBytes: 0 } });
  denied(m, `pt_area_separation: ${why}`);
}

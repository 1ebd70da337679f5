/**
 * The check of the page tables a driver built for a new enclave. Owns what may lie in them, and how the pages of a template are marked
 * so that its instances can share them. Must believe nothing the driver wrote.
 */
import { PAGE_SIZE, pa } from '../emulator/units';
import { EnclaveVa, Pte } from './abi';
import type { Core } from './core';
import { CHECKED_TABLES_PER_STEP, TABLE_TICKS } from './costs';
import { COPY_ON_WRITE, LEAF, frameOf, walkTables, words32 } from './enclave-tables';
import { PageKind, owns, ownsAll, reuse } from './pages';
import type { Task } from './task';

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
  /** Most pages lie one behind the other: together they take a twentieth of the time. */
  const useRun = (first: number, count: number): boolean => {
    if (count === 0) return true;
    const size = count * PAGE_SIZE;
    if (first >= base + PAGE_SIZE && first + size <= free && ownsAll(m, first, size, instance, PageKind.Free)) {
      reuse(m, first, size, PageKind.Data, instance);
      return true;
    }
    for (let i = 0; i < count; i++) if (!use(first + i * PAGE_SIZE, PageKind.Data)) return false;
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
      let [first, count] = [0, 0];
      for (let i = 0; i < 512; i++) {
        const low = words[2 * i]!;
        if (!(low & Pte.V)) continue;
        if (!(low & LEAF) || !(low & Pte.U) || words[2 * i + 1]! >= 1 << 22) return false;
        if ((vpn + i) * PAGE_SIZE >= EnclaveVa.STACK_TOP) return false;
        const frame = frameOf(words[2 * i + 1]! * 2 ** 32 + low);
        if (frame !== first + count * PAGE_SIZE) {
          if (!useRun(first, count)) return false;
          [first, count] = [frame, 0];
        }
        count++;
        if (task.template && m.checks.templateReadOnly) words[2 * i] = templateEntry(low);
      }
      if (!useRun(first, count)) return false;
      if (task.template) m.port.write(pa(table), new Uint8Array(words.buffer, words.byteOffset, PAGE_SIZE));
      return true;
    },
    (table) => use(table, PageKind.Table),
  );
  if (next === 'stopped') return refused(m, 'a page table');
  return next === undefined ? undefined : { ...task, at: next };
}

/** The low half of an entry as instances share it: nobody writes the page, and no walk has to set A or D in the table. */
function templateEntry(low: number): number {
  const writable = (low & Pte.W) !== 0;
  return ((low & ~(Pte.W | COPY_ON_WRITE)) | Pte.A | Pte.D | (writable ? COPY_ON_WRITE : 0)) >>> 0;
}

function refused(m: Core, what: string): 'failed' {
  m.log(`create: ${what} of the new enclave names pages outside of its pool, or twice`);
  return 'failed';
}

/** What a hostile kernel does to its page tables: SET_PTE in all of its forms, MAP_PTE, satp. */
import { PAGE_SIZE } from '../../../emulator/units';
import { Pte, Sbi, SetPte } from '../../../monitor/abi';
import { Layout, MIB, RAM_START, leaf, pointer, satpOf } from '../../integration/attacks/world';
import { mostly, odd, weighted } from '../values';
import type { KernelWorld } from './world';

const HUGE = 2 * MIB;
/** Tables of each part that the fuzz may fill; the kernel's own are others. */
const TABLES = { root: 2, middle: 4, leaf: 8 } as const;
type Level = keyof typeof TABLES;

/** Where an entry of a level lies. */
function entryAt(w: KernelWorld, level: Level): number {
  const first = { root: Layout.root + 2 * PAGE_SIZE, middle: Layout.middle, leaf: Layout.leaf }[level];
  return first + PAGE_SIZE * w.r.below(TABLES[level]) + 8 * w.r.below(level === 'root' ? 4 : 64);
}

/** An entry of a level: mostly one that is allowed. */
function entryFor(w: KernelWorld, level: Level): bigint {
  const { r } = w;
  const flags = r.pick([0xcf, 0xc3, 0xc7, 0xdf, 0x1f, Pte.V + Pte.R, 0xce, 0]);
  if (r.once(10)) return odd(r, leaf(w.anyFrame(), flags));
  if (level === 'leaf') return BigInt(leaf(r.once(5) ? w.anyFrame() : w.publicFrame(), flags));
  const next =
    level === 'root'
      ? Layout.middle + PAGE_SIZE * r.below(TABLES.middle)
      : Layout.leaf + PAGE_SIZE * r.below(TABLES.leaf);
  if (level === 'middle' && r.once(2)) return BigInt(leaf(RAM_START + HUGE * r.below(32), flags));
  return BigInt(r.once(8) ? 0 : pointer(next));
}

const level = (w: KernelWorld): Level =>
  weighted(w.r, [
    [1, 'root'],
    [3, 'middle'],
    [8, 'leaf'],
  ] as const);

function pairs(w: KernelWorld, count: number): bigint[] {
  return Array.from({ length: count }, () => {
    const at = level(w);
    return [mostly(w.r, entryAt(w, at), 60), entryFor(w, at)];
  }).flat();
}

export function tables(w: KernelWorld): void {
  const { r } = w;
  const call = (name: string, ...args: (number | bigint)[]) => w.call('page-table', name, Sbi.SET_PTE, args);
  const count = r.between(1, 8);
  weighted<() => void>(r, [
    [
      10,
      () => {
        const at = level(w);
        call('SET_PTE one', SetPte.ONE, mostly(r, entryAt(w, at), 15), entryFor(w, at));
      },
    ],
    [
      3,
      () => call('SET_PTE zero', SetPte.ZERO, mostly(r, entryAt(w, level(w)), 15), 0, mostly(r, 8 * r.between(1, 32))),
    ],
    [
      4,
      () => {
        w.putWords(w.param, pairs(w, count));
        call('SET_PTE batch', SetPte.BATCH_SET, w.mostlyParam(), mostly(r, count, 15));
      },
    ],
    [
      2,
      () => {
        w.putWords(
          w.param,
          Array.from({ length: count }, () => [mostly(r, entryAt(w, 'leaf'), 40), BigInt(8 * r.below(64))]).flat(),
        );
        call('SET_PTE batch zero', SetPte.BATCH_ZERO, w.mostlyParam(), mostly(r, count, 15));
      },
    ],
    [
      3,
      () => {
        w.putWords(
          w.param,
          Array.from({ length: count }, () => entryFor(w, 'leaf')),
        );
        const from = r.once(4) ? entryAt(w, 'leaf') : w.mostlyParam();
        call('SET_PTE copy', SetPte.COPY, mostly(r, entryAt(w, 'leaf'), 15), from, mostly(r, 8 * count, 15));
      },
    ],
    [1, () => call('SET_PTE other', r.between(0, 9), odd(r), odd(r), odd(r))],
    [3, () => mapPte(w)],
    [w.space === Layout.kernelRoot / PAGE_SIZE ? 2 : 12, () => satp(w)],
  ])();
}

/** Splits a large page, which is put there first. */
function mapPte(w: KernelWorld): void {
  const entry = entryAt(w, 'middle');
  const large = BigInt(leaf(Layout.blocks + HUGE * w.r.below(16)));
  if (!w.r.once(4)) w.call('page-table', 'SET_PTE one', Sbi.SET_PTE, [SetPte.ONE, entry, large]);
  w.call('page-table', 'MAP_PTE', Sbi.MAP_PTE, [
    mostly(w.r, entry, 12),
    mostly(w.r, Layout.leaf + PAGE_SIZE * w.r.below(TABLES.leaf), 12),
  ]);
}

/** Another space, mostly the kernel's own. */
function satp(w: KernelWorld): void {
  const { r } = w;
  const root = r.once(6) ? Layout.root + 2 * PAGE_SIZE : Layout.kernelRoot;
  w.satp(r.once(4) ? odd(r, satpOf(root)) : satpOf(root));
}

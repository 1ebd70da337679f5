import assert from 'node:assert/strict';
import { buddyAllocate, buddyFree, buddyFreePages, buddyFrom, type Buddy } from '../../../emulator/linux/memory/buddy';
import { areaAt, findHole, withArea, withoutRange, withProt } from '../../../emulator/linux/memory/areas';
import { layoutOf, MMAP_TOP, RAM_BASE } from '../../../emulator/linux/memory/layout';
import type { Area, Memory } from '../../../emulator/linux/state';

const ORDER = 10;
const whole = (): Buddy => buddyFrom(ORDER, [{ first: 0, count: 1024 }]);

describe('The page allocator', () => {
  it('gives naturally aligned blocks, lowest address first', () => {
    const first = buddyAllocate(whole(), ORDER, 0)!;
    assert.equal(first.page, 0);
    const second = buddyAllocate(first.tree, ORDER, 4)!;
    assert.equal(second.page, 16);
    assert.equal(buddyAllocate(second.tree, ORDER, 0)!.page, 1);
  });

  it('leaves reserved pages alone', () => {
    let tree = buddyFrom(ORDER, [{ first: 3, count: 2 }]);
    const pages: number[] = [];
    for (let got = buddyAllocate(tree, ORDER, 0); got; got = buddyAllocate(tree, ORDER, 0)) {
      pages.push(got.page);
      tree = got.tree;
    }
    assert.deepEqual(pages, [3, 4]);
  });

  it('never hands out a page twice, and merges everything again when all is freed', () => {
    let tree = whole();
    let state = 1;
    const held: { page: number; order: number }[] = [];
    const owner = new Int32Array(1024).fill(-1);
    for (let step = 0; step < 3000; step++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const order = (state >>> 20) % 6;
      if (state % 3 === 0 && held.length > 0) {
        const { page, order: freed } = held.splice((state >>> 8) % held.length, 1)[0]!;
        tree = buddyFree(tree, ORDER, freed, page)!;
        owner.fill(-1, page, page + 2 ** freed);
        continue;
      }
      const got = buddyAllocate(tree, ORDER, order);
      if (!got) continue;
      assert.equal(got.page % 2 ** order, 0);
      assert.ok(owner.subarray(got.page, got.page + 2 ** order).every((value) => value === -1));
      owner.fill(step, got.page, got.page + 2 ** order);
      held.push({ page: got.page, order });
      tree = got.tree;
      assert.equal(buddyFreePages(tree, ORDER), owner.filter((value) => value === -1).length);
    }
    for (const { page, order } of held) tree = buddyFree(tree, ORDER, order, page)!;
    assert.equal(buddyAllocate(tree, ORDER, ORDER)!.page, 0);
  });

  it('says which pages of a block hold old content', () => {
    const got = buddyAllocate(whole(), ORDER, 1)!;
    const freed = buddyFree(got.tree, ORDER, 1, got.page)!;
    assert.deepEqual(buddyAllocate(freed, ORDER, 2)!.dirty, [{ first: 0, count: 2 }]);
    assert.deepEqual(buddyAllocate(whole(), ORDER, 2)!.dirty, []);
  });

  it('takes pages that were in use before; new ones only when none of these is left', () => {
    let tree = whole();
    let high = 0;
    let state = 7;
    const held: number[] = [];
    const freed = new Set<number>();
    for (let step = 0; step < 4000; step++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if ((state >>> 9) % 5 < 2 && held.length > 0) {
        const [page] = held.splice((state >>> 12) % held.length, 1) as [number];
        tree = buddyFree(tree, ORDER, 0, page)!;
        freed.add(page);
        continue;
      }
      const got = buddyAllocate(tree, ORDER, 0);
      if (!got) break;
      if (freed.size > 0)
        assert.ok(freed.delete(got.page), `page ${got.page} is new, ${freed.size} freed ones are there`);
      else assert.equal(got.page, high++);
      held.push(got.page);
      tree = got.tree;
    }
    assert.ok(high > 300);
  });

  it('takes a larger block from what was in use before, if that is free as a whole', () => {
    let tree = whole();
    for (let i = 0; i < 3; i++) tree = buddyAllocate(tree, ORDER, 4)!.tree;
    tree = buddyFree(tree, ORDER, 4, 16)!;
    assert.equal(buddyAllocate(tree, ORDER, 3)!.page, 16);
    assert.equal(buddyAllocate(tree, ORDER, 4)!.page, 16);
    assert.equal(buddyAllocate(tree, ORDER, 5)!.page, 64);
  });

  it('refuses to free what is free, misaligned, outside or larger than what was given', () => {
    const { tree } = buddyAllocate(whole(), ORDER, 2)!;
    assert.equal(buddyFree(tree, ORDER, 0, 8), undefined);
    assert.equal(buddyFree(tree, ORDER, 1, 1), undefined);
    assert.equal(buddyFree(tree, ORDER, 3, 0), undefined);
    assert.equal(buddyFree(tree, ORDER, 0, 4096), undefined);
    assert.equal(buddyFree(tree, ORDER, 0, -1), undefined);
    assert.equal(buddyFree(tree, ORDER, 0, 0.5), undefined);
  });
});

const anonymous = (start: number, end: number, prot = 3): Area => ({
  start,
  end,
  prot,
  shared: false,
  name: '',
  backing: { kind: 'anonymous' },
  writeBack: 0,
});
const ranges = (areas: readonly Area[]): number[][] => areas.map(({ start, end, prot }) => [start, end, prot]);

describe('Areas of an address space', () => {
  it('anonymous neighbours with the same permissions become one', () => {
    const areas = withArea(withArea([anonymous(0x1000, 0x2000)], anonymous(0x3000, 0x4000)), anonymous(0x2000, 0x3000));
    assert.deepEqual(ranges(areas), [[0x1000, 0x4000, 3]]);
  });

  it('taking out the middle leaves both ends, with the file offset moved along', () => {
    const file: Area = {
      ...anonymous(0, 0x4000),
      backing: { kind: 'file', inode: 7, offset: 0x100000, length: 0x3800 },
    };
    const [low, high] = withoutRange([file], 0x1000, 0x2000);
    assert.deepEqual([low!.start, low!.end, high!.start, high!.end], [0, 0x1000, 0x2000, 0x4000]);
    assert.ok(high!.backing.kind === 'file');
    assert.deepEqual([high!.backing.offset, high!.backing.length], [0x102000, 0x1800]);
  });

  it('permissions change exactly in the range', () => {
    assert.deepEqual(ranges(withProt([anonymous(0, 0x5000)], 0x1000, 0x3000, 1)), [
      [0, 0x1000, 3],
      [0x1000, 0x3000, 1],
      [0x3000, 0x5000, 3],
    ]);
  });

  it('any sequence of changes leaves each page with what was done to it last, in as few areas as can be', () => {
    const PAGES = 40;
    const model = new Array<number>(PAGES).fill(-1);
    let areas: readonly Area[] = [];
    let state = 7;
    const dice = (sides: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % sides;
    };
    for (let step = 0; step < 3000; step++) {
      const first = dice(PAGES);
      const last = first + 1 + dice(PAGES - first);
      const [start, end, prot] = [first * 4096, last * 4096, dice(3)];
      const kind = dice(3);
      if (kind === 0) areas = withoutRange(areas, start, end);
      else if (kind === 1) areas = withProt(areas, start, end, prot);
      else areas = withArea(withoutRange(areas, start, end), { ...anonymous(start, end), prot });
      for (let page = first; page < last; page++)
        if (kind !== 1 || model[page] !== -1) model[page] = kind === 0 ? -1 : prot;
      const found = model.map((_, page) => areaAt({ areas } as Memory, page * 4096)?.prot ?? -1);
      assert.deepEqual(found, model, `step ${step}`);
      areas.forEach((area, i) => {
        const before = areas[i - 1];
        assert.ok(area.start < area.end && (!before || before.end <= area.start));
        assert.ok(!before || before.end < area.start || before.prot !== area.prot, 'neighbours of one kind are one');
      });
    }
  });

  it('the highest hole that fits is found; an address belongs to at most one area', () => {
    const areas = [anonymous(0x20000, 0x30000), anonymous(MMAP_TOP - 0x3000, MMAP_TOP - 0x1000)];
    const memory = { areas } as unknown as Memory;
    assert.equal(findHole(memory, 0x1000), MMAP_TOP - 0x1000);
    assert.equal(findHole(memory, 0x2000), MMAP_TOP - 0x5000);
    assert.equal(findHole(memory, MMAP_TOP), undefined);
    assert.equal(areaAt(memory, 0x2ffff), areas[0]);
    assert.equal(areaAt(memory, 0x30000), undefined);
  });
});

describe('The physical layout', () => {
  for (const mib of [32, 64, 256, 1024, 2048, 3072])
    it(`with ${mib} MiB protects areas that are powers of two, aligned and apart`, () => {
      const { tables, free, ramEnd } = layoutOf(mib * 1024 * 1024);
      assert.equal(ramEnd, RAM_BASE + mib * 1024 * 1024);
      for (const [base, size] of [
        [tables.base, tables.size],
        [tables.bitmapBase, tables.bitmapSize],
      ] as const) {
        assert.equal(Math.log2(size) % 1, 0);
        assert.equal(base % size, 0);
        assert.ok(base >= RAM_BASE + 0x200000 && base + size <= ramEnd);
        for (const range of free) assert.ok(range.end <= base || base + size <= range.start);
      }
      assert.ok(tables.bitmapSize >= ((ramEnd - RAM_BASE) / 4096) * 4);
      assert.ok(tables.rootPages + tables.middlePages < tables.size / 4096);
    });

  it('refuses a machine that is too small, with the remedy', () => {
    assert.throws(() => layoutOf(1024 * 1024), /Change the memory size/);
  });
});

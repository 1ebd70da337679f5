/**
 * The cached translations against the walk they stand for. The guest is random privileged programs (test/differential/privileged): page
 * tables of all shapes that change, SUM, MXR, MPRV, PMP entries of all sizes, jumps and stores everywhere.
 */
import assert from 'node:assert/strict';
import type { CodeCache } from '../../../emulator/engine/code-cache';
import type { Host } from '../../../emulator/engine/host';
import type { Hart } from '../../../emulator/hart/hart';
import { Access } from '../../../emulator/hart/mmu';
import { Right } from '../../../emulator/hart/pmp';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { Area, Bank, HartWord, Second } from '../../../emulator/machine/layout';
import { Mark, ramOffset, type PhysicalMemory } from '../../../emulator/machine/memory';
import { NO_SPACE, pa, tick, va } from '../../../emulator/units';
import { Choices } from '../../differential/privileged/choices';
import { Pages, RAM, RAM_BYTES, REGION_BYTES, regionOf, SAVE, Saved } from '../../differential/privileged/layout';
import { makeBatch } from '../../differential/privileged/run';
import { eachEngine, engineUnderTest } from '../engine/engines';

const PAGE = 4096;
const TABLES = [
  { at: Bank.READ, entries: Bank.ENTRIES, second: Second.READ, access: Access.LOAD, right: Right.READ },
  { at: Bank.WRITE, entries: Bank.ENTRIES, second: Second.WRITE, access: Access.STORE, right: Right.WRITE },
  { at: Bank.EXEC, entries: Bank.EXEC_ENTRIES, second: Second.EXEC, access: Access.FETCH, right: Right.EXEC },
];

/** What the machine keeps to itself. */
interface Insides {
  readonly memory: PhysicalMemory;
  readonly host: Host;
}
interface Banks {
  readonly first: number;
  readonly keys: Int32Array;
  readonly live: Uint8Array;
}

/** The page of RAM whose instructions a block holds. */
function pageOfBlock(code: CodeCache, block: number): number {
  const page = code.placeOf(block)?.page;
  assert.ok(page !== undefined && code.plainBlock(page) === block);
  return page;
}

/** Asserts of every cached translation that a walk made now gives the same; returns how many there were. */
function check(machine: SoftwareMachine): number {
  const { memory, host } = machine as unknown as Insides;
  const hart = machine.harts[0]!;
  const { first, keys, live } = hart.translations as unknown as Banks;
  let count = 0;
  for (let bank = 0; bank < Bank.COUNT; bank++) {
    if (live[bank] === 0) continue;
    TABLES.forEach(({ at, entries, second, access, right }, index) => {
      const start = first + bank * Bank.WORDS;
      const same = (word: number, far: boolean): void => {
        const [low, high, value] = memory.i32.subarray(word, word + 3) as unknown as [number, number, number];
        const physical = walk(hart, memory, [...keys.subarray(3 * bank, 3 * bank + 3)], access, right, low, high);
        const page = memory.pageOf(physical);
        if (access === Access.FETCH) assert.equal(pageOfBlock(host.code, value), page);
        else assert.equal((low + value) >>> 0, ramOffset(physical));
        if (access === Access.STORE)
          assert.ok(
            memory.isOpen(page) && (memory.marks[page]! & (far ? Mark.TABLE : Mark.TABLE | Mark.CODE)) === 0,
            'a store nobody hears of',
          );
        count++;
      };
      for (let entry = 0; entry < entries; entry++) {
        const word = start + at + 4 * entry;
        if ((memory.i32[word]! & (PAGE - 1)) === 0) same(word, false);
      }
      const generation = memory.i32[start + Bank.GENERATIONS + index]!;
      const from = (Area.SECOND + second) / 4;
      for (let entry = 0; entry < (access === Access.FETCH ? Second.EXEC_ENTRIES : Second.ENTRIES); entry++)
        if (memory.i32[from + 4 * entry + 3] === generation) same(from + 4 * entry, true);
    });
  }
  return count;
}

/** Where a bank's context has an address now. It fails where the walk would change anything, or PMP tells bytes of the page apart. */
function walk(
  hart: Hart,
  memory: PhysicalMemory,
  [satpLow, satpHigh, key]: number[],
  access: Access,
  right: Right,
  low: number,
  high: number,
): number {
  const { words } = hart;
  const saved = words.slice(HartWord.SATP, HartWord.SATP + 2);
  const { beforeWrite } = memory;
  memory.beforeWrite = () => assert.fail('A or D is clear in the entry of a cached translation');
  try {
    words.set([satpLow!, satpHigh!], HartWord.SATP);
    const privilege = access === Access.FETCH ? key! & 3 : (key! >> 2) & 3;
    const context = { privilege, sum: (key! & 16) !== 0, mxr: (key! & 32) !== 0 };
    const physical = hart.mmu.translate(low, high, access, context, false);
    assert.ok(physical >= 0, 'a cached translation of an address that faults');
    assert.ok(hart.pmp.uniform(physical), 'PMP covers the page in part');
    assert.ok(hart.pmp.allows(physical, PAGE, right, privilege === 3), 'PMP forbids it');
    return physical;
  } finally {
    memory.beforeWrite = beforeWrite;
    words.set(saved, HartWord.SATP);
  }
}

/** Turns a bit of an entry of the page tables of the program that runs, as another bus master would. */
function disturb(machine: SoftwareMachine, random: Choices): void {
  const log = machine.machinePort.readI64(pa(SAVE + Saved.LOG));
  if (log < regionOf(0)) return;
  const region = RAM + Math.floor((log - RAM) / REGION_BYTES) * REGION_BYTES;
  const tables = region + PAGE * Pages.TABLES.from;
  const used = Array.from({ length: 512 * Pages.TABLES.count }, (_, i) => pa(tables + 8 * i)).filter(
    (entry) => machine.debugPort.read(NO_SPACE, va(entry), 1)[0] !== 0,
  );
  if (used.length === 0) return;
  const entry = random.pick(used);
  const [bits] = machine.debugPort.read(NO_SPACE, va(entry), 1);
  machine.machinePort.writeU8(entry, bits! ^ (1 << random.below(8)));
}

eachEngine('Cached translations', () => {
  it('are those of a fresh walk, at any tick of random privileged programs', function () {
    const machine = createMachine({ ramBytes: RAM_BYTES, ...engineUnderTest() });
    const programs = Array.from({ length: 24 }, (_, i) => 500 + i);
    machine.machinePort.write(pa(RAM), makeBatch(programs).image);
    machine.harts[0]!.pc = va(RAM);
    let checked = 0;
    for (let step = 0; machine.ending === undefined; step++) {
      assert.ok(machine.tick < 2_000_000, 'the programs do not end');
      machine.run(tick(machine.tick + 1 + ((step * 37) % 61)));
      if (step % 5 === 0) machine.snapshot();
      checked += check(machine);
    }
    assert.ok(checked > 10_000, `only ${checked} were seen`);
  });

  it('follow page tables that change under a program’s feet, without a fence', function () {
    const random = new Choices(1);
    for (let seed = 0; seed < 100; seed += 4) {
      const machine = createMachine({ ramBytes: RAM_BYTES, ...engineUnderTest() });
      machine.machinePort.write(pa(RAM), makeBatch([seed]).image);
      machine.harts[0]!.pc = va(RAM);
      for (let step = 0; step < 400 && machine.ending === undefined; step++) {
        machine.run(tick(machine.tick + 1 + random.below(40)));
        check(machine);
        if (step % 8 === 0) disturb(machine, random);
      }
    }
  });
});

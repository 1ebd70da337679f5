/** Physical memory as the checks read it: words, page tables of enclaves, the map of owners. Reads only. */
import { ramOffset, type PhysicalMemory } from '../../../emulator/machine/memory';
import type { Machine } from '../../../emulator/machine/types';
import { PAGE_SIZE, pa } from '../../../emulator/units';
import { Pte } from '../../../monitor/abi';
import { PageKind, PUBLIC } from '../../../monitor/pages';

export const RAM = 0x8000_0000;
export const LEAF = Pte.R | Pte.W | Pte.X;
export const COPY_ON_WRITE = 256;

/** Something that must hold does not. */
export class Violation extends Error {}
export function must(condition: boolean, what: () => string): asserts condition {
  if (!condition) throw new Violation(what());
}

export const hex = (value: number): string => `0x${value.toString(16)}`;

/** The bytes where they are, for looking at much of RAM after every call; gone with the next write to memory. */
export function peek(machine: Machine, address: number, length: number): Buffer {
  const { memory } = machine as unknown as { readonly memory: PhysicalMemory };
  return Buffer.from(memory.buffer, ramOffset(address), length);
}

/** A copy of the bytes, aligned. */
export const bytesAt = (machine: Machine, address: number, length: number): Uint8Array =>
  machine.machinePort.read(pa(address), length).slice();
export const wordsAt = (machine: Machine, address: number): Int32Array =>
  new Int32Array(bytesAt(machine, address, PAGE_SIZE).buffer);
/** Entry `i` of a table, as a number. */
export const entryOf = (words: Int32Array, i: number): number =>
  (words[2 * i + 1]! >>> 0) * 2 ** 32 + (words[2 * i]! >>> 0);
export const frameOf = (entry: number): number => Math.floor(entry / 1024) * PAGE_SIZE;
export const pageOf = (address: number): number => Math.floor((address - RAM) / PAGE_SIZE);

export const isPrivate = (entry: number): boolean => entry < 0;
export const ownerOf = (entry: number): number => entry & 0xfffffff;
export const kindOf = (entry: number): PageKind => (entry >>> 28) & 7;
/** Enclaves that map a public page. */
export const sharersOf = (entry: number): number => PUBLIC - entry;

export interface Mapping {
  readonly va: number;
  readonly entry: number;
  readonly frame: number;
}

/** Tables and leaves of an Sv39 space, the root first. Tables that are met twice are a violation. */
export function walk(machine: Machine, root: number): { tables: number[]; leaves: Mapping[] } {
  const tables: number[] = [];
  const leaves: Mapping[] = [];
  const visit = (table: number, level: number, base: number): void => {
    must(!tables.includes(table), () => `the table ${hex(table)} is met twice below root ${hex(root)}`);
    tables.push(table);
    const words = wordsAt(machine, table);
    for (let i = 0; i < 512; i++) {
      if (!(words[2 * i]! & Pte.V)) continue;
      const entry = entryOf(words, i);
      const va = base + i * PAGE_SIZE * 512 ** level;
      const leaf = ((entry % 1024) & LEAF) !== 0;
      must(leaf === (level === 0), () => `entry ${hex(entry)} at level ${level} of root ${hex(root)}`);
      if (leaf) leaves.push({ va, entry, frame: frameOf(entry) });
      else visit(frameOf(entry), level - 1, va);
    }
  };
  visit(root, 2, 0);
  return { tables, leaves };
}

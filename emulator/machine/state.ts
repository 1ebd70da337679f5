/**
 * The machine's state as a hash and as plain data for another process. State is: pages of RAM that are not all zero, the
 * harts' words, clock, halted, the outbox's sequence, devices, and the personalities' trees. Translations, decoded code, stops and watches
 * are not.
 */
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Hart } from '../hart/hart';
import type { Device } from './bus';
import { Canonical, fromCloneable, toCloneable } from './canonical';
import { Area, HartWord } from './layout';
import type { PhysicalMemory } from './memory';
import type { Outbox } from './outbox';
import type { Personality } from './personality';
import type { Versions } from './versions';

export interface Parts {
  readonly memory: PhysicalMemory;
  readonly harts: readonly Hart[];
  readonly outbox: Outbox<object>;
  readonly devices: readonly Device[];
  readonly personalities: { readonly machine?: Personality; readonly supervisor?: Personality };
  /** What decides how the machine goes on and is fixed when it is created. */
  readonly shape: Shape;
}

export interface Shape {
  readonly ramBytes: number;
  readonly harts: number;
  readonly clockHz: number;
  /** Ticks of a slice: of no account with one hart. */
  readonly quantum: number;
}

/** Raise this when the shape of what `saveState` returns changes. */
export const FORMAT = 2;

interface Saved {
  readonly format: number;
  readonly shape: Shape;
  /** Tick, halted, whose turn it is: the words of layout.ts's Area. */
  readonly words: Int32Array;
  readonly sequence: number;
  readonly harts: readonly Int32Array[];
  /** Page numbers, and their bytes one behind the other. */
  readonly pages: Uint32Array;
  readonly bytes: Uint8Array;
  readonly devices: readonly unknown[];
  readonly machine: unknown;
  readonly supervisor: unknown;
}

function isZero(memory: PhysicalMemory, page: number): boolean {
  const start = memory.offsetOf(page) / 4;
  const { i32 } = memory;
  for (let at = start; at < start + 1024; at++) if (i32[at] !== 0) return false;
  return true;
}

function pagesInUse(memory: PhysicalMemory): number[] {
  return [...memory.writtenPages()].filter((page) => !isZero(memory, page));
}

/** A hart's words without the one that is not state. */
function hartWords(hart: Hart): Int32Array {
  const words = hart.words.slice();
  words.fill(0, HartWord.DISCARD, HartWord.DISCARD + 2);
  return words;
}

const ZERO_PAGE = new Uint8Array(0);

/** BLAKE3 of a page, empty for one that is all zero. Remembered, so that hashing again costs the pages written since. */
function digestOf(memory: PhysicalMemory, page: number): Uint8Array {
  const known = memory.digests.get(page);
  if (known) return known;
  const digest = isZero(memory, page) ? ZERO_PAGE : blake3(memory.pageBytes(page));
  memory.digests.set(page, digest);
  return digest;
}

/** BLAKE3 of everything that is state, lower-case hex. The caller protects all pages, so that writes are seen from now on. */
export function hashState(parts: Parts): string {
  const hash = blake3.create({});
  const canonical = new Canonical(hash);
  const { memory, harts, outbox, devices, personalities, shape } = parts;
  canonical.value(shape);
  canonical.value(memory.i32.slice(0, Area.WORDS));
  canonical.number(outbox.sequence);
  canonical.value(harts.map(hartWords));
  canonical.value(devices.map((device) => device.snapshot()));
  canonical.value(personalities.machine?.snapshot());
  canonical.value(personalities.supervisor?.snapshot());
  for (const page of memory.writtenPages()) {
    const digest = digestOf(memory, page);
    if (digest.length === 0) continue;
    canonical.number(page);
    canonical.bytes(digest);
  }
  canonical.flush();
  return bytesToHex(hash.digest());
}

export function saveState(parts: Parts): unknown {
  const { memory, harts, outbox, devices, personalities, shape } = parts;
  const pages = pagesInUse(memory);
  const bytes = new Uint8Array(pages.length * 4096);
  pages.forEach((page, i) => bytes.set(memory.pageBytes(page), i * 4096));
  const saved: Saved = {
    format: FORMAT,
    shape,
    words: memory.i32.slice(0, Area.WORDS),
    sequence: outbox.sequence,
    harts: harts.map(hartWords),
    pages: Uint32Array.from(pages),
    bytes,
    devices: devices.map((device) => toCloneable(device.snapshot())),
    machine: toCloneable(personalities.machine?.snapshot()),
    supervisor: toCloneable(personalities.supervisor?.snapshot()),
  };
  return saved;
}

const shapeText = ({ ramBytes, harts, clockHz, quantum }: Shape): string =>
  `${ramBytes} bytes of RAM, ${harts} ${harts === 1 ? 'hart' : 'harts'}, a clock of ${clockHz} Hz and slices of ${quantum} ticks`;

/** Snapshots taken before are no longer related to what the memory holds. @throws Error naming both formats, or both shapes, before anything was changed */
export function loadState(parts: Parts, versions: Versions, data: unknown): void {
  const { memory, harts, outbox, devices, personalities, shape } = parts;
  const saved = data as Partial<Saved> | null | undefined;
  if (typeof saved !== 'object' || saved === null || saved.format !== FORMAT)
    throw new Error(
      `saved state has format ${String(saved?.format)}, this version reads format ${FORMAT}; run the program anew and save again`,
    );
  const state = saved as Saved;
  if (shapeText(state.shape) !== shapeText(shape))
    throw new Error(
      `saved state is of a machine with ${shapeText(state.shape)}; this one has ${shapeText(shape)}: create it alike`,
    );
  versions.forget();
  for (const page of [...memory.writtenPages()]) memory.setPage(page, undefined);
  state.pages.forEach((page, i) => memory.setPage(page, state.bytes.subarray(i * 4096, (i + 1) * 4096)));
  memory.protectAll();
  memory.i32.set(state.words);
  outbox.sequence = state.sequence;
  harts.forEach((hart, i) => hart.words.set(state.harts[i]!));
  devices.forEach((device, i) => device.restore(fromCloneable(state.devices[i])));
  personalities.machine?.restore(fromCloneable(state.machine));
  personalities.supervisor?.restore(fromCloneable(state.supervisor));
}

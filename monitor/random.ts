/**
 * getrandom of enclaves (ocall 8), handled without the host. Owns the two generators: one that the launch's seed starts, so that every
 * replay sees the same bytes, and the published monitor's, whose sequence starts at a fixed number at every boot.
 */
import { Result } from './abi';
import type { Reply } from './areas';
import type { Core } from './core';
import { makeOwn, writeVirtual } from './enclave-tables';
import { leaveForMemory } from './lifecycle';
import type { Task } from './task';

/** Bytes of one step. */
const PIECE = 16384;

export function getRandom(m: Core, reply: Reply, address: number, size: number): void {
  if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) return reply(Result.ERROR);
  if (size === 0) return reply(0);
  m.queue({ do: 'random', address, size, at: 0 });
}

export function randomStep(m: Core, task: Task & { do: 'random' }, reply: Reply): Task | undefined {
  const { address, size, at } = task;
  const length = Math.min(PIECE, size - at);
  const missing = makeOwn(m, m.enclave(m.state.running)!, address + at, length);
  if (missing > 0) {
    // The call is made again, from its start.
    leaveForMemory(m, missing);
    return undefined;
  }
  const { bytes, random } =
    m.options.random === 'device' ? published(m.state.random, length) : seeded(m.state.random, length);
  if (!writeVirtual(m, m.enclave(m.state.running)!, address + at, bytes)) {
    reply(Result.ERROR);
    return undefined;
  }
  m.update({ random });
  m.cost += length;
  if (at + length < size) return { ...task, at: at + length };
  reply(size);
  return undefined;
}

function seeded(state: number, length: number): { bytes: Uint8Array; random: number } {
  const bytes = new Uint8Array(length);
  let random = state;
  for (let i = 0; i < length; i++) {
    random = (random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(random ^ (random >>> 15), random | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    bytes[i] = (mixed ^ (mixed >>> 14)) >>> 8;
  }
  return { bytes, random };
}

/** x' = (9x + 7) mod 2^20, the bytes of each number from the most significant one down; what is left of the last is dropped. */
function published(state: number, length: number): { bytes: Uint8Array; random: number } {
  const bytes = new Uint8Array(length);
  let random = state;
  for (let i = 0; i < length; i++) {
    if (i % 4 === 0) random = (9 * random + 7) % 2 ** 20;
    bytes[i] = random >>> (24 - 8 * (i % 4));
  }
  return { bytes, random };
}

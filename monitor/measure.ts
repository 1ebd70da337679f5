/**
 * Measurement of an enclave: a hash over its entry point, its pages in page-table order and a nonce. Owns the byte stream that is hashed
 * (virtual addresses as the published monitor computes them, a zero byte where permissions were meant), cut into steps.
 */
import { PAGE_SIZE } from '../emulator/units';
import { Pte } from './abi';
import type { Core } from './core';
import { HASH_PAGES_PER_STEP, HASH_PAGE_TICKS, TRAP_TICKS } from './costs';
import { walkTables, words32 } from './enclave-tables';
import type { AfterMeasure, Task } from './task';

export function le64(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, value), true);
  return new Uint8Array(view.buffer);
}

/** The task that measures a space; `root` is its root page's number. */
export function measure(m: Core, root: number, entry: number, nonce: bigint, then: AfterMeasure): Task {
  return {
    do: 'measure',
    root,
    at: 0,
    previous: -2,
    digest: m.attestation.hash.add(m.attestation.hash.begin(), le64(BigInt(entry))),
    nonce,
    then,
  };
}

/** One piece; `done` gets the 32 bytes when it was the last. `at` and `previous` are 27-bit page indices. */
export function measureStep(
  m: Core,
  task: Task & { do: 'measure' },
  done: (digest: Uint8Array) => void,
): Task | undefined {
  let { previous } = task;
  const parts: Uint8Array[] = [];
  // Frames one behind the other are read in one go.
  let [frames, count] = [0, 0];
  const read = () => count > 0 && parts.push(m.read(frames, count * PAGE_SIZE));
  let next: number | undefined;
  let budget = HASH_PAGES_PER_STEP;
  const end = walkTables(m, task.root, task.at >> 9, 64, ({ table, vpn }) => {
    const words = words32(m.read(table, PAGE_SIZE));
    for (let i = Math.max(0, task.at - vpn); i < 512; i++) {
      if (!(words[2 * i]! & Pte.V)) continue;
      if (budget-- === 0) {
        next = vpn + i;
        return false;
      }
      const frame = Math.floor((words[2 * i + 1]! * 2 ** 32 + words[2 * i]!) / 1024) * PAGE_SIZE;
      const gap = vpn + i !== previous + 1;
      if (gap || frame !== frames + count * PAGE_SIZE) {
        read();
        [frames, count] = [frame, 0];
      }
      count++;
      if (gap) {
        const address = 0xffffff8000000000n + (BigInt(vpn + i) << 12n);
        parts.push(le64(address), new Uint8Array(1));
      }
      previous = vpn + i;
      m.cost += HASH_PAGE_TICKS;
    }
    return true;
  });
  read();
  m.cost += TRAP_TICKS;
  if (typeof end === 'number') next = end * 512;
  const { hash } = m.attestation;
  const digest = hash.add(task.digest, ...parts);
  if (next !== undefined) return { ...task, at: next, previous, digest };
  done(hash.finish(hash.add(digest, le64(task.nonce))));
  return undefined;
}

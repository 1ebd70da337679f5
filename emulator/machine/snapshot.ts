/**
 * Snapshots within a process: what `Machine.snapshot` takes and `restore` puts back. Taking one copies the words of the harts and the
 * roots of devices and personalities; RAM is a version whose pages are kept by their first later store, or at once (versions.ts). So it
 * costs nothing that grows with RAM, and what was written costs a page's copy once.
 */
import type { Tick } from '../units';
import { Area, HartWord } from './layout';
import type { Parts } from './state';
import type { MachineSnapshot } from './types';
import type { Version, Versions } from './versions';

export class Snapshot implements MachineSnapshot {
  constructor(
    readonly tick: Tick,
    readonly version: Version,
    /** The machine's own words, then those of the harts one behind the other. */
    readonly machine: Int32Array,
    readonly words: Int32Array,
    readonly sequence: number,
    readonly roots: readonly unknown[],
    readonly devices: readonly unknown[],
  ) {}
}

/** The caller drops the write translations of pages that are protected afterwards. */
export function takeSnapshot(parts: Parts, versions: Versions, tick: Tick): Snapshot {
  const { memory, harts, outbox, devices, personalities } = parts;
  const words = new Int32Array(harts.length * HartWord.STATE_WORDS);
  harts.forEach((hart, i) => words.set(hart.words, i * HartWord.STATE_WORDS));
  return new Snapshot(
    tick,
    versions.take(),
    memory.i32.slice(0, Area.WORDS),
    words,
    outbox.sequence,
    [personalities.machine?.snapshot(), personalities.supervisor?.snapshot()],
    devices.map((device) => device.snapshot()),
  );
}

export function giveUpSnapshot(snapshot: MachineSnapshot, versions: Versions): void {
  if (!(snapshot instanceof Snapshot)) throw new Error('not a snapshot of a machine');
  versions.giveUp(snapshot.version);
}

/** The caller drops everything that was cached from the state that goes. */
export function restoreSnapshot(parts: Parts, versions: Versions, snapshot: MachineSnapshot): void {
  if (!(snapshot instanceof Snapshot)) throw new Error('not a snapshot of a machine');
  const { memory, harts, outbox, devices, personalities } = parts;
  versions.restore(snapshot.version);
  memory.i32.set(snapshot.machine);
  harts.forEach((hart, i) =>
    hart.words.set(snapshot.words.subarray(i * HartWord.STATE_WORDS, (i + 1) * HartWord.STATE_WORDS)),
  );
  outbox.sequence = snapshot.sequence;
  outbox.stopRequested = undefined;
  personalities.machine?.restore(snapshot.roots[0]);
  personalities.supervisor?.restore(snapshot.roots[1]);
  devices.forEach((device, i) => device.restore(snapshot.devices[i]));
}

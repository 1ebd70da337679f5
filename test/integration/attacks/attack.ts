/**
 * What an attack is, and how it is tried: through the supervisor port, then the same operations as guest S-mode code, both with the monitor's
 * checks on and with those off that are to stop it.
 */
import { createHash } from 'node:crypto';
import type { Machine } from '../../../emulator/machine/types';
import { pa } from '../../../emulator/units';
import type { CheckName, Checks } from '../../../monitor/checks';
import { runAsGuest } from './guest';
import { createTarget, PortKernel, type Operation, type Result, type Target } from './kernel';
import type { Race } from './racing';
import { Code, Layout, PAGE, RAM_START, World, type Made } from './world';

/** What an attacker got: results of calls, values read, names of faults. */
export type Outcome = readonly (number | string)[];

export interface Attack {
  readonly name: string;
  /** Who does it: the host's kernel, or a program inside an enclave (with the kernel's help). */
  readonly by: 'kernel' | 'enclave';
  /** What stops it. Of several, each alone. */
  readonly checks: readonly CheckName[];
  readonly refused: Outcome;
  readonly succeeds: Outcome;
  /** A success changes the victim's memory. */
  readonly harms?: true;
  /** It is about how the machine boots: boots by itself, and a refusal leaves a machine without enclaves. */
  readonly boots?: true;
  /** What lies there before: returns the attack. The victim is a keeper of the secret made before it. */
  readonly prepare: (w: World, victim: Made & { secret: number }) => () => Outcome;
}

/** SHA-256 over every page that belongs to an instance, by its entry in the bitmap of owners. */
export function ownedHash(machine: Machine, bitmap: { base: number; size: number }, instance: number): string {
  const hash = createHash('sha256');
  const entries = new Int32Array(machine.machinePort.read(pa(bitmap.base), bitmap.size).slice().buffer);
  for (let page = 0; page < machine.ramSize / PAGE; page++) {
    const entry = entries[page]!;
    if (entry >= 0 || (entry & 0xfffffff) !== instance) continue;
    hash.update(`${page} ${entry}\n`).update(machine.machinePort.read(pa(RAM_START + page * PAGE), PAGE));
  }
  return hash.digest('hex');
}

const memoryHash = ({ machine }: Target, instance: number): string =>
  ownedHash(machine, { base: Layout.bitmap, size: Layout.bitmapSize }, instance);

export interface Trial {
  readonly outcome: Outcome;
  readonly operations: readonly Operation[];
  readonly results: readonly Result[];
  readonly victims: readonly number[];
  readonly race: Race | undefined;
  readonly seen: Seen;
  /** The value of a fresh enclave afterwards. */
  readonly healthy: number | string | undefined;
}

/** The victims' memory, and what the monitor knows of them, before and after. */
export interface Seen {
  before: readonly unknown[];
  after: readonly unknown[];
}

function look(target: Target, victims: readonly number[]): unknown[] {
  return victims.map((instance) => ({
    memory: memoryHash(target, instance),
    record: target.monitor.byInstance(instance as never),
  }));
}

export const switchedOff = (checks: readonly CheckName[]): Partial<Checks> =>
  Object.fromEntries(checks.map((name) => [name, false]));

/** Through the supervisor port. */
export function tryAttack(attack: Attack, without: readonly CheckName[]): Trial {
  const target = createTarget(switchedOff(without));
  const seen: Seen = { before: [], after: [] };
  const k = new PortKernel(target, (name) => {
    seen[name] = look(target, w.victims);
    target.port.arm(name === 'before' ? w.race : undefined);
  });
  const w = new World(k);
  const victim = attack.boots ? undefined! : w.boot().keeper();
  const work = attack.prepare(w, victim);
  k.mark('before');
  const outcome = work();
  if (w.booted) w.enter(Layout.kernelRoot);
  k.mark('after');
  const healthy = without.length === 0 && w.booted ? freshEnclave(w) : undefined;
  const { operations, results } = k;
  return { outcome, operations, results, victims: w.victims, race: w.race, seen, healthy };
}

function freshEnclave(w: World): number | string {
  const made = w.create(Code.exit(42), { name: 'fresh' });
  w.runFor(made, 1_000_000);
  return w.retval(made);
}

/** The same operations as guest S-mode code: what each of them gave, and what became of the victims. */
export function tryAsGuest(trial: Trial, without: readonly CheckName[]): { results: Result[]; seen: Seen } {
  const target = createTarget(switchedOff(without));
  const seen: Seen = { before: [], after: [] };
  const results = runAsGuest(target, trial.operations, (name) => {
    seen[name] = look(target, trial.victims);
    target.port.arm(name === 'before' ? trial.race : undefined);
  });
  return { results, seen };
}

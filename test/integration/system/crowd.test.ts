/**
 * Determinism at full breadth: five host threads, three enclaves, a server call in flight, timers and typed input, in time slices of
 * varying length. A run that is cut, put back, executed by another engine, moved to another machine and continued there ends as the
 * whole run does.
 * CUTS sets the number of runs, SEED where they are cut.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineName } from '../../../emulator/machine/types';
import { ComposedSystem } from '../../../monitor/system/system';
import type { LaunchDescription } from '../../../monitor/system/types';
import { build } from '../adapter/builds';
import { root } from '../adapter/client';
import { advance, outcome, typed, type Outcome, type Scenario } from './scenario';

type Engines = readonly [EngineName, EngineName];
const ENGINES: readonly Engines[] = [
  ['wasm', 'source'],
  ['source', 'wasm'],
  ['wasm', 'wasm'],
];
const CUTS = Number(process.env['CUTS'] ?? 60);
const SEED = Number(process.env['SEED'] ?? 1);

async function crowd(): Promise<Scenario> {
  const source = (name: string): string => join(root, 'test/fixtures/programs/crowd', `${name}.c`);
  const names = ['host', 'caller', 'server', 'worker'];
  const built = await Promise.all(
    names.map((name) => build(name === 'host' ? 'host' : 'eapp', source(name), `crowd-${name}`)),
  );
  const launch: LaunchDescription = {
    program: '/root/host',
    argv0: './host',
    args: names.slice(1),
    cwd: '/root',
    files: names.map((name, i) => ({
      path: `/root/${name}`,
      bytes: new Uint8Array(readFileSync(built[i]!)),
      mode: 0o755,
    })),
    memoryMiB: 64,
    seed: 7,
    schedule: { quantum: 6000, vary: true },
  };
  const inputs = [
    { at: 1_250_000, input: typed('one\n') },
    { at: 1_400_000, input: typed('tw') },
    { at: 1_450_000, input: typed('o\nthree\n') },
    { at: 1_600_000, input: typed('four\n', true) },
  ];
  return { launch, inputs };
}

/** xorshift32: integers below `bound`. */
function dice(seed: number): (bound: number) => number {
  let state = seed * 2654435761 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

function systemOn(scenario: Scenario, engine: EngineName): ComposedSystem {
  const system = new ComposedSystem(scenario.launch, {});
  system.machine.useEngine(engine);
  return system;
}

/**
 * Runs the scenario with a snapshot at `cut`, a detour of `detour` ticks that is taken back, and a move to another machine at `move`.
 * The engine changes at each.
 */
function inPieces(scenario: Scenario, cut: number, detour: number, move: number, engines: Engines): Outcome {
  const [one, other] = engines;
  const first = systemOn(scenario, one);
  const before = advance(first, scenario, 0, cut);
  const snapshot = first.snapshot();
  first.machine.useEngine(other);
  const away = advance(first, scenario, before.posted, cut + detour);
  first.restore(snapshot);
  first.machine.useEngine(one);
  // What was posted on the detour is in the log and comes again by itself.
  const middle = advance(first, scenario, away.posted, Math.max(move, cut + detour));
  const second = systemOn(scenario, other);
  second.load(first.save());
  const rest = advance(second, scenario, middle.posted);
  return outcome(
    second,
    [before, away, middle, rest].flatMap(({ printed }) => printed),
  );
}

describe('five threads, three enclaves, a server call, timers and input', () => {
  it(`${CUTS} runs in pieces end in the hash and the output of the whole run`, async function () {
    this.timeout(3_600_000);
    const scenario = await crowd();
    const system = systemOn(scenario, 'source');
    const seen = new Set<string>();
    system.onEvent = (event) => {
      if (event.kind === 'transition') seen.add(event.name);
      return false;
    };
    const whole = outcome(system, advance(system, scenario).printed);
    const text = whole.printed.join('');
    assert.equal(whole.exitStatus, 0, text);
    for (const name of ['call_enclave', 'SERVER_RETURN', 'timer']) assert.ok(seen.has(name), `no ${name}`);
    for (const what of ['awake', 'number', 'typed', 'crowd-caller', 'crowd-worker', 'worker: round 7'])
      assert.ok(text.includes(what), `no "${what}" in ${text}`);
    const roll = dice(SEED);
    for (let i = 0; i < CUTS; i++) {
      const cut = roll(whole.tick);
      const [detour, move] = [roll(100_000), cut + roll(whole.tick - cut)];
      assert.deepEqual(
        inPieces(scenario, cut, detour, move, ENGINES[i % ENGINES.length]!),
        whole,
        `run ${i}: cut at ${cut}, detour ${detour}, move ${move}`,
      );
    }
  });
});

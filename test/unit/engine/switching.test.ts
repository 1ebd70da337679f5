import assert from 'node:assert/strict';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { pa, tick } from '../../../emulator/units';
import { loadUser, PTE, userMachine } from '../machine/user';
import { stateOf } from '../../differential/state';
import { ENGINES } from './engines';
import { CODE, DATA, random, randomProgram } from './programs';

/** A machine with a random program, on the engine given. */
function loaded(seed: number, engine: EngineName): SoftwareMachine {
  const program = randomProgram(seed, 1500);
  const user = userMachine(CODE);
  loadUser(user, CODE, program.code, PTE.V | PTE.R | PTE.X | PTE.U);
  loadUser(user, DATA, program.data, PTE.V | PTE.R | PTE.W | PTE.U);
  user.machine.useEngine(engine);
  return user.machine;
}

describe('Engines', function () {
  it('leave the same machine after any number of ticks, and take it over from one another anywhere', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const next = random(seed + 1000);
      const machines = ENGINES.map((engine) => loaded(seed, engine));
      const mixed = loaded(seed, 'wasm');
      for (let now = 0, done = false; !done;) {
        now += 1 + next(next(4) === 0 ? 200 : 8);
        const reasons = machines.map((machine) => machine.run(tick(now)).reason);
        mixed.useEngine(ENGINES[next(ENGINES.length)]!);
        reasons.push(mixed.run(tick(now)).reason);
        done = reasons[0] !== 'until';
        assert.equal(new Set(reasons).size, 1, `program ${seed}, tick ${now}: ${reasons.join()}`);
        const [first, ...others] = [...machines, mixed].map((machine) => [
          machine.tick,
          [...stateOf(machine.harts[0]!)],
        ]);
        for (const other of others) assert.deepEqual(other, first, `program ${seed}, tick ${now}`);
      }
      const hashes = [...machines, mixed].map((machine) => machine.hash());
      assert.equal(new Set(hashes).size, 1, `program ${seed}`);
    }
  });

  it('are chosen when a machine is created; by itself it takes the translator', () => {
    for (const engine of ENGINES) assert.equal(createMachine({ ramBytes: 65536, engine }).engineName, engine);
    assert.equal(createMachine({ ramBytes: 65536 }).engineName, 'translator');
  });

  it('are one where the host has no WebAssembly: the other, on plain memory that grows', function () {
    // Machines that say no engine have that of the environment then, which may not be there.
    if (process.env['PENGLAI_ENGINE'] !== undefined) this.skip();
    const machines = [loaded(3, 'wasm')];
    const host = globalThis as { WebAssembly?: unknown };
    const { WebAssembly: held } = host;
    try {
      host.WebAssembly = undefined;
      machines.push(loaded(3, 'source'));
      const { engineName, machinePort } = createMachine({ ramBytes: 64 * 2 ** 20 });
      assert.equal(engineName, 'source');
      machinePort.writeU64(pa(0x80000000), 5n);
      machinePort.writeU64(pa(0x83fffff8), 7n);
      assert.deepEqual([machinePort.readU64(pa(0x80000000)), machinePort.readU64(pa(0x83fffff8))], [5n, 7n]);
      machines[1]!.run(tick(5000));
    } finally {
      host.WebAssembly = held;
    }
    machines[0]!.run(tick(5000));
    assert.equal(machines[1]!.hash(), machines[0]!.hash());
  });
});

/** What is noted of indirect jumps: by the interpreter's loop, and by regions. */
import assert from 'node:assert/strict';
import { JumpProfile } from '../../../emulator/engine/translator/jump-profile';
import { Translator } from '../../../emulator/engine/translator/translator';
import { TranslatorEngine } from '../../../emulator/engine/translator/translator-engine';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { pa, tick, va } from '../../../emulator/units';
import { assemble, type Program } from '../assembler';

const ORIGIN = 0x80000000;
const PAGE = 0;

/** Goes through a table of four targets. */
const SWITCH = `
        la s0,table
        li s1,0
loop:   addi s1,s1,1
        andi a0,s1,3
        slli a0,a0,3
        add a0,a0,s0
        ld a5,0(a0)
jump:   jalr zero,0(a5)
zero:   addi a1,a1,1
        j loop
one:    addi a2,a2,1
        j loop
two:    addi a3,a3,1
        j loop
three:  addi a4,a4,1
        j loop
        .align 3
table:  .dword zero one two three`;

interface Running {
  readonly machine: SoftwareMachine;
  readonly program: Program;
  readonly profile: JumpProfile;
  readonly offset: (label: string) => number;
}

function running(engine: EngineName): Running {
  const machine = createMachine({ ramBytes: 2 ** 20, engine, hotness: 20 });
  const program = assemble(ORIGIN, SWITCH);
  machine.machinePort.write(pa(ORIGIN), program.bytes);
  machine.harts[0]!.pc = va(ORIGIN);
  const profile = new JumpProfile(machine['memory'], machine['host'].code);
  return { machine, program, profile, offset: (label) => program.labels.get(label)! - ORIGIN };
}

describe('the profile of indirect jumps', () => {
  it('knows where a jump went to and what went to an address', () => {
    const { machine, program, profile, offset } = running('wasm');
    machine.run(tick(5000));
    profile.gather();
    const place = { page: PAGE, offset: offset('jump') };
    const targets = ['zero', 'one', 'two', 'three'].map((label) => program.labels.get(label)!);
    assert.deepEqual([...profile.targets(place)].sort(), targets);
    assert.deepEqual(profile.jumpsTo(va(targets[2]!)), [place]);
    assert.deepEqual(profile.jumpsTo(va(ORIGIN)), []);
    assert.deepEqual(profile.targets({ page: PAGE, offset: offset('loop') }), []);
  });

  it('forgets nothing that it has taken down, and takes nothing down twice', () => {
    const { machine, profile, offset } = running('wasm');
    machine.run(tick(5000));
    profile.gather();
    const place = { page: PAGE, offset: offset('jump') };
    const before = profile.targets(place);
    profile.gather();
    assert.deepEqual(profile.targets(place), before);
  });

  it('lets the whole switch be one region, which control stays in', function () {
    if (!TranslatorEngine.available) this.skip();
    const { machine, offset } = running('translator');
    machine.run(tick(1_000_000));
    const engine = machine['engine'] as unknown as { readonly translator: Translator };
    const { regions } = engine.translator;
    const whole = [...regions].filter((region) =>
      ['jump', 'zero', 'one', 'two', 'three'].every((label) => region.covers(PAGE, offset(label), offset(label) + 1)),
    );
    assert.ok(whole.length > 0, 'no region has the jump and all that it goes to');
    const before = regions.count;
    machine.run(tick(2_000_000));
    assert.equal(regions.count, before);
  });
});

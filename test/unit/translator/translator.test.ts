import assert from 'node:assert/strict';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { NO_SPACE, pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { DATA, ORIGIN } from '../engine/bare';
import { loadUser, PTE, Tables, userMachine } from '../machine/user';

/** M-mode at a program; by default whatever is jumped to is translated. */
function machineOf(source: string, engine: EngineName = 'translator', hotness = 1): SoftwareMachine {
  const machine = createMachine({ ramBytes: 2 ** 20, engine, hotness });
  machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, source).bytes);
  machine.harts[0]!.pc = va(ORIGIN);
  machine.harts[0]!.writeCsr(0x300, 1n << 13n);
  return machine;
}

const advance = (machine: SoftwareMachine, ticks: number) => machine.run(tick(machine.tick + ticks));

/** The same program on the interpreter, run as far. */
function expected(source: string, machine: SoftwareMachine): string {
  const other = machineOf(source, 'wasm');
  other.run(machine.tick);
  return other.hash();
}

const LOOP = `
    li a1,100000
  loop:
    addi a0,a0,1
    xor a2,a2,a0
    addi a1,a1,-1
    bnez a1,loop
    li a3,7
  end: j end`;

/** Offset of LOOP's `addi a0,a0,1`, behind a `li` of two instructions. */
const LOOP_AT = ORIGIN + 8;

describe('The translator', function () {
  it('makes regions of what is hot, and leaves the machine as the interpreter does', () => {
    const machine = machineOf(LOOP);
    assert.ok(!machine.translated, 'nothing is made before it is needed');
    advance(machine, 10_000);
    assert.equal(machine.translated!.made, 1);
    assert.equal(machine.hash(), expected(LOOP, machine));
    advance(machine, 500_000);
    assert.equal(machine.hash(), expected(LOOP, machine));
    assert.equal(machine.harts[0]!.getX(13), 7);
  });

  it('leaves cold code alone: with the usual hotness a short program has none', () => {
    const machine = createMachine({ ramBytes: 2 ** 20, engine: 'translator' });
    machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, LOOP.replace('100000', '500')).bytes);
    machine.harts[0]!.pc = va(ORIGIN);
    advance(machine, 3_000);
    assert.deepEqual(machine.translated, { made: 0, live: 0, modules: 0, generations: 0 });
  });

  it('makes no regions of places in a region at which it is entered only because it was interrupted there', () => {
    const inner = (i: number): string => `
      li a1,3
    inner${i}:
      xor a2,a2,a1
      ${'addi a3,a3,1\n'.repeat(20)}
      addi a1,a1,-1
      bnez a1,inner${i}`;
    const source = `outer: ${[0, 1, 2, 3, 4, 5].map(inner).join('')}
      j outer`;
    const machine = machineOf(source, 'translator', 2);
    // A run is interrupted each 400 instructions at this hotness; nothing is translated in the first 8,000.
    advance(machine, 8_000 + 20 * 400);
    assert.equal(machine.translated!.made, 1);
    assert.equal(machine.hash(), expected(source, machine));
    advance(machine, 2_000_000);
    assert.ok(machine.translated!.made > 1, 'entries that stay hot get regions in the end');
  });

  it('takes a jump to itself for a loop', () => {
    const source = 'end: j end';
    const machine = machineOf(source);
    advance(machine, 10_000);
    assert.equal(machine.translated!.made, 1);
    assert.equal(machine.hash(), expected(source, machine));
  });

  it('has loads in machine mode that look nothing up, and others where a PMP entry is locked or a watch is set', () => {
    const source = `
      li s0,${ORIGIN + 4096}
      li s1,${2 ** 30}
    loop:
      lw a1,0(s0)
      add a0,a0,a1
      ld a2,4(s0)
      addi s0,s0,4
      blt a1,s1,loop
      ld a3,0(zero)`;
    const fill = (machine: SoftwareMachine): SoftwareMachine => {
      for (let i = 0; i < 8000; i++) machine.machinePort.writeU32(pa(ORIGIN + 4096 + 4 * i), i === 7990 ? 2 ** 30 : i);
      return machine;
    };
    const [direct, locked, watched] = [0, 1, 2].map(() => fill(machineOf(source))) as [
      SoftwareMachine,
      SoftwareMachine,
      SoftwareMachine,
    ];
    // All of RAM may be read by machine mode, and nothing below.
    const lock = (machine: SoftwareMachine): void => {
      machine.harts[0]!.writeCsr(0x3b0, (BigInt(ORIGIN) >> 2n) | ((1n << 18n) - 1n));
      machine.harts[0]!.writeCsr(0x3a0, 0x9fn);
    };
    lock(locked);
    watched.watches.add(NO_SPACE, va(ORIGIN + 4096 + 4 * 5000), 4, 'read');
    assert.equal(advance(watched, 100_000).reason, 'watch');
    assert.equal(watched.harts[0]!.getX(11), 4998, 'the ld two rounds before reaches there');
    for (const machine of [direct, locked]) {
      advance(machine, 40_500);
      const other = fill(machineOf(source, 'wasm'));
      if (machine === locked) lock(other);
      other.run(machine.tick);
      assert.equal(machine.hash(), other.hash());
      assert.ok(machine.translated!.made > 0);
      assert.equal(machine.harts[0]!.getX(11), 2 ** 30, 'the loop has ended');
    }
  });

  it('drops a region when its code is written, and keeps it when the bytes beside it are', () => {
    const source = `
      li s0,${ORIGIN + 1024}
      li s1,${ORIGIN}
    loop:
      addi a0,a0,1
      andi a1,a0,1023
      bnez a1,loop
      sd a0,0(s0)
      j loop`;
    const machine = machineOf(source);
    advance(machine, 20_000);
    const before = machine.translated!;
    assert.ok(before.live > 0);
    advance(machine, 40_000);
    assert.deepEqual(machine.translated, before, 'stores beside it');
    machine.machinePort.writeU32(pa(ORIGIN + 1032), 1);
    assert.deepEqual(machine.translated, before, 'a store of the host beside it');
    const loop = machine.harts[0]!.pc;
    machine.machinePort.writeU32(pa(loop), machine.machinePort.readU32(pa(loop)));
    assert.ok(machine.translated!.live < before.live, 'a store to it');
    advance(machine, 20_000);
    assert.ok(machine.translated!.made > before.made, 'it becomes hot again');
  });

  it('has a region where a stop was passed so often that it was hot, once the stop is gone', () => {
    // The second loop is long enough that what is hot is looked at before the stop goes.
    const source = `
      li a1,33000
    first:
      addi a0,a0,1
      addi a1,a1,-1
      bnez a1,first
      li a1,400000
    second:
      addi a1,a1,-1
      bnez a1,second
      li a1,100000
      j first`;
    const machine = machineOf(source, 'translator', 100);
    const first = va(ORIGIN + 8);
    machine.stops.arm(NO_SPACE, first);
    for (let pass = 0; pass < 33_000; pass++) {
      assert.equal(advance(machine, 100).reason, 'stop');
      machine.stepOverStop();
    }
    assert.equal(advance(machine, 1_000_000).reason, 'stop');
    assert.equal(machine.harts[0]!.getX(11), 100_000);
    const { made } = machine.translated!;
    assert.ok(made > 0, 'the second loop');
    machine.stops.disarm(NO_SPACE, first);
    advance(machine, 300_000);
    assert.equal(machine.translated!.made, made + 1);
    assert.equal(machine.hash(), expected(source, machine));
  });

  it('makes regions for a guest that drops its translations often', () => {
    const source = `
    outer:
      li a1,100
    loop:
      addi a0,a0,1
      addi a1,a1,-1
      bnez a1,loop
      sfence.vma zero,zero
      j outer`;
    const machine = machineOf(source, 'translator', 10);
    advance(machine, 200_000);
    assert.ok(machine.translated!.made > 0);
    assert.equal(machine.hash(), expected(source, machine));
  });

  it('follows code that changes itself, at any tick', () => {
    // The immediate of `addi a0,a0,imm` goes up by one for each round of the inner loop.
    const source = `
      li s0,${ORIGIN}
      la s1,patched
      lw s2,0(s1)
      li s3,0x100000
    outer:
      li a1,20
    loop:
    patched: addi a0,a0,1
      addi a1,a1,-1
      bnez a1,loop
      add s2,s2,s3
      sw s2,0(s1)
      j outer`.replace('la s1,patched', `addi s1,s0,${4 * 7}`);
    const machine = machineOf(source);
    for (let i = 0; i < 60; i++) {
      advance(machine, 37 + i);
      assert.equal(machine.hash(), expected(source, machine), `tick ${machine.tick}`);
    }
    assert.ok(machine.translated!.made > 1);
  });

  it('makes and drops no module for a debugger’s stops and steps', () => {
    const machine = machineOf(LOOP);
    advance(machine, 1_000);
    const before = machine.translated!;
    assert.ok(before.live > 0);
    const at = va(LOOP_AT + 4);
    for (let i = 0; i < 50; i++) {
      machine.stops.arm(NO_SPACE, at);
      machine.stepOverStop();
      assert.deepEqual(advance(machine, 100), { reason: 'stop', pc: at, space: NO_SPACE });
      machine.stops.disarm(NO_SPACE, at);
      for (let step = 0; step < 5; step++) assert.equal(advance(machine, 1).reason, 'until');
    }
    assert.deepEqual(machine.translated, before);
    assert.equal(machine.hash(), expected(LOOP, machine));
    advance(machine, 1000);
    assert.deepEqual(machine.translated, before, 'and the region goes on as before');
  });

  it('translates up to a stop that is armed from the beginning', () => {
    const machine = machineOf(LOOP);
    machine.stops.arm(NO_SPACE, va(LOOP_AT + 8));
    for (let i = 0; i < 20; i++) {
      assert.equal(advance(machine, 1000).reason, 'stop');
      assert.equal(machine.harts[0]!.pc, LOOP_AT + 8);
      assert.equal(machine.tick, 4 + 4 * i);
      machine.stepOverStop();
    }
    assert.equal(machine.hash(), expected(LOOP, machine));
  });

  it('goes on from where another engine left off, and leaves regions alone while that is in use', () => {
    const machine = machineOf(LOOP);
    advance(machine, 1_000);
    const before = machine.translated!;
    machine.useEngine('wasm');
    advance(machine, 20_000);
    machine.useEngine('source');
    advance(machine, 20_000);
    machine.useEngine('translator');
    assert.deepEqual(machine.translated, before);
    advance(machine, 20_000);
    assert.deepEqual(machine.translated, before);
    assert.equal(machine.hash(), expected(LOOP, machine));
  });

  it('loses what a restore takes away, and keeps what it does not', () => {
    const machine = machineOf(LOOP);
    const start = machine.snapshot();
    advance(machine, 1_000);
    const before = machine.translated!;
    machine.restore(start);
    advance(machine, 2_000);
    assert.deepEqual(machine.translated, before, 'the code is the same page');
    machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, LOOP.replace('addi a0,a0,1', 'addi a0,a0,3')).bytes);
    assert.equal(machine.translated!.live, 0);
    machine.restore(start);
    advance(machine, 3_000);
    assert.equal(machine.hash(), expected(LOOP, machine));
  });

  it('has a variant for each virtual page that a page of code is executed at, and drops the oldest of many', () => {
    const program = assemble(0x10000, 'loop: addi a0,a0,1\naddi a1,a1,3\nbnez a0,loop');
    const user = userMachine(0x10000);
    user.machine.useEngine('translator');
    loadUser(user, 0x10000, program.bytes, PTE.V | PTE.R | PTE.X | PTE.U);
    const frame = Number(user.machine.machinePort.readU64(pa(user.tables.entry(0x10000))) >> 10n) * 4096;
    const hart = user.machine.harts[0]!;
    for (let i = 0; i < 10; i++) {
      const address = 0x10000 + 0x1000 * i;
      user.tables.map(address, frame, PTE.V | PTE.R | PTE.X | PTE.U);
      hart.pc = va(address);
      advance(user.machine, 3_000);
      assert.equal(hart.getX(11), 3000 * (i + 1), `page ${i}`);
    }
    assert.equal(user.machine.translated!.made, 10);
    assert.equal(user.machine.translated!.live, 6);
  });

  it('shares regions among address spaces, and stops in one show in that one only', () => {
    const program = assemble(0x10000, 'loop: addi a0,a0,1\naddi a1,a1,3\nbnez a0,loop');
    const user = userMachine(0x10000);
    user.machine.useEngine('translator');
    loadUser(user, 0x10000, program.bytes, PTE.V | PTE.R | PTE.X | PTE.U);
    const frame = Number(user.machine.machinePort.readU64(pa(user.tables.entry(0x10000))) >> 10n) * 4096;
    const other = new Tables(user.machine, 0x80000000 + 3 * 2 ** 20);
    other.map(0x10000, frame, PTE.V | PTE.R | PTE.X | PTE.U);
    const hart = user.machine.harts[0]!;
    user.machine.stops.arm(space(other.root / 4096), va(0x10004));
    advance(user.machine, 3_000);
    const before = user.machine.translated!;
    assert.equal(before.made, 1);
    hart.writeCsr(0x180, other.satp);
    for (let i = 0; i < 5; i++) {
      assert.equal(advance(user.machine, 3_000).reason, 'stop');
      user.machine.stepOverStop();
    }
    user.machine.stops.clear();
    hart.writeCsr(0x180, user.tables.satp);
    assert.equal(advance(user.machine, 3_000).reason, 'until');
    hart.writeCsr(0x180, other.satp);
    assert.equal(advance(user.machine, 3_000).reason, 'until');
    // At most one more, for what follows the stop.
    const { made, live } = user.machine.translated!;
    assert.ok(made === live && live <= 2, `${made} made, ${live} live`);
  });

  it('puts its modules in order before there are many, and everything goes on', () => {
    // Writes the loop `addi a0,a0,i; addi a1,a1,-1; bnez a1,-8; ret` to one place after another and calls it.
    const source = `
      li s0,${DATA}
      li s1,0x00050513
      li s2,0x00100000
      li s3,0xfff58593
      li s4,0xfe059ce3
      li s5,0x00008067
      li s6,250
    next:
      add s1,s1,s2
      sw s1,0(s0)
      sw s3,4(s0)
      sw s4,8(s0)
      sw s5,12(s0)
      li a1,400
      jalr ra,0(s0)
      addi s0,s0,64
      addi s6,s6,-1
      bnez s6,next
    end: j end`;
    const machine = machineOf(source);
    for (let i = 0; i < 40; i++) advance(machine, 10_000);
    const { made, live, modules, generations } = machine.translated!;
    assert.ok(made >= 250 && live >= 250, `${made} made, ${live} live`);
    assert.ok(generations >= 3 && modules > 200, `${modules} modules, ${generations} generations`);
    assert.equal(machine.harts[0]!.getX(22), 0, 'the program came to its end');
    assert.equal(machine.hash(), expected(source, machine));
  });
});

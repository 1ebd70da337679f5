import assert from 'node:assert/strict';
import { Cause } from '../../../emulator/hart/types';
import type { MachineExit } from '../../../emulator/machine/types';
import { pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { bare, DATA as BARE_DATA, ORIGIN } from '../engine/bare';
import { loadUser, PTE, userMachine, type UserMachine } from './user';
import { eachEngine } from '../engine/engines';

const CODE = 0x10000;
const DATA = 0x200000;
const FRAME = 0x80180000;
const RX = PTE.V | PTE.R | PTE.X | PTE.U;
const RW = PTE.V | PTE.R | PTE.W | PTE.U;

/** Counts a0 up; x11 points to a data page. */
const LOOP = 'loop: addi a0,a0,1\nsd a0,0(a1)\nld a2,0(a1)\nj loop';

function program(source: string): UserMachine {
  const user = userMachine(CODE);
  loadUser(user, CODE, assemble(CODE, source).bytes, RX);
  user.tables.map(DATA, FRAME, RW);
  user.machine.harts[0]!.setX(11, DATA);
  return user;
}

const spaceOf = ({ tables }: UserMachine): ReturnType<typeof space> => space(tables.root / 4096);
const runFor = ({ machine }: UserMachine, ticks: number): MachineExit => machine.run(tick(machine.tick + ticks));

eachEngine('Stops', () => {
  it('end a run before the instruction, and again each time round', () => {
    const user = program(LOOP);
    const { machine } = user;
    const stop = { reason: 'stop', pc: va(CODE + 8), space: spaceOf(user) };
    machine.stops.arm(spaceOf(user), va(CODE + 8));
    assert.deepEqual(runFor(user, 1000), stop);
    assert.equal(machine.tick, 2);
    assert.deepEqual(runFor(user, 1000), stop, 'without stepOverStop nothing moves');
    assert.equal(machine.tick, 2);
    machine.stepOverStop();
    assert.deepEqual(runFor(user, 1000), stop);
    assert.equal(machine.tick, 6);
    machine.stepOverStop();
    assert.deepEqual(runFor(user, 1), { reason: 'until' });
    assert.equal(machine.harts[0]!.pc, CODE + 12);
  });

  it('can be armed and disarmed in code that is running, and are counted', () => {
    const user = program(LOOP);
    const { stops } = user.machine;
    runFor(user, 400);
    stops.arm(spaceOf(user), va(CODE));
    stops.arm(spaceOf(user), va(CODE));
    stops.disarm(spaceOf(user), va(CODE));
    user.machine.stepOverStop();
    assert.equal(runFor(user, 400).reason, 'stop');
    stops.disarm(spaceOf(user), va(CODE));
    assert.equal(runFor(user, 400).reason, 'until');
    stops.arm(spaceOf(user), va(CODE));
    stops.clear();
    assert.equal(runFor(user, 400).reason, 'until');
  });

  it('belong to a space: another one that runs the same page does not stop', () => {
    const user = program(LOOP);
    user.machine.stops.arm(space(0x12345), va(CODE + 4));
    assert.equal(runFor(user, 100).reason, 'until');
  });

  it('change nothing that the guest can see', () => {
    const plain = program(LOOP);
    const stopped = program(LOOP);
    stopped.machine.stops.arm(spaceOf(stopped), va(CODE + 4));
    stopped.machine.stops.arm(spaceOf(stopped), va(CODE + 12));
    while (stopped.machine.tick < 1000) {
      stopped.machine.stepOverStop();
      stopped.machine.run(tick(1000));
    }
    plain.machine.run(tick(1000));
    assert.equal(stopped.machine.hash(), plain.machine.hash());
  });

  it('stop on an instruction across pages', () => {
    const user = userMachine(CODE + 4094);
    const image = new Uint8Array(8192);
    image.set(assemble(CODE + 4094, 'addi a0,a0,1\necall').bytes, 4094);
    loadUser(user, CODE, image, RX);
    user.machine.stops.arm(spaceOf(user), va(CODE + 4094));
    assert.equal(runFor(user, 10).reason, 'stop');
    user.machine.stepOverStop();
    assert.equal(runFor(user, 1).reason, 'until');
    assert.equal(user.machine.harts[0]!.getX(10), 1);
  });
});

eachEngine('Watches', () => {
  it('end a run after the access to a watched byte, in order and with its kind', () => {
    const user = program(LOOP);
    const { machine } = user;
    runFor(user, 40);
    const watch = machine.watches.add(spaceOf(user), va(DATA + 7), 1, 'access');
    const at = { reason: 'watch', address: DATA, size: 8 };
    assert.deepEqual(runFor(user, 100), { ...at, kind: 'write' });
    assert.deepEqual([machine.tick, machine.harts[0]!.pc], [42, CODE + 8]);
    assert.deepEqual(runFor(user, 100), { ...at, kind: 'read' });
    machine.watches.remove(watch);
    machine.watches.add(spaceOf(user), va(DATA + 8), 100, 'access');
    machine.watches.add(spaceOf(user), va(DATA), 1, 'read');
    assert.deepEqual(runFor(user, 100), { ...at, kind: 'read' });
    machine.watches.clear();
    assert.equal(runFor(user, 100).reason, 'until');
  });
});

eachEngine('Self-modifying code', () => {
  it('is seen by the next fetch of the changed instruction', () => {
    // The instruction at `target` is overwritten with addi a0,a0,16 in the second round.
    const { x, run } = bare(`
      li a1, 2
      la t0, target
      li t1, 0x01050513
    loop:
      target: addi a0,a0,1
      sw t1,0(t0)
      fence.i
      addi a1,a1,-1
      bnez a1,loop
    done: j done`);
    run(40);
    assert.equal(x(10), 17n);
  });

  it('also when one store changes the second half of an instruction', () => {
    const { x, run } = bare(`
      li a1, 2
      la t0, target
      li t1, 0x0105
    loop:
      target: addi a0,a0,1
      sh t1,2(t0)
      addi a1,a1,-1
      bnez a1,loop
    done: j done`);
    run(40);
    assert.equal(x(10), 17n);
  });

  it('data in a page of code stays correct through many stores and runs', () => {
    const { machine, x, run } = bare(`
      la t0, counter
    loop:
      ld a0,0(t0)
      addi a0,a0,1
      sd a0,0(t0)
      j loop
    .align 3
    counter: .dword 0`);
    run(4 * 5000 + 2);
    assert.equal(x(10), 5000n);
    assert.equal(machine.tick, 20002);
  });

  it('a port that writes code is seen', () => {
    const { machine, x, run } = bare('loop: addi a0,a0,1\nj loop');
    run(100);
    machine.machinePort.writeU32(pa(ORIGIN), 0x06450513);
    run(2);
    assert.equal(x(10), 150n);
  });

  it('pages that turn from code to data and back', () => {
    const { machine, x, run } = bare(
      `
      jalr ra,0(a1)
      li t0,0
      li t1,2000
    fill: add t2,a1,t0
      sb a3,0(t2)
      addi t0,t0,1
      bne t0,t1,fill
      sw a4,0(a1)
      sw a5,4(a1)
      jalr ra,0(a1)
    done: j done`,
      { 11: BigInt(BARE_DATA), 14: 0x00250513n, 15: 0x00008067n },
    );
    machine.machinePort.writeU32(pa(BARE_DATA), 0x00150513);
    machine.machinePort.writeU32(pa(BARE_DATA + 4), 0x00008067);
    run(20_000);
    assert.equal(x(10), 3n);
  });
});

eachEngine('Devices', () => {
  it('the UART sends bytes through the outbox, stamped with the tick', () => {
    const { machine, run } = bare('sb a0,0(a1)\nlbu a2,5(a1)\nsb a0,0(a1)', { 10: 65n, 11: 0x10000000n });
    run(3);
    assert.deepEqual(machine.outbox.drain(), [
      { kind: 'uart', byte: 65, tick: 0, sequence: 1 },
      { kind: 'uart', byte: 65, tick: 2, sequence: 2 },
    ]);
    assert.equal(machine.harts[0]!.getX(12), 0x60);
  });

  it('mtimecmp, msip and mtime are where a CLINT has them', () => {
    const { machine, x, run } = bare(
      'ld a0,0(a1)\nsd a2,0(a3)\nlw a4,4(a3)\nsw a5,0(a6)\ncsrrs a7,mip,zero\nloop: j loop',
      { 11: 0x200bff8n, 12: 1000n, 13: 0x2004000n, 15: 1n, 16: 0x2000000n },
    );
    run(95);
    assert.equal(x(17), 8n, 'MSIP');
    assert.equal(machine.timer(machine.harts[0]!), 10_000);
    run(9904);
    assert.equal(machine.harts[0]!.readCsr(0x344), 8n);
    run(1);
    assert.equal(machine.harts[0]!.readCsr(0x344), 0x88n, 'MTIP at mtimecmp * 10 ticks');
  });

  it('nothing answers behind mtime', () => {
    const { machine, run } = bare('lw a0,0(a1)', { 11: 0x200c000n });
    run(1);
    assert.equal(machine.harts[0]!.readCsr(0x342), BigInt(Cause.LoadAccessFault));
  });

  it('refuse atomics and misaligned accesses', () => {
    for (const line of ['lr.w a0,(a1)', 'amoadd.w a0,a0,(a1)', 'lw a0,2(a1)']) {
      const { machine, run } = bare(line, { 11: 0x2000000n });
      run(1);
      const cause = line.startsWith('amo') ? Cause.StoreAccessFault : Cause.LoadAccessFault;
      assert.equal(machine.harts[0]!.mcause, cause, line);
    }
  });
});

eachEngine('Run', () => {
  it('ends after the step that emitted an event the listener wants', () => {
    const user = program('li a7,93\necall');
    user.machine.outbox.listener = (event) => (event as { wanted?: boolean }).wanted === true;
    const { firmware } = user;
    const step = firmware.step.bind(firmware);
    firmware.step = (hart) => {
      user.machine.outbox.emit({ wanted: true });
      return step(hart);
    };
    assert.deepEqual(user.machine.run(tick(100)), { reason: 'event' });
    assert.equal(user.machine.tick, 3);
    assert.deepEqual(user.machine.run(tick(100)), { reason: 'halted' });
  });

  it('reaches every tick exactly', () => {
    const user = program(LOOP);
    for (let at = 1; at < 300; at += 1 + (at % 7)) {
      assert.deepEqual(user.machine.run(tick(at)), { reason: 'until' });
      assert.equal(user.machine.tick, at);
    }
  });
});

/**
 * What happens to code while it is hot: stops come and go in it, its pages move, are mapped elsewhere too, lose rights. Expected are exact
 * ticks and registers; test/differential/loops holds all engines against one another in random programs.
 */
import assert from 'node:assert/strict';
import { Cause } from '../../../emulator/hart/types';
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import { NO_SPACE, pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { loadUser, PTE, Tables, userMachine, type UserMachine } from '../machine/user';
import { bare, DATA, ORIGIN } from './bare';
import { eachEngine } from './engines';

const CODE = 0x10000;
const WINDOW = 0x40000;
const RX = PTE.V | PTE.R | PTE.X | PTE.U;
const RW = PTE.V | PTE.R | PTE.W | PTE.U;
const WARM = 5000;

/** A user program at CODE + `offset`, with a page of data in a1. */
function user(source: string, offset = 0): UserMachine {
  const made = userMachine(CODE + offset);
  const image = new Uint8Array(3 * 4096);
  image.set(assemble(CODE + offset, source).bytes, offset);
  loadUser(made, CODE, image, RX);
  loadUser(made, WINDOW, new Uint8Array(4096), RW);
  made.machine.harts[0]!.setX(11, WINDOW);
  return made;
}

const spaceOf = ({ tables }: UserMachine): ReturnType<typeof space> => space(tables.root / 4096);
const ahead = (machine: SoftwareMachine, ticks: number): ReturnType<SoftwareMachine['run']> =>
  machine.run(tick(machine.tick + ticks));

eachEngine('Stops in hot code', () => {
  it('are hit each time round, thousands of times, at the tick where control is there', () => {
    const made = user('loop: addi a0,a0,1\nsd a0,0(a1)\nld a2,0(a1)\nadd a3,a3,a2\nj loop');
    const { machine } = made;
    ahead(machine, WARM);
    for (let hit = 1; hit <= 3000; hit++) {
      machine.stops.arm(spaceOf(made), va(CODE + 8));
      const exit = ahead(machine, 100);
      assert.equal(exit.reason, 'stop');
      machine.stops.disarm(spaceOf(made), va(CODE + 8));
      assert.equal(machine.tick, WARM + 5 * (hit - 1) + 2);
      assert.equal(machine.harts[0]!.getX(10), WARM / 5 + hit);
      ahead(machine, 1);
    }
  });

  it('of another space are none', () => {
    const { machine } = user('loop: addi a0,a0,1\nj loop');
    ahead(machine, WARM);
    machine.stops.arm(space(0x12345), va(CODE));
    machine.stops.arm(NO_SPACE, va(CODE));
    assert.equal(ahead(machine, WARM).reason, 'until');
  });

  it('end a run behind an instruction across pages that a loop begins with', () => {
    const made = user('loop: addi a0,a0,1\naddi a2,a2,1\nj loop', 4094);
    const { machine } = made;
    ahead(machine, WARM);
    machine.stops.arm(spaceOf(made), va(CODE + 4098));
    assert.equal(ahead(machine, 100).reason, 'stop');
    assert.equal(machine.harts[0]!.pc, CODE + 4098);
    assert.equal(machine.tick, Math.ceil((WARM - 1) / 3) * 3 + 1);
  });

  it('leave nothing behind in code that was first executed beside them', () => {
    const made = user(
      'j loop\nhalt: j halt\nloop: addi a0,a0,1\namoadd.d a2,a0,(a1)\nlr.d a3,(a1)\nsc.d a4,a3,(a1)\nj loop',
    );
    const { machine } = made;
    const stop = va(CODE + 4);
    machine.stops.arm(spaceOf(made), stop);
    ahead(machine, WARM);
    machine.stops.disarm(spaceOf(made), stop);
    machine.stops.arm(spaceOf(made), va(CODE + 4096));
    ahead(machine, WARM);
    assert.equal(made.firmware.ended, '');
    // One tick to get there, and the last round is begun.
    const rounds = Math.ceil((2 * WARM - 1) / 5);
    assert.equal(machine.harts[0]!.getX(12), (rounds * (rounds - 1)) / 2, 'what the last addition found');
  });
});

eachEngine('Pages of hot code', () => {
  const COUNT = 'loop: addi a0,a0,1\nauipc a2,0\nj loop';

  it('may be mapped at two addresses of a space, and each knows its own', () => {
    // a1 toggles between the two addresses at each turn.
    const made = user('loop: addi a0,a0,1\nauipc a2,0\nxor a3,a3,a4\njalr zero,0(a3)');
    const other = 0x30000;
    made.tables.map(other, Number(frameOf(made, CODE)), RX);
    const { machine } = made;
    const hart = machine.harts[0]!;
    hart.setX(13, CODE);
    hart.setX(14, CODE ^ other);
    for (let round = 0; round < 2000; round++) {
      ahead(machine, 4);
      const at = round % 2 === 0 ? CODE : other;
      if (round % 97 === 0) assert.equal(hart.getX(12), at + 4, `round ${round}`);
    }
    ahead(machine, 40_000);
    assert.equal(hart.getX(10), 12_000);
    assert.equal(hart.pc, CODE);
  });

  it('may be shared by two spaces at different addresses', () => {
    const made = user(COUNT);
    const { machine } = made;
    const hart = machine.harts[0]!;
    const second = new Tables(machine, 0x80300000);
    const other = 0x7000000;
    second.map(other, Number(frameOf(made, CODE)), RX);
    const places = [
      { satp: made.tables.satp, at: CODE },
      { satp: second.satp, at: other },
    ];
    for (let i = 0; i < 200; i++) {
      const { satp, at } = places[i % 2]!;
      hart.writeCsr(0x180, satp);
      hart.pc = va(at);
      ahead(machine, 3 * (i % 7 === 0 ? 1000 : 11));
      assert.equal(hart.pc, at);
      assert.equal(hart.getX(12), at + 4);
    }
  });

  it('give way to other code when the mapping changes', () => {
    const made = user(COUNT);
    const { machine, tables } = made;
    const hart = machine.harts[0]!;
    const frame = Number(frameOf(made, CODE));
    const spare = 0x80240000;
    machine.machinePort.write(pa(spare), assemble(CODE, 'loop: addi a0,a0,1000\nauipc a2,0\nj loop').bytes);
    let expected = 0;
    for (let i = 0; i < 60; i++) {
      tables.map(CODE, i % 2 === 0 ? frame : spare, RX);
      ahead(machine, 3 * 700);
      expected += 700 * (i % 2 === 0 ? 1 : 1000);
      assert.equal(hart.getX(10), expected, `turn ${i}`);
    }
  });

  it('end in a fault when they lose the right to execute', () => {
    for (const way of ['table', 'pmp'] as const) {
      const made = user(COUNT);
      const { machine, tables } = made;
      const hart = machine.harts[0]!;
      ahead(machine, WARM);
      if (way === 'table') tables.map(CODE, Number(frameOf(made, CODE)), RX & ~PTE.X);
      else hart.writeCsr(0x3a0, 0x1bn);
      ahead(machine, 1);
      const cause = way === 'table' ? Cause.InstructionPageFault : Cause.InstructionAccessFault;
      assert.equal(hart.mcause, cause);
      assert.equal(hart.mepc, CODE + 4 * (WARM % 3));
    }
  });

  it('that the guest itself maps anew, in S-mode, are the new ones after SFENCE.VMA', () => {
    // The function at WINDOW is in one frame or the other, by turns; a2 is its entry, a3 and a4 its values.
    const made = user(`
      loop: sd a3,0(a2)
      sfence.vma zero,zero
      jalr ra,0(a1)
      sd a4,0(a2)
      sfence.vma zero,zero
      jalr ra,0(a1)
      addi a5,a5,-1
      bne a5,zero,loop
      end: j end`);
    const { machine, tables } = made;
    const hart = machine.harts[0]!;
    const frames = [0x80240000, 0x80241000];
    frames.forEach((frame, i) =>
      machine.machinePort.write(pa(frame), assemble(WINDOW, `addi a0,a0,${i === 0 ? 1 : 1000}\nret`).bytes),
    );
    const supervisor = PTE.V | PTE.R | PTE.X | PTE.W | PTE.A | PTE.D;
    tables.map(CODE, Number(frameOf(made, CODE)), supervisor);
    const table = tables.entry(WINDOW);
    const window = 0x50000;
    tables.map(window, table - (table % 4096), PTE.V | PTE.R | PTE.W | PTE.A | PTE.D);
    const entryOf = (frame: number): bigint => (BigInt(frame / 4096) << 10n) | BigInt(supervisor);
    hart.setX(12, window + (table % 4096));
    hart.setX64(13, entryOf(frames[0]!));
    hart.setX64(14, entryOf(frames[1]!));
    hart.setX(15, 500);
    hart.writeCsr(0x300, (1n << 11n) | (1n << 13n));
    hart.mepc = va(CODE);
    hart.mret();
    ahead(machine, 500 * 12 + 10);
    assert.equal(hart.getX(10), 500 * 1001);
    assert.equal(hart.pc, CODE + 32);
  });
});

eachEngine('Hot code in M-mode', () => {
  it('sees its own changes of PMP entries at the next access of U-mode', () => {
    // The user program loads; M-mode takes the right to read away and gives it back by turns, and counts the faults.
    const { machine, x } = bare(`
      la t0, handler
      csrrw zero,mtvec,t0
      li t0,-1
      csrrw zero,pmpaddr0,t0
      li s0,0x1f
      li s1,0x1c
      csrrw zero,pmpcfg0,s0
      la s2, program
      csrrw zero,mepc,s2
      li s3,600
      lui t0,2
      csrrw zero,mstatus,t0
      mret
      program: ld a0,0(a1)
      addi a2,a2,1
      ecall
      j program
      handler: csrrs t0,mcause,zero
      addi t1,zero,8
      beq t0,t1,call
      addi a3,a3,1
      csrrw zero,mepc,s2
      j turn
      call: addi a4,a4,1
      csrrw zero,mepc,s2
      turn: xor s0,s0,s4
      csrrw zero,pmpcfg0,s0
      addi s3,s3,-1
      beq s3,zero,end
      mret
      end: j end`, { 11: BigInt(DATA), 20: 3n }); // prettier-ignore
    ahead(machine, 20_000);
    assert.deepEqual([x(13), x(14)], [300n, 300n], 'faults and calls');
    assert.equal(x(12), 300n);
    assert.ok(machine.harts[0]!.pc > ORIGIN);
  });
});

/** The frame of a page of user code. */
function frameOf({ machine, tables }: UserMachine, address: number): bigint {
  return (machine.machinePort.readU64(pa(tables.entry(address))) >> 10n) << 12n;
}

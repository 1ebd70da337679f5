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

eachEngine('Hot code that writes page tables', () => {
  it('sees a page become a table between two accesses to it', () => {
    // a1: the table of the far page a2, which is data until the walk for a2 reads it; a3: the table of everything else.
    const made = user(`
      outer: sd zero,800(a3)
      addi t0,zero,3
      warm: sd zero,8(a1)
      ld t1,8(a1)
      addi t0,t0,-1
      bne t0,zero,warm
      sd zero,16(a1)
      ld t2,0(a2)
      ld t3,0(a1)
      andi t3,t3,-65
      sd t3,0(a1)
      ld t2,0(a2)
      ld t3,0(a1)
      andi t3,t3,64
      add a0,a0,t3
      addi a5,a5,-1
      bne a5,zero,outer
      end: j end`);
    const { machine, tables } = made;
    const hart = machine.harts[0]!;
    const [far, table, all] = [0x40000000, 0x50000, 0x51000];
    tables.map(far, 0x80240000, RW);
    tables.map(table, pageStart(tables.entry(far)), RW);
    tables.map(all, pageStart(tables.entry(CODE)), RW);
    for (const [register, value] of [
      [11, table],
      [12, far],
      [13, all],
      [15, 200],
    ] as const)
      hart.setX(register, value);
    ahead(machine, 200 * 30);
    assert.equal(hart.getX(15), 0);
    assert.equal(hart.getX(10), 200 * PTE.A, 'what the accesses to the far page have set');
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

eachEngine('Hot code with atomics, counters and rounding modes', () => {
  it('reserves and stores, in RAM that nothing but atomics touches', () => {
    const made = user(`
      loop: lr.w a2,(a1)
      addiw a2,a2,1
      sc.w a3,a2,(a1)
      bne a3,zero,loop
      amoadd.d a4,a0,(a5)
      addi a0,a0,1
      j loop`);
    const { machine } = made;
    const hart = machine.harts[0]!;
    hart.setX(15, WINDOW + 8);
    ahead(machine, 7 * 3000);
    assert.deepEqual([hart.getX(10), hart.getX(12), hart.getX(14)], [3000, 3000, (2999 * 2998) / 2]);
    assert.equal(hart.pc, CODE);
  });

  it('does not store where nothing is reserved, another place or another width is, or a trap came between', () => {
    const failing = {
      'nothing reserved': 'lr.d s4,(a1)\nsc.d s5,s4,(a1)\nsc.d s5,s2,(a1)',
      'another place': 'lr.d s4,(a1)\naddi s6,a1,8\nsc.d s5,s2,(s6)',
      'another width': 'lr.w s4,(a1)\nsc.d s5,s2,(a1)',
      'a trap between': 'lr.d s4,(a1)\necall\nsc.d s5,s2,(a1)',
    };
    for (const [why, text] of Object.entries(failing)) {
      const made = user(`loop: addi s2,s2,1\n${text}\nadd s3,s3,s5\nj loop`);
      const { machine } = made;
      const hart = machine.harts[0]!;
      // The system call writes nothing.
      hart.setX(17, 64);
      ahead(machine, WARM);
      const rounds = hart.getX(18);
      assert.ok(rounds > 200, why);
      assert.ok(hart.getX(19) >= rounds - 1, `${why}: ${hart.getX(19)} of ${rounds} failed`);
      for (const at of [0, 8])
        assert.equal(machine.machinePort.readU64(pa(Number(frameOf(made, WINDOW)) + at)), 0n, why);
    }
  });

  it('reads the counters at its exact tick, wherever the run before ended', () => {
    // Each round takes nine ticks; a5 counts those of which a counter says something else.
    const made = user(`
      loop: csrrs a2,cycle,zero
      sub a3,a2,a4
      xori a3,a3,9
      sltu a3,zero,a3
      add a5,a5,a3
      addi a4,a2,0
      csrrs a6,instret,zero
      csrrs a7,time,zero
      j loop`);
    const { machine } = made;
    const hart = machine.harts[0]!;
    hart.writeCsr(0x306, 7n);
    hart.writeCsr(0x106, 7n);
    const begin = machine.tick;
    for (let i = 0; i < 400; i++) {
      ahead(machine, 1 + ((i * 37) % 100));
      const last = (offset: number): number => begin + offset + 9 * Math.floor((machine.tick - begin - offset - 1) / 9);
      if (machine.tick < begin + 9) continue;
      assert.equal(hart.getX(12), last(0));
      assert.equal(hart.getX(16), last(6));
      assert.equal(hart.getX(17), Math.floor(last(7) / 10), 'of 100 MHz');
    }
    assert.equal(hart.getX(15), 1, 'but the first');
  });

  it('rounds as frm says, which it changes itself, and traps where that is reserved', () => {
    // 1 / 3 and -1 / 3 in each mode by turns; the last three are none, where the handler counts and skips.
    const { machine, x } = bare(`
      la t0, handler
      csrrw zero,mtvec,t0
      lui t0,2
      csrrs zero,mstatus,t0
      addi t1,zero,1
      addi t2,zero,3
      fcvt.d.l f0,t1
      fcvt.d.l f1,t2
      fsub.d f4,f5,f0
      loop: csrrw zero,frm,a0
      fdiv.d f2,f0,f1
      fdiv.d f3,f4,f1
      slli a2,a0,4
      add a2,a2,a1
      fsd f2,0(a2)
      fsd f3,8(a2)
      csrrwi a3,frm,0
      add a4,a4,a3
      addi a0,a0,1
      andi a0,a0,7
      bne a0,zero,loop
      addi a5,a5,1
      j loop
      handler: csrrs t0,mepc,zero
      addi t0,t0,4
      csrrw zero,mepc,t0
      addi a6,a6,1
      mret`, { 11: BigInt(DATA) }); // prettier-ignore
    ahead(machine, 30_000);
    const third = 0x3fd5555555555555n;
    const minus = third | (1n << 63n);
    const at = (offset: number): bigint => machine.machinePort.readU64(pa(DATA + offset));
    const found = [0, 1, 2, 3, 4].map((mode) => [at(16 * mode), at(16 * mode + 8)]);
    assert.deepEqual(found, [
      [third, minus],
      [third, minus],
      [third, minus + 1n],
      [third + 1n, minus],
      [third, minus],
    ]);
    const rounds = x(15);
    assert.ok(rounds > 200n, `${rounds} rounds`);
    // Behind a whole number of rounds, or in the next one.
    assert.ok(x(16) >= 6n * rounds && x(16) <= 6n * rounds + 6n, `${x(16)} traps in ${rounds} rounds`);
    assert.ok(x(14) >= 28n * rounds && x(14) < 28n * (rounds + 1n));
  });
});

const pageStart = (address: number): number => address - (address % 4096);

/** The frame of a page of user code. */
function frameOf({ machine, tables }: UserMachine, address: number): bigint {
  return (machine.machinePort.readU64(pa(tables.entry(address))) >> 10n) << 12n;
}

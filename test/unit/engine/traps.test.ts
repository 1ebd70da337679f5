import assert from 'node:assert/strict';
import { Cause, Interrupt, Privilege, type Hart } from '../../../emulator/hart/types';
import { pa, tick, va } from '../../../emulator/units';
import { assembleLine } from '../assembler';
import { bare, DATA, ORIGIN, TRAP, type Bare } from './bare';
import { eachEngine } from './engines';

const MSTATUS = 0x300;
const MIE = 0x304;
const MIDELEG = 0x303;
const MEDELEG = 0x302;
const STVEC = 0x105;

/** Opens all memory to S and U, then drops to a privilege level at the program's start. */
function at(privilege: Privilege, source: string, x: Readonly<Record<number, bigint>> = {}, status = 0n): Bare {
  const made = bare(source, x);
  const hart = made.machine.harts[0]!;
  hart.writeCsr(0x3b0, (1n << 54n) - 1n);
  hart.writeCsr(0x3a0, 0x1fn);
  hart.writeCsr(MSTATUS, status | (BigInt(privilege) << 11n));
  hart.mepc = va(ORIGIN);
  hart.mret();
  return made;
}

/** Asserts that the last trap went to M so. */
function assertTrap({ machine }: Bare, cause: Cause, tval: bigint, epc: number): void {
  const hart = machine.harts[0]!;
  assert.equal(hart.mcause, cause, 'mcause');
  assert.equal(hart.readCsr(0x343).toString(16), tval.toString(16), 'mtval');
  assert.equal(hart.mepc.toString(16), epc.toString(16), 'mepc');
  assert.equal(hart.privilege, Privilege.Machine);
  assert.equal(hart.pc, TRAP);
}

eachEngine('Exceptions', () => {
  it('ecall names the privilege it came from and has tval 0', () => {
    for (const privilege of [Privilege.User, Privilege.Supervisor, Privilege.Machine]) {
      const made = at(privilege, 'nop\necall');
      made.run(2);
      assertTrap(made, 8 + privilege, 0n, ORIGIN + 4);
      assert.equal((made.machine.harts[0]!.readCsr(MSTATUS) >> 11n) & 3n, BigInt(privilege), 'mstatus.MPP');
    }
  });

  it('ebreak has its own address as tval, compressed or not', () => {
    for (const line of ['ebreak', 'c.ebreak']) {
      const made = at(Privilege.User, line);
      made.run(1);
      assertTrap(made, Cause.Breakpoint, BigInt(ORIGIN), ORIGIN);
    }
  });

  it('an illegal instruction has its bits as tval', () => {
    for (const [data, bits] of [
      ['.word 0xffffffff', 0xffffffffn],
      ['.half 0x0000', 0n],
      ['.half 0x8002', 0x8002n],
    ] as const) {
      // prettier-ignore
      const made = at(Privilege.User, data);
      made.run(1);
      assertTrap(made, Cause.IllegalInstruction, bits, ORIGIN);
    }
  });

  it('privileged instructions and CSRs are illegal below their level', () => {
    const cases: readonly (readonly [Privilege, string, bigint?])[] = [
      [Privilege.User, 'mret'],
      [Privilege.Supervisor, 'mret'],
      [Privilege.User, 'sret'],
      [Privilege.User, 'wfi'],
      [Privilege.User, 'sfence.vma zero,zero'],
      [Privilege.User, 'csrrs a0,sstatus,zero'],
      [Privilege.Supervisor, 'csrrs a0,mstatus,zero'],
      [Privilege.Machine, 'csrrw zero,mhartid,a0'],
      [Privilege.Machine, 'csrrs a0,0x7ff,zero'],
      [Privilege.Supervisor, 'csrrs a0,cycle,zero'],
      [Privilege.Supervisor, 'sret', 1n << 22n],
      [Privilege.Supervisor, 'wfi', 1n << 21n],
      [Privilege.Supervisor, 'sfence.vma a0,a1', 1n << 20n],
      [Privilege.Supervisor, 'csrrw zero,satp,zero', 1n << 20n],
      [Privilege.Machine, 'fadd.d f0,f1,f2'], // FS is off
      [Privilege.Machine, 'csrrs a0,fcsr,zero'],
    ];
    for (const [privilege, line, status] of cases) {
      const made = at(privilege, line, {}, status ?? 0n);
      made.run(1);
      const { bits } = assembleLine(line, ORIGIN, new Map());
      assertTrap(made, Cause.IllegalInstruction, BigInt(bits), ORIGIN);
    }
  });

  it('reserved rounding modes are illegal, in the instruction and through frm', () => {
    for (const [line, frm] of [
      ['fadd.d f0,f1,f2,5', 0n],
      ['fadd.d f0,f1,f2,dyn', 6n],
    ] as const) {
      // prettier-ignore
      const made = at(Privilege.User, line, {}, 1n << 13n);
      made.machine.harts[0]!.writeCsr(2, frm);
      made.run(1);
      assert.equal(made.machine.harts[0]!.mcause, Cause.IllegalInstruction);
    }
  });

  it('accesses outside of RAM and devices are access faults with the address', () => {
    const far = 0x123456789abcdef0n;
    for (const [line, cause] of [
      ['ld a0,0(a1)', Cause.LoadAccessFault],
      ['sd a0,0(a1)', Cause.StoreAccessFault],
      ['amoadd.d a0,a0,(a1)', Cause.StoreAccessFault],
      ['lr.d a0,(a1)', Cause.LoadAccessFault],
    ] as const) {
      // prettier-ignore
      const made = at(Privilege.Machine, line, { 11: far });
      made.run(1);
      assertTrap(made, cause, far, ORIGIN);
    }
    const jump = at(Privilege.Machine, 'jalr zero,0(a1)', { 11: far });
    jump.run(2);
    assertTrap(jump, Cause.InstructionAccessFault, far, 0x123456789abcdef0);
  });

  it('misaligned atomics are address-misaligned exceptions', () => {
    for (const [line, cause] of [
      ['lr.w a0,(a1)', Cause.LoadAddressMisaligned],
      ['sc.d a0,a0,(a1)', Cause.StoreAddressMisaligned],
      ['amoswap.w a0,a0,(a1)', Cause.StoreAddressMisaligned],
    ] as const) {
      // prettier-ignore
      const made = at(Privilege.User, line, { 11: BigInt(DATA + 2) });
      made.run(1);
      assertTrap(made, cause, BigInt(DATA + 2), ORIGIN);
    }
  });

  it('delegated exceptions go to S, but never from M', () => {
    const made = at(Privilege.User, 'ecall');
    const hart = made.machine.harts[0]!;
    hart.writeCsr(MEDELEG, 1n << 8n);
    hart.writeCsr(STVEC, BigInt(TRAP));
    made.run(1);
    assert.equal(hart.privilege, Privilege.Supervisor);
    assert.deepEqual([hart.scause, hart.sepc, hart.stval], [8, ORIGIN, 0]);
    assert.equal((hart.readCsr(0x100) >> 8n) & 1n, 0n, 'sstatus.SPP');
    const above = at(Privilege.Machine, 'ebreak');
    above.machine.harts[0]!.writeCsr(MEDELEG, 0xffffn);
    above.run(1);
    assertTrap(above, Cause.Breakpoint, BigInt(ORIGIN), ORIGIN);
  });

  it('medeleg can not delegate ecall from M', () => {
    const hart = bare('nop').machine.harts[0]!;
    hart.writeCsr(MEDELEG, -1n);
    assert.equal((hart.readCsr(MEDELEG) >> 11n) & 1n, 0n);
  });
});

eachEngine('What a personality does as an instruction', () => {
  it('a write of satp and a fence trap to M from S with TVM, like the instructions', () => {
    for (const [act, word] of [
      [(hart: Hart) => hart.csrWrite(0x180, 8n << 60n), assembleLine('csrrw zero,satp,a0', 0, new Map()).bits],
      [(hart: Hart) => hart.fenceVma(), assembleLine('sfence.vma zero,zero', 0, new Map()).bits],
    ] as const) {
      const made = at(Privilege.Supervisor, 'nop', {}, 1n << 20n);
      act(made.machine.harts[0]!);
      assertTrap(made, Cause.IllegalInstruction, BigInt(word), ORIGIN);
      assert.equal(made.machine.harts[0]!.space, undefined);
      const free = at(Privilege.Supervisor, 'nop');
      act(free.machine.harts[0]!);
      assert.equal(free.machine.harts[0]!.privilege, Privilege.Supervisor);
    }
  });
});

eachEngine('Returns', () => {
  it('mret restores MIE from MPIE, drops MPRV below M, and leaves MPP = U', () => {
    const made = at(Privilege.Supervisor, 'nop', {}, (1n << 7n) | (1n << 17n));
    const status = made.machine.harts[0]!.readCsr(MSTATUS);
    assert.equal(made.machine.harts[0]!.privilege, Privilege.Supervisor);
    assert.equal((status >> 3n) & 1n, 1n, 'MIE');
    assert.equal((status >> 7n) & 1n, 1n, 'MPIE');
    assert.equal((status >> 11n) & 3n, 0n, 'MPP');
    assert.equal((status >> 17n) & 1n, 0n, 'MPRV');
  });

  it('sret goes to U with interrupts as SPIE says', () => {
    const made = at(Privilege.Supervisor, 'sret\nnop', {}, 1n << 5n);
    const hart = made.machine.harts[0]!;
    hart.sepc = va(ORIGIN + 4);
    made.run(1);
    assert.deepEqual([hart.privilege, hart.pc], [Privilege.User, ORIGIN + 4]);
    assert.equal((hart.readCsr(0x100) >> 1n) & 1n, 1n, 'SIE');
  });
});

eachEngine('Interrupts', () => {
  /** A loop in M with interrupts enabled. */
  const looping = (): Bare => {
    const made = at(Privilege.Machine, 'loop: j loop');
    made.machine.harts[0]!.writeCsr(MSTATUS, 8n);
    return made;
  };

  it('the timer is taken exactly at its deadline', () => {
    const made = looping();
    const { machine } = made;
    const hart = machine.harts[0]!;
    hart.writeCsr(MIE, 1n << 7n);
    machine.setTimer(hart, tick(1234));
    made.run(1234);
    assert.equal(hart.pc, ORIGIN, 'not before');
    made.run(1);
    assert.equal(hart.pc, TRAP);
    assert.ok(hart.mcauseIsInterrupt);
    assert.equal(hart.mcause, Interrupt.MachineTimer);
    assert.equal(machine.tick, 1235);
  });

  it('are taken from the most to the least urgent: external, software, timer; M before S', () => {
    const order: number[] = [];
    const made = looping();
    const hart = made.machine.harts[0]!;
    const all = [11, 3, 7, 9, 1, 5];
    hart.writeCsr(MIE, 0xaaan);
    for (const interrupt of all) hart.setPending(interrupt, true);
    while (order.length < all.length) {
      made.run(1);
      order.push(hart.mcause);
      hart.setPending(hart.mcause, false);
      hart.mret();
    }
    assert.deepEqual(order, all);
  });

  it('a delegated one is taken in S when SIE is set, at once in U, never in M', () => {
    for (const [privilege, sie, taken] of [
      [Privilege.Supervisor, 0n, false],
      [Privilege.Supervisor, 2n, true],
      [Privilege.User, 0n, true],
      [Privilege.Machine, 2n, false],
    ] as const) {
      // prettier-ignore
      const made = at(privilege, 'loop: j loop', {}, sie);
      const hart = made.machine.harts[0]!;
      hart.writeCsr(MIDELEG, 0x222n);
      hart.writeCsr(MIE, 0x222n);
      hart.writeCsr(STVEC, BigInt(TRAP));
      hart.setPending(Interrupt.SupervisorTimer, true);
      made.run(1);
      assert.equal(hart.scauseIsInterrupt, taken, `privilege ${privilege}, SIE ${sie}`);
    }
  });

  it('vectored mode adds 4 * cause for interrupts only', () => {
    const made = looping();
    const hart = made.machine.harts[0]!;
    hart.writeCsr(0x305, BigInt(TRAP) | 1n);
    hart.writeCsr(MIE, 8n);
    made.machine.interrupt();
    made.machine.machinePort.writeU32(pa(TRAP + 12), 0x6f);
    made.run(1);
    assert.equal(hart.pc, TRAP + 12);
    const exception = at(Privilege.Machine, 'ecall');
    exception.machine.harts[0]!.writeCsr(0x305, BigInt(TRAP) | 1n);
    exception.run(1);
    assert.equal(exception.machine.harts[0]!.pc, TRAP);
  });

  it('enabling one by a CSR instruction takes it before the next instruction', () => {
    const made = at(Privilege.Machine, 'csrrsi zero,mstatus,8\naddi a0,zero,1');
    const hart = made.machine.harts[0]!;
    hart.writeCsr(MIE, 8n);
    made.machine.interrupt();
    made.run(5);
    assert.equal(hart.mepc, ORIGIN + 4);
    assert.equal(made.x(10), 0n);
  });
});

eachEngine('WFI', () => {
  it('sleeps until the timer, and the clock jumps there', () => {
    const made = at(Privilege.Machine, 'wfi\naddi a0,zero,1\nloop: j loop');
    const { machine } = made;
    machine.harts[0]!.writeCsr(MIE, 1n << 7n);
    machine.setTimer(machine.harts[0]!, tick(5_000_000));
    made.run(4_999_999);
    assert.equal(made.x(10), 0n);
    made.run(2);
    // Interrupts are off in mstatus: it goes on behind WFI instead of trapping.
    assert.equal(made.x(10), 1n);
    assert.equal(machine.tick, 5_000_001);
  });

  it('without any timer the machine is idle, until an interrupt comes from outside', () => {
    const { machine, x } = at(Privilege.Machine, 'wfi\naddi a0,zero,1\nloop: j loop');
    machine.harts[0]!.writeCsr(MIE, 8n);
    assert.deepEqual(machine.run(tick(100)), { reason: 'idle' });
    assert.equal(machine.tick, 1);
    machine.interrupt();
    assert.deepEqual(machine.run(tick(100)), { reason: 'until' });
    assert.equal(x(10), 1n);
  });
});

eachEngine('Counters', () => {
  it('cycle and instret count the instructions before, time runs at 10 MHz', () => {
    const made = at(Privilege.Machine, 'nop\ncsrrs a0,mcycle,zero\ncsrrs a1,minstret,zero\nloop: j loop');
    made.run(3);
    assert.deepEqual([made.x(10), made.x(11)], [1n, 2n]);
    made.run(100_000 - 3);
    assert.equal(made.machine.harts[0]!.readCsr(0xc01), 10_000n);
  });

  it('a written counter goes on from what was written', () => {
    const made = at(Privilege.Machine, 'loop: j loop');
    made.run(1000);
    made.machine.harts[0]!.writeCsr(0xb00, 2n ** 40n);
    made.run(5);
    assert.equal(made.machine.harts[0]!.readCsr(0xb00), 2n ** 40n + 5n);
    assert.equal(made.machine.harts[0]!.readCsr(0xb02), 1005n);
  });

  it('are open to U only with both counter-enable bits', () => {
    for (const [m, s, open] of [
      [0n, 1n, false],
      [1n, 0n, false],
      [1n, 1n, true],
    ] as const) {
      // prettier-ignore
      const made = at(Privilege.User, 'csrrs a0,cycle,zero');
      made.machine.harts[0]!.writeCsr(0x306, m);
      made.machine.harts[0]!.writeCsr(0x106, s);
      made.run(1);
      assert.equal(made.machine.harts[0]!.privilege === Privilege.User, open);
    }
  });
});

eachEngine('mstatus.FS', () => {
  it('becomes Dirty when an f register or a flag is written, not when f registers are only read', () => {
    const dirty = (line: string): boolean => {
      const made = at(Privilege.User, line, { 11: BigInt(DATA) }, 1n << 13n);
      made.run(1);
      return ((made.machine.harts[0]!.readCsr(MSTATUS) >> 13n) & 3n) === 3n;
    };
    assert.deepEqual(['fld f0,0(a1)', 'fadd.d f0,f1,f2', 'fmv.d.x f0,a0', 'csrrw zero,fflags,a0'].map(dirty), [
      true,
      true,
      true,
      true,
    ]);
    assert.deepEqual(['fsd f0,0(a1)', 'fmv.x.d a0,f1', 'feq.d a0,f1,f2'].map(dirty), [false, false, false]);
  });
});

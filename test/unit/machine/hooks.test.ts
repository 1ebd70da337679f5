import assert from 'node:assert/strict';
import { createMachine } from '../../../emulator/machine/machine';
import { ROM_START } from '../../../emulator/machine/rom';
import type { ContextChange, MachineExit, WatchKind } from '../../../emulator/machine/types';
import { NO_SPACE, pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { bare, DATA, ORIGIN, TRAP } from '../engine/bare';
import { loadUser, PTE, userMachine } from './user';
import { eachEngine, engineUnderTest } from '../engine/engines';

eachEngine('Stops where addresses are physical', () => {
  it('end a run in M-mode before the instruction, and are passed once on demand', () => {
    const { machine } = bare('loop: addi a0,a0,1\naddi a1,a1,1\nj loop');
    machine.stops.arm(NO_SPACE, va(ORIGIN + 4));
    const stop = { reason: 'stop', pc: ORIGIN + 4, space: NO_SPACE };
    assert.deepEqual(machine.run(tick(100)), stop);
    assert.equal(machine.tick, 1);
    machine.stepOverStop();
    assert.deepEqual(machine.run(tick(100)), stop);
    assert.equal(machine.tick, 4);
    machine.stops.disarm(NO_SPACE, va(ORIGIN + 4));
    assert.equal(machine.run(tick(100)).reason, 'until');
  });

  it('do not show in a space, nor a space’s stops here', () => {
    const { machine } = bare('loop: addi a0,a0,1\nj loop');
    machine.harts[0]!.writeCsr(0x180, (8n << 60n) | 0x80100n);
    machine.stops.arm(space(0x80100), va(ORIGIN));
    assert.equal(machine.run(tick(100)).reason, 'until', 'satp means nothing to M-mode');
    const user = userMachine(0x10000);
    loadUser(user, 0x10000, assemble(0x10000, 'loop: j loop').bytes, PTE.V | PTE.R | PTE.X | PTE.U);
    user.machine.stops.arm(NO_SPACE, va(0x10000));
    assert.equal(user.machine.run(tick(100)).reason, 'until');
  });

  it('end a run in the ROM and in a page that PMP covers in part', () => {
    const machine = createMachine({ ramBytes: 2 ** 20, ...engineUnderTest() });
    machine.rom.burn(assemble(ROM_START, 'addi a0,a0,1\naddi a0,a0,1\njalr ra,0(t0)').bytes);
    machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, 'loop: addi a1,a1,1\nj loop').bytes);
    const hart = machine.harts[0]!;
    hart.pc = va(ROM_START);
    hart.setX(5, ORIGIN);
    hart.writeCsr(0x3b0, BigInt((ORIGIN + 64) / 4));
    hart.writeCsr(0x3a0, 0x0fn);
    machine.stops.arm(NO_SPACE, va(ROM_START + 4));
    machine.stops.arm(NO_SPACE, va(ORIGIN + 4));
    for (const [at, pc] of [
      [1, ROM_START + 4],
      [4, ORIGIN + 4],
      [6, ORIGIN + 4],
    ] as const) {
      assert.deepEqual(machine.run(tick(100)), { reason: 'stop', pc, space: NO_SPACE });
      assert.equal(machine.tick, at);
      machine.stepOverStop();
    }
    assert.equal(hart.getX(10), 2);
  });
});

eachEngine('Watches', () => {
  /** Runs M-mode code, with a1 at DATA, under one watch; where each access was and at which tick. */
  function hits(source: string, from: number, length: number, kind: WatchKind, ticks = 20): [number, string, number][] {
    const { machine } = bare(`${source}\ndone: j done`, { 11: BigInt(DATA), 12: 5n, 13: BigInt(DATA + 4096) });
    machine.machinePort.writeU64(pa(DATA), 0x0807_0605_0403_0201n);
    machine.watches.add(NO_SPACE, va(DATA + from), length, kind);
    const found: [number, string, number][] = [];
    for (;;) {
      const exit: MachineExit = machine.run(tick(ticks));
      if (exit.reason !== 'watch') return found;
      found.push([exit.address - DATA, exit.kind, machine.tick]);
    }
  }

  it('are exact to the byte', () => {
    const source = 'sb zero,3(a1)\nsh zero,4(a1)\nsw zero,8(a1)\nld a0,0(a1)\nlbu a0,5(a1)';
    assert.deepEqual(hits(source, 4, 2, 'access'), [[4, 'write', 2], [0, 'read', 4], [5, 'read', 5]]); // prettier-ignore
    assert.deepEqual(hits(source, 5, 1, 'read'), [[0, 'read', 4], [5, 'read', 5]]); // prettier-ignore
    assert.deepEqual(hits(source, 3, 1, 'write'), [[3, 'write', 1]]);
    assert.deepEqual(hits(source, 6, 2, 'write'), []);
  });

  it('see both parts of an access across pages', () => {
    const source = 'sw a1,4094(a1)\nlw a0,4094(a1)'.replaceAll('4094(a1)', '-2(a3)');
    assert.deepEqual(hits(source, 4095, 1, 'access'), [[4094, 'write', 1], [4094, 'read', 2]]); // prettier-ignore
    assert.deepEqual(hits(source, 4096, 1, 'access'), [[4094, 'write', 1], [4094, 'read', 2]]); // prettier-ignore
    assert.deepEqual(hits(source, 4098, 1, 'access'), []);
  });

  it('of changes end a run only when another value is left in the range', () => {
    const source =
      'li t0,1\nsb t0,0(a1)\nsb t0,1(a1)\nli t0,0x0403\nsh t0,2(a1)\nsw zero,0(a1)\nsw zero,0(a1)\nld a0,0(a1)';
    // 0x0403 is what bytes 2 and 3 hold, 1 what byte 0 does.
    assert.deepEqual(hits(source, 0, 1, 'change'), [[0, 'write', 6]]);
    assert.deepEqual(hits(source, 1, 1, 'change'), [[1, 'write', 3], [0, 'write', 6]]); // prettier-ignore
    assert.deepEqual(hits(source, 2, 2, 'change'), [[0, 'write', 6]]);
    assert.deepEqual(hits(source, 4, 4, 'change'), []);
    assert.deepEqual(hits('li t0,0x0801\nslli t0,t0,48\nsd t0,-7(a3)', 4096, 1, 'change'), [[4089, 'write', 4]]);
    assert.deepEqual(hits('li t0,0x0801\nslli t0,t0,48\nsd t0,-7(a3)', 4097, 1, 'change'), []);
  });

  it('see AMOs as a read and a write, and a store-conditional when it stores', () => {
    const source = 'amoadd.w a0,zero,(a1)\namoadd.w a0,a2,(a1)\nsc.w a0,zero,(a1)\nlr.w a0,(a1)\nsc.w a0,zero,(a1)';
    assert.deepEqual(hits(source, 0, 4, 'read'), [[0, 'read', 1], [0, 'read', 2], [0, 'read', 4]]); // prettier-ignore
    assert.deepEqual(hits(source, 0, 4, 'write'), [[0, 'write', 1], [0, 'write', 2], [0, 'write', 5]]); // prettier-ignore
    assert.deepEqual(hits(source, 0, 1, 'change'), [[0, 'write', 2], [0, 'write', 5]]); // prettier-ignore
    assert.deepEqual(hits(source, 4, 4, 'access'), []);
  });

  it('see each AMO in a page of code, also the one that makes data of it', () => {
    const { machine } = bare('loop: amoadd.w a0,a2,(a1)\nj loop', { 11: BigInt(ORIGIN + 0x800), 12: 5n });
    machine.watches.add(NO_SPACE, va(ORIGIN + 0x800), 4, 'read');
    for (let n = 0; n < 100; n++) {
      assert.equal(machine.run(tick(1000)).reason, 'watch');
      assert.equal(machine.tick, 2 * n + 1);
    }
  });

  it('see a cache block that is zeroed', () => {
    const source = 'addi t0,a1,40\ncbo.zero (t0)\ncbo.zero (t0)';
    assert.deepEqual(hits(source, 60, 8, 'write'), [[0, 'write', 2], [0, 'write', 3]]); // prettier-ignore
    assert.deepEqual(hits(source, 7, 1, 'change'), [[0, 'write', 2]]);
    assert.deepEqual(hits(source, 8, 56, 'change'), []);
  });
});

eachEngine('Changes of context', () => {
  const SATP = (8n << 60n) | 0x80100n;
  const SOURCE = `
    li t0,-1
    csrw pmpaddr0,t0
    li t0,0x1f
    csrw pmpcfg0,t0
    la t0,user
    csrw mepc,t0
    csrw satp,t1
    csrw satp,t1
    csrw satp,zero
    mret
  user:
    addi a0,a0,1
    ecall
  `;
  const context = (privilege: number, satp = 0n): unknown => ({ privilege, satp });

  function started(): ReturnType<typeof bare> {
    return bare(SOURCE, { 6: SATP });
  }

  it('are told with the tick behind the instruction that made them', () => {
    const { machine } = started();
    const seen: ContextChange[] = [];
    machine.onContextChange = (change) => {
      seen.push(change);
      return false;
    };
    assert.equal(machine.run(tick(100)).reason, 'until');
    assert.deepEqual(seen, [
      { hart: 0, tick: 8, from: context(3), to: context(3, SATP) },
      { hart: 0, tick: 10, from: context(3, SATP), to: context(3) },
      { hart: 0, tick: 11, from: context(3), to: context(0) },
      { hart: 0, tick: 13, from: context(0), to: context(3) },
    ]);
  });

  it('end a run right there on demand, and change nothing that the guest can see', () => {
    const { machine } = started();
    machine.onContextChange = () => true;
    const ends: [string, number, number][] = [];
    for (;;) {
      const exit = machine.run(tick(100));
      if (exit.reason === 'until') break;
      ends.push([exit.reason, machine.tick, machine.harts[0]!.pc]);
    }
    assert.deepEqual(ends, [
      ['context', 8, ORIGIN + 32],
      ['context', 10, ORIGIN + 40],
      ['context', 11, ORIGIN + 44],
      ['context', 13, TRAP],
    ]);
    const plain = started();
    plain.machine.run(tick(100));
    assert.equal(machine.hash(), plain.machine.hash());
  });

  it('are told of an interrupt at the tick at which it is taken', () => {
    const { machine } = bare('li t0,0x80\ncsrw mie,t0\nla t0,user\ncsrw mepc,t0\nmret\nuser: j user', {});
    machine.harts[0]!.writeCsr(0x3b0, 2n ** 54n - 1n);
    machine.harts[0]!.writeCsr(0x3a0, 0x1fn);
    machine.setTimer(machine.harts[0]!, tick(50));
    machine.run(tick(20));
    machine.onContextChange = () => true;
    const exit = machine.run(tick(100));
    assert.deepEqual(exit, {
      reason: 'context',
      change: { hart: 0, tick: 50, from: context(0), to: context(3) },
    });
    assert.deepEqual([machine.tick, machine.harts[0]!.pc], [50, TRAP]);
  });
});

/**
 * Edges of what an engine keeps for itself: translations, halves of the pc, views of the memory. What the guest
 * sees must not show that they are there.
 */
import assert from 'node:assert/strict';
import { Cause } from '../../../emulator/hart/types';
import { createMachine } from '../../../emulator/machine/machine';
import { NO_SPACE, pa, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { loadUser, PTE, Tables, userMachine } from '../machine/user';
import { bare, DATA, ORIGIN, TRAP } from './bare';
import { eachEngine, engineUnderTest } from './engines';

eachEngine('Code across a multiple of 4 GiB', () => {
  const RX = PTE.V | PTE.R | PTE.X | PTE.U;
  for (const [title, source, steps] of [
    ['between two instructions', 'addi a0,a0,1\naddi a0,a0,1\naddi a0,a0,1', [4, 8, 12]],
    ['in the middle of one', 'addi a0,a0,1\nc.addi a0,1\naddi a0,a0,1\naddi a0,a0,1', [4, 6, 10, 14]],
  ] as const)
    it(`${title} has an exact pc at each tick`, () => {
      const start = 2 ** 32 - 8;
      const page = new Uint8Array(8192);
      page.set(assemble(start, source).bytes, 4088);
      for (const cut of [true, false]) {
        const user = userMachine(start);
        loadUser(user, 2 ** 32 - 4096, page, RX);
        const { machine } = user;
        const hart = machine.harts[0]!;
        for (const [i, step] of steps.entries()) {
          if (!cut && i < steps.length - 1) continue;
          machine.run(tick(i + 1));
          assert.equal(hart.pc, start + step);
          assert.equal(hart.getX(10), i + 1);
        }
      }
    });
});

eachEngine('Translations', () => {
  it('a store to a table through a mapping of that table leaves none that the table no longer shows', () => {
    // M-mode with MPRV: fetches walk no tables, which would hide it.
    const [window, data] = [0x20000, 0x30000];
    const frame = 0x80080000;
    const { machine, run } = bare('sd zero,0(a0)\nsd a2,0(a1)\nsd a3,0(a0)');
    const tables = new Tables(machine, 0x80040000);
    const flags = PTE.V | PTE.R | PTE.W | PTE.U | PTE.A | PTE.D;
    tables.map(data, frame, flags);
    const entries = tables.entry(data) - (tables.entry(data) % 4096);
    tables.map(window, entries, flags);
    const hart = machine.harts[0]!;
    hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1fn);
    hart.writeCsr(0x180, tables.satp);
    hart.writeCsr(0x300, 1n << 17n);
    hart.setX(10, window + 8 * (data / 4096));
    hart.setX(11, window + 8 * (window / 4096));
    hart.setX64(12, (BigInt(frame / 4096) << 10n) | BigInt(flags));
    hart.setX(13, 77);
    run(3);
    assert.equal(machine.machinePort.readI64(pa(frame + 8 * (data / 4096))), 77);
    assert.equal(machine.machinePort.readI64(pa(tables.entry(data))), 0);
  });
});

eachEngine('Exceptions and devices', () => {
  it('a run that begins at address 0, where nothing is mapped, begins with a page fault', () => {
    for (const ticks of [1, 1000]) {
      const { machine } = userMachine(0);
      machine.run(tick(ticks));
      assert.equal(machine.harts[0]!.mcause, Cause.InstructionPageFault, `a run of ${ticks}`);
    }
  });

  it('a trap vector keeps all bits of its address', () => {
    const vector = 0x1234_5678_9abc_def0n;
    const { machine, run } = bare('ebreak');
    const hart = machine.harts[0]!;
    hart.writeCsr(0x305, vector);
    run(2); // the ebreak, then the fetch at the vector
    assert.equal(hart.readCsr(0x341), vector);
    assert.equal(hart.readCsr(0x343), vector);
  });

  it('a load-reserved of a device faults without reading it', () => {
    const [plic, claim] = [0xc000000, 0xc200004];
    const { machine, x, run } = bare('lr.w a0,(a1)\nnop', { 11: BigInt(claim) });
    const port = machine.machinePort;
    port.writeU32(pa(plic + 4 * 10), 1);
    port.writeU32(pa(plic + 0x2000), 1 << 10);
    port.writeU8(pa(0x10000001), 1);
    machine.type(Uint8Array.of(65));
    run(1);
    assert.equal(machine.harts[0]!.pc, TRAP);
    assert.equal(machine.harts[0]!.readCsr(0x342), 5n);
    assert.equal(x(10), 0n);
    assert.equal(port.readU32(pa(claim)), 10);
  });
});

eachEngine('Growth of the memory', () => {
  it('does not bring back the stop at the instruction that made it grow', () => {
    const machine = createMachine({ ramBytes: 64 * 2 ** 20, ...engineUnderTest() });
    machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, 'loop: ld a0,0(a1)\nj loop').bytes);
    const hart = machine.harts[0]!;
    hart.pc = va(ORIGIN);
    hart.setX(11, DATA + 48 * 2 ** 20);
    machine.stops.arm(NO_SPACE, va(ORIGIN));
    machine.stepOverStop();
    assert.equal(machine.run(tick(1)).reason, 'until');
    assert.equal(hart.pc, ORIGIN + 4);
    assert.equal(machine.run(tick(10)).reason, 'stop');
    assert.equal(machine.tick, 2);
  });
});

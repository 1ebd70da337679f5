import assert from 'node:assert/strict';
import { createMachine, type SoftwareMachine } from '../../../emulator/machine/machine';
import { MemoryFault } from '../../../emulator/machine/ports';
import { pa, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { bare, ORIGIN } from '../engine/bare';
import { random } from '../engine/programs';

const UART = 0x10000000;
const PLIC = 0xc000000;
const MEIP = 1 << 11;
const SEIP = 1 << 9;

const newMachine = (harts = 1): SoftwareMachine => createMachine({ ramBytes: 2 ** 20, harts });
const mip = (machine: SoftwareMachine, hart = 0): number => Number(machine.harts[hart]!.readCsr(0x344));

interface Registers {
  readonly get: (register: number) => number;
  readonly set: (register: number, value: number) => void;
}

function uartOf(machine: SoftwareMachine): Registers {
  return {
    get: (register) => machine.machinePort.readU8(pa(UART + register)),
    set: (register, value) => machine.machinePort.writeU8(pa(UART + register), value),
  };
}

function plicOf(machine: SoftwareMachine): Registers {
  return {
    get: (register) => machine.machinePort.readU32(pa(PLIC + register)),
    set: (register, value) => machine.machinePort.writeU32(pa(PLIC + register), value),
  };
}

const IER = 1;
const IIR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;
const typed = (machine: SoftwareMachine, text: string): void => machine.type(new TextEncoder().encode(text));

describe('The UART', () => {
  it('receives into a FIFO of 16 bytes; what does not fit waits outside and is not lost', () => {
    const machine = newMachine();
    const { get, set } = uartOf(machine);
    set(IIR, 1);
    const text = 'abcdefghijklmnopqrstuvwxyz';
    typed(machine, text.slice(0, 3));
    typed(machine, text.slice(3));
    let received = '';
    while (get(LSR) & 1) received += String.fromCharCode(get(0));
    assert.equal(received, text);
    assert.equal(get(LSR), 0x60);
    assert.equal(get(0), 0, 'nothing is left');
  });

  it('without the FIFO holds one byte', () => {
    const machine = newMachine();
    const { get, set } = uartOf(machine);
    typed(machine, 'xy');
    set(IIR, 1); // switching the FIFO clears the receiver
    assert.equal(get(0), 'y'.charCodeAt(0));
  });

  it('identifies the most urgent interrupt that is enabled, as the data sheet ranks them', () => {
    const machine = newMachine();
    const { get, set } = uartOf(machine);
    assert.equal(get(IIR), 0x01, 'none');
    set(IER, 0x02);
    assert.equal(get(IIR), 0x02, 'the transmitter is empty');
    assert.equal(get(IIR), 0x01, 'reading it took it back');
    set(0, 65);
    set(IIR, 0x41 | 0x80); // FIFO on, trigger level 14
    set(IER, 0x0f);
    typed(machine, 'a');
    assert.equal(get(IIR), 0xcc, 'below the trigger level: timed out');
    typed(machine, 'bcdefghijklmno');
    assert.equal(get(IIR), 0xc4, 'received');
    set(MCR, 0x10);
    for (let i = 0; i < 3; i++) set(0, 90);
    assert.equal(get(IIR), 0xc6, 'an overrun: 15 bytes and three in loopback');
    assert.equal(get(LSR), 0x63);
    assert.equal(get(LSR), 0x61, 'reading the line status clears it');
    while (get(LSR) & 1) get(0);
    assert.equal(get(IIR), 0xc2);
    assert.equal(get(IIR), 0xc1);
  });

  it('loops its modem outputs and its bytes back, as drivers probe it', () => {
    const machine = newMachine();
    const { get, set } = uartOf(machine);
    set(MCR, 0x1a);
    assert.equal(get(MSR), 0x90, 'RTS and OUT2 come back as CTS and DCD');
    set(0, 0x55);
    typed(machine, '!');
    assert.equal(get(0), 0x55);
    assert.deepEqual(machine.outbox.drain(), [], 'nothing leaves');
    set(MCR, 0x0b);
    assert.equal(get(MSR), 0xb0);
    assert.equal(get(0), '!'.charCodeAt(0), 'what was typed meanwhile');
  });

  it('keeps the divisor apart from data and IER, and a scratch register', () => {
    const { get, set } = uartOf(newMachine());
    set(IER, 0x05);
    set(LCR, 0x83);
    set(0, 0x34);
    set(1, 0x12);
    assert.deepEqual([get(0), get(1), get(LCR)], [0x34, 0x12, 0x83]);
    set(LCR, 0x03);
    assert.equal(get(IER), 0x05);
    set(7, 0xa5);
    assert.equal(get(7), 0xa5);
    set(IER, 0xff);
    assert.equal(get(IER), 0x0f);
  });
});

/** Source 10 is the UART's; priority p, enabled for both contexts of hart 0. */
function listening(machine: SoftwareMachine, priority: number): Registers {
  const plic = plicOf(machine);
  plic.set(4 * 10, priority);
  plic.set(0x2000, 1 << 10);
  plic.set(0x2080, 1 << 10);
  uartOf(machine).set(IER, 1);
  return plic;
}

describe('The PLIC', () => {
  const claim = (context: number): number => 0x200004 + 0x1000 * context;

  it('raises MEIP and SEIP of the contexts that enabled a source, above their threshold', () => {
    const machine = newMachine();
    const plic = listening(machine, 3);
    plic.set(0x200000, 3);
    plic.set(0x201000, 2);
    typed(machine, 'x');
    assert.equal(mip(machine) & (MEIP | SEIP), SEIP);
    assert.equal(plic.get(0x1000), 1 << 10);
    plic.set(0x200000, 0);
    assert.equal(mip(machine) & (MEIP | SEIP), SEIP | MEIP);
    plic.set(0x28, 0);
    assert.equal(mip(machine) & (MEIP | SEIP), 0, 'priority 0 never interrupts');
    assert.equal(plic.get(claim(0)), 0);
  });

  it('gives a request to one claim only, and asks again after completion while the level is up', () => {
    const machine = newMachine();
    const plic = listening(machine, 1);
    plic.set(0x200000, 7);
    typed(machine, 'xy');
    assert.equal(plic.get(claim(0)), 10, 'a claim does not look at the threshold');
    assert.equal(plic.get(claim(1)), 0);
    assert.equal(mip(machine) & (MEIP | SEIP), 0);
    plic.set(claim(0), 11);
    assert.equal(plic.get(claim(1)), 0, 'completion of another source means nothing');
    plic.set(claim(0), 10);
    assert.equal(mip(machine) & (MEIP | SEIP), SEIP);
    assert.equal(plic.get(claim(1)), 10);
    const { get } = uartOf(machine);
    get(0);
    get(0);
    plic.set(claim(1), 10);
    assert.equal(plic.get(0x1000), 0, 'the level is down');
  });

  it('keeps a request that is pending when the level falls', () => {
    const machine = newMachine();
    const plic = listening(machine, 1);
    typed(machine, 'x');
    uartOf(machine).get(0);
    assert.equal(plic.get(0x1000), 1 << 10);
    assert.equal(plic.get(claim(1)), 10);
  });

  it('reads back what can be written and ignores the rest', () => {
    const machine = newMachine(2);
    const plic = plicOf(machine);
    plic.set(4 * 96, 0xff);
    assert.equal(plic.get(4 * 96), 7);
    plic.set(4 * 97, 1);
    plic.set(0, 1);
    plic.set(0x1000, -1);
    plic.set(0x2000, -1);
    plic.set(0x203004, 5);
    assert.deepEqual([4 * 97, 0, 0x1000, 0x2000, 0x5ffffc].map(plic.get), [0, 0, 0, 0xfffffffe, 0]);
    plic.set(0x203000, 6);
    assert.equal(plic.get(0x203000), 6, 'the last context is S-mode of hart 1');
    plic.set(0x204000, 6);
    assert.equal(plic.get(0x204000), 0);
    assert.throws(() => machine.machinePort.readU8(pa(PLIC)));
  });

  it('interrupts the hart whose context it is, which serves what was typed', () => {
    const machine = newMachine(2);
    const source = `
      csrr s0,mhartid
      beqz s0,sleep
      la t0,handler
      csrw mtvec,t0
      li t0,0x800
      csrw mie,t0
      li t0,8
      csrw mstatus,t0
    sleep:
      wfi
      j sleep
    .align 2
    handler:
      li t0,${PLIC + 0x202004}
      li t1,${UART}
      lw t2,0(t0)
      lbu t3,0(t1)
      addi t3,t3,1
      sb t3,0(t1)
      sw t2,0(t0)
      addi s1,s1,1
      mret`;
    machine.machinePort.write(pa(ORIGIN), assemble(ORIGIN, source).bytes);
    for (const hart of machine.harts) hart.pc = va(ORIGIN);
    const plic = plicOf(machine);
    plic.set(4 * 10, 1);
    plic.set(0x2100, 1 << 10);
    uartOf(machine).set(IER, 1);
    assert.equal(machine.run(tick(1000)).reason, 'idle');
    typed(machine, 'HAL');
    const before = machine.snapshot();
    assert.equal(machine.run(tick(2000)).reason, 'idle');
    const sent = machine.outbox.drain() as unknown as { byte: number }[];
    assert.equal(String.fromCharCode(...sent.map(({ byte }) => byte)), 'IBM');
    assert.equal(machine.harts[1]!.getX(9), 3);
    const hash = machine.hash();
    // What was typed and not yet received is state, in this machine and in another.
    const other = newMachine(2);
    machine.restore(before);
    other.load(structuredClone(machine.save()));
    for (const again of [machine, other]) {
      again.run(tick(2000));
      assert.equal(again.hash(), hash);
    }
  });
});

describe('Devices', () => {
  it('stand any access, and what is saved of them is all there is', () => {
    const next = random(17);
    const machine = newMachine(2);
    const ranges = [
      UART,
      PLIC,
      PLIC + 0x1000,
      PLIC + 0x2000,
      PLIC + 0x200000,
      0x2000000,
      0x2004000,
      0x200bff8,
      0x100004,
      0x1000,
    ];
    for (let i = 0; i < 20_000; i++) {
      const address = pa(ranges[next(ranges.length)]! + next(next(2) ? 16 : 0x4000));
      const value = next(2) ? next(256) : 2 ** 31 - next(2 ** 31);
      const { machinePort: port } = machine;
      const access = [
        () => port.readU8(address),
        () => port.readU32(address),
        () => port.readU64(address),
        () => port.writeU8(address, value),
        () => port.writeU32(address, value),
        () => port.writeU64(address, BigInt(value)),
        () => typed(machine, 'z'),
      ][next(7)]!;
      try {
        access();
      } catch (error) {
        assert.ok(error instanceof MemoryFault, String(error));
      }
      if (i % 1000 > 0) continue;
      const other = newMachine(2);
      other.load(structuredClone(machine.save()));
      assert.equal(other.hash(), machine.hash());
      const claims = ({ machinePort }: SoftwareMachine): number[] =>
        [0, 1, 2, 3].map((context) => machinePort.readU32(pa(PLIC + 0x200004 + 0x1000 * context)));
      const snapshot = machine.snapshot();
      assert.deepEqual(claims(machine), claims(other));
      machine.restore(snapshot);
      assert.equal(machine.hash(), newMachineLike(machine).hash());
    }
  });
});

const newMachineLike = (machine: SoftwareMachine): SoftwareMachine => {
  const other = newMachine(machine.harts.length);
  other.load(machine.save());
  return other;
};

describe('The test finisher', () => {
  it('ends the machine with what software says', () => {
    for (const [word, ending] of [
      [0x5555, { kind: 'pass', code: 0 }],
      [0x7777, { kind: 'reset', code: 0 }],
      [0x002a3333, { kind: 'fail', code: 42 }],
    ] as const) {
      const { machine, run } = bare('sw a0,0(a1)\naddi a2,a2,1\nj 0x80000004', { 10: BigInt(word), 11: 0x100000n });
      run(10);
      assert.deepEqual(machine.ending, ending);
      assert.equal(machine.tick, 1);
      assert.equal(machine.run(tick(20)).reason, 'halted');
    }
  });

  it('ignores other words, and a personality’s halt is another ending', () => {
    const { machine, run } = bare('sw a0,0(a1)\nsw a0,4(a1)\nloop: j loop', { 10: 0x1234n, 11: 0x100000n });
    run(10);
    assert.equal(machine.ending, undefined);
    const snapshot = machine.snapshot();
    machine.halt();
    assert.deepEqual(machine.ending, { kind: 'halt', code: 0 });
    machine.restore(snapshot);
    assert.equal(machine.ending, undefined);
  });
});

describe('The ROM', () => {
  it('can be read and fetched from, not written', () => {
    const machine = newMachine();
    machine.rom.burn(assemble(0x1000, 'auipc a0,0\nld a1,16(a0)\nsd a0,0(a0)\nnop\n.dword 0x1122334455667788').bytes);
    const hart = machine.harts[0]!;
    hart.pc = va(0x1000);
    machine.run(tick(3));
    assert.equal(hart.getX64(11), 0x1122334455667788n);
    assert.deepEqual([hart.mcause, hart.mtval], [7, 0x1000]);
  });
});

import assert from 'node:assert/strict';
import { Cause, Privilege } from '../../../emulator/hart/types';
import { MemoryFault } from '../../../emulator/machine/ports';
import { pa, space, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { loadUser, PTE, userMachine, type UserMachine } from './user';
import { eachEngine } from '../engine/engines';

const CODE = 0x10000;
const DATA = 0x200000;
const RAM = 0x80000000;
const FRAME = RAM + 0x180000;
const URWX = PTE.V | PTE.R | PTE.W | PTE.X | PTE.U;
const RX = PTE.V | PTE.R | PTE.X | PTE.U;
const RW = PTE.V | PTE.R | PTE.W | PTE.U;

/** User code at CODE, about to run; the firmware halts at the first trap. */
function program(source: string, x: Readonly<Record<number, bigint>> = {}): UserMachine {
  const user = userMachine(CODE);
  loadUser(user, CODE, assemble(CODE, source).bytes, RX);
  for (const [index, value] of Object.entries(x)) user.machine.harts[0]!.setX64(Number(index), value);
  return user;
}

/** Runs to the first trap and says which: cause, tval, epc. */
function trapOf({ machine }: UserMachine): [number, string, string] {
  machine.run(tick(machine.tick + 1000));
  const hart = machine.harts[0]!;
  return [hart.mcause, '0x' + hart.readCsr(0x343).toString(16), '0x' + hart.mepc.toString(16)];
}

const hex = (value: number): string => '0x' + value.toString(16);

eachEngine('Sv39', () => {
  it('translates through three levels, superpages too', () => {
    for (const level of [0, 1, 2]) {
      const user = program('ld a0,0(a1)\necall', { 11: BigInt(2 ** 31 + 0x180008) });
      // A gigapage can only show the whole of RAM's first GiB.
      const physical = level === 2 ? RAM : level === 1 ? RAM : FRAME;
      user.tables.map(level === 0 ? 2 ** 31 + 0x180000 : 2 ** 31, physical, RW, level);
      user.machine.machinePort.writeU64(pa(FRAME + 8), 0x1122334455667788n);
      assert.equal(trapOf(user)[0], Cause.EcallFromUser, `level ${level}`);
      assert.equal(user.machine.harts[0]!.getX64(10), 0x1122334455667788n);
    }
  });

  it('faults on what an entry does not allow, with the address as tval', () => {
    const load = ['ld a0,8(a1)', Cause.LoadPageFault] as const;
    const store = ['sd a0,8(a1)', Cause.StorePageFault] as const;
    const cases: readonly (readonly [string, number, readonly [string, number]])[] = [
      ['not valid', 0, load],
      ['not readable', PTE.V | PTE.X | PTE.U, load],
      ['not writable', PTE.V | PTE.R | PTE.U, store],
      ['not writable, amo', PTE.V | PTE.R | PTE.U, ['amoadd.d a0,a0,(a1)', Cause.StorePageFault]],
      ['W without R is reserved', PTE.V | PTE.W | PTE.U, load],
      ["a supervisor's page", PTE.V | PTE.R | PTE.W, load],
      ['a pointer at the last level', PTE.V, load],
    ];
    for (const [what, flags, [line, cause]] of cases) {
      const user = program(line, { 11: BigInt(DATA) });
      user.tables.map(DATA, FRAME, flags);
      const offset = line.startsWith('amo') ? 0 : 8;
      assert.deepEqual(trapOf(user), [cause, hex(DATA + offset), hex(CODE)], what);
    }
  });

  it('faults on reserved bits of an entry', () => {
    for (const bit of [54n, 60n, 61n, 63n]) {
      const user = program('ld a0,0(a1)', { 11: BigInt(DATA) });
      user.tables.map(DATA, FRAME, RW);
      const entry = pa(user.tables.entry(DATA));
      user.machine.machinePort.writeU64(entry, user.machine.machinePort.readU64(entry) | (1n << bit));
      assert.equal(trapOf(user)[0], Cause.LoadPageFault, `bit ${bit}`);
    }
  });

  it('faults on a misaligned superpage', () => {
    const user = program('ld a0,0(a1)', { 11: BigInt(2 ** 30) });
    user.tables.map(2 ** 30, RAM + 4096, RW, 1);
    assert.equal(trapOf(user)[0], Cause.LoadPageFault);
  });

  it('faults on an address that is not canonical, with all its bits in tval', () => {
    const address = 0x4000_0000_0020_0000n;
    const user = program('ld a0,0(a1)', { 11: address });
    user.tables.map(DATA, FRAME, RW);
    assert.deepEqual(trapOf(user), [Cause.LoadPageFault, '0x' + address.toString(16), hex(CODE)]);
  });

  it('is an access fault when a table lies outside of RAM', () => {
    const user = program('ld a0,0(a1)', { 11: BigInt(2 ** 32) });
    user.machine.machinePort.writeU64(pa(user.tables.entry(2 ** 32, 2)), (0x10n << 10n) | 1n);
    assert.equal(trapOf(user)[0], Cause.LoadAccessFault);
  });

  it('sets A on any access and D on a store', () => {
    const user = program('ld a0,0(a1)\nsd a0,0(a1)\necall', { 11: BigInt(DATA) });
    user.tables.map(DATA, FRAME, RW);
    const entry = pa(user.tables.entry(DATA));
    const bits = (): number => Number(user.machine.machinePort.readU64(entry) & 0xc0n);
    assert.equal(bits(), 0);
    user.machine.run(tick(1));
    assert.equal(bits(), PTE.A);
    user.machine.run(tick(2));
    assert.equal(bits(), PTE.A | PTE.D);
  });

  it('a change of a table holds for the next access, fence or not', () => {
    const user = program('loop: ld a0,0(a1)\nsd a0,8(a1)\nj loop', { 11: BigInt(DATA) });
    user.tables.map(DATA, FRAME, RW);
    user.machine.run(tick(30));
    user.tables.map(DATA, FRAME, PTE.V | PTE.R | PTE.U);
    assert.deepEqual(trapOf(user).slice(0, 2), [Cause.StorePageFault, hex(DATA + 8)]);
  });

  it('a store by the program itself to its tables holds at once, for its own code too', () => {
    // The page of the loop is unmapped from within the loop.
    const user = program('sd zero,0(t0)\nnop\nnop\nnop\necall');
    const entry = user.tables.entry(CODE);
    user.tables.map(0x400000, entry - (entry % 4096), RW);
    user.machine.harts[0]!.setX(5, 0x400000 + (entry % 4096));
    const [cause, tval] = trapOf(user);
    assert.equal(cause, Cause.InstructionPageFault);
    assert.ok(Number(tval) > CODE && Number(tval) <= CODE + 16, tval);
  });

  it('keeps spaces apart: the same address in another space is another page', () => {
    const user = program('loop: ld a0,0(a1)\nj loop', { 11: BigInt(DATA) });
    const { machine, tables } = user;
    tables.map(DATA, FRAME, RW);
    machine.machinePort.writeU64(pa(FRAME), 1n);
    machine.machinePort.writeU64(pa(FRAME + 4096), 2n);
    // A second root in the same machine: a copy of the tables with another leaf for DATA.
    const root = RAM + 0x300000;
    machine.machinePort.write(pa(root), machine.machinePort.read(pa(tables.root), 4096));
    const middle = Number(machine.machinePort.readU64(pa(root)) >> 10n) * 4096;
    machine.machinePort.write(pa(root + 4096), machine.machinePort.read(pa(middle), 4096));
    machine.machinePort.writeU64(pa(root), (BigInt((root + 4096) / 4096) << 10n) | 1n);
    const leaf = Number(machine.machinePort.readU64(pa(middle + 8)) >> 10n) * 4096;
    machine.machinePort.write(pa(root + 8192), machine.machinePort.read(pa(leaf), 4096));
    machine.machinePort.writeU64(pa(root + 4096 + 8), (BigInt((root + 8192) / 4096) << 10n) | 1n);
    machine.machinePort.writeU64(pa(root + 8192), (BigInt((FRAME + 4096) / 4096) << 10n) | BigInt(RW));
    const hart = machine.harts[0]!;
    for (let i = 0; i < 20; i++) {
      hart.writeCsr(0x180, i % 2 ? tables.satp : (8n << 60n) | BigInt(root / 4096));
      machine.run(tick(machine.tick + 2));
      assert.equal(hart.getX(10), i % 2 ? 1 : 2);
    }
  });

  it('a store across pages changes nothing when the second page faults', () => {
    const user = program('sd a0,0(a1)', { 10: -1n, 11: BigInt(DATA + 4092) });
    user.tables.map(DATA, FRAME, RW);
    user.tables.map(DATA + 4096, FRAME + 4096, PTE.V | PTE.R | PTE.U);
    assert.deepEqual(trapOf(user), [Cause.StorePageFault, hex(DATA + 4096), hex(CODE)]);
    assert.equal(user.machine.machinePort.readU32(pa(FRAME + 4092)), 0);
  });

  it('an instruction across pages faults with the address of its second half', () => {
    const user = userMachine(CODE + 4094);
    const bytes = new Uint8Array(4096);
    bytes.set([0x13, 0x05], 4094);
    loadUser(user, CODE, bytes, RX);
    user.machine.run(tick(10));
    assert.deepEqual(trapOf(user), [Cause.InstructionPageFault, hex(CODE + 4096), hex(CODE + 4094)]);
  });

  it('an instruction across pages executes when both are mapped, also over and over', () => {
    const user = userMachine(CODE + 4092);
    const { bytes } = assemble(CODE + 4092, 'c.addi a0,1\naddi a1,a1,2\nbne a0,a2,0x10ffc\necall');
    const image = new Uint8Array(8192);
    image.set(bytes, 4092);
    loadUser(user, CODE, image, RX);
    user.machine.harts[0]!.setX(12, 50);
    assert.equal(trapOf(user)[0], Cause.EcallFromUser);
    assert.equal(user.machine.harts[0]!.getX(11), 100);
    // Three instructions a round, the ecall, and the firmware's step.
    assert.equal(user.machine.tick, 3 * 50 + 1 + 1);
  });
});

eachEngine('Sv48', () => {
  it('translates through four levels, where Sv39 has no such address', () => {
    const address = 2 ** 45 + 0x10000;
    const user = userMachine(address);
    const { machine, tables } = user;
    loadUser(user, 0x10000, assemble(0x10000, 'addi a0,a0,1\necall').bytes, RX);
    const root = 0x80300000;
    machine.machinePort.writeU64(pa(root + 8 * (2 ** 45 / 2 ** 39)), (BigInt(tables.root / 4096) << 10n) | 1n);
    const hart = machine.harts[0]!;
    hart.writeCsr(0x180, (9n << 60n) | BigInt(root / 4096));
    assert.equal(trapOf(user)[0], Cause.EcallFromUser);
    assert.equal(hart.getX(10), 1);
    hart.writeCsr(0x180, 5n << 60n);
    assert.equal(hart.readCsr(0x180) >> 60n, 9n, 'an unknown mode is not taken');
  });
});

eachEngine('Privilege and translation', () => {
  /** The hart at S with a user and a supervisor page. */
  function supervisor(source: string, status: bigint): UserMachine {
    const user = program(source, { 11: BigInt(DATA), 12: BigInt(DATA + 4096) });
    const { machine, tables } = user;
    tables.map(CODE, RAM + 4096 * ((CODE / 4096 * 37) % 509), PTE.V | PTE.R | PTE.X); // prettier-ignore
    tables.map(DATA, FRAME, RW);
    tables.map(DATA + 4096, FRAME + 4096, PTE.V | PTE.X);
    const hart = machine.harts[0]!;
    hart.writeCsr(0x300, status | (1n << 11n));
    hart.mepc = va(CODE);
    hart.mret();
    return user;
  }

  it('S may not touch user pages without SUM, with it may', () => {
    assert.equal(trapOf(supervisor('ld a0,0(a1)\necall', 0n))[0], Cause.LoadPageFault);
    assert.equal(trapOf(supervisor('ld a0,0(a1)\necall', 1n << 18n))[0], Cause.EcallFromSupervisor);
  });

  it('SUM switched off again takes the right away', () => {
    const user = supervisor('ld a0,0(a1)\ncsrrc zero,sstatus,a3\nld a0,0(a1)', 1n << 18n);
    user.machine.harts[0]!.setX(13, 2 ** 18);
    assert.deepEqual(trapOf(user), [Cause.LoadPageFault, hex(DATA), hex(CODE + 8)]);
  });

  it('MXR makes executable pages readable', () => {
    assert.equal(trapOf(supervisor('ld a0,0(a2)\necall', 0n))[0], Cause.LoadPageFault);
    assert.equal(trapOf(supervisor('ld a0,0(a2)\necall', 1n << 19n))[0], Cause.EcallFromSupervisor);
  });

  it('S never executes user pages, SUM or not', () => {
    const user = supervisor('jalr zero,0(a1)', 1n << 18n);
    user.tables.map(DATA, FRAME, URWX);
    assert.equal(trapOf(user)[0], Cause.InstructionPageFault);
  });

  it('MPRV loads with the rights of MPP, fetches with those of M', () => {
    const user = supervisor('nop', 0n);
    const hart = user.machine.harts[0]!;
    delete user.machine.personalities.machine;
    const code = RAM + 0x1f0000;
    user.machine.machinePort.write(pa(code), assemble(code, 'ld a0,0(a1)\nebreak').bytes);
    user.machine.machinePort.writeU64(pa(FRAME), 42n);
    hart.writeCsr(0x305, BigInt(code + 0x800));
    hart.privilege = Privilege.Machine;
    hart.pc = va(code);
    hart.writeCsr(0x300, 1n << 17n); // MPP = U
    user.machine.run(tick(user.machine.tick + 1));
    assert.equal(hart.getX(10), 42);
  });
});

describe('Ports', () => {
  it('the supervisor port sees what S would see: SUM only on its `user` side', () => {
    const { machine, tables } = program('nop');
    const hart = machine.harts[0]!;
    tables.map(DATA, FRAME, RW);
    tables.map(DATA + 4096, FRAME + 4096, PTE.V | PTE.R | PTE.W);
    const port = machine.supervisorPort(hart);
    assert.throws(() => port.writeU32(va(DATA), 1), new MemoryFault(Cause.StorePageFault, DATA));
    port.user.writeU32(va(DATA + 4092), 7);
    port.writeU32(va(DATA + 4096), 9);
    assert.equal(machine.machinePort.readU64(pa(FRAME + 4092)) & 0xffffffffn, 7n);
    assert.throws(() => port.user.read(va(DATA + 4090), 8192), MemoryFault, 'over the end');
    assert.throws(() => port.user.probe(va(DATA), 3 * 4096, 'read'), new MemoryFault(Cause.LoadPageFault, DATA + 8192));
    port.user.probe(va(DATA), 2 * 4096, 'write');
  });

  it('a write that faults in its last page changes nothing', () => {
    const { machine, tables } = program('nop');
    tables.map(DATA, FRAME, RW);
    const { user } = machine.supervisorPort(machine.harts[0]!);
    assert.throws(() => user.write(va(DATA + 4000), new Uint8Array(200).fill(1)), MemoryFault);
    assert.deepEqual([...user.read(va(DATA + 4000), 96)], Array<number>(96).fill(0));
  });

  it('the machine port is physical and faults outside of RAM', () => {
    const { machine } = program('nop');
    assert.throws(() => machine.machinePort.readU64(pa(RAM - 8)), new MemoryFault(Cause.LoadAccessFault, RAM - 8));
    assert.throws(() => machine.machinePort.writeU64(pa(RAM + machine.ramSize - 4), 1n), MemoryFault);
    machine.machinePort.writeI64(pa(RAM), -2);
    assert.equal(machine.machinePort.readU64(pa(RAM)), 2n ** 64n - 2n);
    assert.equal(machine.machinePort.readI64(pa(RAM)), -2);
    machine.machinePort.fill(pa(RAM), 5000, 0xab);
    assert.deepEqual([...machine.machinePort.read(pa(RAM + 4998), 4)], [0xab, 0xab, 0, 0]);
  });

  it('the debug port reads any space without rights, and stops where nothing is mapped', () => {
    const { machine, tables } = program('nop');
    tables.map(DATA, FRAME, PTE.V | PTE.X);
    machine.machinePort.writeU32(pa(FRAME + 4092), 0x01020304);
    const root = space(tables.root / 4096);
    assert.deepEqual([...machine.debugPort.read(root, va(DATA + 4092), 100)], [4, 3, 2, 1]);
    assert.equal(machine.debugPort.translate(root, va(DATA + 5)), FRAME + 5);
    assert.equal(machine.debugPort.translate(root, va(DATA + 4096)), undefined);
    const entry = machine.machinePort.readU64(pa(tables.entry(DATA)));
    assert.equal(Number(entry & 0xc0n), 0, 'A and D stay clear');
  });
});

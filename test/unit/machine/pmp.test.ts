import assert from 'node:assert/strict';
import { Cause, Privilege } from '../../../emulator/hart/types';
import { MemoryFault } from '../../../emulator/machine/ports';
import { pa, tick, va } from '../../../emulator/units';
import { assemble } from '../assembler';
import { bare, DATA, ORIGIN, TRAP, type Bare } from '../engine/bare';
import { loadUser, PTE, userMachine } from './user';
import { eachEngine } from '../engine/engines';

const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;
const [R, W, X, TOR, NA4, NAPOT, LOCK] = [1, 2, 4, 8, 16, 24, 128];

/** A NAPOT pmpaddr for a power of two of at least 8 bytes. */
const napot = (base: number, size: number): bigint => BigInt(base) / 4n + BigInt(size / 8 - 1);

type Entry = readonly [config: number, address: bigint];

/** The hart at a privilege at ORIGIN with these entries. */
function guarded(entries: readonly Entry[], source: string, privilege = Privilege.User): Bare {
  const made = bare(source, { 11: BigInt(DATA) });
  const hart = made.machine.harts[0]!;
  entries.forEach(([, address], i) => hart.writeCsr(PMPADDR0 + i, address));
  let configs = 0n;
  entries.forEach(([config], i) => (configs |= BigInt(config) << BigInt(8 * i)));
  hart.writeCsr(PMPCFG0, configs);
  hart.writeCsr(0x300, BigInt(privilege) << 11n);
  hart.mepc = va(ORIGIN);
  hart.mret();
  return made;
}

const CODE_PAGE: Entry = [X | R | NAPOT, napot(ORIGIN, 4096)];

/** mcause after so many ticks, or -1 when no trap was taken. */
function causeAfter(made: Bare, ticks: number): number {
  made.run(ticks);
  return made.machine.harts[0]!.pc === TRAP ? made.machine.harts[0]!.mcause : -1;
}

eachEngine('PMP', () => {
  it('denies S and U everything when no entry matches', () => {
    assert.equal(causeAfter(guarded([], 'nop'), 1), Cause.InstructionAccessFault);
    assert.equal(causeAfter(guarded([CODE_PAGE], 'ld a0,0(a1)'), 1), Cause.LoadAccessFault);
    assert.equal(causeAfter(guarded([], 'nop', Privilege.Machine), 1), -1);
  });

  it('gives the rights of the first entry that matches, whatever later ones say', () => {
    const all: Entry = [R | W | X | NAPOT, napot(ORIGIN, 2 ** 20)];
    assert.equal(causeAfter(guarded([CODE_PAGE, [R | NAPOT, napot(DATA, 4096)], all], 'ld a0,0(a1)\nsd a0,0(a1)'), 2), Cause.StoreAccessFault); // prettier-ignore
    assert.equal(causeAfter(guarded([CODE_PAGE, all, [R | NAPOT, napot(DATA, 4096)]], 'ld a0,0(a1)\nsd a0,0(a1)'), 2), -1); // prettier-ignore
  });

  it('matches NA4, NAPOT and TOR ranges to the byte', function () {
    const ranges: readonly (readonly [string, readonly Entry[], number, number])[] = [
      ['NA4', [[R | NA4, BigInt(DATA) / 4n]], DATA, DATA + 4],
      ['NAPOT 8', [[R | NAPOT, napot(DATA, 8)]], DATA, DATA + 8],
      ['NAPOT 64', [[R | NAPOT, napot(DATA, 64)]], DATA, DATA + 64],
      ['TOR', [[0, BigInt(DATA + 16) / 4n], [R | TOR, BigInt(DATA + 40) / 4n]], DATA + 16, DATA + 40], // prettier-ignore
    ];
    for (const [name, entries, start, end] of ranges)
      for (let address = DATA; address < DATA + 80; address++) {
        const made = guarded([CODE_PAGE, ...entries], 'lbu a0,0(a1)');
        made.machine.harts[0]!.setX(11, address);
        const expected = address >= start && address < end ? -1 : Cause.LoadAccessFault;
        assert.equal(causeAfter(made, 1), expected, `${name} at +${address - DATA}`);
      }
  });

  it('denies an access that an entry covers in part', () => {
    const open: Entry = [R | W | X | NAPOT, napot(ORIGIN, 2 ** 20)];
    const made = guarded([[R | NA4, BigInt(DATA + 4) / 4n], open], 'lw a0,4(a1)\nlw a0,0(a1)\nld a0,0(a1)');
    assert.equal(causeAfter(made, 3), Cause.LoadAccessFault);
    assert.equal(made.machine.harts[0]!.mepc, ORIGIN + 8);
  });

  it('a TOR entry whose bounds cross matches nothing', () => {
    const entries: Entry[] = [CODE_PAGE, [0, BigInt(DATA + 64) / 4n], [R | TOR, BigInt(DATA) / 4n]];
    assert.equal(causeAfter(guarded(entries, 'ld a0,0(a1)'), 1), Cause.LoadAccessFault);
  });

  it('binds M only where locked, and a locked entry keeps what it has', () => {
    const made = guarded([[R | NAPOT | LOCK, napot(DATA, 4096)]], 'sd a0,0(a1)', Privilege.Machine);
    const hart = made.machine.harts[0]!;
    assert.throws(() => made.machine.machinePort.writeU8(pa(DATA), 1), new MemoryFault(Cause.StoreAccessFault, DATA));
    hart.writeCsr(PMPCFG0, 0n);
    hart.writeCsr(PMPADDR0, 0n);
    assert.equal(hart.readCsr(PMPCFG0), BigInt(R | NAPOT | LOCK));
    assert.equal(causeAfter(made, 1), Cause.StoreAccessFault);
  });

  it('a locked TOR entry also locks the address below it', () => {
    const { machine } = guarded([[0, 5n], [R | TOR | LOCK, 6n]], 'nop'); // prettier-ignore
    machine.harts[0]!.writeCsr(PMPADDR0, 1n);
    assert.equal(machine.harts[0]!.readCsr(PMPADDR0), 5n);
  });

  it('W without R is reserved and reads back without W', () => {
    const { machine } = guarded([[W | NAPOT, 0n]], 'nop');
    assert.equal(machine.harts[0]!.readCsr(PMPCFG0), BigInt(NAPOT));
  });

  it('a write to it holds for the next access', () => {
    const made = guarded([CODE_PAGE, [R | W | NAPOT, napot(DATA, 4096)]], 'loop: sd a0,0(a1)\nj loop');
    made.run(20);
    made.machine.harts[0]!.writeCsr(PMPADDR0 + 1, napot(DATA + 4096, 4096));
    assert.equal(causeAfter(made, 2), Cause.StoreAccessFault);
  });

  it('executes from a page it covers in part, up to the edge', () => {
    const made = guarded(
      [[X | NAPOT, napot(ORIGIN, 16)]],
      'c.nop 0\naddi a0,a0,1\naddi a0,a0,2\naddi a0,a0,4\naddi a0,a0,8',
    );
    made.run(4);
    assert.equal(made.x(10), 7n);
    made.run(1);
    const hart = made.machine.harts[0]!;
    // The fifth instruction's first half lies inside, the second outside.
    assert.deepEqual([hart.mcause, hart.mepc, hart.mtval], [Cause.InstructionAccessFault, ORIGIN + 14, ORIGIN + 16]);
    assert.equal(made.machine.tick, 5);
  });

  it('is asked for the tables of a walk too', () => {
    const user = userMachine(0x10000);
    loadUser(user, 0x10000, assemble(0x10000, 'ld a0,0(a1)').bytes, PTE.V | PTE.R | PTE.X | PTE.U);
    const hart = user.machine.harts[0]!;
    // The leaf table of 0x10000 alone is taken away.
    const leaf = user.tables.entry(0x10000);
    hart.writeCsr(PMPADDR0 + 1, (1n << 54n) - 1n);
    hart.writeCsr(PMPADDR0, napot(leaf - (leaf % 4096), 4096));
    hart.writeCsr(PMPCFG0, BigInt(NAPOT | ((NAPOT | R | W | X) << 8)));
    user.machine.run(tick(2));
    assert.equal(hart.mcause, Cause.InstructionAccessFault);
  });
});

import assert from 'node:assert/strict';
import { Cause, Interrupt } from '../../../emulator/hart/types';
import { MISA_EXTENSIONS } from '../../../emulator/isa/extensions';
import { pa, tick, va } from '../../../emulator/units';
import { PTE, Tables } from '../machine/user';
import { bare, DATA, ORIGIN, type Bare } from './bare';
import { eachEngine } from './engines';

const MSTATUS = 0x300;
const MIP = 0x344;
const SEIP = 1n << 9n;

function run(source: string, x: Readonly<Record<number, bigint>> = {}): Bare {
  const made = bare(source, x);
  made.run(source.split('\n').length);
  return made;
}

eachEngine('Fields of CSRs', () => {
  it('misa names the extensions that the machine has, and can not be changed', () => {
    const { x } = run('csrrw zero,misa,zero\ncsrrs a0,misa,zero');
    assert.equal(x(10), (2n << 62n) | BigInt(MISA_EXTENSIONS));
  });

  it('a reserved mode leaves mtvec and stvec as they were', () => {
    for (const csr of ['mtvec', 'stvec']) {
      const source = `csrrw zero,${csr},a0\ncsrrw zero,${csr},a1\ncsrrs a2,${csr},zero`;
      assert.equal(run(source, { 10: 0x80000101n, 11: 0x80000202n }).x(12), 0x80000101n);
    }
  });

  it('menvcfg and senvcfg have FIOM, CBIE, CBCFE and CBZE; the reserved CBIE leaves the field as it was', () => {
    for (const csr of ['menvcfg', 'senvcfg']) {
      const source = `csrrw zero,${csr},a0\ncsrrs a2,${csr},zero\ncsrrw zero,${csr},a1\ncsrrs a3,${csr},zero`;
      const { x } = run(source, { 10: -1n, 11: 0xa0n });
      assert.equal(x(12), 0xf1n);
      assert.equal(x(13), 0xb0n);
    }
  });

  it('there is no debug trigger: tdata1 says so for tselect 0, the only one', () => {
    const { x } = run('csrrw zero,tselect,a0\ncsrrs a1,tselect,zero\ncsrrs a2,tdata1,zero\ncsrrs a3,tinfo,zero', {
      10: 3n,
    });
    assert.deepEqual([x(11), x(12), x(13)], [0n, 0n, 1n]);
  });
});

eachEngine('mip.SEIP', () => {
  const withLine = (source: string): Bare => {
    const made = bare(source, { 11: 2n, 12: SEIP });
    made.machine.harts[0]!.setLine(Interrupt.SupervisorExternal, true);
    made.run(1);
    made.machine.harts[0]!.setLine(Interrupt.SupervisorExternal, false);
    return made;
  };
  const pending = ({ machine }: Bare): bigint => machine.harts[0]!.readCsr(MIP);

  it('shows the line of the interrupt controller', () => {
    const made = withLine('csrrs a0,mip,zero');
    assert.equal(made.x(10), SEIP);
    assert.equal(pending(made), 0n);
  });

  it('set or cleared with other bits, does not take the line for what software wrote', () => {
    assert.equal(pending(withLine('csrrs a0,mip,a1')), 2n);
    assert.equal(pending(withLine('csrrc a0,mip,a1')), 0n);
    assert.equal(pending(withLine('csrrsi a0,mip,2')), 2n);
  });

  it('is software’s own when software sets it, line or not', () => {
    for (const line of ['csrrs a0,mip,a2', 'csrrw a0,mip,a2']) {
      const made = withLine(line);
      assert.equal(made.x(10), SEIP);
      assert.equal(pending(made), SEIP);
    }
  });
});

eachEngine('Counters', () => {
  it('the value written to minstret is what the next instruction reads', () => {
    assert.equal(run('csrrwi zero,minstret,7\ncsrrs a0,minstret,zero').x(10), 7n);
  });

  it('stand still while mcountinhibit says so, and go on from there', () => {
    const source = [
      'csrrwi zero,minstret,0', // 0 is what the next one reads
      'csrrwi zero,mcountinhibit,4', // the last to be counted
      'csrrs a0,minstret,zero',
      'nop',
      'csrrs a1,minstret,zero',
      'csrrwi zero,mcountinhibit,0', // not counted
      'csrrs a2,minstret,zero',
      'nop',
      'csrrs a3,minstret,zero',
    ];
    const { x } = run(source.join('\n'));
    assert.deepEqual([x(10), x(11), x(12), x(13)], [1n, 1n, 1n, 3n]);
  });

  it('written while they stand still, keep what was written', () => {
    const source = 'csrrwi zero,mcountinhibit,5\ncsrrwi zero,mcycle,9\nnop\ncsrrs a0,mcycle,zero\ncsrrs a1,cycle,zero';
    const { x } = run(source);
    assert.deepEqual([x(10), x(11)], [9n, 9n]);
  });

  it('mcountinhibit has bits for mcycle and minstret only: time and the others can not be stopped', () => {
    assert.equal(run('csrrw zero,mcountinhibit,a0\ncsrrs a1,mcountinhibit,zero', { 10: -1n }).x(11), 5n);
  });
});

eachEngine('A and D', () => {
  it('are not set where PMP lets the walk only read: an access fault of the access that was made', () => {
    const made = bare('csrrw zero,mstatus,a0\nlw a1,0(a2)', { 10: (1n << 17n) | (1n << 11n), 12: 0x4000n });
    const { machine } = made;
    const tables = new Tables(machine, ORIGIN + 0x10000);
    tables.map(0x4000, DATA, PTE.V | PTE.R);
    const hart = machine.harts[0]!;
    hart.writeCsr(0x180, tables.satp);
    // The tables read-only, everything else open.
    hart.writeCsr(0x3b0, BigInt((ORIGIN + 0x10000) / 4) | 0x1fffn);
    hart.writeCsr(0x3b1, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1f19n);
    machine.run(tick(2));
    assert.equal(hart.mcause, Cause.LoadAccessFault);
    assert.equal(hart.mtval, 0x4000);
    assert.equal(machine.machinePort.readU64(pa(tables.entry(0x4000))) & 0xc0n, 0n);
    hart.writeCsr(0x3a0, 0x1f1bn);
    hart.writeCsr(MSTATUS, (1n << 17n) | (1n << 11n));
    hart.pc = va(ORIGIN + 4);
    machine.run(tick(3));
    assert.equal(hart.pc, ORIGIN + 8);
    assert.equal(machine.machinePort.readU64(pa(tables.entry(0x4000))) & 0xc0n, 0x40n);
  });
});

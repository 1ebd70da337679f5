/**
 * A small firmware for tests of the host OS without the secure monitor: an M personality that boots S mode, answers the SBI's timer
 * and page-table calls (guarding the table area by PMP), forwards interrupts and emulates what mstatus.TVM traps.
 */
import { Cause, Interrupt, Privilege, type Hart } from '../../../emulator/hart/types';
import type { PageTableArea, PageTableFirmware } from '../../../emulator/linux/device';
import type { Machine } from '../../../emulator/machine/types';
import type { Personality } from '../../../emulator/machine/personality';
import { pa, tick, va } from '../../../emulator/units';

const EXTENSION = 0x0f1b;
const enum Function {
  GUARD = 1,
  WRITE = 2,
  SPLIT = 3,
}
const TIME = 0x54494d45;
/** At 100 MHz: `time` and set_timer count at 10 MHz. */
const TICKS_PER_TIME = 10;

export const testPageTables: PageTableFirmware = {
  setup: (area: PageTableArea) => [
    { extension: EXTENSION, function: Function.GUARD, args: [area.base, area.size, area.bitmapBase, area.bitmapSize] },
  ],
  write: (list, count) => ({ extension: EXTENSION, function: Function.WRITE, args: [list, count] }),
  split: (entry, table) => ({ extension: EXTENSION, function: Function.SPLIT, args: [entry, table] }),
};

const CSR = {
  SSTATUS: 0x100,
  SATP: 0x180,
  SCAUSE: 0x142,
  MSTATUS: 0x300,
  MEDELEG: 0x302,
  MIDELEG: 0x303,
  MIE: 0x304,
  MCOUNTEREN: 0x306,
  PMPCFG0: 0x3a0,
  PMPADDR0: 0x3b0,
  STVEC: 0x105,
};
const MPP = 3n << 11n;
const TVM = 1n << 20n;
const bit = (position: number): bigint => 1n << BigInt(position);
const NAPOT = 0x18;
const SPLIT_COST = 50;

export interface Counts {
  /** Calls of `write`, and entries written by them. */
  writes: number;
  entries: number;
  timers: number;
}

/** `counts` is filled for reports; it is no part of the state. */
export function testFirmware(machine: Machine, counts: Counts = { writes: 0, entries: 0, timers: 0 }): Personality {
  let booted = false;
  const pmp = (hart: Hart, index: number, base: number, size: number, rights: number): void => {
    hart.writeCsr(CSR.PMPADDR0 + index, BigInt(base / 4) | BigInt(size / 8 - 1));
    const shift = BigInt(8 * index);
    const config = hart.readCsr(CSR.PMPCFG0) & ~(0xffn << shift);
    hart.writeCsr(CSR.PMPCFG0, config | (BigInt(NAPOT | rights) << shift));
  };

  const boot = (hart: Hart): void => {
    booted = true;
    pmp(hart, 0, 0x80000000, 0x200000, 0);
    hart.writeCsr(CSR.PMPADDR0 + 7, (1n << 53n) - 1n);
    hart.writeCsr(CSR.PMPCFG0, hart.readCsr(CSR.PMPCFG0) | (BigInt(NAPOT | 7) << 56n));
    const delegated = [0, 1, 3, 4, 5, 6, 7, Cause.EcallFromUser, 12, 13, 15];
    hart.writeCsr(
      CSR.MEDELEG,
      delegated.reduce((mask, cause) => mask | bit(cause), 0n),
    );
    hart.writeCsr(CSR.MIDELEG, bit(Interrupt.SupervisorSoftware) | bit(Interrupt.SupervisorTimer));
    hart.writeCsr(CSR.MIE, bit(Interrupt.MachineSoftware));
    hart.writeCsr(CSR.MCOUNTEREN, 7n);
    hart.writeCsr(CSR.MSTATUS, (hart.readCsr(CSR.MSTATUS) & ~MPP) | TVM | (1n << 11n));
    hart.mepc = va(0x80200000);
    hart.mret();
  };

  const interrupt = (hart: Hart): void => {
    if (hart.mcause === Interrupt.MachineSoftware) {
      hart.setPending(Interrupt.MachineSoftware, false);
      hart.setPending(Interrupt.SupervisorSoftware, true);
    } else {
      hart.writeCsr(CSR.MIE, hart.readCsr(CSR.MIE) & ~bit(Interrupt.MachineTimer));
      hart.setPending(Interrupt.SupervisorTimer, true);
    }
    hart.mret();
  };

  const setTimer = (hart: Hart, deadline: number): void => {
    counts.timers++;
    machine.setTimer(hart, tick(deadline < 0 ? Infinity : deadline * TICKS_PER_TIME));
    hart.setPending(Interrupt.SupervisorTimer, false);
    hart.writeCsr(CSR.MIE, hart.readCsr(CSR.MIE) | bit(Interrupt.MachineTimer));
  };

  const sbi = (hart: Hart): number => {
    const port = machine.machinePort;
    const [a0, a1, a2, a3] = [10, 11, 12, 13].map((register) => hart.getX(register)) as [
      number,
      number,
      number,
      number,
    ];
    let cost = 10;
    let error = 0;
    if (hart.getX(17) === TIME) setTimer(hart, a0);
    else if (hart.getX(17) !== EXTENSION) error = -2;
    else if (hart.getX(16) === Function.GUARD) {
      pmp(hart, 1, a0, a1, 1);
      pmp(hart, 2, a2, a3, 0);
    } else if (hart.getX(16) === Function.WRITE) {
      counts.writes++;
      counts.entries += a1;
      for (let i = 0; i < a1; i++) port.writeU64(pa(port.readI64(pa(a0 + i * 16))), port.readU64(pa(a0 + i * 16 + 8)));
      cost += a1;
    } else {
      const leaf = port.readI64(pa(a0));
      for (let i = 0; i < 512; i++) port.writeI64(pa(a1 + i * 8), leaf + i * 1024);
      port.writeI64(pa(a0), (a1 / 4096) * 1024 + 1);
      hart.fenceVma();
      cost += SPLIT_COST;
    }
    hart.setX(10, error);
    hart.setX(11, 0);
    hart.mepc = va(hart.mepc + 4);
    hart.mret();
    return cost;
  };

  const illegal = (hart: Hart): void => {
    const from = Number((hart.readCsr(CSR.MSTATUS) & MPP) >> 11n) as Privilege;
    if (from === Privilege.User) {
      // Illegal instructions are not delegated, because of TVM: handed to S as the hardware would have.
      hart.writeCsr(CSR.SCAUSE, BigInt(Cause.IllegalInstruction));
      hart.stval = hart.mtval;
      hart.sepc = hart.mepc;
      hart.writeCsr(CSR.SSTATUS, (hart.readCsr(CSR.SSTATUS) & ~0x102n) | 0x20n);
      hart.writeCsr(CSR.MSTATUS, (hart.readCsr(CSR.MSTATUS) & ~MPP) | (1n << 11n));
      hart.mepc = va(Number(BigInt.asIntN(64, hart.readCsr(CSR.STVEC))));
    } else {
      if (hart.mtval >>> 20 === CSR.SATP) hart.writeCsr(CSR.SATP, hart.getX64(10));
      hart.fenceVma();
      hart.mepc = va(hart.mepc + 4);
    }
    hart.mret();
  };

  return {
    step(hart) {
      if (!booted) boot(hart);
      else if (hart.mcauseIsInterrupt) interrupt(hart);
      else if (hart.mcause === Cause.EcallFromSupervisor) return sbi(hart);
      else if (hart.mcause === Cause.IllegalInstruction) illegal(hart);
      else throw new Error(`test firmware: cause ${hart.mcause} at 0x${hart.mepc.toString(16)}`);
      return 10;
    },
    snapshot: () => ({ booted }),
    restore: (root) => void (booted = (root as { booted: boolean }).booted),
  };
}

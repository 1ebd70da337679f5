/**
 * The control and status registers of a hart. Privileged specification 1.12, chapters "Machine-Level CSRs" and "Supervisor-Level
 * CSRs". Values travel as pairs of words (`low`, `high`), so that no BigInt is made when guest code uses a CSR.
 * WARL fields are legalised here. What a write means for cached translations is told to the owner through `changed`.
 */
import { MISA_EXTENSIONS } from '../isa/extensions';
import type { Clock } from '../machine/clock';
import { HartWord } from '../machine/layout';
import { Csr, Status } from './csr-numbers';
import { highWord, lowWord, pairToNumber } from './registers';
import { PMP_ENTRIES, type Pmp } from './pmp';
import { Interrupt, Privilege } from './types';

const SSTATUS_MASK = Status.SIE | Status.SPIE | Status.SPP | Status.FS | Status.SUM | Status.MXR;
const MSTATUS_MASK =
  SSTATUS_MASK | (Status.MIE | Status.MPIE | Status.MPP | Status.MPRV | Status.TVM | Status.TW | Status.TSR);
/** UXL and SXL say 64 bits and can't be changed. */
const MSTATUS_HIGH = 0xa;
const SSTATUS_HIGH = 0x2;
const SD_HIGH = 1 << 31;

const S_INTERRUPTS =
  (1 << Interrupt.SupervisorSoftware) | (1 << Interrupt.SupervisorTimer) | (1 << Interrupt.SupervisorExternal);
const M_INTERRUPTS =
  (1 << Interrupt.MachineSoftware) | (1 << Interrupt.MachineTimer) | (1 << Interrupt.MachineExternal);
/** Everything but ecall from M and the reserved causes. */
const DELEGABLE = 0xb3ff;
/** MXL = 2: 64 bits. */
const MISA_HIGH = 2 << 30;
/** FIOM, CBIE, CBCFE and CBZE of menvcfg and senvcfg: Zicbom and Zicboz. */
const ENVCFG_MASK = 0xf1;
const CBIE = 3 << 4;
/** mcountinhibit stops mcycle and minstret; the other counters count nothing. */
const INHIBIT_CYCLE = 1 << 0;
const INHIBIT_INSTRET = 1 << 2;

/** CSRs that are a plain pair of words. */
const PLAIN = new Map<number, HartWord>([
  [Csr.MSCRATCH, HartWord.MSCRATCH],
  [Csr.MTVAL, HartWord.MTVAL],
  [Csr.SSCRATCH, HartWord.SSCRATCH],
  [Csr.STVAL, HartWord.STVAL],
  [Csr.MCAUSE, HartWord.MCAUSE],
  [Csr.SCAUSE, HartWord.SCAUSE],
  [Csr.MEPC, HartWord.MEPC],
  [Csr.SEPC, HartWord.SEPC],
  [Csr.MTVEC, HartWord.MTVEC],
  [Csr.STVEC, HartWord.STVEC],
  [Csr.MEDELEG, HartWord.MEDELEG],
  [Csr.MIDELEG, HartWord.MIDELEG],
  [Csr.MCOUNTEREN, HartWord.MCOUNTEREN],
  [Csr.SCOUNTEREN, HartWord.SCOUNTEREN],
  [Csr.MENVCFG, HartWord.MENVCFG],
  [Csr.SENVCFG, HartWord.SENVCFG],
  [Csr.SATP, HartWord.SATP],
  [Csr.MCOUNTINHIBIT, HartWord.MCOUNTINHIBIT],
]);

/** Bits of the low word that can be written, where not all can; their high word then is 0. */
const LOW_MASKS = new Map<number, number>([
  [Csr.MEDELEG, DELEGABLE],
  [Csr.MIDELEG, S_INTERRUPTS],
  [Csr.MCOUNTEREN, -1],
  [Csr.SCOUNTEREN, -1],
  [Csr.MENVCFG, ENVCFG_MASK],
  [Csr.SENVCFG, ENVCFG_MASK],
  [Csr.MCOUNTINHIBIT, INHIBIT_CYCLE | INHIBIT_INSTRET],
]);

const COUNTERS: readonly (readonly [number, HartWord])[] = [
  [INHIBIT_CYCLE, HartWord.MCYCLE_OFFSET],
  [INHIBIT_INSTRET, HartWord.MINSTRET_OFFSET],
];

/** CSRs that exist and read as zero: performance counters, which count nothing, and debug triggers. */
const isZero = (csr: number): boolean =>
  (csr > Csr.INSTRET && csr <= Csr.HPMCOUNTER31) ||
  (csr >= Csr.MHPMCOUNTER3 && csr <= Csr.MHPMCOUNTER31) ||
  (csr >= Csr.MHPMEVENT3 && csr <= Csr.MHPMEVENT31) ||
  // tdata1.type is 0: "there is no trigger at this tselect".
  (csr >= Csr.TSELECT && csr <= Csr.TDATA3);

export class CsrFile {
  /** The value that `read` found. */
  low = 0;
  high = 0;
  /**
   * Bits of mip that the next write of it may change: of CSRRS and CSRRC the bits of their operand. For in SEIP the value read is
   * not the one to write back: the interrupt controller's line is seen in it (machine.adoc, "Machine Interrupt Registers").
   */
  pendingMask = -1;

  constructor(
    readonly hartId: number,
    private readonly words: () => Int32Array,
    private readonly clock: Clock,
    private readonly pmp: Pmp,
    private readonly timerDue: () => boolean,
    /** satp, PMP, or what mstatus says about translation was written. */
    private readonly changed: (what: 'pmp' | 'status' | 'satp') => void,
  ) {}

  /** mip: what software wrote, the lines of interrupt controllers, and the timer's bit. */
  pending(): number {
    const words = this.words();
    const pending = words[HartWord.PENDING]! | words[HartWord.LINES]!;
    return this.timerDue() ? pending | (1 << Interrupt.MachineTimer) : pending;
  }

  /**
   * May the instruction at this privilege use the CSR? Existence included. `write`: the instruction writes it.
   * mstatus.TVM and the counter-enable registers are respected.
   */
  permitted(csr: number, privilege: Privilege, write: boolean): boolean {
    if (privilege < ((csr >> 8) & 3) || (write && csr >> 10 === 3)) return false;
    const words = this.words();
    const status = words[HartWord.MSTATUS]!;
    if (csr >= Csr.FFLAGS && csr <= Csr.FCSR) return (status & Status.FS) !== 0;
    if (csr === Csr.SATP) return !(privilege === Privilege.Supervisor && status & Status.TVM);
    if (csr >= Csr.CYCLE && csr <= Csr.HPMCOUNTER31) {
      const bit = 1 << (csr & 31);
      if (privilege < Privilege.Machine && !(words[HartWord.MCOUNTEREN]! & bit)) return false;
      if (privilege === Privilege.User && !(words[HartWord.SCOUNTEREN]! & bit)) return false;
    }
    return this.read(csr);
  }

  /** Reads as M-mode; false when there is no such CSR. */
  read(csr: number): boolean {
    const words = this.words();
    const plain = PLAIN.get(csr);
    if (plain !== undefined) return this.found(words[plain]!, words[plain + 1]!);
    switch (csr) {
      case Csr.FFLAGS:
        return this.found(words[HartWord.FCSR]! & 31, 0);
      case Csr.FRM:
        return this.found((words[HartWord.FCSR]! >> 5) & 7, 0);
      case Csr.FCSR:
        return this.found(words[HartWord.FCSR]!, 0);
      case Csr.SSTATUS:
      case Csr.MSTATUS: {
        const status = words[HartWord.MSTATUS]!;
        const dirty = (status & Status.FS) === Status.FS ? SD_HIGH : 0;
        return csr === Csr.MSTATUS
          ? this.found(status, MSTATUS_HIGH | dirty)
          : this.found(status & SSTATUS_MASK, SSTATUS_HIGH | dirty);
      }
      case Csr.MISA:
        return this.found(MISA_EXTENSIONS, MISA_HIGH);
      case Csr.MIE:
        return this.found(words[HartWord.MIE]!, 0);
      case Csr.SIE:
        return this.found(words[HartWord.MIE]! & words[HartWord.MIDELEG]!, 0);
      case Csr.MIP:
        return this.found(this.pending(), 0);
      case Csr.SIP:
        return this.found(this.pending() & words[HartWord.MIDELEG]!, 0);
      case Csr.PMPCFG0:
      case Csr.PMPCFG2: {
        const at = HartWord.PMPCFG + (csr - Csr.PMPCFG0);
        return this.found(words[at]!, words[at + 1]!);
      }
      case Csr.TIME:
        return this.foundNumber(this.clock.time);
      case Csr.CYCLE:
      case Csr.MCYCLE:
        return this.foundCounter(HartWord.MCYCLE_OFFSET, INHIBIT_CYCLE);
      case Csr.INSTRET:
      case Csr.MINSTRET:
        return this.foundCounter(HartWord.MINSTRET_OFFSET, INHIBIT_INSTRET);
      case Csr.MHARTID:
        return this.found(this.hartId, 0);
      case Csr.TINFO:
        return this.found(1, 0); // type 0 only: there is no trigger
      case Csr.MVENDORID:
      case Csr.MARCHID:
      case Csr.MIMPID:
      case Csr.MCONFIGPTR:
        return this.found(0, 0);
    }
    if (csr >= Csr.PMPADDR0 && csr < Csr.PMPADDR0 + PMP_ENTRIES) {
      const at = HartWord.PMPADDR + 2 * (csr - Csr.PMPADDR0);
      return this.found(words[at]!, words[at + 1]!);
    }
    return isZero(csr) && this.found(0, 0);
  }

  private found(low: number, high: number): boolean {
    this.low = low | 0;
    this.high = high | 0;
    return true;
  }

  private foundNumber(value: number): boolean {
    return this.found(lowWord(value), highWord(value));
  }

  /** A counter is the tick plus an offset; while it is inhibited its place holds its value. */
  private foundCounter(offset: HartWord, inhibit: number): boolean {
    const words = this.words();
    const now = words[HartWord.MCOUNTINHIBIT]! & inhibit ? 0 : this.clock.tick;
    const low = (words[offset]! >>> 0) + (lowWord(now) >>> 0);
    return this.found(low, words[offset + 1]! + highWord(now) + (low >= 2 ** 32 ? 1 : 0));
  }

  /** Writes as M-mode. The CSR exists. Read-only ones ignore it. `own`: ticks of the writing instruction itself, 0 for none. */
  write(csr: number, low: number, high: number, own = 0): void {
    const words = this.words();
    switch (csr) {
      case Csr.FFLAGS:
        return this.writeFcsr((words[HartWord.FCSR]! & ~31) | (low & 31));
      case Csr.FRM:
        return this.writeFcsr((words[HartWord.FCSR]! & 31) | ((low & 7) << 5));
      case Csr.FCSR:
        return this.writeFcsr(low & 0xff);
      case Csr.SSTATUS:
        return this.writeStatus((words[HartWord.MSTATUS]! & ~SSTATUS_MASK) | (low & SSTATUS_MASK));
      case Csr.MSTATUS:
        return this.writeStatus(low & MSTATUS_MASK);
      case Csr.MIE:
        words[HartWord.MIE] = low & (S_INTERRUPTS | M_INTERRUPTS);
        return;
      case Csr.SIE:
        return this.writeMasked(HartWord.MIE, words[HartWord.MIDELEG]!, low);
      case Csr.MIP:
        this.writeMasked(HartWord.PENDING, S_INTERRUPTS & this.pendingMask, low);
        this.pendingMask = -1;
        return;
      case Csr.SIP:
        return this.writeMasked(HartWord.PENDING, words[HartWord.MIDELEG]! & (1 << Interrupt.SupervisorSoftware), low);
      case Csr.MCYCLE:
        return this.writeCounter(HartWord.MCYCLE_OFFSET, INHIBIT_CYCLE, low, high, own);
      case Csr.MINSTRET:
        return this.writeCounter(HartWord.MINSTRET_OFFSET, INHIBIT_INSTRET, low, high, own);
      case Csr.MCOUNTINHIBIT:
        return this.writeInhibit(low, own);
      case Csr.PMPCFG0:
      case Csr.PMPCFG2:
        this.pmp.writeConfigs(4 * (csr - Csr.PMPCFG0), low, high);
        return this.changed('pmp');
      case Csr.SATP:
        return this.writeSatp(low, high);
      case Csr.MEPC:
      case Csr.SEPC:
        low &= ~1;
        break;
      case Csr.MTVEC:
      case Csr.STVEC:
        if (low & 2) return; // modes 2 and 3 are reserved: the register stays as it is
        break;
      case Csr.MENVCFG:
      case Csr.SENVCFG:
        // CBIE = 2 is reserved: the field stays as it is.
        if ((low & CBIE) === 2 << 4) low = (low & ~CBIE) | (words[PLAIN.get(csr)!]! & CBIE);
        break;
    }
    if (csr >= Csr.PMPADDR0 && csr < Csr.PMPADDR0 + PMP_ENTRIES) {
      this.pmp.writeAddress(csr - Csr.PMPADDR0, low, high);
      return this.changed('pmp');
    }
    const plain = PLAIN.get(csr);
    if (plain === undefined) return;
    const mask = LOW_MASKS.get(csr);
    words[plain] = mask === undefined ? low : low & mask;
    words[plain + 1] = mask === undefined ? high : 0;
  }

  private writeMasked(at: HartWord, mask: number, value: number): void {
    const words = this.words();
    words[at] = (words[at]! & ~mask) | (value & mask);
  }

  private writeFcsr(value: number): void {
    const words = this.words();
    words[HartWord.FCSR] = value;
    words[HartWord.MSTATUS]! |= Status.FS;
  }

  private writeStatus(status: number): void {
    // MPP = 2 names no privilege level: the field keeps its value.
    if ((status & Status.MPP) === 2 << 11)
      status = (status & ~Status.MPP) | (this.words()[HartWord.MSTATUS]! & Status.MPP);
    this.words()[HartWord.MSTATUS] = status;
    this.changed('status');
  }

  /** A mode that is not supported leaves the whole register as it was. */
  private writeSatp(low: number, high: number): void {
    const mode = high >>> 28;
    if (mode !== 0 && mode !== 8 && mode !== 9) return;
    const words = this.words();
    words[HartWord.SATP] = low;
    words[HartWord.SATP + 1] = high;
    this.changed('satp');
  }

  /** Ticks passed in which other harts executed: minstret does not count them. */
  skipInstructions(ticks: number): void {
    const words = this.words();
    if (words[HartWord.MCOUNTINHIBIT]! & INHIBIT_INSTRET) return;
    const at = HartWord.MINSTRET_OFFSET;
    this.setCounter(at, words[at]!, words[at + 1]!, ticks);
  }

  private writeCounter(offset: HartWord, inhibit: number, low: number, high: number, own: number): void {
    // "The value written will be the value read by the following instruction" (machine.adoc, on minstret).
    this.setCounter(offset, low, high, this.words()[HartWord.MCOUNTINHIBIT]! & inhibit ? 0 : this.clock.tick + own);
  }

  private setCounter(offset: HartWord, low: number, high: number, base: number): void {
    const words = this.words();
    const difference = (low >>> 0) - (lowWord(base) >>> 0);
    words[offset] = difference | 0;
    words[offset + 1] = (high - highWord(base) - (difference < 0 ? 1 : 0)) | 0;
  }

  /** The writing instruction is counted as the counters were before. */
  private writeInhibit(value: number, own: number): void {
    const words = this.words();
    const old = words[HartWord.MCOUNTINHIBIT]!;
    for (const [bit, offset] of COUNTERS) {
      if (((old ^ value) & bit) === 0) continue;
      this.foundCounter(offset, bit);
      this.setCounter(offset, this.low, this.high, value & bit ? -own : this.clock.tick + own);
    }
    words[HartWord.MCOUNTINHIBIT] = value & (INHIBIT_CYCLE | INHIBIT_INSTRET);
  }

  /** satp as a number of its PPN, or -1 in Bare mode. */
  rootPage(): number {
    const words = this.words();
    const high = words[HartWord.SATP + 1]!;
    return high >>> 28 === 0 ? -1 : pairToNumber(words[HartWord.SATP]!, high & 0xfff);
  }
}

/**
 * Instructions that read or change what the hart is: Zicsr, environment calls, xRET, WFI, SFENCE.VMA, and the floating-point
 * instructions' access to fcsr and mstatus.FS. Privileged specification, "Machine-Mode Privileged Instructions",
 * "Supervisor Instructions". A refusal is an illegal-instruction exception whose tval is the instruction's bits.
 */
import { Csr, Status } from '../hart/csr';
import type { Hart } from '../hart/hart';
import { Cause, Privilege } from '../hart/types';
import { Op } from '../isa/op';
import { HartWord } from '../machine/layout';
import { Result, type Fault } from './types';

export class SystemInstructions {
  /** A CSR or the privilege level changed: the machine must look at interrupts, the engine at its context. */
  changed = false;

  constructor(
    private readonly fault: Fault,
    private readonly bits: () => number,
  ) {}

  illegal(): Result {
    return this.raise(Cause.IllegalInstruction, this.bits(), 0);
  }

  raise(cause: Cause, low: number, high: number): Result {
    this.fault.cause = cause;
    this.fault.low = low;
    this.fault.high = high;
    return Result.TRAP;
  }

  /** `pc…`: of the instruction. */
  execute(hart: Hart, op: Op, rd: number, rs1: number, immediate: number, pcLow: number, pcHigh: number): Result {
    const { words } = hart;
    const { privilege } = hart;
    const status = words[HartWord.MSTATUS]!;
    switch (op) {
      case Op.ECALL:
        return this.raise(Cause.EcallFromUser + privilege, 0, 0);
      case Op.EBREAK:
        return this.raise(Cause.Breakpoint, pcLow, pcHigh);
      case Op.MRET:
        if (privilege < Privilege.Machine) return this.illegal();
        hart.mret();
        return this.jumped();
      case Op.SRET:
        if (privilege < Privilege.Supervisor) return this.illegal();
        if (privilege === Privilege.Supervisor && status & Status.TSR) return this.illegal();
        hart.sret();
        return this.jumped();
      case Op.WFI:
        // U-mode, or S-mode with TW: illegal at once, a time limit of zero.
        if (privilege === Privilege.User || (privilege < Privilege.Machine && status & Status.TW))
          return this.illegal();
        hart.waitForInterrupt();
        return Result.WFI;
      case Op.SFENCE_VMA:
        if (privilege === Privilege.User || (privilege === Privilege.Supervisor && status & Status.TVM))
          return this.illegal();
        hart.fenceVma();
        return Result.LEAVE;
      default:
        return this.csr(hart, op, rd, rs1, immediate & 0xfff);
    }
  }

  private jumped(): Result {
    this.changed = true;
    return Result.JUMPED;
  }

  private csr(hart: Hart, op: Op, rd: number, source: number, number: number): Result {
    const { csr, words } = hart;
    const isImmediate = op >= Op.CSRRWI;
    const kind = isImmediate ? op - Op.CSRRWI : op - Op.CSRRW; // 0 write, 1 set, 2 clear
    const writes = kind === 0 || source !== 0;
    if (!csr.permitted(number, hart.privilege, writes) || !csr.read(number)) return this.illegal();
    const oldLow = csr.low;
    const oldHigh = csr.high;
    const operandLow = isImmediate ? source : words[source]!;
    const operandHigh = isImmediate ? 0 : words[source + 1]!;
    if (writes) {
      csr.pendingMask = kind === 0 ? -1 : operandLow;
      if (kind === 0) csr.write(number, operandLow, operandHigh, 1);
      else if (kind === 1) csr.write(number, oldLow | operandLow, oldHigh | operandHigh, 1);
      else csr.write(number, oldLow & ~operandLow, oldHigh & ~operandHigh, 1);
    }
    words[rd] = oldLow;
    words[rd + 1] = oldHigh;
    if (!writes || (number >= Csr.FFLAGS && number <= Csr.FCSR)) return Result.DONE;
    this.changed = true;
    return Result.LEAVE;
  }
}

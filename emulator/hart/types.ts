/**
 * A hart as personalities and debuggers see it. All of its state lives in the machine's WebAssembly.Memory (machine/layout.ts);
 * these accessors are the only way to it outside the engine.
 */
import type { Space, VirtualAddress } from '../units';

/** Privilege levels, by their number in the privileged specification. */
export const enum Privilege {
  User = 0,
  Supervisor = 1,
  Machine = 3,
}

/** `mcause` values without the interrupt bit (privileged specification, table of mcause values). */
export const enum Cause {
  InstructionAddressMisaligned = 0,
  InstructionAccessFault = 1,
  IllegalInstruction = 2,
  Breakpoint = 3,
  LoadAddressMisaligned = 4,
  LoadAccessFault = 5,
  StoreAddressMisaligned = 6,
  StoreAccessFault = 7,
  EcallFromUser = 8,
  EcallFromSupervisor = 9,
  EcallFromMachine = 11,
  InstructionPageFault = 12,
  LoadPageFault = 13,
  StorePageFault = 15,
}

/** Interrupt numbers: bit positions of mip and mie, and mcause values with the interrupt bit. */
export const enum Interrupt {
  SupervisorSoftware = 1,
  MachineSoftware = 3,
  SupervisorTimer = 5,
  MachineTimer = 7,
  SupervisorExternal = 9,
  MachineExternal = 11,
}

/** The unprivileged registers of a context that is not on a hart; never written after it was made. */
export interface SavedRegisters {
  /** x0 … x31, f0 … f31, pc, fcsr as pairs of 32-bit words, low word first: see hart/registers.ts. */
  readonly words: Int32Array;
}

export interface Hart {
  readonly id: number;

  privilege: Privilege;
  /** Program counter. Exact for canonical addresses. */
  pc: VirtualAddress;
  /** x register as a signed number: exact up to 2^53 in magnitude, rounded beyond. */
  getX(index: number): number;
  /** Sets an x register to an integer of at most 2^53 in magnitude, sign-extended; x0 is ignored. */
  setX(index: number, value: number): void;
  /** x register, all 64 bits, unsigned. */
  getX64(index: number): bigint;
  setX64(index: number, value: bigint): void;
  /** f register, raw 64 bits. */
  getF64(index: number): bigint;
  setF64(index: number, value: bigint): void;

  /** x1 … x31, f0 … f31, pc and fcsr into a fresh immutable copy (about 0.2 µs). */
  saveRegisters(): SavedRegisters;
  loadRegisters(saved: SavedRegisters): void;

  /** CSR by number, as the current M-mode would read it, unsigned 64 bits. Throws on a number that is not implemented. */
  readCsr(csr: number): bigint;
  /** Writes a CSR as M-mode would (WARL fields are legalised); satp, PMP and mstatus writes take effect at once. */
  writeCsr(csr: number, value: bigint): void;
  /** Frequently used CSRs as numbers. `satp` here is the raw register; `space` is its PPN, `undefined` in Bare mode. */
  readonly space: Space | undefined;
  readonly scause: number;
  readonly mcause: number;
  /** True when the last trap into the level was an interrupt. */
  readonly scauseIsInterrupt: boolean;
  readonly mcauseIsInterrupt: boolean;
  stval: number;
  mtval: number;
  sepc: VirtualAddress;
  mepc: VirtualAddress;
  /** Sets or clears one bit of mip. */
  setPending(interrupt: Interrupt, on: boolean): void;

  /** The instructions of the same names, as executed at the current privilege. */
  mret(): void;
  sret(): void;
  /** Traps to M (or to where delegation says) with the cause of the current privilege; sepc/mepc name the ecall itself. */
  ecall(): void;
  /** WFI: the hart sleeps until an interrupt that is enabled in mie is pending, whatever mstatus says. */
  waitForInterrupt(): void;
  /** SFENCE.VMA with both operands x0: drops every cached translation of this hart. Traps to M at S with mstatus.TVM set. */
  fenceVma(): void;
  /**
   * Puts `value` into a0 and executes `csrrw x0, csr, a0` at the current privilege. Where that is not allowed (satp at S with
   * mstatus.TVM set) it traps like the instruction: to M with an illegal-instruction exception, mtval = the instruction word,
   * mepc = pc. The firmware emulates it, adds 4 to mepc and returns. Clobbers a0, so user registers have been saved before.
   */
  csrWrite(csr: number, value: bigint): void;
}

/**
 * How personalities reach memory. A supervisor access is what an S-mode load or store at that address would be: translated by
 * satp, subject to SUM, MXR and PMP. A machine access is an M-mode access: physical, subject to locked PMP entries only.
 * Nothing else may touch guest memory from a personality, so an attack that fails here fails as guest code too.
 */
import type { Cause } from '../hart/types';
import type { PhysicalAddress, Space, VirtualAddress } from '../units';

/** Thrown by a port; caught where the personality's step begins, never outside of it. */
export class MemoryFault extends Error {
  constructor(
    override readonly cause: Cause,
    readonly address: number,
  ) {
    super(`memory fault, cause ${cause}, address 0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`);
  }
}

/** Loads and stores of any length and alignment, little-endian; each throws `MemoryFault` before anything is written. */
export interface MemoryPort<Address> {
  read(address: Address, length: number): Uint8Array;
  write(address: Address, bytes: Uint8Array): void;
  fill(address: Address, length: number, byte: number): void;
  readU8(address: Address): number;
  readU16(address: Address): number;
  readU32(address: Address): number;
  readI32(address: Address): number;
  /** 64 bits, signed, as a number: exact up to 2^53 in magnitude. */
  readI64(address: Address): number;
  readU64(address: Address): bigint;
  writeU8(address: Address, value: number): void;
  writeU16(address: Address, value: number): void;
  writeU32(address: Address, value: number): void;
  /** Writes an integer of at most 2^53 in magnitude, sign-extended to 64 bits. */
  writeI64(address: Address, value: number): void;
  writeU64(address: Address, value: bigint): void;
}

/** Accesses at S privilege with the hart's satp; `user` accesses run with sstatus.SUM set, the others with it clear. */
export interface SupervisorPort extends MemoryPort<VirtualAddress> {
  /** The same port with SUM set: for copying from and to user memory. */
  readonly user: MemoryPort<VirtualAddress> & {
    /** Throws unless every byte may be read (or written) right now. */
    probe(address: VirtualAddress, length: number, access: 'read' | 'write'): void;
  };
}

/** Physical accesses at M privilege. Outside RAM and devices: an access fault. */
export interface MachinePort extends MemoryPort<PhysicalAddress> {
  /** True: nothing was ever stored in the page, so that it reads as zeros. False says nothing. */
  untouched(page: PhysicalAddress): boolean;
}

/**
 * The debugger's eye: reads through the page tables of any space without privilege checks, A/D updates or side effects.
 * Devices are not read.
 */
export interface DebugPort {
  /** The readable bytes from `address` on, at most `length`; shorter where a page is not mapped. */
  read(space: Space, address: VirtualAddress, length: number): Uint8Array;
  /** Where a virtual address lies, if mapped. */
  translate(space: Space, address: VirtualAddress): PhysicalAddress | undefined;
}

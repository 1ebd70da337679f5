/**
 * Loads and stores of any length for personalities, page by page: each page is located and checked before the first byte is moved,
 * so that a fault leaves memory as it was. Subclasses say where an address lies and what it may (ports.ts has the contract).
 */
import { Access, accessFault, type TranslationContext } from '../hart/mmu';
import { Right } from '../hart/pmp';
import type { Hart } from '../hart/hart';
import { highWord, lowWord } from '../hart/registers';
import { Privilege } from '../hart/types';
import { NO_SPACE, PAGE_SIZE, pa, va, type PhysicalAddress, type Space, type VirtualAddress } from '../units';
import { peekTranslation } from '../hart/mmu';
import type { Bus } from './bus';
import { ramOffset, type PhysicalMemory } from './memory';
import { MemoryFault, type DebugPort, type MachinePort, type MemoryPort, type SupervisorPort } from './ports';

abstract class Port<Address extends number> implements MemoryPort<Address> {
  private readonly scratch = new DataView(new ArrayBuffer(8));
  private readonly scratchBytes = new Uint8Array(this.scratch.buffer);

  constructor(
    protected readonly memory: PhysicalMemory,
    private readonly bus: Bus,
  ) {}

  /** Physical address of a piece within one page, after all checks; throws MemoryFault. */
  protected abstract locate(address: number, length: number, access: Access): number;

  private checkLength(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0 || length > this.memory.ramBytes)
      throw new Error(`memory port: a length of ${length} bytes is not in 0 … ${this.memory.ramBytes}`);
  }

  /** Calls `piece` with the memory offset of each piece, all of them checked before the first call. */
  private pieces(
    address: number,
    length: number,
    access: Access,
    piece: (offset: number, done: number, size: number) => void,
    zeroing = false,
  ): void {
    this.checkLength(length);
    const located: number[] = [];
    for (let done = 0; done < length;) {
      const at = address + done;
      const size = Math.min(length - done, PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE));
      const physical = this.locate(at, size, access);
      if (!this.memory.contains(physical, size)) throw new MemoryFault(accessFault(access), at);
      located.push(physical, size);
      done += size;
    }
    for (let i = 0, done = 0; i < located.length; i += 2) {
      const physical = located[i]!;
      const size = located[i + 1]!;
      const page = this.memory.pageOf(physical);
      // Zeroing what was never written changes nothing, and must not make a page of it that is kept and hashed.
      if (zeroing && !this.memory.wasWritten(page)) {
        done += size;
        continue;
      }
      // What is read where the memory has not grown yet is zero, and it need not grow for that.
      if (access === Access.STORE) this.memory.beforeWrite(page, physical % PAGE_SIZE, (physical % PAGE_SIZE) + size);
      piece(ramOffset(physical), done, size);
      done += size;
    }
  }

  read(address: Address, length: number): Uint8Array {
    this.checkLength(length);
    const bytes = new Uint8Array(length);
    this.pieces(address, length, Access.LOAD, (offset, done, size) =>
      bytes.set(this.memory.u8.subarray(offset, offset + size), done),
    );
    return bytes;
  }

  write(address: Address, bytes: Uint8Array): void {
    this.pieces(address, bytes.length, Access.STORE, (offset, done, size) =>
      this.memory.u8.set(bytes.subarray(done, done + size), offset),
    );
  }

  fill(address: Address, length: number, byte: number): void {
    this.pieces(
      address,
      length,
      Access.STORE,
      (offset, _done, size) => this.memory.u8.fill(byte, offset, offset + size),
      byte === 0,
    );
  }

  /** 1, 2, 4 or 8 bytes into the scratch; devices are read only here, where the width is known. */
  private fetch(address: number, size: number): DataView {
    const within = ((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
    if (within + size > PAGE_SIZE) {
      this.scratchBytes.set(this.read(address as Address, size));
      return this.scratch;
    }
    const physical = this.locate(address, size, Access.LOAD);
    if (this.memory.contains(physical, size)) {
      this.memory.ensure(this.memory.pageOf(physical));
      const { u8 } = this.memory;
      const offset = ramOffset(physical);
      for (let i = 0; i < size; i++) this.scratchBytes[i] = u8[offset + i]!;
      return this.scratch;
    }
    const value = this.bus.read(physical, size);
    if (value === undefined) throw new MemoryFault(accessFault(Access.LOAD), address);
    this.scratch.setBigUint64(0, value, true);
    return this.scratch;
  }

  /** The scratch's first bytes to memory or a device. */
  private flush(address: number, size: number): void {
    const within = ((address % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE;
    if (within + size > PAGE_SIZE) return this.write(address as Address, this.scratchBytes.subarray(0, size));
    const physical = this.locate(address, size, Access.STORE);
    if (this.memory.contains(physical, size)) {
      this.memory.beforeWrite(this.memory.pageOf(physical), physical % PAGE_SIZE, (physical % PAGE_SIZE) + size);
      const { u8 } = this.memory;
      const offset = ramOffset(physical);
      for (let i = 0; i < size; i++) u8[offset + i] = this.scratchBytes[i]!;
      return;
    }
    const value = BigInt.asUintN(8 * size, this.scratch.getBigUint64(0, true));
    if (!this.bus.write(physical, size, value)) throw new MemoryFault(accessFault(Access.STORE), address);
  }

  readU8(address: Address): number {
    return this.fetch(address, 1).getUint8(0);
  }
  readU16(address: Address): number {
    return this.fetch(address, 2).getUint16(0, true);
  }
  readU32(address: Address): number {
    return this.fetch(address, 4).getUint32(0, true);
  }
  readI32(address: Address): number {
    return this.fetch(address, 4).getInt32(0, true);
  }
  readI64(address: Address): number {
    const view = this.fetch(address, 8);
    return view.getInt32(4, true) * 2 ** 32 + view.getUint32(0, true);
  }
  readU64(address: Address): bigint {
    return this.fetch(address, 8).getBigUint64(0, true);
  }
  writeU8(address: Address, value: number): void {
    this.scratch.setUint8(0, value);
    this.flush(address, 1);
  }
  writeU16(address: Address, value: number): void {
    this.scratch.setUint16(0, value, true);
    this.flush(address, 2);
  }
  writeU32(address: Address, value: number): void {
    this.scratch.setUint32(0, value, true);
    this.flush(address, 4);
  }
  writeI64(address: Address, value: number): void {
    this.scratch.setInt32(0, lowWord(value), true);
    this.scratch.setInt32(4, highWord(value), true);
    this.flush(address, 8);
  }
  writeU64(address: Address, value: bigint): void {
    this.scratch.setBigUint64(0, BigInt.asUintN(64, value), true);
    this.flush(address, 8);
  }
}

/** M-mode: physical, subject to locked PMP entries only. */
export class PhysicalPort extends Port<PhysicalAddress> implements MachinePort {
  constructor(
    memory: PhysicalMemory,
    bus: Bus,
    private readonly hart: Hart,
  ) {
    super(memory, bus);
  }

  protected locate(address: number, length: number, access: Access): number {
    const right = access === Access.STORE ? Right.WRITE : Right.READ;
    if (address < 0 || !this.hart.pmp.allows(address, length, right, true))
      throw new MemoryFault(accessFault(access), address);
    return address;
  }

  untouched(page: PhysicalAddress): boolean {
    const { memory } = this;
    return memory.contains(page, PAGE_SIZE) && !memory.wasWritten(memory.pageOf(page));
  }
}

/** S-mode with the hart's satp. */
class VirtualPort extends Port<VirtualAddress> {
  private readonly context: TranslationContext;

  constructor(
    memory: PhysicalMemory,
    bus: Bus,
    private readonly hart: Hart,
    sum: boolean,
  ) {
    super(memory, bus);
    this.context = { privilege: Privilege.Supervisor, sum, mxr: false };
  }

  protected locate(address: number, length: number, access: Access): number {
    const { hart, context } = this;
    context.mxr = hart.mxr;
    const physical = hart.mmu.translate(lowWord(address), highWord(address), access, context, false);
    if (physical < 0) throw new MemoryFault(hart.mmu.fault, address);
    const right = access === Access.STORE ? Right.WRITE : Right.READ;
    if (!hart.pmp.allows(physical, length, right, false)) throw new MemoryFault(accessFault(access), address);
    return physical;
  }

  probe(address: VirtualAddress, length: number, access: 'read' | 'write'): void {
    const kind = access === 'read' ? Access.LOAD : Access.STORE;
    for (let at: number = address; at < address + length;) {
      const size = Math.min(address + length - at, PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE));
      if (!this.memory.contains(this.locate(at, size, kind), size)) throw new MemoryFault(accessFault(kind), at);
      at += size;
    }
  }
}

/** The supervisor port of a hart: without and, as `user`, with SUM. */
export function newSupervisorPort(memory: PhysicalMemory, bus: Bus, hart: Hart): SupervisorPort {
  return Object.assign(new VirtualPort(memory, bus, hart, false), { user: new VirtualPort(memory, bus, hart, true) });
}

/** Reads through the tables of any space, or physically with NO_SPACE. Touches nothing. */
export class PeekingPort implements DebugPort {
  constructor(
    private readonly memory: PhysicalMemory,
    private readonly levels: () => 3 | 4,
  ) {}

  translate(space: Space, address: VirtualAddress): PhysicalAddress | undefined {
    if (space === NO_SPACE) return this.memory.contains(address, 1) ? pa(address) : undefined;
    return peekTranslation(this.memory, space, this.levels(), lowWord(address), highWord(address)) as
      PhysicalAddress | undefined;
  }

  read(space: Space, address: VirtualAddress, length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let total = 0;
    while (total < length) {
      const at = va(address + total);
      const size = Math.min(length - total, PAGE_SIZE - (((at % PAGE_SIZE) + PAGE_SIZE) % PAGE_SIZE));
      const physical = this.translate(space, at);
      if (physical === undefined || !this.memory.contains(physical, size)) break;
      this.memory.ensure(this.memory.pageOf(physical));
      const offset = ramOffset(physical);
      parts.push(this.memory.u8.slice(offset, offset + size));
      total += size;
    }
    if (parts.length === 1) return parts[0]!;
    const bytes = new Uint8Array(total);
    let done = 0;
    for (const part of parts) {
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }
}

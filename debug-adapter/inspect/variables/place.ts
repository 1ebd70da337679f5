/**
 * Where the bytes of a value are and how to get at them, whatever a location expression answered: memory, a register, the
 * value itself, or pieces of all of these. Asks for memory and registers; never writes.
 */
import type { Location, Piece, SimpleLocation } from '../../symbols/dwarf/expression/location';

/** Where memory and registers come from; `undefined` means that they cannot be read. */
export interface TargetAccess {
  readMemory(address: bigint, length: number): Uint8Array | undefined;
  /** By DWARF number. */
  readRegister(register: number): bigint | undefined;
}

/** A part of a location: `offset` bytes into it, and for a bit field the bits from there. */
export interface Place {
  readonly location: Location;
  /** 0 for memory, whose address says it. */
  readonly offset: number;
  readonly bits?: { readonly offset: number; readonly size: number };
}

/** Why a value cannot be shown. */
export interface Unreadable {
  readonly unavailable: string;
}

/** No scalar, and no page of an array, is longer. */
export const MAX_READ = 1 << 20;
const REGISTER_BYTES = 8;
const ADDRESS_BITS = 64;

export const memoryPlace = (address: bigint): Place => ({
  location: { kind: 'memory', address: BigInt.asUintN(ADDRESS_BITS, address) },
  offset: 0,
});

export const valuePlace = (bytes: Uint8Array): Place => ({ location: { kind: 'value', bytes }, offset: 0 });

export const unavailablePlace = (reason: string): Place => ({ location: { kind: 'unavailable', reason }, offset: 0 });

/** A member or element `byteOffset` bytes into a place. */
export function partOf(place: Place, byteOffset: number, bits?: Place['bits']): Place {
  const { location } = place;
  const part =
    location.kind === 'memory'
      ? memoryPlace(location.address + BigInt(byteOffset))
      : { location, offset: place.offset + byteOffset };
  return bits ? { ...part, bits } : part;
}

/** The address of a value in memory; undefined for bit fields and for what is not in memory. */
export function addressOf(place: Place): bigint | undefined {
  return place.location.kind === 'memory' && !place.bits ? place.location.address : undefined;
}

/** The `size` bytes of a value; a bit field is shifted to bit 0 and extended with zeros. */
export function readPlace(place: Place, size: number, target: TargetAccess): Uint8Array | Unreadable {
  if (size > MAX_READ) return { unavailable: `it has ${size} bytes, more than ${MAX_READ} are not read at once` };
  if (!place.bits) return readBytes(place, size, target);
  const { offset, size: bits } = place.bits;
  const first = Math.floor(offset / 8);
  const bytes = readBytes(partOf({ ...place }, first), Math.ceil((offset + bits) / 8) - first, target);
  return 'unavailable' in bytes ? bytes : toBytes(bitsOf(bytes, offset - 8 * first, bits), size);
}

function readBytes(place: Place, size: number, target: TargetAccess): Uint8Array | Unreadable {
  const { location, offset } = place;
  if (location.kind === 'pieces') return readPieces(location.pieces, 8 * offset, 8 * size, target);
  return readSimple(location, offset, size, target);
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function readSimple(from: SimpleLocation, offset: number, size: number, target: TargetAccess): Uint8Array | Unreadable {
  switch (from.kind) {
    case 'memory': {
      const address = from.address + BigInt(offset);
      return target.readMemory(address, size) ?? { unavailable: `cannot read memory at ${hex(address)}` };
    }
    case 'register': {
      const value = target.readRegister(from.register);
      if (value === undefined) return { unavailable: `cannot read register ${from.register} in this frame` };
      if (offset + size > REGISTER_BYTES)
        return { unavailable: 'it is said to be in a register that is too small for it' };
      return toBytes(value >> BigInt(8 * offset), size);
    }
    case 'value': {
      // A constant may be given in fewer bytes than its type has.
      const bytes = new Uint8Array(size);
      bytes.set(from.bytes.subarray(offset, offset + size));
      return bytes;
    }
    case 'unavailable':
      return { unavailable: from.reason };
  }
}

function readPieces(
  pieces: readonly Piece[],
  start: number,
  size: number,
  target: TargetAccess,
): Uint8Array | Unreadable {
  let result = 0n;
  let at = 0;
  let covered = 0;
  for (const piece of pieces) {
    const from = Math.max(start, at);
    const to = Math.min(start + size, at + piece.bitSize);
    if (to > from) {
      const bitsFrom = piece.bitOffset + (from - at);
      const first = Math.floor(bitsFrom / 8);
      const bytes = readSimple(piece.location, first, Math.ceil((bitsFrom + to - from) / 8) - first, target);
      if ('unavailable' in bytes) return bytes;
      result |= bitsOf(bytes, bitsFrom - 8 * first, to - from) << BigInt(from - start);
      covered += to - from;
    }
    at += piece.bitSize;
  }
  return covered < size ? { unavailable: 'optimised out' } : toBytes(result, size / 8);
}

/** Bits of little-endian bytes, counted from bit 0 of byte 0. */
export function bitsOf(bytes: Uint8Array, offset: number, size: number): bigint {
  return BigInt.asUintN(size, toBigInt(bytes) >> BigInt(offset));
}

/** Little-endian bytes as an unsigned number. */
export function toBigInt(bytes: Uint8Array): bigint {
  let text = '';
  for (let i = bytes.length - 1; i >= 0; i--) text += bytes[i]!.toString(16).padStart(2, '0');
  return BigInt(`0x${text || '0'}`);
}

/** The low `size` bytes of a number, little-endian. */
export function toBytes(value: bigint, size: number): Uint8Array {
  const text = BigInt.asUintN(8 * size, value)
    .toString(16)
    .padStart(2 * size, '0');
  return Uint8Array.from({ length: size }, (_, i) => parseInt(text.slice(2 * (size - 1 - i), 2 * (size - i)), 16));
}

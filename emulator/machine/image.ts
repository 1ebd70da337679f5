/**
 * Reads what is to be loaded before anything runs: a 64-bit RISC-V ELF file by the physical addresses of its PT_LOAD segments (gABI, "Program
 * Header"), or a raw image. Total: every offset is checked against the bytes that are there.
 */
import { badImage } from './errors';

export interface Image {
  readonly name: string;
  readonly entry: number;
  /** Addresses taken: [start, end), zero-initialised data included. */
  readonly start: number;
  readonly end: number;
  readonly parts: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const EM_RISCV = 243;
const PT_LOAD = 1;
/** Addresses and sizes beyond it are of no machine here. */
const LIMIT = 2 ** 40;

export function readImage(name: string, bytes: Uint8Array, address: number): Image {
  if (bytes.length === 0) throw badImage(name, 'it is empty');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && view.getUint32(0) === 0x7f454c46) return readElf(name, bytes, view);
  return { name, entry: address, start: address, end: address + bytes.length, parts: [{ address, bytes }] };
}

function readElf(name: string, bytes: Uint8Array, view: DataView): Image {
  if (bytes.length < HEADER_BYTES) throw badImage(name, 'its ELF header is cut off');
  if (bytes[4] !== 2 || bytes[5] !== 1 || view.getUint16(18, true) !== EM_RISCV)
    throw badImage(name, 'it is an ELF file for another processor');
  const number = (at: number, what: string): number => {
    const value = view.getBigUint64(at, true);
    if (value >= BigInt(LIMIT)) throw badImage(name, `${what} is 0x${value.toString(16)}`);
    return Number(value);
  };
  const table = number(32, 'e_phoff');
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  if (size < PROGRAM_HEADER_BYTES || table + count * size > bytes.length)
    throw badImage(name, 'its program headers lie outside of the file');
  const parts: { address: number; bytes: Uint8Array }[] = [];
  let [start, end] = [Infinity, 0];
  for (let i = 0; i < count; i++) {
    const at = table + i * size;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const offset = number(at + 8, 'p_offset');
    const address = number(at + 24, 'p_paddr');
    const fileSize = number(at + 32, 'p_filesz');
    const memorySize = number(at + 40, 'p_memsz');
    if (offset + fileSize > bytes.length || fileSize > memorySize)
      throw badImage(name, `program header ${i} is damaged`);
    if (memorySize === 0) continue;
    start = Math.min(start, address);
    end = Math.max(end, address + memorySize);
    if (fileSize > 0) parts.push({ address, bytes: bytes.subarray(offset, offset + fileSize) });
  }
  if (end === 0) throw badImage(name, 'nothing in it is to be loaded');
  return { name, entry: number(24, 'e_entry'), start, end, parts };
}

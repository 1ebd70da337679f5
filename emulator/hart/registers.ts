/**
 * The unprivileged registers of a context as `SavedRegisters.words`: x0 … x31 (words 0 … 63), f0 … f31 (64 … 127), pc (128, 129),
 * fcsr (130, 131); pairs, low word first. The same order as in the machine's memory, so that saving is one copy.
 */
import { va, type VirtualAddress } from '../units';
import type { SavedRegisters } from './types';
import { CONTEXT_WORDS, HartWord } from '../machine/layout';

/** A signed 64-bit pair as a number: exact up to 2^53 in magnitude. */
export const pairToNumber = (low: number, high: number): number => high * 2 ** 32 + (low >>> 0);
/** High word of an integer of at most 2^53 in magnitude; its low word is `value | 0` only after `lowWord`. */
export const highWord = (value: number): number => Math.floor(value / 2 ** 32) | 0;
export const lowWord = (value: number): number => (value - Math.floor(value / 2 ** 32) * 2 ** 32) | 0;
/** A pair as an unsigned bigint. */
export const pairToBigInt = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

function wordsOf(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** x register, signed: exact up to 2^53 in magnitude. */
export function savedX(saved: SavedRegisters, index: number): number {
  return pairToNumber(saved.words[2 * index]!, saved.words[2 * index + 1]!);
}

/** x register, all 64 bits, unsigned. */
export function savedX64(saved: SavedRegisters, index: number): bigint {
  return pairToBigInt(saved.words[2 * index]!, saved.words[2 * index + 1]!);
}

/** f register, raw 64 bits. */
export function savedF64(saved: SavedRegisters, index: number): bigint {
  return pairToBigInt(saved.words[HartWord.F + 2 * index]!, saved.words[HartWord.F + 2 * index + 1]!);
}

export function savedPc(saved: SavedRegisters): VirtualAddress {
  return va(pairToNumber(saved.words[HartWord.PC]!, saved.words[HartWord.PC + 1]!));
}

export function savedFcsr(saved: SavedRegisters): number {
  return saved.words[HartWord.FCSR]!;
}

/** What to change in a copy; x and f by register number. */
export interface RegisterChanges {
  readonly pc?: number;
  readonly x?: Readonly<Record<number, bigint | number>>;
  readonly f?: Readonly<Record<number, bigint>>;
  readonly fcsr?: number;
}

/** A copy with some registers changed. Numbers are integers of at most 2^53 in magnitude; x0 stays 0. */
export function withRegisters(saved: SavedRegisters, changes: RegisterChanges): SavedRegisters {
  const words = saved.words.slice();
  const put = (at: number, value: bigint | number): void => {
    [words[at], words[at + 1]] = wordsOf(BigInt(value)) as [number, number];
  };
  for (const [index, value] of Object.entries(changes.x ?? {})) if (Number(index) > 0) put(2 * Number(index), value);
  for (const [index, value] of Object.entries(changes.f ?? {})) put(HartWord.F + 2 * Number(index), value);
  if (changes.pc !== undefined) put(HartWord.PC, changes.pc);
  if (changes.fcsr !== undefined) words[HartWord.FCSR] = changes.fcsr & 0xff;
  return { words };
}

/** Registers that are all zero, with the changes applied. */
export function newRegisters(changes: RegisterChanges): SavedRegisters {
  return withRegisters({ words: new Int32Array(CONTEXT_WORDS) }, changes);
}

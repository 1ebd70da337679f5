/** What a program finds on its stack: arguments, environment, auxiliary vector (System V gABI, riscv psABI, Linux's AT_ numbers). */
import { LETTER_BITS } from '../isa/extensions';
import { PAGE_SIZE } from '../units';
import { STACK_TOP } from './memory/layout';
import type { Program } from './program';

const AT = {
  PHDR: 3,
  PHENT: 4,
  PHNUM: 5,
  PAGESZ: 6,
  BASE: 7,
  FLAGS: 8,
  ENTRY: 9,
  UID: 11,
  EUID: 12,
  GID: 13,
  EGID: 14,
  HWCAP: 16,
  CLKTCK: 17,
  SECURE: 23,
  RANDOM: 25,
  EXECFN: 31,
} as const;

/** Addresses that were added to those in the files. */
export interface Bases {
  readonly base: number;
  /** 0 without a loader. */
  readonly interpreterBase: number;
}

/** All strings together, with their pointers; a quarter of the stack, as in Linux. */
export const ARGUMENTS_MAX = 2 * 1024 * 1024;

/** Bytes that strings take of ARGUMENTS_MAX. */
export const argumentsSize = (strings: readonly Uint8Array[]): number =>
  strings.reduce((sum, { length }) => sum + length + 9, 0);

/** The initial stack's bytes, ending at STACK_TOP; sp is at their start. `random`: 16 bytes. */
export function stackBytes(program: Program, { base, interpreterBase }: Bases, random: Uint8Array): Uint8Array {
  const { elf } = program.main;
  const texts: { at: number; bytes: Uint8Array }[] = [];
  let top = STACK_TOP - 8;
  const place = (bytes: Uint8Array): number => {
    top -= bytes.length + 1;
    texts.push({ at: top, bytes });
    return top;
  };
  const name = place(new TextEncoder().encode(program.file));
  // Strings lie in their order.
  const placeAll = (strings: readonly Uint8Array[]): number[] => strings.toReversed().map(place).reverse();
  const env = placeAll(program.env);
  const argv = placeAll(program.argv);
  const seed = place(random);
  const auxiliary: readonly (readonly [number, number])[] = [
    [AT.HWCAP, LETTER_BITS],
    [AT.PAGESZ, PAGE_SIZE],
    [AT.CLKTCK, 100],
    [AT.PHDR, elf.programHeaders.address === 0 ? 0 : base + elf.programHeaders.address],
    [AT.PHENT, elf.programHeaders.size],
    [AT.PHNUM, elf.programHeaders.count],
    [AT.BASE, interpreterBase],
    [AT.FLAGS, 0],
    [AT.ENTRY, base + elf.entry],
    [AT.UID, 0],
    [AT.EUID, 0],
    [AT.GID, 0],
    [AT.EGID, 0],
    [AT.SECURE, 0],
    [AT.RANDOM, seed],
    [AT.EXECFN, name],
    [0, 0],
  ];
  const words = [argv.length, ...argv, 0, ...env, 0, ...auxiliary.flat()];
  const sp = Math.floor((top - words.length * 8) / 16) * 16;
  const bytes = new Uint8Array(STACK_TOP - sp);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * 8, word % 2 ** 32, true);
    view.setUint32(i * 8 + 4, Math.floor(word / 2 ** 32), true);
  });
  for (const { at, bytes: text } of texts) bytes.set(text, at - sp);
  return bytes;
}

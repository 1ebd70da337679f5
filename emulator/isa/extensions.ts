// What this machine's instruction set consists of, extension by extension: one list that the rows, misa, the isa strings of the device
// tree and of /proc/cpuinfo, and the documentation are made from.
// The order is that of an isa string (unprivileged manual, "ISA Extension Naming Conventions"): the base, single letters, then the
// Z extensions by the category their second letter names and by name.
import { A } from './a';
import { C } from './c';
import { D } from './d';
import { F } from './f';
import { M } from './m';
import { PRIVILEGED } from './privileged';
import type { Row } from './row';
import { RV64I } from './rv64i';
import { ZBA } from './zba';
import { ZBB } from './zbb';
import { ZBC } from './zbc';
import { ZBS } from './zbs';
import { ZFA } from './zfa';
import { ZFH } from './zfh';
import { ZICBOM } from './zicbom';
import { ZICBOZ } from './zicboz';
import { ZICOND } from './zicond';
import { ZICSR } from './zicsr';
import { ZIFENCEI } from './zifencei';

/** An extension: what an isa string calls it, in lower case; how the manual does; the rows that belong to it, none for some. */
export interface Extension {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Extensions that an isa string names. */
export const EXTENSIONS: readonly Extension[] = [
  { name: 'i', title: 'RV64I: base integer instructions', rows: RV64I },
  { name: 'm', title: 'M: integer multiplication and division', rows: M },
  { name: 'a', title: 'A: atomic instructions', rows: A },
  { name: 'f', title: 'F: single-precision floating point', rows: F },
  { name: 'd', title: 'D: double-precision floating point', rows: D },
  { name: 'c', title: 'C: compressed instructions', rows: C },
  { name: 'zicbom', title: 'Zicbom: cache-block management', rows: ZICBOM },
  { name: 'zicboz', title: 'Zicboz: cache-block zero', rows: ZICBOZ },
  { name: 'zicntr', title: 'Zicntr: base counters and timers (CSRs)', rows: [] },
  { name: 'zicond', title: 'Zicond: integer conditional operations', rows: ZICOND },
  { name: 'zicsr', title: 'Zicsr: control and status register instructions', rows: ZICSR },
  { name: 'zifencei', title: 'Zifencei: instruction-fetch fence', rows: ZIFENCEI },
  { name: 'zihintpause', title: 'Zihintpause: pause hint (a fence)', rows: [] },
  { name: 'zihpm', title: 'Zihpm: hardware performance counters (CSRs)', rows: [] },
  { name: 'zfa', title: 'Zfa: additional floating-point instructions', rows: ZFA },
  { name: 'zfh', title: 'Zfh: half-precision floating point', rows: ZFH },
  { name: 'zba', title: 'Zba: address generation', rows: ZBA },
  { name: 'zbb', title: 'Zbb: basic bit manipulation', rows: ZBB },
  { name: 'zbc', title: 'Zbc: carry-less multiplication', rows: ZBC },
  { name: 'zbs', title: 'Zbs: single-bit instructions', rows: ZBS },
];

/** The privileged architecture: S and U are letters of misa, but no isa string names them. */
export const PRIVILEGED_ARCHITECTURE: Extension = {
  name: 'privileged',
  title: 'Trapping and privileged instructions',
  rows: PRIVILEGED,
};

const LETTERS = EXTENSIONS.map(({ name }) => name).filter((name) => name.length === 1);

/** `rv64imafdc_zicbom_...`: the device tree's riscv,isa and the isa line of /proc/cpuinfo. */
export const ISA_STRING =
  'rv64' + [LETTERS.join(''), ...EXTENSIONS.map(({ name }) => name).filter((name) => name.length > 1)].join('_');

const bitOf = (letter: string): number => 1 << (letter.charCodeAt(0) - 'a'.charCodeAt(0));

/** One bit per single-letter extension, bit 0 for A: AT_HWCAP as Linux gives it to programs. */
export const LETTER_BITS = LETTERS.reduce((bits, letter) => bits | bitOf(letter), 0);

/**
 * The Extensions field of misa, bits 25 to 0: the same letters, and S and U (privileged manual, "Machine ISA (misa) Register").
 * B is left clear, which says nothing: QEMU 7.2 knows it no more than the firmware of its time does.
 */
export const MISA_EXTENSIONS = LETTER_BITS | bitOf('s') | bitOf('u');

/**
 * Address translation: Sv39 and Sv48 page-table walks with PMP checks on the walk, A and D bits set by hardware.
 * Privileged specification, "Virtual Address Translation Process". Addresses come as pairs of words so that every bit of a
 * 64-bit address counts; physical addresses are numbers. Caches nothing: that is translations.ts.
 */
import { Pte } from './pte';
import { PAGE_SIZE } from '../units';
import { HartWord } from '../machine/layout';
import { ramOffset, Mark, type PhysicalMemory } from '../machine/memory';
import type { Pmp } from './pmp';
import { Right } from './pmp';
import { Cause, Privilege } from './types';

export const enum Access {
  FETCH = 0,
  LOAD = 1,
  STORE = 2,
}

const enum SatpMode {
  BARE = 0,
  SV39 = 8,
  SV48 = 9,
}

export const pageFault = (access: Access): Cause =>
  access === Access.FETCH
    ? Cause.InstructionPageFault
    : access === Access.LOAD
      ? Cause.LoadPageFault
      : Cause.StorePageFault;

export const accessFault = (access: Access): Cause =>
  access === Access.FETCH
    ? Cause.InstructionAccessFault
    : access === Access.LOAD
      ? Cause.LoadAccessFault
      : Cause.StoreAccessFault;

/** What decides a translation besides satp. */
export interface TranslationContext {
  privilege: Privilege;
  sum: boolean;
  mxr: boolean;
}

/** Levels of the tree of a satp mode; 0 for Bare. */
const levelsOf = (satpHigh: number): number =>
  satpHigh >>> 28 === SatpMode.SV39 ? 3 : satpHigh >>> 28 === SatpMode.SV48 ? 4 : 0;

/** Are the bits above the virtual address copies of its highest one? */
const canonical = (high: number, levels: number): boolean =>
  levels === 3 ? (high << 25) >> 25 === high : (high << 16) >> 16 === high;

function vpn(low: number, high: number, level: number): number {
  if (level === 0) return (low >>> 12) & 511;
  if (level === 1) return (low >>> 21) & 511;
  if (level === 2) return ((high & 0x7f) << 2) | (low >>> 30);
  return (high >>> 7) & 511;
}

/** Bytes of an address below the page number of a level's leaf. */
const within = (low: number, high: number, level: number): number =>
  level === 0
    ? low & 0xfff
    : level === 1
      ? low & 0x1fffff
      : level === 2
        ? low & 0x3fffffff
        : (high & 0x7f) * 2 ** 32 + (low >>> 0);

export class Mmu {
  /** Why `translate` returned -1. */
  fault: Cause = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly pmp: Pmp,
    private readonly words: () => Int32Array,
  ) {}

  /**
   * The physical address of a virtual one, or -1 with `fault` set. Does not check PMP for the access itself.
   * `cache`: the caller may keep the result, so the tables it came from are marked.
   */
  translate(low: number, high: number, access: Access, context: TranslationContext, cache: boolean): number {
    const words = this.words();
    const satpHigh = words[HartWord.SATP + 1]!;
    const levels = context.privilege === Privilege.Machine ? 0 : levelsOf(satpHigh);
    if (levels === 0) return (high >>> 0) * 2 ** 32 + (low >>> 0);
    if (!canonical(high, levels)) return this.fail(pageFault(access));
    let table = ((satpHigh & 0xfff) * 2 ** 32 + (words[HartWord.SATP]! >>> 0)) * PAGE_SIZE;
    for (let level = levels - 1; level >= 0; level--) {
      const address = table + vpn(low, high, level) * 8;
      if (!this.memory.contains(address, 8) || !this.pmp.allows(address, 8, Right.READ, false))
        return this.fail(accessFault(access));
      const page = this.memory.pageOf(address);
      this.memory.ensure(page);
      if (cache) this.memory.mark(page, Mark.TABLE);
      const at = ramOffset(address) / 4;
      const entryLow = this.memory.i32[at]!;
      const entryHigh = this.memory.i32[at + 1]!;
      const number = (entryHigh & 0x3fffff) * 2 ** 22 + (entryLow >>> 10);
      // Not valid, reserved W without R, or reserved high bits.
      if (!(entryLow & Pte.V) || (entryLow & (Pte.R | Pte.W)) === Pte.W || entryHigh >>> 22 !== 0) break;
      if (!(entryLow & (Pte.R | Pte.X))) {
        if (entryLow & (Pte.U | Pte.A | Pte.D)) break;
        table = number * PAGE_SIZE;
        continue;
      }
      if (!permitted(entryLow, access, context)) break;
      const leafPages = 2 ** (9 * level);
      if (number % leafPages !== 0) break;
      const needed = access === Access.STORE ? Pte.A | Pte.D : Pte.A;
      if ((entryLow & needed) !== needed) {
        if (!this.pmp.allows(address, 8, Right.WRITE, false)) return this.fail(accessFault(access));
        this.memory.beforeWrite(page, address % PAGE_SIZE, (address % PAGE_SIZE) + 8, true);
        this.memory.i32[at] = entryLow | needed;
      }
      return number * PAGE_SIZE + within(low, high, level);
    }
    return this.fail(pageFault(access));
  }

  private fail(cause: Cause): number {
    this.fault = cause;
    return -1;
  }
}

/** The checks of the specification's steps on R, W, X, U, SUM and MXR. */
function permitted(entry: number, access: Access, context: TranslationContext): boolean {
  if (entry & Pte.U) {
    if (context.privilege === Privilege.Supervisor && (access === Access.FETCH || !context.sum)) return false;
  } else if (context.privilege === Privilege.User) return false;
  if (access === Access.FETCH) return (entry & Pte.X) !== 0;
  if (access === Access.STORE) return (entry & Pte.W) !== 0;
  return (entry & (context.mxr ? Pte.R | Pte.X : Pte.R)) !== 0;
}

/**
 * Where a page table shows an address: no rights are checked and nothing is changed. For debuggers.
 * @returns the physical address, or undefined when it is not mapped
 */
export function peekTranslation(
  memory: PhysicalMemory,
  root: number,
  levels: 3 | 4,
  low: number,
  high: number,
): number | undefined {
  if (!canonical(high, levels)) return undefined;
  let table = root * PAGE_SIZE;
  for (let level = levels - 1; level >= 0; level--) {
    const address = table + vpn(low, high, level) * 8;
    if (!memory.contains(address, 8)) return undefined;
    memory.ensure(memory.pageOf(address));
    const at = ramOffset(address) / 4;
    const entryLow = memory.i32[at]!;
    if (!(entryLow & Pte.V)) return undefined;
    const number = (memory.i32[at + 1]! & 0x3fffff) * 2 ** 22 + (entryLow >>> 10);
    if (entryLow & (Pte.R | Pte.X)) {
      const leafPages = 2 ** (9 * level);
      return Math.floor(number / leafPages) * leafPages * PAGE_SIZE + within(low, high, level);
    }
    table = number * PAGE_SIZE;
  }
  return undefined;
}

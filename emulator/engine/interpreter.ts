/**
 * The plain interpreter: decoded code (code.ts), registers as pairs of 32-bit words in the machine's memory, one `switch`.
 * Unprivileged specification, chapters "RV64I", "M", "A", "Zicsr"; floating point is engine/float's.
 *
 * Must never allocate in its loop, never throw, and keep the tick count exact: `n` counts instructions, trapping ones included.
 * The loop holds views and context in locals; whatever may invalidate them ends it (Result.LEAVE, RETRY), and `run` enters again.
 * Cases are integer literals after bundling (`const enum`): with property constants V8 makes compare chains, measured 13 times slower.
 * Measured (test/bench/engine.ts): about 200 million integer instructions a second with translation on, a twentieth of qemu-riscv64.
 */
import { Op } from '../isa/op';
import { Status } from '../hart/csr';
import type { Hart } from '../hart/hart';
import { pairToNumber } from '../hart/registers';
import { Privilege } from '../hart/types';
import type { Bus } from '../machine/bus';
import type { Clock } from '../machine/clock';
import { Bank, HartWord } from '../machine/layout';
import type { PhysicalMemory } from '../machine/memory';
import type { Stops } from '../machine/stops';
import type { Watches } from '../machine/watches';
import { DataAccess } from './access';
import { Arithmetic, mulHigh32 } from './arithmetic';
import { Atomics } from './atomics';
import { CodeCache, Pseudo, SINGLE } from './code';
import { Fetch, FETCH_FAULT, FETCH_RETRY } from './fetch';
import { FloatInstructions, ILLEGAL } from './floating';
import { SystemInstructions } from './system';
import { ExitKind, newExit, NO_PASS, Result, type Engine, type Exit } from './types';

/** How the loop ended. */
const enum Left {
  LIMIT,
  AGAIN,
  TRAP,
  STOP,
  WFI,
}

/** Matches no page: what the page of the single block is called. */
const NO_PAGE = 1;
/** Base of the single block for the in-page test of branches: far from every word offset. */
const NO_BLOCK = -(2 ** 30);

export class Interpreter implements Engine {
  readonly code: CodeCache;
  readonly access: DataAccess;
  private readonly fetch: Fetch;
  private readonly atomics: Atomics;
  private readonly system: SystemInstructions;
  private readonly floating: FloatInstructions;
  private readonly arithmetic = new Arithmetic();
  private readonly exit = newExit();
  private hart!: Hart;
  /** Instructions executed by the last entry of the loop. */
  private executed = 0;
  /** Instructions of this run before the current entry of the loop. */
  private before = 0;
  /** Word in the code of the instruction a slow piece works for. */
  private at = 0;
  /** The stop to pass: armed by `passStop`, gone with the first instruction there. */
  private passSpace = NO_PASS;
  private passPc = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly clock: Clock,
    bus: Bus,
    stops: Stops,
    watches: Watches,
  ) {
    this.code = new CodeCache(memory);
    this.access = new DataAccess(memory, bus, watches);
    this.fetch = new Fetch(memory, this.code, stops, this.access.fault);
    this.atomics = new Atomics(memory, this.access);
    this.system = new SystemInstructions(this.access.fault, () => this.code.bitsAt(this.at));
    this.floating = new FloatInstructions(memory);
  }

  /** The next instruction at this pc of the space is executed though a stop is armed there; -1 is no space, NO_PASS takes that back. */
  passStop(space: number, pc: number): void {
    this.passSpace = space;
    this.passPc = pc;
  }

  run(hart: Hart, budget: number): Exit {
    const { exit, system, access } = this;
    this.hart = hart;
    this.before = 0;
    system.changed = false;
    access.deviceWritten = false;
    access.watched = false;
    let left: Left;
    do {
      this.enter(hart);
      left = this.loop(budget - this.before);
      this.before += this.executed;
    } while (
      (left === Left.AGAIN || left === Left.LIMIT) &&
      this.before < budget &&
      !system.changed &&
      !access.deviceWritten &&
      !access.watched
    );
    this.clock.elapsed = 0;
    exit.ticks = this.before;
    exit.kind = ExitKind.BUDGET;
    if (left === Left.TRAP) {
      exit.kind = ExitKind.TRAP;
      ({ cause: exit.cause, low: exit.tvalLow, high: exit.tvalHigh } = access.fault);
    } else if (left === Left.STOP) exit.kind = ExitKind.STOP;
    else if (left === Left.WFI) exit.kind = ExitKind.WFI;
    else if (access.watched) {
      exit.kind = ExitKind.WATCH;
      exit.address = access.watchAddress;
      exit.size = access.watchSize;
      exit.write = access.watchWrite;
    }
    return exit;
  }

  /** Takes over the hart's context: privileges, spaces, the translation bank. */
  private enter(hart: Hart): void {
    const { words } = hart;
    const status = words[HartWord.MSTATUS]!;
    const privilege = hart.privilege;
    const data: Privilege =
      privilege === Privilege.Machine && status & Status.MPRV ? (status & Status.MPP) >> 11 : privilege;
    const root = hart.csr.rootPage();
    const sum = (status & Status.SUM) !== 0;
    const mxr = (status & Status.MXR) !== 0;
    const { context } = this.access;
    context.privilege = data;
    context.sum = sum;
    context.mxr = mxr;
    this.access.space = data === Privilege.Machine ? -1 : root;
    this.fetch.context.privilege = privilege;
    this.fetch.space = privilege === Privilege.Machine ? -1 : root;
    const key = privilege | (data << 2) | (sum ? 16 : 0) | (mxr ? 32 : 0);
    hart.translations.select(words[HartWord.SATP]!, words[HartWord.SATP + 1]!, key);
    this.access.begin(hart);
    this.fetch.begin(hart);
    this.floating.begin(hart);
  }

  private loop(limit: number): Left {
    const { hart, access, arithmetic } = this;
    const { i32, u8, u16 } = this.memory;
    const x = hart.words;
    const code = this.code.words;
    const bank = hart.translations.bank;
    const reads = bank + Bank.READ;
    const writes = bank + Bank.WRITE;
    const execs = bank + Bank.EXEC;
    // pc = (s + d, ph): s is the word in the code, d its distance to the low word of the pc.
    // It starts at the "next page" behind the single block, which is a jump to the pc.
    const start = x[HartWord.PC]!;
    let s = SINGLE + 4;
    let d = (start - s) | 0;
    let sb = NO_BLOCK;
    let pb = NO_PAGE;
    let ph = (x[HartWord.PC + 1]! - (start === 0 ? 1 : 0)) | 0;
    // Target of a jump.
    let tl = 0;
    let th = 0;
    let n = 0;
    for (;;) {
      absolute: {
        if (n >= limit) {
          x[HartWord.PC] = s + d;
          x[HartWord.PC + 1] = ph;
          this.executed = n;
          return Left.LIMIT;
        }
        n++;
        const w = code[s]!;
        let t: number;
        const r = (w >> 8) & 255;
        const a = (w >> 16) & 63;
        const b = (w >> 22) & 63;
        let e: Result;
        switch (w & 255) {
          case 0:
            n--;
            this.code.decodeAt(s);
            continue;
          case Op.LUI: {
            const imm = code[s + 1]!;
            x[r] = imm;
            x[r + 1] = imm >> 31;
            s += w >> 28;
            continue;
          }
          case Op.AUIPC: {
            const imm = code[s + 1]!;
            const lo = (s + d) | 0;
            const sum = (lo + imm) | 0;
            x[r] = sum;
            x[r + 1] = ph + (imm >> 31) + (sum >>> 0 < lo >>> 0 ? 1 : 0);
            s += w >> 28;
            continue;
          }
          case Op.JAL: {
            const lo = (s + d) | 0;
            const link = (lo + (w >> 28)) | 0;
            x[r] = link;
            x[r + 1] = ph + (link >>> 0 < lo >>> 0 ? 1 : 0);
            t = code[s + 1]!;
            break;
          }
          case Op.JALR: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            tl = (al + imm) | 0;
            th = (x[a + 1]! + (imm >> 31) + (tl >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            tl &= ~1;
            const lo = (s + d) | 0;
            const link = (lo + (w >> 28)) | 0;
            x[r] = link;
            x[r + 1] = ph + (link >>> 0 < lo >>> 0 ? 1 : 0);
            break absolute;
          }
          case Op.BEQ:
            if (x[a] === x[b] && x[a + 1] === x[b + 1]) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          case Op.BNE:
            if (x[a] !== x[b] || x[a + 1] !== x[b + 1]) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          case Op.BLT: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            if (ah === bh ? x[a]! >>> 0 < x[b]! >>> 0 : ah < bh) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          }
          case Op.BGE: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            if (ah === bh ? x[a]! >>> 0 >= x[b]! >>> 0 : ah > bh) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          }
          case Op.BLTU: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            if (ah === bh ? x[a]! >>> 0 < x[b]! >>> 0 : ah >>> 0 < bh >>> 0) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          }
          case Op.BGEU: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            if (ah === bh ? x[a]! >>> 0 >= x[b]! >>> 0 : ah >>> 0 > bh >>> 0) {
              t = code[s + 1]!;
              break;
            }
            s += w >> 28;
            continue;
          }
          case Op.LB:
          case Op.LBU: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = reads + ((lo >>> 10) & 0x3fc);
            let value: number;
            if (i32[q] === (lo & -4096) && i32[q + 1] === hi) value = u8[(lo + i32[q + 2]!) >>> 0]!;
            else {
              e = this.load(n, lo, hi, 1);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
              value = access.low;
            }
            if ((w & 255) === Op.LB) value = (value << 24) >> 24;
            x[r] = value;
            x[r + 1] = value >> 31;
            s += w >> 28;
            continue;
          }
          case Op.LH:
          case Op.LHU: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = reads + ((lo >>> 10) & 0x3fc);
            let value: number;
            if (i32[q] === (lo & -4095) && i32[q + 1] === hi) value = u16[(lo + i32[q + 2]!) >>> 1]!;
            else {
              e = this.load(n, lo, hi, 2);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
              value = access.low;
            }
            if ((w & 255) === Op.LH) value = (value << 16) >> 16;
            x[r] = value;
            x[r + 1] = value >> 31;
            s += w >> 28;
            continue;
          }
          case Op.LW:
          case Op.LWU: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = reads + ((lo >>> 10) & 0x3fc);
            let value: number;
            if (i32[q] === (lo & -4093) && i32[q + 1] === hi) value = i32[(lo + i32[q + 2]!) >>> 2]!;
            else {
              e = this.load(n, lo, hi, 4);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
              value = access.low;
            }
            x[r] = value;
            x[r + 1] = (w & 255) === Op.LW ? value >> 31 : 0;
            s += w >> 28;
            continue;
          }
          case Op.LD: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = reads + ((lo >>> 10) & 0x3fc);
            if (i32[q] === (lo & -4089) && i32[q + 1] === hi) {
              const p = (lo + i32[q + 2]!) >>> 2;
              x[r] = i32[p]!;
              x[r + 1] = i32[p + 1]!;
            } else {
              e = this.load(n, lo, hi, 8);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
              x[r] = access.low;
              x[r + 1] = access.high;
            }
            s += w >> 28;
            continue;
          }
          case Op.SB: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = writes + ((lo >>> 10) & 0x3fc);
            if (i32[q] === (lo & -4096) && i32[q + 1] === hi) u8[(lo + i32[q + 2]!) >>> 0] = x[b]!;
            else {
              e = this.store(n, lo, hi, 1, x[b]!, 0);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
            }
            s += w >> 28;
            continue;
          }
          case Op.SH: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = writes + ((lo >>> 10) & 0x3fc);
            if (i32[q] === (lo & -4095) && i32[q + 1] === hi) u16[(lo + i32[q + 2]!) >>> 1] = x[b]!;
            else {
              e = this.store(n, lo, hi, 2, x[b]!, 0);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
            }
            s += w >> 28;
            continue;
          }
          case Op.SW: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = writes + ((lo >>> 10) & 0x3fc);
            if (i32[q] === (lo & -4093) && i32[q + 1] === hi) i32[(lo + i32[q + 2]!) >>> 2] = x[b]!;
            else {
              e = this.store(n, lo, hi, 4, x[b]!, 0);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
            }
            s += w >> 28;
            continue;
          }
          case Op.SD: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            const hi = (x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0)) | 0;
            const q = writes + ((lo >>> 10) & 0x3fc);
            if (i32[q] === (lo & -4089) && i32[q + 1] === hi) {
              const p = (lo + i32[q + 2]!) >>> 2;
              i32[p] = x[b]!;
              i32[p + 1] = x[b + 1]!;
            } else {
              e = this.store(n, lo, hi, 8, x[b]!, x[b + 1]!);
              if (e !== Result.DONE) {
                if (e >= Result.TRAP) return this.left(e, n, s + d, ph);
                limit = n;
              }
            }
            s += w >> 28;
            continue;
          }
          case Op.ADDI: {
            const imm = code[s + 1]!;
            const al = x[a]!;
            const lo = (al + imm) | 0;
            x[r + 1] = x[a + 1]! + (imm >> 31) + (lo >>> 0 < al >>> 0 ? 1 : 0);
            x[r] = lo;
            s += w >> 28;
            continue;
          }
          case Op.SLTI: {
            const imm = code[s + 1]!;
            const ah = x[a + 1]!;
            x[r] = (ah === imm >> 31 ? x[a]! >>> 0 < imm >>> 0 : ah < imm >> 31) ? 1 : 0;
            x[r + 1] = 0;
            s += w >> 28;
            continue;
          }
          case Op.SLTIU: {
            const imm = code[s + 1]!;
            const ah = x[a + 1]!;
            x[r] = (ah === imm >> 31 ? x[a]! >>> 0 < imm >>> 0 : ah >>> 0 < (imm >> 31) >>> 0) ? 1 : 0;
            x[r + 1] = 0;
            s += w >> 28;
            continue;
          }
          case Op.XORI: {
            const imm = code[s + 1]!;
            x[r] = x[a]! ^ imm;
            x[r + 1] = x[a + 1]! ^ (imm >> 31);
            s += w >> 28;
            continue;
          }
          case Op.ORI: {
            const imm = code[s + 1]!;
            x[r] = x[a]! | imm;
            x[r + 1] = x[a + 1]! | (imm >> 31);
            s += w >> 28;
            continue;
          }
          case Op.ANDI: {
            const imm = code[s + 1]!;
            x[r] = x[a]! & imm;
            x[r + 1] = x[a + 1]! & (imm >> 31);
            s += w >> 28;
            continue;
          }
          case Op.SLLI:
          case Op.SLL: {
            const by = ((w & 255) === Op.SLLI ? code[s + 1]! : x[b]!) & 63;
            const al = x[a]!;
            if (by & 32) {
              x[r + 1] = al << by;
              x[r] = 0;
            } else {
              x[r + 1] = (x[a + 1]! << by) | ((al >>> 1) >>> (31 - by));
              x[r] = al << by;
            }
            s += w >> 28;
            continue;
          }
          case Op.SRLI:
          case Op.SRL: {
            const by = ((w & 255) === Op.SRLI ? code[s + 1]! : x[b]!) & 63;
            const ah = x[a + 1]!;
            if (by & 32) {
              x[r] = ah >>> by;
              x[r + 1] = 0;
            } else {
              x[r] = (x[a]! >>> by) | ((ah << 1) << (31 - by));
              x[r + 1] = ah >>> by;
            }
            s += w >> 28;
            continue;
          }
          case Op.SRAI:
          case Op.SRA: {
            const by = ((w & 255) === Op.SRAI ? code[s + 1]! : x[b]!) & 63;
            const ah = x[a + 1]!;
            if (by & 32) {
              x[r] = ah >> by;
              x[r + 1] = ah >> 31;
            } else {
              x[r] = (x[a]! >>> by) | ((ah << 1) << (31 - by));
              x[r + 1] = ah >> by;
            }
            s += w >> 28;
            continue;
          }
          case Op.ADD: {
            const al = x[a]!;
            const lo = (al + x[b]!) | 0;
            x[r + 1] = x[a + 1]! + x[b + 1]! + (lo >>> 0 < al >>> 0 ? 1 : 0);
            x[r] = lo;
            s += w >> 28;
            continue;
          }
          case Op.SUB: {
            const al = x[a]!;
            const bl = x[b]!;
            x[r + 1] = x[a + 1]! - x[b + 1]! - (al >>> 0 < bl >>> 0 ? 1 : 0);
            x[r] = al - bl;
            s += w >> 28;
            continue;
          }
          case Op.SLT: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            x[r] = (ah === bh ? x[a]! >>> 0 < x[b]! >>> 0 : ah < bh) ? 1 : 0;
            x[r + 1] = 0;
            s += w >> 28;
            continue;
          }
          case Op.SLTU: {
            const ah = x[a + 1]!;
            const bh = x[b + 1]!;
            x[r] = (ah === bh ? x[a]! >>> 0 < x[b]! >>> 0 : ah >>> 0 < bh >>> 0) ? 1 : 0;
            x[r + 1] = 0;
            s += w >> 28;
            continue;
          }
          case Op.XOR:
            x[r] = x[a]! ^ x[b]!;
            x[r + 1] = x[a + 1]! ^ x[b + 1]!;
            s += w >> 28;
            continue;
          case Op.OR:
            x[r] = x[a]! | x[b]!;
            x[r + 1] = x[a + 1]! | x[b + 1]!;
            s += w >> 28;
            continue;
          case Op.AND:
            x[r] = x[a]! & x[b]!;
            x[r + 1] = x[a + 1]! & x[b + 1]!;
            s += w >> 28;
            continue;
          case Op.ADDIW: {
            const lo = (x[a]! + code[s + 1]!) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.SLLIW:
          case Op.SLLW: {
            const lo = x[a]! << ((w & 255) === Op.SLLIW ? code[s + 1]! : x[b]!);
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.SRLIW:
          case Op.SRLW: {
            const lo = (x[a]! >>> ((w & 255) === Op.SRLIW ? code[s + 1]! : x[b]!)) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.SRAIW:
          case Op.SRAW: {
            const lo = x[a]! >> ((w & 255) === Op.SRAIW ? code[s + 1]! : x[b]!);
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.ADDW: {
            const lo = (x[a]! + x[b]!) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.SUBW: {
            const lo = (x[a]! - x[b]!) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.FENCE:
          case Op.FENCE_I:
            // One hart, and code is coherent: nothing to order.
            s += w >> 28;
            continue;
          case Op.MUL: {
            const al = x[a]!;
            const bl = x[b]!;
            x[r + 1] = mulHigh32(al, bl) + Math.imul(al, x[b + 1]!) + Math.imul(x[a + 1]!, bl);
            x[r] = Math.imul(al, bl);
            s += w >> 28;
            continue;
          }
          case Op.MULW: {
            const lo = Math.imul(x[a]!, x[b]!);
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.MULH:
            arithmetic.mulh(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.MULHSU:
            arithmetic.mulhsu(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.MULHU:
            arithmetic.mulhu(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.DIV:
            arithmetic.div(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.DIVU:
            arithmetic.divu(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.REM:
            arithmetic.rem(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.REMU:
            arithmetic.remu(x[a]!, x[a + 1]!, x[b]!, x[b + 1]!);
            x[r] = arithmetic.low;
            x[r + 1] = arithmetic.high;
            s += w >> 28;
            continue;
          case Op.DIVW: {
            const by = x[b]!;
            // -2^31 / -1 wraps to itself by the | 0.
            const lo = by === 0 ? -1 : (x[a]! / by) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.DIVUW: {
            const by = x[b]! >>> 0;
            const lo = by === 0 ? -1 : ((x[a]! >>> 0) / by) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.REMW: {
            const by = x[b]!;
            const lo = by === 0 ? x[a]! : (x[a]! % by) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Op.REMUW: {
            const by = x[b]! >>> 0;
            const lo = by === 0 ? x[a]! : ((x[a]! >>> 0) % by) | 0;
            x[r] = lo;
            x[r + 1] = lo >> 31;
            s += w >> 28;
            continue;
          }
          case Pseudo.NEXT_PAGE:
            n--;
            tl = (s + d) | 0;
            th = (ph + (tl === 0 ? 1 : 0)) | 0;
            break absolute;
          case Pseudo.CROSSING:
          case Pseudo.STOP: {
            tl = (s + d) | 0;
            if ((w & 255) === Pseudo.STOP && !this.passes(tl, ph)) return this.stopped(n - 1, tl, ph);
            const single = this.fetch.single(tl, ph);
            if (single < 0) return this.left(single === FETCH_FAULT ? Result.TRAP : Result.RETRY, n, tl, ph);
            if ((w & 255) === Pseudo.STOP) this.passSpace = NO_PASS;
            n--;
            s = SINGLE;
            d = tl;
            sb = NO_BLOCK;
            pb = NO_PAGE;
            continue;
          }
          default:
            e = this.rest(n, w, code[s + 1]!, s, d, ph);
            if (e !== Result.DONE) {
              if (e >= Result.TRAP) return this.left(e, n, s + d, ph, w >> 28);
              limit = n;
            }
            s += w >> 28;
            continue;
        }
        // A taken branch by t bytes.
        const next = s + t;
        if ((next - sb) >>> 0 < 4096) {
          s = next;
          continue;
        }
        const pc = (s + d) | 0;
        tl = (pc + t) | 0;
        th = (ph + (t >> 31) + (tl >>> 0 < pc >>> 0 ? 1 : 0)) | 0;
      }
      // To the pc in (tl, th).
      if ((tl & -4096) === pb && th === ph) {
        s = (tl - d) | 0;
        continue;
      }
      const q = execs + ((tl >>> 10) & 0x3fc);
      let block: number;
      if (i32[q] === (tl & -4096) && i32[q + 1] === th) block = i32[q + 2]!;
      else {
        if (n >= limit) return this.limited(n, tl, th);
        this.clock.elapsed = this.before + n;
        block = this.fetch.resolve(tl, th);
        if (block === FETCH_FAULT) return this.left(Result.TRAP, n + 1, tl, th);
        if (block === FETCH_RETRY) return this.left(Result.RETRY, n + 1, tl, th);
      }
      ph = th;
      if (block === SINGLE) {
        s = SINGLE;
        d = tl;
        sb = NO_BLOCK;
        pb = NO_PAGE;
      } else {
        sb = block;
        pb = tl & -4096;
        s = block + (tl & 4095);
        d = (tl - s) | 0;
      }
    }
  }

  private limited(n: number, pcLow: number, pcHigh: number): Left {
    this.leaveAt(n, pcLow, pcHigh);
    return Left.LIMIT;
  }

  private leaveAt(n: number, pcLow: number, pcHigh: number): void {
    this.executed = n;
    this.hart.words[HartWord.PC] = pcLow;
    this.hart.words[HartWord.PC + 1] = pcHigh;
  }

  private stopped(n: number, pcLow: number, pcHigh: number): Left {
    this.leaveAt(n, pcLow, pcHigh);
    return Left.STOP;
  }

  /** Leaves the loop at an instruction that was counted in `n` and ended so. */
  private left(result: Result, n: number, pcLow: number, pcHigh: number, length = 0): Left {
    switch (result) {
      case Result.RETRY:
        this.leaveAt(n - 1, pcLow, pcHigh);
        return Left.AGAIN;
      case Result.JUMPED:
        this.executed = n;
        return Left.AGAIN;
      case Result.WFI: {
        const next = (pcLow + length) | 0;
        this.leaveAt(n, next, next >>> 0 < pcLow >>> 0 ? pcHigh + 1 : pcHigh);
        return Left.WFI;
      }
      default:
        this.leaveAt(n, pcLow, pcHigh);
        return Left.TRAP;
    }
  }

  private passes(pcLow: number, pcHigh: number): boolean {
    return this.passSpace === this.fetch.space && this.passPc === pairToNumber(pcLow, pcHigh);
  }

  private load(n: number, low: number, high: number, size: number): Result {
    this.clock.elapsed = this.before + n - 1;
    return this.access.load(low, high, size);
  }

  private store(n: number, low: number, high: number, size: number, valueLow: number, valueHigh: number): Result {
    this.clock.elapsed = this.before + n - 1;
    return this.access.store(low, high, size, valueLow, valueHigh);
  }

  /** The operations that are not worth a case of their own in the loop. */
  private rest(n: number, w: number, immediate: number, s: number, d: number, ph: number): Result {
    const { hart } = this;
    const op: number = w & 255;
    const rd = (w >> 8) & 255;
    const rs1 = (w >> 16) & 63;
    const rs2 = (w >> 22) & 63;
    this.at = s;
    this.clock.elapsed = this.before + n - 1;
    if (op >= Op.LR_W && op <= Op.AMOMAXU_D) return this.atomics.execute(hart, op, rd, rs1, rs2);
    if (op >= Op.CSRRW && op <= Op.SFENCE_VMA)
      return this.system.execute(hart, op, rd, rs1, immediate, (s + d) | 0, ph);
    if (op >= Op.FLW && op < Op.COUNT) {
      const result = this.floating.execute(this.access, op, rd, rs1, rs2, immediate);
      return result === ILLEGAL ? this.system.illegal() : result;
    }
    return this.system.illegal();
  }
}

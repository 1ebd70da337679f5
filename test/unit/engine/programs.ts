/**
 * Seeded random user programs for comparing engines: straight runs of every instruction a program may use, with forward branches,
 * aligned atomics, loads and stores that are misaligned and cross pages. Each ends by writing its memory and registers to standard
 * output: `DUMP_BYTES` bytes.
 */
import { decode } from '../../../emulator/isa/decode';
import { encode } from '../../../emulator/isa/encode';
import { newInstruction } from '../../../emulator/isa/instruction';
import { Op } from '../../../emulator/isa/op';
import { ROWS } from '../../../emulator/isa/rows';
import type { Row } from '../../../emulator/isa/row';
import { assemble } from '../assembler';

/** Where code begins, and two pages of data with x8 and sp pointing into their middle. */
export const CODE = 0x10000;
export const DATA = 0x40000;
export const DUMP_BYTES = 8192 + 65 * 8;
/** Initial values of x1 … x31 and f0 … f31 stand behind the dump. */
const INITIAL = DATA + 8192 + 1024;

export interface RandomProgram {
  /** Loaded at CODE; ends below DATA. */
  readonly code: Uint8Array;
  /** Loaded at DATA. */
  readonly data: Uint8Array;
}

/** xorshift32; good enough to pick instructions. */
export function random(seed: number): (below: number) => number {
  let state = (seed * 2654435761) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const CORNERS = [
  0n, 1n, 2n, 0x7fn, 0x80n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n,
  0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn, 0xffffffff80000000n, 0x000fffffffffffffn,
]; // prettier-ignore
const FLOATS = [
  0n, 0x8000000000000000n, 0x3ff0000000000000n, 0xbff8000000000000n, 0x7ff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n,
  0x0010000000000000n, 0x0000000000000001n, 0x7fefffffffffffffn, 0x43e0000000000000n, 0xc1e0000000000000n,
  0xffffffff3f800000n, 0xffffffff7f800000n, 0xffffffff7fc00000n, 0xffffffff00000001n, 0xffffffff7f7fffffn, 0xffffffff80000000n,
]; // prettier-ignore

type Random = (below: number) => number;
const word64 = (next: Random): bigint =>
  (BigInt(next(2 ** 16)) << 48n) | (BigInt(next(2 ** 24)) << 24n) | BigInt(next(2 ** 24));

const isBranch = (op: Op): boolean => op >= Op.JAL && op <= Op.BGEU;
const isMemory = (op: Op): boolean =>
  (op >= Op.LB && op <= Op.SD) || op === Op.FLW || op === Op.FSW || op === Op.FLD || op === Op.FSD;
const isAtomic = (op: Op): boolean => op >= Op.LR_W && op <= Op.AMOMAXU_D;
const isSystem = (op: Op): boolean => op >= Op.CSRRW && op <= Op.SFENCE_VMA;
/** sp and s0 point into the data, s1 is the address of atomics. */
const KEPT = new Set([2, 8, 9]);

const PLAIN = ROWS.filter(
  ({ op, mnemonic }) => op <= Op.FMV_D_X && !isBranch(op) && !isAtomic(op) && !isSystem(op) && mnemonic !== 'fence.i',
);
const BRANCHES = ROWS.filter(({ op }) => op >= Op.BEQ && op <= Op.BGEU);
const AMOS = ROWS.filter(({ op }) => isAtomic(op) && ![Op.LR_W, Op.LR_D, Op.SC_W, Op.SC_D].includes(op));

const halfwords = (bits: number): number[] => ((bits & 3) === 3 ? [bits & 0xffff, bits >>> 16] : [bits & 0xffff]);

/** One instruction of a row that is safe anywhere, as halfwords. */
function plain(next: Random, row: Row): number[] {
  const out = newInstruction();
  for (;;) {
    const rm = [0, 1, 2, 3, 4, 7][next(6)]!;
    const memory = isMemory(row.op);
    const bits = encode(row, {
      rd: next(32),
      rs1: memory ? (row.operands.includes("'") ? 0 : 8) : next(32),
      rs2: next(32),
      rs3: next(32),
      rm,
      imm: next(2) ? next(64) : next(2 ** 30) * 4 + next(4),
    });
    decode(bits, out);
    if (out.op !== row.op) continue;
    if (memory && !KEPT.has(out.rs1)) continue;
    // A store has no rd, and an f register may be any: refusing those too only makes the choice smaller.
    if (KEPT.has(out.rd) || row.mnemonic === 'c.addi16sp') {
      if (row.mnemonic === 'c.addi16sp') return [0x0001];
      continue;
    }
    return halfwords(bits);
  }
}

function atomic(next: Random): number[] {
  const offset = 8 * (next(256) - 128);
  const address = assemble(0, `addi s1,s0,${offset}`).bytes;
  const at = [address[0]! | (address[1]! << 8), address[2]! | (address[3]! << 8)];
  const target = 10 + next(22);
  if (next(4) === 0) {
    const width = next(2) ? 'w' : 'd';
    const { bytes } = assemble(0, `lr.${width} x${10 + next(22)},(s1)\nsc.${width} x${target},x${next(32)},(s1)`);
    return [...at, ...new Uint16Array(bytes.buffer, 0, 4)];
  }
  const row = AMOS[next(AMOS.length)]!;
  return [...at, ...halfwords(encode(row, { rd: target, rs1: 9, rs2: next(32), aqrl: next(4) }))];
}

const CSR_LINES = (next: Random): string =>
  [
    `csrrwi x${10 + next(22)},frm,${next(5)}`,
    `csrrs x${10 + next(22)},fflags,zero`,
    `csrrw x${10 + next(22)},fflags,x${next(32)}`,
    `csrrsi x${10 + next(22)},fflags,${next(32)}`,
    `csrrci x${10 + next(22)},fcsr,${next(32)}`,
    `csrrs x${10 + next(22)},frm,zero`,
  ][next(6)]!;

function assembled(line: string): number[] {
  const { bytes } = assemble(0, line);
  return [...new Uint16Array(bytes.buffer, 0, bytes.length / 2)];
}

/** Random instructions, then branches put over some of them. */
function body(next: Random, count: number): number[] {
  const chunks: number[][] = [];
  for (let i = 0; i < count; i++) {
    const kind = next(20);
    if (kind === 0) chunks.push(atomic(next));
    else if (kind === 1) chunks.push(assembled(CSR_LINES(next)));
    else chunks.push(plain(next, PLAIN[next(PLAIN.length)]!));
  }
  const code: number[] = [];
  let covered = 0;
  for (let i = 0; i < chunks.length; i++) {
    // A branch never covers another one: its distance is that of the chunks alone.
    if (i >= covered && next(12) === 0 && i + 3 < chunks.length) {
      const over = chunks.slice(i, i + 1 + next(3));
      covered = i + over.length;
      const distance = 4 + 2 * over.flat().length;
      const row = BRANCHES.filter(({ expansion }) => expansion === undefined)[next(6)]!;
      const [rs1, rs2] = [next(32), next(32)];
      code.push(...halfwords(next(5) ? encode(row, { rs1, rs2, imm: distance }) : assembledJump(distance)));
    }
    code.push(...chunks[i]!);
  }
  return code;
}

const JAL = ROWS.find(({ op, expansion }) => op === Op.JAL && expansion === undefined)!;
const assembledJump = (distance: number): number => encode(JAL, { rd: 1, imm: distance });

export function randomProgram(seed: number, count: number): RandomProgram {
  const next = random(seed);
  const data = new Uint8Array(8192 + 2048);
  for (let i = 0; i < 8192; i++) data[i] = next(256);
  const view = new DataView(data.buffer);
  for (let i = 1; i < 64; i++) {
    const corner = i < 32 ? CORNERS[next(CORNERS.length)]! : FLOATS[next(FLOATS.length)]!;
    view.setBigUint64(INITIAL - DATA + 8 * i, next(2) ? corner : word64(next), true);
  }
  const x = Array.from({ length: 31 }, (_, i) => i + 1);
  const f = Array.from({ length: 32 }, (_, i) => i);
  const before = assemble(
    CODE,
    `li s1, ${INITIAL}
     ${f.map((i) => `fld f${i},${256 + 8 * i}(s1)`).join('\n')}
     ${x
       .filter((i) => !KEPT.has(i))
       .map((i) => `ld x${i},${8 * i}(s1)`)
       .join('\n')}
     li s0, ${DATA + 4096}
     li sp, ${DATA + 4096 - 256}`,
  ).bytes;
  const middle = body(next, count);
  const after = assemble(
    0,
    `li s1, ${DATA + 8192}
     ${x
       .filter((i) => !KEPT.has(i))
       .map((i) => `sd x${i},${8 * i}(s1)`)
       .join('\n')}
     ${f.map((i) => `fsd f${i},${256 + 8 * i}(s1)`).join('\n')}
     csrrs a0,fcsr,zero
     sd a0,512(s1)
     li a7,64
     li a0,1
     li a1,${DATA}
     li a2,${DUMP_BYTES}
     ecall
     li a7,93
     li a0,0
     ecall`,
  ).bytes;
  const code = new Uint8Array(before.length + 2 * middle.length + after.length);
  if (CODE + code.length > DATA) throw new Error('the program is too long');
  code.set(before);
  code.set(new Uint8Array(Uint16Array.from(middle).buffer), before.length);
  code.set(after, before.length + 2 * middle.length);
  return { code, data };
}

/** A static ELF of the program: code and data as one segment each. */
export function elfOf({ code, data }: RandomProgram): Uint8Array {
  const elf = new Uint8Array(0x1000 + code.length + ((-code.length >>> 0) % 4096) + data.length);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE), true);
  view.setBigUint64(32, 64n, true);
  view.setUint32(48, 5, true); // RVC, double-float ABI
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const dataAt = elf.length - data.length;
  [
    [5, 0x1000, CODE, code.length],
    [6, dataAt, DATA, data.length],
  ].forEach(([flags, offset, address, size], i) => {
    const at = 64 + 56 * i;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags!, true);
    view.setBigUint64(at + 8, BigInt(offset!), true);
    view.setBigUint64(at + 16, BigInt(address!), true);
    view.setBigUint64(at + 24, BigInt(address!), true);
    view.setBigUint64(at + 32, BigInt(size!), true);
    view.setBigUint64(at + 40, BigInt(size!), true);
    view.setBigUint64(at + 48, 0x1000n, true);
  });
  elf.set(code, 0x1000);
  elf.set(data, dataAt);
  return elf;
}

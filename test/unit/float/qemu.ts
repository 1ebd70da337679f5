// The same vectors under qemu-riscv64: a program of a few dozen lines of assembly that reads operands, executes, and writes
// results. GOLDEN=write rewrites the golden files from it (run from the root of the project).
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from '../../../emulator/isa/encode';
import type { Row } from '../../../emulator/isa/row';
import { QEMU_ROWS } from './rows';
import { cornerVectors, randomVectors, type Outcome, type Vector } from './vectors';

const TOOLS = ['riscv64-linux-gnu-as', 'riscv64-linux-gnu-ld', 'qemu-riscv64'];

export const haveQemu = TOOLS.every((tool) => spawnSync(tool, ['--version']).status === 0);

const RECORD = 32;
const RESULT = 24;
const CHUNK = 1024;

/** What f10 and x10 hold before. */
const SENTINEL = 0x5a5aa5a5_12345678n;

/** The instruction of a row as the vectors mean it, with the rounding mode left to frm. */
const wordOf = (row: Row): number => encode(row, { rd: 10, rs1: 11, rs2: 12, rs3: 13, rm: 7 });

/** Each instruction and a return, at 8 times its place in the list. */
const stubs = (): string => QEMU_ROWS.map((row) => `.4byte ${wordOf(row)}\n.4byte 0x00008067`).join('\n');

/** Records of (place in the list, rm, three operands) from standard input; (x10, f10, fflags) to standard output. */
function program(): string {
  return `
.option norvc
.globl _start
_start:
next:
  li a7, 63
  li a0, 0
  la a1, input
  li a2, ${CHUNK * RECORD}
  ecall
  blez a0, finish
  la s1, input
  add s2, s1, a0
  la s3, output
each:
  lw t0, 0(s1)
  lw t1, 4(s1)
  fsrm t1
  fsflags zero
  ld a1, 8(s1)
  ld a2, 16(s1)
  ld a3, 24(s1)
  fmv.d.x fa1, a1
  fmv.d.x fa2, a2
  fmv.d.x fa3, a3
  li a0, ${SENTINEL}
  fmv.d.x fa0, a0
  la t2, stubs
  slli t0, t0, 3
  add t2, t2, t0
  jalr ra, t2, 0
  fmv.x.d t3, fa0
  frflags t4
  sd a0, 0(s3)
  sd t3, 8(s3)
  sd t4, 16(s3)
  addi s1, s1, ${RECORD}
  addi s3, s3, ${RESULT}
  bltu s1, s2, each
  la a1, output
  sub a2, s3, a1
  li a0, 1
  li a7, 64
  ecall
  j next
finish:
  li a0, 0
  li a7, 93
  ecall
.balign 8
stubs:
${stubs()}
.bss
.balign 8
input: .skip ${CHUNK * RECORD}
output: .skip ${CHUNK * RESULT}
`;
}

export class Qemu {
  private readonly folder = mkdtempSync(join(tmpdir(), 'penglai-float-'));
  private readonly elf = join(this.folder, 'program');

  constructor() {
    const [source, object] = [join(this.folder, 'program.s'), join(this.folder, 'program.o')];
    writeFileSync(source, program());
    execFileSync('riscv64-linux-gnu-as', ['-march=rv64gc', '-o', object, source]);
    execFileSync('riscv64-linux-gnu-ld', ['-static', '-o', this.elf, object]);
  }

  run(vectors: readonly Vector[]): Outcome[] {
    const records = Buffer.alloc(vectors.length * RECORD);
    vectors.forEach(({ row, rm, operands }, i) => {
      records.writeUInt32LE(QEMU_ROWS.indexOf(row), i * RECORD);
      records.writeUInt32LE(rm, i * RECORD + 4);
      operands.forEach((operand, j) => records.writeBigUInt64LE(operand, i * RECORD + 8 + 8 * j));
    });
    const file = join(this.folder, 'records');
    writeFileSync(file, records);
    const input = openSync(file, 'r');
    const out = execFileSync('qemu-riscv64', ['-cpu', 'rv64,Zfh=true', this.elf], {
      stdio: [input, 'pipe', 'inherit'],
      maxBuffer: 1 << 30,
    });
    closeSync(input);
    if (out.length !== vectors.length * RESULT) throw new Error(`qemu-riscv64 wrote ${out.length} bytes`);
    return vectors.map(({ row }, i) => {
      const x = out.readBigUInt64LE(i * RESULT);
      const f = out.readBigUInt64LE(i * RESULT + 8);
      const toFloat = row.operands.startsWith('f');
      if ((toFloat ? x : f) !== SENTINEL) throw new Error(`${row.mnemonic} wrote both registers`);
      return { result: toFloat ? f : x, flags: out.readUInt32LE(i * RESULT + 16) };
    });
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** One line of the golden list: mnemonic, rm, operands, result, flags; the numbers but rm and flags in hexadecimal. */
export function vectorLine(vector: Vector, outcome: Outcome): string {
  const numbers = [...vector.operands, outcome.result].map((bits) => bits.toString(16));
  return [vector.row.mnemonic, vector.rm, ...numbers, outcome.flags].join(' ');
}

/** Vectors behind one line of the digest file. */
export const PER_DIGEST = 4000;
export const digestVectors = (row: Vector['row']): Vector[] => randomVectors(row, PER_DIGEST, 1);

export function digest(outcomes: readonly Outcome[]): string {
  const hash = createHash('sha256');
  for (const { result, flags } of outcomes) hash.update(`${result.toString(16)} ${flags}\n`);
  return hash.digest('hex').slice(0, 24);
}

/** The smallest normal number times one less its last place: tiny after rounding where the bounded result is normal. */
const BOUNDARY: Readonly<Record<string, readonly [string, string]>> = {
  'fmul.h': ['ffffffffffff0400', 'ffffffffffff3bff'],
  'fmul.s': ['ffffffff00800000', 'ffffffff3f7fffff'],
  'fmul.d': ['0010000000000000', '3fefffffffffffff'],
};

function boundaryVectors(): Vector[] {
  return QEMU_ROWS.flatMap((row) => {
    const [a, b] = BOUNDARY[row.mnemonic]?.map((hex) => BigInt('0x' + hex)) ?? [];
    if (a === undefined || b === undefined) return [];
    return [0, 1, 2, 3, 4].map((rm): Vector => ({ row, rm, operands: [a, b, 0n] }));
  });
}

export function updateGolden(qemu: Qemu): void {
  const corners = QEMU_ROWS.flatMap((row) => cornerVectors(row, 16));
  // Of the many corners of the instructions with one operand, every third will do in the committed list.
  const kept = corners.filter((vector, i) => vector.operands[1] !== 0n || i % 3 === 0);
  kept.push(...boundaryVectors());
  const outcomes = qemu.run(kept);
  const lines = kept.map((vector, i) => vectorLine(vector, outcomes[i]!));
  writeFileSync('test/unit/float/golden/float-vectors.txt', lines.join('\n') + '\n');
  const digests = QEMU_ROWS.map((row) => `${row.mnemonic} ${digest(qemu.run(digestVectors(row)))}`);
  writeFileSync('test/unit/float/golden/float-digests.txt', digests.join('\n') + '\n');
}

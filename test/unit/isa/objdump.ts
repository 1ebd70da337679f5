// Words and their text by GNU objdump, as a committed golden file and, where the tool is installed, afresh.
// GOLDEN=write rewrites the file from the tool (run from the root of the project).
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disassemble } from '../../../emulator/isa/disassemble';
import { encode } from '../../../emulator/isa/encode';
import { rowOf } from '../../../emulator/isa/decode';
import type { Row } from '../../../emulator/isa/row';
import { BASE_ROWS } from '../../../emulator/isa/rows';
import { ZFA } from '../../../emulator/isa/zfa';
import { ZICOND } from '../../../emulator/isa/zicond';

const OBJDUMP = 'riscv64-linux-gnu-objdump';
const AS = 'riscv64-linux-gnu-as';

/** What GNU as 2.40 is told the machine has; it knows neither Zicond nor Zfa. */
const ARCHITECTURE = '-march=rv64gc_zba_zbb_zbc_zbs_zfh_zicbom_zicboz';
const UNKNOWN_THERE = new Set<Row | undefined>([...ZICOND, ...ZFA]);

/** Are the GNU tools for RISC-V here? */
export const haveTools = [OBJDUMP, AS].every((tool) => spawnSync(tool, ['--version']).status === 0);

/** xorshift32: the same words on every run. */
export function randomWords(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** `perRow` words of every base row with random fields; sometimes with all fields equal to a corner value. */
export function wordsOfRows(perRow: number, seed = 1): number[] {
  const random = randomWords(seed);
  return BASE_ROWS.flatMap((row) =>
    Array.from({ length: perRow }, (_, i) => {
      const field = i === 0 ? () => 0 : i === 1 ? () => -1 : () => random() | 0;
      return encode(row, {
        rd: field(),
        rs1: field(),
        rs2: field(),
        rs3: field(),
        rm: field(),
        imm: field(),
        aqrl: field(),
      });
    }),
  );
}

/** All 16-bit words that are not the beginning of a longer instruction. */
export const COMPRESSED: readonly number[] = Array.from({ length: 65536 }, (_, i) => i).filter((i) => (i & 3) !== 3);

/**
 * Where objdump's text and the manual part, ours follows the manual: c.nop has a name of its own, shifts by 0 are HINTs
 * of RV64 (the ...64 names belong to RV128), c.addi16sp by 0 is reserved, and RV32's upper halves of counters do not exist.
 */
function asTheManual(text: string, word: number): string {
  if (word === 0x6101) return '.2byte 0x6101';
  return text
    .replace(/^c\.addi zero,/, 'c.nop ')
    .replace(/^(c\.s(?:ll|rl|ra)i)64 (\w+)$/, '$1 $2,0x0')
    .replace(/^(csrr.*),(\w+h)(,\w+)$/, (whole, head: string, name: string, tail: string) =>
      name.endsWith('scratch') ? whole : `${head},0x${(word >>> 20).toString(16)}${tail}`,
    );
}

/** objdump's text of words that are all 2 or all 4 bytes long, each shown as if it stood at `address(index)`. */
export function objdump(words: readonly number[], size: 2 | 4): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'penglai-isa-'));
  try {
    const [source, file] = [join(folder, 'words.s'), join(folder, 'words.o')];
    writeFileSync(source, words.map((word) => `.insn ${size}, 0x${word.toString(16)}\n`).join(''));
    execFileSync(AS, [ARCHITECTURE, '-o', file, source]);
    // Without symbols the targets of branches are plain numbers.
    execFileSync('riscv64-linux-gnu-objcopy', ['--strip-all', file]);
    const output = execFileSync(OBJDUMP, ['-d', '-z', '-M', 'no-aliases', file], {
      maxBuffer: 1 << 28,
      encoding: 'utf8',
    });
    const lines = output.split('\n').filter((line) => /^\s*[0-9a-f]+:\t/.test(line));
    if (lines.length !== words.length) throw new Error(`objdump shows ${lines.length} of ${words.length} words`);
    return lines.map((line, i) => {
      const [, , mnemonic = '', operands = ''] = line.split('\t');
      return asTheManual(`${mnemonic} ${operands.replace(/ # .*/, '')}`.trim(), words[i]!);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Our text of the same words at the same addresses. */
export function ours(words: readonly number[], size: 2 | 4): string[] {
  return words.map((word, i) => disassemble(word, i * size).text);
}

/** Text to words by GNU as, compressing where it can; lines that branch must use absolute targets. */
export function assemble(lines: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'penglai-isa-'));
  try {
    const [source, object, binary] = ['s', 'o', 'bin'].map((name) => join(folder, `code.${name}`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, lines.join('\n') + '\n');
    execFileSync(AS, ['-march=rv64gc', '-o', object, source]);
    execFileSync('riscv64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A digest of the texts of all 16-bit words, one line per quadrant and funct3, and the undefined ones as ranges. */
export function compressedDigest(texts: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  // Runs within a quadrant, where neighbours are 4 apart.
  const runs: [number, number][][] = [[], [], []];
  COMPRESSED.forEach((word, i) => {
    const name = `quadrant ${word & 3} funct3 ${word >> 13}`;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name)!.push(texts[i]!);
    if (!/^(\.2byte|c\.unimp)/.test(texts[i]!)) return;
    const run = runs[word & 3]!;
    if (run.at(-1)?.[1] === word - 4) run.at(-1)![1] = word;
    else run.push([word, word]);
  });
  const digests = [...groups].map(
    ([name, list]) => `${name}: ${createHash('sha256').update(list.join('\n')).digest('hex').slice(0, 16)}`,
  );
  const hex = (value: number) => value.toString(16).padStart(4, '0');
  return [...digests, ...runs.flat().map(([a, b]) => `undefined: ${hex(a)}-${hex(b)}`)];
}

/**
 * Where we accept more than the tool: reserved fence fields and rm of exact conversions, as a simple implementation does, and the
 * extensions that it does not know.
 */
export function acceptsMore(theirs: string, mine: string, word: number): boolean {
  if (!theirs.startsWith('.4byte')) return false;
  return /^(fence|fcvt\.(d\.(s|h|wu?)|s\.h) )/.test(mine) || UNKNOWN_THERE.has(rowOf(word)?.row);
}

/** The lines of the golden file: the digest, then words with their text at the address 4 * position. */
function goldenLines(): string[] {
  const candidates = wordsOfRows(12);
  const [theirs, mine] = [objdump(candidates, 4), ours(candidates, 4)];
  const words = candidates.filter((_, i) => !acceptsMore(theirs[i]!, mine[i]!, candidates[i]!));
  const texts = objdump(words, 4);
  return [
    ...compressedDigest(objdump(COMPRESSED, 2)),
    ...words.map((word, i) => `${word.toString(16).padStart(8, '0')} ${texts[i]}`),
  ];
}

export function updateGolden(): void {
  writeFileSync('test/unit/isa/golden/objdump.txt', goldenLines().join('\n') + '\n');
}

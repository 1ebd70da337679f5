/**
 * A small assembler for tests, made from the instruction rows: what the disassembler prints, it reads. Labels, `.dword`, `.word`,
 * `.half`, `.zero n`, `.align n`, and the pseudo-instructions nop, mv, li, la, j, ret, beqz, bnez, csrw, csrr.
 */
import { CSR_NAMES } from '../../emulator/isa/csr';
import { F_NAMES, X_NAMES } from '../../emulator/isa/disassemble';
import { encode } from '../../emulator/isa/encode';
import type { Instruction } from '../../emulator/isa/instruction';
import { ROWS } from '../../emulator/isa/rows';
import { readOperands, type Row } from '../../emulator/isa/row';

const rows = new Map<string, Row>(ROWS.map((row) => [row.mnemonic, row]));
const csrs = new Map([...CSR_NAMES].map(([number, name]) => [name, number]));
const MODES = ['rne', 'rtz', 'rdn', 'rup', 'rmm', '5', '6', 'dyn'];

const register = (text: string, names: readonly string[], letter: string): number => {
  const plain = new RegExp(`^${letter}(\\d+)$`).exec(text);
  const index = plain ? Number(plain[1]) : names.indexOf(text === 'fp' ? 's0' : text);
  if (index < 0 || index > 31) throw new Error(`no register ${text}`);
  return index;
};

type Labels = Map<string, number>;

function value(text: string, labels: Labels | undefined): number {
  if (labels && labels.has(text)) return labels.get(text)!;
  const number = Number(text);
  if (Number.isNaN(number)) {
    if (labels) throw new Error(`no value ${text}`);
    return 0;
  }
  return number;
}

/** The lines a pseudo-instruction stands for. */
function expand(line: string): string[] {
  const [name, ...rest] = line.split(/[\s,]+/);
  const [a, b, c] = rest;
  switch (name) {
    case 'nop':
      return ['addi zero,zero,0'];
    case 'mv':
      return [`addi ${a},${b},0`];
    case 'j':
      return [`jal zero,${a}`];
    case 'ret':
      return ['jalr zero,0(ra)'];
    case 'beqz':
      return [`beq ${a},zero,${b}`];
    case 'bnez':
      return [`bne ${a},zero,${b}`];
    case 'csrw':
      return [`csrrw zero,${a},${b}`];
    case 'csrr':
      return [`csrrs ${a},${b},zero`];
    case 'li':
      return li(a!, BigInt.asIntN(64, BigInt(b!)));
    case 'la':
      return [`auipc ${a},%hi(${b})`, `addi ${a},${a},%lo(${b})`];
    default:
      return c === undefined ? [line] : [line];
  }
}

function li(rd: string, number: bigint): string[] {
  if (number >= -2048n && number < 2048n) return [`addi ${rd},zero,${number}`];
  const low = BigInt.asIntN(12, number);
  if (number >= -(2n ** 31n) && number < 2n ** 31n) {
    const high = Number(BigInt.asUintN(20, (number - low) >> 12n));
    return [`lui ${rd},${high}`, `addiw ${rd},${rd},${low}`];
  }
  return [...li(rd, (number - low) >> 12n), `slli ${rd},${rd},12`, `addi ${rd},${rd},${low}`];
}

/** The word of one instruction at an address; `labels` undefined in the sizing pass. */
export function assembleLine(
  line: string,
  address: number,
  labels: Labels | undefined,
): { bits: number; length: 2 | 4 } {
  const [, mnemonic, rest] = /^(\S+)\s*(.*)$/.exec(line.trim())!;
  const ordering = /^((?:amo|lr|sc)\S*\.[wd])\.(aq|rl|aqrl)$/.exec(mnemonic!);
  const row = rows.get(ordering ? ordering[1]! : mnemonic!);
  if (!row) throw new Error(`no instruction ${mnemonic}`);
  const fields: Partial<Record<keyof Instruction, number>> = {};
  if (ordering) fields.aqrl = { aq: 2, rl: 1, aqrl: 3 }[ordering[2]!]!;
  const texts = rest!
    .replace(/%(hi|lo)\(([^)]*)\)/g, '%$1:$2')
    .split(/[\s,()]+/)
    .filter((text) => text !== '');
  const names = readOperands(row.operands).filter((name) => /[a-z]/.test(name));
  for (const name of names) {
    const text = texts.shift();
    const bare = name.replace(/'$/, '');
    if (text === undefined) {
      if (bare !== 'rm') throw new Error(`${line}: operand ${name} is missing`);
      fields.rm = 7;
    } else if (/^f?r(d|s[123])$/.test(bare)) {
      const float = bare.startsWith('f');
      fields[bare.slice(float ? 1 : 0) as 'rd'] = register(text, float ? F_NAMES : X_NAMES, float ? 'f' : 'x');
    } else if (bare === 'rm') fields.rm = MODES.indexOf(text);
    else if (bare === 'zimm') fields.rs1 = Number(text);
    else if (bare === 'csr') fields.imm = csrs.get(text) ?? Number(text);
    else if (bare === 'pred') fields.imm = (fields.imm ?? 0) | (Number(text) << 4);
    else if (bare === 'succ') fields.imm = (fields.imm ?? 0) | Number(text);
    else if (bare.startsWith('pc+')) fields.imm = value(text, labels) - address;
    else if (bare.endsWith('[31:12]')) fields.imm = upper(text, address, labels) << 12;
    else if (text.startsWith('%lo:')) fields.imm = value(text.slice(4), labels) - (address - 4);
    else if (/^(imm|uimm|nzimm|nzuimm|shamt)$/.test(bare)) fields.imm = value(text, labels);
  }
  return { bits: encode(row, fields), length: row.expansion === undefined ? 4 : 2 };
}

function upper(text: string, address: number, labels: Labels | undefined): number {
  if (!text.startsWith('%hi:')) return Number(text);
  return (value(text.slice(4), labels) - address + 0x800) >> 12;
}

export interface Program {
  readonly bytes: Uint8Array;
  readonly labels: ReadonlyMap<string, number>;
}

/** Assembles source text for an address. Branch operands are labels or absolute addresses. `#` begins a comment. */
export function assemble(origin: number, source: string): Program {
  const lines = source
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .flatMap((line) => {
      const match = /^(\w+):\s*(.*)$/.exec(line);
      return match ? [`${match[1]}:`, match[2]!] : [line];
    })
    .filter((line) => line !== '')
    .flatMap((line) => (line.startsWith('.') || line.endsWith(':') ? [line] : expand(line)));
  const labels: Labels = new Map();
  let bytes: number[] = [];
  for (const known of [undefined, labels]) {
    bytes = [];
    for (const line of lines) {
      const address = origin + bytes.length;
      if (line.endsWith(':')) labels.set(line.slice(0, -1), address);
      else if (line.startsWith('.')) bytes.push(...data(line, bytes.length, known));
      else {
        const { bits, length } = assembleLine(line, address, known);
        for (let i = 0; i < length; i++) bytes.push((bits >>> (8 * i)) & 0xff);
      }
    }
  }
  return { bytes: Uint8Array.from(bytes), labels };
}

function data(line: string, at: number, labels: Labels | undefined): number[] {
  const [name, ...items] = line.split(/[\s,]+/);
  if (name === '.zero') return Array<number>(Number(items[0])).fill(0);
  if (name === '.align')
    return Array<number>((2 ** Number(items[0]) - (at % 2 ** Number(items[0]))) % 2 ** Number(items[0])).fill(0);
  const size = { '.half': 2, '.word': 4, '.dword': 8 }[name!];
  if (size === undefined) throw new Error(`no directive ${name}`);
  return items.flatMap((item) => {
    const number = labels?.has(item) ? BigInt(labels.get(item)!) : /^-?\d/.test(item) ? BigInt(item) : 0n;
    return Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, number) >> BigInt(8 * i)) & 0xffn));
  });
}

/**
 * Programs of about five million instructions that touch much code and stay nowhere for long: what a translator may lose on, because what it
 * translates is hardly run again. Made here word by word, so that their sizes are what they say. Each is the bytes of a Linux program without a
 * library, which ends with exit status 0.
 */
import { encode } from '../../emulator/isa/encode';
import type { Row } from '../../emulator/isa/row';
import { ROWS } from '../../emulator/isa/rows';

const rows = new Map<string, Row>(ROWS.map((row) => [row.mnemonic, row]));
const BASE = 0x10000;
const HEADERS = 64 + 56;
/** Room that the programs read and write, behind their code. */
const DATA_BYTES = 65536;
const [RA, SP, T0, T1, A0, A1, A2, A7, S2, S3] = [1, 2, 5, 6, 10, 11, 12, 17, 18, 19];
const EXIT_GROUP = 94;

/** Words of a program, from its entry on. */
class Words {
  readonly list: number[] = [];

  get at(): number {
    return this.list.length;
  }
  put(mnemonic: string, rd: number, rs1: number, rest: { rs2?: number; imm?: number } = {}): void {
    this.list.push(encode(rows.get(mnemonic)!, { rd, rs1, ...rest }));
  }
  number(rd: number, value: number): void {
    const low = (value << 20) >> 20;
    this.put('lui', rd, 0, { imm: value - low });
    this.put('addi', rd, rd, { imm: low });
  }
  /** Jumps to a word that has been put. */
  back(mnemonic: 'bne' | 'beq', rs1: number, rs2: number, to: number): void {
    this.put(mnemonic, 0, rs1, { rs2, imm: 4 * (to - this.at) });
  }
  jump(rd: number, to: number): void {
    if (Math.abs(to - this.at) >= 2 ** 18) throw new Error('too far for a jal');
    this.put('jal', rd, 0, { imm: 4 * (to - this.at) });
  }
  /** Computes on a0 to a2; one of eight kinds, three of them memory below sp. */
  straight(i: number): void {
    const imm = ((i * 37) % 2000) - 1000;
    const offset = 8 * ((i * 29) % 240);
    switch (i % 8) {
      case 0:
        return this.put('addi', A0, A0, { imm });
      case 1:
        return this.put('xor', A1, A1, { rs2: A0 });
      case 2:
        return this.put('sd', 0, SP, { rs2: A1, imm: offset });
      case 3:
        return this.put('slli', A2, A1, { imm: (i % 31) + 1 });
      case 4:
        return this.put('ld', A0, SP, { imm: offset });
      case 5:
        return this.put('add', A0, A0, { rs2: A2 });
      case 6:
        return this.put('sltu', A2, A0, { rs2: A1 });
      default:
        return this.put('lbu', A2, SP, { imm: offset + (i % 8) });
    }
  }
}

/** A program around a body that is executed `times` times. */
function program(times: number, body: (words: Words) => void): Uint8Array {
  const words = new Words();
  words.number(S3, times);
  const pointer = words.at;
  words.number(SP, 0);
  const loop = words.at;
  body(words);
  words.put('addi', S3, S3, { imm: -1 });
  // Too far for a branch.
  words.put('beq', 0, S3, { rs2: 0, imm: 8 });
  words.jump(0, loop);
  words.put('addi', A0, 0);
  words.put('addi', A7, 0, { imm: EXIT_GROUP });
  words.put('ecall', 0, 0);
  const end = BASE + HEADERS + 4 * words.at;
  const data = Math.ceil(end / 4096) * 4096;
  const sized = new Words();
  sized.number(SP, data);
  words.list.splice(pointer, 2, ...sized.list);
  return executable(words.list, data + DATA_BYTES - BASE);
}

/** An ELF file (System V ABI, "Object Files") with one segment that may be read, written and executed. */
function executable(words: readonly number[], memoryBytes: number): Uint8Array {
  const bytes = new Uint8Array(HEADERS + 4 * words.length);
  const view = new DataView(bytes.buffer);
  const long = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 243, true); // EM_RISCV
  view.setUint32(20, 1, true);
  long(24, BASE + HEADERS);
  long(32, 64);
  view.setUint32(48, 5, true); // RVC, double float
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 7, true);
  long(80, BASE);
  long(88, BASE);
  long(96, bytes.length);
  long(104, memoryBytes);
  long(112, 4096);
  words.forEach((word, i) => view.setUint32(HEADERS + 4 * i, word, true));
  return bytes;
}

/** No jump for a quarter of a million instructions. */
const flat = (size: number) =>
  program(20, (words) => {
    for (let i = 0; i < size / 20; i++) words.straight(i);
  });

/** Short blocks; about half of the branches between them are taken, another half each time. */
const branches = (size: number) =>
  program(40, (words) => {
    for (let i = 0; i < size / 40 / 7; i++) {
      for (let k = 0; k < 5; k++) words.straight(i + k);
      words.put('andi', T0, A0, { imm: 1 << (i % 8) });
      words.put('beq', 0, T0, { rs2: 0, imm: 8 });
      words.put('addi', A1, A1, { imm: i % 2000 });
    }
  });

/** Loops of six instructions, each run a hundred times, once. */
const loops = (size: number) =>
  program(1, (words) => {
    for (let i = 0; i < size / 600; i++) {
      words.put('addi', S2, 0, { imm: 100 });
      const loop = words.at;
      for (let k = 0; k < 4; k++) words.straight(i + k);
      words.put('addi', S2, S2, { imm: -1 });
      words.back('bne', S2, 0, loop);
    }
  });

/** Functions of seven instructions, called one after the other, fifty times. */
const calls = (size: number) =>
  program(50, (words) => {
    const count = Math.round(size / 50 / 9);
    const over = words.at;
    words.jump(0, over);
    const functions: number[] = [];
    for (let i = 0; i < count; i++) {
      functions.push(words.at);
      for (let k = 0; k < 6; k++) words.straight(i + k);
      words.put('jalr', 0, RA);
    }
    const here = words.at;
    words.list[over] = encode(rows.get('jal')!, { rd: 0, imm: 4 * (here - over) });
    for (const target of functions) {
      words.put('auipc', T1, 0, { imm: (4 * (target - words.at) + 0x800) & ~0xfff });
      words.put('jalr', RA, T1, { imm: ((4 * (target - words.at + 1)) << 20) >> 20 });
    }
  });

export const SHAPES: Readonly<Record<string, (size: number) => Uint8Array>> = { flat, branches, loops, calls };

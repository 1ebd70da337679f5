/** Tiny RISC-V programs as ELF files, assembled here: tests that need no compiler. */
import { assemble } from '../../unit/assembler';

const BASE = 0x10000;
const HEADERS = 64 + 56;

/** An executable with one readable, writable, executable segment; it starts at the label `start`. `extra` zero bytes follow it. */
export function tinyElf(source: string, extra = 4096): Uint8Array {
  const { bytes: code, labels } = assemble(BASE + HEADERS, source);
  const bytes = new Uint8Array(HEADERS + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(labels.get('start') ?? BASE + HEADERS), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  view.setBigUint64(80, BigInt(BASE), true);
  view.setBigUint64(88, BigInt(BASE), true);
  view.setBigUint64(96, BigInt(bytes.length), true);
  view.setBigUint64(104, BigInt(bytes.length + extra), true);
  view.setBigUint64(112, 4096n, true);
  bytes.set(code, HEADERS);
  return bytes;
}

/** Lines that make a system call. */
export const call = (number: number, ...args: readonly (string | number)[]): string =>
  [
    ...args.map((argument, i) =>
      typeof argument === 'number'
        ? `li a${i},${argument}`
        : argument.startsWith('=')
          ? `la a${i},${argument.slice(1)}`
          : `mv a${i},${argument}`,
    ),
    `li a7,${number}`,
    'ecall',
  ].join('\n');

export const CALL = {
  ioctl: 29,
  openat: 56,
  close: 57,
  read: 63,
  write: 64,
  exit: 93,
  exitGroup: 94,
  nanosleep: 101,
  mmap: 222,
} as const;

/** Characters as `.word` lines. */
export function text(characters: string): string {
  const bytes = [...new TextEncoder().encode(characters), 0, 0, 0, 0];
  const lines: string[] = [];
  for (let i = 0; i + 3 < bytes.length; i += 4)
    lines.push(`.word ${bytes[i]! + bytes[i + 1]! * 256 + bytes[i + 2]! * 65536 + bytes[i + 3]! * 2 ** 24}`);
  return lines.join('\n');
}

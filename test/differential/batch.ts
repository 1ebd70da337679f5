/**
 * Many programs in one image: a runner loads the registers of each from its record, jumps to it, and stores what it left in the same
 * record; at the end it writes all records to standard output. The same bytes run on this project's engines and in qemu-riscv64.
 *
 *   TEXT     runner, table of (code, record), code of the programs one after the other
 *   RECORDS  one record per program: x0 … x31, f0 … f31, fcsr, 8 bytes, window
 *
 * gp points into the middle of a program's window, so that the whole record is within reach of a load; a program must not write gp. Its
 * first instruction is reached through ra. All other registers and the window are its own.
 */
import { assemble } from '../unit/assembler';
import type { Item } from './items';
import { lengthOf } from './kinds';

export const TEXT = 0x80000000;
export const RECORDS = 0x80100000;
/** Bytes of a window, and from its start to gp. */
export const WINDOW = 2048;
export const MIDDLE = WINDOW / 2;
const FCSR = 512;
/** Bytes of a record before the window. */
export const HEAD = 528;
export const RECORD = HEAD + WINDOW;
export const GP = 3;

/** A program before it has an address. */
export interface Program {
  /** What to call it in a report. */
  readonly title: string;
  readonly items: readonly Item[];
  /** Values of x1 … x31 (x0, ra and gp are ignored) and f0 … f31. */
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  readonly fcsr: number;
  readonly window: Uint8Array;
}

export interface Image {
  readonly text: Uint8Array;
  readonly records: Uint8Array;
  /** Address of the first instruction of each program. */
  readonly entries: readonly number[];
}

const XS = Array.from({ length: 31 }, (_, i) => i + 1);
const FS = Array.from({ length: 32 }, (_, i) => i);
const OTHERS = XS.filter((i) => i !== GP);
/** Distance of a record's start from gp. */
const BACK = HEAD + MIDDLE;

/** The runner, whose table follows it; `done` is where programs end. */
function runner(count: number): string {
  return `
    j first
    done: ${OTHERS.map((i) => `sd x${i},${8 * i - BACK}(gp)`).join('\n')}
    ${FS.map((i) => `fsd f${i},${256 + 8 * i - BACK}(gp)`).join('\n')}
    csrrs t0,fcsr,zero
    sd t0,${FCSR - BACK}(gp)
    la t0, cursor
    ld t1,0(t0)
    addi t1,t1,16
    sd t1,0(t0)
    j next
    first: la t0, cursor
    la t1, table
    sd t1,0(t0)
    next: ld ra,0(t1)
    ld gp,8(t1)
    beqz ra, write
    ld t0,${FCSR - BACK}(gp)
    csrrw zero,fcsr,t0
    ${FS.map((i) => `fld f${i},${256 + 8 * i - BACK}(gp)`).join('\n')}
    ${OTHERS.filter((i) => i !== 1)
      .map((i) => `ld x${i},${8 * i - BACK}(gp)`)
      .join('\n')}
    jalr zero,0(ra)
    write: li s1,${RECORDS}
    li s2,${RECORDS + count * RECORD}
    more: li a0,1
    mv a1,s1
    sub a2,s2,s1
    li a7,64
    ecall
    addi t0,zero,1
    blt a0,t0,end
    add s1,s1,a0
    bltu s1,s2,more
    end: li a0,0
    li a7,93
    ecall
    .align 3
    cursor: .dword 0
    table: `;
}

/** Lays out programs; every program gets the slot of its position in the list. */
export function layOut(programs: readonly Program[]): Image {
  const head = assemble(TEXT, runner(programs.length));
  const tableAt = head.bytes.length;
  const sizes = programs.map(({ items }) => items.reduce((sum, { bits }) => sum + lengthOf(bits), 0) + 4);
  let end = tableAt + 16 * (programs.length + 1);
  const starts = sizes.map((size) => {
    const start = end;
    end += size + (size & 2);
    return start;
  });
  if (TEXT + end > RECORDS) throw new Error(`the code of ${programs.length} programs is too long for one image`);
  const text = new Uint8Array(end);
  text.set(head.bytes);
  const view = new DataView(text.buffer);
  const records = new Uint8Array(programs.length * RECORD);
  const done = head.labels.get('done')!;
  programs.forEach((program, i) => {
    view.setBigUint64(tableAt + 16 * i, BigInt(TEXT + starts[i]!), true);
    view.setBigUint64(tableAt + 16 * i + 8, BigInt(gpOf(i)), true);
    const at = putItems(view, starts[i]!, program.items);
    putItems(view, at, [{ bits: jump(done - (TEXT + at)) }]);
    putRecord(records, i * RECORD, program);
  });
  return { text, records, entries: starts.map((start) => TEXT + start) };
}

/** gp of the program in a slot. */
export const gpOf = (slot: number): number => RECORDS + slot * RECORD + BACK;

const jump = (distance: number): number => {
  const { bytes } = assemble(0, `jal zero,${distance}`);
  return new DataView(bytes.buffer).getUint32(0, true);
};

/** Puts instructions into memory; returns the offset behind them. */
export function putItems(view: DataView, start: number, items: readonly { readonly bits: number }[]): number {
  let at = start;
  for (const { bits } of items) {
    view.setUint16(at, bits & 0xffff, true);
    if (lengthOf(bits) === 4) view.setUint16(at + 2, bits >>> 16, true);
    at += lengthOf(bits);
  }
  return at;
}

function putRecord(records: Uint8Array, at: number, { x, f, fcsr, window }: Program): void {
  const view = new DataView(records.buffer, records.byteOffset + at, RECORD);
  for (const i of OTHERS) view.setBigUint64(8 * i, x[i] ?? 0n, true);
  for (const i of FS) view.setBigUint64(256 + 8 * i, f[i] ?? 0n, true);
  view.setUint32(FCSR, fcsr, true);
  records.set(window, at + HEAD);
}

/** Name of what lies at an offset of a record. */
export function placeInRecord(offset: number): string {
  if (offset >= HEAD) return `window + ${offset - HEAD} (${offset - BACK}(gp))`;
  const index = offset >> 3;
  return index < 32 ? `x${index}` : index < 64 ? `f${index - 32}` : 'fcsr';
}

const EM_RISCV = 243;
const PAGE = 4096;

/** A static executable of the image: text that may be executed, records that may be written. */
export function elfOf({ text, records }: Image): Uint8Array {
  const textAt = PAGE;
  const recordsAt = textAt + Math.ceil(text.length / PAGE) * PAGE;
  const elf = new Uint8Array(recordsAt + records.length);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, EM_RISCV, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(TEXT), true);
  view.setBigUint64(32, 64n, true);
  view.setUint32(48, 5, true); // RVC, double-float ABI
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  [
    [7, textAt, TEXT, text.length],
    [6, recordsAt, RECORDS, records.length],
  ].forEach(([flags, offset, address, size], i) => {
    const at = 64 + 56 * i;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags!, true);
    for (const [field, value] of [offset!, address!, address!, size!, size!, PAGE].entries())
      view.setBigUint64(at + 8 + 8 * field, BigInt(value), true);
  });
  elf.set(text, textAt);
  elf.set(records, recordsAt);
  return elf;
}

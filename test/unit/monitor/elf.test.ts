import assert from 'node:assert/strict';
import { Pte } from '../../../monitor/abi';
import { elfExtent, pageIndex, planElf, tableLayout, type ElfPlan } from '../../../monitor/driver/elf';
import { imageBytes, imageOf } from '../../../monitor/driver/image';

interface Segment {
  readonly type?: number;
  readonly flags: number;
  readonly address: number | bigint;
  readonly bytes: Uint8Array;
  readonly memory?: number | bigint;
  readonly offset?: number | bigint;
}

/** A small ELF file; `change` edits its bytes. */
function elf(segments: readonly Segment[], change: (view: DataView) => void = () => undefined): Uint8Array {
  const headers = 64 + 56 * segments.length;
  const size = headers + segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  bytes.set([2, 1, 1], 4);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, 0x1000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let at = headers;
  segments.forEach((segment, i) => {
    const header = 64 + 56 * i;
    view.setUint32(header, segment.type ?? 1, true);
    view.setUint32(header + 4, segment.flags, true);
    view.setBigUint64(header + 8, BigInt(segment.offset ?? at), true);
    view.setBigUint64(header + 16, BigInt.asUintN(64, BigInt(segment.address)), true);
    view.setBigUint64(header + 32, BigInt(segment.bytes.length), true);
    view.setBigUint64(header + 40, BigInt.asUintN(64, BigInt(segment.memory ?? segment.bytes.length)), true);
    bytes.set(segment.bytes, at);
    at += segment.bytes.length;
  });
  change(view);
  return bytes;
}

const text: Segment = { flags: 5, address: 0x1000, bytes: new Uint8Array(16).fill(1) };
const plan = (image: Uint8Array, stack = 0): ElfPlan => {
  const made = planElf(imageOf(image), stack);
  assert.ok(!('error' in made), JSON.stringify(made));
  return made;
};
const why = (image: Uint8Array): string => {
  const made = planElf(imageOf(image), 0);
  assert.ok('error' in made, 'the image is refused');
  return made.error;
};

/** Mapped pages in order. */
const pages = ({ runs }: ElfPlan): number[] =>
  runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
/** What the pieces put at an address. */
function byteAt(image: Uint8Array, { pieces }: ElfPlan, address: number): number {
  const piece = pieces.filter((one) => one.address <= address && address < one.address + one.length).at(-1);
  return piece ? image[piece.offset + address - piece.address]! : 0;
}

describe('what the driver makes of an ELF image', () => {
  it('maps segments and the zeros behind them, page by page, with their permissions', () => {
    const data: Segment = { flags: 6, address: 0x2ff0, bytes: new Uint8Array(32).fill(7), memory: 0x2000 };
    const image = elf([text, data]);
    const made = plan(image);
    assert.deepEqual(pages(made), [1, 2, 3, 4]);
    assert.equal(made.pages, 4);
    const permissions = made.runs.map(({ flags }) => flags & (Pte.W | Pte.X | Pte.R));
    assert.deepEqual(permissions, [Pte.R | Pte.X, Pte.R | Pte.W | Pte.X]);
    assert.deepEqual(
      [0x2fef, 0x2ff0, 0x300f, 0x3010].map((at) => byteAt(image, made, at)),
      [0, 7, 7, 0],
    );
    assert.equal(pageIndex(made, 3), 2);
  });

  it('keeps both segments of a shared page, which is writable when one of them is', () => {
    const first: Segment = { flags: 5, address: 0x1000, bytes: new Uint8Array(8).fill(1) };
    const second: Segment = { flags: 6, address: 0x1100, bytes: new Uint8Array(8).fill(2) };
    const image = elf([first, second]);
    const made = plan(image);
    assert.deepEqual(pages(made), [1]);
    assert.ok(made.runs[0]!.flags & Pte.W);
    assert.deepEqual([byteAt(image, made, 0x1000), byteAt(image, made, 0x1100)], [1, 2]);
  });

  it('plans half a gigabyte of zeros as one run', () => {
    const made = plan(elf([{ ...text, flags: 6, memory: 500 * 1024 * 1024 }]), 64 * 1024 * 1024);
    assert.deepEqual(
      made.runs.map(({ first, count, index }) => [first, count, index]),
      [
        [1, 128000, 0],
        [0x3800000 - 16384, 16384, 128000],
      ],
    );
  });

  it('reads a file chunk by chunk', () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i >> 8);
    const image = imageOf(bytes);
    assert.equal(image.chunks.size, 49);
    for (const [at, length] of [
      [0, 200_000],
      [65_530, 12],
      [65_536, 65_536],
      [199_999, 1],
      [200_000, 0],
    ] as const)
      assert.deepEqual(imageBytes(image, at, length), bytes.slice(at, at + length), `${at}, ${length}`);
  });

  it('maps every header that has bytes in the file, whatever its type, as the published driver does: PT_RISCV_ATTRIBUTES at 0', () => {
    const attributes: Segment = { type: 0x70000003, flags: 4, address: 0, bytes: new Uint8Array(0x34).fill(9) };
    const stack: Segment = { type: 0x6474e551, flags: 6, address: 0, bytes: new Uint8Array(0) };
    const image = elf([attributes, text, stack]);
    const made = plan(image);
    assert.deepEqual(pages(made), [0, 1]);
    assert.deepEqual(
      made.runs.map(({ flags }) => flags & (Pte.R | Pte.W | Pte.X)),
      [Pte.R | Pte.X],
    );
    assert.equal(byteAt(image, made, 0x33), 9);
  });

  it('tells how much of a file the headers lead to', () => {
    const extent = (image: Uint8Array) => elfExtent((at, length) => image.slice(at, at + length));
    const image = elf([text, { ...text, address: 0x2000 }]);
    assert.equal(extent(image), image.length);
    const longer = new Uint8Array(image.length + 5000);
    longer.set(image);
    assert.equal(extent(longer), image.length);
    const sections = elf([text], (v) => {
      v.setBigUint64(40, 4000n, true);
      v.setUint16(58, 64, true);
      v.setUint16(60, 3, true);
    });
    assert.equal(extent(sections), 4000 + 3 * 64);
    assert.equal(extent(new Uint8Array(64).fill(1)), 64, 'no ELF file');
  });

  it('puts the stack below 0x3800000000, rounded out to pages', () => {
    const made = plan(elf([text]), 5000);
    assert.deepEqual(pages(made).slice(1), [0x37ffffe, 0x37fffff]);
    assert.deepEqual(tableLayout(made.runs), { middles: [0, 223], leaves: [0, 0x1bfff] });
  });

  it('refuses what it cannot load, with a reason', () => {
    assert.match(why(new Uint8Array(10)), /shorter/);
    assert.match(why(new TextEncoder().encode('#!/bin/sh\n'.repeat(10))), /not an ELF/);
    assert.match(why(elf([text], (v) => v.setUint8(4, 1))), /64-bit/);
    assert.match(why(elf([text], (v) => v.setUint16(18, 62, true))), /RISC-V/);
    assert.match(why(elf([text], (v) => v.setUint16(16, 3, true))), /static/);
    assert.match(why(elf([text], (v) => v.setBigUint64(24, 0n, true))), /entry/);
    assert.match(why(elf([])), /no segment/);
  });

  it('refuses headers and segments that do not lie in the file', () => {
    assert.match(why(elf([text], (v) => v.setBigUint64(32, 2n ** 63n, true))), /program headers/);
    assert.match(why(elf([text], (v) => v.setUint16(56, 0xffff, true))), /program headers/);
    assert.match(why(elf([text], (v) => v.setUint16(54, 0, true))), /program headers/);
    const cut = (v: DataView): void => {
      v.setBigUint64(40, 90n, true);
      v.setUint16(58, 64, true);
      v.setUint16(60, 2, true);
    };
    assert.match(why(elf([text], cut)), /section headers/);
    assert.match(why(elf([{ ...text, offset: 2n ** 64n - 8n }])), /segment does not lie/);
    assert.match(why(elf([{ ...text, memory: 4 }])), /segment does not lie/);
  });

  it('refuses addresses outside of the program’s part, and sizes beyond the limit, without walking them', () => {
    assert.match(why(elf([{ ...text, address: -4096 }])), /outside/);
    assert.match(why(elf([{ ...text, address: 0x37_ffff_f000 }])), /outside/);
    assert.match(why(elf([{ ...text, memory: 2n ** 63n }])), /outside/);
    const large = elf([{ ...text, bytes: new Uint8Array(3000) }]);
    const huge = planElf(imageOf(large), 0, 2000);
    assert.ok('error' in huge && huge.outOfBounds);
    assert.match(huge.error, /out of bound.*limits/);
    assert.ok(!('error' in planElf(imageOf(large), 0, 3000)));
    assert.ok(!('error' in planElf(imageOf(elf([{ ...text, memory: 0x4000_0000 }])), 0)), 'memory is the only limit');
  });
});

import assert from 'node:assert/strict';
import { Pte } from '../../../monitor/abi';
import { pageContent, planElf, tableLayout, type ElfPlan } from '../../../monitor/driver/elf';

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
  const made = planElf(image, stack);
  assert.ok(!('error' in made), JSON.stringify(made));
  return made;
};
const why = (image: Uint8Array): string => {
  const made = planElf(image, 0);
  assert.ok('error' in made, 'the image is refused');
  return made.error;
};

describe('what the driver makes of an ELF image', () => {
  it('maps segments and the zeros behind them, page by page, with their permissions', () => {
    const data: Segment = { flags: 6, address: 0x2ff0, bytes: new Uint8Array(32).fill(7), memory: 0x2000 };
    const made = plan(elf([text, data]));
    assert.deepEqual([...made.pages], [1, 2, 3, 4]);
    assert.equal(made.flags[0]! & (Pte.W | Pte.X | Pte.R), Pte.R | Pte.X);
    assert.equal(made.flags[1]! & (Pte.W | Pte.X | Pte.R), Pte.R | Pte.W | Pte.X);
    const image = elf([text, data]);
    assert.deepEqual(pageContent(image, made, 2)!.subarray(0xff0), new Uint8Array(16).fill(7));
    assert.deepEqual(pageContent(image, made, 3)!.subarray(0, 17), Uint8Array.from([...Array(16).fill(7), 0]));
    assert.equal(pageContent(image, made, 4), undefined);
  });

  it('keeps both segments of a shared page', () => {
    const first: Segment = { flags: 5, address: 0x1000, bytes: new Uint8Array(8).fill(1) };
    const second: Segment = { flags: 6, address: 0x1100, bytes: new Uint8Array(8).fill(2) };
    const image = elf([first, second]);
    const made = plan(image);
    assert.deepEqual([...made.pages], [1]);
    const content = pageContent(image, made, 1)!;
    assert.deepEqual([content[0], content[0x100]], [1, 2]);
  });

  it('does not map headers that are not PT_LOAD, so that address 0 faults', () => {
    const attributes: Segment = { type: 0x70000003, flags: 4, address: 0, bytes: new Uint8Array(0x34) };
    assert.deepEqual([...plan(elf([attributes, text])).pages], [1]);
  });

  it('puts the stack below 0x3800000000, rounded out to pages', () => {
    const made = plan(elf([text]), 5000);
    assert.deepEqual([...made.pages].slice(1), [0x37ffffe, 0x37fffff]);
    assert.deepEqual(tableLayout(made.pages), { middles: [0, 223], leaves: [0, 0x1bfff] });
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
    const huge = planElf(elf([{ ...text, memory: 0x4000_0000 }]), 0);
    assert.ok('error' in huge && huge.outOfBounds);
  });
});

import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { ElfFile } from '../../../debug-adapter/symbols/elf/elf';
import * as format from '../../../debug-adapter/symbols/elf/format';
import { describeUnusable } from '../../../debug-adapter/symbols/elf/unusable';
import { damaged, fixture, fixtureBytes, parsed } from '../../fixtures/elf/fixtures';

const SHOFF = 40;
const section = (elf: ElfFile, name: string): format.Section => elf.sectionNamed(name)!;
/** Position in the file of the section header of a name. */
function headerOf(bytes: Uint8Array, name: string): number {
  return Number(new DataView(bytes.buffer).getBigUint64(SHOFF, true)) + 64 * section(parsed(bytes), name).index;
}
function changed(name: string, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = fixtureBytes(name);
  change(new DataView(bytes.buffer), bytes);
  return bytes;
}

describe('An ELF file', () => {
  it('states machine, class, type and entry', () => {
    const elf = fixture('o0-dwarf5');
    assert.equal(elf.machine, format.EM_RISCV);
    assert.equal(elf.class, 64);
    assert.equal(elf.type, format.ET_EXEC);
    assert.equal(elf.entry, elf.symbolNamed('_start')!.value);
  });

  it('gives its sections as views of the file, and none for a name it does not have', () => {
    const elf = fixture('o0-dwarf5');
    const text = section(elf, '.text');
    assert.deepEqual(elf.section('.text'), elf.bytes.subarray(text.offset, text.offset + text.size));
    assert.equal(elf.section('.text')!.buffer, elf.bytes.buffer);
    assert.equal(elf.section('.nonsense'), undefined);
    assert.equal(elf.sectionError('.nonsense'), undefined);
    assert.equal(elf.section('.sbss'), undefined, 'SHT_NOBITS has no bytes');
  });

  it('has a segment that maps its code', () => {
    const elf = fixture('o0-dwarf2');
    assert.equal(section(elf, '.text').addr, 0x1000);
    assert.ok(elf.isCode(0x1000));
    assert.ok(!elf.isCode(0));
    assert.ok(
      elf.segments.some(
        ({ type, vaddr, memsz }) => type === format.PT_LOAD && vaddr <= 0x1000 && vaddr + memsz > 0x1000,
      ),
    );
  });

  it('carries the build id of the linker only when there is one', () => {
    assert.match(fixture('o0-dwarf5').buildId!, /^[0-9a-f]{40}$/);
    assert.equal(fixture('o0-dwarf2').buildId, undefined);
  });

  it('names its dynamic loader when it needs one', () => {
    assert.equal(fixture('o0-dwarf5').interpreter, undefined);
    const path = '/lib/ld-linux-riscv64-lp64d.so.1\0';
    const bytes = changed('o0-dwarf5', (view, raw) => {
      const text = section(parsed(raw), '.text').offset;
      raw.set(new TextEncoder().encode(path), text);
      view.setUint32(64, format.PT_INTERP, true);
      view.setBigUint64(64 + 8, BigInt(text), true);
      view.setBigUint64(64 + 32, BigInt(path.length), true);
    });
    assert.equal(parsed(bytes).interpreter, path.slice(0, -1));
  });
});

describe('The symbol table', () => {
  it('finds the function that covers an address, by its size', () => {
    const elf = fixture('o0-dwarf5');
    const leaf = elf.symbolNamed('leaf')!;
    assert.equal(leaf.type, format.STT_FUNC);
    assert.equal(elf.symbolAt(leaf.value)?.name, 'leaf');
    assert.equal(elf.symbolAt(leaf.value + leaf.size - 1)?.name, 'leaf');
    assert.notEqual(elf.symbolAt(leaf.value + leaf.size)?.name, 'leaf');
    assert.equal(elf.symbolAt(0), undefined);
    assert.equal(elf.symbolAt(0x7fffffff), undefined);
  });

  it('lets a label without a size reach to the next symbol or the end of its section', () => {
    const bytes = changed('o0-bare', (view, raw) => {
      const { offset, size } = section(parsed(raw), '.symtab');
      for (let at = offset; at < offset + size; at += 24) view.setBigUint64(at + 16, 0n, true); // st_size
    });
    const elf = parsed(bytes);
    const [leaf, text] = [elf.symbolNamed('leaf')!, section(elf, '.text')];
    assert.equal(elf.symbolAt(leaf.value + 20)?.name, 'leaf');
    assert.equal(elf.endOfSymbol(leaf), elf.symbolNamed('recurse')!.value);
    assert.equal(elf.symbolAt(text.addr + text.size), undefined);
  });

  it('is empty in a stripped file', () => {
    const bytes = changed('o0-bare', (view, raw) => view.setUint32(headerOf(raw, '.symtab') + 4, 1, true));
    assert.deepEqual(parsed(bytes).symbols(), []);
    assert.equal(parsed(bytes).symbolAt(parsed(bytes).entry), undefined);
  });

  it('does not decode a name that lies outside its string table', () => {
    const bytes = changed('o0-bare', (view, raw) => {
      const { offset, size } = section(parsed(raw), '.symtab');
      for (let at = offset; at < offset + size; at += 24) view.setUint32(at, 0xffffffff, true);
    });
    assert.ok(parsed(bytes).symbols().length > 5);
    assert.ok(
      parsed(bytes)
        .symbols()
        .every(({ name }) => name === ''),
    );
  });
});

describe('A damaged ELF file', () => {
  it('is an error when its program headers end beyond the file', () => {
    const error = ElfFile.parse(changed('o0-bare', (view) => view.setUint16(56, 0xfff0, true)));
    assert.ok(error instanceof SymbolError);
    assert.match(error.message, /program headers.*beyond the file/);
  });

  it('keeps its segments and says what is wrong when its section headers end beyond the file', () => {
    const elf = parsed(changed('o0-bare', (view) => view.setUint16(60, 0xfff0, true)));
    assert.ok(elf.segments.length > 0);
    assert.equal(elf.sections.length, 0);
    assert.match(elf.sectionsProblem!.message, /section headers.*beyond the file/);
  });

  it('has nameless sections when the index of the name table is out of range', () => {
    const elf = parsed(changed('o0-bare', (view) => view.setUint16(62, 0xfe00, true)));
    assert.ok(elf.sections.length > 3);
    assert.ok(elf.sections.every(({ name }) => name === ''));
  });

  it('reports a section that lies beyond the end of the file by name', () => {
    const bytes = changed('o0-dwarf5', (view, raw) =>
      view.setBigUint64(headerOf(raw, '.debug_line') + 32, 0xffff_ffffn, true),
    );
    assert.equal(parsed(bytes).section('.debug_line'), undefined);
    assert.match(parsed(bytes).sectionError('.debug_line')!.message, /^\.debug_line\+0x0: lies beyond the end/);
  });

  it('never throws and always ends, whatever bytes are changed', () => {
    let parsedCopies = 0;
    for (const bytes of damaged(fixtureBytes('o0-dwarf5'), 1500, 20)) {
      const elf = ElfFile.parse(bytes);
      describeUnusable(bytes);
      if (elf instanceof SymbolError) continue;
      parsedCopies++;
      for (const { name } of elf.sections) elf.section(name);
      for (const symbol of elf.symbols()) assert.equal(typeof symbol.name, 'string');
      elf.symbolAt(elf.entry);
      void [elf.buildId, elf.interpreter, elf.isCode(elf.entry)];
    }
    assert.ok(parsedCopies > 500, 'most copies are damaged beyond the header');
  });
});

describe('A compressed section', () => {
  const original = fixture('o0-dwarf5').section('.debug_line')!;
  const bytes = changed('o0-dwarf5', (view, raw) => {
    const { offset, size } = section(parsed(raw), '.debug_line');
    const stream = deflateSync(original);
    assert.ok(24 + stream.length <= size, 'fits into the place of the section');
    view.setUint32(offset, format.ELFCOMPRESS_ZLIB, true);
    view.setBigUint64(offset + 8, BigInt(size), true);
    raw.set(stream, offset + 24);
    view.setBigUint64(headerOf(raw, '.debug_line') + 8, BigInt(format.SHF_COMPRESSED), true);
    view.setBigUint64(headerOf(raw, '.debug_line') + 32, BigInt(24 + stream.length), true);
  });

  it('is inflated when an inflater is given', () => {
    const elf = ElfFile.parse(bytes, { inflate: (stream) => new Uint8Array(inflateSync(stream)) });
    assert.ok(elf instanceof ElfFile);
    assert.deepEqual(elf.section('.debug_line'), original);
  });

  it('is reported with its remedy when there is none', () => {
    assert.equal(parsed(bytes).section('.debug_line'), undefined);
    assert.match(parsed(bytes).sectionError('.debug_line')!.message, /compressed; build with -gz=none/);
  });
});

describe('What cannot be debugged is described with cause and remedy', () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /empty/],
    [
      'a shell script',
      new TextEncoder().encode('#!/bin/sh\necho'),
      /not an ELF program; it begins with "#!\/bin\/s".*riscv64/,
    ],
    ['an x86-64 program', changed('o0-bare', (view) => view.setUint16(18, format.EM_X86_64, true)), /x86-64.*riscv64/],
    ['a program for an unknown machine', changed('o0-bare', (view) => view.setUint16(18, 999, true)), /number 999/],
    ['a 32-bit program', changed('o0-bare', (view) => view.setUint8(4, 1)), /32-bit RISC-V/],
    [
      'a big-endian program',
      changed('o0-bare', (view) => (view.setUint8(5, 2), view.setUint16(18, format.EM_RISCV, false))),
      /big endian/,
    ],
    ['an object file', changed('o0-bare', (view) => view.setUint16(16, format.ET_REL, true)), /not linked/],
    ['a core dump', changed('o0-bare', (view) => view.setUint16(16, format.ET_CORE, true)), /core dump/],
    ['a file cut in its header', fixtureBytes('o0-bare').slice(0, 12), /cut short/],
    ['a file cut in its code', fixtureBytes('o0-bare').slice(0, 0x140), /cut short: \d+ bytes/],
    ['a file cut in its section headers', fixtureBytes('o0-bare').slice(0, -40), /cut short or damaged/],
    ['a file without segments', changed('o0-bare', (view) => view.setUint16(56, 0, true)), /no loadable segment/],
  ];
  for (const [name, bytes, expected] of cases)
    it(`: ${name}`, () => assert.match(describeUnusable(bytes) ?? 'usable', expected));

  it('but a good program is not', () => assert.equal(describeUnusable(fixtureBytes('o0-bare')), undefined));
});

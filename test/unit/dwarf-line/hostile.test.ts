import assert from 'node:assert/strict';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { LineIndex } from '../../../debug-adapter/symbols/dwarf/line/line-index';
import { joinPath, normalisePath } from '../../../debug-adapter/symbols/dwarf/line/paths';
import { ElfFile } from '../../../debug-adapter/symbols/elf/elf';
import { makeElf, TEXT, Writer } from '../../fixtures/elf/build-elf';
import { damaged, DEBUG_PROGRAMS, fixture, fixtureBytes } from '../../fixtures/elf/fixtures';

const OPERANDS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
const [COPY, ADVANCE_PC, ADVANCE_LINE, SET_FILE, NEGATE_STMT, PROLOGUE_END] = [1, 2, 3, 4, 6, 10];
const END = [0, 1, 1];

const setAddress = (address: number): Writer => new Writer().u8(0, 9, 2).u64(address);
/** A unit of version 2 to 4 with one directory and one file. */
function unit4(program: Writer, version = 4, lineRange = 14): Writer {
  const tables = new Writer().u8(1);
  if (version >= 4) tables.u8(1);
  tables.u8(1, 0xfb, lineRange, 13, ...OPERANDS);
  tables.text('lib').u8(0).text('a.c').uleb(0).uleb(0).uleb(0).text('b.c').uleb(1).uleb(0).uleb(0).u8(0);
  return new Writer().sized(new Writer().u16(version).sized(tables).add(program));
}
/** A unit of version 5 whose tables are given. */
function unit5(tables: Writer, program: Writer): Writer {
  const fixed = new Writer().u8(1, 1, 1, 0xfb, 14, 13, ...OPERANDS).add(tables);
  return new Writer().sized(new Writer().u16(5).u8(8, 0).sized(fixed).add(program));
}
const row = (address: number, line: number): Writer =>
  new Writer()
    .add(setAddress(address))
    .u8(ADVANCE_LINE)
    .sleb(line - 1)
    .u8(COPY);
const simple = row(TEXT, 7).u8(ADVANCE_PC).uleb(8).add(END);

const read = (section: Writer, compDir?: string): LineIndex | SymbolError =>
  LineIndex.build(makeElf({ '.debug_line': section }), compDir ? { compDir: () => compDir } : {});
function index(section: Writer, compDir?: string): LineIndex {
  const result = read(section, compDir);
  if (result instanceof SymbolError) throw result;
  return result;
}
function errorOf(section: Writer): string {
  const result = read(section);
  assert.ok(result instanceof SymbolError, 'should be an error');
  return result.message;
}

describe('A line number program', () => {
  it('takes the compilation directory of its unit before version 5', () => {
    const program = row(TEXT, 7).u8(ADVANCE_PC, 8, SET_FILE, 2, COPY, ADVANCE_PC, 8).add(END);
    assert.deepEqual(
      index(unit4(program), '/home/me/../app').files.map(({ path }) => path),
      ['/home/app/a.c', '/home/app/lib/b.c'],
    );
    assert.deepEqual(
      index(unit4(program)).files.map(({ path }) => path),
      ['a.c', 'lib/b.c'],
    );
  });

  it('keeps the MD5 of its files in version 5', () => {
    const tables = new Writer().u8(1).uleb(1).uleb(8).uleb(1).text('/src');
    tables.u8(3).uleb(1).uleb(8).uleb(2).uleb(11).uleb(5).uleb(0x1e).uleb(1).text('a.c').u8(0);
    tables.add(Array.from({ length: 16 }, (_, i) => i));
    const program = new Writer().u8(SET_FILE, 0).add(simple);
    assert.deepEqual(index(unit5(tables, program)).files, [
      { path: '/src/a.c', name: 'a.c', directory: '/src', md5: '000102030405060708090a0b0c0d0e0f' },
    ]);
  });

  it('marks the end of the prologue', () => {
    const program = row(TEXT, 3).u8(ADVANCE_PC, 4, COPY, ADVANCE_PC, 4, PROLOGUE_END, COPY, ADVANCE_PC, 4).add(END);
    assert.equal(index(unit4(program)).afterPrologue(TEXT, TEXT + 12), TEXT + 8);
  });

  it('is read in version 2, without maximum_operations_per_instruction', () => {
    assert.deepEqual(index(unit4(simple, 2)).addressesOf(0, 7), [TEXT]);
  });

  it('of a function that the linker removed is ignored', () => {
    const removed = row(0, 5).u8(ADVANCE_PC).uleb(0x1800).add(END);
    const result = index(new Writer().add(unit4(removed)).add(unit4(simple)));
    assert.equal(result.rowAt(4), undefined);
    assert.equal(result.rowAt(TEXT + 4)!.line, 7);
    assert.deepEqual(result.lines(0), [7]);
  });

  it('does not stop on rows that begin no statement', () => {
    const program = new Writer().u8(NEGATE_STMT).add(simple);
    assert.deepEqual(index(unit4(program)).lines(0), []);
  });

  it('with two rows at one address means the later one, and the earlier one only as a last resort', () => {
    const program = row(TEXT, 7).u8(ADVANCE_LINE).sleb(1).u8(COPY, ADVANCE_PC, 8).add(END);
    const result = index(unit4(program));
    assert.equal(result.rowAt(TEXT)!.line, 8);
    assert.deepEqual([result.addressesOf(0, 7), result.addressesOf(0, 8)], [[TEXT], [TEXT]]);
  });

  it('whose addresses go backwards is put in order', () => {
    const program = row(TEXT + 8, 9)
      .add(setAddress(TEXT))
      .u8(COPY)
      .add(setAddress(TEXT + 16))
      .add(END);
    const result = index(unit4(program));
    assert.equal(result.rowAt(TEXT)!.end, TEXT + 8);
  });
});

describe('A damaged line table', () => {
  it('whose entries have no description cannot claim any number of them', () => {
    assert.match(errorOf(unit5(new Writer().u8(0).uleb(0xffff_ffffn), simple)), /entries without a description/);
  });
  it('cannot claim more directories or files than its bytes hold', () => {
    assert.match(errorOf(unit5(new Writer().u8(1).uleb(1).uleb(8).uleb(1e9).text('/'), simple)), /do not fit/);
  });
  it('cannot use forms that take no bytes', () => {
    assert.match(errorOf(unit5(new Writer().u8(1).uleb(1).uleb(0x19).uleb(100), simple)), /form 0x19 is not allowed/);
  });
  it('cannot divide by a line range of zero', () => assert.match(errorOf(unit4(simple, 4, 0)), /line_range is 0/));
  it('of an unknown version is named', () => assert.match(errorOf(unit4(simple, 6)), /version 6 is not supported/));
  it('with a reserved unit length is refused', () =>
    assert.match(errorOf(new Writer().u32(0xfffffff5)), /^\.debug_line\+0x0: unit length 0xfffffff5 is reserved/));
  it('that ends beyond its section is refused', () =>
    assert.match(errorOf(new Writer().u32(1000).u16(4)), /needs 1000 bytes/));
  it('whose address overflows is refused', () => {
    const program = row(TEXT, 1)
      .u8(ADVANCE_PC)
      .uleb(2 ** 52)
      .u8(ADVANCE_PC)
      .uleb(2 ** 53 - 1)
      .u8(COPY);
    assert.match(errorOf(unit4(program)), /address out of range/);
  });
  it('costs its own unit only', () => {
    const result = index(new Writer().add(unit4(simple, 9)).add(unit4(simple)));
    assert.equal(result.rowAt(TEXT)!.line, 7);
    assert.match(result.problems[0]!.message, /version 9/);
  });
  it('may refer to files it does not declare: such code has no source', () => {
    const result = index(unit4(new Writer().u8(SET_FILE).uleb(99).add(simple)));
    assert.equal(result.rowAt(TEXT), undefined);
    assert.equal(result.files.length, 0);
  });
  it('without an end marker has no extent', () => {
    assert.equal(index(new Writer().add(unit4(row(TEXT, 7))).add(unit4(simple))).rowsIn(0, 0x9000).length, 2);
  });

  it('never throws and always ends, whatever bytes are changed', () => {
    let read = 0;
    for (const [seed, name] of DEBUG_PROGRAMS.entries()) {
      const elf = fixture(name);
      const { offset, size } = elf.sectionNamed('.debug_line')!;
      for (const bytes of damaged(fixtureBytes(name), 700, seed + 1, offset, offset + size)) {
        const copy = ElfFile.parse(bytes);
        const result = copy instanceof SymbolError ? copy : LineIndex.build(copy);
        if (result instanceof SymbolError) continue;
        read++;
        for (const file of result.files.keys())
          for (const line of result.lines(file)) {
            for (const address of result.addressesOf(file, line)) result.rowAt(address);
            result.rangesOfLine(file, line, 0, 2 ** 40);
          }
        result.rowsIn(-(2 ** 50), 2 ** 50);
        result.afterPrologue(TEXT, 2 ** 40);
      }
    }
    assert.ok(read > 500);
  });
});

describe('Paths', () => {
  it('are joined and normalised as text', () => {
    assert.equal(normalisePath('/a/./b//../c.c'), '/a/c.c');
    assert.equal(normalisePath('/../../x.c'), '/x.c');
    assert.equal(normalisePath('../x/../y.c'), '../y.c');
    assert.equal(normalisePath('C:\\work\\..\\a\\b.c'), 'C:/a/b.c');
    assert.equal(normalisePath('\\\\host\\share\\b.c'), '//host/share/b.c');
    assert.equal(normalisePath('odd\\name.c'), 'odd\\name.c');
    assert.equal(joinPath('/a', '/b.c'), '/b.c');
    assert.equal(joinPath(undefined, 'b.c'), 'b.c');
  });
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { LineIndex } from '../../../debug-adapter/symbols/dwarf/line/line-index';
import { DEBUG_PROGRAMS, fixture, fixtureText, marker } from '../../fixtures/elf/fixtures';

const COMP_DIR = '/fixtures';

function indexOf(name: string): LineIndex {
  const index = LineIndex.build(fixture(name), { compDir: () => COMP_DIR });
  if (index instanceof SymbolError) throw index;
  return index;
}
const fileOf = (index: LineIndex, name: string): number => index.fileIndex(`${COMP_DIR}/${name}`)!;

/** Rows of `objdump --dwarf=decodedline`: file name, line, address, is_stmt; the end marker has `-` (newer) or nothing. */
function goldenRows(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\S+)\s+(\d+|-)\s+(0x[0-9a-f]+)(?:\s+(?:\d+|END))?(\s+x)?(?:\s+END)?$/.exec(line);
    if (!match) return [];
    const end = match[2] === '-';
    return [end ? `end ${match[3]}` : `${match[1]}:${match[2]} ${match[3]}${match[4] ? ' stmt' : ''}`];
  });
}

describe('Line tables agree with objdump', () => {
  for (const name of DEBUG_PROGRAMS)
    it(`: ${name}`, () => {
      const index = indexOf(name);
      const rows = index.rowsIn(0, 0x10000000).map(({ address, file, line, isStmt, endSequence }) => {
        const at = `0x${address.toString(16)}`;
        return endSequence ? `end ${at}` : `${index.files[file]!.name}:${line} ${at}${isStmt ? ' stmt' : ''}`;
      });
      const golden = goldenRows(fixtureText(`${name}.lines.txt`));
      assert.ok(golden.length > 30);
      assert.deepEqual(rows, golden);
      assert.deepEqual(index.problems, []);
    });
});

describe('Lines and addresses', () => {
  it('have absolute, normalised paths in DWARF 5 without help, and through the unit before', () => {
    const paths = (index: LineIndex | SymbolError): string[] =>
      index instanceof SymbolError ? [] : index.files.map(({ path }) => path).sort();
    assert.deepEqual(paths(LineIndex.build(fixture('o0-dwarf5'))), ['/fixtures/chain.c', '/fixtures/twice.h']);
    assert.deepEqual(paths(indexOf('o1-dwarf4')), ['/fixtures/chain.c', '/fixtures/twice.h']);
  });

  it('lead from a line to an address and back', () => {
    for (const name of DEBUG_PROGRAMS) {
      const index = indexOf(name);
      for (const [file] of index.files.entries())
        for (const line of index.lines(file))
          for (const address of index.addressesOf(file, line)) {
            const rows = index.rowsIn(address, address + 1).filter((row) => row.file === file && row.line === line);
            assert.ok(
              rows.some(({ isStmt }) => isStmt),
              `${name} ${line}`,
            );
          }
    }
  });

  it('stop a plain line at one address and the head of a loop at its two blocks', () => {
    const index = indexOf('o0-dwarf5');
    const chain = fileOf(index, 'chain.c');
    const body = index.addressesOf(chain, marker('chain.c', 'loop'));
    const head = index.addressesOf(chain, marker('chain.c', 'loop') - 1);
    assert.equal(body.length, 1);
    assert.equal(head.length, 2);
    assert.ok(head[0]! < body[0]! && body[0]! < head[1]!);
  });

  it('find the line of an inlined header', () => {
    const index = indexOf('o1-dwarf4');
    const twice = fileOf(index, 'twice.h');
    assert.ok(index.addressesOf(twice, marker('twice.h', 'inlined')).length > 0);
  });

  it('move a breakpoint on a comment to the next line that has code', () => {
    const index = indexOf('o0-dwarf5');
    const chain = fileOf(index, 'chain.c');
    const leaf = marker('chain.c', 'leaf');
    assert.deepEqual(index.addressesOf(chain, leaf - 2), []);
    assert.equal(index.nextLineWithCode(chain, leaf - 2), leaf - 1);
    assert.equal(index.nextLineWithCode(chain, leaf), leaf);
    assert.equal(index.nextLineWithCode(chain, 10_000), undefined);
  });

  it('cover every address of a function by exactly one range', () => {
    for (const name of DEBUG_PROGRAMS) {
      const elf = fixture(name);
      const index = indexOf(name);
      const wide = elf.symbolNamed('wide')!;
      for (let at = wide.value; at < wide.value + wide.size;) {
        const span = index.rowAt(at)!;
        assert.equal(span.start, at);
        assert.deepEqual(index.rowAt(span.end - 1), span);
        at = span.end;
      }
    }
  });

  it('give the ranges that a step over a line has to leave', () => {
    const index = indexOf('o0-dwarf5');
    const wide = fixture('o0-dwarf5').symbolNamed('wide')!;
    const chain = fileOf(index, 'chain.c');
    const ranges = index.rangesOfLine(chain, marker('chain.c', 'loop') - 1, wide.value, wide.value + wide.size);
    assert.equal(ranges.length, 2);
    for (const [start, end] of ranges)
      for (let at = start; at < end; at += 2) assert.equal(index.rowAt(at)!.line, marker('chain.c', 'loop') - 1);
  });

  it('put the end of the prologue at the second line entry where the compiler does not mark it', () => {
    const index = indexOf('o0-dwarf5');
    const leaf = fixture('o0-dwarf5').symbolNamed('leaf')!;
    const after = index.afterPrologue(leaf.value, leaf.value + leaf.size);
    assert.ok(after > leaf.value);
    assert.equal(index.rowAt(after)!.line, marker('chain.c', 'leaf'));
  });

  it('end the prologue where the compiler marks it, and know the MD5 of the source', () => {
    const index = indexOf('clang-dwarf5');
    const leaf = fixture('clang-dwarf5').symbolNamed('leaf')!;
    const after = index.afterPrologue(leaf.value, leaf.value + leaf.size);
    assert.equal(index.rowAt(after)!.line, marker('chain.c', 'leaf'));
    assert.ok(index.rowsIn(after, after + 1)[0]!.prologueEnd);
    const md5 = createHash('md5').update(fixtureText('chain.c')).digest('hex');
    assert.equal(index.files[fileOf(index, 'chain.c')]!.md5, md5);
  });

  it('say nothing about addresses outside the code', () => {
    const index = indexOf('o0-dwarf2');
    assert.equal(index.rowAt(0xfff), undefined);
    assert.equal(index.rowAt(-1), undefined);
    assert.deepEqual(index.rowsIn(0, 0x1000), []);
  });

  it('are an error with a remedy in a program without debug information', () => {
    const error = LineIndex.build(fixture('o0-bare'));
    assert.ok(error instanceof SymbolError);
    assert.match(error.message, /compile with -g/);
  });
});

import assert from 'node:assert/strict';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { FrameTable, type UnwindRow } from '../../../debug-adapter/symbols/dwarf/frame/frame-table';
import { ElfFile } from '../../../debug-adapter/symbols/elf/elf';
import { makeElf, TEXT, Writer } from '../../fixtures/elf/build-elf';
import { damaged, DEBUG_PROGRAMS, fixture, fixtureBytes } from '../../fixtures/elf/fixtures';

const FRAME_ADDRESS = 0x8000;
const DEF_CFA = 0x0c;
const DEFINE_SP = [DEF_CFA, 2, 0];
const PCREL_SDATA4 = 0x1b;

interface CieOptions {
  readonly version?: number;
  readonly augmentation?: string;
  readonly data?: Writer;
  readonly code?: number;
  readonly align?: number;
}

/** A CIE in the manner of `.debug_frame`. */
function cie(
  instructions: readonly number[],
  { version = 1, augmentation = '', data, code = 1, align = -8 }: CieOptions = {},
) {
  const body = new Writer().u32(0xffffffff).u8(version).text(augmentation);
  if (version === 4) body.u8(8, 0);
  body.uleb(code).sleb(align).uleb(1);
  if (data) body.uleb(data.list.length).add(data);
  return new Writer().sized(body.add(instructions));
}
/** An FDE of the CIE at offset 0. */
const fde = (instructions: readonly number[] | Writer, low = TEXT, size = 0x100, at = 0): Writer =>
  new Writer().sized(new Writer().u32(at).u64(low).u64(size).add(instructions));

const tableOf = (section: Writer): FrameTable => FrameTable.open(makeElf({ '.debug_frame': section }));
function rowAt(instructions: readonly number[] | Writer, pc = TEXT, options: CieOptions = {}): UnwindRow | SymbolError {
  const row = tableOf(cie(DEFINE_SP, options).add(fde(instructions))).rowFor(pc);
  assert.ok(row);
  return row;
}
function good(row: UnwindRow | SymbolError | undefined): UnwindRow {
  assert.ok(row && !(row instanceof SymbolError), String(row));
  return row;
}

describe('Call frame instructions', () => {
  it('define the CFA by register and offset', () => {
    assert.deepEqual(good(rowAt([0x0e, 32])).cfa, { kind: 'register', register: 2, offset: 32 });
    assert.deepEqual(good(rowAt([0x0e, 32, 0x0d, 8])).cfa, { kind: 'register', register: 8, offset: 32 });
    assert.deepEqual(
      good(rowAt([0x12, 8, 0x7e])).cfa,
      { kind: 'register', register: 8, offset: 16 },
      'factored, signed',
    );
    assert.deepEqual(good(rowAt([0x13, 0x7c])).cfa, { kind: 'register', register: 2, offset: 32 });
    assert.deepEqual(good(rowAt([0x0f, 2, 0x72, 0])).cfa, { kind: 'expression', bytes: Uint8Array.of(0x72, 0) });
  });

  it('hold from their location on', () => {
    const instructions = new Writer()
      .u8(0x42, 0x0e, 16, 0x02, 8, 0x0e, 32, 0x03)
      .u16(0x10)
      .u8(0x0e, 48, 0x04)
      .u32(0x10)
      .u8(0x0e, 64);
    for (const [pc, offset] of [
      [0, 0],
      [1, 0],
      [2, 16],
      [9, 16],
      [10, 32],
      [26, 48],
      [42, 64],
      [0xff, 64],
    ] as const) {
      const row = good(rowAt(instructions, TEXT + pc));
      assert.deepEqual(row.cfa, { kind: 'register', register: 2, offset }, `at +${pc}`);
    }
  });

  it('advance by the code alignment and may set the location', () => {
    assert.equal(good(rowAt([0x41, 0x0e, 16], TEXT + 3, { code: 4 })).cfa?.kind, 'register');
    assert.deepEqual(good(rowAt([0x41, 0x0e, 16], TEXT + 3, { code: 4 })).cfa, {
      kind: 'register',
      register: 2,
      offset: 0,
    });
    assert.deepEqual(good(rowAt([0x41, 0x0e, 16], TEXT + 4, { code: 4 })).cfa, {
      kind: 'register',
      register: 2,
      offset: 16,
    });
    const set = new Writer()
      .u8(0x01)
      .u64(TEXT + 8)
      .u8(0x0e, 16);
    assert.deepEqual(good(rowAt(set, TEXT + 8)).cfa, { kind: 'register', register: 2, offset: 16 });
  });

  const rules: [string, number[], unknown][] = [
    ['DW_CFA_offset', [0x81, 1], { kind: 'offset', offset: -8 }],
    ['DW_CFA_offset_extended', [0x05, 1, 2], { kind: 'offset', offset: -16 }],
    ['DW_CFA_offset_extended_sf', [0x11, 1, 0x7f], { kind: 'offset', offset: 8 }],
    ['DW_CFA_GNU_negative_offset_extended', [0x2f, 1, 1], { kind: 'offset', offset: 8 }],
    ['DW_CFA_val_offset', [0x14, 1, 1], { kind: 'valOffset', offset: -8 }],
    ['DW_CFA_val_offset_sf', [0x15, 1, 0x7f], { kind: 'valOffset', offset: 8 }],
    ['DW_CFA_undefined', [0x07, 1], { kind: 'undefined' }],
    ['DW_CFA_same_value', [0x08, 1], { kind: 'sameValue' }],
    ['DW_CFA_register', [0x09, 1, 5], { kind: 'register', register: 5 }],
    ['DW_CFA_expression', [0x10, 1, 1, 0x96], { kind: 'expression', bytes: Uint8Array.of(0x96) }],
    ['DW_CFA_val_expression', [0x16, 1, 1, 0x96], { kind: 'valExpression', bytes: Uint8Array.of(0x96) }],
    ['DW_CFA_restore', [0x81, 1, 0xc1], undefined],
    ['DW_CFA_restore_extended', [0x81, 1, 0x06, 1], undefined],
    ['DW_CFA_GNU_args_size, which changes nothing,', [0x81, 1, 0x2e, 16], { kind: 'offset', offset: -8 }],
    ['DW_CFA_restore_state', [0x81, 1, 0x0a, 0x81, 2, 0x0b], { kind: 'offset', offset: -8 }],
  ];
  for (const [name, instructions, expected] of rules)
    it(`${name} gives the rule of a register`, () =>
      assert.deepEqual(good(rowAt(instructions)).rules.get(1), expected));

  it('DW_CFA_restore returns to what the CIE set up, and restore_state brings the CFA back', () => {
    const table = tableOf(cie([...DEFINE_SP, 0x81, 3]).add(fde([0x0a, 0x81, 1, 0xc1, 0x0e, 64, 0x0b])));
    const row = good(table.rowFor(TEXT));
    assert.deepEqual(row.rules.get(1), { kind: 'offset', offset: -24 });
    assert.deepEqual(row.cfa, { kind: 'register', register: 2, offset: 0 });
  });

  for (const version of [1, 3, 4])
    it(`are read from a CIE of version ${version}`, () =>
      assert.deepEqual(good(rowAt([0x81, 1], TEXT, { version })).rules.get(1), { kind: 'offset', offset: -8 }));
});

describe('.eh_frame', () => {
  /** One CIE and one FDE; `encoding` is the FDE's. */
  function ehFrame(encoding: number, pointers: (at: number) => Writer, augmentation = 'zR', data?: Writer): ElfFile {
    const body = new Writer().u32(0).u8(1).text(augmentation).uleb(1).sleb(-8).u8(1);
    const augmentationData = data ?? new Writer().u8(encoding);
    body.uleb(augmentationData.list.length).add(augmentationData).add(DEFINE_SP);
    const section = new Writer().sized(body);
    const start = section.list.length;
    const at = FRAME_ADDRESS + start + 8;
    section
      .sized(
        new Writer()
          .u32(start + 4)
          .add(pointers(at))
          .uleb(0)
          .u8(0x81, 1),
      )
      .u32(0);
    return makeElf({ '.eh_frame': section }, [], { '.eh_frame': FRAME_ADDRESS });
  }
  const signed = (value: number, size: 16 | 32): number => Number(BigInt.asUintN(size, BigInt(value)));
  const cases: [string, number, (at: number) => Writer][] = [
    ['relative to the pointer, four bytes', 0x1b, (at) => new Writer().u32(signed(TEXT - at, 32)).u32(0x100)],
    ['relative to the pointer, two bytes', 0x1a, (at) => new Writer().u16(signed(TEXT - at, 16)).u16(0x100)],
    ['absolute, the size of an address', 0x00, () => new Writer().u64(TEXT).u64(0x100)],
    ['absolute, four bytes unsigned', 0x03, () => new Writer().u32(TEXT).u32(0x100)],
    ['absolute, LEB128', 0x01, () => new Writer().uleb(TEXT).uleb(0x100)],
    ['relative to .text', 0x2b, () => new Writer().u32(0).u32(0x100)],
  ];
  for (const [name, encoding, pointers] of cases)
    it(`may encode addresses ${name}`, () => {
      const table = FrameTable.open(ehFrame(encoding, pointers));
      assert.deepEqual(table.problems, []);
      assert.deepEqual(good(table.rowFor(TEXT)).rules.get(1), { kind: 'offset', offset: -8 });
      assert.equal(table.rowFor(TEXT + 0x100), undefined);
    });

  it('marks frames of signals, and may name a personality and a language data area', () => {
    const data = new Writer().u8(0x00).u64(0x1234).u8(PCREL_SDATA4, PCREL_SDATA4);
    const elf = ehFrame(0, (at) => new Writer().u32(signed(TEXT - at, 32)).u32(0x100), 'zPLRS', data);
    assert.equal(good(FrameTable.open(elf).rowFor(TEXT)).signalFrame, true);
  });

  it('names a pointer it cannot follow', () => {
    const table = FrameTable.open(ehFrame(0x9b, () => new Writer().u32(0).u32(0x100)));
    assert.match(table.problems[0]!.message, /\.eh_frame\+.*pointer to a pointer/);
  });
});

describe('Damaged call frame information', () => {
  const errorOf = (row: UnwindRow | SymbolError | undefined): string => {
    assert.ok(row instanceof SymbolError);
    return row.message;
  };
  it('with an unknown instruction is an error of its function', () =>
    assert.match(errorOf(rowAt([0x3f, 0])), /^\.debug_frame\+0x.*instruction 0x3f is unknown/));
  it('with an operand beyond its end is an error', () =>
    assert.match(errorOf(rowAt([0x05, 1])), /needs 1 bytes, 0 remain/));
  it('cannot restore what was not remembered', () => assert.match(errorOf(rowAt([0x0b])), /not remembered/));
  it('cannot remember without end', () =>
    assert.match(errorOf(rowAt(new Array<number>(65).fill(0x0a))), /more than 64 remembered/));
  it('cannot have rules for any number of registers', () => {
    const many = new Writer();
    for (let register = 0; register < 300; register++) many.u8(0x08).uleb(register);
    assert.match(errorOf(rowAt(many)), /more than 256 registers/);
  });
  it('cannot change the offset of a CFA that is an expression', () =>
    assert.match(errorOf(rowAt([0x0f, 1, 0x96, 0x0e, 8])), /not register and offset/));
  it('cannot run without end', () =>
    assert.match(errorOf(rowAt(new Writer().add(new Array<number>(100_001).fill(0)))), /more than 100000/));
  it('that refers to a missing CIE, an FDE or itself costs that function only', () => {
    for (const at of [0x1000, 0x10, 28, 0xfffffff0]) {
      const section = cie(DEFINE_SP);
      const table = tableOf(section.add(fde([], TEXT, 0x10, at)).add(fde([], TEXT + 0x10, 0x10)));
      assert.equal(table.rowFor(TEXT), undefined, `CIE pointer ${at}`);
      assert.ok(good(table.rowFor(TEXT + 0x10)));
      assert.equal(table.problems.length, 1);
    }
  });
  it('of an unknown version or augmentation is named', () => {
    assert.match(tableOf(cie([], { version: 9 }).add(fde([]))).problems[0]!.message, /version 9/);
    assert.match(
      tableOf(cie([], { augmentation: 'armcc+' }).add(fde([]))).problems[0]!.message,
      /augmentation "armcc\+"/,
    );
  });
  it('of a function that the linker removed is ignored', () => {
    const table = tableOf(
      cie(DEFINE_SP)
        .add(fde([0x0e, 99], 0, 0x1100))
        .add(fde([])),
    );
    assert.deepEqual(good(table.rowFor(TEXT)).cfa, { kind: 'register', register: 2, offset: 0 });
  });
  it('with a reserved or too long length ends the section', () => {
    for (const length of [0xfffffff1, 0x7fffffff])
      assert.equal(tableOf(cie(DEFINE_SP).add(fde([])).add(new Writer().u32(length))).problems.length, 1);
  });

  it('never throws and always ends, whatever bytes are changed', () => {
    let rows = 0;
    for (const [seed, name] of DEBUG_PROGRAMS.entries()) {
      const elf = fixture(name);
      const section = elf.sectionNamed('.debug_frame') ?? elf.sectionNamed('.eh_frame')!;
      const functions = elf.symbols().filter(({ type }) => type === 2);
      for (const bytes of damaged(fixtureBytes(name), 700, seed + 40, section.offset, section.offset + section.size)) {
        const copy = ElfFile.parse(bytes);
        if (copy instanceof SymbolError) continue;
        const table = FrameTable.open(copy);
        for (const { value, size } of functions)
          for (let at = value; at < value + size; at += 4) if (table.rowFor(at)) rows++;
      }
    }
    assert.ok(rows > 1000);
  });
});

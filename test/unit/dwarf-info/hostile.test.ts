import assert from 'node:assert/strict';
import { MAX_ATTRIBUTES } from '../../../debug-adapter/symbols/dwarf/info/abbreviations';
import { At, Ate, Form, Tag } from '../../../debug-adapter/symbols/dwarf/info/constants';
import { DebugInfo } from '../../../debug-adapter/symbols/dwarf/info/debug-info';
import { describeType, sizeOf, strip, typeName } from '../../../debug-adapter/symbols/dwarf/info/model';
import { buildUnit, Bytes, ref, sectionsOf, type RawEntry, type UnitOptions } from './builder';

const name = (text: string): readonly [number, number, string] => [At.name, Form.string, text];
const code = [
  [At.low_pc, Form.addr, 0x1000],
  [At.high_pc, Form.data4, 0x100],
] as const;
const int: RawEntry = {
  tag: Tag.base_type,
  label: 'int',
  attributes: [name('int'), [At.byte_size, Form.data1, 4], [At.encoding, Form.data1, Ate.signed]],
};

function infoWith(
  children: readonly RawEntry[],
  options: UnitOptions = {},
  more: Record<string, Uint8Array> = {},
): DebugInfo {
  return new DebugInfo(
    buildUnit({ tag: Tag.compile_unit, attributes: [name('hostile.c'), ...code], children }, options, more),
  );
}

/** A variable `x` at file scope whose type is the labelled entry. */
const variable = (label: string): RawEntry => ({
  tag: Tag.variable,
  attributes: [name('x'), [At.type, Form.ref4, ref(label)]],
});
const typeOfX = (info: DebugInfo) => info.globalNamed('x')!.type;

describe('Hostile debug information', () => {
  describe('references that lead back to themselves', () => {
    it('a typedef of itself is an unknown type with the reason', () => {
      const loop = { tag: Tag.typedef, label: 't', attributes: [name('t'), [At.type, Form.ref4, ref('t')]] } as const;
      const type = typeOfX(infoWith([loop, variable('t')]));
      const actual = strip(type);
      assert.equal(actual.kind, 'unknown');
      assert.match(actual.kind === 'unknown' ? actual.reason : '', /by itself/);
      assert.equal(sizeOf(type), undefined);
      assert.equal(typeName(type), 't');
    });

    it('a pointer to itself has a name that ends', () => {
      const loop = { tag: Tag.pointer_type, label: 'p', attributes: [[At.type, Form.ref4, ref('p')]] } as const;
      const text = typeName(typeOfX(infoWith([loop, variable('p')])));
      assert.match(text, /^… \*+$/);
      assert.ok(text.length < 100);
    });

    it('an array of itself has no size, and a function that returns itself a name that ends', () => {
      const array = {
        tag: Tag.array_type,
        label: 'a',
        attributes: [[At.type, Form.ref4, ref('a')]],
        children: [{ tag: Tag.subrange_type, attributes: [[At.count, Form.data1, 2]] }],
      } as const;
      const type = typeOfX(infoWith([array, variable('a')]));
      assert.equal(sizeOf(type), undefined);
      assert.ok(typeName(type).length < 500);
      const fn = {
        tag: Tag.subroutine_type,
        label: 'f',
        attributes: [[At.type, Form.ref4, ref('f')]],
        children: [{ tag: Tag.formal_parameter, attributes: [[At.type, Form.ref4, ref('f')]] }],
      } as const;
      assert.ok(typeName(typeOfX(infoWith([fn, variable('f')]))).length <= 400);
    });

    it('a struct that contains itself is described once per level and not forever', () => {
      const struct = {
        tag: Tag.structure_type,
        label: 's',
        attributes: [[At.byte_size, Form.data1, 8]],
        children: [{ tag: Tag.member, attributes: [name('s'), [At.type, Form.ref4, ref('s')]] }],
      } as const;
      assert.ok(describeType(typeOfX(infoWith([struct, variable('s')]))).length < 10_000);
    });

    it('an abstract origin that is the entry itself, or a ring of two, gives a function without a name', () => {
      const self = {
        tag: Tag.subprogram,
        label: 'a',
        attributes: [...code, [At.abstract_origin, Form.ref4, ref('a')]],
      } as const;
      assert.equal(infoWith([self]).functionAt(0x1010)!.name, '<unnamed>');
      const one = {
        tag: Tag.subprogram,
        label: 'b',
        attributes: [...code, [At.abstract_origin, Form.ref4, ref('c')]],
      } as const;
      const two = { tag: Tag.subprogram, label: 'c', attributes: [[At.specification, Form.ref4, ref('b')]] } as const;
      const info = infoWith([one, two]);
      assert.equal(info.functionAt(0x1010)!.name, '<unnamed>');
      assert.deepEqual(info.variablesAt(0x1010), []);
    });
  });

  describe('bytes that contradict themselves', () => {
    it('an abbreviation that is not declared spoils its unit, and the problem names section and offset', () => {
      const sections = sectionsOf({
        '.debug_info': new Bytes().u32(8).u16(4).u32(0).u8(8, 77).done,
        '.debug_abbrev': Uint8Array.of(0),
      });
      const info = new DebugInfo(sections);
      assert.equal(info.functionAt(0x1000), undefined);
      assert.equal(info.problems[0]?.message, '.debug_info+0xb: abbreviation 77 is not declared');
    });

    it('a unit that is longer than its section is a problem and not a read beyond the end', () => {
      const info = infoWith([int], { length: 0x7fffffff });
      assert.deepEqual(info.units(), []);
      assert.match(info.problems[0]!.message, /a unit of 2147483647 bytes, \d+ remain/);
    });

    it('an unsupported version costs its unit only', () => {
      const good = buildUnit({ tag: Tag.compile_unit, attributes: [name('good.c')] });
      const bad = new Bytes().u32(7).u16(9).u32(0).u8(8).done;
      const joined = new Bytes().add(bad).add(good.section('.debug_info')!).done;
      const info = new DebugInfo(
        sectionsOf({ '.debug_info': joined, '.debug_abbrev': good.section('.debug_abbrev')! }),
      );
      assert.deepEqual(
        info.units().map((unit) => unit.name),
        ['good.c'],
      );
      assert.match(info.problems[0]!.message, /DWARF version 9 is not supported/);
    });

    it('an unknown form is reported where it stands', () => {
      const info = infoWith([{ tag: Tag.variable, attributes: [[At.name, 0x77, 0]] }]);
      assert.equal(info.globalNamed('x'), undefined);
      assert.ok(info.problems.some((problem) => /unknown attribute form 0x77/.test(problem.message)));
    });

    it('DW_FORM_indirect may not name itself', () => {
      const info = infoWith([
        { tag: Tag.variable, attributes: [[At.name, Form.indirect, Uint8Array.of(Form.indirect, Form.indirect)]] },
      ]);
      assert.equal(info.globalNamed('x'), undefined);
      assert.ok(info.problems.some((problem) => /names a form it may not/.test(problem.message)));
    });

    it('a block that is longer than the unit is refused', () => {
      const info = infoWith([{ tag: Tag.variable, attributes: [[At.location, Form.block4, 0xffffffff]] }]);
      assert.equal(info.globalNamed('x'), undefined);
      assert.ok(info.problems.some((problem) => /needs 4294967295 bytes/.test(problem.message)));
    });

    it('a type that is no entry, or an entry that is no type, is an unknown type', () => {
      const nowhere = infoWith([{ tag: Tag.variable, attributes: [name('x'), [At.type, Form.ref4, 0x0e]] }]);
      const problem = typeOfX(nowhere);
      assert.match(problem.kind === 'unknown' ? problem.reason : '', /does not point at an entry/);
      const label = typeOfX(infoWith([{ tag: Tag.label, label: 'l' }, variable('l')]));
      assert.match(label.kind === 'unknown' ? label.reason : '', /is not a type/);
      const far = infoWith([{ tag: Tag.variable, attributes: [name('x'), [At.type, Form.ref_addr, 0xffffff]] }]);
      const outside = typeOfX(far);
      assert.match(outside.kind === 'unknown' ? outside.reason : '', /outside every unit/);
    });

    it('strings and indices outside their sections leave the entry without a name', () => {
      for (const [form, value] of [
        [Form.strp, 0x1000],
        [Form.line_strp, 0x1000],
        [Form.strx1, 200],
      ] as const) {
        const info = infoWith([{ tag: Tag.subprogram, attributes: [...code, [At.name, form, value]] }], { version: 5 });
        assert.equal(info.functionAt(0x1010), undefined);
        assert.ok(info.problems.length > 0);
      }
    });
  });

  describe('counts that promise too much', () => {
    it(`an entry with more than ${MAX_ATTRIBUTES} attributes is refused`, () => {
      const attributes = Array.from({ length: MAX_ATTRIBUTES + 1 }, () => [At.artificial, Form.flag_present] as const);
      const info = infoWith([{ tag: Tag.variable, attributes }]);
      assert.equal(info.globalNamed('x'), undefined);
      assert.ok(info.problems.some((problem) => /more than 512 attributes/.test(problem.message)));
    });

    it('entries may not nest without end', () => {
      let nested: RawEntry = { tag: Tag.lexical_block };
      for (let i = 0; i < 300; i++) nested = { tag: Tag.lexical_block, children: [nested] };
      const info = infoWith([{ tag: Tag.subprogram, attributes: [name('deep'), ...code], children: [nested] }]);
      assert.equal(info.functionAt(0x1010), undefined);
      assert.match(info.problems[0]!.message, /nest deeper than 200/);
    });

    it('an array of 2^60 elements has a type and no size', () => {
      const huge = {
        tag: Tag.array_type,
        label: 'a',
        attributes: [[At.type, Form.ref4, ref('int')]],
        children: [{ tag: Tag.subrange_type, attributes: [[At.count, Form.data8, 1n << 60n]] }],
      } as const;
      const type = typeOfX(infoWith([int, huge, variable('a')]));
      assert.equal(sizeOf(type), undefined);
      assert.equal(typeName(type), 'int []');
    });

    it('range lists that overlap each other are given up before they cost the square of their size', () => {
      const lists = new Bytes();
      for (let i = 0; i < 20_000; i++) lists.u64(1n).u64(2n);
      const functions = Array.from({ length: 2_000 }, (_, i) => ({
        tag: Tag.subprogram,
        attributes: [name('f'), [At.ranges, Form.sec_offset, 16 * i] as const],
      }));
      const info = infoWith(functions, {}, { '.debug_ranges': lists.u64(0n).u64(0n).done });
      assert.equal(info.functionAt(0x1010), undefined);
      assert.ok(info.problems.some((problem) => /range lists overlap/.test(problem.message)));
    });

    it('a range list without an end is a problem', () => {
      const info = infoWith(
        [{ tag: Tag.subprogram, attributes: [name('f'), [At.ranges, Form.sec_offset, 0]] }],
        {},
        { '.debug_ranges': new Bytes().u64(1n).u64(2n).done },
      );
      assert.equal(info.functionAt(0x1001), undefined);
      assert.match(info.problems[0]!.message, /\.debug_ranges\+0x10: needs 8 bytes, 0 remain/);
    });
  });

  it('no debug information at all is an empty program and no problem', () => {
    const info = new DebugInfo(sectionsOf({}));
    assert.deepEqual(info.units(), []);
    assert.equal(info.functionAt(0), undefined);
    assert.equal(info.globalNamed('x'), undefined);
    assert.deepEqual(info.problems, []);
  });
});

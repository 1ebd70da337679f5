import * as assert from 'node:assert/strict';
import { parseLibrary, parseSemantics } from '../../../emulator/isa/language/check';
import type { Statement } from '../../../emulator/isa/language/ir';

const FIELDS = new Set(['rd', 'rs1', 'rs2', 'imm', 'rm', 'csr', 'zimm']);
const NOTHING = parseLibrary([]);

const library = (text: string): ReturnType<typeof parseLibrary> => parseLibrary([{ title: 'library', text }]);
const row = (text: string, within = NOTHING): ReturnType<typeof parseSemantics> =>
  parseSemantics('row', text, FIELDS, within);
const one = (text: string, within = NOTHING): Statement => row(text, within).body[0]!;

function refused(text: string, message: RegExp): void {
  assert.throws(() => row(text), message);
}

describe('the row language', () => {
  it('reads an addition of a register and the immediate', () => {
    assert.deepEqual(one('rd = rs1 + imm'), {
      kind: 'setRegister',
      file: 'x',
      value: {
        kind: 'binary',
        type: 'i64',
        name: '+',
        left: { kind: 'register', type: 'i64', file: 'x', field: 'rs1' },
        right: { kind: 'immediate', type: 'i64' },
      },
    });
  });

  it('binds & ^ | tighter than comparisons, and shifts tighter than those', () => {
    const text = (statement: Statement): string =>
      JSON.stringify(statement, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v));
    assert.equal(text(one('rd = zext64(rs1 & 3 == 2)')), text(one('rd = zext64((rs1 & 3) == 2)')));
    assert.equal(text(one('rd = rs1 | rs2 & rs1 << 2')), text(one('rd = rs1 | (rs2 & (rs1 << 2))')));
    assert.equal(text(one('rd = rs1 - rs2 - 1')), text(one('rd = (rs1 - rs2) - 1')));
  });

  it('turns comparisons that are written with a greater-than', () => {
    const statement = one('rd = zext64(rs1 >u rs2)');
    assert.ok(statement.kind === 'setRegister' && statement.value.kind === 'unary');
    const { operand } = statement.value;
    assert.ok(operand.kind === 'binary' && operand.name === '<u');
    assert.ok(operand.left.kind === 'register' && operand.left.field === 'rs2');
  });

  it('tells `<s` from `<` before a name that begins with s', () => {
    const within = library('fn f(a: f64, sum: f64) -> bool { return a <sum; }');
    const [statement] = within.functions.get('f')!.body;
    assert.ok(statement?.kind === 'return' && statement.value?.kind === 'binary' && statement.value.name === '<');
  });

  it('gives a literal the type that stands beside or above it', () => {
    for (const text of ['rd = 1 + rs1', 'rd = rs1 + 1', 'rd = true ? 1 : rs1', 'let a: i32 = 1; rd = sext64(1 + a)'])
      row(text);
    refused('let a = 1', /^Error: row:1:9: what type has this number/);
    refused('rd = sext64(5i64)', /sext64 does not take i64/);
    refused('let a: i32 = 0x100000000', /does not fit in i32/);
  });

  it('takes an all-ones literal of either sign', () => {
    assert.deepEqual(one('rd = 0xffffffffffffffff'), one('rd = -1'));
  });

  it('marks a jump to pc + imm as relative, any other not', () => {
    assert.equal((one('jump(pc + imm)') as { relative: boolean }).relative, true);
    assert.equal((one('jump(imm + pc)') as { relative: boolean }).relative, false);
    assert.equal((one('jump(rs1 + imm)') as { relative: boolean }).relative, false);
  });

  it('knows which rows need the floating-point unit', () => {
    const within = library('fn set(a: i64) -> i64 { raise(1); return a; } fn pure(a: i64) -> i64 { return a; }');
    assert.equal(row('rd = rs1 + rs2').usesFloat, false);
    assert.equal(row('frd = rs1').usesFloat, true);
    assert.equal(row('rd = frs1').usesFloat, true);
    assert.equal(row('rd = set(rs1)', within).usesFloat, true);
    assert.equal(row('rd = pure(rs1)', within).usesFloat, false);
  });

  it('names line and column of a mistake', () => {
    refused('rd = rs1;\n  rd = rs1 ++ rs2', /^Error: row:2:13: expected name, found "\+"/);
    refused('rd = rs9', /rs9 has no meaning here/);
    refused('rd = low32(rs1)', /i32 where i64 is expected/);
    refused('rd = rs1 + low32(rs2)', /i32 where i64 is expected/);
    refused('rd = rs1 <s rs2', /bool where i64 is expected/);
    refused('rd = clz(rs1, rs2)', /clz takes 1 operands, not 2/);
    refused('let a = rs1; let a = rs2', /a is declared twice/);
    refused('let a = rs1; a = rs2', /a cannot be assigned/);
    refused('return rs1', /a row does not return/);
    refused('if (rs1) { illegal() }', /i64 where bool is expected/);
    refused('rd = rs1 $ rs2', /unexpected "\$"/);
    refused('rd = rs1 <s rs2 <s imm', /comparisons do not chain/);
    assert.throws(() => parseSemantics('row', 'rd = rs1 + imm', new Set(['rd', 'rs1']), NOTHING), /no field imm/);
  });

  it('keeps functions to computing: no registers, no memory, no traps', () => {
    for (const body of ['return rs1;', 'return load64(0);', 'illegal(); return 0;', 'jump(0); return 0;'])
      assert.throws(() => library(`fn f() -> i64 { ${body} }`), /library:1:/);
    assert.throws(() => library('fn f(a: bool) -> i64 { if (a) { return 1; } }'), /does not return on every path/);
  });

  it('lets files of a library use each other’s names, each defined once', () => {
    const parsed = parseLibrary([
      { title: 'a', text: 'fn f() -> i64 { return g(TWO); }' },
      { title: 'b', text: 'const TWO = 1 << 1; global high: i64; fn g(a: i64) -> i64 { high = a; return a; }' },
    ]);
    assert.equal(parsed.functions.size, 2);
    assert.throws(() => library('const A = 1; const A = 2;'), /A is defined twice/);
  });
});

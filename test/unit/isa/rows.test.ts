import assert from 'node:assert/strict';
import {
  EXTENSIONS,
  ISA_STRING,
  LETTER_BITS,
  MISA_EXTENSIONS,
  PRIVILEGED_ARCHITECTURE,
} from '../../../emulator/isa/extensions';
import { BASE_ROWS, ROWS } from '../../../emulator/isa/rows';
import { parseRow, rowSemantics, rowLibrary } from '../../../emulator/isa/semantics';
import { Op } from '../../../emulator/isa/op';
import { calledBy, eachStatement, everyExpression } from '../../../emulator/isa/language/walk';
import type { Expression, Statement } from '../../../emulator/isa/language/ir';
import { readEncoding, readOperands, type Row } from '../../../emulator/isa/row';

/** Names of operands that are read or written, as the semantics would name them: `rd`, `frs1`, `imm` for every immediate. */
function operandsOf(row: Row): Set<string> {
  const names = readOperands(row.operands).map((name) => name.replace(/\[.*|^pc\+/g, ''));
  return new Set(names.filter((name) => /^(f?r[ds][123]?|imm|shamt|csr|zimm|rm|value)$/.test(name)));
}

/** The same names as a row's text uses them. */
function usedBy(row: Row): Set<string> {
  const { body } = parseRow(row);
  const used = new Set<string>();
  eachStatement(body, (statement: Statement) => {
    if (statement.kind === 'setRegister') used.add(statement.file === 'f' ? 'frd' : 'rd');
  });
  everyExpression(body, (expression: Expression) => {
    if (expression.kind === 'register') used.add((expression.file === 'f' ? 'f' : '') + expression.field);
    if (expression.kind === 'rounding') used.add('rm');
  });
  for (const name of ['imm', 'shamt', 'csr', 'zimm'])
    if (new RegExp(`\\b${name}\\b`).test(row.semantics!)) used.add(name);
  return used;
}

describe('the semantics of the rows', () => {
  it('stand in every row of a 32-bit instruction, and in no compressed one', () => {
    for (const row of ROWS) assert.equal(row.semantics === undefined, row.expansion !== undefined, row.mnemonic);
  });

  it('are there for every operation', () => {
    assert.equal(rowSemantics().size, Op.COUNT - 1);
  });

  /** Operands that change nothing here, and rm of exact conversions, which is not shown. */
  const IGNORED: Readonly<Record<string, readonly string[]>> = {
    fence: ['pred', 'succ'],
    'sfence.vma': ['rs1', 'rs2'],
  };
  for (const row of BASE_ROWS)
    it(`${row.mnemonic}: its text has a meaning, and uses the operands that it shows`, () => {
      const shown = operandsOf(row);
      if (shown.delete('value')) shown.add('zimm');
      for (const name of IGNORED[row.mnemonic] ?? []) shown.delete(name);
      const used = usedBy(row);
      if (used.has('rm') && /^fcvt/.test(row.mnemonic)) shown.add('rm');
      assert.deepEqual([...used].sort(), [...shown].sort());
    });

  it('need floating point enabled where they touch f registers, and nowhere else', () => {
    for (const row of BASE_ROWS) {
      const { body } = parseRow(row);
      const fields = readEncoding(row.encoding).fields;
      const touches = /\bf(rd|rs[123])\b/.test(row.operands) || fields.has('rm');
      assert.equal(rowSemantics().get(row.op)!.usesFloat, touches, row.mnemonic);
      assert.ok(body);
    }
  });

  it('use every function of the library', () => {
    const library = rowLibrary();
    const called = new Set(BASE_ROWS.flatMap((row) => [...calledBy(parseRow(row).body, library)]));
    assert.deepEqual(
      [...library.functions.keys()].filter((name) => !called.has(name)),
      [],
    );
  });
});

describe('the list of extensions', () => {
  it('gives the isa string in canonical order, and the letters of misa and AT_HWCAP', () => {
    assert.equal(
      ISA_STRING,
      'rv64imafdc_zicbom_zicboz_zicntr_zicond_zicsr_zifencei_zihintpause_zihpm_zfa_zfh_zba_zbb_zbc_zbs',
    );
    assert.equal(LETTER_BITS, 0x112d);
    assert.equal(MISA_EXTENSIONS, 0x14112d);
  });

  it('has every row in one extension', () => {
    const rows = [...EXTENSIONS, PRIVILEGED_ARCHITECTURE].flatMap((extension) => extension.rows);
    assert.equal(rows.length, ROWS.length);
    assert.deepEqual(new Set(rows), new Set(ROWS));
  });
});

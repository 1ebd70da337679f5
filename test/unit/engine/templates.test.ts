/** Templates (engine/translator/templates.ts) as the build leaves them; what those of floating-point rows compute is unit/float's. */
import assert from 'node:assert/strict';
import { templateOf } from '../../../emulator/engine/translator/templates';
import { Csr } from '../../../emulator/hart/csr-numbers';
import { decodeTree, encodeTree } from '../../../emulator/isa/language/codec';
import type { Semantics } from '../../../emulator/isa/language/ir';
import { eachExpression, eachStatement, everyExpression } from '../../../emulator/isa/language/walk';
import { Op } from '../../../emulator/isa/op';
import { BASE_ROWS } from '../../../emulator/isa/rows';
import { rowLibrary, rowSemantics, templateLibrary } from '../../../emulator/isa/semantics';
import { define } from '../float/templates';
import { instantiate, libraryModule } from '../float/web-assembly';
import { HartWord } from '../../../emulator/machine/layout';

const fields = { rm: 0, rs1: 1, rs2: 2, imm: 0 };
const VARIANTS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Does a row trap always, or go where only the engine's loop can? */
function isForInterpreter({ body }: Semantics): boolean {
  let found = false;
  eachStatement(body, (statement) => {
    found ||= statement.kind === 'trap';
    found ||= statement.kind === 'host' && (statement.name === 'returnFromTrap' || statement.name === 'wait');
  });
  return found;
}

describe('templates', () => {
  it('exist for every row but those that always trap, return from traps or wait, in every rounding mode and variant', () => {
    const missing: string[] = [];
    const unexpected: string[] = [];
    for (const { op, mnemonic } of BASE_ROWS) {
      const expected = !isForInterpreter(rowSemantics().get(op)!);
      for (const [inexact, fused] of VARIANTS)
        for (const rm of [0, 1, 2, 3, 4, 7]) {
          const found = templateOf({ ...fields, op, rm }, inexact, fused) !== undefined;
          if (expected && !found) missing.push(`${mnemonic} ${rm}`);
          if (!expected && found) unexpected.push(mnemonic);
        }
    }
    assert.deepEqual([missing, unexpected], [[], []]);
  });

  it('do not exist for the reserved rounding modes', () => {
    const add = { ...fields, op: Op.FADD_D };
    for (const rm of [5, 6]) assert.equal(templateOf({ ...add, rm }, true), undefined);
    for (const frm of [5, 6, 7]) {
      assert.equal(templateOf({ ...add, rm: 7 }, true, true, frm), undefined);
      assert.ok(templateOf({ ...add, rm: 1 }, true, true, frm));
    }
  });

  it('take the rounding mode that frm says for DYN, and no other', () => {
    for (const frm of [0, 1, 2, 3, 4])
      for (const op of [Op.FADD_S, Op.FMADD_D, Op.FCVT_S_D]) {
        assert.equal(
          templateOf({ ...fields, op, rm: 7 }, true, true, frm),
          templateOf({ ...fields, op, rm: frm }, true, true),
        );
        assert.equal(
          templateOf({ ...fields, op, rm: 1 }, true, true, frm),
          templateOf({ ...fields, op, rm: 1 }, true, true),
        );
      }
  });

  it('leave to the row what only the host can do', () => {
    const byRow = BASE_ROWS.filter(({ op }) => templateOf({ ...fields, op, imm: Csr.CYCLE }, false)?.control === 'row');
    const csrs = ['csrrw', 'csrrs', 'csrrc', 'csrrwi', 'csrrsi', 'csrrci'];
    const blocks = ['cbo.clean', 'cbo.flush', 'cbo.inval', 'cbo.zero'];
    assert.deepEqual(byRow.map(({ mnemonic }) => mnemonic).sort(), ['sfence.vma', ...csrs, ...blocks].sort());
    assert.deepEqual(templateOf({ ...fields, op: Op.FENCE_I }, false)!.body, []);
  });

  it('leave the jump out: a branch has its condition, a jalr its target as it is before rd is written', () => {
    const jalr = templateOf({ ...fields, op: Op.JALR }, false)!;
    assert.equal(jalr.control, 'jalr');
    assert.deepEqual(
      jalr.body.map(({ kind }) => kind),
      ['setRegister'],
    );
    const read: string[] = [];
    eachExpression(jalr.target!, ({ kind }) => read.push(kind));
    assert.deepEqual(read, ['binary', 'binary', 'register', 'immediate', 'constant']);
    const bltu = templateOf({ ...fields, op: Op.BLTU }, false)!;
    assert.deepEqual([bltu.control, bltu.body], ['branch', []]);
    const [only] = rowSemantics().get(Op.BLTU)!.body;
    assert.ok(only?.kind === 'if');
    assert.deepEqual(bltu.condition, only.condition);
    assert.equal(templateOf({ ...fields, op: Op.JAL }, false)!.control, 'jal');
  });

  it('have no names of the text twice, and no registers of the f file but as floats', () => {
    for (const { op, mnemonic } of BASE_ROWS)
      for (const [inexact, fused] of VARIANTS) {
        const template = templateOf({ ...fields, op }, inexact, fused);
        const names: string[] = [];
        everyExpression(template?.body ?? [], (e) => {
          assert.ok(e.kind !== 'register' || e.file === 'x', mnemonic);
          if (e.kind === 'block') eachStatement(e.body, (inner) => inner.kind === 'let' && names.push(inner.name));
        });
        eachStatement(template?.body ?? [], (statement) => {
          assert.ok(statement.kind !== 'setRegister' || statement.file === 'x', mnemonic);
          if (statement.kind === 'let') names.push(statement.name);
        });
        assert.equal(new Set(names).size, names.length, mnemonic);
      }
  });

  it('add doubles with one operation and one test where NX is set', () => {
    const { body, calls } = templateOf({ ...fields, op: Op.FADD_D }, true)!;
    let nodes = 0;
    everyExpression(body, (e) => {
      assert.notEqual(e.kind, 'state');
      if (e.kind === 'binary') nodes++;
    });
    assert.deepEqual([nodes, calls], [2, ['addFloat']]);
  });

  it('multiply and add by one operation only in the variant that may', () => {
    const counts = VARIANTS.map(([inexact, fused]) => {
      let count = 0;
      everyExpression(templateOf({ ...fields, op: Op.FMADD_D }, inexact, fused)!.body, (e) => {
        if (e.kind === 'intrinsic' && e.name === 'fused') count++;
      });
      return count > 0;
    });
    assert.deepEqual([counts[0], counts[2], counts[3]], [false, false, true]);
    for (const { body } of rowLibrary().functions.values())
      everyExpression(body, (e) => assert.notEqual(e.kind, 'intrinsic'));
  });
});

describe('templates of the instructions on fflags, frm and fcsr', () => {
  const { module, linkage } = libraryModule(rowLibrary());
  /** What an instruction makes of fflags with this operand; rs1 is the register or, in the immediate forms, the operand itself. */
  const CASES: readonly (readonly [Op, (old: number, x: number) => number])[] = [
    [Op.CSRRW, (_, x) => x],
    [Op.CSRRS, (old, x) => old | x],
    [Op.CSRRC, (old, x) => old & ~x],
  ];
  const CSRS = { fflags: Csr.FFLAGS, frm: Csr.FRM, fcsr: Csr.FCSR } as const;
  for (const [name, imm] of Object.entries(CSRS))
    CASES.forEach(([op], i) => define(module, linkage, templateOf({ ...fields, op, imm }, false)!, `${name} ${i}`));
  const { exports, words } = instantiate(module);

  for (const [name, mask, shift] of [
    ['fflags', 31, 0],
    ['frm', 7, 5],
    ['fcsr', 255, 0],
  ] as const)
    it(`read and write ${name}, and nothing else of fcsr`, () => {
      CASES.forEach(([, expected], i) => {
        for (const old of [0, 1, 10, 0x5f, 0x80, 0xff])
          for (const x of [0, 1, 5, 21, 0x95, 0xff, 0xfff]) {
            const before = (old >> shift) & mask;
            words[HartWord.FCSR] = old;
            assert.equal(exports[`${name} ${i}`]!(BigInt(x), 0n, 0n), BigInt(before));
            assert.equal(words[HartWord.FCSR], (old & ~(mask << shift)) | ((expected(before, x) & mask) << shift));
          }
      });
    });

  it('say what of fcsr may be another behind them', () => {
    const changes = (op: Op, imm: Csr): string =>
      [0, 3]
        .map((rs1) => {
          const template = templateOf({ ...fields, op, imm, rs1 }, true)!;
          assert.ok(template.usesFloat);
          return ['-', 'flags', 'rounding', 'both'][template.changes]!;
        })
        .join(' ');
    const table = [Op.CSRRW, Op.CSRRS, Op.CSRRC, Op.CSRRWI, Op.CSRRSI, Op.CSRRCI].map((op) =>
      [Csr.FFLAGS, Csr.FRM, Csr.FCSR].map((imm) => changes(op, imm)),
    );
    const write = ['flags flags', 'rounding rounding', 'both both'];
    const set = ['- -', '- rounding', '- rounding'];
    const clear = ['- flags', '- rounding', '- both'];
    assert.deepEqual(table, [write, set, clear, write, set, clear]);
    assert.ok(!templateOf({ ...fields, op: Op.CSRRS, imm: Csr.MSTATUS }, true)!.usesFloat);
  });
});

describe('the codec of typed trees', () => {
  it('gives back every row and every function as it was', () => {
    for (const { body } of rowSemantics().values()) assert.deepEqual(decodeTree(json(encodeTree(body))), body);
    for (const { body } of templateLibrary().functions.values())
      assert.deepEqual(decodeTree(json(encodeTree(body))), body);
  });

  const json = (data: unknown): unknown => JSON.parse(JSON.stringify(data));
});

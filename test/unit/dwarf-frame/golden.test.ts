import assert from 'node:assert/strict';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { FrameTable, type RegisterRule, type UnwindRow } from '../../../debug-adapter/symbols/dwarf/frame/frame-table';
import { DEBUG_PROGRAMS, fixture, fixtureText } from '../../fixtures/elf/fixtures';

const NAMES: Readonly<Record<string, number>> = { ra: 1, sp: 2, s0: 8, s1: 9 };
const numberOf = (name: string): number => NAMES[name] ?? 16 + Number(name.slice(1)); // s2 is x18
const nameOf = (register: number): string =>
  Object.keys(NAMES).find((name) => NAMES[name] === register) ?? `s${register - 16}`;

interface GoldenRow {
  readonly pc: number;
  readonly next: number;
  readonly cfa: string;
  readonly rules: ReadonlyMap<number, string>;
}

/** The tables of `readelf -wF`; a CIE's row stands for the functions whose FDE has none. */
function goldenRows(text: string): GoldenRow[] {
  const rows: GoldenRow[] = [];
  let columns: number[] = [];
  let range: [number, number] | undefined;
  let pending: Omit<GoldenRow, 'next'> | undefined;
  const flush = (next: number): void => {
    if (pending) rows.push({ ...pending, next });
    pending = undefined;
  };
  for (const line of text.split('\n')) {
    const fde = /FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    const row = /^([0-9a-f]{16}) (\w+[+-]\d+)\s*(.*)$/.exec(line);
    if (line === '' && range) flush(range[1]);
    if (line.includes(' CIE ')) range = undefined;
    if (fde) range = [parseInt(fde[1]!, 16), parseInt(fde[2]!, 16)];
    if (fde) pending = { pc: range![0], cfa: 'sp+0', rules: new Map() };
    const header = /^\s+LOC\s+CFA\s*(.*)$/.exec(line);
    if (header) columns = header[1]!.split(/\s+/).filter(Boolean).map(numberOf);
    if (!row || !range) continue;
    const pc = parseInt(row[1]!, 16);
    if (pending && pending.pc < pc) flush(pc);
    const cells = row[3]!.split(/\s+/);
    pending = { pc, cfa: row[2]!, rules: new Map(columns.map((register, i) => [register, cells[i]!])) };
  }
  return rows;
}

const textOf = (rule: RegisterRule | undefined): string =>
  rule === undefined || rule.kind === 'undefined' ? 'u' : rule.kind === 'offset' ? `c${rule.offset}` : rule.kind;
const cfaOf = ({ cfa }: UnwindRow): string => {
  if (cfa?.kind !== 'register') return 'exp';
  return `${nameOf(cfa.register)}${cfa.offset < 0 ? '' : '+'}${cfa.offset}`;
};

describe('Call frame information agrees with readelf', () => {
  for (const name of DEBUG_PROGRAMS)
    it(`: ${name}`, () => {
      const table = FrameTable.open(fixture(name));
      const golden = goldenRows(fixtureText(`${name}.frames.txt`));
      assert.ok(golden.length > 20);
      for (const { pc, next, cfa, rules } of golden)
        for (const at of [pc, next - 2]) {
          const row = table.rowFor(at);
          assert.ok(row && !(row instanceof SymbolError), `0x${at.toString(16)}: ${String(row)}`);
          assert.equal(cfaOf(row), cfa, `CFA at 0x${at.toString(16)}`);
          for (const [register, rule] of rules)
            assert.equal(textOf(row.rules.get(register)), rule, `${nameOf(register)} at 0x${at.toString(16)}`);
          assert.equal(row.returnAddressRegister, 1);
        }
      assert.deepEqual(table.problems, []);
    });

  it('and is absent outside of functions and in a program built without it', () => {
    assert.equal(FrameTable.open(fixture('o0-dwarf5')).rowFor(0), undefined);
    const bare = fixture('o0-bare');
    assert.equal(FrameTable.open(bare).rowFor(bare.entry), undefined);
  });

  it('and knows the range of the function', () => {
    const elf = fixture('o1-dwarf4');
    const wide = elf.symbolNamed('wide')!;
    const range = FrameTable.open(elf).rangeAt(wide.value + 10)!;
    assert.deepEqual([range.low, range.high], [wide.value, wide.value + wide.size]);
  });
});

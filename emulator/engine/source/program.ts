/**
 * The text of the source interpreter: one loop with one `switch` over records (engine/record.ts), what it calls, and nothing that names
 * an instruction. Labels of cases are integer literals: with property constants V8 makes compare chains, measured 13 times slower.
 * Numbers without a row have labels too, because a table of jumps is made only where the labels lie close together.
 */
import type { Semantics } from '../../isa/language/ir';
import { calledBy, eachStatement, everyExpression } from '../../isa/language/walk';
import { rowLibrary, rowSemantics } from '../../isa/semantics';
import { Area, Bank, HartWord } from '../../machine/layout';
import { SINGLE } from '../code-cache';
import { FETCH_FAULT, FETCH_STOP } from '../host';
import { HANDLERS, NEAR, Pseudo, RECORD_BYTES } from '../record';
import { Left, Result } from '../types';
import { functionTexts, newLinkage, preamble, settle } from './functions';
import { Form, RowLowering } from './rows';
import type { Linkage } from './statements';

/** Rows whose text has fewer characters stand in the loop. */
const SHORT_TEXT = 400;
/**
 * V8 never optimises a function of more than 60 KB of bytecode: the loop would silently be ten times slower. 48,000 characters were 31 KB;
 * each further row also costs time to compile, 100 ms for all of them.
 */
const LONGEST_LOOP = 75_000;

const COUNT = Area.COUNT / 4;

interface Traits {
  /** Must stand in the loop: its memory accesses and jumps are what the loop is for. */
  readonly inLoop: boolean;
  /** Can stand in the loop. */
  readonly mayBeInLoop: boolean;
  readonly relative: boolean;
}

function traitsOf({ body }: Semantics, linkage: Linkage): Traits {
  let [inLoop, mayBeInLoop, relative] = [false, true, false];
  eachStatement(body, (statement) => {
    if (statement.kind === 'jump') relative ||= statement.relative;
    if (statement.kind === 'jump' || statement.kind === 'store') inLoop = true;
    if (statement.kind === 'host' || statement.kind === 'trap' || statement.kind === 'illegal') mayBeInLoop = false;
  });
  everyExpression(body, (expression) => {
    if (expression.kind === 'load') inLoop = true;
    if (expression.kind === 'host') mayBeInLoop = false;
  });
  for (const name of calledBy(body, linkage.library)) if (!linkage.inlined.has(name)) mayBeInLoop = false;
  return { inLoop, mayBeInLoop, relative };
}

interface RowTexts {
  /** Cases of the loop. */
  readonly cases: readonly string[];
  /** A row apart: its function, and its case of `rest`. */
  readonly functions: readonly string[];
  readonly calls: readonly string[];
}

function rowTexts(linkage: Linkage, op: number, semantics: Semantics): RowTexts {
  const traits = traitsOf(semantics, linkage);
  if (traits.inLoop || traits.mayBeInLoop) {
    const lines = new RowLowering(linkage, op, Form.INLINE).text(semantics);
    if (traits.inLoop || (!semantics.usesFloat && lines.join('\n').length < SHORT_TEXT)) {
      const cases = [`case ${op}: {`, ...lines, '}'];
      if (traits.relative)
        cases.push(`case ${op + NEAR}: {`, ...new RowLowering(linkage, op, Form.NEAR).text(semantics), '}');
      return { cases, functions: [], calls: [] };
    }
  }
  const lines = new RowLowering(linkage, op, Form.APART).text(semantics);
  return {
    functions: [`function row_${op}(s: number, pl: number, ph: number): number {`, ...lines, '}'],
    calls: [`case ${op}: return row_${op}(s, pl, ph);`],
    cases: [],
  };
}

/** High word of a pc that may lie behind the last record of its block, where the low one has started again from 0. */
const PAST = '(ph + (((s >> 1) + d) >>> 0 < ((sb >> 1) + d) >>> 0 ? 1 : 0)) | 0';

/** Cases of the records that are no instruction. */
const PSEUDO = [
  `case ${Pseudo.UNDECODED}: n = (n - 1) | 0; host.decode(s << 2); continue;`,
  `case ${Pseudo.NEXT_PAGE}: n = (n - 1) | 0; tl = ((s >> 1) + d) | 0; th = ${PAST}; break absolute;`,
  `case ${Pseudo.CROSSING}:`,
  `case ${Pseudo.STOP}: {`,
  'tl = ((s >> 1) + d) | 0;',
  `i32[${COUNT}] = n;`,
  `const block = (w & ${HANDLERS - 1}) === ${Pseudo.STOP} ? host.stop(tl, ph) : host.single(tl, ph);`,
  `if (block === ${FETCH_STOP}) return ended(${Left.STOP}, n - 1, tl, ph);`,
  `if (block < 0) return failed(block === ${FETCH_FAULT} ? ${Result.TRAP} : ${Result.RETRY}, n, tl, ph, 0);`,
  'n = (n - 1) | 0; s = block >> 2; d = (tl - (s >> 1)) | 0; sb = s; pb = NO_PAGE;',
  'continue;',
  '}',
];

/** What the loop's cases have in common: see rows.ts for the names. The pc is ((s >> 1) + d, ph). */
const LOOP_HEAD = [
  '/** Executes at most `limit` instructions from the hart’s pc. */',
  'export function loop(theHost: Host, theHart: Hart, limit: number): Left {',
  'bind(theHost, theHart);',
  // A sum that is cut to 32 bits is kept in a machine register; without that V8 tags and untags it at every instruction.
  'let end = limit | 0;',
  'const { i32, u8, u16 } = theHost.memory;',
  'const x = hart.words;',
  `const reads = hart.translations.bank + ${Bank.READ};`,
  `const writes = hart.translations.bank + ${Bank.WRITE};`,
  `const execs = hart.translations.bank + ${Bank.EXEC};`,
  '// It starts at the record behind the single one, which says "next page": a jump to the pc.',
  `let s = ${(SINGLE >> 2) + RECORD_BYTES / 4};`,
  `let d = (x[${HartWord.PC}]! - (s >> 1)) | 0;`,
  `let ph = x[${HartWord.PC + 1}]!;`,
  '// The block at hand and the page it is of.',
  'let sb = s;',
  'let pb = NO_PAGE;',
  'let n = 0;',
  'let tl = 0;',
  'let th = 0;',
  'let e = 0;',
  'let w = 0;',
  'for (;;) {',
  'failed: {',
  'absolute: {',
  `if (n >= end) return ended(${Left.LIMIT}, n, ((s >> 1) + d) | 0, ${PAST});`,
  'n = (n + 1) | 0;',
  'w = i32[s]!;',
  `switch (w & ${HANDLERS - 1}) {`,
];

const LOOP_TAIL = [
  '}',
  '}',
  '// To the pc in (tl, th).',
  'if ((tl & -4096) === pb && th === ph) { s = (sb + ((tl & 4095) << 1)) | 0; continue; }',
  `const q = execs + ((tl >>> 10) & ${Bank.EXEC_INDEX});`,
  'let block: number;',
  'if (i32[q] === (tl & -4096) && i32[q + 1] === th) block = i32[q + 2]!;',
  'else {',
  `if (n >= end) return ended(${Left.LIMIT}, n, tl, th);`,
  `i32[${COUNT}] = n + 1;`,
  'block = theHost.resolve(tl, th);',
  `if (block < 0) return failed(block === ${FETCH_FAULT} ? ${Result.TRAP} : ${Result.RETRY}, n + 1, tl, th, 0);`,
  '}',
  'ph = th;',
  'sb = block >> 2;',
  `if (block === ${SINGLE}) { s = sb; d = (tl - (s >> 1)) | 0; pb = NO_PAGE; }`,
  'else { pb = tl & -4096; s = (sb + ((tl & 4095) << 1)) | 0; d = (pb - (sb >> 1)) | 0; }',
  'continue;',
  '}',
  'return failed(e, n, ((s >> 1) + d) | 0, ph, (w >>> 19) & 31);',
  '}',
  '}',
];

const COMMON = [
  'let host: Host;',
  'let hart: Hart;',
  'let i32: Int32Array;',
  'let doubleRegisters: Float64Array;',
  '/** Matches no page. */',
  'const NO_PAGE = 1;',
  'function bind(theHost: Host, theHart: Hart): void {',
  'host = theHost;',
  'hart = theHart;',
  'i32 = theHost.memory.i32;',
  'if (x !== hart.words) { x = hart.words; doubleRegisters = new Float64Array(x.buffer, x.byteOffset, x.length >> 1); }',
  '}',
  'function ended(left: Left, n: number, pl: number, ph: number): Left {',
  '// The views of the loop are detached where the memory grew.',
  `host.memory.i32[${COUNT}] = n; hart.words[${HartWord.PC}] = pl; hart.words[${HartWord.PC + 1}] = ph;`,
  'return left;',
  '}',
  '/** The loop ends at an instruction that was counted in `n` and ended so. */',
  'function failed(result: number, n: number, pl: number, ph: number, length: number): Left {',
  `if (result === ${Result.RETRY}) return ended(${Left.AGAIN}, n - 1, pl, ph);`,
  `if (result === ${Result.JUMPED}) { host.memory.i32[${COUNT}] = n; return ${Left.AGAIN}; }`,
  `if (result === ${Result.WFI}) { const next = (pl + length) | 0; return ended(${Left.WFI}, n, next, (ph + (next >>> 0 < pl >>> 0 ? 1 : 0)) | 0); }`,
  `return ended(${Left.TRAP}, n, pl, ph);`,
  '}',
];

/** Cases, and behind them the labels that are missing from the numbers of handlers, up to the `default` that follows. */
function fillers(cases: readonly string[]): string[] {
  const taken = new Set(cases.flatMap((line) => /^case (\d+):/.exec(line)?.[1] ?? []).map(Number));
  const others = Array.from({ length: HANDLERS }, (_, handler) => handler).filter((handler) => !taken.has(handler));
  return [...cases, ...others.map((handler) => `case ${handler}:`)];
}

function loopText(rows: readonly RowTexts[]): string {
  const text = [
    ...LOOP_HEAD,
    ...fillers([...PSEUDO, ...rows.flatMap((row) => row.cases)]),
    'default:',
    `i32[${COUNT}] = n;`,
    `e = rest(w & ${HANDLERS - 1}, s, ((s >> 1) + d) | 0, ph);`,
    'if (e !== 0) { if (e >= 2) break failed; end = n; }',
    's = (s + ((w >>> 18) & 63)) | 0; continue;',
    ...LOOP_TAIL,
  ].join('\n');
  if (text.length > LONGEST_LOOP) throw new Error(`the loop has ${text.length} characters: let more rows stand apart`);
  return text;
}

function moduleText(linkage: Linkage): string {
  const rows = [...rowSemantics()].map(([op, semantics]) => rowTexts(linkage, op, semantics));
  const called = new Set([...rowSemantics().values()].flatMap(({ body }) => [...calledBy(body, linkage.library)]));
  const body = [
    ...COMMON,
    ...functionTexts(linkage, called),
    ...rows.flatMap((row) => row.functions),
    '/** What the loop leaves to functions: rows that are long or rare, and what is no instruction. */',
    'function rest(handler: number, s: number, pl: number, ph: number): number {',
    'switch (handler) {',
    ...fillers(rows.flatMap((row) => row.calls)),
    'default: return host.illegal(s << 2);',
    '}',
    '}',
    loopText(rows),
  ].join('\n');
  return [
    '// Generated from the rows by engine/source/; not to be edited. It may compute what nobody reads, which the compiler would refuse.',
    '// @ts-nocheck',
    "import type { Hart } from '../../hart/hart';",
    "import type { Host } from '../host';",
    "import type { Left } from '../types';",
    ...preamble(linkage, '../source/support', body),
    body,
  ].join('\n');
}

/** The text of generated/interpreter.ts. */
export function interpreterText(): string {
  const linkage = newLinkage(rowLibrary());
  const text = settle(linkage, () => moduleText(linkage));
  if (/\bABSENT\b/.test(text)) throw new Error('a half is read that was not asked for');
  return `${text}\n`;
}

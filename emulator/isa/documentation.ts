// The page docs/instructions.md, made from the rows: what a reader sees there is what the engines execute. `npm run docs:instructions`
// writes it, a test holds the committed page to it. Must never say anything about an instruction that its row does not.
import { EXTENSIONS, ISA_STRING, PRIVILEGED_ARCHITECTURE, type Extension } from './extensions';
import { eachStatement, everyExpression } from './language/walk';
import { LIBRARY_TEXTS } from './library/library';
import type { Row } from './row';
import { BASE_ROWS } from './rows';
import { parseRow } from './semantics';

const HEADER = `# Instructions

Made from the rows in \`emulator/isa/\` by \`npm run docs:instructions\`: do not edit. The machine is
\`${ISA_STRING}\`
with M-, S- and U-mode.

An encoding lists its fields from the most to the least significant bit (\`emulator/isa/row.ts\` says how). A meaning is text of the row
language, whose words \`emulator/isa/language/ir.ts\` defines: values have a width and no sign, so the operators carry it (\`<s\` compares
signed numbers, \`>>u\` shifts in zeros); \`sext8\`, \`zext32\` and their like extend the low bits; \`low32\` cuts; a shift counts modulo the
width. Both engines, the tests and this page are made from the same text.
`;

/** Text as one cell of a Markdown table. */
const cell = (text: string): string => (text === '' ? '' : '`' + text.replace(/\|/g, '\\|') + '`');

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** Functions of the library that the rows' own texts call. */
function functionsOf(rows: readonly Row[]): string[] {
  const names = new Set<string>();
  for (const row of rows) {
    if (row.expansion !== undefined) continue;
    const { body } = parseRow(row);
    eachStatement(body, (statement) => statement.kind === 'call' && names.add(statement.name));
    everyExpression(body, (expression) => expression.kind === 'call' && names.add(expression.name));
  }
  return [...names].sort();
}

function section({ title, rows }: Extension): string {
  const lines = [`## ${title}`, ''];
  const [base, compressed] = [rows.filter((row) => !row.expansion), rows.filter((row) => row.expansion)];
  if (base.length > 0) {
    const meaning = ({ semantics }: Row): string => (semantics === '' ? 'nothing to do here' : cell(semantics!));
    const cells = base.map((row) => [cell(row.mnemonic), cell(row.operands), cell(row.encoding), meaning(row)]);
    lines.push(table(['Instruction', 'Operands', 'Encoding', 'Meaning'], cells), '');
  }
  if (compressed.length > 0) {
    const cells = compressed.map((row) => [row.mnemonic, row.operands, row.encoding, row.expansion!].map(cell));
    lines.push(table(['Instruction', 'Operands', 'Encoding', 'Stands for'], cells), '');
  }
  if (rows.length === 0) lines.push('No instructions of its own.', '');
  const calls = functionsOf(rows);
  if (calls.length > 0) lines.push(`Functions: ${calls.map(cell).join(', ')}.`, '');
  return lines.join('\n');
}

/** Those of a library file's functions that rows call: head, and the comment right above it. */
function functionRows(text: string, called: ReadonlySet<string>): string[][] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const [, head, name] = /^fn ((\w+).*?) \{/.exec(line) ?? [];
    if (head === undefined || !called.has(name!)) return [];
    let first = i;
    while (lines[first - 1]?.startsWith('//')) first--;
    const comment = lines.slice(first, i).map((above) => above.replace(/^\/\/ ?/, ''));
    return [[cell(head), comment.join(' ').replace(/\|/g, '\\|')]];
  });
}

function library(): string {
  const called = new Set(functionsOf(BASE_ROWS));
  return LIBRARY_TEXTS.map(({ title, text }) => ({ title, rows: functionRows(text, called) }))
    .filter(({ rows }) => rows.length > 0)
    .map(
      ({ title, rows }) =>
        `### \`emulator/isa/library/${title}.ts\`\n\n${table(['Function', 'What it gives'], rows)}\n`,
    )
    .join('\n');
}

/** The whole page. */
export function instructionsPage(): string {
  const sections = [...EXTENSIONS, PRIVILEGED_ARCHITECTURE].map(section);
  return [HEADER, ...sections, '## Functions\n\nThose that rows call themselves.\n', library()].join('\n');
}

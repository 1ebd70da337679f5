/** The attacks and checks as tables: for the end of a test run, and for docs/guarded-memory.md. */
import { CHECKS, type CheckName } from '../../../monitor/checks';

export interface Listed {
  readonly name: string;
  readonly by: string;
  readonly checks: readonly CheckName[];
}

/** One line per attack: number, who, what, the checks that stop it. */
export function attackList(attacks: readonly Listed[]): string {
  const width = Math.max(...attacks.map(({ name }) => name.length));
  const lines = attacks.map(
    ({ name, by, checks }, i) =>
      `${String(i + 1).padStart(4)}  ${by.padEnd(12)}  ${name.padEnd(width)}  ${checks.join(', ')}`,
  );
  return [`${attacks.length} attacks, by whom, and the check that stops each:`, ...lines].join('\n');
}

const section = (text: string, name: string, body: string): string => {
  const [from, to] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`no section ${name}`);
  return `${text.slice(0, start + from.length)}\n\n${body}\n\n${text.slice(end)}`;
};

/** Rows as prettier has them: columns as wide as their longest cell. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** The document with its tables made anew. */
export function withTables(text: string, attacks: readonly Listed[]): string {
  const checks = Object.entries(CHECKS).map(([name, holds]) => [`\`${name}\``, holds]);
  const rows = attacks.map(({ by, name, checks: stoppedBy }) => [
    by,
    name,
    stoppedBy.map((check) => `\`${check}\``).join(', '),
  ]);
  const first = section(text, 'checks', table(['check', 'what holds'], checks));
  return section(first, 'attacks', table(['by', 'attack', 'stopped by'], rows));
}

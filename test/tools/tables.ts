/** Tables that tests make of what they visited: `npm test` prints them at its end, a test run by hand at once. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function printTable(name: string, text: string): void {
  const report = process.env['REPORT'];
  if (!report) return console.log(text);
  const folder = join(dirname(report), 'tables');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.txt`), `${text.trimEnd()}\n`);
}

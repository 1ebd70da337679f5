/** Entry that VS Code's extension host calls: runs the bundled suites beside it with mocha and writes the report. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Mocha from 'mocha';

/** Lines with this invisible mark are the tests'; the workbench's own log has none. */
const MARK = process.env['WORKBENCH'] ? '\u2063' : '';

export async function run(): Promise<void> {
  const root = resolve(__dirname, '../../..');
  Mocha.reporters.Base.consoleLog = (format = '', ...args: unknown[]) => console.log(MARK + format, ...args);
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 120_000,
    reporter: join(root, 'test/tools/reporter.cjs'),
    ...(process.env['GREP'] && { grep: process.env['GREP'] }),
  });
  for (const file of readdirSync(__dirname)) if (file.endsWith('.test.js')) mocha.addFile(join(__dirname, file));
  const failures = await new Promise<number>((done) => mocha.run(done));
  if (failures > 0) throw new Error(`${failures} test(s) failed`);
}

/** The short suite against the packed extension; see ../index.ts for how a suite is run. */
import { join, resolve } from 'node:path';
import Mocha from 'mocha';

const MARK = process.env['WORKBENCH'] ? '\u2063' : '';

export async function run(): Promise<void> {
  Mocha.reporters.Base.consoleLog = (format = '', ...args: unknown[]) => console.log(MARK + format, ...args);
  const reporter = join(resolve(__dirname, '../../../..'), 'test/tools/reporter.cjs');
  const mocha = new Mocha({ ui: 'bdd', color: false, timeout: 120_000, reporter });
  mocha.addFile(join(__dirname, 'packaged.test.js'));
  const failures = await new Promise<number>((done) => mocha.run(done));
  if (failures > 0) throw new Error(`${failures} test(s) failed`);
}

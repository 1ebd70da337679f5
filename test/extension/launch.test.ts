import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { endAll, readConfigurations, start } from './recorder';

const golden = (name: string) =>
  resolve(__dirname, '../../../test/extension/golden', name.replace(/[^\w-]+/g, '-') + '.txt');

/** Hazards a sample is made to meet: the program stops at each. */
const STOPS: Readonly<Record<string, number>> = { hazards: 3 };

describe("every configuration of the samples' launch.json", () => {
  afterEach(endAll);

  for (const configuration of readConfigurations()) {
    if (configuration['args']?.includes('--wait')) continue; // ends only by the view's commands: enclaves-view.test.ts
    it(`"${configuration.name}" runs to exit code 0 with the output of its golden file`, async () => {
      const run = await start(configuration.name);
      for (let left = STOPS[configuration.name] ?? 0; left > 0; left--) {
        const stop = await run.nextStop();
        assert.equal(stop.reason, 'exception');
        await run.continue(stop.threadId);
      }
      const exitCode = await run.ended();
      const output = run.output();
      const file = golden(configuration.name);
      if (process.env['GOLDEN'] === 'write') writeFileSync(file, output);
      assert.ok(existsSync(file), `no golden file ${file}; the output was:\n${output}`);
      assert.equal(output, readFileSync(file, 'utf8'));
      assert.equal(exitCode, 0);
    });
  }
});

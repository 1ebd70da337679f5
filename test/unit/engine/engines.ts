/**
 * Tests that hold for every engine: `eachEngine` is a `describe` per engine, and machines made by the helpers of these folders (bare.ts,
 * machine/user.ts) run on that one.
 */
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';

export const ENGINES = ENGINE_NAMES;

let chosen: EngineName | undefined;

/**
 * Give it to `createMachine`; outside of `eachEngine` it names no engine, so that the machine chooses. The translator translates whatever
 * is jumped to.
 */
export const engineUnderTest = (): { readonly engine?: EngineName; readonly hotness: number } => ({
  hotness: 1,
  ...(chosen === undefined ? {} : { engine: chosen }),
});

export function eachEngine(title: string, body: (this: Mocha.Suite, engine: EngineName) => void): void {
  for (const engine of ENGINES)
    describe(`${title} (${engine} engine)`, function () {
      // With translation a test of many machines takes its time where the processor has other things to do.
      before(() => {
        chosen = engine;
      });
      after(() => {
        chosen = undefined;
      });
      body.call(this, engine);
    });
}

/**
 * `penglai build-samples`: builds the samples of this package into samples/build, those that changed.
 */
import type { Command } from 'commander';
import { resolve } from 'node:path';
import { buildSamples } from '../samples/toolchain/build';
import { findCompiler } from '../samples/toolchain/find';
import { layoutOf } from '../samples/toolchain/layout';

export function registerBuildSamples(program: Command): void {
  program
    .command('build-samples')
    .description('build the samples into samples/build/<sample>/, where they are not up to date')
    .argument('[names...]', 'samples to build; all if none is named')
    .action(async (names: string[]) => {
      const say = (line: string): void => console.log(line);
      // The package is one folder up from dist/penglai.js.
      const layout = layoutOf(resolve(__dirname, '..'));
      const compiler = await findCompiler({ layout, env: process.env, say });
      const { built, current } = await buildSamples({ compiler, layout, say }, names);
      if (built.length === 0) say(`samples are up to date (${current} files)`);
    });
}

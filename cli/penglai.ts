/**
 * The `penglai` command (started by start.ts). Registers the subcommands, one file each, and turns what they throw into one message and an exit status.
 */
import { Command } from 'commander';
import { registerAttest } from './attest';
import { registerBuildSamples } from './build-samples';
import { registerCc } from './cc';
import { registerRun } from './run';
import { registerTrace } from './trace';
import { registerVerify } from './verify';

const program = new Command('penglai').description('Build, run and attest Penglai host programs and enclaves.');

registerCc(program);
registerBuildSamples(program);
registerRun(program);
registerTrace(program);
registerAttest(program);
registerVerify(program);

program.parseAsync().catch((error: unknown) => {
  console.error(`penglai: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

/** `penglai attest`: what the monitor measures of an enclave, without running anything. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { Option, type Command } from 'commander';
import { hashOf } from '../monitor/attestation/hashes';
import { reportHash } from '../monitor/attestation/predict';
import {
  addCreationOptions,
  creationOf,
  enclaveFile,
  modeOf,
  nonceOf,
  type CreationOptions,
} from './attestation-options';

interface Options extends CreationOptions {
  readonly nonce: bigint;
  readonly json?: true;
}

export function registerAttest(program: Command): void {
  addCreationOptions(
    program
      .command('attest')
      .description('print what an enclave is measured as, and the hash in its report')
      .argument('<enclave>', 'the enclave’s ELF file'),
  )
    .addOption(
      new Option('--nonce <number>', 'the number the report is asked for with').argParser(nonceOf).default(0n, '0'),
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample: penglai attest build/hello-world --nonce 1234')
    .action(async (file: string, options: Options) => {
      const mode = await modeOf(options);
      const creation = creationOf(options);
      const measurement = enclaveFile(file).measure(hashOf(mode), creation);
      const hash = bytesToHex(reportHash(hashOf(mode), measurement, options.nonce));
      const result = {
        enclave: file,
        type: creation.type,
        stack: creation.type === 'SHADOW' ? 0 : creation.stackSize,
        attestation: mode,
        measurement: bytesToHex(measurement),
        nonce: String(options.nonce),
        hash,
      };
      if (options.json) return console.log(JSON.stringify(result, undefined, 2));
      console.log(`measurement    ${result.measurement}`);
      console.log(`report's hash  ${hash}  (nonce ${options.nonce})`);
    });
}

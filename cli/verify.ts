/** `penglai verify`: checks a report part by part; the exit status says whether it is good. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { InvalidArgumentError, type Command } from 'commander';
import { resolve } from 'node:path';
import { existingKeys } from '../debug-adapter/session/keys';
import { fingerprintOf } from '../monitor/attestation/keys';
import { readReport } from '../monitor/attestation/report-file';
import { publicKeyOf } from '../monitor/attestation/sm2';
import { verifyReport, type Expected, type Verdict } from '../monitor/attestation/verify';
import {
  addCreationOptions,
  creationOf,
  enclaveFile,
  modeOf,
  nonceOf,
  type CreationOptions,
} from './attestation-options';
import { files, inOwnWords, read } from './files';

interface Options extends CreationOptions {
  readonly enclave?: string;
  readonly measurement?: Uint8Array;
  readonly nonce?: bigint;
  readonly device?: string;
  readonly json?: true;
}

export function registerVerify(program: Command): void {
  addCreationOptions(
    program
      .command('verify')
      .description('check an attestation report part by part; exits with 0 if nothing is wrong')
      .argument('<report>', 'a file with the 328 bytes of report_t: raw, hexadecimal or base64')
      .option('--enclave <file>', 'the ELF file of the enclave that is expected')
      .option('--measurement <hex>', 'its measurement, instead of the file', measurement),
  )
    .option('--nonce <number>', 'the number the report was asked for with', nonceOf)
    .option(
      '--device <fingerprint>',
      'the trusted device; otherwise that of the .penglai/keys.json above the enclave, or the report',
      fingerprint,
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample: penglai verify report.bin --enclave build/hello-world --nonce 1234')
    .action(async (file: string, options: Options) => {
      const report = readReport(read(file, 'The report'));
      if (typeof report === 'string') throw new Error(`${file} is not a report: ${report}.`);
      const verdict = verifyReport(report, await expectedOf(file, options));
      if (options.json) console.log(JSON.stringify(verdict, undefined, 2));
      else print(verdict);
      process.exitCode = verdict.good ? 0 : 1;
    });
}

function measurement(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new InvalidArgumentError('give the 64 hexadecimal digits of penglai attest.');
  return hexToBytes(text);
}

function fingerprint(text: string): string {
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new InvalidArgumentError('give the 64 hexadecimal digits of its SHA-256.');
  return text.toLowerCase();
}

async function expectedOf(report: string, options: Options): Promise<Expected> {
  const { enclave, measurement: given, nonce } = options;
  if (enclave !== undefined && given) throw new Error('Give either --enclave or --measurement, not both.');
  const mode = await modeOf(options);
  return {
    mode,
    nonce,
    device: options.device ?? (await deviceOf(enclave ?? report)),
    enclave:
      enclave !== undefined
        ? { file: enclaveFile(enclave), creation: creationOf(options) }
        : given && { measurement: given },
  };
}

/** The device of the folder's own simulated machine. */
async function deviceOf(file: string): Promise<string | undefined> {
  const keys = await inOwnWords(existingKeys(files, resolve(file)));
  return keys && fingerprintOf(publicKeyOf(keys.device));
}

const MARKS = { ok: 'ok', wrong: 'WRONG', unchecked: 'not checked' } as const;

function print({ good, findings }: Verdict): void {
  for (const { part, verdict, why } of findings) console.log(`${part.padEnd(18)}${MARKS[verdict].padEnd(13)}${why}`);
  const wrong = findings.filter(({ verdict }) => verdict === 'wrong').map(({ part }) => part);
  const left = findings.filter(({ verdict }) => verdict === 'unchecked').map(({ part }) => part);
  if (wrong.length > 0) console.log(`The report is not to be trusted: ${wrong.join(', ')}.`);
  else if (!good)
    console.log('Nothing contradicts itself, but the device is not known: anybody can make such a report.');
  else
    console.log(
      left.length > 0 ? `The report is good, as far as it was checked: not ${left.join(', ')}.` : 'The report is good.',
    );
}

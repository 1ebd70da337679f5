/** Options that several commands have in common: how the machine attests, and how a host creates an enclave. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { DEFAULT_STACK_SIZE, MAX_STACK_SIZE } from '../monitor/abi';
import { prepareStandardHash } from '../monitor/attestation/hashes';
import { Measurable, type Creation } from '../monitor/attestation/predict';
import { ATTESTATION_MODES, type AttestationMode } from '../monitor/attestation/sm2';
import type { EnclaveType } from '../monitor/types';
import { read } from './files';

const PAGE = 4096;

export const attestationOption = (): Option =>
  new Option('--attestation <mode>', 'hash and signatures: as the published firmware, or standard SM3 and SM2').choices(
    ATTESTATION_MODES,
  );

export interface CreationOptions {
  readonly type: string;
  readonly stack: number;
  readonly shm?: string;
  readonly attestation?: AttestationMode;
}

/** How the host creates the enclave; what it measures depends on it. */
export function addCreationOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--type <type>', 'how the host creates it').choices(['normal', 'server', 'shadow']).default('normal'),
    )
    .option('--stack <bytes>', 'its stack size', stackSize, DEFAULT_STACK_SIZE)
    .option('--shm <file>', 'what its shared memory holds when it is created')
    .addOption(attestationOption());
}

function stackSize(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > MAX_STACK_SIZE)
    throw new InvalidArgumentError(`give bytes from 0 to ${MAX_STACK_SIZE}.`);
  return value;
}

/** A number of 64 bits, decimal or with 0x. */
export function nonceOf(text: string): bigint {
  const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (value < 0n || value >= 1n << 64n) throw new InvalidArgumentError('give a number of at most 64 bits.');
  return value;
}

export function creationOf({ type, stack, shm }: CreationOptions): Creation {
  const bytes = shm === undefined ? undefined : read(shm, 'The content of the shared memory,');
  if (bytes && (bytes.length === 0 || bytes.length % PAGE !== 0))
    throw new Error(
      `${shm} has ${bytes.length} bytes, but shared memory consists of pages of ${PAGE}. Fill it up with zeros.`,
    );
  return { type: type.toUpperCase() as EnclaveType, stackSize: stack, shm: bytes };
}

export function enclaveFile(file: string): Measurable {
  const measurable = Measurable.of(read(file, 'The enclave'));
  if (typeof measurable !== 'string') return measurable;
  throw new Error(`${file} is no enclave the driver would load: ${measurable}. Build it with penglai cc --eapp.`);
}

/** The mode, ready to be computed in; both are made ready, so that one can be told from the other. */
export async function modeOf({ attestation = 'penglai' }: { attestation?: AttestationMode }): Promise<AttestationMode> {
  await prepareStandardHash();
  return attestation;
}

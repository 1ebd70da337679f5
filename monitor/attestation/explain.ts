/**
 * Why an enclave's hash in a report is not the expected one: tries what people get wrong (another nonce, type, stack size, mode, the page
 * that some linkers add, no shared memory) until one gives the hash that was reported. Bounded: a file is hashed four times at most.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { MAX_STACK_SIZE } from '../abi';
import { hashOf, type HashFunction } from './hashes';
import { reportHash, type Creation, type Measurable } from './predict';
import type { ReportFields } from './report-file';
import { ATTESTATION_MODES, type AttestationMode } from './sm2';
import type { Expected } from './verify';

const PAGE = 4096;
/** Stacks of each number of pages up to this, and of powers of two beyond. */
const SMALL_STACK_PAGES = 64;
const LARGE_STACKS_MAX = 8 * 1024 * 1024;

/** A sentence; undefined when nothing tried gives the reported hash. */
export function explainHash(
  report: ReportFields,
  mode: AttestationMode,
  measurement: Uint8Array,
  enclave: NonNullable<Expected['enclave']>,
  nonce: bigint | undefined,
): string | undefined {
  const hash = hashOf(mode);
  const reported = bytesToHex(report.enclaveHash);
  const is = (by: HashFunction, what: Uint8Array, number: bigint): boolean =>
    bytesToHex(reportHash(by, what, number)) === reported;
  if (nonce !== undefined && is(hash, measurement, nonce))
    return 'it was made for the nonce that was sent, but enclave.nonce is another one: that field was changed';
  if (bytesToHex(measurement) === reported)
    return 'it is the bare measurement: a report has the hash of measurement and nonce';
  if (is(hash, measurement, 0n)) return 'it was made for nonce 0, but enclave.nonce is another one';
  if (!('file' in enclave)) return undefined;
  const { file, creation } = enclave;
  for (const tried of [mode, ...ATTESTATION_MODES.filter((other) => other !== mode)]) {
    const by = attempt(tried);
    if (!by) continue;
    for (const attributes of file.mapsAttributes === undefined
      ? [undefined]
      : [file.mapsAttributes, !file.mapsAttributes]) {
      const found = match(file, by, creation, attributes, (what) => is(by, what, report.nonce));
      const inMode = tried === mode ? [] : [`in attestation mode ${tried}, not ${mode}`];
      const page =
        attributes === file.mapsAttributes
          ? []
          : [`${attributes ? 'with' : 'without'} the page at address 0 that a loader makes of .riscv.attributes`];
      if (found) return sentence(creation, found, [...page, ...inMode]);
    }
    const itself = file.measure(by, creation, report.nonce);
    if (bytesToHex(itself) === reported)
      return 'it is this enclave’s report about itself, before it changed anything; a host’s report was expected';
  }
  return undefined;
}

function attempt(mode: AttestationMode): HashFunction | undefined {
  try {
    return hashOf(mode);
  } catch {
    return undefined;
  }
}

function match(
  file: Measurable,
  hash: HashFunction,
  expected: Creation,
  attributes: boolean | undefined,
  is: (measurement: Uint8Array) => boolean,
): Creation | undefined {
  const creations = variants(expected);
  const at = file.measureAll(hash, creations, { attributes }).findIndex(is);
  return creations[at];
}

/** The expected one first, then what differs in the least. */
function variants(expected: Creation): Creation[] {
  const stacks: number[] = [];
  for (let pages = 0; pages <= SMALL_STACK_PAGES; pages++) stacks.push(pages * PAGE);
  for (let size = 2 * SMALL_STACK_PAGES * PAGE; size <= Math.min(LARGE_STACKS_MAX, MAX_STACK_SIZE); size *= 2)
    stacks.push(size);
  const types = [expected.type, ...(['NORMAL', 'SERVER', 'SHADOW'] as const).filter((type) => type !== expected.type)];
  const made: Creation[] = [];
  for (const shm of expected.shm ? [expected.shm, undefined] : [undefined]) {
    // A template before a server without a stack, which is measured alike.
    made.push(...types.map((type) => ({ ...expected, type, shm })));
    for (const type of types)
      if (type !== 'SHADOW') for (const stackSize of stacks) made.push({ type, stackSize, shm });
  }
  return made;
}

function sentence(expected: Creation, found: Creation, more: readonly string[]): string {
  const differences = [
    ...(found.type === expected.type ? [] : [`as ${found.type}, not ${expected.type}`]),
    ...(found.type === 'SHADOW' || pagesOf(found) === pagesOf(expected)
      ? []
      : [`with a stack of ${found.stackSize} bytes, not ${expected.stackSize}`]),
    ...(found.shm === expected.shm || found.type === 'SHADOW' ? [] : ['without shared memory']),
    ...more,
  ];
  return `it is this file, created ${differences.join(' and ')}`;
}

const pagesOf = ({ stackSize }: Creation): number => Math.ceil(stackSize / PAGE);

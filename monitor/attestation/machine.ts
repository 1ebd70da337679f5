/** What a launch says about attestation, and what the monitor makes of it when the machine is built. Part of the initial state. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { hashOf, type HashFunction } from './hashes';
import { checkKeys, provision, type SimulatedKeys } from './keys';
import type { AttestationMode } from './sm2';

export interface AttestationSettings {
  /** `penglai` if absent. */
  readonly mode?: AttestationMode;
  /** Absent: nobody provisioned keys; identity, public keys and signatures of reports are zero. */
  readonly keys?: SimulatedKeys | undefined;
  /** What enclaves' keys are derived from; the published test key if absent. */
  readonly rootKey?: Uint8Array | undefined;
}

export interface Attestation {
  readonly mode: AttestationMode;
  readonly hash: HashFunction;
  /** Makes the block a boot stage would leave for the monitor; absent on a machine without keys. Takes some 50 ms. */
  readonly keyBlock: (() => Uint8Array) | undefined;
  readonly rootKey: Uint8Array;
}

/** The published monitor's test root key: not a secret, and both key types share it. */
const PUBLISHED = 'feffe9928665731c6d6a8f9467308308';
export const PUBLISHED_ROOT_KEY = hexToBytes(PUBLISHED + PUBLISHED);

/** @throws Error when a key is none, or standard cryptography has not been loaded */
export function attestationOf({ mode = 'penglai', keys, rootKey }: AttestationSettings = {}): Attestation {
  const hash = hashOf(mode);
  if (keys) checkKeys(keys);
  return {
    mode,
    hash,
    keyBlock: keys && (() => provision(mode, hash, keys)),
    rootKey: rootKey ?? PUBLISHED_ROOT_KEY,
  };
}

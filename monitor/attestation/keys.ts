/**
 * The keys of a simulated machine and the block of memory in which a boot stage hands them to the monitor (Penglai-TVM keeps it at a
 * fixed address that PMP guards). Owns the block's layout, what the monitor's identity is, and what the device's signature says. The
 * keys prove nothing about any real machine: they are made by, and kept with, a developer's files.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import type { HashFunction } from './hashes';
import { isPrivateKey, publicKeyOf, sign, type AttestationMode } from './sm2';

/** Private keys, 32 bytes each, big-endian; the root key is what enclaves' own keys are derived from. */
export interface SimulatedKeys {
  readonly manufacturer: Uint8Array;
  readonly device: Uint8Array;
  readonly monitor: Uint8Array;
  readonly root: Uint8Array;
}

/** Where the block lies in physical memory, and what is in it. */
export const KeyBlock = {
  ADDRESS: 0x801f_f000,
  manu_pub_key: 0,
  dev_pub_key: 0x40,
  dev_pri_key: 0x80,
  sm_pub_key: 0xa0,
  sm_pri_key: 0xe0,
  sm_hash: 0x100,
  sm_signature: 0x120,
  SIZE: 0x160,
} as const;

/** The monitor's code is TypeScript and is not in the machine, so that its hash is that of a name; the number grows with its format. */
const IDENTITY = 'Penglai Enclave Debugger: simulated secure monitor, 1';

/** sm.hash of a machine with keys. */
export const monitorHash = (hash: HashFunction): Uint8Array => hash.of(new TextEncoder().encode(IDENTITY));

/** What the device's key signs: that this monitor has this public key. */
export function monitorStatement(
  mode: AttestationMode,
  hash: HashFunction,
  smHash: Uint8Array,
  smPublicKey: Uint8Array,
): Uint8Array {
  const statement = concatBytes(smHash, smPublicKey);
  // Standard SM2 hashes what it signs.
  return mode === 'standard' ? statement : hash.of(statement);
}

/** @throws Error when a key is none */
export function checkKeys(keys: SimulatedKeys): void {
  for (const name of ['manufacturer', 'device', 'monitor'] as const)
    if (!isPrivateKey(keys[name])) throw new Error(`The simulated ${name} key is no SM2 private key: give 32 bytes.`);
}

/** The block of a provisioned machine. @throws Error when a key is none */
export function provision(mode: AttestationMode, hash: HashFunction, keys: SimulatedKeys): Uint8Array {
  checkKeys(keys);
  const [manufacturer, device, monitor] = [keys.manufacturer, keys.device, keys.monitor].map(publicKeyOf) as Three;
  const smHash = monitorHash(hash);
  const block = new Uint8Array(KeyBlock.SIZE);
  block.set(manufacturer, KeyBlock.manu_pub_key);
  block.set(device, KeyBlock.dev_pub_key);
  block.set(keys.device, KeyBlock.dev_pri_key);
  block.set(monitor, KeyBlock.sm_pub_key);
  block.set(keys.monitor, KeyBlock.sm_pri_key);
  block.set(smHash, KeyBlock.sm_hash);
  const statement = monitorStatement(mode, hash, smHash, monitor);
  block.set(sign(mode, keys.device, device, statement), KeyBlock.sm_signature);
  return block;
}

type Three = [Uint8Array, Uint8Array, Uint8Array];

/** How people compare public keys: SHA-256 of x ‖ y, hexadecimal. */
export const fingerprintOf = (publicKey: Uint8Array): string => bytesToHex(sha256(publicKey));

/** Four keys from 32 bytes of anything: random ones, or a text for a folder that can't be written. */
export function keysFrom(secret: Uint8Array): SimulatedKeys {
  const key = (name: string): Uint8Array => {
    for (let count = 0; ; count++) {
      const made = hkdf(sha256, secret, undefined, new TextEncoder().encode(`simulated ${name} key ${count}`), 32);
      if (isPrivateKey(made)) return made;
    }
  };
  return { manufacturer: key('manufacturer'), device: key('device'), monitor: key('monitor'), root: key('root') };
}

// ---- the file they are kept in ---------------------------------------------------------------------------------------------

export const KEY_FILE = 'keys.json';
export const KEY_FOLDER = '.penglai';
const NOTE =
  'Simulated keys of the Penglai Enclave Debugger for programs in this folder. They prove nothing about any real machine. Delete the file to get new ones.';

export function formatKeyFile(keys: SimulatedKeys): string {
  const { manufacturer, device, monitor, root } = keys;
  const text = {
    note: NOTE,
    simulated: true,
    manufacturerKey: bytesToHex(manufacturer),
    deviceKey: bytesToHex(device),
    monitorKey: bytesToHex(monitor),
    rootKey: bytesToHex(root),
  };
  return `${JSON.stringify(text, undefined, 2)}\n`;
}

/** The keys of a file's text; a sentence when it is not one. */
export function parseKeyFile(text: string): SimulatedKeys | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object';
  const key = (name: string): Uint8Array | undefined => {
    const hex = (value as Record<string, unknown>)[name];
    return typeof hex === 'string' && /^[0-9a-f]{64}$/i.test(hex) ? hexToBytes(hex) : undefined;
  };
  const names = ['manufacturerKey', 'deviceKey', 'monitorKey', 'rootKey'] as const;
  const [manufacturer, device, monitor, root] = names.map(key);
  for (const [name, found] of [
    [names[0], manufacturer],
    [names[1], device],
    [names[2], monitor],
  ] as const)
    if (!found || !isPrivateKey(found)) return `"${name}" is not the 64 hexadecimal digits of an SM2 private key`;
  if (!root) return '"rootKey" is not 64 hexadecimal digits';
  return { manufacturer: manufacturer!, device: device!, monitor: monitor!, root };
}

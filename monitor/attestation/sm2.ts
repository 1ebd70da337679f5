/**
 * SM2 signatures (GB/T 32918.2) as reports carry them: r ‖ s and x ‖ y, each number 32 bytes, big-endian. Curve and signature come from
 * a library; this file owns what is signed in each mode, and the nonce: deterministic, made from key and message as RFC 6979 section
 * 3.2 has it, with HMAC-SM3, so that a replay signs alike. (The published firmware's nonce is what lay on its stack; it must not be
 * copied.)
 */
import { sm2, sm3 } from 'sm-crypto-v2';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';

/**
 * `penglai`: the 32 bytes of a hash are the number e that is signed, without a signer's identity. `standard`: e is SM3(Z_A ‖ message)
 * with the default identity of GM/T 0009.
 */
export type AttestationMode = 'penglai' | 'standard';
export const ATTESTATION_MODES: readonly AttestationMode[] = ['penglai', 'standard'];

/** Order of the curve's base point (GB/T 32918.5). */
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const UNCOMPRESSED = '04';

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`);
const bytesOf = (value: bigint): Uint8Array => hexToBytes(value.toString(16).padStart(64, '0'));

/** A private key is a number from 1 to n - 2. */
export const isPrivateKey = (key: Uint8Array): boolean =>
  key.length === 32 && numberOf(key) >= 1n && numberOf(key) <= N - 2n;

/** x ‖ y of a private key. */
export const publicKeyOf = (privateKey: Uint8Array): Uint8Array =>
  hexToBytes(sm2.getPublicKeyFromPrivateKey(bytesToHex(privateKey)).slice(UNCOMPRESSED.length));

/** Is it a point of the curve? */
export function isPublicKey(key: Uint8Array): boolean {
  try {
    return key.length === 64 && sm2.verifyPublicKey(UNCOMPRESSED + bytesToHex(key));
  } catch {
    return false;
  }
}

/** e of a message: of 32 bytes in the firmware's mode, of any length in the standard one. */
function signedNumber(mode: AttestationMode, message: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (mode === 'standard') return hexToBytes(sm2.getHash(message, UNCOMPRESSED + bytesToHex(publicKey)));
  if (message.length !== 32) throw new Error(`a hash of 32 bytes is signed, not ${message.length}`);
  return message;
}

/** The 64 bytes r ‖ s. `privateKey` is one, and `publicKey` belongs to it. */
export function sign(
  mode: AttestationMode,
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  const e = signedNumber(mode, message, publicKey);
  return signNumber(privateKey, e, nonceOf(privateKey, e));
}

/** The signature of e with a given nonce; for test vectors, everybody else calls `sign`. */
export function signNumber(privateKey: Uint8Array, e: Uint8Array, k: bigint): Uint8Array {
  const x1 = numberOf(publicKeyOf(bytesOf(k)).subarray(0, 32));
  return hexToBytes(sm2.doSignature(e, bytesToHex(privateKey), { pointPool: [{ k, x1 }] }));
}

export function verify(
  mode: AttestationMode,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || !isPublicKey(publicKey)) return false;
  const [r, s] = [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))];
  // The library does not look at the ranges.
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  try {
    const e = signedNumber(mode, message, publicKey);
    return sm2.doVerifySignature(e, bytesToHex(signature), UNCOMPRESSED + bytesToHex(publicKey));
  } catch {
    // A sum at infinity: no signature of anybody.
    return false;
  }
}

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array =>
  hexToBytes(sm3(concatBytes(...parts), { key, mode: 'hmac' }));

function nonceOf(privateKey: Uint8Array, e: Uint8Array): bigint {
  const seed = concatBytes(privateKey, bytesOf(numberOf(e) % N));
  let v: Uint8Array = new Uint8Array(32).fill(1);
  let key: Uint8Array = new Uint8Array(32);
  for (const round of [0, 1]) {
    key = hmac(key, v, Uint8Array.of(round), seed);
    v = hmac(key, v);
  }
  for (;;) {
    v = hmac(key, v);
    const k = numberOf(v);
    if (k >= 1n && k < N) return k;
    key = hmac(key, v, Uint8Array.of(0));
    v = hmac(key, v);
  }
}

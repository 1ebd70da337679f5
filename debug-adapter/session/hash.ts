/** The identity of an ELF image: SHA-256 of its bytes, lower-case hexadecimal, as the machine's events have it. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

export function hashBytes(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

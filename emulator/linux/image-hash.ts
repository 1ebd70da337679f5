/**
 * Identity of an image: SHA-256 of its bytes, in one go or piece by piece. A hash in progress is plain data, so that hashing a large
 * file can be cut into steps.
 */
import { _SHA256, sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Identity of an image's bytes: SHA-256, lower-case hex. */
export const imageHash = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));

/** SHA-256's block. All pieces but the last are a multiple of it. */
const BLOCK = 64;

/** A hash of whole blocks, and how many bytes they were. */
export interface ImageDigest {
  readonly words: Int32Array;
  readonly length: number;
}

/** The library's hash, taken up where plain data left it. */
class Resumed extends _SHA256 {
  constructor({ words, length }: ImageDigest) {
    super();
    if (length > 0) this.set(...(words as unknown as Parameters<_SHA256['set']>));
    this.length = length;
  }

  digestSoFar(): ImageDigest {
    return { words: Int32Array.from(this.get()), length: this.length };
  }
}

export const newImageDigest = (): ImageDigest => ({ words: new Int32Array(8), length: 0 });

/** Takes in the next piece, whole blocks. */
export function addToDigest(digest: ImageDigest, piece: Uint8Array): ImageDigest {
  if (piece.length % BLOCK !== 0) throw new Error(`a piece of ${piece.length} bytes is not a multiple of ${BLOCK}`);
  return new Resumed(digest).update(piece).digestSoFar();
}

/** The identity, with the last piece of any length. */
export const finishImageDigest = (digest: ImageDigest, piece: Uint8Array): string =>
  bytesToHex(new Resumed(digest).update(piece).digest());

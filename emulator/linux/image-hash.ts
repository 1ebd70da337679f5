/**
 * Identity of an image: SHA-256 of its bytes, in one go or piece by piece. A hash in progress is plain data, so that hashing a large
 * file can be cut into steps. Two libraries do it: the one in WebAssembly takes half the time (64 MiB: 0.2 s instead of 0.44 s) but is
 * compiled asynchronously, so whoever wants it waits for `prepareImageHash`. A hash in progress is the same for both.
 */
import { createSHA256, type IHasher } from 'hash-wasm';
import { _SHA256, sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** A hash of the process's own, where it has one: of an image of 600 KB it takes 0.5 ms, the library's first one 10 ms. */
let own: ((bytes: Uint8Array) => string) | undefined;
/** For entry points: SHA-256 of bytes in lower-case hex. */
export const useImageHash = (hash: (bytes: Uint8Array) => string): void => void (own = hash);

/** Identity of an image's bytes: SHA-256, lower-case hex. */
export const imageHash = (bytes: Uint8Array): string => own?.(bytes) ?? bytesToHex(sha256(bytes));

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

/** In the state that the library in WebAssembly saves: where its words and its length lie, behind the block in progress. */
const SAVED = { length: 68, words: 76, size: 116 } as const;

class WasmHash {
  private constructor(
    private readonly hasher: IHasher,
    private readonly empty: Uint8Array,
  ) {}

  /** Undefined when the library keeps its state in another way than the one known here. */
  static of(hasher: IHasher): WasmHash | undefined {
    const empty = hasher.init().save();
    if (empty.length !== SAVED.size) return undefined;
    const made = new WasmHash(hasher, empty);
    const [one, two] = [new Uint8Array(2 * BLOCK).fill(1), new Uint8Array(BLOCK + 1).fill(2)];
    const [ours, theirs] = [
      made.add(newImageDigest(), [one], one.length),
      new Resumed(newImageDigest()).update(one).digestSoFar(),
    ];
    const same = ours.length === theirs.length && ours.words.every((word, i) => word === theirs.words[i]);
    return same && made.finish(ours, [two]) === bytesToHex(new Resumed(theirs).update(two).digest()) ? made : undefined;
  }

  private resume({ words, length }: ImageDigest): IHasher {
    if (length === 0) return this.hasher.init();
    const state = this.empty.slice();
    const view = new DataView(state.buffer);
    view.setBigUint64(SAVED.length, BigInt(length), true);
    words.forEach((word, i) => view.setInt32(SAVED.words + 4 * i, word, true));
    return this.hasher.load(state);
  }

  add(digest: ImageDigest, pieces: readonly Uint8Array[], length: number): ImageDigest {
    const hasher = this.resume(digest);
    for (const piece of pieces) hasher.update(piece);
    const state = hasher.save();
    const view = new DataView(state.buffer, state.byteOffset);
    const words = Int32Array.from({ length: 8 }, (_, i) => view.getInt32(SAVED.words + 4 * i, true));
    return { words, length: digest.length + length };
  }

  finish(digest: ImageDigest, pieces: readonly Uint8Array[]): string {
    const hasher = this.resume(digest);
    for (const piece of pieces) hasher.update(piece);
    return hasher.digest();
  }
}

let wasm: WasmHash | undefined;

/** Compiles the faster library. Without it all hashes are the same, only later. */
export async function prepareImageHash(): Promise<void> {
  wasm ??= WasmHash.of(await createSHA256());
}

/** Takes in the next pieces, whole blocks together. */
export function addToDigest(digest: ImageDigest, ...pieces: readonly Uint8Array[]): ImageDigest {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length % BLOCK !== 0) throw new Error(`pieces of ${length} bytes are not a multiple of ${BLOCK}`);
  if (wasm) return wasm.add(digest, pieces, length);
  const resumed = new Resumed(digest);
  for (const piece of pieces) resumed.update(piece);
  return resumed.digestSoFar();
}

/** The identity, with the last pieces of any length. */
export function finishImageDigest(digest: ImageDigest, ...pieces: readonly Uint8Array[]): string {
  if (wasm) return wasm.finish(digest, pieces);
  const resumed = new Resumed(digest);
  for (const piece of pieces) resumed.update(piece);
  return bytesToHex(resumed.digest());
}

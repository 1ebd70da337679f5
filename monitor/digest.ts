/**
 * The monitor's hash H: SM3 computed with 64-bit words and 32-bit formulas, as the published monitor does on RV64. It is not
 * standard SM3 and must not be replaced by it: measurements of real deployments come from this one. A digest in progress is plain
 * data, so that hashing can be cut into steps.
 */
import { CHAIN_AT, INPUT_SIZE, newCompressor } from './digest-module';
import { compressPairs } from './digest-pairs';

export interface Digest {
  /** Eight 64-bit chaining values as pairs, low word first. */
  readonly chain: Int32Array;
  /** Bytes that fill no block yet. */
  readonly tail: Uint8Array;
  readonly length: number;
}

const IV = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

export function newDigest(): Digest {
  const chain = new Int32Array(16);
  IV.forEach((word, i) => (chain[2 * i] = word | 0));
  return { chain, tail: new Uint8Array(0), length: 0 };
}

/** What compresses: blocks from the start of `input` up to `end` into `chain`, all three scratch of one update. */
export interface Compressor {
  readonly input: Uint8Array;
  readonly chain: Int32Array;
  compress(end: number): void;
}

function inPairs(): Compressor {
  const input = new Uint8Array(INPUT_SIZE);
  const chain = new Int32Array(16);
  const compress = (end: number): void => {
    for (let at = 0; at < end; at += 64) compressPairs(chain, input, at);
  };
  return { input, chain, compress };
}

function inWebAssembly(): Compressor | undefined {
  const made = newCompressor();
  if (!made) return undefined;
  const { compress, memory } = made;
  return { input: new Uint8Array(memory, 0, INPUT_SIZE), chain: new Int32Array(memory, CHAIN_AT, 16), compress };
}

export const COMPRESSORS = { wasm: inWebAssembly, pairs: inPairs } as const;

let fastest: Compressor | undefined;

/** Makes and compiles the module now, in 10 ms, and not within the first step that hashes: for those whom a step of 10 ms would disturb. */
export function prepareDigest(): void {
  fastest ??= inWebAssembly() ?? inPairs();
}

/** The digest with more bytes; `digest` stays as it is. One call with many parts copies its state once. */
export function updateDigest(digest: Digest, ...parts: readonly Uint8Array[]): Digest {
  return updateWith((fastest ??= inWebAssembly() ?? inPairs()), digest, parts);
}

export function updateWith(by: Compressor, digest: Digest, parts: readonly Uint8Array[]): Digest {
  const { input, chain } = by;
  chain.set(digest.chain);
  input.set(digest.tail);
  let fill = digest.tail.length;
  let { length } = digest;
  for (const part of parts) {
    length += part.length;
    for (let at = 0; at < part.length;) {
      const size = Math.min(part.length - at, INPUT_SIZE - fill);
      input.set(size === part.length ? part : part.subarray(at, at + size), fill);
      at += size;
      fill += size;
      if (fill < INPUT_SIZE) continue;
      by.compress(fill);
      fill = 0;
    }
  }
  const whole = fill - (fill % 64);
  if (whole > 0) by.compress(whole);
  return { chain: chain.slice(), tail: input.slice(whole, fill), length };
}

/** The 32 bytes of the finished digest. */
export function finishDigest(digest: Digest): Uint8Array {
  const padding = new Uint8Array(((119 - digest.tail.length) % 64) + 9);
  padding[0] = 0x80;
  new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(digest.length) * 8n);
  const { chain } = updateDigest(digest, padding);
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 8; i++) out.setInt32(4 * i, chain[2 * i]!);
  return new Uint8Array(out.buffer);
}

/** H of a whole message, or of its parts one behind the other. */
export const digestOf = (...parts: readonly Uint8Array[]): Uint8Array =>
  finishDigest(updateDigest(newDigest(), ...parts));

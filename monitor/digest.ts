/**
 * The monitor's hash H: SM3 computed with 64-bit words and 32-bit formulas, as the published monitor does on RV64. It is not
 * standard SM3 and must not be replaced by it: measurements of real deployments come from this one. A digest in progress is plain
 * data, so that hashing can be cut into steps.
 */

export interface Digest {
  /** Eight 64-bit chaining values as pairs, low word first. */
  readonly chain: Int32Array;
  /** Bytes that fill no block yet. */
  readonly tail: Uint8Array;
  readonly length: number;
}

const IV = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];

/** The round constants, rotated by the round number with shift counts taken modulo 64, as the hardware does. */
const ROUND_LOW = new Int32Array(64);
const ROUND_HIGH = new Int32Array(64);
for (let j = 0; j < 64; j++) {
  const t = j < 16 ? 0x79cc4519n : 0x7a879d8an;
  const rotated = BigInt.asUintN(64, t << BigInt(j & 63)) | (t >> BigInt((32 - j) & 63));
  ROUND_LOW[j] = Number(BigInt.asIntN(32, rotated));
  ROUND_HIGH[j] = Number(BigInt.asIntN(32, rotated >> 32n));
}

// Expanded message words of the block at hand; scratch, never state.
const WL = new Int32Array(68);
const WH = new Int32Array(68);

export function newDigest(): Digest {
  const chain = new Int32Array(16);
  IV.forEach((word, i) => (chain[2 * i] = word | 0));
  return { chain, tail: new Uint8Array(0), length: 0 };
}

export function updateDigest(digest: Digest, bytes: Uint8Array): Digest {
  const chain = digest.chain.slice();
  let data = bytes;
  if (digest.tail.length > 0) {
    data = new Uint8Array(digest.tail.length + bytes.length);
    data.set(digest.tail);
    data.set(bytes, digest.tail.length);
  }
  const whole = data.length - (data.length % 64);
  for (let at = 0; at < whole; at += 64) compress(chain, data, at);
  return { chain, tail: data.slice(whole), length: digest.length + bytes.length };
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

/** H of a whole message. */
export const digestOf = (bytes: Uint8Array): Uint8Array => finishDigest(updateDigest(newDigest(), bytes));

// ROTL of a pair by n in 1 … 31: ((x & 0xffffffff) << n) | (x >> (32 - n)), all in 64 bits.
const rotLow = (low: number, high: number, n: number): number => (low << n) | (low >>> (32 - n)) | (high << n);
const rotHigh = (low: number, high: number, n: number): number => (low >>> (32 - n)) | (high >>> (32 - n));

function expand(data: Uint8Array, at: number): void {
  for (let j = 0; j < 16; j++) {
    const i = at + 4 * j;
    WL[j] = (data[i]! << 24) | (data[i + 1]! << 16) | (data[i + 2]! << 8) | data[i + 3]!;
    WH[j] = 0;
  }
  for (let j = 16; j < 68; j++) {
    const xl = WL[j - 16]! ^ WL[j - 9]! ^ rotLow(WL[j - 3]!, WH[j - 3]!, 15);
    const xh = WH[j - 16]! ^ WH[j - 9]! ^ rotHigh(WL[j - 3]!, WH[j - 3]!, 15);
    const [l7, h7] = [WL[j - 13]!, WH[j - 13]!];
    WL[j] = xl ^ rotLow(xl, xh, 15) ^ rotLow(xl, xh, 23) ^ rotLow(l7, h7, 7) ^ WL[j - 6]!;
    WH[j] = xh ^ rotHigh(xl, xh, 15) ^ rotHigh(xl, xh, 23) ^ rotHigh(l7, h7, 7) ^ WH[j - 6]!;
  }
}

/** High word of a sum of pairs: the high words and the carry out of the low ones. */
const carry = (sum: number): number => Math.floor(sum / 4294967296);

function compress(chain: Int32Array, data: Uint8Array, at: number): void {
  expand(data, at);
  let [al, ah, bl, bh, cl, ch, dl, dh, el, eh, fl, fh, gl, gh, hl, hh] = chain as unknown as Quad;
  for (let j = 0; j < 64; j++) {
    const a12l = rotLow(al, ah, 12);
    const a12h = rotHigh(al, ah, 12);
    let sum = (a12l >>> 0) + (el >>> 0) + (ROUND_LOW[j]! >>> 0);
    const sl = sum | 0;
    const sh = (a12h + eh + ROUND_HIGH[j]! + carry(sum)) | 0;
    const ss1l = rotLow(sl, sh, 7);
    const ss1h = rotHigh(sl, sh, 7);
    const early = j < 16;
    const ffl = early ? al ^ bl ^ cl : (al & bl) | (al & cl) | (bl & cl);
    const ffh = early ? ah ^ bh ^ ch : (ah & bh) | (ah & ch) | (bh & ch);
    const ggl = early ? el ^ fl ^ gl : (el & fl) | (~el & gl);
    const ggh = early ? eh ^ fh ^ gh : (eh & fh) | (~eh & gh);
    sum = (ffl >>> 0) + (dl >>> 0) + ((ss1l ^ a12l) >>> 0) + ((WL[j]! ^ WL[j + 4]!) >>> 0);
    const tt1l = sum | 0;
    const tt1h = (ffh + dh + (ss1h ^ a12h) + (WH[j]! ^ WH[j + 4]!) + carry(sum)) | 0;
    sum = (ggl >>> 0) + (hl >>> 0) + (ss1l >>> 0) + (WL[j]! >>> 0);
    const tt2l = sum | 0;
    const tt2h = (ggh + hh + ss1h + WH[j]! + carry(sum)) | 0;
    [dl, dh] = [cl, ch];
    [cl, ch] = [rotLow(bl, bh, 9), rotHigh(bl, bh, 9)];
    [bl, bh, al, ah] = [al, ah, tt1l, tt1h];
    [hl, hh] = [gl, gh];
    [gl, gh] = [rotLow(fl, fh, 19), rotHigh(fl, fh, 19)];
    [fl, fh] = [el, eh];
    el = tt2l ^ rotLow(tt2l, tt2h, 9) ^ rotLow(tt2l, tt2h, 17);
    eh = tt2h ^ rotHigh(tt2l, tt2h, 9) ^ rotHigh(tt2l, tt2h, 17);
  }
  const mixed = [al, ah, bl, bh, cl, ch, dl, dh, el, eh, fl, fh, gl, gh, hl, hh];
  for (let i = 0; i < 16; i++) chain[i]! ^= mixed[i]!;
}

// prettier-ignore
type Quad = [number, number, number, number, number, number, number, number, number, number, number, number, number, number, number, number];

/**
 * The compression function of the monitor's hash H in pairs of 32-bit numbers, low word first: for hosts without WebAssembly, and the
 * second opinion of the tests. Owns the formulas: SM3 (GB/T 32905-2016) with 64-bit words and rotations that are not ones of 32 bits.
 */

/** T of a round, rotated by its number with shift counts taken modulo 64, as the hardware does: 64 bits. */
export function roundConstant(j: number): bigint {
  const t = j < 16 ? 0x79cc4519n : 0x7a879d8an;
  return BigInt.asUintN(64, t << BigInt(j & 63)) | (t >> BigInt((32 - j) & 63));
}

const ROUND_LOW = new Int32Array(64);
const ROUND_HIGH = new Int32Array(64);
for (let j = 0; j < 64; j++) {
  ROUND_LOW[j] = Number(BigInt.asIntN(32, roundConstant(j)));
  ROUND_HIGH[j] = Number(BigInt.asIntN(32, roundConstant(j) >> 32n));
}

// Expanded message words of the block at hand; scratch, never state.
const WL = new Int32Array(68);
const WH = new Int32Array(68);

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

/** Mixes the 64 bytes at `at` into the eight chaining values. */
export function compressPairs(chain: Int32Array, data: Uint8Array, at: number): void {
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

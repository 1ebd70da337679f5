/**
 * 64-bit multiplication and division on pairs of words. Unprivileged specification, chapter "M": division by zero and signed
 * overflow give the results of its table, they never trap. No BigInt: guest code divides in its inner loops.
 */

/** High 32 bits of the unsigned product of two words. */
export function mulHigh32(a: number, b: number): number {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const lowHigh = Math.imul(al, bh) >>> 0;
  const highLow = Math.imul(ah, bl) >>> 0;
  const middle = (Math.imul(al, bl) >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff);
  return (Math.imul(ah, bh) + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16)) | 0;
}

const TWO_32 = 2 ** 32;
/** Below 2^20 in the high word: the quotient of doubles is at most one off, and its product is exact. */
const EXACT_HIGH = 2 ** 20;

/** Pulls an estimate below the true quotient: more than the three roundings it went through can have added. */
const BELOW_ONE = 1 - 2 ** -50;

/** Results come in `low` and `high`. */
export class Arithmetic {
  low = 0;
  high = 0;
  private restLow = 0;
  private restHigh = 0;

  /** Bits 127 … 64 of the unsigned product. */
  mulhu(al: number, ah: number, bl: number, bh: number): void {
    const middle = (mulHigh32(al, bl) >>> 0) + (Math.imul(al, bh) >>> 0) + (Math.imul(ah, bl) >>> 0);
    const upper =
      (mulHigh32(al, bh) >>> 0) + (mulHigh32(ah, bl) >>> 0) + (Math.imul(ah, bh) >>> 0) + Math.floor(middle / TWO_32);
    this.low = upper | 0;
    this.high = ((mulHigh32(ah, bh) >>> 0) + Math.floor(upper / TWO_32)) | 0;
  }

  mulh(al: number, ah: number, bl: number, bh: number): void {
    this.mulhsu(al, ah, bl, bh);
    if (bh < 0) this.subtract(al, ah);
  }

  mulhsu(al: number, ah: number, bl: number, bh: number): void {
    this.mulhu(al, ah, bl, bh);
    if (ah < 0) this.subtract(bl, bh);
  }

  private subtract(low: number, high: number): void {
    const borrow = this.low >>> 0 < low >>> 0 ? 1 : 0;
    this.low = (this.low - low) | 0;
    this.high = (this.high - high - borrow) | 0;
  }

  private negate(): void {
    this.low = -this.low | 0;
    this.high = (~this.high + (this.low === 0 ? 1 : 0)) | 0;
  }

  divu(al: number, ah: number, bl: number, bh: number): void {
    this.divide(al, ah, bl, bh);
  }

  remu(al: number, ah: number, bl: number, bh: number): void {
    this.divide(al, ah, bl, bh);
    this.low = this.restLow;
    this.high = this.restHigh;
  }

  div(al: number, ah: number, bl: number, bh: number): void {
    if ((bl | bh) === 0) return this.set(-1, -1);
    this.divideMagnitudes(al, ah, bl, bh);
    if (ah < 0 !== bh < 0) this.negate();
  }

  rem(al: number, ah: number, bl: number, bh: number): void {
    if ((bl | bh) === 0) return this.set(al, ah);
    this.divideMagnitudes(al, ah, bl, bh);
    this.set(this.restLow, this.restHigh);
    if (ah < 0) this.negate();
  }

  private set(low: number, high: number): void {
    this.low = low;
    this.high = high;
  }

  private divideMagnitudes(al: number, ah: number, bl: number, bh: number): void {
    if (ah < 0) {
      this.set(al, ah);
      this.negate();
      al = this.low;
      ah = this.high;
    }
    if (bh < 0) {
      this.set(bl, bh);
      this.negate();
      bl = this.low;
      bh = this.high;
    }
    this.divide(al, ah, bl, bh);
  }

  /** Unsigned quotient and rest. */
  private divide(al: number, ah: number, bl: number, bh: number): void {
    if ((bl | bh) === 0) {
      this.set(-1, -1);
      this.restLow = al;
      this.restHigh = ah;
    } else if (ah >>> 0 < EXACT_HIGH && bh >>> 0 < EXACT_HIGH) {
      const a = ah * TWO_32 + (al >>> 0);
      const b = bh * TWO_32 + (bl >>> 0);
      let quotient = Math.floor(a / b);
      let rest = a - quotient * b;
      if (rest < 0) {
        quotient--;
        rest += b;
      }
      this.set(quotient | 0, Math.floor(quotient / TWO_32) | 0);
      this.restLow = rest | 0;
      this.restHigh = Math.floor(rest / TWO_32) | 0;
    } else if (bh === 0) this.shortDivide(al, ah, bl >>> 0);
    else this.longDivide(al, ah, bl, bh);
  }

  /** Divisor below 2^32: schoolbook with digits of 16 bits, each step exact in doubles. */
  private shortDivide(al: number, ah: number, divisor: number): void {
    const step = (rest: number, digit: number): number => rest * 65536 + digit;
    const a3 = ah >>> 16;
    const q3 = Math.floor(a3 / divisor);
    const a2 = step(a3 - q3 * divisor, ah & 0xffff);
    const q2 = Math.floor(a2 / divisor);
    const a1 = step(a2 - q2 * divisor, al >>> 16);
    const q1 = Math.floor(a1 / divisor);
    const a0 = step(a1 - q1 * divisor, al & 0xffff);
    const q0 = Math.floor(a0 / divisor);
    this.set((q1 << 16) | q0, (q3 << 16) | q2);
    this.restLow = (a0 - q0 * divisor) | 0;
    this.restHigh = 0;
  }

  /** Divisor of 2^32 or more: the quotient has 32 bits, and an estimate that is never too large is at most one too small. */
  private longDivide(al: number, ah: number, bl: number, bh: number): void {
    const a = (ah >>> 0) * TWO_32 + (al >>> 0);
    const b = (bh >>> 0) * TWO_32 + (bl >>> 0);
    let quotient = Math.floor((a / b) * BELOW_ONE) | 0;
    const product = Math.imul(quotient, bl);
    let low = (al - product) | 0;
    let high = (ah - mulHigh32(quotient, bl) - Math.imul(quotient, bh) - (al >>> 0 < product >>> 0 ? 1 : 0)) | 0;
    if (high >>> 0 > bh >>> 0 || (high === bh && low >>> 0 >= bl >>> 0)) {
      quotient = (quotient + 1) | 0;
      const borrow = low >>> 0 < bl >>> 0 ? 1 : 0;
      low = (low - bl) | 0;
      high = (high - bh - borrow) | 0;
    }
    this.set(quotient, 0);
    this.restLow = low;
    this.restHigh = high;
  }
}

/** A growing run of bytes, and the variable-length integers of WebAssembly (core specification, "Values"). */
export class Bytes {
  private buffer = new Uint8Array(256);
  length = 0;

  private room(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, this.length + count));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.room(1);
    this.buffer[this.length++] = value;
  }

  /** Unsigned LEB128 of an integer below 2^32. */
  u32(value: number): void {
    for (value >>>= 0; value >= 0x80; value >>>= 7) this.byte((value & 0x7f) | 0x80);
    this.byte(value);
  }

  /** Signed LEB128 of an int32. */
  s32(value: number): void {
    for (value |= 0; value < -64 || value >= 64; value >>= 7) this.byte((value & 0x7f) | 0x80);
    this.byte(value & 0x7f);
  }

  /** Signed LEB128 of an integer in the range of i64, taken modulo 2^64. */
  s64(value: bigint): void {
    // The same bytes, and most constants are small.
    if (value === BigInt(Number(value) | 0)) return this.s32(Number(value));
    let rest = BigInt.asIntN(64, value);
    for (; rest < -64n || rest >= 64n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest & 0x7fn));
  }

  /** A name: its length and its UTF-8. Names here are ASCII. */
  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  append(other: Bytes): void {
    this.room(other.length);
    this.buffer.set(other.buffer.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  /** Another run with its length before it: sections, bodies. */
  sized(other: Bytes): void {
    this.u32(other.length);
    this.append(other);
  }

  /** The bytes so far; a copy. */
  get view(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

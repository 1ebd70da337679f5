/**
 * A bounded cursor over one section of a file. Every read checks the bytes that remain; what is malformed is thrown as a
 * `SymbolError` that names section, offset and cause, and is caught at the edge of each reader: past it readers are total.
 */

/** A malformed or unsupported piece of an ELF file or of its debug information. */
export class SymbolError extends Error {
  constructor(
    readonly section: string,
    readonly offset: number,
    readonly what: string,
  ) {
    super(`${section}+0x${offset.toString(16)}: ${what}`);
    this.name = 'SymbolError';
  }
}

const MAX_LEB_BYTES = 10; // 64 bits in groups of 7

/** Little-endian reader; offsets are relative to the start of the section. */
export class ByteReader {
  private readonly view: DataView;
  offset = 0;

  constructor(
    readonly section: string,
    readonly bytes: Uint8Array,
    start = 0,
    private readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (end > bytes.length) throw new SymbolError(section, end, 'ends beyond its section');
    this.seek(start);
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  fail(what: string, offset = this.offset): never {
    throw new SymbolError(this.section, offset, what);
  }

  seek(offset: number): this {
    if (!Number.isInteger(offset) || offset < 0 || offset > this.end)
      throw new SymbolError(this.section, this.offset, `offset 0x${offset.toString(16)} is outside the section`);
    this.offset = offset;
    return this;
  }

  /** A reader over the next `length` bytes, which this reader skips. */
  slice(length: number): ByteReader {
    this.need(length);
    const part = new ByteReader(this.section, this.bytes, this.offset, this.offset + length);
    this.offset += length;
    return part;
  }

  u8(): number {
    this.need(1);
    return this.view.getUint8(this.offset++);
  }
  i8(): number {
    return (this.u8() << 24) >> 24;
  }
  u16(): number {
    this.need(2);
    this.offset += 2;
    return this.view.getUint16(this.offset - 2, true);
  }
  u32(): number {
    this.need(4);
    this.offset += 4;
    return this.view.getUint32(this.offset - 4, true);
  }
  i32(): number {
    return this.u32() | 0;
  }
  u64(): bigint {
    this.need(8);
    this.offset += 8;
    return this.view.getBigUint64(this.offset - 8, true);
  }
  /** A 64-bit unsigned value used as offset, size or address; malformed when it is above 2^53. */
  u64Number(): number {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      this.fail(`value 0x${value.toString(16)} is too large`, this.offset - 8);
    return Number(value);
  }
  /** Unsigned LEB128 (DWARF 5, section 7.6). */
  uleb(): bigint {
    let result = 0n;
    for (let i = 0; i < MAX_LEB_BYTES; i++) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, result);
    }
    return this.fail('LEB128 number is longer than 64 bits');
  }
  /** Signed LEB128. */
  sleb(): bigint {
    let result = 0n;
    for (let i = 0; i < MAX_LEB_BYTES; i++) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asIntN(64, byte & 0x40 ? result - (1n << BigInt(7 * (i + 1))) : result);
    }
    return this.fail('LEB128 number is longer than 64 bits');
  }
  /** Unsigned LEB128 used as a count, code or size; malformed when it is above 2^53. */
  ulebNumber(): number {
    const start = this.offset;
    let result = 0;
    let scale = 1;
    for (let i = 0; i < MAX_LEB_BYTES; i++) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      if (result > Number.MAX_SAFE_INTEGER) this.fail('LEB128 number is too large', start);
      if (byte < 0x80) return result;
      scale *= 128;
    }
    return this.fail('LEB128 number is longer than 64 bits', start);
  }
  /** A NUL-terminated string; bytes that are not UTF-8 become U+FFFD. */
  cString(): string {
    const stop = this.bytes.indexOf(0, this.offset);
    if (stop < 0 || stop >= this.end) this.fail('string has no end');
    const text = utf8.decode(this.bytes.subarray(this.offset, stop));
    this.offset = stop + 1;
    return text;
  }
  raw(length: number): Uint8Array {
    this.need(length);
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  private need(count: number): void {
    if (!(count >= 0) || count > this.end - this.offset) this.fail(`needs ${count} bytes, ${this.remaining} remain`);
  }
}

const utf8 = new TextDecoder();

/**
 * Encoded pointers of `.eh_frame` (Linux Standard Base, "DWARF Extensions", DW_EH_PE_*). Values are signed 64-bit addresses of the
 * file. Throws `SymbolError` for encodings whose base is not in the file.
 */
import type { ByteReader } from '../../bytes';

export const DW_EH_PE_absptr = 0x00;
export const DW_EH_PE_omit = 0xff;
const DW_EH_PE_indirect = 0x80;
const DW_EH_PE_aligned = 0x50;

/** What relative pointers are relative to. */
export interface PointerBases {
  /** Address of the first byte of the section. */
  readonly section: number;
  /** Address of `.text` (DW_EH_PE_textrel). */
  readonly text: number | undefined;
  /** Address of `.got` (DW_EH_PE_datarel). */
  readonly data: number | undefined;
  readonly addressSize: 4 | 8;
}

/** The number itself, in the format of the low half of the encoding. */
export function readPointerValue(reader: ByteReader, encoding: number, addressSize: 4 | 8): number {
  switch (encoding & 0x0f) {
    case 0x00: // absptr
      return addressSize === 8 ? Number(BigInt.asIntN(64, reader.u64())) : reader.u32();
    case 0x01:
      return reader.ulebNumber();
    case 0x02:
      return reader.u16();
    case 0x03:
      return reader.u32();
    case 0x04:
    case 0x0c:
      return Number(BigInt.asIntN(64, reader.u64()));
    case 0x09:
      return Number(reader.sleb());
    case 0x0a:
      return (reader.u16() << 16) >> 16;
    case 0x0b:
      return reader.i32();
    default:
      return reader.fail(`pointer encoding 0x${encoding.toString(16)} is unknown`);
  }
}

/** A pointer with its base added. */
export function readPointer(reader: ByteReader, encoding: number, bases: PointerBases): number {
  if (encoding & DW_EH_PE_indirect) reader.fail('a pointer to a pointer cannot be followed in the file');
  const base = baseOf(reader, encoding & 0x70, bases);
  const value = base + readPointerValue(reader, encoding, bases.addressSize);
  return bases.addressSize === 4 ? value >>> 0 : value;
}

/** Moves behind a pointer whose value is of no interest. */
export function skipPointer(reader: ByteReader, encoding: number, bases: PointerBases): void {
  if (encoding === DW_EH_PE_omit) return;
  if ((encoding & 0x70) === DW_EH_PE_aligned) {
    const padding = -(bases.section + reader.offset) & (bases.addressSize - 1);
    reader.raw(padding + bases.addressSize);
  } else readPointerValue(reader, encoding, bases.addressSize);
}

function baseOf(reader: ByteReader, application: number, bases: PointerBases): number {
  const known = (base: number | undefined, name: string): number => base ?? reader.fail(`the file has no ${name}`);
  switch (application) {
    case 0x00:
      return 0;
    case 0x10: // pcrel: relative to the pointer itself
      return bases.section + reader.offset;
    case 0x20:
      return known(bases.text, '.text');
    case 0x30:
      return known(bases.data, '.got');
    default:
      return reader.fail(`pointer application 0x${application.toString(16)} is not supported`);
  }
}

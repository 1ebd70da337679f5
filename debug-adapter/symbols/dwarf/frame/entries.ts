/**
 * Common information entries and frame description entries of `.debug_frame` (DWARF 5, section 6.4.1) and `.eh_frame` (Linux
 * Standard Base, "Exception Frames"). Finds where instructions lie; does not run them. Throws `SymbolError`.
 */
import { ByteReader } from '../../bytes';
import { DW_EH_PE_absptr, readPointer, readPointerValue, skipPointer, type PointerBases } from './pointers';

export interface FrameSection {
  readonly name: '.eh_frame' | '.debug_frame';
  readonly bytes: Uint8Array;
  readonly bases: PointerBases;
}

/** Common information entry: what several functions share. */
export interface Cie {
  readonly version: number;
  readonly codeAlign: number;
  readonly dataAlign: number;
  /** DWARF number of the register whose rule gives the return address. */
  readonly returnAddressRegister: number;
  /** Encoding of addresses in its FDEs. */
  readonly encoding: number;
  /** The frame was made by the delivery of a signal: its pc is the instruction itself, not one behind a call. */
  readonly signalFrame: boolean;
  /** Its FDEs carry augmentation data. */
  readonly sized: boolean;
  readonly bases: PointerBases;
  readonly instructions: Extent;
}

/** Bytes `start` to `end` of a section. */
export interface Extent {
  readonly section: FrameSection;
  readonly start: number;
  readonly end: number;
}

/** Frame description entry: one range of code. */
export interface Fde {
  readonly low: number;
  readonly high: number;
  readonly cie: Cie;
  readonly instructions: Extent;
}

/** One entry as its header shows it. */
export interface Entry {
  readonly offset: number;
  /** Offset of the CIE that an FDE belongs to; undefined for a CIE. */
  readonly cie: number | undefined;
  /** Behind the header. */
  readonly body: ByteReader;
}

/** Reads the header of the entry at the reader, which moves behind the entry; undefined for an empty entry (a terminator). */
export function readEntry(section: FrameSection, reader: ByteReader): Entry | undefined {
  const offset = reader.offset;
  let length = reader.u32();
  if (length === 0) return undefined;
  if (length >= 0xfffffff0 && length !== 0xffffffff) reader.fail(`length 0x${length.toString(16)} is reserved`, offset);
  const wide = length === 0xffffffff;
  if (wide) length = reader.u64Number();
  const body = reader.slice(length);
  const idOffset = body.offset;
  if (section.name === '.eh_frame') {
    const back = body.u32(); // four bytes in the 64-bit format too
    return { offset, cie: back === 0 ? undefined : idOffset - back, body };
  }
  const id = wide ? body.u64() : body.u32();
  const isCie = id === 0xffffffff || id === 0xffffffff_ffffffffn;
  return { offset, cie: isCie ? undefined : Number(id), body };
}

/** Reads the CIE at an offset of its section. */
export function readCie(section: FrameSection, offset: number): Cie {
  const entry = readEntry(section, new ByteReader(section.name, section.bytes).seek(offset));
  const body = entry?.body ?? new ByteReader(section.name, section.bytes).seek(offset).fail('no CIE here');
  if (entry?.cie !== undefined) body.fail('an FDE where a CIE should be', offset);
  const version = body.u8();
  if (version !== 1 && version !== 3 && version !== 4)
    body.fail(`CIE version ${version} is not supported (1, 3 and 4 are)`);
  const augmentation = body.cString();
  let { bases } = section;
  if (version === 4) {
    const size = body.u8();
    if (size !== 4 && size !== 8) body.fail(`addresses of ${size} bytes`);
    if (body.u8() !== 0) body.fail('segment selectors are not supported');
    bases = { ...bases, addressSize: size as 4 | 8 };
  }
  const codeAlign = body.ulebNumber();
  const dataAlign = Number(body.sleb());
  const returnAddressRegister = version === 1 ? body.u8() : body.ulebNumber();
  const extra = readAugmentation(body, augmentation, bases);
  const instructions = { section, start: body.offset, end: body.offset + body.remaining };
  return { version, codeAlign, dataAlign, returnAddressRegister, ...extra, bases, instructions };
}

function readAugmentation(
  body: ByteReader,
  augmentation: string,
  bases: PointerBases,
): Pick<Cie, 'encoding' | 'signalFrame' | 'sized'> {
  let encoding = DW_EH_PE_absptr;
  let signalFrame = false;
  const sized = augmentation.startsWith('z');
  // Without the size of its data an unknown augmentation hides where the instructions begin.
  if (!sized && augmentation !== '') body.fail(`augmentation "${augmentation.slice(0, 16)}" is not supported`);
  if (!sized) return { encoding, signalFrame, sized };
  const data = body.slice(body.ulebNumber());
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') encoding = data.u8();
    else if (letter === 'L') data.u8();
    else if (letter === 'P') skipPointer(data, data.u8(), bases);
    else if (letter === 'S') signalFrame = true;
    else break; // the rest is skipped with the data
  }
  return { encoding, signalFrame, sized };
}

/** Reads an FDE whose header was read. */
export function readFde(section: FrameSection, body: ByteReader, cie: Cie): Fde {
  const low = readPointer(body, cie.encoding, cie.bases);
  const size = readPointerValue(body, cie.encoding & 0x0f, cie.bases.addressSize);
  if (size < 0) body.fail('the code it describes has a negative size');
  if (cie.sized) body.raw(body.ulebNumber()); // augmentation data: exception tables
  return {
    low,
    high: low + size,
    cie,
    instructions: { section, start: body.offset, end: body.offset + body.remaining },
  };
}

/**
 * The header of one line number program (DWARF 2 and 3, section 6.2.4; DWARF 4 and 5, section 6.2.4 too): versions 2 to 5, 32 and
 * 64-bit DWARF. Throws `SymbolError`; `LineIndex` catches it. Counts are checked against the bytes that remain, so that a
 * table whose entries have no size cannot loop.
 */
import type { ByteReader } from '../../bytes';
import { Form } from '../info/constants';
import { readForm, readOffset, type FormContext } from '../info/forms';

/** Gives the string at an offset of `.debug_str` or `.debug_line_str`. */
export type Strings = (section: '.debug_str' | '.debug_line_str', offset: number) => string;

export interface FileEntry {
  readonly name: string;
  /** Index into the directories of the header. */
  readonly directory: number;
  /** MD5 of the file's bytes in hexadecimal (version 5). */
  readonly md5?: string;
}

export interface ProgramHeader {
  /** Offset of the program in `.debug_line`: what `DW_AT_stmt_list` refers to. */
  readonly offset: number;
  readonly version: number;
  readonly addressSize: number;
  readonly minimumInstructionLength: number;
  readonly maximumOperationsPerInstruction: number;
  readonly defaultIsStmt: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operand counts of the standard opcodes; entry 0 belongs to opcode 1. */
  readonly standardOpcodeLengths: Uint8Array;
  /** Directory 0 is the compilation directory; before version 5 it is empty here. */
  readonly directories: readonly string[];
  /** By the number that the file register holds: before version 5 entry 0 is a hole. */
  readonly files: (FileEntry | undefined)[];
  /** The opcodes. */
  readonly program: ByteReader;
}

// Content type codes (DWARF 5, section 7.22).
const DW_LNCT_path = 1;
const DW_LNCT_directory_index = 2;
const DW_LNCT_MD5 = 5;

/** Forms that section 6.2.4.1 allows, and that vendors may use; each takes at least one byte. */
const ENTRY_FORMS: ReadonlySet<number> = new Set([
  Form.string,
  Form.line_strp,
  Form.strp,
  Form.udata,
  Form.data1,
  Form.data2,
  Form.data4,
  Form.data8,
  Form.data16,
  Form.block,
]);

/** Reads a unit length: the size of an offset in this unit, and a reader over the unit, which `reader` skips. */
export function readUnit(reader: ByteReader): { offsetSize: 4 | 8; unit: ByteReader } {
  const start = reader.offset;
  const length = reader.u32();
  if (length < 0xfffffff0) return { offsetSize: 4, unit: reader.slice(length) };
  if (length !== 0xffffffff) reader.fail(`unit length 0x${length.toString(16)} is reserved`, start);
  return { offsetSize: 8, unit: reader.slice(reader.u64Number()) };
}

/** Reads the header at the start of `unit`, which began at `offset` of its section. */
export function readProgramHeader(
  unit: ByteReader,
  offset: number,
  offsetSize: 4 | 8,
  addressSize: number,
  strings: Strings,
): ProgramHeader {
  const version = unit.u16();
  if (version < 2 || version > 5) unit.fail(`line table version ${version} is not supported (2 to 5 are)`);
  const size = version >= 5 ? unit.u8() : addressSize;
  if (size !== 4 && size !== 8) unit.fail(`addresses of ${size} bytes`);
  if (version >= 5 && unit.u8() !== 0) unit.fail('segment selectors are not supported');
  const headerLength = readOffset(unit, offsetSize);
  const tables = unit.slice(headerLength);
  const minimumInstructionLength = tables.u8();
  const maximumOperationsPerInstruction = version >= 4 ? Math.max(tables.u8(), 1) : 1;
  const defaultIsStmt = tables.u8() !== 0;
  const lineBase = tables.i8();
  const lineRange = tables.u8();
  if (lineRange === 0) tables.fail('line_range is 0');
  const opcodeBase = Math.max(tables.u8(), 1);
  const standardOpcodeLengths = tables.raw(opcodeBase - 1);
  const context: FormContext = { version, addressSize: size, offsetSize, offset };
  return {
    ...{ offset, version, addressSize: size, minimumInstructionLength, maximumOperationsPerInstruction },
    ...{ defaultIsStmt, lineBase, lineRange, opcodeBase, standardOpcodeLengths },
    ...(version >= 5 ? readTables5(tables, context, strings) : readTables2(tables)),
    program: unit,
  };
}

/** Tables of versions 2 to 4: strings up to an empty one. */
function readTables2(reader: ByteReader): Pick<ProgramHeader, 'directories' | 'files'> {
  const directories = [''];
  for (let name = reader.cString(); name !== ''; name = reader.cString()) directories.push(name);
  const files: (FileEntry | undefined)[] = [undefined];
  for (let name = reader.cString(); name !== ''; name = reader.cString()) files.push(readFileEntry2(reader, name));
  return { directories, files };
}

/** What follows the name of a file in versions 2 to 4, also in `DW_LNE_define_file`. */
export function readFileEntry2(reader: ByteReader, name: string): FileEntry {
  const directory = reader.ulebNumber();
  reader.uleb(); // time of last modification
  reader.uleb(); // length in bytes
  return { name, directory };
}

/** Tables of version 5: each begins with a description of its entries (section 6.2.4.1). */
function readTables5(
  reader: ByteReader,
  context: FormContext,
  strings: Strings,
): Pick<ProgramHeader, 'directories' | 'files'> {
  const directories = readEntries(reader, context, strings).map(({ name }) => name);
  return { directories, files: readEntries(reader, context, strings) };
}

function readEntries(reader: ByteReader, context: FormContext, strings: Strings): FileEntry[] {
  const formats = Array.from({ length: reader.u8() }, () => [reader.ulebNumber(), reader.ulebNumber()] as const);
  const unknown = formats.find(([, form]) => !ENTRY_FORMS.has(form));
  if (unknown) reader.fail(`entry form 0x${unknown[1].toString(16)} is not allowed in a line table`);
  const count = reader.ulebNumber();
  if (count > 0 && formats.length === 0) reader.fail(`${count} entries without a description`);
  if (count * formats.length > reader.remaining)
    reader.fail(`${count} entries do not fit into ${reader.remaining} bytes`);
  const entries: FileEntry[] = [];
  for (let i = 0; i < count; i++) entries.push(readEntry(reader, formats, context, strings));
  return entries;
}

function readEntry(
  reader: ByteReader,
  formats: readonly (readonly [type: number, form: number])[],
  context: FormContext,
  strings: Strings,
): FileEntry {
  let name = '';
  let directory = 0;
  let md5: string | undefined;
  for (const [type, form] of formats) {
    const value = readForm(reader, form, 0n, context);
    if (type === DW_LNCT_path) {
      if (value.class === 'string') name = value.value;
      if (value.class === 'stringOffset') name = strings(value.section, value.offset);
    }
    if (type === DW_LNCT_directory_index && value.class === 'constant') directory = Number(value.value);
    if (type === DW_LNCT_MD5 && value.class === 'block' && value.bytes.length === 16)
      md5 = Array.from(value.bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return md5 === undefined ? { name, directory } : { name, directory, md5 };
}

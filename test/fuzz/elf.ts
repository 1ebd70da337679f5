/**
 * ELF files for CREATE and exec, and mutations of them that know the format: each field of the headers by name, with values that lie about
 * sizes, overlap, count too much or point elsewhere. (ELF-64 object file format.)
 */
import type { Random } from '../differential/random';
import { assemble } from '../unit/assembler';
import { AGENT, ENTRY } from './enclave/agent';
import { odd } from './values';

interface Field {
  readonly name: string;
  readonly at: number;
  readonly size: 1 | 2 | 4 | 8;
}

const EHDR: readonly Field[] = [
  { name: 'e_ident[0]', at: 0, size: 4 },
  { name: 'e_ident[class]', at: 4, size: 1 },
  { name: 'e_ident[data]', at: 5, size: 1 },
  { name: 'e_type', at: 16, size: 2 },
  { name: 'e_machine', at: 18, size: 2 },
  { name: 'e_entry', at: 24, size: 8 },
  { name: 'e_phoff', at: 32, size: 8 },
  { name: 'e_shoff', at: 40, size: 8 },
  { name: 'e_flags', at: 48, size: 4 },
  { name: 'e_ehsize', at: 52, size: 2 },
  { name: 'e_phentsize', at: 54, size: 2 },
  { name: 'e_phnum', at: 56, size: 2 },
  { name: 'e_shentsize', at: 58, size: 2 },
  { name: 'e_shnum', at: 60, size: 2 },
  { name: 'e_shstrndx', at: 62, size: 2 },
];
const PHDR: readonly Field[] = [
  { name: 'p_type', at: 0, size: 4 },
  { name: 'p_flags', at: 4, size: 4 },
  { name: 'p_offset', at: 8, size: 8 },
  { name: 'p_vaddr', at: 16, size: 8 },
  { name: 'p_paddr', at: 24, size: 8 },
  { name: 'p_filesz', at: 32, size: 8 },
  { name: 'p_memsz', at: 40, size: 8 },
  { name: 'p_align', at: 48, size: 8 },
];
const SHDR: readonly Field[] = [
  { name: 'sh_type', at: 4, size: 4 },
  { name: 'sh_flags', at: 8, size: 8 },
  { name: 'sh_addr', at: 16, size: 8 },
  { name: 'sh_offset', at: 24, size: 8 },
  { name: 'sh_size', at: 32, size: 8 },
];
const [EHDR_SIZE, PHDR_SIZE, SHDR_SIZE] = [64, 56, 64];
const SEGMENTS = 3;
const SECTIONS = 2;
const DATA = 0x2000;

function put(view: DataView, { at, size }: Field, base: number, value: bigint): void {
  if (size === 8) view.setBigUint64(base + at, BigInt.asUintN(64, value), true);
  else if (size === 4) view.setUint32(base + at, Number(BigInt.asUintN(32, value)), true);
  else if (size === 2) view.setUint16(base + at, Number(BigInt.asUintN(16, value)), true);
  else view.setUint8(base + at, Number(BigInt.asUintN(8, value)));
}

function headers(
  view: DataView,
  fields: readonly Field[],
  base: number,
  values: Readonly<Record<string, number>>,
): void {
  for (const field of fields) if (values[field.name] !== undefined) put(view, field, base, BigInt(values[field.name]!));
}

/** The enclaves' program: text at 0x1000, data and bss in two further segments, two sections. */
export function enclaveImage(): Uint8Array {
  const code = assemble(ENTRY, AGENT).bytes;
  const text = EHDR_SIZE + SEGMENTS * PHDR_SIZE + SECTIONS * SHDR_SIZE;
  const bytes = new Uint8Array(text + code.length + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  headers(view, EHDR, 0, {
    'e_ident[class]': 2,
    'e_ident[data]': 1,
    e_type: 2,
    e_machine: 243,
    e_entry: ENTRY,
    e_phoff: EHDR_SIZE,
    e_shoff: EHDR_SIZE + SEGMENTS * PHDR_SIZE,
    e_ehsize: EHDR_SIZE,
    e_phentsize: PHDR_SIZE,
    e_phnum: SEGMENTS,
    e_shentsize: SHDR_SIZE,
    e_shnum: SECTIONS,
  });
  const segment = (i: number, values: Readonly<Record<string, number>>) =>
    headers(view, PHDR, EHDR_SIZE + i * PHDR_SIZE, { p_type: 1, p_align: 4096, ...values });
  segment(0, { p_flags: 5, p_offset: text, p_vaddr: ENTRY, p_filesz: code.length, p_memsz: code.length });
  segment(1, { p_flags: 6, p_offset: text, p_vaddr: DATA, p_filesz: 16, p_memsz: 16 });
  segment(2, { p_flags: 6, p_offset: text, p_vaddr: DATA + 4096, p_filesz: 0, p_memsz: 4096 });
  const section = (i: number, values: Readonly<Record<string, number>>) =>
    headers(view, SHDR, EHDR_SIZE + SEGMENTS * PHDR_SIZE + i * SHDR_SIZE, values);
  section(0, { sh_type: 1, sh_flags: 2, sh_addr: DATA, sh_offset: text, sh_size: 16 });
  section(1, { sh_type: 8, sh_flags: 3, sh_addr: DATA + 4096, sh_offset: text, sh_size: 4096 });
  bytes.set(code, text);
  return bytes;
}

/** A value for a field: near what it was, at a boundary, of another header, or anything. */
function lie(r: Random, before: bigint, length: number): bigint {
  const others = [
    ENTRY,
    DATA,
    DATA + 8,
    length,
    length - 1,
    length + 1,
    0x10000,
    0x7fffffff,
    0x38_0000_0000 - 4096,
    0x10_0000_0000,
    2 ** 40,
  ];
  return r.once(2) ? BigInt(r.pick(others)) : odd(r, before);
}

/** Changes one to three fields of the headers. What was changed, by 8-byte words of the file. */
export function mutated(r: Random, image: Uint8Array, segments: number, sections: number): Uint8Array {
  const bytes = image.slice();
  const view = new DataView(bytes.buffer);
  for (let count = r.pick([1, 1, 1, 2, 3]); count > 0; count--) {
    const which = r.below(5);
    const sectionsAt = EHDR_SIZE + segments * PHDR_SIZE;
    const [fields, base] =
      which < 2
        ? [EHDR, 0]
        : which < 4 || sections === 0
          ? [PHDR, EHDR_SIZE + PHDR_SIZE * r.below(segments)]
          : [SHDR, sectionsAt + SHDR_SIZE * r.below(sections)];
    const field = r.pick(fields);
    const before = field.size === 8 ? view.getBigUint64(base + field.at, true) : BigInt(view.getUint8(base + field.at));
    put(view, field, base, lie(r, before, bytes.length));
  }
  return bytes;
}

export const wordsOf = (bytes: Uint8Array, from: number, count: number): bigint[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, i) =>
    from + 8 * i + 8 <= bytes.length ? view.getBigUint64(from + 8 * i, true) : 0n,
  );
};
export { SEGMENTS, SECTIONS };

/**
 * Says in one sentence why a file cannot be run and debugged, and what to do. For people: it looks at the first wrong thing
 * only, from the outside in. Must never throw, whatever the bytes.
 */
import { SymbolError } from '../bytes';
import { ElfFile } from './elf';
import * as format from './format';
import { isElf } from './headers';

const MACHINES: Readonly<Record<number, string>> = {
  [format.EM_386]: '32-bit x86',
  [format.EM_ARM]: '32-bit Arm',
  [format.EM_X86_64]: 'x86-64',
  [format.EM_AARCH64]: 'Arm64',
};
const REBUILD = 'Build it for 64-bit RISC-V, for example with `penglai cc` or riscv64-linux-gnu-gcc.';

/** What `bytes` begins with, for a message: printable text as it is, else hexadecimal. */
function beginning(bytes: Uint8Array): string {
  const head = Array.from(bytes.subarray(0, 8));
  if (head.every((byte) => byte >= 0x20 && byte < 0x7f)) return `"${String.fromCharCode(...head)}"`;
  return head.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function describeElfHeader(bytes: Uint8Array): string | undefined {
  if (bytes.length < 20) return `The ELF file is cut short: it has ${bytes.length} bytes. Build or copy it again.`;
  const big = bytes[5] === 2;
  const machine = big ? (bytes[18]! << 8) | bytes[19]! : bytes[18]! | (bytes[19]! << 8);
  if (machine !== format.EM_RISCV) {
    const name = MACHINES[machine] ?? `another machine (number ${machine})`;
    return `The program was built for ${name}, not for RISC-V. ${REBUILD}`;
  }
  if (bytes[4] !== 2) return `The program was built for 32-bit RISC-V; only 64-bit programs run here. ${REBUILD}`;
  if (big) return `The program is big endian; only little-endian RISC-V programs run here. ${REBUILD}`;
  return undefined;
}

/** Undefined when the file is a complete, linked, little-endian 64-bit RISC-V ELF file; else cause and remedy. */
export function describeUnusable(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return `The file is empty. ${REBUILD}`;
  if (!isElf(bytes)) return `The file is not an ELF program; it begins with ${beginning(bytes)}. ${REBUILD}`;
  const header = describeElfHeader(bytes);
  if (header !== undefined) return header;
  const elf = ElfFile.parse(bytes);
  if (elf instanceof SymbolError)
    return `The ELF file is cut short or damaged (${elf.message}). Build or copy it again.`;
  if (elf.type === format.ET_REL)
    return 'The file is an object file (.o) that is not linked yet. Link it into a program first.';
  if (elf.type === format.ET_CORE) return 'The file is a core dump, not a program. Give the program that made it.';
  const loads = elf.segments.filter(({ type }) => type === format.PT_LOAD);
  if (loads.length === 0)
    return `The ELF file has no loadable segment, so there is nothing to run. Give the linked program.`;
  const missing = loads.reduce((end, { offset, filesz }) => Math.max(end, offset + filesz), 0) - bytes.length;
  if (missing > 0)
    return `The ELF file is cut short: ${missing} bytes of its code or data are missing. Build or copy it again.`;
  if (elf.sectionsProblem)
    return `The ELF file is cut short or damaged (${elf.sectionsProblem.message}). Build or copy it again.`;
  return undefined;
}

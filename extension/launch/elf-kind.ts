/**
 * Tells hosts from enclaves by the first bytes of a file, to propose a program when there is no launch.json. It only sorts what
 * is offered: the debug adapter checks a program properly when it is started.
 */

/** The Penglai link script places an enclave's text here; a Linux program never starts this low. */
const ENCLAVE_TEXT_LIMIT = 0x10000;
const EM_RISCV = 243;
const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1;

/** Enough for the ELF header and the program headers of any program a linker makes. */
export const HEAD_BYTES = 4096;

export type ElfKind = 'host' | 'enclave';

/** What a file with this beginning is; undefined when it is not a RISC-V 64 program. */
export function elfKind(head: Uint8Array): ElfKind | undefined {
  if (head.length < 64 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46)
    return undefined;
  if (head[4] !== 2 || head[5] !== 1) return undefined; // 64 bits, little-endian
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const type = view.getUint16(16, true);
  if (view.getUint16(18, true) !== EM_RISCV || (type !== ET_EXEC && type !== ET_DYN)) return undefined;
  return type === ET_EXEC && lowestLoad(view) < ENCLAVE_TEXT_LIMIT ? 'enclave' : 'host';
}

/** Lowest p_vaddr of a PT_LOAD header within the bytes at hand; Infinity without one. */
function lowestLoad(view: DataView): number {
  const start = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  let lowest = Infinity;
  for (let i = 0; i < count; i++) {
    const header = start + i * size;
    if (size < 56 || header + 56 > view.byteLength) break;
    if (view.getUint32(header, true) === PT_LOAD)
      lowest = Math.min(lowest, Number(view.getBigUint64(header + 16, true)));
  }
  return lowest;
}

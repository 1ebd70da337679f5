/** Physical memory protection entries as the monitor sets them: NAPOT, unlocked, eight of them in pmpcfg0. */
import { Csr } from './abi';
import type { Core } from './core';

const NAPOT = 3 << 3;
const PERMISSIONS = { none: 0, read: 1, all: 7 } as const;

/** Entry `index` (0 … 7) covers [base, base + size): a power of two of at least 8 bytes, naturally aligned. */
export function setPmp(m: Core, index: number, base: number, size: number, allowed: keyof typeof PERMISSIONS): void {
  setEntry(m, index, BigInt(base / 4) | (BigInt(size / 8) - 1n), allowed);
}

/** Entry `index` covers every address. */
export function setPmpAll(m: Core, index: number): void {
  setEntry(m, index, (1n << 54n) - 1n, 'all');
}

function setEntry(m: Core, index: number, address: bigint, allowed: keyof typeof PERMISSIONS): void {
  const shift = BigInt(8 * index);
  m.hart.writeCsr(Csr.pmpaddr0 + index, address);
  const cfg = m.hart.readCsr(Csr.pmpcfg0) & ~(0xffn << shift);
  m.hart.writeCsr(Csr.pmpcfg0, cfg | (BigInt(NAPOT | PERMISSIONS[allowed]) << shift));
}

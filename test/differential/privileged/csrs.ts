/**
 * The CSRs that random programs read and write, with the bits of a written value in which this machine and QEMU 7.2 agree.
 * The others are known differences, all of WARL or WPRI fields, where the manual leaves the choice or QEMU departs from it:
 *
 * - mstatus.VS, UXL, MPV, GVA: kept by QEMU without V and H; here read-only ("Machine Status (mstatus) Register", WPRI, WARL).
 *   mstatus.MPP = 2 is kept by QEMU; it names no level, so that here the field stays as it was.
 * - mepc and sepc bit 0: kept by QEMU; "always zero" ("Machine Exception Program Counter").
 * - mie and mip: QEMU keeps the hypervisor's bits. medeleg: it has bits of H and 11, which "should be read-only zero".
 * - menvcfg and senvcfg: PBMTE and STCE are kept without Svpbmt and Sstc; CBIE = 2, reserved, is kept.
 * - mcounteren, scounteren: 64 bits kept of 32. Counters 19 … 31 exist here (reading 0) and not in QEMU.
 * - mcountinhibit: QEMU keeps bits of counters that count nothing here.
 * - satp.MODE = 10: QEMU has Sv57.
 * - pmpcfg bits 5 and 6, W without R; pmpaddr bits 54 and above: kept by QEMU; WARL ("Physical Memory Protection CSRs").
 * - mtvec, mscratch and stvec belong to the harness: written only where they are put back at once.
 */
export interface CsrFacts {
  readonly number: number;
  /** Bits that may be 1 in a value written; 0n: never written. */
  readonly mask: bigint;
  /** May payloads write it, not only setups? */
  readonly free: boolean;
  /** Is what is read the same on both machines? */
  readonly comparable: boolean;
  /** Only whole values are written, for which this gives the value: fields that have reserved values. */
  readonly legal?: (value: bigint) => bigint;
}

const ALL = 2n ** 64n - 1n;
/** SIE, MIE, SPIE, MPIE, SPP, MPP, FS, MPRV, SUM, MXR, TVM, TW, TSR. */
export const MSTATUS = 0x7e79aan;
const SSTATUS = 0xc6122n;
const MPP = 0x1800n;
const noReservedMpp = (value: bigint): bigint => ((value & MPP) === 0x1000n ? value | MPP : value);
const noReservedCbie = (value: bigint): bigint => ((value & 0x30n) === 0x20n ? value | 0x30n : value);

const csr = (number: number, mask: bigint, more: Partial<CsrFacts> = {}): CsrFacts => ({
  number,
  mask,
  free: true,
  comparable: true,
  ...more,
});
const HARNESS = { free: false };
const COUNTER = { comparable: false, free: false };

/**
 * Bit 3, ebreak, is never delegated: the S-mode handler needs it. Nor is bit 1, the access fault of a fetch, where PMP may forbid fetching
 * that handler.
 */
export const MEDELEG = 0xb3f5n;
export const FETCH_FAULT = 2n;

export const CSRS: readonly CsrFacts[] = [
  csr(0x001, ALL),
  csr(0x002, ALL),
  csr(0x003, ALL),
  csr(0x100, SSTATUS),
  csr(0x104, 0x222n),
  csr(0x105, ALL, HARNESS),
  csr(0x106, 0x7ffffn),
  csr(0x10a, 0xf1n, { legal: noReservedCbie }),
  csr(0x140, ALL),
  csr(0x141, ALL - 1n),
  csr(0x142, ALL),
  csr(0x143, ALL),
  csr(0x144, ALL),
  csr(0x180, 0n),
  csr(0x300, MSTATUS, { legal: noReservedMpp }),
  csr(0x301, ALL),
  csr(0x302, MEDELEG),
  csr(0x303, 0x222n),
  csr(0x304, 0xaaan),
  csr(0x305, ALL, HARNESS),
  csr(0x306, 0x7ffffn),
  csr(0x30a, 0xf1n, { legal: noReservedCbie }),
  csr(0x320, 5n),
  csr(0x340, ALL, HARNESS),
  csr(0x341, ALL - 1n),
  csr(0x342, ALL),
  csr(0x343, ALL),
  csr(0x344, 0x222n),
  csr(0x3a0, 0n),
  csr(0x3a2, 0n),
  csr(0x3b0, 0n),
  csr(0x3b7, 0n),
  csr(0x3bf, 0n),
  csr(0xb00, ALL, COUNTER),
  csr(0xb02, ALL, COUNTER),
  csr(0xc00, 0n, COUNTER),
  csr(0xc01, 0n, COUNTER),
  csr(0xc02, 0n, COUNTER),
  csr(0xc03, 0n, COUNTER),
  csr(0xc12, 0n, COUNTER),
  csr(0xf11, 0n, { comparable: false }),
  csr(0xf12, 0n, { comparable: false }),
  csr(0xf13, 0n, { comparable: false }),
  csr(0xf14, 0n),
  csr(0xf15, 0n),
  // These exist nowhere.
  csr(0x004, ALL),
  csr(0x008, ALL),
  csr(0x015, ALL),
  csr(0x14d, ALL),
  csr(0x200, ALL),
  csr(0x3a1, ALL),
  csr(0x3a3, ALL),
  csr(0x600, ALL),
  csr(0x747, ALL),
  csr(0xc80, ALL),
  csr(0x9c0, ALL),
];

export const byNumber: ReadonlyMap<number, CsrFacts> = new Map(CSRS.map((facts) => [facts.number, facts]));

/** CSRs whose values stand in the result of a program. */
export const RESULT_CSRS: readonly number[] = [
  0x100,
  0x104,
  0x106,
  0x10a,
  0x140,
  0x141,
  0x142,
  0x143,
  0x144,
  0x180,
  0x300,
  0x301,
  0x302,
  0x303,
  0x304,
  0x306,
  0x30a,
  0x320,
  0x341,
  0x342,
  0x343,
  0x344,
  0x3a0,
  0x3a2,
  ...Array.from({ length: 16 }, (_, i) => 0x3b0 + i),
];

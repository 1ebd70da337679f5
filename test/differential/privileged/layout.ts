/**
 * Where everything of a batch of privileged programs lies in RAM. The harness comes first; each program has a region of its own, so that
 * the memory a batch leaves behind is the result of all of its programs. QEMU puts its device tree at 30 MiB: nothing lies there.
 */
export const RAM = 0x80000000;
export const RAM_BYTES = 32 * 2 ** 20;
/** Data of the harness. As an operand of csrrc it clears nothing of mstatus but MPRV: bit 31 is no field, bit 17 is MPRV. */
export const SAVE = 0x80020000;
/** From SAVE: x registers by number, then these. */
export const Saved = {
  /** Where the next trap is logged, and where the log ends. */
  LOG: 256,
  LOG_END: 264,
  /** Where the next step, and the end of the program, begin. */
  NEXT: 272,
  EPILOGUE: 280,
  /** Address of the S-mode handler as stvec has it, without its mode. */
  HANDLER: 288,
} as const;

const FIRST_REGION = RAM + 2 * 2 ** 20;
export const REGION_BYTES = 32 * 4096;
/** Programs that fit below QEMU's device tree. */
export const MAX_PROGRAMS = 200;

const page = (from: number, count: number) => ({ from, count });
/** Pages of a region, counted from its start. */
export const Pages = {
  MACHINE_CODE: page(0, 4),
  /** The handler of S-mode, then its payloads. */
  SUPERVISOR_CODE: page(4, 1),
  USER_CODE: page(5, 1),
  /** Filled with returns: what jumps go to. */
  RETURNS: page(6, 2),
  // Zeros lie behind them: the second half of a return across pages.
  LOG: page(9, 2),
  RESULT: page(11, 1),
  TABLES: page(12, 12),
  DATA: page(24, 6),
} as const;

/** Bytes of a record of the log: cause, epc, tval, mstatus, mip; scause, sepc, stval, sstatus when S-mode took the trap. */
export const LOG_RECORD = 128;
export const MAGIC = 0x5e7;

export const regionOf = (index: number): number => FIRST_REGION + index * REGION_BYTES;

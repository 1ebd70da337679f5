/**
 * Where everything lies in the machine's one WebAssembly.Memory. Owns every offset; no other file may hold one.
 *
 *   0x0000000  the machine: tick, halted, whose turn it is; then words in which an engine and its host pass values
 *   0x0001000  the table of variants of translated regions
 *   0x0005000  where indirect jumps went lately
 *   0x0040000  hart 0: state, then its translation banks
 *   0x0182000  hart 1 … 7
 *   0x0a80000  the second level of translations, of all harts
 *   0x0d00000  the block of decoded code of each page of RAM
 *   0x1000000  decoded code: blocks of records (engine/record.ts)
 *   0x5000000  RAM, physical address 0x80000000 on
 *
 * What is state is `Hart.STATE_WORDS` words of every hart and the machine's tick and halted; the rest is scratch or a cache. The area of
 * code is 64 MiB of zero pages that cost nothing before they are touched: blocks for 2029 pages of code.
 * Offsets named `…_WORD` count 32-bit words from the hart's start; 64-bit values are pairs, low word first.
 */

/** Physical address of the first byte of RAM. */
export const RAM_START = 0x80000000;
/** RAM can't be larger: with the area below it must fit in the 4 GiB of a WebAssembly.Memory. */
export const MAX_RAM = 3 * 2 ** 30;
export const MAX_HARTS = 8;

/** Byte offsets in the memory. */
export const enum Area {
  TICK = 0,
  /** 0 while the machine runs; HALT, or what was written to the test finisher (finisher.ts). */
  HALTED = 8,
  /** Id of the hart whose turn it is. */
  TURN = 12,
  /** Tick at which its slice ends, as a float64. */
  SLICE_END = 16,
  /** Number of words up to here that are state. */
  WORDS = 6,
  /** Between an engine's loop and its host: instructions begun in this entry of the loop, the current one included (int32). */
  COUNT = 24,
  /** A 64-bit value that the host answers with. */
  VALUE = 32,
  /** Between the loop and translated regions (engine/convention.ts): instructions that may still be begun (int32) ... */
  REST = 40,
  /** ... `limit` of this entry of the loop (int32), so that a region can tell Area.COUNT ... */
  LIMIT = 44,
  /** ... the `Result` of a load that a region asked for (int32) ... */
  RESULT = 48,
  /** ... which assumptions of regions hold in this entry of the loop, as bits (`Regime`, int32) ... */
  REGIME = 52,
  /** ... the last byte of RAM, counted from its start, at which a load of eight may begin as far as the memory has grown (int64) ... */
  RAM_LAST = 56,
  /** ... and for each slot the slot of another variant of the same entry, or 0 (uint16 each). */
  NEXT_SLOTS = 0x1000,
  /** Some of the latest indirect jumps (engine/wasm/seen-jumps.ts): the jump's record (int32), 4 bytes of no meaning, the target (int64). */
  JUMPS = 0x5000,
  HARTS = 0x40000,
  SECOND = 0xa80000,
  /** By page of RAM the byte address of its block of records, 0 for none (int32 each): engine/code-cache.ts. */
  BLOCKS = 0xd00000,
  CODE = 0x1000000,
  RAM = 0x5000000,
}

/** Bytes from one hart to the next. */
export const HART_STRIDE = 0x142000;

/** Words a context is saved as: x, f, pc, fcsr. */
export const CONTEXT_WORDS = 132;

/** Word offsets from a hart's start. */
export const enum HartWord {
  X = 0,
  F = 64,
  PC = 128,
  FCSR = 130,
  /** Where a result for x0 is put; not state. */
  DISCARD = 132,
  PRIVILEGE = 134,
  /** 1 while WFI waits. */
  SLEEPING = 135,
  /** Physical address of the reservation as a float64, -1 for none; then its size. */
  RESERVATION = 136,
  RESERVATION_SIZE = 138,
  /** Deadline of the timer in ticks as a float64, Infinity for none. */
  TIMER = 140,
  /** mtimecmp as written, in units of mtime. */
  MTIMECMP = 142,
  MSTATUS = 144,
  MEDELEG = 146,
  MIDELEG = 148,
  MIE = 150,
  /** mip without MTIP, which follows from TIMER. */
  PENDING = 152,
  /** The lines of an interrupt controller, as bits of mip. */
  LINES = 153,
  MTVEC = 154,
  MSCRATCH = 156,
  MEPC = 158,
  MCAUSE = 160,
  MTVAL = 162,
  MCOUNTEREN = 164,
  STVEC = 166,
  SSCRATCH = 168,
  SEPC = 170,
  SCAUSE = 172,
  STVAL = 174,
  SCOUNTEREN = 176,
  SATP = 178,
  /** What software added to mcycle and minstret, which otherwise are the tick. */
  MCYCLE_OFFSET = 180,
  MINSTRET_OFFSET = 182,
  MENVCFG = 184,
  SENVCFG = 186,
  /** 16 bytes. */
  PMPCFG = 188,
  /** 16 pairs. */
  PMPADDR = 192,
  MCOUNTINHIBIT = 224,
  /** Tick at which the hart's last turn ended, as a float64 (schedule.ts). */
  LEFT_AT = 226,
  STATE_WORDS = 232,
}

/**
 * Translation banks: each holds the translations of one context (satp, privilege, SUM, MXR) as three direct-mapped tables.
 * An entry is four words: tag low, tag high (the page's virtual address; low bits set = empty), addend, 0. For read and write
 * the addend is what to add to the low word of an address to get the memory offset; for exec it is the code block.
 */
export const enum Bank {
  COUNT = 16,
  /** Byte offset of the first bank from the hart's start. */
  START = 0x1000,
  /** Of the tables for data, and of that for code. */
  ENTRIES = 2048,
  EXEC_ENTRIES = 1024,
  /** What of `low >>> 10` is the entry's word offset in its table: a page number modulo the entries, times four. */
  INDEX = 0x1ffc,
  EXEC_INDEX = 0xffc,
  /** Word offsets in a bank. */
  READ = 0,
  WRITE = 8192,
  EXEC = 16384,
  /** Of the three tables, in their order, a word each: which of the entries of the second level are this bank's. */
  GENERATIONS = 20480,
  WORDS = 20484,
}

/**
 * The second level of translations, asked where the banks don't answer (engine/wasm/second-level.ts): tables for reads, writes and execution
 * that all banks of all harts share. An entry is four words: the page's virtual address, addend or code block, generation. It is of the
 * table of a bank that has this generation now; a table that is emptied gets another. No generation is 0, which is what new memory says.
 *
 * A page with decoded code may be among the writes: whoever stores by such an entry asks first whether the bytes hold an instruction.
 */
export const enum Second {
  /** Entries of the tables for data (256 MiB of it), and of that for code. */
  ENTRIES = 65536,
  EXEC_ENTRIES = 4096,
  /** Byte offsets from Area.SECOND. */
  READ = 0,
  WRITE = 0x100000,
  EXEC = 0x200000,
  BYTES = 0x210000,
}

export const hartOffset = (id: number): number => Area.HARTS + id * HART_STRIDE;

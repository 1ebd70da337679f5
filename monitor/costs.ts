/**
 * What the monitor's work costs in ticks, and how much of it one step may do. The figures are nominal: near what the real
 * monitor's instructions cost, but hashing and scanning are cheaper, because a debugger's user waits for them.
 */

/** Entering, dispatching and leaving M-mode once. */
export const TRAP_TICKS = 200;
/** One page looked at, copied, zeroed or claimed. */
export const PAGE_TICKS = 64;
/** One page hashed. */
export const HASH_PAGE_TICKS = 8192;
/** One SM2 signature. */
export const SIGN_TICKS = 200_000;
/** One page of page-table entries scanned. */
export const TABLE_TICKS = 256;

/** Pages copied or zeroed in one step: about 0.2 ms of the debugger's time. */
export const PAGES_PER_STEP = 128;
/** Page tables scanned in one step. */
export const TABLES_PER_STEP = 32;
/** Page tables in one step when each of their entries is looked up in the ownership bitmap. */
export const CHECKED_TABLES_PER_STEP = 2;
/** Large pages in one step: each is 512 entries of the ownership bitmap. */
export const LARGE_PAGES_PER_STEP = 64;
/** Bytes of the ownership bitmap written in one step of SM_INIT. */
export const BITMAP_PER_STEP = 128 * 1024;
/** Pages hashed in one step: 23 us each. */
export const HASH_PAGES_PER_STEP = 16;

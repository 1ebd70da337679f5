/** What a fault of a host program was, in words. */

/** Machine causes in words (privileged specification, mcause). */
const CAUSES: Readonly<Record<number, string>> = {
  0: 'jump to a misaligned address',
  1: 'instruction fetch refused',
  2: 'illegal instruction',
  3: 'ebreak',
  4: 'misaligned load',
  5: 'load refused',
  6: 'misaligned store',
  7: 'store refused',
  12: 'jump to an address that is not mapped or not executable',
  13: 'read from an address that is not mapped',
  15: 'write to an address that is not mapped or read-only',
};

/** `signal` as a developer knows it, the machine's cause and the address it was about. */
export function describeFault(signal: string, cause: number, address: number): string {
  const at = `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
  const what = CAUSES[cause];
  return what === undefined ? `${signal} at ${at}` : `${signal}: ${what}, ${at}`;
}

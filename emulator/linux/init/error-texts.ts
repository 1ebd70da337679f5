/** What C libraries say about the errors that commands meet (strerror), by errno; the first for all others. Linux, asm-generic. */
const KNOWN: Readonly<Record<number, string>> = {
  1: 'Operation not permitted',
  2: 'No such file or directory',
  5: 'Input/output error',
  7: 'Argument list too long',
  8: 'Exec format error',
  11: 'Resource temporarily unavailable',
  12: 'Cannot allocate memory',
  13: 'Permission denied',
  14: 'Bad address',
  15: 'Block device required',
  16: 'Device or resource busy',
  17: 'File exists',
  18: 'Invalid cross-device link',
  19: 'No such device',
  20: 'Not a directory',
  21: 'Is a directory',
  22: 'Invalid argument',
  28: 'No space left on device',
  30: 'Read-only file system',
  36: 'File name too long',
  38: 'Function not implemented',
  40: 'Too many levels of symbolic links',
};
const LAST = 40;

export const ERROR_TEXTS: readonly string[] = Array.from(
  { length: LAST + 1 },
  (_, errno) => KNOWN[errno] ?? 'It failed',
);

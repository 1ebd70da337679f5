/** Names of flags and constants of the user ABI, as the log of system calls prints them (asm-generic headers of riscv64 Linux). */

/** `bits`: names of flags that are joined by |; `values`: names of single values. A group may have both: then `mask` cuts out the value. */
interface Names {
  readonly bits?: Readonly<Record<number, string>>;
  readonly values?: Readonly<Record<number, string>>;
  readonly mask?: number;
}

const list = (prefix: string, names: string, first = 0): Record<number, string> =>
  Object.fromEntries(names.split(' ').map((name, index) => [first + index, prefix + name]));
const flags = (prefix: string, names: Readonly<Record<string, number>>): Record<number, string> =>
  Object.fromEntries(Object.entries(names).map(([name, bit]) => [bit, prefix + name]));

const SIGNALS = list(
  'SIG',
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS',
  1,
);

const GROUPS: Readonly<Record<string, Names>> = {
  O: {
    mask: 3,
    values: list('O_', 'RDONLY WRONLY RDWR'),
    bits: flags('O_', {
      CREAT: 0o100,
      EXCL: 0o200,
      NOCTTY: 0o400,
      TRUNC: 0o1000,
      APPEND: 0o2000,
      NONBLOCK: 0o4000,
      DSYNC: 0o10000,
      DIRECT: 0o40000,
      LARGEFILE: 0o100000,
      DIRECTORY: 0o200000,
      NOFOLLOW: 0o400000,
      NOATIME: 0o1000000,
      CLOEXEC: 0o2000000,
      PATH: 0o10000000,
      __TMPFILE: 0o20000000,
    }),
  },
  OF: { bits: flags('O_', { NONBLOCK: 0o4000, CLOEXEC: 0o2000000, EXCL: 0o200 }) },
  AT: {
    bits: flags('AT_', {
      SYMLINK_NOFOLLOW: 0x100,
      REMOVEDIR: 0x200,
      SYMLINK_FOLLOW: 0x400,
      NO_AUTOMOUNT: 0x800,
      EMPTY_PATH: 0x1000,
    }),
  },
  PROT: { bits: { 1: 'PROT_READ', 2: 'PROT_WRITE', 4: 'PROT_EXEC', 0: 'PROT_NONE' } },
  MAP: {
    mask: 3,
    values: { 1: 'MAP_SHARED', 2: 'MAP_PRIVATE', 3: 'MAP_SHARED_VALIDATE' },
    bits: flags('MAP_', {
      FIXED: 0x10,
      ANONYMOUS: 0x20,
      GROWSDOWN: 0x100,
      DENYWRITE: 0x800,
      LOCKED: 0x2000,
      NORESERVE: 0x4000,
      POPULATE: 0x8000,
      NONBLOCK: 0x10000,
      STACK: 0x20000,
      FIXED_NOREPLACE: 0x100000,
    }),
  },
  MREMAP: { bits: flags('MREMAP_', { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 }) },
  MS: { bits: flags('MS_', { ASYNC: 1, INVALIDATE: 2, SYNC: 4 }) },
  MADV: {
    values: {
      ...list('MADV_', 'NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED'),
      8: 'MADV_FREE',
      ...list(
        'MADV_',
        'REMOVE DONTFORK DOFORK MERGEABLE UNMERGEABLE HUGEPAGE NOHUGEPAGE DONTDUMP DODUMP WIPEONFORK KEEPONFORK COLD PAGEOUT',
        9,
      ),
    },
  },
  SEEK: { values: list('SEEK_', 'SET CUR END DATA HOLE') },
  F: {
    values: {
      ...list('F_', 'DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW SETOWN GETOWN'),
      ...list('F_', 'OFD_GETLK OFD_SETLK OFD_SETLKW', 36),
      1030: 'F_DUPFD_CLOEXEC',
      1031: 'F_SETPIPE_SZ',
      1032: 'F_GETPIPE_SZ',
      1033: 'F_ADD_SEALS',
      1034: 'F_GET_SEALS',
    },
  },
  LOCK: { bits: flags('LOCK_', { SH: 1, EX: 2, NB: 4, UN: 8 }) },
  EFD: { bits: { 1: 'EFD_SEMAPHORE', 0o4000: 'EFD_NONBLOCK', 0o2000000: 'EFD_CLOEXEC' } },
  EPOLL: { bits: { 0o2000000: 'EPOLL_CLOEXEC' } },
  EPOLL_CTL: { values: list('EPOLL_CTL_', 'ADD DEL MOD', 1) },
  W: { bits: flags('W', { NOHANG: 1, UNTRACED: 2, EXITED: 4, CONTINUED: 8, NOWAIT: 0x1000000 }) },
  SIG: { values: list('SIG_', 'BLOCK UNBLOCK SETMASK') },
  RENAME: { bits: flags('RENAME_', { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 }) },
  GRND: { bits: flags('GRND_', { NONBLOCK: 1, RANDOM: 2, INSECURE: 4 }) },
  MFD: { bits: flags('MFD_', { CLOEXEC: 1, ALLOW_SEALING: 2 }) },
  RLIMIT: {
    values: list(
      'RLIMIT_',
      'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME',
    ),
  },
  PR: {
    values: {
      ...list('PR_', 'SET_PDEATHSIG GET_PDEATHSIG GET_DUMPABLE SET_DUMPABLE', 1),
      ...list('PR_', 'GET_KEEPCAPS SET_KEEPCAPS', 7),
      15: 'PR_SET_NAME',
      16: 'PR_GET_NAME',
      36: 'PR_SET_CHILD_SUBREAPER',
      38: 'PR_SET_NO_NEW_PRIVS',
      39: 'PR_GET_NO_NEW_PRIVS',
    },
  },
  CLONE: {
    mask: 0xff,
    values: { ...SIGNALS, 0: '' },
    bits: flags('CLONE_', {
      VM: 0x100,
      FS: 0x200,
      FILES: 0x400,
      SIGHAND: 0x800,
      VFORK: 0x4000,
      PARENT: 0x8000,
      THREAD: 0x10000,
      SYSVSEM: 0x40000,
      SETTLS: 0x80000,
      PARENT_SETTID: 0x100000,
      CHILD_CLEARTID: 0x200000,
      DETACHED: 0x400000,
      CHILD_SETTID: 0x1000000,
    }),
  },
  AF: { values: { 0: 'AF_UNSPEC', 1: 'AF_UNIX', 2: 'AF_INET', 10: 'AF_INET6', 16: 'AF_NETLINK' } },
  SOCK: {
    mask: 15,
    values: { ...list('SOCK_', 'STREAM DGRAM RAW RDM SEQPACKET', 1), 0: '' },
    bits: { 0o4000: 'SOCK_NONBLOCK', 0o2000000: 'SOCK_CLOEXEC' },
  },
  access: { bits: { 0: 'F_OK', 1: 'X_OK', 2: 'W_OK', 4: 'R_OK' } },
  clock: {
    values: list(
      'CLOCK_',
      'REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW REALTIME_COARSE MONOTONIC_COARSE BOOTTIME REALTIME_ALARM BOOTTIME_ALARM',
    ),
  },
  signal: { values: SIGNALS },
  futex: {
    mask: 0x7f,
    values: list(
      'FUTEX_',
      'WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI WAIT_BITSET WAKE_BITSET WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2',
    ),
    bits: { 0x80: 'FUTEX_PRIVATE_FLAG', 0x100: 'FUTEX_CLOCK_REALTIME' },
  },
  ioctl: {
    values: {
      0x5401: 'TCGETS',
      0x5402: 'TCSETS',
      0x5403: 'TCSETSW',
      0x5404: 'TCSETSF',
      0x540e: 'TIOCSCTTY',
      0x540f: 'TIOCGPGRP',
      0x5410: 'TIOCSPGRP',
      0x5413: 'TIOCGWINSZ',
      0x5414: 'TIOCSWINSZ',
      0x541b: 'FIONREAD',
      0x5421: 'FIONBIO',
      0x5450: 'FIONCLEX',
      0x5451: 'FIOCLEX',
    },
  },
};

export const hasNames = (group: string): boolean => Object.hasOwn(GROUPS, group);

/** The text of a value: names joined by |, with what has no name as a number. */
export function named(group: string, value: number): string {
  const { bits, values, mask } = GROUPS[group]!;
  const unsigned = value >>> 0;
  const parts: string[] = [];
  let rest = unsigned;
  if (values) {
    const cut = mask === undefined ? unsigned : unsigned & mask;
    const name = values[cut];
    if (name) parts.push(name);
    if (name !== undefined) rest = mask === undefined ? 0 : (unsigned & ~mask) >>> 0;
  }
  for (const [bit, name] of Object.entries(bits ?? {}))
    if (Number(bit) !== 0 && (rest & Number(bit)) !== 0) {
      parts.push(name);
      rest = (rest & ~Number(bit)) >>> 0;
    }
  if (rest !== 0) parts.push(`0x${rest.toString(16)}`);
  return parts.length > 0 ? parts.join('|') : (bits?.[0] ?? '0');
}

/** `SIGINT`; a number for a real-time signal. */
export const signalText = (signal: number): string =>
  SIGNALS[signal] ?? (signal >= 32 ? `SIGRT_${signal - 32}` : String(signal));

const ERRORS =
  `EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV
ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS
ENOTEMPTY ELOOP`.split(/\s+/);
const MORE_ERRORS: Readonly<Record<number, string>> = {
  61: 'ENODATA',
  62: 'ETIME',
  71: 'EPROTO',
  75: 'EOVERFLOW',
  84: 'EILSEQ',
  ...list(
    'E',
    'NOTSOCK DESTADDRREQ MSGSIZE PROTOTYPE NOPROTOOPT PROTONOSUPPORT SOCKTNOSUPPORT OPNOTSUPP PFNOSUPPORT AFNOSUPPORT ADDRINUSE ADDRNOTAVAIL NETDOWN NETUNREACH NETRESET CONNABORTED CONNRESET NOBUFS ISCONN NOTCONN',
    88,
  ),
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  114: 'EALREADY',
  115: 'EINPROGRESS',
  125: 'ECANCELED',
  130: 'EOWNERDEAD',
  131: 'ENOTRECOVERABLE',
};
/** Name of an errno. */
export const errorName = (error: number): string => ERRORS[error - 1] ?? MORE_ERRORS[error] ?? `E${error}`;

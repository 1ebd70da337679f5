/**
 * Numbers of the Linux user ABI (asm-generic): errno values, signals and the flags that several files share. Numbers only;
 * what they mean stands where they are used.
 */

export const enum Errno {
  EPERM = 1,
  ENOENT = 2,
  ESRCH = 3,
  EINTR = 4,
  EIO = 5,
  ENXIO = 6,
  E2BIG = 7,
  ENOEXEC = 8,
  EBADF = 9,
  ECHILD = 10,
  EAGAIN = 11,
  ENOMEM = 12,
  EACCES = 13,
  EFAULT = 14,
  ENOTBLK = 15,
  EBUSY = 16,
  EEXIST = 17,
  EXDEV = 18,
  ENODEV = 19,
  ENOTDIR = 20,
  EISDIR = 21,
  EINVAL = 22,
  EMFILE = 24,
  ENOTTY = 25,
  ETXTBSY = 26,
  EFBIG = 27,
  ENOSPC = 28,
  ESPIPE = 29,
  EROFS = 30,
  EPIPE = 32,
  EDOM = 33,
  EMLINK = 31,
  ERANGE = 34,
  EDEADLK = 35,
  ENAMETOOLONG = 36,
  ENOLCK = 37,
  ENOSYS = 38,
  ENOTEMPTY = 39,
  ELOOP = 40,
  ENODATA = 61,
  EOVERFLOW = 75,
  ENOTSOCK = 88,
  EDESTADDRREQ = 89,
  EMSGSIZE = 90,
  EPROTOTYPE = 91,
  ENOPROTOOPT = 92,
  EPROTONOSUPPORT = 93,
  ESOCKTNOSUPPORT = 94,
  EOPNOTSUPP = 95,
  EAFNOSUPPORT = 97,
  EADDRINUSE = 98,
  EADDRNOTAVAIL = 99,
  ENETUNREACH = 101,
  ECONNABORTED = 103,
  ECONNRESET = 104,
  ENOBUFS = 105,
  EISCONN = 106,
  ENOTCONN = 107,
  ETIMEDOUT = 110,
  ECONNREFUSED = 111,
  EALREADY = 114,
  EINPROGRESS = 115,
  ELIBBAD = 80,
  /** Never seen by a program: the call starts again unless a handler without SA_RESTART runs. */
  ERESTARTSYS = 512,
  /** Never seen by a program: the call starts again whatever handler runs. */
  ERESTARTNOINTR = 513,
  /** Never seen by a program: the call starts again only when no handler runs. */
  ERESTARTNOHAND = 514,
  /** Never seen by a program: the call goes on where it was only when no handler runs. */
  ERESTART_RESTARTBLOCK = 516,
}

export const enum Signal {
  HUP = 1,
  INT = 2,
  QUIT = 3,
  ILL = 4,
  TRAP = 5,
  ABRT = 6,
  BUS = 7,
  FPE = 8,
  KILL = 9,
  SEGV = 11,
  PIPE = 13,
  ALRM = 14,
  TERM = 15,
  CHLD = 17,
  CONT = 18,
  STOP = 19,
  TSTP = 20,
  TTIN = 21,
  TTOU = 22,
  URG = 23,
  XFSZ = 25,
  VTALRM = 26,
  PROF = 27,
  WINCH = 28,
}

const SIGNAL_NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

/** `SIGSEGV` for 11, `SIG40` for a real-time signal. */
export const signalName = (signal: number): string => `SIG${SIGNAL_NAMES[signal - 1] ?? signal}`;

/** open(2) flags. */
export const enum O {
  ACCMODE = 3,
  WRONLY = 1,
  RDWR = 2,
  CREAT = 0o100,
  EXCL = 0o200,
  TRUNC = 0o1000,
  APPEND = 0o2000,
  NONBLOCK = 0o4000,
  DSYNC = 0o10000,
  DIRECTORY = 0o200000,
  NOFOLLOW = 0o400000,
  NOATIME = 0o1000000,
  CLOEXEC = 0o2000000,
  /** With DSYNC. */
  SYNC = 0o4000000,
  PATH = 0o10000000,
  /** With DIRECTORY. */
  TMPFILE = 0o20200000,
}

/** Directory descriptor that stands for the current directory. */
export const AT_FDCWD = -100;

/** Flags of the calls whose names end in `at`. */
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EMPTY_PATH = 0x1000;

/** Types of files in a mode (inode(7)). */
export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

/** The last real-time signal. */
export const SIGNAL_MAX = 64;
/** sizeof(sigset_t) as the kernel has it. */
export const SIGSET_BYTES = 8;
/** si_code of a signal that the kernel sends. */
export const SI_KERNEL = 0x80;
export const SS_ONSTACK = 1;

/** A time is one of the clock, not one from now on. */
export const TIMER_ABSTIME = 1;

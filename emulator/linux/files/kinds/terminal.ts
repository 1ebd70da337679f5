/** The terminal as open files see it: standard streams, /dev/tty, /dev/console. The terminal itself is in tty.ts. */
import type { Core } from '../../core';
import { Errno, S_IFCHR, Signal } from '../../errno';
import type { CallContext, Outcome } from '../../calls/call';
import {
  flushInput,
  leaveTty,
  processed,
  readTty,
  refuseBackground,
  setForeground,
  setTermios,
  setWindow,
  stopsBackground,
  takeTty,
  TERMIOS_SIZE,
  termiosBytes,
  TTY_QUEUE,
  ttyReadable,
  typedAhead,
} from '../../tty';
import { Poll, type FileOf, type Kind } from './kind';

const enum Request {
  TCGETS = 0x5401,
  TCSETS = 0x5402,
  TCSETSW = 0x5403,
  TCSETSF = 0x5404,
  TCSBRK = 0x5409,
  TCXONC = 0x540a,
  TCFLSH = 0x540b,
  TIOCSCTTY = 0x540e,
  TIOCGPGRP = 0x540f,
  TIOCSPGRP = 0x5410,
  TIOCOUTQ = 0x5411,
  TIOCGWINSZ = 0x5413,
  TIOCSWINSZ = 0x5414,
  TIOCNOTTY = 0x5422,
  TIOCGSID = 0x5429,
}
/** Requests that change the terminal: a process in the background is stopped by them. */
const CHANGES = new Set<number>([
  Request.TCSETS,
  Request.TCSETSW,
  Request.TCSETSF,
  Request.TCSBRK,
  Request.TCXONC,
  Request.TCFLSH,
  Request.TIOCSPGRP,
]);
const TCOFLUSH = 1;

function ioctl(context: CallContext): Outcome | undefined {
  const { core, process, call } = context;
  const command = call.args[1]! >>> 0;
  const argument = call.args[2]!;
  const { tty } = core.state;
  const refused = CHANGES.has(command) ? refuseBackground(core, Signal.TTOU) : undefined;
  if (refused !== undefined) return refused;
  switch (command as Request) {
    case Request.TCGETS:
      core.user.write(argument, termiosBytes(tty.termios));
      return 0;
    case Request.TCSETS:
    case Request.TCSETSW:
    case Request.TCSETSF:
      setTermios(core, core.user.read(argument, TERMIOS_SIZE), command === Request.TCSETSF);
      return 0;
    // Output has always left, and is never held back.
    case Request.TCSBRK:
    case Request.TCXONC:
      return 0;
    case Request.TCFLSH:
      if (argument < 0 || argument > 2) return -Errno.EINVAL;
      if (argument !== TCOFLUSH) flushInput(core);
      return 0;
    case Request.TIOCOUTQ:
      core.user.writeU32(argument, 0);
      return 0;
    case Request.TIOCGWINSZ:
      core.user.write(argument, new Uint8Array(new Uint16Array([tty.rows, tty.columns, 0, 0]).buffer));
      return 0;
    case Request.TIOCSWINSZ:
      setWindow(core, core.user.readU16(argument), core.user.readU16(argument + 2));
      return 0;
    case Request.TIOCSCTTY: {
      if (tty.session === process.session) return 0;
      const isLeader = process.session === process.pid;
      if (!isLeader || tty.session !== 0) return -Errno.EPERM;
      takeTty(core, process.session, process.group);
      return 0;
    }
    default:
      return ofSession(context, command, argument);
  }
}

/** Requests of the session that has the terminal. */
function ofSession({ core, process }: CallContext, command: number, argument: number): Outcome | undefined {
  const { tty } = core.state;
  const mine = tty.session !== 0 && tty.session === process.session;
  switch (command as Request) {
    case Request.TIOCGPGRP:
      if (!mine) return -Errno.ENOTTY;
      core.user.writeU32(argument, tty.foreground);
      return 0;
    case Request.TIOCSPGRP:
      return setForeground(core, process.session, core.user.readI32(argument));
    case Request.TIOCGSID:
      if (!mine) return -Errno.ENOTTY;
      core.user.writeU32(argument, tty.session);
      return 0;
    case Request.TIOCNOTTY:
      if (!mine) return -Errno.ENOTTY;
      if (process.session === process.pid) leaveTty(core);
      return 0;
    default:
      return undefined;
  }
}

export const terminal: Kind<FileOf<'terminal'>> = {
  read(core, _id, _file, length) {
    const refused = refuseBackground(core, Signal.TTIN);
    if (refused !== undefined) return refused;
    return readTty(core, length) ?? { wait: TTY_QUEUE };
  },
  write(core: Core, _id, file, bytes, _position, pid) {
    const refused = stopsBackground(core) ? refuseBackground(core, Signal.TTOU) : undefined;
    if (refused !== undefined) return refused;
    if (bytes.length > 0) core.emit({ kind: 'output', stream: file.stream, pid, bytes: processed(core, bytes) });
    return bytes.length;
  },
  ready: (core) => ({
    events: (ttyReadable(core) ? Poll.IN | Poll.RDNORM : 0) | Poll.OUT | Poll.WRNORM,
    reading: TTY_QUEUE,
  }),
  available: typedAhead,
  ioctl,
  mode: () => S_IFCHR | 0o620,
};

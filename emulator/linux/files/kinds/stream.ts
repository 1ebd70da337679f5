/** Standard input as it comes from outside, and standard output and error, which go there. */
import type { Core } from '../../core';
import { Errno } from '../../errno';
import { isTerminal } from '../stat';
import { chunksLength, takeChunks } from './chunks';
import { Poll, type FileOf, type Kind } from './kind';

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;

const TCGETS = 0x5401;
const TIOCGWINSZ = 0x5413;
/** struct termios of a terminal that changes nothing: all modes off, 38400 baud, 8 bits. */
const TERMIOS = new Uint8Array(36);
new DataView(TERMIOS.buffer).setUint32(8, 0xbf, true);
/** struct winsize: 24 rows of 80 columns. */
const WINDOW = new Uint8Array(new Uint16Array([24, 80, 0, 0]).buffer);

type Stream = FileOf<'stdin'> | FileOf<'stdout'> | FileOf<'stderr'>;
const mode = (core: Core, file: Stream): number => (isTerminal(core, file) ? S_IFCHR | 0o620 : S_IFIFO | 0o600);

const ioctl: Kind['ioctl'] = ({ core, call }, _id, file) => {
  const [, command, argument] = call.args as [number, number, number];
  const answer = { [TCGETS]: TERMIOS, [TIOCGWINSZ]: WINDOW }[command >>> 0];
  if (!answer) return undefined;
  if (!isTerminal(core, file)) return -Errno.ENOTTY;
  core.user.write(argument, answer);
  return 0;
};

export const stdin: Kind<FileOf<'stdin'>> = {
  read(core, _id, _file, length) {
    const { chunks, end } = core.state.stdin;
    if (chunks.size === 0) return end ? new Uint8Array(0) : { wait: 'stdin' };
    const { bytes, rest } = takeChunks(chunks, length);
    core.set({ stdin: { chunks: rest, end } });
    return bytes;
  },
  ready(core) {
    const { chunks, end } = core.state.stdin;
    return { events: chunks.size > 0 || end ? Poll.IN | Poll.RDNORM : 0, reading: 'stdin' };
  },
  available: (core) => chunksLength(core.state.stdin.chunks),
  ioctl,
  mode,
};

const output: Kind<FileOf<'stdout'> | FileOf<'stderr'>> = {
  write(core, _id, file, bytes, _position, pid) {
    if (bytes.length > 0) core.emit({ kind: 'output', stream: file.kind, pid, bytes });
    return bytes.length;
  },
  ready: () => ({ events: Poll.OUT | Poll.WRNORM }),
  ioctl,
  mode,
};
export const stdout: Kind<FileOf<'stdout'>> = output;
export const stderr: Kind<FileOf<'stderr'>> = output;

/** Standard input as it comes from outside, and standard output and error, which go there, when they are no terminal (terminal.ts). */
import { S_IFIFO } from '../../errno';
import { chunksLength, takeChunks } from './chunks';
import { Poll, type FileOf, type Kind } from './kind';

const mode = (): number => S_IFIFO | 0o600;

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
  mode,
};

const output: Kind<FileOf<'stdout'> | FileOf<'stderr'>> = {
  write(core, _id, file, bytes, _position, pid) {
    if (bytes.length > 0) core.emit({ kind: 'output', stream: file.kind, pid, bytes });
    return bytes.length;
  },
  ready: () => ({ events: Poll.OUT | Poll.WRNORM }),
  mode,
};
export const stdout: Kind<FileOf<'stdout'>> = output;
export const stderr: Kind<FileOf<'stderr'>> = output;

/** Pipes and FIFOs (pipe(7)): bytes in order, at most a capacity of them; an end that reads, one that writes, or (a FIFO only) both in one. */
import { List } from 'immutable';
import type { Core } from '../../core';
import { Errno, S_IFIFO } from '../../errno';
import { wake } from '../../scheduler';
import { mayRead, mayWrite } from '../open-files';
import type { Pipe } from '../types';
import { takeChunks } from './chunks';
import { Poll, type FileOf, type Kind } from './kind';

export const PIPE_SIZE = 65536;
/** Writes of up to this many bytes are not split. */
const PIPE_BUF = 4096;
/** What F_SETPIPE_SZ allows: /proc/sys/fs/pipe-max-size. */
const MAX_PIPE_SIZE = 1024 * 1024;

const readQueue = (pipe: number): string => `pipe:${pipe}:read`;
const writeQueue = (pipe: number): string => `pipe:${pipe}:write`;

const setPipe = (core: Core, id: number, pipe: Pipe): void => core.set({ pipes: core.state.pipes.set(id, pipe) });

/** A pipe nobody has opened yet. */
export function newPipe(core: Core): number {
  const pipe = core.state.nextPipe;
  core.set({ nextPipe: pipe + 1 });
  setPipe(core, pipe, { chunks: List(), length: 0, capacity: PIPE_SIZE, readers: 0, writers: 0 });
  return pipe;
}

/** Counts a new open file as an end of its pipe. */
export function openPipeEnd(core: Core, id: number, reads: boolean, writes: boolean): void {
  const pipe = core.state.pipes.get(id)!;
  setPipe(core, id, { ...pipe, readers: pipe.readers + (reads ? 1 : 0), writers: pipe.writers + (writes ? 1 : 0) });
}

/** F_SETPIPE_SZ: the new capacity, a power of two of pages, or a negative errno. */
export function resizePipe(core: Core, id: number, wanted: number): number {
  if (wanted <= 0 || wanted > 2 ** 31) return -Errno.EINVAL;
  const capacity = 2 ** Math.ceil(Math.log2(Math.max(PIPE_BUF, wanted)));
  const pipe = core.state.pipes.get(id)!;
  if (capacity > MAX_PIPE_SIZE) return -Errno.EPERM;
  if (capacity < pipe.length) return -Errno.EBUSY;
  setPipe(core, id, { ...pipe, capacity });
  wake(core, writeQueue(id));
  return capacity;
}

export const pipe: Kind<FileOf<'pipe'>> = {
  read(core, _id, file, length) {
    const { pipe: number } = file;
    const pipe = core.state.pipes.get(number)!;
    if (length === 0) return new Uint8Array(0);
    if (pipe.length === 0) return pipe.writers > 0 ? { wait: readQueue(number) } : new Uint8Array(0);
    const { bytes, rest } = takeChunks(pipe.chunks, length);
    setPipe(core, number, { ...pipe, chunks: rest, length: pipe.length - bytes.length });
    wake(core, writeQueue(number));
    return bytes;
  },
  write(core, _id, file, bytes) {
    const { pipe: number } = file;
    const pipe = core.state.pipes.get(number)!;
    if (bytes.length === 0) return 0;
    if (pipe.readers === 0) return -Errno.EPIPE;
    const room = pipe.capacity - pipe.length;
    if (room === 0 || (bytes.length <= PIPE_BUF && bytes.length > room)) return { wait: writeQueue(number) };
    const part = bytes.slice(0, room);
    setPipe(core, number, { ...pipe, chunks: pipe.chunks.push(part), length: pipe.length + part.length });
    wake(core, readQueue(number));
    return part.length;
  },
  ready(core, _id, file) {
    const { length, capacity, readers, writers } = core.state.pipes.get(file.pipe)!;
    let events = 0;
    if (mayRead(file)) events |= (length > 0 ? Poll.IN | Poll.RDNORM : 0) | (writers === 0 ? Poll.HUP : 0);
    if (mayWrite(file))
      events |= (capacity - length >= PIPE_BUF ? Poll.OUT | Poll.WRNORM : 0) | (readers === 0 ? Poll.ERR : 0);
    return {
      events,
      ...(mayRead(file) ? { reading: readQueue(file.pipe) } : {}),
      ...(mayWrite(file) ? { writing: writeQueue(file.pipe) } : {}),
    };
  },
  available: (core, file) => core.state.pipes.get(file.pipe)!.length,
  closed(core, _id, file) {
    const pipe = core.state.pipes.get(file.pipe)!;
    const readers = pipe.readers - (mayRead(file) ? 1 : 0);
    const writers = pipe.writers - (mayWrite(file) ? 1 : 0);
    if (readers === 0 && writers === 0) core.set({ pipes: core.state.pipes.remove(file.pipe) });
    else setPipe(core, file.pipe, { ...pipe, readers, writers });
    wake(core, readQueue(file.pipe));
    wake(core, writeQueue(file.pipe));
    return undefined;
  },
  mode: () => S_IFIFO | 0o600,
};

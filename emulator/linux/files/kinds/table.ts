/** All kinds of open files. A new one is a module beside this file, its record in files/types.ts, and a line here. */
import type { OpenFile } from '../types';
import { device } from './device';
import { epoll } from './epoll';
import { event } from './event';
import { inode, text } from './inode';
import type { FileOf, Kind } from './kind';
import { pipe } from './pipe';
import { signal } from './signal';
import { socket } from './socket';
import { stderr, stdin, stdout } from './stream';
import { terminal } from './terminal';
import { timer } from './timer';

type Kinds = { readonly [K in OpenFile['kind']]: Kind<FileOf<K>> };
const all = (): Kinds => ({
  inode,
  text,
  stdin,
  stdout,
  stderr,
  terminal,
  pipe,
  event,
  epoll,
  timer,
  signal,
  socket,
  device,
});
/** Made at its first use: some of the modules need this table themselves. */
let kinds: Kinds | undefined;

export const kindOf = (file: OpenFile): Kind => (kinds ??= all())[file.kind] as Kind;

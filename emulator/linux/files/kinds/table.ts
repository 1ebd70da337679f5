/** All kinds of open files. A new one is a module beside this file, its record in files/types.ts, and a line here. */
import type { OpenFile } from '../types';
import { device } from './device';
import { event } from './event';
import { inode, text } from './inode';
import type { FileOf, Kind } from './kind';
import { pipe } from './pipe';
import { stderr, stdin, stdout } from './stream';

const KINDS: { readonly [K in OpenFile['kind']]: Kind<FileOf<K>> } = {
  inode,
  text,
  stdin,
  stdout,
  stderr,
  pipe,
  event,
  device,
};

export const kindOf = (file: OpenFile): Kind => KINDS[file.kind] as Kind;

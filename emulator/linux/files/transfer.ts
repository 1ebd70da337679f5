/**
 * Reading from and writing to an open file of any kind, a bounded piece at a time. The bytes go to or come from the caller, which owns
 * the user memory; nothing here touches it.
 */
import { Errno } from '../errno';
import type { Core } from '../core';
import type { ReadResult, WriteResult } from './kinds/kind';
import { kindOf } from './kinds/table';
import { mayRead, mayWrite } from './open-files';

/** Bytes moved per step. */
export const PIECE = 65536;

/** Reads at `position`, or at the file's own offset (which moves) when it is undefined. */
export function readFile(core: Core, id: number, position: number | undefined, length: number): ReadResult {
  const file = core.state.openFiles.get(id)!;
  if (!mayRead(file)) return -Errno.EBADF;
  const kind = kindOf(file);
  if (position !== undefined && kind.positioned !== true) return -Errno.ESPIPE;
  return kind.read?.(core, id, file, length, position) ?? -Errno.EINVAL;
}

/** Writes at `position`, or at the file's own offset (which moves) when it is undefined. `pid` is told with output. */
export function writeFile(
  core: Core,
  id: number,
  position: number | undefined,
  bytes: Uint8Array,
  pid: number,
): WriteResult {
  const file = core.state.openFiles.get(id)!;
  if (!mayWrite(file)) return -Errno.EBADF;
  const kind = kindOf(file);
  if (position !== undefined && kind.positioned !== true) return -Errno.ESPIPE;
  return kind.write?.(core, id, file, bytes, position, pid) ?? -Errno.EINVAL;
}

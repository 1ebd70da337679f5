/**
 * Kernel modules (init_module(2)). This kernel takes one: that of the driver of its device, which is built in and works already. The first
 * attempt to load it succeeds as the real one's does, another one is told that it is there. Any other module was not built for this kernel.
 */
import type { Core } from '../core';
import { Errno } from '../errno';
import { readData } from '../files/data';
import { openFileOf } from '../files/descriptors';
import { mayRead } from '../files/open-files';
import { inodeOf } from '../files/walk';
import type { CallContext, Handler, Outcome } from './call';

const moduleOf = (core: Core): string | undefined => core.options.devices.find(({ module }) => module)?.module;
const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const MODULE_MAX = 64 * 1024 * 1024;
/** Bytes searched per step. */
const PIECE = 65536;

interface Search {
  readonly at: number;
}

function contains(bytes: Uint8Array, mark: Uint8Array): boolean {
  for (let at = bytes.indexOf(mark[0]!); at >= 0; at = bytes.indexOf(mark[0]!, at + 1))
    if (mark.every((byte, i) => bytes[at + i] === byte)) return true;
  return false;
}

/** Looks through a module, a piece per step, for the name of the driver. */
function load(context: CallContext, size: number, read: (offset: number, length: number) => Uint8Array): Outcome {
  const { core, call } = context;
  const at = (call.phase as Search | undefined)?.at ?? 0;
  if (size > MODULE_MAX) return -Errno.ENOMEM;
  if (at === 0 && !ELF_MAGIC.every((byte, i) => read(0, 4)[i] === byte)) return -Errno.ENOEXEC;
  const module = moduleOf(core);
  if (module === undefined) return -Errno.ENOEXEC;
  // What the .modinfo section of a module says about its name.
  const mark = new TextEncoder().encode(`name=${module}\0`);
  const bytes = read(at, PIECE + mark.length);
  core.chargeBytes(bytes.length);
  if (!contains(bytes, mark))
    return at + PIECE < size ? { do: 'more', phase: { at: at + PIECE } satisfies Search } : -Errno.ENOEXEC;
  if (core.state.moduleLoaded) return -Errno.EEXIST;
  core.set({ moduleLoaded: true });
  return 0;
}

const init_module: Handler = (context, image, length) => {
  const size = length! < 0 ? Infinity : length!;
  return load(context, size, (offset, count) =>
    context.core.user.read(image! + offset, Math.max(0, Math.min(count, size - offset))),
  );
};

const finit_module: Handler = (context, fd) => {
  const { core, process } = context;
  const open = openFileOf(core, process, fd! | 0);
  if (!open || !mayRead(open.file)) return -Errno.EBADF;
  const { file } = open;
  const inode = file.kind === 'inode' ? inodeOf(core, file.inode) : undefined;
  if (file.kind !== 'inode' || inode?.type !== 'file') return -Errno.EINVAL;
  return load(context, inode.content.size, (offset, count) => readData(core, file.inode, offset, count));
};

/** The driver stays: what it does for programs ends with them. */
const delete_module: Handler = ({ core }, nameAt) => {
  const name = core.user.string(nameAt!, 56);
  return name === moduleOf(core) && core.state.moduleLoaded ? -Errno.EBUSY : -Errno.ENOENT;
};

export const moduleCalls: Readonly<Record<string, Handler>> = { init_module, finit_module, delete_module };

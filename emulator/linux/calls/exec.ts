/**
 * execve and execveat, in steps: the file is looked at, arguments are copied, the images' identities are computed, then other threads and
 * what devices hold for the process go, and the new address space takes the place of the old one. Nothing is lost before the last of these.
 */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, Errno, Signal } from '../errno';
import type { Core } from '../core';
import { LaunchError } from '../errors';
import { execQueue, fillStack, prepareMemory, replaceProgram, type Prepared } from '../exec';
import type { Content } from '../files/content';
import { readData } from '../files/data';
import { openFileOf } from '../files/descriptors';
import { inodeOf } from '../files/walk';
import { addToDigest, finishImageDigest, newImageDigest, type ImageDigest } from '../image-hash';
import { ARGUMENTS_MAX } from '../initial-stack';
import { passOver } from '../crowd';
import { aloneQueue, endProcess } from '../process';
import { addJob } from '../scheduler';
import { executableAt, findProgram, holdProgram, imagesOf, sizeOf, type Program, type View } from '../program';
import { pathArgument, startOf } from './paths';
import { releaseRobust } from './process';
import type { CallContext, Handler, Outcome } from './call';

/** Longest single string (MAX_ARG_STRLEN), and strings copied per step. */
const STRING_MAX = 131072;
const STRINGS_PIECE = 256;
const BYTES_PIECE = 65536;
/** Bytes hashed per step; a multiple of the hash's block. */
const HASH_PIECE = 65536;

interface Target {
  /** As it was given. */
  readonly file: string;
  /** Where a relative name starts. */
  readonly view: View;
}

type Phase =
  | {
      readonly at: 'strings';
      readonly target: Target;
      /** Arguments, then environment. */
      readonly lists: readonly [readonly Uint8Array[], readonly Uint8Array[]];
      readonly list: 0 | 1;
      readonly size: number;
    }
  | {
      readonly at: 'hash';
      readonly program: Program;
      readonly hashes: readonly string[];
      readonly digest: ImageDigest;
      readonly position: number;
    }
  /** Other threads have been told to go. */
  | { readonly at: 'alone'; readonly program: Program; readonly hashes: readonly string[] }
  | { readonly at: 'robust'; readonly program: Program; readonly hashes: readonly string[]; readonly onFault: Phase }
  /** Devices free what the process has of them. */
  | { readonly at: 'devices'; readonly program: Program; readonly hashes: readonly string[] }
  | { readonly at: 'prepare'; readonly program: Program; readonly hashes: readonly string[] }
  | {
      readonly at: 'stack';
      readonly program: Program;
      readonly hashes: readonly string[];
      readonly prepared: Prepared;
    };

const on = (phase: Phase): Outcome => ({ do: 'more', phase });

/** The file to execute, which is there and may be executed; or a negative errno. */
function begin(context: CallContext, dirfd: number, pathAt: number, flags: number): Outcome {
  const { core, process } = context;
  if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) return -Errno.EINVAL;
  const path = pathArgument(core, pathAt);
  if (typeof path === 'number') return path;
  const view = { from: process.cwd, root: process.root, pid: process.pid, tid: context.thread.tid };
  let target: Target;
  if (path === '' && flags & AT_EMPTY_PATH) {
    if (!openFileOf(core, process, dirfd)) return -Errno.EBADF;
    target = { file: `/proc/self/fd/${dirfd}`, view: { ...view, root: core.state.fs.root } };
  } else {
    if (path === '') return -Errno.ENOENT;
    const from = path.startsWith('/') ? process.root : startOf(core, process, dirfd);
    if (from < 0) return from;
    target = { file: path, view: { ...view, from } };
  }
  const found = executableAt(core, target.file, target.view);
  if (typeof found === 'number') return found;
  return on({ at: 'strings', target, lists: [[], []], list: 0, size: 0 });
}

/** Copies some of the strings of a list of pointers. */
function copyStrings(
  context: CallContext,
  phase: Phase & { at: 'strings' },
  arrays: readonly [number, number],
): Outcome {
  const { core } = context;
  const { list, lists } = phase;
  const found: Uint8Array[] = [];
  let { size } = phase;
  const array = arrays[list];
  let ended = array === 0;
  for (let bytes = 0; !ended && found.length < STRINGS_PIECE && bytes < BYTES_PIECE;) {
    const pointer = core.user.readI64(array + 8 * (lists[list].length + found.length));
    if (pointer === 0) {
      ended = true;
      break;
    }
    const text = core.user.terminated(pointer, STRING_MAX);
    size += (text?.length ?? 0) + 9;
    if (!text || size > ARGUMENTS_MAX) return -Errno.E2BIG;
    found.push(text);
    bytes += text.length;
  }
  core.charge(found.length);
  core.chargeBytes(size - phase.size);
  const copied = [...lists[list], ...found];
  const next: Phase = { ...phase, lists: list === 0 ? [copied, lists[1]] : [lists[0], copied], size };
  if (!ended) return on(next);
  return list === 0 ? on({ ...next, list: 1 }) : load(context, next);
}

/** Reads the headers of what is to be loaded. */
function load({ core }: CallContext, { target, lists }: Phase & { at: 'strings' }): Outcome {
  try {
    const program = findProgram(core, target.file, target.view, ...lists);
    if (typeof program === 'number') return program;
    holdProgram(core, program, 1);
    return on({ at: 'hash', program, hashes: [], digest: newImageDigest(), position: 0 });
  } catch (error) {
    if (error instanceof LaunchError) return unusable(core, error);
    throw error;
  }
}

/** Why a file can't be executed, as an errno; where that says little, the console says more. */
function unusable(core: Core, error: LaunchError): number {
  // A shell takes what is no ELF file for a script.
  if (error.code === 'not-elf') return -Errno.ENOEXEC;
  core.log(error.message);
  if (error.code === 'interpreter-missing') return -Errno.ENOENT;
  return error.code === 'interpreter-damaged' ? -Errno.ELIBBAD : -Errno.ENOEXEC;
}

/** Identities that were computed before: the same for equal content, so no part of the state. The steps are the same in any case. */
const known = new WeakMap<Content, string>();

/** What the identity of an image's file is known by; undefined while mappings may change what it holds. */
function keyOf(core: Core, number: number): Content | undefined {
  const inode = inodeOf(core, number);
  if (inode.type !== 'file' || core.state.objects.get(inode.object ?? 0)?.written) return undefined;
  return inode.content;
}

function hash({ core }: CallContext, phase: Phase & { at: 'hash' }): Outcome {
  const { program, hashes, digest, position } = phase;
  const image = imagesOf(program)[hashes.length];
  if (!image) return on({ at: 'alone', program, hashes });
  const key = keyOf(core, image.inode);
  const before = key && known.get(key);
  const next = position + HASH_PIECE;
  const piece = before === undefined ? readData(core, image.inode, position, HASH_PIECE) : undefined;
  if (next < sizeOf(core, image.inode))
    return on({ ...phase, digest: piece ? addToDigest(digest, piece) : digest, position: next });
  const done = before ?? finishImageDigest(digest, piece!);
  if (key) known.set(key, done);
  return on({ at: 'hash', program, hashes: [...hashes, done], digest: newImageDigest(), position: 0 });
}

/** All other threads of the process end. */
function becomeAlone(context: CallContext, phase: Phase & { at: 'alone' }): Outcome {
  const { core, thread, process } = context;
  if (thread.dying) return giveUp(context, phase.program, -Errno.EINTR);
  const others = process.threads.filter((tid) => tid !== thread.tid);
  const { program, hashes } = phase;
  if (others.length === 0) {
    const rest = { program, hashes };
    return on({ at: 'robust', ...rest, onFault: { at: 'devices', ...rest } });
  }
  passOver(core, [{ what: 'end', tids: others }]);
  const wait = { queues: [aloneQueue(process.pid)], deadline: Infinity, bitset: ~0, killable: true };
  return { do: 'block', wait, phase };
}

/** What drivers made for a process ends with the program that asked for it: the handles are gone. */
function leaveDevices(context: CallContext, phase: Phase & { at: 'devices' }): Outcome {
  const { core, thread, process, call } = context;
  if (thread.dying) return giveUp(context, phase.program, -Errno.EINTR);
  const { program, hashes } = phase;
  if (call.woken !== undefined || core.options.devices.length === 0) return on({ at: 'prepare', program, hashes });
  addJob(core, { kind: 'exit-device', pid: process.pid, device: 0, exec: true });
  const wait = { queues: [execQueue(process.pid)], deadline: Infinity, bitset: ~0, killable: true };
  return { do: 'block', wait, phase };
}

function prepare(context: CallContext, { program, hashes }: Phase & { at: 'prepare' }): Outcome {
  const prepared = prepareMemory(context.core, program);
  return prepared ? on({ at: 'stack', program, hashes, prepared }) : noMemory(context, program);
}

function replace(context: CallContext, phase: Phase & { at: 'stack' }): Outcome {
  const { core, thread } = context;
  const { program, hashes } = phase;
  const prepared = fillStack(core, phase.prepared);
  if (!prepared) return noMemory(context, program);
  if (prepared.done < prepared.stack.length) return on({ ...phase, prepared });
  replaceProgram(core, thread.tid, program, prepared, hashes);
  holdProgram(core, program, -1);
  return { do: 'done' };
}

/** The old program has lost its threads and what drivers held for it: it can't go on. */
function noMemory(context: CallContext, program: Program): Outcome {
  const { core, process } = context;
  core.log(`Out of memory: process ${process.pid} (${process.name}) can't execute another program`);
  endProcess(core, process.pid, 0, Signal.KILL);
  return giveUp(context, program, -Errno.ENOMEM);
}

function giveUp({ core }: CallContext, program: Program, error: number): number {
  holdProgram(core, program, -1);
  return error;
}

function exec(context: CallContext, dirfd: number, path: number, argv: number, env: number, flags: number): Outcome {
  const phase = context.call.phase as Phase | undefined;
  switch (phase?.at) {
    case undefined:
      return begin(context, dirfd, path, flags);
    case 'strings':
      return copyStrings(context, phase, [argv, env]);
    case 'hash':
      return hash(context, phase);
    case 'alone':
      return becomeAlone(context, phase);
    case 'robust':
      releaseRobust(context.core, context.thread);
      return on(phase.onFault);
    case 'devices':
      return leaveDevices(context, phase);
    case 'prepare':
      return prepare(context, phase);
    case 'stack':
      return replace(context, phase);
  }
}

export const execCalls: Readonly<Record<string, Handler>> = {
  execve: (context, path, argv, env) => exec(context, AT_FDCWD, path!, argv!, env!, 0),
  execveat: (context, dirfd, path, argv, env, flags) => exec(context, dirfd! | 0, path!, argv!, env!, flags!),
};

/** send and recv in all their forms: plain, with addresses, with scattered buffers and control messages, several at once. */
import { Errno, O, Signal } from '../errno';
import type { Core } from '../core';
import { attach, freeDescriptor, openFileOf, release } from '../files/descriptors';
import { sendSignal } from '../signals';
import { addressBytes, readAddress, writeAddress } from '../sockets/addresses';
import { isConnectionless, isInet } from '../sockets/connections';
import { Option, optionOf, SOL_SOCKET } from '../sockets/options';
import { MAX_RIGHTS } from '../sockets/rights';
import { socketOf } from '../sockets/sockets';
import { receive, send, type Received } from '../sockets/transfer';
import { Family, SocketType, type Credentials, type Socket } from '../sockets/types';
import { gather, one, PACKET_MAX, progress, stalled, total, vector, window, type Segment } from './io';
import { credentialsOf, socketAt } from './sockets';
import { unixTarget } from './socket-paths';
import { relativeDeadline } from './time';
import type { CallContext, Handler, Outcome } from './call';

const enum Msg {
  OOB = 1,
  PEEK = 2,
  CTRUNC = 8,
  TRUNC = 0x20,
  DONTWAIT = 0x40,
  WAITALL = 0x100,
  ERRQUEUE = 0x2000,
  NOSIGNAL = 0x4000,
  WAITFORONE = 0x10000,
  CMSG_CLOEXEC = 0x40000000,
}

const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
/** struct cmsghdr: length, level, type. */
const HEADER = 16;
const CONTROL_MAX = 20_480;

const aligned = (length: number): number => Math.ceil(length / 8) * 8;

/** struct msghdr: where its parts are. */
interface Message {
  readonly at: number;
  readonly name: number;
  readonly nameLength: number;
  readonly segments: readonly Segment[];
  readonly control: number;
  readonly controlLength: number;
}

function messageAt(context: CallContext, at: number): Message | number {
  const { core } = context;
  const count = core.user.readI64(at + 24);
  const controlLength = core.user.readI64(at + 40);
  if (count < 0 || count > 1024) return -Errno.EMSGSIZE;
  const segments = vector(context, core.user.readI64(at + 16), count);
  if (typeof segments === 'number') return segments;
  return {
    at,
    name: core.user.readI64(at),
    nameLength: core.user.readI32(at + 8),
    segments,
    control: core.user.readI64(at + 32),
    controlLength,
  };
}

/** What control messages ask to send along. */
interface Along {
  readonly files: readonly number[];
  readonly sender: Credentials;
}

function rightsAt({ core, process }: CallContext, at: number, count: number): number[] | number {
  const files: number[] = [];
  for (let i = 0; i < count; i++) {
    const open = openFileOf(core, process, core.user.readI32(at + 4 * i));
    if (!open) return -Errno.EBADF;
    files.push(open.id);
  }
  return files;
}

function controlAt(context: CallContext, socket: Socket, { control, controlLength }: Message): Along | number {
  const { core, process } = context;
  let files: readonly number[] = [];
  let sender = credentialsOf(context);
  if (controlLength < 0 || controlLength > CONTROL_MAX) return -Errno.ENOBUFS;
  for (let at = control; control !== 0 && at + HEADER <= control + controlLength;) {
    const length = core.user.readI64(at);
    if (length < HEADER || at + length > control + controlLength) return -Errno.EINVAL;
    const [level, type] = [core.user.readI32(at + 8), core.user.readI32(at + 12)];
    if (level === SOL_SOCKET && !isInet(socket)) {
      if (type === SCM_RIGHTS) {
        const found = rightsAt(context, at + HEADER, Math.floor((length - HEADER) / 4));
        if (typeof found === 'number') return found;
        files = [...files, ...found];
        if (files.length > MAX_RIGHTS) return -Errno.EINVAL;
      } else if (type === SCM_CREDENTIALS) {
        if (length !== HEADER + 12) return -Errno.EINVAL;
        const [pid, uid, gid] = [0, 4, 8].map((offset) => core.user.readI32(at + HEADER + offset));
        if (pid !== process.pid && !core.state.processes.has(pid!)) return -Errno.ESRCH;
        sender = { pid: pid!, uid: uid!, gid: gid! };
      } else return -Errno.EINVAL;
    }
    at += aligned(length);
  }
  return { files, sender };
}

function brokenPipe({ core, process, thread }: CallContext): void {
  sendSignal(core, process.pid, thread.tid, { signal: Signal.PIPE, code: 0, pid: process.pid, address: 0, value: 0 });
}

/** Sends a message, or (a stream) the next piece of it. */
function sendMessage(
  context: CallContext,
  fd: number,
  message: Pick<Message, 'segments' | 'name' | 'nameLength'>,
  along: (socket: Socket) => Along | number,
  flags: number,
): Outcome {
  const { core } = context;
  const open = socketAt(context, fd);
  if (typeof open === 'number') return open;
  const { id, socket, file } = open;
  if (flags & Msg.OOB) return -Errno.EOPNOTSUPP;
  const done = progress(context);
  const to = message.name ? readAddress(core, message.name, message.nameLength, socket.family) : undefined;
  if (typeof to === 'number') return to;
  const target =
    to?.family === Family.UNIX && isConnectionless(socket) ? unixTarget(context, socket.type, to) : undefined;
  if (typeof target === 'number') return target;
  if (target && target.id === undefined) return -Errno.ECONNREFUSED;
  const sent = along(socket);
  if (typeof sent === 'number') return sent;
  const whole = total(message.segments);
  if (socket.type !== SocketType.STREAM && whole > PACKET_MAX) return -Errno.EMSGSIZE;
  const bytes = gather(core, window(message.segments, done, PACKET_MAX));
  const count = send(core, id, {
    bytes,
    to: to && to.family !== Family.UNIX ? to : undefined,
    target: target?.id,
    files: done > 0 ? [] : sent.files,
    sender: sent.sender,
  });
  if (typeof count !== 'number')
    return stalled(context, done, count, (file.flags & O.NONBLOCK) !== 0 || (flags & Msg.DONTWAIT) !== 0);
  if (count === -Errno.EPIPE && done === 0 && !(flags & Msg.NOSIGNAL) && !isConnectionless(socket)) brokenPipe(context);
  if (count < 0) return done > 0 ? done : count;
  const sum = done + count;
  return socket.type === SocketType.STREAM && sum < whole && count > 0 ? { do: 'more', phase: { done: sum } } : sum;
}

const sendto: Handler = (context, fd, buffer, length, flags, address, addressLength) => {
  const message = { segments: one(buffer!, length!), name: address!, nameLength: addressLength! | 0 };
  return sendMessage(context, fd!, message, () => ({ files: [], sender: credentialsOf(context) }), flags!);
};

function sendOne(context: CallContext, fd: number, at: number, flags: number): Outcome {
  const message = messageAt(context, at);
  if (typeof message === 'number') return message;
  return sendMessage(context, fd, message, (socket) => controlAt(context, socket, message), flags);
}

/** Puts a control message behind what is there; false when it does not fit. */
class ControlWriter {
  used = 0;
  flags = 0;
  constructor(
    private readonly core: Core,
    private readonly at: number,
    private readonly room: number,
  ) {}

  /** Bytes of data that fit into the next message; negative when not even its header does. */
  get left(): number {
    return this.at === 0 ? -1 : this.room - this.used - HEADER;
  }

  put(type: number, data: Uint8Array): void {
    const length = Math.min(data.length, this.left);
    if (length < data.length) this.flags |= Msg.CTRUNC;
    if (length < 0) return;
    const at = this.at + this.used;
    this.core.user.writeU64(at, BigInt(HEADER + length));
    this.core.user.writeU32(at + 8, SOL_SOCKET);
    this.core.user.writeU32(at + 12, type);
    this.core.user.write(at + HEADER, data.subarray(0, length));
    this.used = Math.min(this.room, this.used + aligned(HEADER + length));
  }
}

const words = (values: readonly number[]): Uint8Array => new Uint8Array(new Int32Array(values).buffer);

/** Gives received files descriptors, as many as there is room for; the others are let go. `keep`: the packet keeps its own references. */
function install(
  context: CallContext,
  control: ControlWriter,
  files: readonly number[],
  flags: number,
  keep: boolean,
): void {
  const { core, process } = context;
  const fits = Math.max(0, Math.min(files.length, Math.floor(control.left / 4)));
  const fds: number[] = [];
  for (const file of files.slice(0, fits)) {
    const fd = freeDescriptor(core.process(process.pid));
    if (fd === undefined) break;
    attach(core, process.pid, fd, file, (flags & Msg.CMSG_CLOEXEC) !== 0);
    fds.push(fd);
  }
  if (fds.length < files.length) control.flags |= Msg.CTRUNC;
  if (fds.length > 0) control.put(SCM_RIGHTS, words(fds));
  if (!keep) for (const file of files) release(core, file);
}

interface Receiving {
  readonly segments: readonly Segment[];
  readonly flags: number;
  /** Writes what came besides the bytes: the sender's address, control messages, MSG_ flags. */
  finish(got: Received | undefined, socket: Socket, flags: number): number;
}

/** Receives a message; with MSG_WAITALL, a stream's next piece of it. */
function receiveMessage(context: CallContext, fd: number, receiving: Receiving): Outcome {
  const { core } = context;
  const { segments, flags } = receiving;
  const open = socketAt(context, fd);
  if (typeof open === 'number') return open;
  const { id, socket, file } = open;
  if (flags & Msg.OOB) return isInet(socket) ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
  if (flags & Msg.ERRQUEUE) return -Errno.EAGAIN;
  const done = progress(context);
  const wanted = window(segments, done, PACKET_MAX);
  for (const { base, length } of wanted) core.user.probe(base, length, 'write');
  const stream = socket.type === SocketType.STREAM;
  const peek = (flags & Msg.PEEK) !== 0;
  const length = total(wanted);
  const got = stream && length === 0 ? 0 : receive(core, id, length, peek);
  if (typeof got === 'number') {
    const result = done > 0 ? done : got;
    return result < 0 ? result : receiving.finish(undefined, socket, 0) || result;
  }
  if ('wait' in got)
    return stalled(context, done, got, (file.flags & O.NONBLOCK) !== 0 || (flags & Msg.DONTWAIT) !== 0);
  let at = 0;
  for (const { base, length: count } of wanted) {
    if (at >= got.bytes.length) break;
    core.user.write(base, got.bytes.subarray(at, at + count));
    at += count;
  }
  core.chargeBytes(got.bytes.length);
  const cut = !stream && got.full > got.bytes.length;
  const error = receiving.finish(got, socket, cut ? Msg.TRUNC : 0);
  if (error < 0) return error;
  if (cut && flags & Msg.TRUNC) return got.full;
  const sum = done + got.bytes.length;
  const more = stream && flags & Msg.WAITALL && !peek && sum < total(segments) && got.files.length === 0;
  return more ? { do: 'more', phase: { done: sum } } : sum;
}

const senderOf = (core: Core, socket: Socket, got: Received | undefined) =>
  isConnectionless(socket) || !got ? got?.from : isInet(socket) ? undefined : socketOf(core, socket.peer)?.name;

const recvfrom: Handler = (context, fd, buffer, length, flags, address, lengthAt) =>
  receiveMessage(context, fd!, {
    segments: one(buffer!, length!),
    flags: flags!,
    finish(got, socket) {
      if (got && !(flags! & Msg.PEEK)) for (const file of got.files) release(context.core, file);
      return address ? writeAddress(context.core, senderOf(context.core, socket, got), address, lengthAt!) : 0;
    },
  });

function receiveOne(context: CallContext, fd: number, at: number, flags: number): Outcome {
  const { core } = context;
  const message = messageAt(context, at);
  if (typeof message === 'number') return message;
  core.user.probe(at, 56, 'write');
  return receiveMessage(context, fd, {
    segments: message.segments,
    flags,
    finish(got, socket, told) {
      const from = senderOf(core, socket, got);
      if (message.name) {
        const bytes = from ? addressBytes(from) : new Uint8Array(0);
        core.user.write(message.name, bytes.subarray(0, Math.max(0, message.nameLength)));
        core.user.writeU32(at + 8, bytes.length);
      }
      const control = new ControlWriter(core, message.control, message.controlLength);
      if (got && !isInet(socket) && optionOf(socket, Option.PASSCRED)) {
        const { pid, uid, gid } = got.sender;
        control.put(SCM_CREDENTIALS, words([pid, uid, gid]));
      }
      if (got && got.files.length > 0) install(context, control, got.files, flags, (flags & Msg.PEEK) !== 0);
      core.user.writeU64(at + 40, BigInt(control.used));
      const cloexec = flags & Msg.CMSG_CLOEXEC;
      core.user.writeU32(at + 48, (told | control.flags | cloexec) >>> 0);
      return 0;
    },
  });
}

/** struct mmsghdr: a message and its length. */
const MANY = 64;
const LENGTH = 56;
const MAX_MANY = 1024;

/** Messages done by sendmmsg or recvmmsg, and the phase of the one that is being done. */
interface Several {
  readonly count: number;
  readonly inner: unknown;
  readonly deadline: number;
}

/** One after another until one can't be done; that one's error is told only when it is the first. */
function several(
  context: CallContext,
  vectorAt: number,
  limit: number,
  deadline: number,
  step: (context: CallContext, at: number, count: number) => Outcome,
): Outcome {
  const { core, call } = context;
  const before = call.phase as Several | undefined;
  const count = before?.count ?? 0;
  if (count >= Math.min(limit, MAX_MANY)) return count;
  const at = vectorAt + count * MANY;
  const outcome = step({ ...context, call: { ...call, phase: before?.inner } }, at, count);
  const keep = (inner: unknown, done: number): Several => ({ count: done, inner, deadline });
  if (typeof outcome === 'number') {
    if (outcome < 0) return count > 0 ? count : outcome;
    core.user.writeU32(at + LENGTH, outcome);
    if (count + 1 >= limit || core.now >= deadline) return count + 1;
    return { do: 'more', phase: keep(undefined, count + 1) };
  }
  return 'phase' in outcome ? { ...outcome, phase: keep(outcome.phase, count) } : outcome;
}

const sendmmsg: Handler = (context, fd, vectorAt, limit, flags) =>
  several(context, vectorAt!, limit!, Infinity, (inner, at) => sendOne(inner, fd!, at, flags!));

const recvmmsg: Handler = (context, fd, vectorAt, limit, flags, timeoutAt) => {
  const begun = (context.call.phase as Several | undefined)?.deadline;
  const deadline = begun ?? (timeoutAt ? relativeDeadline(context.core, timeoutAt) : Infinity);
  if (deadline === undefined) return -Errno.EINVAL;
  return several(context, vectorAt!, limit!, deadline, (inner, at, count) => {
    const waits = count > 0 && flags! & Msg.WAITFORONE ? Msg.DONTWAIT : 0;
    return receiveOne(inner, fd!, at, (flags! | waits) & ~Msg.WAITFORONE);
  });
};

export const messageCalls: Readonly<Record<string, Handler>> = {
  sendto,
  recvfrom,
  sendmsg: (context, fd, at, flags) => sendOne(context, fd!, at!, flags!),
  recvmsg: (context, fd, at, flags) => receiveOne(context, fd!, at!, flags!),
  sendmmsg,
  recvmmsg,
};

/** socket, socketpair, bind, listen, accept, connect, shutdown, names and options. Sending and receiving stand in messages.ts. */
import { Errno, O } from '../errno';
import type { Core } from '../core';
import { attach, freeDescriptor, openFileOf } from '../files/descriptors';
import type { FileOf } from '../files/kinds/kind';
import { newOpenFile } from '../files/open-files';
import { readAddress, seenBy, unboundName, writeAddress } from '../sockets/addresses';
import {
  connectTcp,
  connectUnix,
  isConnectionless,
  isInet,
  listen,
  noNetwork,
  pair,
  shutdown,
  takePending,
} from '../sockets/connections';
import { bindFor, bindInet, leaveName } from '../sockets/names';
import { newSocket, readQueue, setSocket, setSockets, socketOf, takeError, writeQueue } from '../sockets/sockets';
import { Family, SocketType, type Address, type Credentials, type Socket } from '../sockets/types';
import { destination, isLocal } from '../sockets/addresses';
import { stalled } from './io';
import { bindUnix, unixTarget } from './socket-paths';
import type { CallContext, Handler, Outcome } from './call';

const TYPE_MASK = 0xf;
const FLAGS = O.NONBLOCK | O.CLOEXEC;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;

export const credentialsOf = ({ process }: CallContext): Credentials => ({ pid: process.pid, uid: 0, gid: 0 });

export interface OpenSocket {
  /** The open file, the socket, and its record. */
  readonly file: FileOf<'socket'>;
  readonly id: number;
  readonly socket: Socket;
}

/** The socket of a descriptor, or a negative errno. */
export function socketAt({ core, process }: CallContext, fd: number): OpenSocket | number {
  const open = openFileOf(core, process, fd | 0);
  if (!open) return -Errno.EBADF;
  if (open.file.kind !== 'socket') return -Errno.ENOTSOCK;
  return { file: open.file, id: open.file.socket, socket: socketOf(core, open.file.socket)! };
}

/** What socket(2) is asked for, with the protocol that comes to; or a negative errno. */
function wanted(
  family: number,
  type: number,
  protocol: number,
): { family: Family; type: SocketType; protocol: number } | number {
  const kind = type & TYPE_MASK;
  if (type & ~(TYPE_MASK | FLAGS)) return -Errno.EINVAL;
  if (family === Family.UNIX) {
    if (protocol !== 0 && protocol !== Family.UNIX) return -Errno.EPROTONOSUPPORT;
    // SOCK_RAW is taken for SOCK_DGRAM.
    const RAW = 3;
    const type = kind === RAW ? SocketType.DGRAM : kind;
    const known = [SocketType.STREAM, SocketType.DGRAM, SocketType.SEQPACKET].includes(type);
    return known ? { family, type, protocol: 0 } : -Errno.ESOCKTNOSUPPORT;
  }
  if (family !== Family.INET && family !== Family.INET6) return -Errno.EAFNOSUPPORT;
  if (kind !== SocketType.STREAM && kind !== SocketType.DGRAM) return -Errno.ESOCKTNOSUPPORT;
  const own = kind === SocketType.STREAM ? PROTOCOL_TCP : PROTOCOL_UDP;
  return protocol === 0 || protocol === own ? { family, type: kind, protocol: own } : -Errno.EPROTONOSUPPORT;
}

/** Makes a descriptor for a socket; undefined when the process has too many. */
function openSocket({ core, process }: CallContext, id: number, flags: number): number | undefined {
  const fd = freeDescriptor(core.process(process.pid));
  if (fd === undefined) return undefined;
  const path = `socket:[${id}]`;
  const file = newOpenFile(core, { kind: 'socket', socket: id, flags: O.RDWR | (flags & O.NONBLOCK), path });
  setSocket(core, id, { file });
  attach(core, process.pid, fd, file, (flags & O.CLOEXEC) !== 0);
  return fd;
}

const forgetSocket = (core: Core, id: number): void => setSockets(core, { all: core.state.sockets.all.remove(id) });

const socket: Handler = (context, family, type, protocol) => {
  const { core } = context;
  const what = wanted(family!, type!, protocol!);
  if (typeof what === 'number') return what;
  const id = newSocket(core, what.family, what.type, what.protocol, credentialsOf(context));
  const fd = openSocket(context, id, type!);
  if (fd !== undefined) return fd;
  forgetSocket(core, id);
  return -Errno.EMFILE;
};

const socketpair: Handler = (context, family, type, protocol, address) => {
  const { core, process } = context;
  const what = wanted(family!, type!, protocol!);
  if (typeof what === 'number') return what;
  if (what.family !== Family.UNIX) return -Errno.EOPNOTSUPP;
  core.user.probe(address!, 8, 'write');
  const first = freeDescriptor(process);
  if (first === undefined || freeDescriptor(process, first + 1) === undefined) return -Errno.EMFILE;
  const ids = [0, 1].map(() => newSocket(core, what.family, what.type, what.protocol, credentialsOf(context)));
  pair(core, ids[0]!, ids[1]!);
  ids.forEach((id, i) => core.user.writeU32(address! + 4 * i, openSocket(context, id, type!)!));
  return 0;
};

const bind: Handler = (context, fd, address, length) => {
  const { core } = context;
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const { id, socket } = open;
  const name = readAddress(core, address!, length! | 0, socket.family);
  if (typeof name === 'number') return name;
  if (!name) return -Errno.EAFNOSUPPORT;
  if (name.family === Family.UNIX) return bindUnix(context, id, name);
  return socket.bound !== undefined ? -Errno.EINVAL : bindInet(core, id, name);
};

const listenCall: Handler = (context, fd, backlog) => {
  const open = socketAt(context, fd!);
  return typeof open === 'number' ? open : listen(context.core, open.id, backlog! | 0);
};

function acceptFrom(context: CallContext, fd: number, address: number, lengthAt: number, flags: number): Outcome {
  const { core, process } = context;
  if (flags & ~FLAGS) return -Errno.EINVAL;
  const open = socketAt(context, fd);
  if (typeof open === 'number') return open;
  const { id, socket, file } = open;
  if (isConnectionless(socket)) return -Errno.EOPNOTSUPP;
  if (socket.state !== 'listening') return -Errno.EINVAL;
  const first = socket.pending.first();
  if (first === undefined) {
    const wait = { wait: readQueue(id), timeout: socket.receiveTimeout };
    return stalled(context, 0, wait, (file.flags & O.NONBLOCK) !== 0);
  }
  if (freeDescriptor(process) === undefined) return -Errno.EMFILE;
  if (address) {
    const peer = socketOf(core, first)!;
    const error = writeAddress(core, peer.peerName ?? unboundName(peer.family), address, lengthAt);
    if (error < 0) return error;
  }
  takePending(core, id);
  return openSocket(context, first, flags)!;
}

/** A datagram socket's usual destination; AF_UNSPEC (undefined) takes it away. */
function connectDatagrams(context: CallContext, id: number, to: Address | undefined): number {
  const { core } = context;
  if (!to) {
    setSocket(core, id, { peer: 0, peerName: undefined, state: 'open' });
    if (!socketOf(core, id)!.automatic) return 0;
    leaveName(core, id);
    setSocket(core, id, { name: undefined, automatic: false });
    return 0;
  }
  if (to.family === Family.UNIX) {
    const target = unixTarget(context, SocketType.DGRAM, to);
    if (typeof target === 'number') return target;
    const other = target.id === undefined ? undefined : socketOf(core, target.id);
    if (!other) return -Errno.ECONNREFUSED;
    if (other.type !== socketOf(core, id)!.type) return -Errno.EPROTOTYPE;
    if (other.peer !== 0 && other.peer !== id) return -Errno.EPERM;
    setSocket(core, id, { peer: target.id!, peerName: to, state: 'connected' });
    return 0;
  }
  if (!isLocal(to.host)) return noNetwork(core);
  const host = destination(to.host);
  const bound = bindFor(core, id, host);
  if (bound < 0) return bound;
  setSocket(core, id, { peerName: { ...to, host }, state: 'connected' });
  return 0;
}

/** The outcome of a TCP connect that had to wait for room at its listener. */
function connected(context: CallContext, id: number, socket: Socket): Outcome {
  const { core, call } = context;
  if (socket.state === 'connected') return 0;
  const error = takeError(core, id);
  if (error !== 0) return -error;
  if (call.woken === 'timeout') return -Errno.EINPROGRESS;
  return stalled(context, 0, { wait: writeQueue(id), timeout: socket.sendTimeout }, false);
}

const connect: Handler = (context, fd, address, length) => {
  const { core, call } = context;
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const { id, socket, file } = open;
  const nonblocking = (file.flags & O.NONBLOCK) !== 0;
  if (call.phase !== undefined && isInet(socket)) return connected(context, id, socket);
  const to = readAddress(core, address!, length! | 0, socket.family);
  if (typeof to === 'number') return to;
  if (isConnectionless(socket)) return connectDatagrams(context, id, to);
  if (!to) return -Errno.EAFNOSUPPORT;
  if (to.family === Family.UNIX) {
    const target = unixTarget(context, socket.type, to);
    if (typeof target === 'number') return target;
    const result = connectUnix(core, id, target.id);
    return typeof result === 'number'
      ? result
      : stalled(context, 0, { ...result, timeout: socket.sendTimeout }, nonblocking);
  }
  const result = connectTcp(core, id, to, nonblocking);
  const begun = result === -Errno.EINPROGRESS || result === -Errno.EALREADY;
  return begun && !nonblocking ? connected(context, id, socketOf(core, id)!) : result;
};

const getsockname: Handler = (context, fd, address, lengthAt) => {
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const { name, family } = open.socket;
  return writeAddress(context.core, seenBy(family, name) ?? unboundName(family), address!, lengthAt!);
};
const getpeername: Handler = (context, fd, address, lengthAt) => {
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const { socket } = open;
  if (socket.state !== 'connected') return -Errno.ENOTCONN;
  const name = socket.peerName ?? socketOf(context.core, socket.peer)?.name ?? unboundName(socket.family);
  return writeAddress(context.core, name, address!, lengthAt!);
};

const shutdownCall: Handler = (context, fd, how) => {
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  return how! >= 0 && how! <= 2 ? shutdown(context.core, open.id, how! + 1) : -Errno.EINVAL;
};

export const socketCalls: Readonly<Record<string, Handler>> = {
  socket,
  socketpair,
  bind,
  listen: listenCall,
  accept: (context, fd, address, lengthAt) => acceptFrom(context, fd!, address!, lengthAt!, 0),
  accept4: (context, fd, address, lengthAt, flags) => acceptFrom(context, fd!, address!, lengthAt!, flags!),
  connect,
  getsockname,
  getpeername,
  shutdown: shutdownCall,
};

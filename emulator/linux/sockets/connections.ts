/** Life of connections: listening, connecting, accepting, shutting down, closing; for Unix sockets and TCP over the loopback. */
import { List } from 'immutable';
import type { Core } from '../core';
import { Errno } from '../errno';
import { wake } from '../scheduler';
import { destination, isLocal, seenBy } from './addresses';
import { bindFor, bindInet, findPort, leaveName } from './names';
import { drain } from './rights';
import { newSocket, roomQueue, setSocket, setSockets, socketOf, wakeAll, wakeReaders, wakeWriters } from './sockets';
import { Family, Shut, SocketType, type Credentials, type InetAddress, type Socket } from './types';

/** net.core.somaxconn. */
const MAX_BACKLOG = 4096;

export const isInet = ({ family }: Socket): boolean => family !== Family.UNIX;
export const isConnectionless = ({ type }: Socket): boolean => type === SocketType.DGRAM;

export function listen(core: Core, id: number, backlog: number): number {
  const socket = socketOf(core, id)!;
  if (isConnectionless(socket)) return -Errno.EOPNOTSUPP;
  if (socket.state === 'connected' || socket.state === 'connecting') return -Errno.EINVAL;
  if (!socket.name) {
    if (!isInet(socket)) return -Errno.EINVAL;
    const error = bindInet(core, id, anyName(socket));
    if (error < 0) return error;
  }
  if (isInet(socket) && socket.state !== 'listening' && portIsHeard(core, id)) return -Errno.EADDRINUSE;
  setSocket(core, id, { state: 'listening', backlog: backlog < 0 ? MAX_BACKLOG : Math.min(backlog, MAX_BACKLOG) });
  refill(core, id);
  return 0;
}

const anyName = ({ family }: Socket): InetAddress => ({
  family: family as InetAddress['family'],
  host: family === Family.INET ? `${'0'.repeat(20)}ffff${'0'.repeat(8)}` : '0'.repeat(32),
  port: 0,
});

/** Another socket listens at exactly this name. */
function portIsHeard(core: Core, id: number): boolean {
  const name = socketOf(core, id)!.name as InetAddress;
  const found = findPort(core, SocketType.STREAM, name.host, name.port, ({ state }) => (state === 'listening' ? 1 : 0));
  const other = found === undefined ? undefined : (socketOf(core, found)!.name as InetAddress);
  return other !== undefined && found !== id && other.host === name.host && other.family === name.family;
}

/** How many more connections a listener takes. */
const room = ({ backlog, pending }: Socket): number => backlog + 1 - pending.size;

/** Makes the listener's end of a connection, which waits to be accepted. */
function establish(core: Core, client: number, listener: number): void {
  const from = socketOf(core, client)!;
  const at = socketOf(core, listener)!;
  const peerName = seenBy(at.family, from.name);
  const name = isInet(from) ? seenBy(at.family, from.peerName) : at.name;
  const end = newSocket(core, at.family, at.type, at.protocol, at.owner, {
    state: 'connected',
    name,
    peerName,
    peer: client,
    peerCredentials: from.owner,
    options: at.options,
  });
  setSocket(core, client, { state: 'connected', peer: end, peerCredentials: at.owner });
  setSocket(core, listener, { pending: at.pending.push(end) });
  wakeReaders(core, listener);
  wakeAll(core, client);
}

/** Clients that waited for room in a listener's queue are connected. */
function refill(core: Core, listener: number): void {
  for (;;) {
    const socket = socketOf(core, listener)!;
    const next = socket.waiting.first();
    if (next === undefined || room(socket) <= 0) break;
    setSocket(core, listener, { waiting: socket.waiting.shift() });
    if (socketOf(core, next)?.state === 'connecting') establish(core, next, listener);
  }
  wake(core, roomQueue(listener));
}

/** Connects a Unix stream to a listener: 0, a negative errno, or the queue to wait in for room. */
export function connectUnix(core: Core, id: number, target: number | undefined): number | { readonly wait: string } {
  const socket = socketOf(core, id)!;
  const listener = target === undefined ? undefined : socketOf(core, target);
  if (!listener) return -Errno.ECONNREFUSED;
  if (listener.type !== socket.type) return -Errno.EPROTOTYPE;
  if (socket.state === 'connected') return -Errno.EISCONN;
  if (socket.state !== 'open') return -Errno.EINVAL;
  if (listener.state !== 'listening') return -Errno.ECONNREFUSED;
  if (room(listener) <= 0) return { wait: roomQueue(target!) };
  setSocket(core, id, { peerName: listener.name });
  establish(core, id, target!);
  return 0;
}

/**
 * Begins a TCP connection: 0 when it is made, -EINPROGRESS when the listener has no room yet, or another negative errno. On a non-blocking
 * socket the result is told later (`untold`), as on a network.
 */
export function connectTcp(core: Core, id: number, to: InetAddress, nonblocking: boolean): number {
  const socket = socketOf(core, id)!;
  if (socket.state === 'listening') return -Errno.EISCONN;
  if (socket.state === 'connecting') return -Errno.EALREADY;
  if (socket.state === 'connected') {
    if (!socket.untold) return -Errno.EISCONN;
    setSocket(core, id, { untold: false });
    return 0;
  }
  if (socket.untold) {
    setSocket(core, id, { untold: false, error: 0 });
    if (socket.error !== 0) return -socket.error;
  }
  if (!isLocal(to.host)) return noNetwork(core);
  const host = destination(to.host);
  const bound = bindFor(core, id, host);
  if (bound < 0) return bound;
  setSocket(core, id, { peerName: { ...to, host }, shut: 0 });
  const listener = findPort(core, SocketType.STREAM, host, to.port, ({ state }) => (state === 'listening' ? 1 : 0));
  if (listener === undefined) {
    setSocket(core, id, { peerName: undefined });
    if (!nonblocking) return -Errno.ECONNREFUSED;
    setSocket(core, id, { untold: true, error: Errno.ECONNREFUSED, shut: Shut.BOTH });
    wakeAll(core, id);
    return -Errno.EINPROGRESS;
  }
  if (nonblocking) setSocket(core, id, { untold: true });
  const at = socketOf(core, listener)!;
  if (room(at) > 0) establish(core, id, listener);
  else {
    setSocket(core, id, { state: 'connecting' });
    setSocket(core, listener, { waiting: at.waiting.push(id) });
    return -Errno.EINPROGRESS;
  }
  return nonblocking ? -Errno.EINPROGRESS : 0;
}

/** There is nothing behind the loopback; the console says so once. */
export function noNetwork(core: Core): number {
  if (!core.state.sockets.hinted) {
    setSockets(core, { hinted: true });
    core.log(
      'This machine has no network: sockets reach 127.0.0.0/8 and ::1 only. Run the other end on this machine, too.',
    );
  }
  return -Errno.ENETUNREACH;
}

/** Takes the first connection that waits: its socket, undefined when there is none. */
export function takePending(core: Core, listener: number): number | undefined {
  const { pending } = socketOf(core, listener)!;
  const first = pending.first();
  if (first === undefined) return undefined;
  setSocket(core, listener, { pending: pending.shift() });
  refill(core, listener);
  return first;
}

/** Ties two new sockets together. */
export function pair(core: Core, a: number, b: number): void {
  const owner: Credentials = socketOf(core, a)!.owner;
  setSocket(core, a, { state: 'connected', peer: b, peerCredentials: owner });
  setSocket(core, b, { state: 'connected', peer: a, peerCredentials: owner });
}

const swapped = (how: number): number => ((how & Shut.RECEIVE) << 1) | ((how & Shut.SEND) >> 1);

export function shutdown(core: Core, id: number, how: number): number {
  const socket = socketOf(core, id)!;
  if (isInet(socket) && socket.state === 'listening') {
    if (how & Shut.RECEIVE) stopListening(core, id);
    return 0;
  }
  const connected = socket.state === 'connected';
  if (!connected && isInet(socket)) return -Errno.ENOTCONN;
  setSocket(core, id, { shut: socket.shut | how });
  const peer = socketOf(core, socket.peer);
  if (peer && !isConnectionless(socket)) {
    const theirs = isInet(socket) ? swapped(how & Shut.SEND) : swapped(how);
    setSocket(core, socket.peer, { shut: peer.shut | theirs });
    wakeAll(core, socket.peer);
  }
  wakeAll(core, id);
  return 0;
}

/** Nobody accepts any more: who is connected but not accepted is cut off, who waits is refused. */
function stopListening(core: Core, id: number): number[] {
  const { pending, waiting } = socketOf(core, id)!;
  setSocket(core, id, { state: 'open', pending: List(), waiting: List(), shut: Shut.BOTH });
  for (const client of waiting) {
    if (socketOf(core, client)?.state !== 'connecting') continue;
    setSocket(core, client, { state: 'open', error: Errno.ECONNREFUSED, shut: Shut.BOTH });
    wakeAll(core, client);
  }
  const files = pending.toArray().flatMap((end) => closeSocket(core, end, true));
  wake(core, roomQueue(id));
  wakeAll(core, id);
  return files;
}

/** The other end of a closed connection learns of it. */
function cutOff(core: Core, id: number, peer: number, reset: boolean): void {
  const socket = socketOf(core, id)!;
  const other = socketOf(core, peer)!;
  if (isConnectionless(socket)) {
    wakeWriters(core, peer);
    return;
  }
  const shut = isInet(socket) && !reset ? other.shut | Shut.RECEIVE : Shut.BOTH;
  setSocket(core, peer, { peer: 0, shut, ...(reset ? { error: Errno.ECONNRESET } : {}) });
  wakeAll(core, peer);
}

/** The socket goes; returns files that were on their way to it. With `reset` its peer is told that data was lost. */
export function closeSocket(core: Core, id: number, reset = false): number[] {
  const socket = socketOf(core, id)!;
  const files = socket.state === 'listening' ? stopListening(core, id) : [];
  leaveName(core, id);
  const peer = socketOf(core, socket.peer);
  if (peer?.peer === id) cutOff(core, id, socket.peer, reset || socket.length > 0);
  files.push(...drain(core, id));
  setSockets(core, { all: core.state.sockets.all.remove(id) });
  wake(core, roomQueue(id));
  return files;
}

/** Sending and receiving: streams of bytes, and packets kept whole. Nothing here touches user memory. */
import { List } from 'immutable';
import type { Core } from '../core';
import { Errno } from '../errno';
import { wake } from '../scheduler';
import { destination, isLocal, seenBy } from './addresses';
import { isInet, noNetwork } from './connections';
import { bindFor, findPort } from './names';
import { capacityOf, Option, optionOf } from './options';
import { landed, sendOff } from './rights';
import { roomQueue, setSocket, socketOf, takeError, wakeReaders, wakeWriters, writeQueue, readQueue } from './sockets';
import {
  Family,
  Shut,
  SocketType,
  type Address,
  type Credentials,
  type InetAddress,
  type Packet,
  type Socket,
} from './types';

/** Largest UDP payload. */
const MAX_UDP = 65_507;
/** What a packet costs in a queue besides its bytes. */
const OVERHEAD = 256;
/** net.unix.max_dgram_qlen: packets that wait for a socket that is not the sender's own other end. */
const MAX_QUEUE = 10;
/** Small pieces of a stream are joined up to this size. */
const JOIN = 1024;

/** The queue to wait in, and ticks it may take (0: for ever). */
export interface Wait {
  readonly wait: string;
  readonly timeout: number;
}

export interface Sending {
  readonly bytes: Uint8Array;
  /** Where to, when the caller says so. */
  readonly to: InetAddress | undefined;
  /** Of a Unix datagram: the socket under the name the caller gave. */
  readonly target: number | undefined;
  readonly files: readonly number[];
  readonly sender: Credentials;
}

export interface Received {
  readonly bytes: Uint8Array;
  /** Length of the packet it is the beginning of. */
  readonly full: number;
  readonly from: Address | undefined;
  /** With a reference each, unless it was only looked at. */
  readonly files: readonly number[];
  readonly sender: Credentials;
}

function enqueue(core: Core, id: number, packet: Packet): void {
  const socket = socketOf(core, id)!;
  sendOff(core, packet.files);
  const last = socket.received.last();
  const length = socket.length + packet.bytes.length;
  const joins =
    socket.type === SocketType.STREAM &&
    last !== undefined &&
    last.files.length + packet.files.length === 0 &&
    last.sender.pid === packet.sender.pid &&
    last.bytes.length + packet.bytes.length <= JOIN;
  if (joins) {
    const bytes = new Uint8Array(last.bytes.length + packet.bytes.length);
    bytes.set(last.bytes);
    bytes.set(packet.bytes, last.bytes.length);
    setSocket(core, id, { received: socket.received.set(-1, { ...last, bytes }), length });
  } else setSocket(core, id, { received: socket.received.push(packet), length });
  wakeReaders(core, id);
}

/** Sends: bytes taken, a negative errno, or where to wait. */
export function send(core: Core, id: number, sending: Sending): number | Wait {
  const socket = socketOf(core, id)!;
  if (socket.type === SocketType.DGRAM)
    return isInet(socket) ? sendUdp(core, id, sending) : sendPacket(core, id, sending);
  if (sending.target !== undefined || (sending.to && !isInet(socket)))
    return socket.state === 'connected' ? -Errno.EISCONN : -Errno.EOPNOTSUPP;
  if (socket.type === SocketType.SEQPACKET) return sendPacket(core, id, sending);
  return sendStream(core, id, socket, sending);
}

function sendStream(core: Core, id: number, socket: Socket, { bytes, files, sender }: Sending): number | Wait {
  const wait = { wait: writeQueue(id), timeout: socket.sendTimeout };
  const error = isInet(socket) ? takeError(core, id) : 0;
  if (error !== 0) return -error;
  if (socket.state === 'connecting') return wait;
  if (socket.state !== 'connected' && !isInet(socket)) return -Errno.ENOTCONN;
  if (socket.state !== 'connected' || socket.shut & Shut.SEND) return -Errno.EPIPE;
  const peer = socketOf(core, socket.peer);
  if (!peer || peer.shut & Shut.RECEIVE) {
    if (!isInet(socket)) return -Errno.EPIPE;
    // The other end answers with a reset, which the next call meets.
    if (!peer && bytes.length > 0) {
      setSocket(core, id, { error: Errno.EPIPE, shut: Shut.BOTH });
      wakeReaders(core, id);
      wakeWriters(core, id);
    }
    return bytes.length;
  }
  if (bytes.length === 0) return 0;
  const room = capacityOf(peer) - peer.length;
  if (room <= 0) return wait;
  const part = bytes.slice(0, room);
  enqueue(core, socket.peer, { bytes: part, from: undefined, files, sender });
  return part.length;
}

/** A Unix datagram or sequenced packet. */
function sendPacket(core: Core, id: number, { bytes, target, files, sender }: Sending): number | Wait {
  const socket = socketOf(core, id)!;
  const to = target ?? socket.peer;
  const peer = socketOf(core, to);
  if (socket.shut & Shut.SEND) return -Errno.EPIPE;
  if (!peer) {
    if (socket.type === SocketType.SEQPACKET) return socket.state === 'connected' ? -Errno.EPIPE : -Errno.ENOTCONN;
    return to === 0 ? -Errno.ENOTCONN : -Errno.ECONNREFUSED;
  }
  if (peer.type !== socket.type) return -Errno.EPROTOTYPE;
  if (peer.shut & Shut.RECEIVE) return -Errno.EPIPE;
  const mutual = peer.peer === id;
  if (peer.peer !== 0 && !mutual) return -Errno.EPERM;
  if (bytes.length + OVERHEAD > optionOf(socket, Option.SNDBUF)!) return -Errno.EMSGSIZE;
  const load = peer.length + (peer.received.size + 1) * OVERHEAD + bytes.length;
  const full = mutual ? load > capacityOf(peer) : peer.received.size > MAX_QUEUE;
  if (full) return { wait: mutual ? writeQueue(id) : roomQueue(to), timeout: socket.sendTimeout };
  enqueue(core, to, { bytes: bytes.slice(), from: socket.name, files, sender });
  return bytes.length;
}

function sendUdp(core: Core, id: number, { bytes, to, sender }: Sending): number {
  const socket = socketOf(core, id)!;
  const error = takeError(core, id);
  if (error !== 0) return -error;
  if (socket.shut & Shut.SEND) return -Errno.EPIPE;
  const goal = to ?? (socket.peerName as InetAddress | undefined);
  if (!goal) return -Errno.EDESTADDRREQ;
  if (bytes.length > MAX_UDP) return -Errno.EMSGSIZE;
  if (goal.port === 0) return -Errno.EINVAL;
  if (!isLocal(goal.host)) return noNetwork(core);
  const host = destination(goal.host);
  const bound = socket.name ? 0 : bindFor(core, id, host);
  if (bound < 0) return bound;
  const name = socketOf(core, id)!.name as InetAddress;
  const from = { ...name, host: sourceOf(name, host) };
  const accepts = ({ peerName }: Socket): number => {
    if (!peerName || peerName.family === Family.UNIX) return 1;
    return peerName.host === from.host && peerName.port === from.port ? 4 : 0;
  };
  const found = findPort(core, SocketType.DGRAM, host, goal.port, accepts);
  if (found === undefined) {
    // "Port unreachable" comes back at once; only a connected socket hears of it.
    if (socket.peerName) {
      setSocket(core, id, { error: Errno.ECONNREFUSED });
      wakeReaders(core, id);
      wakeWriters(core, id);
    }
    return bytes.length;
  }
  const peer = socketOf(core, found)!;
  const load = peer.length + (peer.received.size + 1) * OVERHEAD + bytes.length;
  // A datagram that finds no room is lost.
  if (load <= capacityOf(peer) && !(peer.shut & Shut.RECEIVE))
    enqueue(core, found, { bytes: bytes.slice(), from: seenBy(peer.family, from), files: [], sender });
  return bytes.length;
}

const sourceOf = (name: InetAddress, host: string): string =>
  /^0{20}(ffff|0000)0{8}$/.test(name.host) ? host : name.host;

/** Why nothing can be received now: a negative errno, the end (0), or where to wait. */
function nothing(core: Core, id: number, socket: Socket): number | Wait {
  const error = takeError(core, id);
  if (error !== 0) return -error;
  if (socket.shut & Shut.RECEIVE) return 0;
  if (socket.type !== SocketType.DGRAM && socket.state !== 'connected' && socket.state !== 'connecting')
    return socket.type === SocketType.STREAM && !isInet(socket) ? -Errno.EINVAL : -Errno.ENOTCONN;
  return { wait: readQueue(id), timeout: socket.receiveTimeout };
}

/** Receives at most `length` bytes; with `peek` they stay. 0 is the end, a negative number an errno. */
export function receive(core: Core, id: number, length: number, peek: boolean): Received | number | Wait {
  const socket = socketOf(core, id)!;
  if (socket.state === 'listening') return isInet(socket) ? -Errno.ENOTCONN : -Errno.EINVAL;
  // A refused datagram is told before those that have come.
  if (socket.type === SocketType.DGRAM && socket.error !== 0) return -takeError(core, id);
  const first = socket.received.first();
  if (!first) return nothing(core, id, socket);
  const got = socket.type === SocketType.STREAM ? takeStream(socket, first, length) : takePacket(socket, first, length);
  if (!peek) {
    setSocket(core, id, { received: got.rest, length: socket.length - got.taken });
    landed(core, got.received.files);
    wake(core, roomQueue(id));
    if (socketOf(core, socket.peer)?.peer === id) wakeWriters(core, socket.peer);
  }
  return got.received;
}

interface Taken {
  readonly received: Received;
  readonly rest: List<Packet>;
  /** Bytes that leave the queue. */
  readonly taken: number;
}

function takePacket({ received }: Socket, first: Packet, length: number): Taken {
  const { bytes, from, files, sender } = first;
  const part = { bytes: bytes.subarray(0, length), full: bytes.length, from, files, sender };
  return { received: part, rest: received.shift(), taken: bytes.length };
}

/** Bytes of one or more pieces: up to one that came with files, or (where senders are told) from another sender. */
function takeStream(socket: Socket, first: Packet, length: number): Taken {
  const told = optionOf(socket, Option.PASSCRED) !== 0;
  let rest = socket.received;
  const parts: Uint8Array[] = [];
  let taken = 0;
  let files: readonly number[] = [];
  for (let piece: Packet | undefined = first; piece && taken < length && files.length === 0; piece = rest.first()) {
    if (told && piece.sender.pid !== first.sender.pid) break;
    const part = piece.bytes.subarray(0, length - taken);
    parts.push(part);
    taken += part.length;
    files = piece.files;
    rest = rest.shift();
    if (part.length < piece.bytes.length)
      rest = rest.unshift({ ...piece, bytes: piece.bytes.subarray(part.length), files: [] });
  }
  const bytes = new Uint8Array(taken);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { received: { bytes, full: taken, from: undefined, files, sender: first.sender }, rest, taken };
}

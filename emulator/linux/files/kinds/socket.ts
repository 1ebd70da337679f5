/** Open files of sockets: read and write are receive and send without flags; what can be done now follows tcp(7) and unix(7). */
import { S_IFSOCK } from '../../errno';
import { closeSocket, isConnectionless, isInet } from '../../sockets/connections';
import { capacityOf, Option } from '../../sockets/options';
import { collect } from '../../sockets/rights';
import { readQueue, roomQueue, socketOf, writeQueue } from '../../sockets/sockets';
import { receive, send } from '../../sockets/transfer';
import { Shut, type Socket } from '../../sockets/types';
import type { Core } from '../../core';
import { release } from '../descriptors';
import { Poll, type FileOf, type Kind } from './kind';

const READABLE = Poll.IN | Poll.RDNORM;
const WRITABLE = Poll.OUT | Poll.WRNORM | Poll.WRBAND;

/** Room for what the socket would send. */
function writable(core: Core, socket: Socket): boolean {
  if (socket.state === 'listening' || socket.state === 'connecting') return false;
  const peer = socketOf(core, socket.peer);
  return !peer || (isInet(socket) && isConnectionless(socket)) || peer.length < capacityOf(peer);
}

function eventsOf(core: Core, socket: Socket): number {
  let events = socket.error !== 0 ? Poll.ERR : 0;
  if (socket.received.size > 0 || socket.pending.size > 0) events |= READABLE;
  if (socket.shut & Shut.RECEIVE) events |= READABLE | Poll.RDHUP;
  if (socket.shut === Shut.BOTH) events |= Poll.HUP;
  if (!isConnectionless(socket) && socket.state === 'open') events |= Poll.HUP;
  if (writable(core, socket) || (isInet(socket) && socket.shut & Shut.SEND)) events |= WRITABLE;
  if (isInet(socket) && !isConnectionless(socket) && socket.error !== 0) events |= READABLE;
  return isInet(socket) ? events & ~Poll.WRBAND : events;
}

export const socket: Kind<FileOf<'socket'>> = {
  whole: true,
  read(core, _id, file, length) {
    const got = receive(core, file.socket, length, false);
    if (typeof got === 'number') return got === 0 ? new Uint8Array(0) : got;
    if ('wait' in got) return got;
    // Nobody takes the files that came with it.
    for (const id of got.files) release(core, id);
    return got.bytes;
  },
  write(core, _id, file, bytes, _position, pid) {
    const sender = { pid, uid: 0, gid: 0 };
    return send(core, file.socket, { bytes, to: undefined, target: undefined, files: [], sender });
  },
  ready(core, _id, file) {
    const socket = socketOf(core, file.socket)!;
    const peer = socketOf(core, socket.peer);
    const oneSided = peer && !isInet(socket) && isConnectionless(socket) && peer.peer !== file.socket;
    return {
      events: eventsOf(core, socket),
      reading: readQueue(file.socket),
      writing: oneSided ? roomQueue(socket.peer) : writeQueue(file.socket),
    };
  },
  available(core, file) {
    const socket = socketOf(core, file.socket)!;
    return isConnectionless(socket) ? (socket.received.first()?.bytes.length ?? 0) : socket.length;
  },
  dropped: (core) => collect(core),
  closed(core, _id, file) {
    const files = closeSocket(core, file.socket, lingersNot(socketOf(core, file.socket)!));
    return [...files, ...collect(core)];
  },
  mode: () => S_IFSOCK | 0o777,
};

/** SO_LINGER with a time of 0: closing is a reset. */
const lingersNot = (socket: Socket): boolean => isInet(socket) && socket.options.get(Option.LINGER) === 0;

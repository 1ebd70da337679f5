/** getsockopt and setsockopt. */
import { Errno } from '../errno';
import type { Core } from '../core';
import { isConnectionless, isInet } from '../sockets/connections';
import { normalized, Option, optionOf, SOL_SOCKET, SOL_TCP } from '../sockets/options';
import { setSocket, takeError } from '../sockets/sockets';
import type { Credentials, Socket } from '../sockets/types';
import { socketAt } from './sockets';
import { ticksOf, timeOf } from './time';
import type { Handler } from './call';

/** Options of SOL_SOCKET that are no plain integers kept. */
const enum So {
  TYPE = 3,
  ERROR = 4,
  LINGER = 13,
  PEERCRED = 17,
  RCVTIMEO = 20,
  SNDTIMEO = 21,
  ACCEPTCONN = 30,
  SNDBUFFORCE = 32,
  RCVBUFFORCE = 33,
  PROTOCOL = 38,
  DOMAIN = 39,
}
const TCP_INFO = 11;
const TCP_MAXSEG = 2;
/** Largest segment over the loopback's packets of 65,536 bytes. */
const SEGMENT = 65_483;

const integers = (...values: number[]): Uint8Array => new Uint8Array(new Int32Array(values).buffer);
const credentials = ({ pid, uid, gid }: Credentials): Uint8Array => integers(pid, uid, gid);

/** struct timeval. */
function timeval(core: Core, ticks: number): Uint8Array {
  const { seconds, nanoseconds } = timeOf(core, ticks);
  return new Uint8Array(new BigInt64Array([BigInt(seconds), BigInt(Math.floor(nanoseconds / 1000))]).buffer);
}

/** The value of an option; undefined when there is none of that name. */
function valueOf(core: Core, id: number, socket: Socket, level: number, name: number): Uint8Array | undefined {
  if (level === SOL_SOCKET)
    switch (name as So) {
      case So.TYPE:
        return integers(socket.type);
      case So.ERROR:
        return integers(takeError(core, id));
      case So.LINGER: {
        const time = socket.options.get(Option.LINGER);
        return integers(time === undefined ? 0 : 1, time ?? 0);
      }
      case So.PEERCRED:
        return credentials(socket.peerCredentials ?? { pid: 0, uid: -1, gid: -1 });
      case So.RCVTIMEO:
        return timeval(core, socket.receiveTimeout);
      case So.SNDTIMEO:
        return timeval(core, socket.sendTimeout);
      case So.ACCEPTCONN:
        return integers(socket.state === 'listening' ? 1 : 0);
      case So.PROTOCOL:
        return integers(socket.protocol);
      case So.DOMAIN:
        return integers(socket.family);
      default:
    }
  if (level === SOL_TCP && isInet(socket) && !isConnectionless(socket)) {
    if (name === TCP_MAXSEG) return integers(SEGMENT);
    // struct tcp_info: its first byte is the state, 1 for established, 7 closed, 10 listening.
    const states = { connected: 1, open: 7, connecting: 2, listening: 10 };
    if (name === TCP_INFO) return Uint8Array.from({ length: 104 }, (_, i) => (i === 0 ? states[socket.state] : 0));
  }
  if (level !== SOL_SOCKET && !isInet(socket)) return undefined;
  const kept = optionOf(socket, `${level}:${name}`);
  return kept === undefined ? undefined : integers(kept);
}

const getsockopt: Handler = (context, fd, level, name, valueAt, lengthAt) => {
  const { core } = context;
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const room = core.user.readI32(lengthAt!);
  if (room < 0) return -Errno.EINVAL;
  core.user.probe(valueAt!, Math.min(room, 128), 'write');
  core.user.probe(lengthAt!, 4, 'write');
  const value = valueOf(core, open.id, open.socket, level!, name!);
  if (!value) return level === SOL_SOCKET || isInet(open.socket) ? -Errno.ENOPROTOOPT : -Errno.EOPNOTSUPP;
  core.user.write(valueAt!, value.subarray(0, room));
  core.user.writeU32(lengthAt!, Math.min(room, value.length));
  return 0;
};

function setTimeout(core: Core, id: number, name: number, address: number, length: number): number {
  if (length < 16) return -Errno.EINVAL;
  const seconds = core.user.readI64(address);
  const microseconds = core.user.readI64(address + 8);
  if (microseconds < 0 || microseconds >= 1e6) return -Errno.EDOM;
  const ticks = seconds < 0 ? 0 : ticksOf(core, { seconds, nanoseconds: microseconds * 1000 });
  const timeout = ticks === Infinity ? 0 : ticks;
  setSocket(core, id, name === So.RCVTIMEO ? { receiveTimeout: timeout } : { sendTimeout: timeout });
  return 0;
}

const setsockopt: Handler = (context, fd, level, name, address, length) => {
  const { core } = context;
  const open = socketAt(context, fd!);
  if (typeof open === 'number') return open;
  const { id, socket } = open;
  if (level === SOL_SOCKET) {
    if (name === So.RCVTIMEO || name === So.SNDTIMEO) return setTimeout(core, id, name, address!, length! | 0);
    if (name === So.LINGER) {
      if (length! < 8) return -Errno.EINVAL;
      const on = core.user.readI32(address!) !== 0;
      const time = core.user.readI32(address! + 4);
      const { options } = socket;
      setSocket(core, id, { options: on ? options.set(Option.LINGER, time) : options.remove(Option.LINGER) });
      return 0;
    }
  } else if (!isInet(socket)) return -Errno.EOPNOTSUPP;
  if (length! < 4) return -Errno.EINVAL;
  const wanted = core.user.readI32(address!);
  const forced: Readonly<Record<number, string>> = { [So.RCVBUFFORCE]: Option.RCVBUF, [So.SNDBUFFORCE]: Option.SNDBUF };
  const key = (level === SOL_SOCKET ? forced[name!] : undefined) ?? `${level}:${name}`;
  if (key === Option.V6ONLY && socket.bound !== undefined) return -Errno.EINVAL;
  const value = normalized(key, wanted);
  if (value === undefined) return -Errno.ENOPROTOOPT;
  setSocket(core, id, { options: socket.options.set(key, value) });
  return 0;
};

export const socketOptionCalls: Readonly<Record<string, Handler>> = { getsockopt, setsockopt };

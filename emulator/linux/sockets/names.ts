/** Names sockets are found under: ports of the loopback, and names and inodes of Unix sockets. */
import { List } from 'immutable';
import type { Core } from '../core';
import { Errno } from '../errno';
import { isAny, isLocal, isMapped, sourceFor } from './addresses';
import { Option, optionOf } from './options';
import { setSocket, setSockets, socketOf } from './sockets';
import { Family, FIRST_PORT, LAST_PORT, SocketType, type InetAddress, type Socket } from './types';

const portKey = (type: SocketType, port: number): string => `${type === SocketType.STREAM ? 'tcp' : 'udp'}:${port}`;
export const inodeKey = (inode: number): string => `unix:inode:${inode}`;
/** Each type has abstract names of its own. */
export const nameKey = (type: SocketType, name: string): string => `unix:${type}:${name}`;

const holders = (core: Core, key: string): List<number> => core.state.sockets.names.get(key) ?? List();

export function enter(core: Core, key: string, id: number): void {
  const { names } = core.state.sockets;
  setSockets(core, { names: names.set(key, holders(core, key).push(id)) });
  setSocket(core, id, { bound: key });
}

export function leaveName(core: Core, id: number): void {
  const key = socketOf(core, id)?.bound;
  if (key === undefined) return;
  const rest = holders(core, key).filterNot((other) => other === id);
  const { names } = core.state.sockets;
  setSockets(core, { names: rest.size > 0 ? names.set(key, rest) : names.remove(key) });
  setSocket(core, id, { bound: undefined });
}

/** The one socket under a Unix name. */
export const holderOf = (core: Core, key: string): number | undefined => holders(core, key).first();

const onlySix = (socket: Socket): boolean => optionOf(socket, Option.V6ONLY) !== 0;

/** Would two sockets with one port take each other's packets? */
function overlap(a: Socket, hostA: string, b: Socket, hostB: string): boolean {
  const four = (socket: Socket, host: string): boolean =>
    isMapped(host) || (isAny(host) && socket.family === Family.INET6 && !onlySix(socket));
  const six = (host: string): boolean => !isMapped(host);
  if (isAny(hostA) || isAny(hostB)) return (four(a, hostA) && four(b, hostB)) || (six(hostA) && six(hostB));
  return hostA === hostB;
}

function taken(core: Core, id: number, host: string, port: number): boolean {
  const socket = socketOf(core, id)!;
  return holders(core, portKey(socket.type, port)).some((other) => {
    const rival = socketOf(core, other);
    const name = rival?.name;
    if (other === id || !rival || name?.family === undefined || name.family === Family.UNIX) return false;
    if (!overlap(socket, host, rival, name.host)) return false;
    if (optionOf(socket, Option.REUSEPORT) && optionOf(rival, Option.REUSEPORT)) return false;
    const reuse = optionOf(socket, Option.REUSEADDR) !== 0 && optionOf(rival, Option.REUSEADDR) !== 0;
    return !(reuse && rival.state !== 'listening');
  });
}

/** Gives an Internet socket a name; port 0 asks for any that is free. 0 or a negative errno. */
export function bindInet(core: Core, id: number, address: InetAddress): number {
  const socket = socketOf(core, id)!;
  if (!isLocal(address.host)) return -Errno.EADDRNOTAVAIL;
  let { port } = address;
  if (port === 0) {
    const free = freePort(core, id, address.host);
    if (free === undefined) return -Errno.EADDRINUSE;
    port = free;
  } else if (taken(core, id, address.host, port)) return -Errno.EADDRINUSE;
  enter(core, portKey(socket.type, port), id);
  setSocket(core, id, { name: { ...address, port } });
  return 0;
}

function freePort(core: Core, id: number, host: string): number | undefined {
  let port = core.state.sockets.nextPort;
  for (let tries = FIRST_PORT; tries <= LAST_PORT; tries++) {
    const candidate = port;
    port = port === LAST_PORT ? FIRST_PORT : port + 1;
    core.charge(1);
    if (holders(core, portKey(socketOf(core, id)!.type, candidate)).isEmpty() || !taken(core, id, host, candidate)) {
      setSockets(core, { nextPort: port });
      return candidate;
    }
  }
  return undefined;
}

/** A name for a socket that is about to talk to `host` without one. 0 or a negative errno. */
export function bindFor(core: Core, id: number, host: string): number {
  const { name, family } = socketOf(core, id)!;
  if (name) {
    // Bound to any address: from now on it is the one it talks from.
    if (name.family !== Family.UNIX && isAny(name.host))
      setSocket(core, id, { name: { ...name, host: sourceFor(host) } });
    return 0;
  }
  const bound = bindInet(core, id, { family: family as InetAddress['family'], host: sourceFor(host), port: 0 });
  setSocket(core, id, { automatic: true });
  return bound;
}

/** Does a socket's name take packets to `host`, and how well: 2 exactly, 1 as any address, 0 not. */
function matches(socket: Socket, host: string): number {
  const { name } = socket;
  if (!name || name.family === Family.UNIX) return 0;
  if (name.host === host) return 2;
  if (!isAny(name.host)) return 0;
  if (isMapped(name.host)) return isMapped(host) ? 1 : 0;
  return isMapped(host) && onlySix(socket) ? 0 : 1;
}

/** The socket that takes what goes to a port; `accept` says which may. The better match, else the older one. */
export function findPort(
  core: Core,
  type: SocketType,
  host: string,
  port: number,
  accept: (socket: Socket) => number,
): number | undefined {
  let best: { readonly id: number; readonly score: number } | undefined;
  for (const id of holders(core, portKey(type, port))) {
    const socket = socketOf(core, id);
    const match = socket ? matches(socket, host) : 0;
    const fit = socket && match > 0 ? accept(socket) : 0;
    if (fit > 0 && match + fit > (best?.score ?? 0)) best = { id, score: match + fit };
  }
  return best?.id;
}

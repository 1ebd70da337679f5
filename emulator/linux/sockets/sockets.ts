/** The table of sockets: making, finding, changing; the queues threads wait in. */
import { List, Map } from 'immutable';
import type { Core } from '../core';
import { wake } from '../scheduler';
import type { Credentials, Family, Packet, Socket, Sockets, SocketType } from './types';

export const readQueue = (id: number): string => `socket:${id}:read`;
export const writeQueue = (id: number): string => `socket:${id}:write`;
/** Senders of datagrams and connecting clients wait here for the socket to take something out. */
export const roomQueue = (id: number): string => `socket:${id}:room`;

export const socketOf = (core: Core, id: number): Socket | undefined => core.state.sockets.all.get(id);

export function setSockets(core: Core, patch: Partial<Sockets>): void {
  core.set({ sockets: { ...core.state.sockets, ...patch } });
}

export function setSocket(core: Core, id: number, patch: Partial<Socket>): void {
  const { all } = core.state.sockets;
  const socket = all.get(id);
  if (socket) setSockets(core, { all: all.set(id, { ...socket, ...patch }) });
}

export function newSocket(
  core: Core,
  family: Family,
  type: SocketType,
  protocol: number,
  owner: Credentials,
  rest: Partial<Socket> = {},
): number {
  const { all, next } = core.state.sockets;
  const socket: Socket = {
    family,
    type,
    protocol,
    state: 'open',
    untold: false,
    name: undefined,
    bound: undefined,
    automatic: false,
    peerName: undefined,
    peer: 0,
    received: List<Packet>(),
    length: 0,
    shut: 0,
    error: 0,
    backlog: 0,
    pending: List(),
    waiting: List(),
    options: Map(),
    receiveTimeout: 0,
    sendTimeout: 0,
    owner,
    peerCredentials: undefined,
    file: 0,
    ...rest,
  };
  setSockets(core, { all: all.set(next, socket), next: next + 1 });
  return next;
}

export const wakeReaders = (core: Core, id: number): void => void wake(core, readQueue(id));
export const wakeWriters = (core: Core, id: number): void => void wake(core, writeQueue(id));
export function wakeAll(core: Core, id: number): void {
  wakeReaders(core, id);
  wakeWriters(core, id);
}

/** The error a socket has met, which is told once; 0 for none. */
export function takeError(core: Core, id: number): number {
  const error = socketOf(core, id)?.error ?? 0;
  if (error !== 0) setSocket(core, id, { error: 0 });
  return error;
}

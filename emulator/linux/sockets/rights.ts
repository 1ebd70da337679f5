/**
 * Open files on their way in Unix sockets (SCM_RIGHTS). Each holds a reference of its own. Sockets that are only held by packets in their own
 * queues, or in each other's, can't be reached by anybody: they are found when a reference to a socket goes, and emptied.
 */
import { List } from 'immutable';
import type { Core } from '../core';
import { setOpenFile } from '../files/open-files';
import { setSocket, setSockets, socketOf } from './sockets';
import type { Packet, Socket } from './types';

/** SCM_MAX_FD. */
export const MAX_RIGHTS = 253;

const isSocket = (core: Core, file: number): boolean => core.state.openFiles.get(file)?.kind === 'socket';

function count(core: Core, files: readonly number[], by: number): void {
  const { inFlight } = core.state.sockets;
  const changed = inFlight.withMutations((map) => {
    for (const file of files) {
      if (!isSocket(core, file)) continue;
      const now = map.get(file, 0) + by;
      if (now > 0) map.set(file, now);
      else map.delete(file);
    }
  });
  if (changed !== inFlight) setSockets(core, { inFlight: changed });
}

/** Files set out: a reference each. */
export function sendOff(core: Core, files: readonly number[]): void {
  for (const id of files) {
    const file = core.state.openFiles.get(id)!;
    setOpenFile(core, id, { ...file, references: file.references + 1 });
  }
  count(core, files, 1);
}

/** Files have left their packet; its references are the caller's to give away. */
export const landed = (core: Core, files: readonly number[]): void => count(core, files, -1);

const filesIn = (packets: List<Packet>): number[] => packets.toArray().flatMap(({ files }) => files);

/** Files in a socket's queue, and in those of connections that wait to be accepted. */
const heldBy = (core: Core, socket: Socket): number[] => [
  ...filesIn(socket.received),
  ...socket.pending.toArray().flatMap((id) => filesIn(socketOf(core, id)?.received ?? List())),
];

/** Empties a socket's queue; returns the files that were in it. */
export function drain(core: Core, id: number): number[] {
  const socket = socketOf(core, id);
  if (!socket) return [];
  const files = filesIn(socket.received);
  setSocket(core, id, { received: List(), length: 0 });
  landed(core, files);
  return files;
}

/** Sockets nobody can reach are emptied: the files that were on their way in them, which lose a reference each. */
export function collect(core: Core): number[] {
  const { inFlight, all } = core.state.sockets;
  if (inFlight.size === 0) return [];
  const { openFiles } = core.state;
  const lost = new Set(
    [...inFlight].filter(([file, times]) => openFiles.get(file)?.references === times).map(([file]) => file),
  );
  if (lost.size === 0) return [];
  core.charge(all.size);
  const reached = [...all.values()].filter(({ file }) => file !== 0 && !lost.has(file));
  for (let socket = reached.pop(); socket; socket = reached.pop()) {
    for (const file of heldBy(core, socket)) {
      const held = lost.delete(file) ? openFiles.get(file) : undefined;
      const next = held?.kind === 'socket' ? socketOf(core, held.socket) : undefined;
      if (next) reached.push(next);
    }
  }
  return [...lost]
    .sort((a, b) => a - b)
    .flatMap((id) => {
      const file = openFiles.get(id);
      const socket = file?.kind === 'socket' ? socketOf(core, file.socket) : undefined;
      if (file?.kind !== 'socket' || !socket) return [];
      return [file.socket, ...socket.pending.toArray()].flatMap((each) => drain(core, each));
    });
}

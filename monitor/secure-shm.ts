/**
 * Memory that enclaves share among themselves (secure shm), found by a 64-bit key: calls 84 and 83, ocalls 9 to 11. The host gives a
 * block, whose first page keeps the list it is freed by, and sees no byte of it. Owns who is attached, and the end: a piece goes with its
 * last user once somebody asked for its destruction or the enclave that made it is gone. (Penglai-TVM's monitor; an enclave that ends
 * there takes the memory of all others with it.)
 */
import { PAGE_SIZE } from '../emulator/units';
import { savedX64 } from '../emulator/hart/registers';
import { EnclaveVa, Ocall, Result } from './abi';
import type { Reply } from './areas';
import { takeBlock } from './blocks';
import type { Core } from './core';
import { Mapper, pagesLeft, tablesFor, writeVirtual } from './enclave-tables';
import { finishOcall, leaveForMemory, leaveForOcall, releaseBlocks } from './lifecycle';
import { LIMIT_REMEDY } from './limits';
import { PageKind } from './pages';
import { byInstance, type Enclave, type SharedMemory } from './state';
import type { Task } from './task';
import type { Instance } from './types';

const nameOf = (key: bigint): string => BigInt.asUintN(64, key).toString(16);
const found = (m: Core, key: bigint): SharedMemory | undefined => m.state.sharedMemory.get(nameOf(key));

function put(m: Core, piece: SharedMemory): void {
  m.update({ sharedMemory: m.state.sharedMemory.set(piece.key, piece) });
}

/** Below the lowest piece the enclave maps, or below 0x4000000000 when there is none. */
function placeFor(enclave: Enclave, size: number): number | undefined {
  const start = Math.min(EnclaveVa.SECURE_SHM_TOP, ...enclave.shared.map(({ start: at }) => at)) - size;
  return start >= EnclaveVa.SHM_BASE ? start : undefined;
}

/** Maps a piece for an enclave; its address there, undefined when there is no room. */
function map(m: Core, enclave: Enclave, piece: SharedMemory): number | undefined {
  const start = placeFor(enclave, piece.size);
  if (start === undefined) return undefined;
  const mapper = Mapper.of(m, enclave);
  const done = mapper.map(start, piece.block + PAGE_SIZE, piece.size);
  m.change(enclave.eid, {
    pool: mapper.pool,
    ...(done ? { shared: [...enclave.shared, { key: piece.key, start, size: piece.size }] } : {}),
  });
  return done ? start : undefined;
}

/** SHM_GET: a new piece, attached to the enclave that asks; the result is its address, 0 when it can't be. */
export function shmGet(m: Core, reply: Reply, key: bigint, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  const why = found(m, key)
    ? 'the key is in use'
    : !(size >= PAGE_SIZE && size % PAGE_SIZE === 0)
      ? 'the size is not a number of whole pages'
      : placeFor(enclave, size) === undefined
        ? 'no addresses are left for it'
        : undefined;
  if (why === undefined)
    return leaveForOcall(m, { ocall: Ocall.SHM_GET, arg0: 0, arg1: size + PAGE_SIZE, kept: [0, size] });
  m.log(`shm_get: ${why}`);
  reply(0);
}

/** RESUME of SHM_GET: the host gives a block, or (0, 0) for none. */
export function grantShared(m: Core, enclave: Enclave, block: number, blockSize: number): void {
  if (blockSize === 0) {
    finishOcall(m, enclave, 0);
    return m.queue({ do: 'enter', eid: enclave.eid });
  }
  takeBlock(m, enclave, PageKind.Shared, { do: 'shared', eid: enclave.eid, block, blockSize });
}

/** The block is private: the piece exists, unless its key was taken meanwhile or there is no room; then the block goes back. */
export function sharedGranted(m: Core, task: Task & { do: 'shared' }): undefined {
  const enclave = m.enclave(task.eid)!;
  // The ocall's arguments are as the enclave left them: a1 is the key.
  const key = savedX64(enclave.registers!, 11);
  const piece: SharedMemory = {
    key: nameOf(key),
    block: task.block,
    blockSize: task.blockSize,
    size: task.blockSize - PAGE_SIZE,
    creator: enclave.instance,
    users: [enclave.instance],
    removed: false,
  };
  const start = found(m, key) ? undefined : map(m, enclave, piece);
  m.update({ undo: [] });
  if (start === undefined) {
    const block = { base: task.block, size: task.blockSize };
    const request = { ocall: Ocall.UNMAP, arg0: block.base, arg1: block.size, kept: [0, 0] as const };
    m.queue(...releaseBlocks(m, [block]), { do: 'tell', eid: enclave.eid, request });
    return undefined;
  }
  put(m, piece);
  finishOcall(m, enclave, start);
  m.queue({ do: 'enter', eid: enclave.eid });
  return undefined;
}

/** Call 84: the address of a piece in this enclave, 0 for an unknown key or a piece that is to go. */
export function shmAttach(m: Core, reply: Reply, key: bigint): void {
  const enclave = m.enclave(m.state.running)!;
  const piece = found(m, key);
  if (!piece || piece.removed) return reply(0);
  const mine = enclave.shared.find((other) => other.key === piece.key);
  if (mine) return reply(mine.start);
  if (piece.users.length >= m.limits.sharers) {
    m.log(`shm_attach: ${m.limits.sharers} enclaves share it, as many as a device allows: ${LIMIT_REMEDY}`);
    return reply(0);
  }
  const missing = tablesFor(piece.size) - pagesLeft(m, enclave);
  if (missing > 0) return leaveForMemory(m, missing);
  const start = map(m, enclave, piece);
  if (start !== undefined) put(m, { ...piece, users: [...piece.users, enclave.instance] });
  reply(start ?? 0);
}

/** Call 83: {u64 ref_count, u64 size} of a piece. */
export function shmStat(m: Core, reply: Reply, key: bigint, address: number): void {
  const piece = found(m, key);
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(piece?.users.length ?? 0), true);
  view.setBigUint64(8, BigInt(piece?.size ?? 0), true);
  const done = piece && writeVirtual(m, m.enclave(m.state.running)!, address, new Uint8Array(view.buffer));
  reply(done ? Result.SUCCESS : Result.ERROR);
}

export function shmDetach(m: Core, reply: Reply, key: bigint): void {
  const enclave = m.enclave(m.state.running)!;
  const piece = found(m, key);
  const mine = enclave.shared.find((other) => other.key === piece?.key);
  if (!piece || !mine) return reply(Result.ERROR);
  Mapper.of(m, enclave).unmap(mine.start, mine.size);
  m.hart.fenceVma();
  m.change(enclave.eid, { shared: enclave.shared.filter((other) => other !== mine) });
  settle(m, reply, { ...piece, users: piece.users.filter((user) => user !== enclave.instance) });
}

/** The piece goes with its last user; nobody attaches it any more. */
export function shmDestroy(m: Core, reply: Reply, key: bigint): void {
  const piece = found(m, key);
  if (!piece || piece.removed) return reply(Result.ERROR);
  settle(m, reply, { ...piece, removed: true });
}

/** Nobody has it attached, and nobody is to come: `leaving` is an enclave that is about to be gone. */
const over = (m: Core, piece: SharedMemory, leaving?: Instance): boolean =>
  m.holds('sharedUsers', piece.users.length === 0) &&
  (piece.removed || piece.creator === leaving || !byInstance(m.state, piece.creator));

/** After a detach or a destroy: the host gets the block when the piece is over. */
function settle(m: Core, reply: Reply, piece: SharedMemory): void {
  put(m, piece);
  if (!over(m, piece)) return reply(Result.SUCCESS);
  m.update({ sharedMemory: m.state.sharedMemory.remove(piece.key) });
  const block = { base: piece.block, size: piece.blockSize };
  const request = { ocall: Ocall.UNMAP, arg0: block.base, arg1: block.size, kept: [0, 0] as const };
  m.queue(...releaseBlocks(m, [block]), { do: 'ocall', request });
}

/** An enclave that ends is no user any more; the blocks of what goes with it. */
export function leaveShared(m: Core, { instance }: Enclave): { base: number; size: number }[] {
  const all = m.state.sharedMemory;
  // By key: the order must not be the map's.
  const mine = [...all.values()]
    .filter(({ users, creator }) => creator === instance || users.includes(instance))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return mine.flatMap((piece) => {
    const left = { ...piece, users: piece.users.filter((user) => user !== instance) };
    if (!over(m, left, instance)) {
      put(m, left);
      return [];
    }
    m.update({ sharedMemory: m.state.sharedMemory.remove(piece.key) });
    return [{ base: piece.block, size: piece.blockSize }];
  });
}

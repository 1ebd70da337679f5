/**
 * System V shared memory (shmget(2), shmat(2), shmctl(2)): segments are shared objects that live until they are removed and nobody shows
 * them any more. Everybody is root, so permissions refuse nothing.
 */
import { PAGE_SIZE } from '../../units';
import { Errno } from '../errno';
import { areaAt, dropPages, findHole, MAX_AREAS, withArea, withoutRange } from '../memory/areas';
import { MMAP_MIN, RAM_BASE, STACK_TOP } from '../memory/layout';
import { holdObject, newObject, setAreas } from '../memory/objects';
import type { Core } from '../core';
import type { Area, SharedSegment } from '../state';
import { wallClock } from '../files/stat';
import type { Handler } from './call';

const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const IPC_RMID = 0;
const IPC_SET = 1;
const IPC_STAT = 2;
const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_EXEC = 0o100000;
/** SHMMNI. */
const SEGMENTS_MAX = 4096;

const roundUp = (value: number): number => Math.ceil(value / PAGE_SIZE) * PAGE_SIZE;

function setSegment(core: Core, id: number, segment: SharedSegment | undefined): void {
  const { segments } = core.state;
  core.set({ segments: segment ? segments.set(id, segment) : segments.remove(id) });
}

const shmget: Handler = ({ core, process }, key, size, flags) => {
  const { segments } = core.state;
  const wanted = key! | 0;
  const known = wanted === 0 ? undefined : segments.findKey((segment) => segment.key === wanted && !segment.removed);
  if (known !== undefined) {
    if ((flags! & (IPC_CREAT | IPC_EXCL)) === (IPC_CREAT | IPC_EXCL)) return -Errno.EEXIST;
    return size! > segments.get(known)!.size ? -Errno.EINVAL : known;
  }
  if (wanted !== 0 && !(flags! & IPC_CREAT)) return -Errno.ENOENT;
  if (size! <= 0) return -Errno.EINVAL;
  if (size! > core.layout.ramEnd - RAM_BASE) return -Errno.ENOMEM;
  if (segments.size >= SEGMENTS_MAX) return -Errno.ENOSPC;
  const object = newObject(core);
  // The segment itself holds the object until it is removed.
  holdObject(core, object, 1);
  const id = core.state.nextSegment;
  core.set({ nextSegment: id + 1 });
  setSegment(core, id, {
    key: wanted,
    size: size!,
    object,
    mode: flags! & 0o777,
    removed: false,
    creator: process.pid,
    last: 0,
    changed: core.now,
    attached: 0,
    detached: 0,
  });
  return id;
};

const shmat: Handler = ({ core, process }, id, address, flags) => {
  const segment = core.state.segments.get(id! | 0);
  if (!segment) return -Errno.EINVAL;
  const length = roundUp(segment.size);
  const { areas } = core.process(process.pid).memory;
  let start = address!;
  if (start % PAGE_SIZE !== 0) {
    if (!(flags! & SHM_RND)) return -Errno.EINVAL;
    start -= start % PAGE_SIZE;
  }
  if (address === 0) start = findHole(core.process(process.pid).memory, length) ?? -1;
  else if (start < MMAP_MIN || start + length > STACK_TOP) return -Errno.EINVAL;
  else if (areas.some((area) => area.start < start + length && start < area.end)) return -Errno.EINVAL;
  if (start < 0 || areas.length >= MAX_AREAS) return -Errno.ENOMEM;
  const area: Area = {
    start,
    end: start + length,
    prot: 1 | (flags! & SHM_RDONLY ? 0 : 2) | (flags! & SHM_EXEC ? 4 : 0),
    shared: true,
    name: `/SYSV${(segment.key >>> 0).toString(16).padStart(8, '0')}`,
    backing: { kind: 'anonymous' },
    writeBack: 0,
    object: { id: segment.object, start: 0 },
  };
  setAreas(core, process.pid, withArea(areas, area));
  setSegment(core, id! | 0, { ...segment, last: process.pid, attached: core.now });
  return start;
};

interface Detaching {
  readonly at: number;
}
const shmdt: Handler = ({ core, process, call }, address) => {
  const area = areaAt(core.process(process.pid).memory, address!);
  const entry = core.state.segments.findEntry(({ object }) => object === area?.object?.id);
  if (!area || !entry || area.start !== address || area.object!.start !== 0) return -Errno.EINVAL;
  const at = (call.phase as Detaching | undefined)?.at ?? area.start;
  if (at < area.end)
    return { do: 'more', phase: { at: dropPages(core, process.pid, at, area.end) } satisfies Detaching };
  setAreas(core, process.pid, withoutRange(core.process(process.pid).memory.areas, area.start, area.end));
  const [id, segment] = entry;
  setSegment(core, id, { ...segment, last: process.pid, detached: core.now });
  dropSegment(core, id);
  return 0;
};

/** A removed segment that nobody shows is gone. */
function dropSegment(core: Core, id: number): void {
  const segment = core.state.segments.get(id);
  if (segment?.removed && (core.state.objects.get(segment.object)?.areas ?? 0) === 0) setSegment(core, id, undefined);
}

/** struct shmid_ds. */
function describe(core: Core, segment: SharedSegment): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(112));
  const seconds = (tick: number): bigint => (tick === 0 ? 0n : BigInt(wallClock(core, tick).seconds));
  const SHM_DEST = 0o1000;
  bytes.setInt32(0, segment.key, true);
  bytes.setUint32(20, segment.mode | (segment.removed ? SHM_DEST : 0), true);
  bytes.setBigUint64(48, BigInt(segment.size), true);
  bytes.setBigInt64(56, seconds(segment.attached), true);
  bytes.setBigInt64(64, seconds(segment.detached), true);
  bytes.setBigInt64(72, seconds(segment.changed), true);
  bytes.setInt32(80, segment.creator, true);
  bytes.setInt32(84, segment.last, true);
  const holders = core.state.objects.get(segment.object)?.areas ?? 0;
  bytes.setBigUint64(88, BigInt(holders - (segment.removed ? 0 : 1)), true);
  return new Uint8Array(bytes.buffer);
}

const shmctl: Handler = ({ core }, number, command, buffer) => {
  const id = number! | 0;
  const segment = core.state.segments.get(id);
  if (!segment) return -Errno.EINVAL;
  // IPC_64, which some C libraries add, changes nothing on this architecture.
  switch (command! & ~0x100) {
    case IPC_RMID:
      if (segment.removed) return -Errno.EINVAL;
      setSegment(core, id, { ...segment, removed: true, key: 0 });
      holdObject(core, segment.object, -1);
      dropSegment(core, id);
      return 0;
    case IPC_STAT:
      core.user.write(buffer!, describe(core, segment));
      return 0;
    case IPC_SET:
      setSegment(core, id, { ...segment, mode: core.user.readU32(buffer! + 20) & 0o777, changed: core.now });
      return 0;
    default:
      return -Errno.EINVAL;
  }
};

export const sharedMemoryCalls: Readonly<Record<string, Handler>> = { shmget, shmat, shmdt, shmctl };

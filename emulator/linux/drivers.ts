/**
 * The kernel as its drivers see it (device.ts), and the common part of running one of their steps. A driver gets memory through the
 * same checked port as system calls.
 */
import { MemoryFault, type SupervisorPort } from '../machine/ports';
import { PAGE_SIZE, space, type PhysicalAddress } from '../units';
import type { Core } from './core';
import type { CharacterDevice, DeviceCaller, DeviceStep, Kernel } from './device';
import { EMPTY } from './files/content';
import { readData, writeData } from './files/data';
import { create, find, inodeOf, normalize, resolve } from './files/tree';
import { allocateBlock, allocateFrames, freeFrames } from './memory/frames';
import { linear } from './memory/layout';
import { areaAt } from './memory/areas';
import { storedPage } from './memory/paging-in';
import { splitLinear } from './memory/tables';
import { Prot, type Memory } from './state';
import { wake } from './scheduler';

const kernels = new WeakMap<Core, Kernel>();

/** The supervisor port, with user accesses checked to be in user space. */
function portOf(core: Core): SupervisorPort {
  const checked = Object.create(core.port) as SupervisorPort;
  for (const name of METHODS) {
    const method = core.port[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(checked, name, { value: method.bind(core.port) });
  }
  Object.defineProperty(checked, 'user', { value: core.user });
  return checked;
}
const METHODS = [
  'read',
  'write',
  'fill',
  'readU8',
  'readU16',
  'readU32',
  'readI32',
  'readI64',
  'readU64',
  'writeU8',
  'writeU16',
  'writeU32',
  'writeI64',
  'writeU64',
] as const;

export function driverKernel(core: Core): Kernel {
  let kernel = kernels.get(core);
  if (!kernel) {
    kernel = makeKernel(core);
    kernels.set(core, kernel);
  }
  return kernel;
}

function makeKernel(core: Core): Kernel {
  return {
    port: portOf(core),
    allocatePages: (order) => allocateFrames(core, order),
    allocateBlock: (order) => allocateBlock(core, order),
    freePages: (address, order) => freeFrames(core, address, order),
    linear: (address) => linear(address),
    splitLinear: (address, length) => splitLinear(core, address, length),
    readCaller: (caller, address, length) => readCaller(core, caller.pid, address, length),
    wake: (queue) => void wake(core, `device:${queue}`),
    print: (text, source) => core.emit({ kind: 'console', text, ...(source === undefined ? {} : { source }) }),
    emit: (event) => core.machine.outbox.emit(event),
    spent: () => core.cost,
    readFile: (path, offset, length) => readPart(core, path, offset, length),
    writeFile: (path, offset, bytes) => writePart(core, path, offset, bytes),
  };
}

function readCaller(core: Core, pid: number, address: number, length: number): readonly Uint8Array[] {
  const { memory } = core.process(pid);
  const parts: Uint8Array[] = [];
  for (let done = 0; done < length;) {
    const at = address + done;
    const page = at - (at % PAGE_SIZE);
    const size = Math.min(length - done, page + PAGE_SIZE - at);
    const stored = readableAt(memory, page) ? storedPage(core, memory, page) : undefined;
    const part = stored && size < PAGE_SIZE ? stored.subarray(at - page, at - page + size) : stored;
    parts.push(part ?? core.user.read(at, size));
    done += size;
  }
  return parts;
}

const readableAt = (memory: Memory, address: number): boolean =>
  ((areaAt(memory, address)?.prot ?? 0) & Prot.READ) !== 0;

function readPart(core: Core, path: string, offset: number, length: number): Uint8Array | undefined {
  const number = find(core.state, normalize(path, '/'));
  const inode = number === undefined ? undefined : inodeOf(core, number);
  return inode?.type === 'file' ? readData(core, number!, offset, length) : undefined;
}

function writePart(core: Core, path: string, offset: number, bytes: Uint8Array): boolean {
  const at = resolve(core.state, path, { from: core.state.fs.root, followLast: true });
  if (typeof at === 'number') return false;
  const made = { type: 'file', mode: 0o644, links: 1, changed: core.now, content: EMPTY } as const;
  const number = at.inode ?? create(core, at.parent, at.name, made);
  return writeData(core, number, offset, bytes) === bytes.length;
}

export const deviceAt = (core: Core, path: string): CharacterDevice | undefined =>
  core.options.devices.find((device) => device.path === path);

export const callerOf = (core: Core, pid: number, tid: number): DeviceCaller => {
  const root = core.findProcess(pid)?.memory.root;
  return { pid, tid, space: root === undefined ? undefined : space(root / PAGE_SIZE) };
};

/** A step of a driver that must not end the machine: an exception other than a memory fault becomes -EIO and a log line. */
export function guarded(core: Core, device: CharacterDevice, step: () => DeviceStep): DeviceStep {
  try {
    return step();
  } catch (error) {
    if (error instanceof MemoryFault) throw error;
    core.log(`BUG: ${device.path}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { do: 'return', value: -5 };
  }
}

export type { PhysicalAddress };

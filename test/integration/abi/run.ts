/** The programs of this folder on the composed system: built once with whatever compiler the samples are built with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ComposedSystem, createSystem } from '../../../monitor/system/system';
import type { LaunchDescription } from '../../../monitor/system/types';
import type { DriverState } from '../../../monitor/driver/state';
import { PageKind } from '../../../monitor/pages';
import type { MonitorState } from '../../../monitor/state';
import { build } from '../adapter/builds';

const SOURCES = join(process.cwd(), 'test/integration/abi/programs');
const FILES = [
  ['host', 'host'],
  ['enclave', 'eapp'],
  ['server', 'eapp'],
] as const;

/** A launch of `host <part>`, the enclave built with further flags. */
export async function launchOf(
  part: string,
  more: Partial<LaunchDescription> = {},
  flags: string[] = [],
): Promise<LaunchDescription> {
  const files = await Promise.all(
    FILES.map(async ([name, kind]) => ({
      path: `/root/${name}`,
      bytes: new Uint8Array(
        readFileSync(
          await build(
            kind,
            join(SOURCES, `${name}.c`),
            name === 'enclave' ? ['abi-enclave', ...flags].join('') : `abi-${name}`,
            name === 'enclave' ? flags : [],
          ),
        ),
      ),
      mode: 0o755,
    })),
  );
  return { program: '/root/host', argv0: './host', args: [part], cwd: '/root', files, memoryMiB: 128, ...more };
}

export async function systemOf(...launch: Parameters<typeof launchOf>): Promise<ComposedSystem> {
  return createSystem(await launchOf(...launch)) as ComposedSystem;
}

/** What must be as it was when nothing has an enclave, shm or relay memory any more. */
export interface Holdings {
  readonly enclaves: number;
  readonly shadows: number;
  readonly transferred: number;
  readonly shared: number;
  readonly records: number;
  readonly blocks: number;
  readonly shm: number;
  readonly relay: number;
  /** Private pages by kind. */
  readonly owned: Readonly<Record<number, number>>;
  /** Public pages that an enclave maps. */
  readonly mapped: number;
  /** Pages of the kernel's allocator that are free. */
  readonly free: number;
}

const PUBLIC = 0x7fffffff;

export function holdings(system: ComposedSystem): Holdings {
  const monitor = system.monitor.snapshot() as MonitorState;
  const driver = system.device.snapshot() as DriverState;
  const bitmap = monitor.bitmap!;
  const view = new DataView(system.machine.machinePort.read(bitmap.base as never, bitmap.size).slice().buffer);
  const owned: Record<number, number> = {};
  let mapped = 0;
  for (let at = 0; at < bitmap.size; at += 4) {
    const entry = view.getInt32(at, true);
    // The monitor's own memory is never given back.
    const kind = (entry >>> 28) & 7;
    if (entry < 0 && kind !== PageKind.Monitor) owned[kind] = (owned[kind] ?? 0) + 1;
    else if (entry >= 0 && entry !== PUBLIC) mapped++;
  }
  return {
    enclaves: system.monitor.enclaves().length,
    shadows: system.monitor.shadows().length,
    transferred: monitor.transferred.length,
    shared: monitor.sharedMemory.size,
    records: driver.enclaves.size,
    blocks: driver.blocks.size,
    shm: driver.shm.size,
    relay: driver.relay.size,
    owned,
    mapped,
    free: freePages(system),
  };
}

interface Split {
  readonly left: Node;
  readonly right: Node;
}
type Node = string | Split;

/** Counts the buddy tree's free pages. */
function freePages(system: ComposedSystem): number {
  const { buddy } = system.linux.snapshot() as { buddy: Node };
  const count = (node: Node, pages: number): number =>
    typeof node === 'string'
      ? node === 'used'
        ? 0
        : pages
      : count(node.left, pages / 2) + count(node.right, pages / 2);
  return count(buddy, 2 ** Math.ceil(Math.log2((system.machine.ramSize as number) / 4096)));
}

/** A batch of programs on this machine and on QEMU, from the same image of RAM; and what is different afterwards. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { NO_SPACE, pa, tick, va } from '../../../emulator/units';
import { harness } from './harness';
import { LOG_RECORD, Pages, RAM, RAM_BYTES, REGION_BYTES, regionOf } from './layout';
import { Program, type Pieces } from './program';
import type { Shape } from './protection';

const TOOL = 'qemu-system-riscv64';
export const haveQemu = /version 7\.2\./.test(spawnSync(TOOL, ['--version'], { encoding: 'utf8' }).stdout ?? '');

/** Extensions that this machine has not, or whose CSRs it has not. */
const CPU = 'rv64,h=false,sstc=false';
/** Ticks for one program; most need a few thousand. */
const TICKS = 100_000;

export interface Batch {
  readonly seeds: readonly number[];
  readonly image: Uint8Array;
}

export function shapeOf(seed: number): Shape {
  return (['open', 'fine', 'coarse', 'fine'] as const)[seed % 4]!;
}

/** The image of a batch: seed by seed, each in its region. Locked entries last until a reset: such a program is alone. */
export function makeBatch(seeds: readonly number[], shape: (seed: number) => Shape = shapeOf): Batch {
  const image = new Uint8Array(RAM_BYTES);
  const put = ({ address, bytes }: Pieces): void => image.set(bytes, address - RAM);
  const { bytes, finish } = harness(regionOf(0));
  put({ address: RAM, bytes });
  seeds.forEach((seed, i) => {
    const last = i + 1 === seeds.length;
    for (const piece of new Program(seed, i, shape(seed), last ? finish : regionOf(i + 1)).generate()) put(piece);
  });
  return { seeds, image };
}

/** RAM after the batch, or the seed of the program that does not end. */
export function runHere({ seeds, image }: Batch, engine?: EngineName): Uint8Array | { readonly endless: number } {
  const machine = createMachine({ ramBytes: RAM_BYTES, hotness: 1, ...(engine && { engine }) });
  machine.machinePort.write(pa(RAM), image);
  const hart = machine.harts[0]!;
  hart.pc = va(RAM);
  const limit = TICKS * (seeds.length + 1);
  while (machine.tick < limit) {
    const { reason } = machine.run(tick(machine.tick + TICKS));
    if (reason === 'halted') return machine.debugPort.read(NO_SPACE, va(RAM), RAM_BYTES);
    if (reason === 'idle') break;
  }
  const at = Number(machine.machinePort.readU64(pa(0x80020000 + 280))) - regionOf(0);
  return { endless: seeds[Math.floor(at / REGION_BYTES)] ?? seeds[0]! };
}

/** RAM after the batch under QEMU; undefined when it did not end in time, in ms. */
export function runQemu({ image }: Batch, timeout = 60_000): Uint8Array | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'penglai-privileged-'));
  try {
    const file = join(folder, 'ram');
    writeFileSync(file, image);
    const memory = `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${file},share=on`;
    const quiet = ['-display', 'none', '-serial', 'none', '-monitor', 'none', '-nodefaults'];
    const machine = [
      '-M',
      'virt,memory-backend=ram',
      '-m',
      `${RAM_BYTES / 2 ** 20}`,
      '-smp',
      '2',
      '-bios',
      'none',
      '-cpu',
      CPU,
    ];
    // One instruction a block: interrupts are taken before the next instruction, as on hardware.
    const result = spawnSync(TOOL, ['-object', memory, ...machine, ...quiet, '-singlestep'], {
      timeout,
      encoding: 'utf8',
    });
    if (result.status !== 0) return undefined;
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Mismatch {
  readonly seed: number;
  readonly text: string;
}

const PLACES = Object.entries(Pages).map(([name, { from, count }]) => ({ name, from, end: from + count }));

/** The first differences of every program that has any. */
export function compare({ seeds }: Batch, here: Uint8Array, qemu: Uint8Array): Mismatch[] {
  const ours = new BigUint64Array(here.buffer, here.byteOffset, here.length / 8);
  const theirs = new BigUint64Array(qemu.buffer.slice(qemu.byteOffset, qemu.byteOffset + qemu.length));
  return seeds.flatMap((seed, i) => {
    const first = (regionOf(i) - RAM) / 8;
    const lines: string[] = [];
    for (let at = first; at < first + REGION_BYTES / 8; at++)
      if (ours[at] !== theirs[at]) lines.push(describe(8 * (at - first), ours[at]!, theirs[at]!));
    return lines.length > 0 ? [{ seed, text: `${lines.length} dwords: ${lines.slice(0, 6).join('; ')}` }] : [];
  });
}

const LOG_FIELDS = ['cause', 'epc', 'tval', 'mstatus', 'mip', '', '', '', 'scause', 'sepc', 'stval', 'sstatus'];

function describe(offset: number, ours: bigint, theirs: bigint): string {
  const page = Math.floor(offset / 4096);
  const place = PLACES.find(({ from, end }) => page >= from && page < end);
  const within = offset - 4096 * (place?.from ?? 0);
  const name =
    place?.name === 'LOG'
      ? `trap ${Math.floor(within / LOG_RECORD)} ${LOG_FIELDS[(within % LOG_RECORD) / 8] ?? ''}`
      : `${place?.name ?? 'elsewhere'}+0x${within.toString(16)}`;
  return `${name}: 0x${ours.toString(16)} here, 0x${theirs.toString(16)} in QEMU`;
}

/** Loop programs from start to end beside qemu-riscv64: what they write must be the same. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { tick } from '../../../emulator/units';
import { deviates } from '../deviations';
import type { Shape } from '../kinds';
import { CPU, QEMU } from '../oracles';
import { DifferenceError, optionsFor } from './lockstep';
import { DUMP_BYTES, LEFT_BYTES, loopProgram, MOST_TICKS, type LoopProgram } from './program';
import { Place } from './straight';
import { loopWorld } from './world';

const BASE = 0x10000;

/** A static executable of a program. */
export function elfOf({ code, data }: LoopProgram): Uint8Array {
  const dataAt = 0x1000 + Math.ceil(code.length / 4096) * 4096;
  const elf = new Uint8Array(dataAt + data.length);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE), true);
  view.setBigUint64(32, 64n, true);
  view.setUint32(48, 5, true); // RVC, double-float ABI
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  [
    [7, 0x1000, BASE, code.length, code.length],
    [6, dataAt, BASE + Place.WINDOW, data.length, Place.END - Place.WINDOW],
  ].forEach(([flags, offset, address, size, inMemory], i) => {
    const at = 64 + 56 * i;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, flags!, true);
    for (const [field, value] of [offset!, address!, address!, size!, inMemory!, 0x1000].entries())
      view.setBigUint64(at + 8 + 8 * field, BigInt(value), true);
  });
  elf.set(code, 0x1000);
  elf.set(data, dataAt);
  return elf;
}

/** Name of what stands `offset` bytes into what a program writes at its end. */
function place(offset: number): string {
  const index = (offset - (DUMP_BYTES - LEFT_BYTES)) >> 3;
  if (index < 0) return `window + 0x${offset.toString(16)}`;
  return index < 32 ? `x${index}` : index < 64 ? `f${index - 32}` : 'fcsr';
}

export class LoopsInQemu {
  private readonly folder = mkdtempSync(join(tmpdir(), 'penglai-loops-'));

  constructor(private readonly supported: ReadonlySet<Shape>) {}

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  program(seed: number, without?: ReadonlySet<number>): LoopProgram {
    const supported = (shape: Shape): boolean => this.supported.has(shape) && !deviates(shape, QEMU);
    return loopProgram(seed, BASE, {
      supported,
      traps: false,
      counters: false,
      machine: false,
      mapping: false,
      ...(without && { without }),
    });
  }

  private theirs(program: LoopProgram): Buffer {
    const path = join(this.folder, `program${program.seed}`);
    writeFileSync(path, elfOf(program));
    chmodSync(path, 0o755);
    const { status, signal, stdout, stderr } = spawnSync(QEMU, ['-cpu', CPU, path], {
      maxBuffer: 2 ** 26,
      timeout: 60_000,
    });
    rmSync(path);
    if (status !== 0)
      throw new Error(`${QEMU}: program ${program.seed}: ${signal ?? `exit ${status}`} ${stderr.toString()}`);
    return stdout;
  }

  /** Runs a program on QEMU and these engines; returns the ticks it took. @throws DifferenceError */
  compare(seed: number, without?: ReadonlySet<number>, engines: readonly EngineName[] = ENGINE_NAMES): number {
    const program = this.program(seed, without);
    const theirs = this.theirs(program);
    let ticks = 0;
    for (const engine of engines) {
      const { machine, firmware } = loopWorld(program, 'user', { ...optionsFor(engine), wholeWindow: true });
      const { reason } = machine.run(tick(MOST_TICKS));
      ticks = machine.tick;
      const ours = Buffer.from(firmware!.output);
      const at = ours.findIndex((byte, i) => byte !== theirs[i]);
      if (reason === 'halted' && at < 0 && ours.length === theirs.length) continue;
      const where = at < 0 ? `${ours.length} bytes, not ${theirs.length}` : place(at - (ours.length - DUMP_BYTES));
      throw new DifferenceError(`loops, seed ${seed}: ${engine} (${reason}) and ${QEMU} differ in ${where}`);
    }
    return ticks;
  }
}

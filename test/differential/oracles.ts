/**
 * Who can run an image: qemu-riscv64, and a machine of this project in M-mode without translation or in U-mode behind Sv39, whose pages
 * lie in another order in RAM than in the address space. Each returns the records as the programs left them.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cause, type Hart } from '../../emulator/hart/types';
import { createMachine, type MachineOptions, type SoftwareMachine } from '../../emulator/machine/machine';
import { pa, tick, va } from '../../emulator/units';
import { elfOf, RECORDS, TEXT, type Image } from './batch';

export interface Outcome {
  /** The records, or what went wrong. */
  readonly records?: Uint8Array;
  readonly error?: string;
  /** Instructions executed, where it is known. */
  readonly ticks?: number;
}

export interface Oracle {
  readonly name: string;
  run(image: Image): Outcome;
}

export const QEMU = 'qemu-riscv64';
/** Extensions that QEMU 7.2 knows, beyond RV64GC. */
export const CPU = 'rv64,zba=true,zbb=true,zbc=true,zbs=true,zbkb=true,zbkc=true,zbkx=true,Zfh=true,v=false,h=false';

export const haveQemu = (): boolean => spawnSync(QEMU, ['--version']).status === 0;

export class Qemu implements Oracle {
  readonly name = QEMU;
  private readonly folder = mkdtempSync(join(tmpdir(), 'penglai-differential-'));
  private runs = 0;

  run(image: Image): Outcome {
    const path = join(this.folder, `image${this.runs++}`);
    writeFileSync(path, elfOf(image));
    chmodSync(path, 0o755);
    const { status, signal, stdout, stderr } = spawnSync(QEMU, ['-cpu', CPU, path], {
      maxBuffer: image.records.length + 4096,
      timeout: 120_000,
    });
    rmSync(path);
    if (status !== 0) return { error: `${QEMU}: ${signal ?? `exit ${status}`} ${stderr.toString().trim()}` };
    if (stdout.length !== image.records.length) return { error: `${QEMU} wrote ${stdout.length} bytes` };
    return { records: stdout };
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** How the programs see memory. */
export type Regime = 'bare' | 'sv39';

const PAGE = 4096;
const RAM_PAGES = 2048;
const TABLES = TEXT + RAM_PAGES * PAGE;
/** Where M-mode goes when something traps, the first system call too: to sleep. */
const TRAP = TABLES + 16 * PAGE;
const WFI = 0x10500073;
const WRITE = 64;
const MAX_TICKS = 2_000_000;

/** Frame of a page of the image: a permutation of the frames of RAM, as 5 and 2048 have no common factor. */
const frameOf = (regime: Regime, page: number): number =>
  TEXT + PAGE * (regime === 'bare' ? page : (page * 5 + 7) % RAM_PAGES);

export class OurMachine implements Oracle {
  readonly name: string;

  constructor(
    private readonly options: Partial<MachineOptions>,
    private readonly regime: Regime,
    name: string,
  ) {
    this.name = `${name}, ${regime}`;
  }

  /** A machine about to execute the image's runner. */
  prepare(image: Image): SoftwareMachine {
    const machine = createMachine({ ...this.options, ramBytes: 16 * 2 ** 20 });
    for (const [start, bytes] of [
      [TEXT, image.text],
      [RECORDS, image.records],
    ] as const)
      for (let at = 0; at < bytes.length; at += PAGE) {
        const page = (start - TEXT + at) / PAGE;
        if (page >= RAM_PAGES) throw new Error('the records are too many for one image');
        machine.machinePort.write(pa(frameOf(this.regime, page)), bytes.subarray(at, at + PAGE));
      }
    const hart = machine.harts[0]!;
    machine.machinePort.writeU32(pa(TRAP), WFI);
    hart.writeCsr(0x305, BigInt(TRAP));
    hart.writeCsr(0x300, 1n << 13n); // FS Initial, MPP = U
    if (this.regime === 'bare') hart.pc = va(TEXT);
    else this.enterUser(machine, hart);
    return machine;
  }

  private enterUser(machine: SoftwareMachine, hart: Hart): void {
    const entry = (physical: number, flags: number): bigint => (BigInt(physical / PAGE) << 10n) | BigInt(flags);
    const middle = TABLES + PAGE;
    machine.machinePort.writeU64(pa(TABLES + 8 * (TEXT / 2 ** 30)), entry(middle, 1));
    for (let page = 0; page < RAM_PAGES; page++) {
      const leaf = TABLES + (2 + Math.floor(page / 512)) * PAGE;
      if (page % 512 === 0) machine.machinePort.writeU64(pa(middle + 8 * (page / 512)), entry(leaf, 1));
      const flags = TEXT + page * PAGE < RECORDS ? 0b11111 : 0b10111;
      machine.machinePort.writeU64(pa(leaf + 8 * (page % 512)), entry(frameOf(this.regime, page), flags));
    }
    hart.writeCsr(0x3b0, (1n << 54n) - 1n);
    hart.writeCsr(0x3a0, 0x1fn);
    hart.writeCsr(0x180, (8n << 60n) | BigInt(TABLES / PAGE));
    hart.mepc = va(TEXT);
    hart.mret();
  }

  /** The records of a machine that has run. */
  records(machine: SoftwareMachine, image: Image): Uint8Array {
    const records = new Uint8Array(image.records.length);
    for (let at = 0; at < records.length; at += PAGE) {
      const frame = frameOf(this.regime, (RECORDS - TEXT + at) / PAGE);
      records.set(machine.machinePort.read(pa(frame), Math.min(PAGE, records.length - at)), at);
    }
    return records;
  }

  run(image: Image): Outcome {
    const machine = this.prepare(image);
    if (this.options.engine === 'translator') {
      // What is executed for the first time is not translated.
      const start = machine.snapshot();
      machine.run(tick(MAX_TICKS));
      machine.restore(start);
    }
    return this.finish(machine, image);
  }

  /** Runs a prepared machine to the end of its programs. */
  finish(machine: SoftwareMachine, image: Image): Outcome {
    const exit = machine.run(tick(MAX_TICKS));
    const hart = machine.harts[0]!;
    const cause: Cause = hart.mcause;
    const called = cause === Cause.EcallFromUser || cause === Cause.EcallFromMachine;
    if (exit.reason !== 'idle') return { error: `${this.name}: ended with ${exit.reason} at ${hart.pc.toString(16)}` };
    if (!called || hart.getX(17) !== WRITE)
      return { error: `${this.name}: cause ${cause} at ${hart.mepc.toString(16)}, mtval ${hart.mtval.toString(16)}` };
    return { records: this.records(machine, image), ticks: machine.tick };
  }
}

/**
 * A system small enough to see through: the real machine, one program mapped by Sv39 page tables made here, and an M-mode that only
 * knows `exit` and tells every fault. It lets run control be tested on real code without a host OS or a monitor.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cause, Privilege } from '../../../emulator/hart/types';
import type { Hart } from '../../../emulator/hart/types';
import { createMachine } from '../../../emulator/machine/machine';
import type { Machine } from '../../../emulator/machine/types';
import type { Personality } from '../../../emulator/machine/personality';
import { pa, space, tick, va } from '../../../emulator/units';
import type { Context, System, SystemEvent } from '../../../monitor/system/types';
import { ElfFile } from '../../../debug-adapter/symbols/elf/elf';

const RAM = 0x8000_0000;
const STACK_TOP = 0x3f_0000;
const STACK_PAGES = 16;
const PAGE = 4096;
const PT_LOAD = 1;
const [PMPCFG0, PMPADDR0, SATP, MSTATUS] = [0x3a0, 0x3b0, 0x180, 0x300];

/** The fixture programs lie in the source tree; bundled tests run elsewhere. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(process.cwd(), 'test', 'fixtures', 'dwarf', name)));
}

export class Bench implements Pick<System, 'machine' | 'tick' | 'clockHz' | 'run' | 'drain' | 'contexts' | 'threads'> {
  readonly machine: Machine = createMachine({ ramBytes: 16 * 1024 * 1024 });
  readonly clockHz = 100_000_000;
  readonly space = space((RAM + PAGE) / PAGE);
  exitStatus: number | undefined;
  currentThread: number | undefined = 1;
  private taker: number | undefined;
  /** Ticks that switches of threads took. */
  private switching = 0;
  private nextPage = RAM + 2 * PAGE;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly hash = 'tour',
  ) {
    const elf = ElfFile.parse(bytes) as ElfFile;
    for (const segment of elf.segments)
      if (segment.type === PT_LOAD) this.map(segment.vaddr, segment.memsz, elf.segmentBytes(segment));
    this.map(STACK_TOP - STACK_PAGES * PAGE, STACK_PAGES * PAGE, new Uint8Array(0));
    this.machine.personalities.machine = this.firmware(elf.entry);
  }

  get tick() {
    return tick(this.machine.tick + this.switching);
  }
  run(until: Parameters<System['run']>[0]) {
    if (this.taker === undefined || until !== this.tick + 1) return this.machine.run(until);
    this.currentThread = this.taker;
    this.taker = undefined;
    this.switching = 10;
    this.machine.run(this.machine.tick); // executes nothing, and forgets that a stop was to be passed
    return { reason: 'until' as const };
  }

  /** An interrupt comes before the next instruction that is run alone, and thread `tid` has the hart afterwards. */
  interruptNext(tid: number): () => boolean {
    this.taker = tid;
    return () => this.taker === undefined;
  }
  read(...[space, address, length]: Parameters<System['read']>) {
    return this.machine.debugPort.read(space, address, length);
  }
  post() {}
  drain() {
    return this.machine.outbox.drain() as unknown as ReturnType<System['drain']>;
  }
  set onEvent(listener: System['onEvent']) {
    this.machine.outbox.listener = listener as Machine['outbox']['listener'];
  }
  processes() {
    return [];
  }
  enclaves() {
    return [];
  }
  threads() {
    return this.exitStatus === undefined
      ? [{ pid: 1, tid: 1, name: 'tour', state: 'running' as const, registers: undefined }]
      : [];
  }
  contexts(tid: number): readonly Context[] {
    if (tid > 2) return [];
    return [{ world: { kind: 'host', pid: 1 }, space: this.space, registers: this.machine.harts[0]!.saveRegisters() }];
  }
  image() {
    return this.bytes;
  }

  private firmware(entry: number): Personality {
    let booted = false;
    return {
      step: (hart) => {
        if (booted) return this.trap(hart);
        booted = true;
        hart.writeCsr(PMPADDR0, (1n << 54n) - 1n);
        hart.writeCsr(PMPCFG0, 0x1fn);
        hart.writeCsr(SATP, (8n << 60n) | BigInt(this.space));
        hart.writeCsr(MSTATUS, 1n << 13n); // FS: floating point is on; MPP is user
        hart.mepc = va(entry);
        hart.setX(2, STACK_TOP);
        this.tell({ kind: 'image', pid: 1, space: this.space, path: '/tour', base: 0, hash: this.hash });
        hart.mret();
        return 1;
      },
      snapshot: () => undefined,
      restore: () => undefined,
    };
  }

  private trap(hart: Hart): number {
    if (hart.mcause === Cause.EcallFromUser && hart.getX(17) === 93) {
      this.exitStatus = hart.getX(10);
      this.currentThread = undefined;
      this.tell({ kind: 'process-exited', pid: 1, status: this.exitStatus });
      this.machine.halt();
    } else {
      const [cause, address] = [hart.mcause, hart.mtval];
      hart.pc = hart.mepc;
      hart.privilege = Privilege.User;
      this.tell({ kind: 'process-fault', pid: 1, tid: 1, signal: 'SIGSEGV', cause, address });
    }
    return 1;
  }

  private tell(event: SystemEvent): void {
    this.machine.outbox.emit(event);
  }

  private map(address: number, size: number, bytes: Uint8Array): void {
    const first = Math.floor(address / PAGE) * PAGE;
    for (let page = first; page < address + size; page += PAGE) this.leaf(page);
    for (let at = 0; at < bytes.length; at++)
      this.machine.machinePort.writeU8(
        pa(this.frames.get(Math.floor((address + at) / PAGE))! + ((address + at) % PAGE)),
        bytes[at]!,
      );
  }

  private readonly frames = new Map<number, number>();
  private leaf(address: number): void {
    const number = address / PAGE;
    if (this.frames.has(number)) return;
    let table = RAM + PAGE;
    for (const level of [2, 1]) {
      const entry = pa(table + 8 * (Math.floor(number / 512 ** level) % 512));
      const there = this.machine.machinePort.readU64(entry);
      const next = there === 0n ? this.take() : Number(there >> 10n) * PAGE;
      if (there === 0n) this.machine.machinePort.writeU64(entry, (BigInt(next / PAGE) << 10n) | 1n);
      table = next;
    }
    const frame = this.take();
    this.frames.set(number, frame);
    this.machine.machinePort.writeU64(pa(table + 8 * (number % 512)), (BigInt(frame / PAGE) << 10n) | 0xdfn);
  }

  private take(): number {
    return (this.nextPage += PAGE) - PAGE;
  }
}

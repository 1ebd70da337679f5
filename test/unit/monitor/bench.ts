/**
 * A machine with the monitor and, for a host, a scripted S personality that makes one SBI call at a time and works on memory through the
 * supervisor port: what a kernel can do, a test can do. Enclaves are assembled programs.
 */
import assert from 'node:assert/strict';
import { Privilege, type Hart } from '../../../emulator/hart/types';
import { createMachine } from '../../../emulator/machine/machine';
import type { Personality } from '../../../emulator/machine/personality';
import type { SupervisorPort } from '../../../emulator/machine/ports';
import { pa, tick, va } from '../../../emulator/units';
import { CreateParam, InstanceParam, Pte, ResumeReason, RunParam, Sbi, SbiExtension } from '../../../monitor/abi';
import type { AttestationSettings } from '../../../monitor/attestation/machine';
import type { Checks } from '../../../monitor/checks';
import type { EnclaveEvent } from '../../../monitor/events';
import { createMonitor, type Monitor } from '../../../monitor/monitor';
import type { Enclave } from '../../../monitor/state';
import { assemble } from '../assembler';

export const MIB = 1024 * 1024;
const RAM = 64 * MIB;
const BASE = 0x8000_0000;
const PAGE = 4096;
/** At 100 MHz: `time` and set_timer count at 10 MHz. */
const TICKS_PER_TIME = 10;

/** The host's plan of memory: the monitor, the bitmap, page tables, then its own. */
export const Layout = {
  bitmap: BASE + 2 * MIB,
  bitmapSize: 4 * (RAM / PAGE),
  tables: BASE + 4 * MIB,
  tablesSize: 2 * MIB,
  rootOrder: 2,
  middleOrder: 4,
  free: BASE + 8 * MIB,
  /** Up to here the host's tables show memory page by page, then by 2 MiB. */
  small: BASE + 16 * MIB,
} as const;

/** The host's own root table, the last of its part. */
export const HOST_ROOT = Layout.tables + PAGE * (2 ** Layout.rootOrder - 1);

export interface Answer {
  readonly error: number;
  readonly value: number;
}

/** The monitor's result: what a caller of a Penglai function sees. */
export const resultOf = ({ error, value }: Answer): number => (error === 0 ? value : error);

interface Pending {
  readonly extension: number;
  readonly fid: number;
  readonly args: readonly number[];
}

export class Bench {
  readonly machine = createMachine({ ramBytes: RAM });
  readonly monitor: Monitor;
  readonly hart: Hart;
  readonly events: EnclaveEvent[] = [];
  private pending: Pending | undefined;
  private waiting = false;
  private answer: Answer | undefined;
  /** A trap into S that is no answer to a call: cause and value. */
  trapped: { cause: number; value: number } | undefined;
  private next: number = Layout.free;
  private nextLarge: number = Layout.small;

  constructor(checks: Partial<Checks> = {}, attestation?: AttestationSettings) {
    const { machine } = this;
    this.hart = machine.harts[0]!;
    this.monitor = createMonitor(
      {
        port: machine.machinePort,
        ramSize: machine.ramSize,
        emit: (event) => this.events.push(event),
        currentThread: () => 1,
        describe: () => ({ eid: 0x1000, pid: 1, imageHash: '' }),
        setTimer: (hart, at) => machine.setTimer(hart, tick(at)),
        ticksPerTime: TICKS_PER_TIME,
        halt: () => machine.halt(),
        seed: 1,
        attestation,
        checks,
      },
      machine.harts,
    );
    machine.personalities.machine = this.monitor;
    machine.personalities.supervisor = this.host();
  }

  private host(): Personality {
    return {
      step: (hart) => {
        if (this.waiting && hart.scause === 0 && !this.trapped) {
          this.waiting = false;
          this.answer = { error: hart.getX(10), value: hart.getX(11) };
          return 1;
        }
        if (hart.scause !== 0) {
          this.trapped = { cause: hart.scause, value: hart.stval };
          return 1;
        }
        if (!this.pending) return 1;
        const { extension, fid, args } = this.pending;
        this.pending = undefined;
        args.forEach((value, i) => hart.setX(10 + i, value));
        hart.setX(16, fid);
        hart.setX(17, extension);
        this.waiting = true;
        hart.ecall();
        return 1;
      },
      snapshot: () => undefined,
      restore: () => undefined,
    };
  }

  /** Runs until the host gets an answer or a trap; fails after `limit` ticks. */
  private settle(limit = 200_000_000): void {
    const end = this.machine.tick + limit;
    while (!this.answer && !this.trapped) {
      this.machine.run(tick(Math.min(end, this.machine.tick + 10_000)));
      assert.ok(this.machine.tick < end, 'the host never got its answer');
    }
  }

  sbi(extension: number, fid: number, ...args: number[]): Answer {
    this.answer = undefined;
    this.trapped = undefined;
    this.hart.writeCsr(0x142, 0n);
    this.pending = { extension, fid, args: [0, 1, 2, 3, 4, 5].map((i) => args[i] ?? 0) };
    this.settle();
    assert.ok(this.answer, 'an answer, not a trap');
    return this.answer;
  }

  call(fid: number, ...args: number[]): number {
    return resultOf(this.sbi(SbiExtension.PENGLAI, fid, ...args));
  }

  /** Boots to S-mode and gives the monitor its areas. */
  start(): this {
    this.machine.run(tick(this.machine.tick + 1));
    while (this.hart.privilege !== Privilege.Supervisor) this.machine.run(tick(this.machine.tick + 1));
    const { tables, tablesSize, bitmap, bitmapSize, rootOrder, middleOrder } = Layout;
    this.buildTables();
    assert.equal(this.call(Sbi.SM_INIT, tables, tablesSize, bitmap, bitmapSize, 0), 0);
    assert.equal(this.call(Sbi.PT_AREA_SEPARATION, rootOrder, middleOrder), 0);
    this.hart.csrWrite(0x180, (8n << 60n) | BigInt(HOST_ROOT / PAGE));
    for (let i = 0; i < 20; i++) this.machine.run(tick(this.machine.tick + 1));
    return this;
  }

  /** All of RAM at its physical address, in the last tables of each part: before SM_INIT they are memory like any other. */
  private buildTables(): void {
    const { tables, tablesSize, rootOrder, middleOrder, free, small } = Layout;
    const middle = tables + PAGE * (2 ** rootOrder + 2 ** middleOrder - 1);
    const pointer = (table: number) => (table / PAGE) * 1024 + Pte.V;
    const leaf = (frame: number) => (frame / PAGE) * 1024 + Pte.V + Pte.R + Pte.W + Pte.X + Pte.A + Pte.D;
    this.writeWords(HOST_ROOT + 16, [pointer(middle)]);
    for (let i = 0; i < RAM / (2 * MIB); i++) {
      const at = BASE + 2 * MIB * i;
      const table = tables + tablesSize - PAGE * (1 + i);
      const split = at >= free && at < small;
      this.writeWords(middle + 8 * i, [split ? pointer(table) : leaf(at)]);
      if (split)
        this.writeWords(
          table,
          Array.from({ length: 512 }, (_, k) => leaf(at + PAGE * k)),
        );
    }
  }

  /** Memory as S-mode reaches it: at its physical addresses. */
  get port(): SupervisorPort {
    return this.machine.supervisorPort(this.hart);
  }

  /** Pages of host memory, zeroed by power-on; naturally aligned. */
  take(pages: number): number {
    const size = pages * PAGE;
    const large = pages >= 512;
    const at = Math.ceil((large ? this.nextLarge : this.next) / size) * size;
    if (large) this.nextLarge = at + size;
    else this.next = at + size;
    assert.ok(at + size <= (large ? BASE + RAM : Layout.small), 'the bench has memory left');
    return at;
  }

  writeWords(address: number, words: readonly number[]): void {
    words.forEach((word, i) => this.port.writeI64(va(address + 8 * i), word));
  }

  /** A pool with one page of code at 0x1000, one of data at 0x2000, and a stack page (not for templates): what a driver builds. */
  buildPool(source: string, stack = true): { base: number; size: number; free: number } {
    const base = this.take(512);
    const page = (i: number) => base + i * PAGE;
    const code = assemble(0x1000, source).bytes;
    assert.ok(code.length <= PAGE, 'the program fits in a page');
    this.port.write(va(page(3)), code);
    const pointer = (i: number) => (page(i) / PAGE) * 1024 + Pte.V;
    const leaf = (i: number, flags: number) => (page(i) / PAGE) * 1024 + Pte.V + Pte.U + Pte.A + Pte.D + flags;
    // Root, then for the low part: middle 6, leaf table 7; for the stack: middle 8, leaf table 9.
    this.port.writeI64(va(page(1)), pointer(6));
    this.port.writeI64(va(page(6)), pointer(7));
    this.port.writeI64(va(page(7) + 8), leaf(3, Pte.R + Pte.X));
    this.port.writeI64(va(page(7) + 16), leaf(4, Pte.R + Pte.W + Pte.X));
    const top = 0x38_0000_0000 / PAGE - 1;
    if (!stack) return { base, size: 512 * PAGE, free: page(10) };
    this.port.writeI64(va(page(1) + 8 * Math.floor(top / 2 ** 18)), pointer(8));
    this.port.writeI64(va(page(8) + 8 * (Math.floor(top / 512) & 511)), pointer(9));
    this.port.writeI64(va(page(9) + 8 * (top & 511)), leaf(5, Pte.R + Pte.W));
    return { base, size: 512 * PAGE, free: page(10) };
  }

  /** Creates an enclave; the monitor's number, or its error. `page` holds parameters, results and the kbuffer. */
  create(
    source: string,
    { name = 'test', type = 'NORMAL' as 'NORMAL' | 'SERVER' | 'SHADOW', shm = 0, shmSize = 0 } = {},
  ): { result: number; eid: number; page: number; base: number } {
    const pool = this.buildPool(source, type !== 'SHADOW');
    const page = this.take(2);
    const put = (field: number, value: number) => this.port.writeI64(va(page + field), value);
    put(CreateParam.eid_ptr, page + 512);
    this.port.write(va(page + CreateParam.name), new TextEncoder().encode(name));
    put(CreateParam.paddr, pool.base);
    put(CreateParam.size, pool.size);
    put(CreateParam.entry_point, 0x1000);
    put(CreateParam.free_mem, pool.free);
    put(CreateParam.kbuffer, page + PAGE);
    put(CreateParam.kbuffer_size, PAGE);
    put(CreateParam.shm_paddr, shm);
    put(CreateParam.shm_size, shmSize);
    for (let i = 0; i < 5; i++) put(CreateParam.ecall_arg0 + 8 * i, page + 1024 + 8 * i);
    const fid = { NORMAL: Sbi.CREATE_ENCLAVE, SERVER: Sbi.CREATE_SERVER_ENCLAVE, SHADOW: Sbi.CREATE_SHADOW_ENCLAVE }[
      type
    ];
    const result = this.call(fid, page);
    return { result, eid: result === 0 ? this.port.readI64(va(page + 512)) : -1, page, base: pool.base };
  }

  run(made: { eid: number; page: number }, relay = 0, relaySize = 0): number {
    this.writeWords(made.page + 256 + RunParam.mm_arg_addr, [relay, relaySize]);
    return this.call(Sbi.RUN_ENCLAVE, made.eid, made.page + 256);
  }

  /** Forks an instance of a template; without a pool (size 0) its pages are the monitor's. */
  fork(shadow: number, { name = 'instance', size = 2 * MIB, relay = 0, relaySize = 0 } = {}) {
    const base = size === 0 ? 0 : this.take(size / PAGE);
    const page = this.take(2);
    const put = (field: number, value: number) => this.port.writeI64(va(page + field), value);
    put(InstanceParam.sptbr, base);
    put(InstanceParam.size, size);
    put(InstanceParam.eid_ptr, page + 512);
    put(InstanceParam.kbuffer, page + PAGE);
    put(InstanceParam.mm_arg_addr, relay);
    put(InstanceParam.mm_arg_size, relaySize);
    for (let i = 0; i < 5; i++) put(InstanceParam.ecall_arg0 + 8 * i, page + 1024 + 8 * i);
    this.port.write(va(page + InstanceParam.name), new TextEncoder().encode(name));
    const result = this.call(Sbi.RUN_SHADOW_ENCLAVE, shadow, page);
    return { result, eid: this.port.readI64(va(page + 512)), page, base };
  }

  /** Gives the monitor pages for its own use; their address. */
  extend(pages: number): number {
    const base = this.take(pages);
    assert.equal(this.call(Sbi.MEMORY_EXTEND, base, pages * PAGE), 0);
    return base;
  }

  resumeTimer(eid: number): number {
    return this.call(Sbi.RESUME_ENCLAVE, eid, ResumeReason.TIMER);
  }

  enclave(eid: number): Enclave {
    const found = this.monitor.enclaves().find((enclave) => enclave.eid === eid);
    assert.ok(found, `enclave ${eid} exists`);
    return found;
  }

  retval(made: { page: number }): bigint {
    return this.port.readU64(va(made.page + 1024 + 32));
  }

  /** What the enclave's memory holds, seen with the monitor's eyes. */
  peek(address: number): number {
    return this.machine.machinePort.readI64(pa(address));
  }

  /** A timer interrupt this many ticks from now. */
  timerIn(ticks: number): void {
    this.sbi(SbiExtension.TIME, 0, Math.ceil((this.machine.tick + ticks) / TICKS_PER_TIME));
  }

  logged(text: RegExp): boolean {
    return this.events.some((event) => event.kind === 'monitor-log' && text.test(event.text));
  }
}

export { Code } from '../enclave-code';

/**
 * A hostile kernel above the real monitor, and enclaves that are as hostile: one operation per step, arguments from what the monitor's own
 * records say is there, so that enough of them succeed. The kernel is the attacks' (test/integration/attacks); what holds is checked after
 * every SBI call and every ecall.
 */
import { PAGE_SIZE, pa } from '../../../emulator/units';
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import type { MachineExit } from '../../../emulator/machine/types';
import { Sbi } from '../../../monitor/abi';
import type { Checks } from '../../../monitor/checks';
import type { EnclaveEvent } from '../../../monitor/events';
import type { Monitor } from '../../../monitor/monitor';
import { isRefused, type Rule } from '../../../monitor/operations';
import { PUBLIC } from '../../../monitor/pages';
import type { MonitorState, Shadow } from '../../../monitor/state';
import { Random } from '../../differential/random';
import { createTarget, PortKernel, RAM } from '../../integration/attacks/kernel';
import { Layout, MIB, RAM_START, World } from '../../integration/attacks/world';
import { assemble } from '../../unit/assembler';
import { Guard, entriesOf } from '../checks/guard';
import { must, pageOf } from '../checks/memory';
import { boundSteps } from '../checks/steps';
import { checkOwnership } from '../checks/ownership';
import { AGENT, ENTRY } from '../enclave/agent';
import { Inmates } from '../enclave/inmates';
import type { Kind, Tally } from '../tally';
import { mostly, weighted } from '../values';
import { attest, create, destroy, destroyShadow, fork, memory, resume, run, stop } from './enclaves';
import { tables } from './tables';

/** Ticks of an SBI call. */
const CALL_LIMIT = 20_000_000;
/** Pages that are the kernel's own: parameters. */
const RESERVED = 8;
const TRIES = 24;

export class KernelWorld {
  r = new Random(0);
  readonly machine: SoftwareMachine;
  readonly monitor: Monitor;
  readonly code = assemble(ENTRY, AGENT).bytes;
  readonly param: number = Layout.small;
  private readonly k: PortKernel;
  private readonly guard: Guard;
  private readonly inmates: Inmates;
  private muted = false;

  constructor(
    readonly tally: Tally,
    checks: Partial<Checks> = {},
  ) {
    const target = createTarget(checks, (event) => this.heard(event));
    this.machine = target.machine;
    this.monitor = target.monitor;
    this.k = new PortKernel(target, () => undefined);
    this.k.onExit = (exit) => this.exited(exit);
    new World(this.k).boot();
    this.k.slice = 300;
    this.guard = new Guard(this.machine, this.monitor);
    this.inmates = new Inmates(this.machine, this.monitor, tally, this.guard);
    boundSteps(this.machine, tally);
  }

  get state(): MonitorState {
    return this.monitor.snapshot() as MonitorState;
  }

  /** The kernel's space, as the monitor knows who asks. */
  get space(): number {
    return this.machine.harts[0]!.space ?? -1;
  }

  shadow(id: number): Shadow | undefined {
    return this.state.shadows.get(id);
  }

  step(random: Random): void {
    this.r = random;
    const crowded = this.monitor.enclaves().length > 12 || this.monitor.shadows().length > 4;
    weighted<(w: KernelWorld) => void>(random, [
      [crowded ? 1 : 8, create],
      [8, run],
      [crowded ? 2 : 5, fork],
      [40, resume],
      [4, stop],
      [crowded ? 12 : 3, destroy],
      [crowded ? 5 : 1, destroyShadow],
      [3, attest],
      [6, memory],
      [36, tables],
    ])(this);
    this.k.operations.length = 0;
    this.k.results.length = 0;
  }

  private heard(event: EnclaveEvent): void {
    if (this.muted || !this.guard) return;
    if (event.kind === 'hazard') this.tally.hazard(event.code);
    this.guard.heard(event);
    this.inmates.heard(event);
  }

  private exited({ reason }: MachineExit): void {
    if (reason === 'stop') this.inmates.stopped(this.r);
    else must(reason === 'until', () => `the machine came back: ${reason}`);
  }

  /** An SBI call; `rule`: what the table says, which `exact` makes the whole answer. */
  call(kind: Kind, name: string, fid: number, args: readonly (number | bigint)[], rule?: Rule, exact = false): number {
    const before = this.state;
    const from = this.machine.tick;
    const result = this.k.call(fid, ...args);
    this.tally.count(kind, name, result >= 0, args);
    const ticks = this.machine.tick - from;
    this.tally.took(name, ticks);
    must(ticks <= CALL_LIMIT, () => `${name} took ${ticks} ticks`);
    if (rule && isRefused(rule)) {
      must(result === rule.value, () => `${name} gave ${result}, the table says ${rule.value}: ${rule.why}`);
      must(before.enclaves === this.state.enclaves, () => `${name} was refused and changed an enclave`);
    } else if (rule && exact) must(result === rule.value, () => `${name} gave ${result}, the table says ${rule.value}`);
    this.guard.afterCall();
    return result;
  }

  satp(value: bigint): void {
    const cause = this.k.satp(value);
    this.tally.count('page-table', 'satp', cause === 0, [value]);
    this.guard.afterCall();
  }

  /** The timer that takes an enclave off the hart. */
  alarm(): void {
    this.inmates.budget = this.r.pick([1, 4, 16, 40]);
    this.k.timer(this.r.pick([500, 20_000, 200_000, 200_000]));
  }

  // ---- the kernel's memory --------------------------------------------------------------------------------------------------

  /** A kernel that has the page in its tables; what is private no table shows (the guard sees to that). */
  private writable(at: number): boolean {
    const { base } = this.state.bitmap!;
    return this.machine.machinePort.readI32(pa(base + 4 * pageOf(at))) >= 0;
  }

  /** Bytes inside a page. */
  write(at: number, bytes: Uint8Array): void {
    if (this.writable(at)) this.machine.machinePort.write(pa(at), bytes);
  }

  putWords(at: number, words: readonly bigint[]): void {
    if (this.writable(at))
      words.forEach((word, i) => this.machine.machinePort.writeU64(pa(at + 8 * i), BigInt.asUintN(64, word)));
  }

  zero(at: number, pages: number): void {
    for (let page = at; page < at + pages * PAGE_SIZE; page += PAGE_SIZE)
      if (this.writable(page)) this.machine.machinePort.fill(pa(page), PAGE_SIZE, 0);
  }

  mostlyParam(offset = 0): bigint {
    return mostly(this.r, this.param + offset, 25);
  }

  private isFree(page: number): boolean {
    const { base } = this.state.bitmap!;
    return this.machine.machinePort.readI32(pa(base + 4 * page)) === PUBLIC;
  }

  /** Public pages in a row that no enclave maps, among those that the kernel's tables show one by one, not in `but`. */
  freePages(count: number, but: readonly [number, number] = [0, 0]): number {
    const first = pageOf(Layout.small) + RESERVED;
    const end = pageOf(Layout.small + Layout.smallSize);
    for (let i = 0; i < TRIES && count < 64; i++) {
      const page = first + this.r.below(end - first - count);
      const at = RAM_START + page * PAGE_SIZE;
      const apart = at + count * PAGE_SIZE <= but[0] || but[0] + but[1] <= at;
      if (apart && Array.from({ length: count }, (_, k) => page + k).every((other) => this.isFree(other))) return at;
    }
    // Memory is short: what the monitor says to pages that are somebody's. The kernel could not write there, so nothing does.
    return RAM_START + 62 * MIB;
  }

  /** A large page of which nothing is anybody's, if there is one. */
  freeBlock(): number {
    const count = (RAM_START + RAM - Layout.blocks) / (2 * MIB);
    return Layout.blocks + 2 * MIB * this.r.below(count);
  }

  publicFrame(): number {
    for (let i = 0; i < TRIES; i++) {
      const page = pageOf(Layout.small) + this.r.below((RAM_START + RAM - Layout.small) / PAGE_SIZE);
      if (this.isFree(page)) return RAM_START + page * PAGE_SIZE;
    }
    return this.param;
  }

  /** Any frame, mostly of somebody. */
  anyFrame(): number {
    const all = [...this.monitor.enclaves(), ...this.monitor.shadows()];
    if (all.length === 0 || this.r.once(4)) return RAM_START + PAGE_SIZE * this.r.below(RAM / PAGE_SIZE);
    const { pool, root } = this.r.pick(all);
    return this.r.once(3) ? root * PAGE_SIZE : pool.base + PAGE_SIZE * this.r.below(Math.max(1, pool.size / PAGE_SIZE));
  }

  // ---- the full check -------------------------------------------------------------------------------------------------------

  fullCheck(): void {
    this.tally.fullChecks++;
    this.guard.afterCall();
    this.guard.fromScratch();
    checkOwnership(this.machine, this.state);
    this.putBack();
  }

  /** A snapshot put back after everything was destroyed is what it was. */
  private putBack(): void {
    const { machine } = this;
    const before = machine.hash();
    const snapshot = machine.snapshot();
    this.muted = true;
    // Servers that work for others go last.
    for (const type of ['NORMAL', 'SERVER'])
      for (const { eid, host } of this.monitor.enclaves().filter((enclave) => enclave.type === type))
        this.k.call(type === 'SERVER' ? Sbi.DESTROY_SERVER_ENCLAVE : Sbi.DESTROY_ENCLAVE, eid, host);
    for (const { id, host } of this.monitor.shadows()) this.k.call(Sbi.DESTROY_SHADOW_ENCLAVE, id, host);
    const left = [...this.monitor.enclaves(), ...this.monitor.shadows()].filter(({ host }) => host > 0);
    must(left.length === 0, () => `${left.length} enclaves are left after all were destroyed`);
    checkOwnership(machine, this.state);
    const { memory, transferred, sharedMemory } = this.state;
    const owned = entriesOf(machine, this.state).reduce((count, entry) => count + (entry < 0 ? 1 : 0), 0);
    const waiting = transferred.reduce((pages, { size }) => pages + size / PAGE_SIZE, 0);
    if (sharedMemory.size === 0)
      must(
        owned === memory.total + waiting,
        () => `${owned} pages are private, the monitor's are ${memory.total} and ${waiting} wait`,
      );
    machine.restore(snapshot);
    this.muted = false;
    must(machine.hash() === before, () => 'the machine is another one after a restore');
  }
}

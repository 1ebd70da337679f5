/**
 * The machine: memory, one hart (more can follow: everything is by hart id), devices, the clock, personalities, and the loop that
 * lets whoever holds the hart's privilege level work: guest code through the engine, personalities step by step.
 * Deadlines are exact: an engine never runs past the next timer. Nothing outside of a personality's step holds a JavaScript frame.
 */
import { Hart } from '../hart/hart';
import { Interrupt, Privilege, type Hart as HartInterface } from '../hart/types';
import { Interpreter } from '../engine/interpreter';
import { ExitKind } from '../engine/types';
import { space, tick, va, type Tick } from '../units';
import { Bus } from './bus';
import { Clint } from './clint';
import { Clock } from './clock';
import { Area, HartWord } from './layout';
import { PhysicalMemory } from './memory';
import { Outbox } from './outbox';
import type { Personality } from './personality';
import { newSupervisorPort, PeekingPort, PhysicalPort } from './port';
import type { DebugPort, MachinePort, SupervisorPort } from './ports';
import { hashState, loadState, saveState, type Parts } from './state';
import { Stops } from './stops';
import type { Machine, MachineExit, MachineSnapshot } from './types';
import { Uart } from './uart';
import { Versions, type Version } from './versions';
import { Watches } from './watches';

export interface MachineOptions {
  /** A multiple of 4096, at most 3 GiB. Frames that are never touched cost nothing. */
  readonly ramBytes: number;
  /** Ticks per virtual second, a multiple of 10 MHz; 100 MHz if absent. */
  readonly clockHz?: number;
}

/** A machine at power-on: hart 0 in M-mode at pc 0, all PMP entries off (so S and U may access nothing), RAM zero. */
export function createMachine(options: MachineOptions): SoftwareMachine {
  return new SoftwareMachine(options);
}

/** The longest run of the engine between two looks at the outside, in ticks. */
const SLICE = 1_000_000;

class Snapshot implements MachineSnapshot {
  constructor(
    readonly tick: Tick,
    readonly version: Version,
    readonly words: Int32Array,
    readonly halted: number,
    readonly sequence: number,
    readonly roots: readonly unknown[],
    readonly devices: readonly unknown[],
  ) {}
}

export class SoftwareMachine implements Machine {
  readonly harts: readonly Hart[];
  readonly outbox: Outbox<object>;
  readonly ramSize: number;
  readonly personalities: { machine?: Personality; supervisor?: Personality } = {};
  readonly machinePort: MachinePort;
  readonly debugPort: DebugPort;
  readonly stops = new Stops();
  readonly watches = new Watches();
  private readonly memory: PhysicalMemory;
  private readonly clock: Clock;
  private readonly clint: Clint;
  private readonly bus: Bus;
  private readonly engine: Interpreter;
  private readonly versions: Versions;
  private readonly supervisorPorts = new Map<number, SupervisorPort>();
  private passStop = false;

  constructor(options: MachineOptions) {
    this.ramSize = options.ramBytes;
    this.memory = new PhysicalMemory(options.ramBytes);
    this.clock = new Clock(this.memory, options.clockHz ?? 100_000_000);
    this.outbox = new Outbox<object>(() => this.clock.tick);
    this.versions = new Versions(this.memory);
    const hart = new Hart(0, this.memory, this.clock, () => this.flushTranslations());
    this.harts = [hart];
    this.clint = new Clint(() => this.harts, this.clock);
    this.bus = new Bus([this.clint, new Uart((event) => this.outbox.emit(event))]);
    this.engine = new Interpreter(this.memory, this.clock, this.bus, this.stops, this.watches);
    this.machinePort = new PhysicalPort(this.memory, this.bus, hart);
    this.debugPort = new PeekingPort(this.memory, () => (hart.words[HartWord.SATP + 1]! >>> 28 === 9 ? 4 : 3));
    this.connect();
  }

  private connect(): void {
    const { code, access } = this.engine;
    this.memory.onGrow = () => this.harts.forEach((hart) => hart.refresh());
    this.memory.listener = {
      codeWritten: (page, from, to) => code.written(page, from, to),
      tableWritten: () => this.flushTranslations(),
      firstWrite: (page) => this.versions.save(page),
      pageMarked: () => this.harts.forEach((hart) => hart.translations.flushWrites()),
    };
    code.onDrop = () => {
      this.harts.forEach((hart) => hart.translations.flushExec());
      access.stale = true;
    };
    this.stops.onChange = () => code.dropStopped();
    this.watches.onChange = () => this.flushTranslations();
  }

  private flushTranslations(): void {
    for (const hart of this.harts) hart.translations.flush();
    this.memory.forgetTables();
    this.engine.access.stale = true;
  }

  get tick(): Tick {
    return this.clock.tick;
  }

  supervisorPort(hart: HartInterface): SupervisorPort {
    let port = this.supervisorPorts.get(hart.id);
    if (!port) {
      port = newSupervisorPort(this.memory, this.bus, this.harts[hart.id]!);
      this.supervisorPorts.set(hart.id, port);
    }
    return port;
  }

  private get halted(): boolean {
    return this.memory.i32[Area.HALTED / 4] !== 0;
  }

  halt(): void {
    this.memory.i32[Area.HALTED / 4] = 1;
  }

  stepOverStop(): void {
    this.passStop = true;
  }

  interrupt(): void {
    this.harts[0]!.setPending(Interrupt.MachineSoftware, true);
  }

  timer(hart: HartInterface): Tick {
    return tick(this.harts[hart.id]!.timer);
  }

  setTimer(hart: HartInterface, at: Tick): void {
    this.clint.setTimer(this.harts[hart.id]!, at);
  }

  run(until: Tick): MachineExit {
    this.outbox.stopRequested = undefined;
    const hart = this.harts[0]!;
    if (this.passStop) this.engine.passStop(hart.space ?? -1, hart.pc);
    this.passStop = false;
    const exit = this.loop(hart, until);
    this.engine.passStop(-1, 0);
    return exit;
  }

  private loop(hart: Hart, until: number): MachineExit {
    for (;;) {
      if (this.outbox.stopRequested) return { reason: 'event' };
      if (this.halted) return { reason: 'halted' };
      const now = this.clock.tick;
      if (now >= until) return { reason: 'until' };
      if (hart.sleeping) {
        if (hart.wakes) hart.sleeping = false;
        else {
          const next = this.wakeTime(hart);
          if (next === Infinity) return { reason: 'idle' };
          this.clock.tick = Math.min(next, until);
          continue;
        }
      }
      hart.takeInterrupt();
      const level = hart.privilege;
      const { machine, supervisor } = this.personalities;
      const personality =
        level === Privilege.Machine ? machine : level === Privilege.Supervisor ? supervisor : undefined;
      const exit = personality ? this.step(hart, personality) : this.execute(hart, until);
      if (exit) return exit;
    }
  }

  /** When the timer will wake the hart by itself. */
  private wakeTime(hart: Hart): number {
    return hart.words[HartWord.MIE]! & (1 << Interrupt.MachineTimer) ? hart.timer : Infinity;
  }

  private step(hart: Hart, personality: Personality): undefined {
    const cost = personality.step(hart);
    if (!Number.isInteger(cost) || cost < 1)
      throw new Error(`a personality's step costs ${cost} ticks: it must be an integer of at least 1`);
    this.clock.tick = this.clock.tick + cost;
  }

  private execute(hart: Hart, until: number): MachineExit | undefined {
    const now = this.clock.tick;
    const deadline = hart.timer > now ? hart.timer : Infinity;
    const exit = this.engine.run(hart, Math.min(until - now, deadline - now, SLICE));
    this.clock.tick = now + exit.ticks;
    switch (exit.kind) {
      case ExitKind.TRAP:
        hart.trap(exit.cause, false, exit.tvalLow, exit.tvalHigh);
        return undefined;
      case ExitKind.STOP:
        return { reason: 'stop', pc: hart.pc, space: hart.space ?? space(0) };
      case ExitKind.WATCH:
        return {
          reason: 'watch',
          address: va(exit.address),
          size: exit.size,
          kind: exit.write ? 'write' : 'read',
        };
      default:
        return undefined;
    }
  }

  /** What state consists of, for hashing and saving. */
  private parts(): Parts {
    return {
      memory: this.memory,
      harts: this.harts,
      outbox: this.outbox,
      devices: this.bus.devices,
      personalities: this.personalities,
    };
  }

  /** The next store to any page goes the slow way once, where it is seen. The guest sees nothing of it. */
  private protectPages(): void {
    this.memory.protectAll();
    for (const hart of this.harts) hart.translations.flushWrites();
  }

  snapshot(): MachineSnapshot {
    const version = this.versions.take();
    this.protectPages();
    const { machine, supervisor } = this.personalities;
    return new Snapshot(
      this.tick,
      version,
      Int32Array.from(this.harts.flatMap((hart) => [...hart.words])),
      this.memory.i32[Area.HALTED / 4]!,
      this.outbox.sequence,
      [machine?.snapshot(), supervisor?.snapshot()],
      this.bus.devices.map((device) => device.snapshot()),
    );
  }

  restore(snapshot: MachineSnapshot): void {
    if (!(snapshot instanceof Snapshot)) throw new Error('not a snapshot of a machine');
    this.versions.restore(snapshot.version);
    this.harts.forEach((hart, i) =>
      hart.words.set(snapshot.words.subarray(i * HartWord.STATE_WORDS, (i + 1) * HartWord.STATE_WORDS)),
    );
    this.clock.tick = snapshot.tick;
    this.memory.i32[Area.HALTED / 4] = snapshot.halted;
    this.outbox.sequence = snapshot.sequence;
    this.outbox.stopRequested = undefined;
    this.personalities.machine?.restore(snapshot.roots[0]);
    this.personalities.supervisor?.restore(snapshot.roots[1]);
    this.bus.devices.forEach((device, i) => device.restore(snapshot.devices[i]));
    this.stateReplaced();
  }

  private stateReplaced(): void {
    for (const hart of this.harts) hart.stateReplaced();
    this.flushTranslations();
  }

  hash(): string {
    this.protectPages();
    return hashState(this.parts());
  }

  save(): unknown {
    return saveState(this.parts());
  }

  load(saved: unknown): void {
    this.versions.forget();
    loadState(this.parts(), saved);
    this.stateReplaced();
  }
}

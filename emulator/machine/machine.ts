/**
 * The machine: memory, harts, devices, the clock, personalities, and the loop that lets whoever holds the privilege level of the hart
 * whose turn it is (schedule.ts) work: guest code through the engine, personalities step by step.
 * Deadlines are exact: an engine never runs past the next timer. Nothing outside of a personality's step holds a JavaScript frame.
 */
import { Hart } from '../hart/hart';
import { pairToBigInt } from '../hart/registers';
import { Interrupt, Privilege, type Hart as HartInterface } from '../hart/types';
import { Host } from '../engine/host';
import { SourceEngine } from '../engine/source-engine';
import { ExitKind, NO_PASS, type Engine, type Translated } from '../engine/types';
import { TranslatorEngine } from '../engine/translator/translator-engine';
import { WasmEngine } from '../engine/wasm/wasm-engine';
import { space, tick, va, type Tick } from '../units';
import { Bus } from './bus';
import { Clint } from './clint';
import { Clock } from './clock';
import { endingOf, Finisher, HALT, type Ending } from './finisher';
import { Area, HartWord, MAX_HARTS } from './layout';
import { PhysicalMemory } from './memory';
import { Outbox } from './outbox';
import type { Personality } from './personality';
import { newSupervisorPort, PeekingPort, PhysicalPort } from './port';
import type { DebugPort, MachinePort, SupervisorPort } from './ports';
import { Plic } from './plic';
import { Rom } from './rom';
import { DEFAULT_QUANTUM, Schedule } from './schedule';
import { giveUpSnapshot, restoreSnapshot, takeSnapshot } from './snapshot';
import { hashState, loadState, saveState, type Parts, type Shape } from './state';
import { Stops } from './stops';
import type { Context, ContextChange, Copies, EngineName, Machine, MachineExit, MachineSnapshot } from './types';
import { Uart, UART_SOURCE } from './uart';
import { Versions } from './versions';
import { Watches } from './watches';

const ENGINES: Readonly<Record<EngineName, (host: Host, hotness: number) => Engine>> = {
  translator: (host, hotness) => new TranslatorEngine(host, hotness),
  wasm: (host) => new WasmEngine(host),
  source: (host) => new SourceEngine(host),
};
/** Every engine there is. */
export const ENGINE_NAMES = Object.keys(ENGINES) as readonly EngineName[];

export interface MachineOptions {
  /** A multiple of 4096, at most 3 GiB. Frames that are never touched cost nothing. */
  readonly ramBytes: number;
  /** Ticks per virtual second, a multiple of 10 MHz; 100 MHz if absent. */
  readonly clockHz?: number;
  /** 1 … 8; 1 if absent. */
  readonly harts?: number;
  /** Changes nothing but speed. If absent the fastest that this process may use. */
  readonly engine?: EngineName;
  /** How often control jumps to an instruction before the translator looks at it, 1 … 32768. Changes nothing but speed. */
  readonly hotness?: number;
  /** Ticks that a hart runs before the next one does; of no account with one hart. */
  readonly quantum?: number;
}

function fastest(): EngineName {
  if (!WasmEngine.available) return 'source';
  return TranslatorEngine.available ? 'translator' : 'wasm';
}

/** A machine at power-on: harts in M-mode at pc 0, all PMP entries off (so S and U may access nothing), RAM zero, the ROM empty. */
export function createMachine(options: MachineOptions): SoftwareMachine {
  return new SoftwareMachine(options);
}

/** Interpreting this many rounds of a loop takes about as long as translating it (docs/performance.md). */
const DEFAULT_HOTNESS = 1000;
/** The longest run of the engine between two looks at the outside, in ticks. */
const SLICE = 1_000_000;

const contextOf = (hart: Hart): Context => ({
  privilege: hart.privilege,
  satp: pairToBigInt(hart.words[HartWord.SATP]!, hart.words[HartWord.SATP + 1]!),
});

export class SoftwareMachine implements Machine {
  readonly harts: readonly Hart[];
  readonly outbox: Outbox<object>;
  readonly ramSize: number;
  readonly personalities: { machine?: Personality; supervisor?: Personality } = {};
  readonly machinePort: MachinePort;
  readonly debugPort: DebugPort;
  readonly stops = new Stops();
  readonly watches = new Watches();
  readonly rom = new Rom();
  onContextChange: ((change: ContextChange) => boolean) | undefined;
  private readonly memory: PhysicalMemory;
  private readonly clock: Clock;
  private readonly clint: Clint;
  private readonly uart: Uart;
  private readonly bus: Bus;
  private readonly schedule: Schedule;
  private readonly shape: Shape;
  private readonly host: Host;
  private engine: Engine | undefined;
  /** The engine in use. */
  engineName!: EngineName;
  private readonly engines = new Map<EngineName, Engine>();
  private readonly versions: Versions;
  private readonly supervisorPorts = new Map<number, SupervisorPort>();
  private passStop = false;
  private readonly hotness: number;

  constructor(options: MachineOptions) {
    const { ramBytes, clockHz = 100_000_000, harts = 1, quantum = DEFAULT_QUANTUM } = options;
    this.hotness = options.hotness ?? DEFAULT_HOTNESS;
    if (!Number.isInteger(harts) || harts < 1 || harts > MAX_HARTS)
      throw new Error(`a machine of ${harts} harts: give 1 to ${MAX_HARTS}`);
    this.shape = { ramBytes, harts, clockHz, quantum };
    this.ramSize = ramBytes;
    this.memory = new PhysicalMemory(ramBytes);
    this.clock = new Clock(this.memory, clockHz);
    this.outbox = new Outbox<object>(() => this.clock.tick);
    this.versions = new Versions(this.memory);
    this.harts = Array.from(
      { length: harts },
      (_, id) => new Hart(id, this.memory, this.clock, () => this.flushTranslations()),
    );
    this.schedule = new Schedule(this.memory, this.harts, quantum);
    this.clint = new Clint(() => this.harts, this.clock);
    const plic = new Plic(this.harts);
    this.uart = new Uart(
      (event) => this.outbox.emit(event),
      (on) => plic.setLevel(UART_SOURCE, on),
    );
    const finisher = new Finisher((word) => (this.memory.i32[Area.HALTED / 4] = word));
    this.bus = new Bus([this.clint, this.uart, plic, finisher, this.rom]);
    this.host = new Host(this.memory, this.clock, this.bus, this.stops, this.watches);
    this.host.code.hotness = this.hotness;
    this.useEngine(options.engine ?? fastest());
    const first = this.harts[0]!;
    this.machinePort = new PhysicalPort(this.memory, this.bus, first);
    this.debugPort = new PeekingPort(this.memory, () => (first.words[HartWord.SATP + 1]! >>> 28 === 9 ? 4 : 3));
    this.connect();
  }

  private connect(): void {
    const { code, access } = this.host;
    this.memory.fetchOutside = (address) => this.rom.fetch(address);
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
    this.host.access.stale = true;
  }

  useEngine(name: EngineName): void {
    if (name === this.engineName) return;
    this.engine?.rest?.();
    this.engineName = name;
    this.engine = this.engines.get(name) ?? ENGINES[name](this.host, this.hotness);
    this.engines.set(name, this.engine);
  }

  get translated(): Translated | undefined {
    return this.engine?.translated;
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

  get dirtyPages(): number {
    return [...this.memory.writtenPages()].length;
  }

  get copies(): Copies {
    const { made, touched, held } = this.versions;
    return { made, touched, held };
  }

  get ending(): Ending | undefined {
    return endingOf(this.memory.i32[Area.HALTED / 4]!);
  }

  halt(): void {
    this.memory.i32[Area.HALTED / 4] = HALT;
  }

  get current(): Hart {
    return this.schedule.current;
  }

  type(bytes: Uint8Array): void {
    this.uart.input(bytes);
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
    // Anything else would never be reached exactly.
    if (!Number.isInteger(until) && until !== Infinity) throw new Error(`run until tick ${until}: give an integer`);
    this.outbox.stopRequested = undefined;
    if (this.passStop && this.clock.tick < until) {
      // The hart that will execute next, as `loop` will find it.
      const hart = this.schedule.next(this.clock.tick) ?? this.current;
      this.host.passStop(hart.fetchSpace, hart.pc);
    }
    this.passStop = false;
    const exit = this.loop(until);
    this.host.passStop(NO_PASS, 0);
    return exit;
  }

  private loop(until: number): MachineExit {
    for (;;) {
      if (this.outbox.stopRequested) return { reason: 'event' };
      if (this.memory.i32[Area.HALTED / 4] !== 0) return { reason: 'halted' };
      const now = this.clock.tick;
      if (now >= until) return { reason: 'until' };
      const hart = this.schedule.next(now);
      if (!hart) {
        const next = this.schedule.wakeTime;
        if (next === Infinity) return { reason: 'idle' };
        this.clock.tick = Math.min(next, until);
        continue;
      }
      const exit = this.onContextChange ? this.observed(hart, until) : this.turn(hart, until);
      if (exit) return exit;
    }
  }

  /** A piece of a hart's slice: an interrupt, which costs no tick but ends a reservation and with it perhaps the slice, or work. */
  private turn(hart: Hart, until: number): MachineExit | undefined {
    return hart.takeInterrupt() ? undefined : this.work(hart, until);
  }

  /** What holds the hart's privilege level works. */
  private work(hart: Hart, until: number): MachineExit | undefined {
    const level = hart.privilege;
    const { machine, supervisor } = this.personalities;
    const personality = level === Privilege.Machine ? machine : level === Privilege.Supervisor ? supervisor : undefined;
    return personality ? this.step(hart, personality) : this.execute(hart, until);
  }

  /** The same under the eyes of `onContextChange`. */
  private observed(hart: Hart, until: number): MachineExit | undefined {
    const before = contextOf(hart);
    if (hart.takeInterrupt()) return this.noticed(hart, before);
    return this.work(hart, until) ?? this.noticed(hart, before);
  }

  private noticed(hart: Hart, from: Context): MachineExit | undefined {
    const to = contextOf(hart);
    if (from.privilege === to.privilege && from.satp === to.satp) return undefined;
    const change: ContextChange = { hart: hart.id, tick: this.clock.tick, from, to };
    return this.onContextChange?.(change) ? { reason: 'context', change } : undefined;
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
    const exit = this.engine!.run(hart, Math.min(until - now, deadline - now, SLICE, this.schedule.remaining(now)));
    this.clock.tick = now + exit.ticks;
    switch (exit.kind) {
      case ExitKind.TRAP:
        hart.trap(exit.cause, false, exit.tvalLow, exit.tvalHigh);
        return undefined;
      case ExitKind.STOP:
        return { reason: 'stop', pc: hart.pc, space: space(hart.fetchSpace) };
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
      shape: this.shape,
    };
  }

  /** The next store to any page goes the slow way once, where it is seen. The guest sees nothing of it. */
  private protectPages(): void {
    this.memory.protectAll();
    for (const hart of this.harts) hart.translations.flushWrites();
  }

  snapshot(): MachineSnapshot {
    const snapshot = takeSnapshot(this.parts(), this.versions, this.tick);
    for (const hart of this.harts) hart.translations.flushProtected();
    return snapshot;
  }

  giveUp(snapshot: MachineSnapshot): void {
    giveUpSnapshot(snapshot, this.versions);
  }

  restore(snapshot: MachineSnapshot): void {
    restoreSnapshot(this.parts(), this.versions, snapshot);
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
    loadState(this.parts(), this.versions, saved);
    this.stateReplaced();
  }
}

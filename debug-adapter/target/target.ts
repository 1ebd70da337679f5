/**
 * Run control over one system: runs it in slices, knows which image is mapped where, arms breakpoints and steps, and decides which
 * exits of the machine are stops a user sees. All-stop. Talks to its owner through `TargetListener`; knows nothing of the protocol.
 */
import type { MachineExit } from '../../emulator/machine/types';
import type { Stamped } from '../../emulator/machine/outbox';
import { Privilege } from '../../emulator/hart/types';
import { tick, va, type Space, type VirtualAddress } from '../../emulator/units';
import { savedPc } from '../../emulator/hart/registers';
import { explainHazard, hazardText, isNotice, type Explanation, type HazardCode } from '../../monitor/hazards';
import type { ExternalInput, System, SystemEvent } from '../../monitor/system/types';
import { printable } from '../inspect/printable';
import { HazardLog, type HazardEntry } from '../inspect/hazard-log';
import { Stack, type Hidden } from '../inspect/stack/stack';
import { Breakpoints, type Breakpoint, type StopReason } from './breakpoints';
import type { Image, Images } from './image';
import { hiddenByLine } from './inlining';
import type { Candidate, SourceMap } from './paths';
import { RunLoop, type Verdict, type Wall } from './run-loop';
import { describeFault } from './faults';
import { firstLine, Step, STEP, type StepKind } from './step';
import { Stops } from './stops';
import { sameOwner, toRuntime, Worlds, type Mapping, type Owner } from './worlds';

/** Why and where the program is paused. */
export interface Stop {
  readonly reason: 'breakpoint' | 'step' | 'entry' | 'pause' | 'exception';
  /** Undefined when no thread exists. */
  readonly tid: number | undefined;
  readonly breakpoints?: readonly Breakpoint[];
  readonly fault?: Fault;
}

export interface Fault {
  /** `SIGSEGV`, or what the enclave did, in a few words. */
  readonly name: string;
  readonly description: string;
  readonly address: number;
  readonly cause: number;
  /** What a device would have done, and what to do instead. */
  readonly hazard?: { readonly code: HazardCode; readonly explanation: Explanation };
}

/** Which hazards stop the program: those a device would not take well, those every program may meet. */
export type HazardFilter = 'hazards' | 'notices';

export interface TargetListener {
  /** Every event of the machine, once, in order. */
  event(event: Stamped<SystemEvent>): void;
  /** An image was mapped; `fresh` when it was not known before. */
  mapped(mapping: Mapping): void;
  unmapped(mapping: Mapping): void;
  /** A program did what goes wrong on a device; the first time at its place. `stops`: and it is stopped there. */
  hazard(entry: HazardEntry, stops: boolean): void;
  breakpointChanged(breakpoint: Breakpoint): void;
  stopped(stop: Stop): void;
  /** The machine has come to its end. */
  ended(status: number | undefined): void;
  /** Between slices; a moment to send what was collected. */
  tick(): void;
  /** Every thread waits and no timer will wake one: told once per run. */
  stuck(): void;
}

export interface TargetOptions {
  readonly pace: 'real' | 'fast';
  readonly stopOnEntry: boolean;
  readonly noDebug: boolean;
  readonly sourceMap: SourceMap;
  readonly filesOf: (image: Image) => readonly Candidate<Image>[];
  readonly modifiedOf: (source: string) => number | undefined;
  readonly placeOf: (source: string) => string;
}

const ENTRY: StopReason = Symbol('entry');
/** Events after which the machine must not run on before they were acted on: spaces come and go, faults are stops. */
const URGENT = new Set([
  'image',
  'enclave-created',
  'enclave-gone',
  'process-exited',
  'process-executed',
  'process-fault',
  'enclave-fault',
]);
/** A command from outside is done within this many ticks, or answered as pending. */
const COMMAND_TICKS = 50_000_000;

export class Target {
  readonly worlds = new Worlds();
  /** Hazards that stop the program. */
  hazardFilters: ReadonlySet<HazardFilter> = new Set();
  private readonly hazards = new HazardLog();
  /** The hazard that a fault of the same step is. */
  private lastHazard: Extract<Stamped<SystemEvent>, { kind: 'hazard' }> | undefined;
  readonly breakpoints: Breakpoints;
  private readonly stops: Stops<StopReason>;
  private readonly loop: RunLoop;
  private step: Step | undefined;
  private fault: { fault: Fault; tid: number | undefined } | undefined;
  private over = false;
  private entered = false;
  private lastStop: Stop | undefined;
  /** The instruction a thread has been stopped before, and not executed yet: the next stop there is the same one again. */
  private readonly passing = new Map<number, { space: Space; pc: VirtualAddress }>();
  /** The thread that stands before inlined calls it has not entered. */
  private hidden: (Hidden & { readonly tid: number }) | undefined;
  private readonly stacks = new Map<number, Stack>();
  private nextCommand = 1;
  private readonly commands = new Map<number, (answer: { result: number; detail?: unknown }) => void>();

  constructor(
    readonly system: System,
    readonly images: Images,
    private readonly options: TargetOptions,
    wall: Wall,
    private readonly listener: TargetListener,
  ) {
    this.stops = new Stops(() => system.machine.stops);
    this.breakpoints = new Breakpoints(
      () => images.all(),
      options.filesOf,
      options.modifiedOf,
      options.sourceMap,
      options.placeOf,
      this.worlds,
      this.stops,
    );
    this.loop = new RunLoop(
      system,
      wall,
      options.pace,
      (exit) => this.decide(exit),
      () => listener.tick(),
    );
    system.onEvent = (event) =>
      URGENT.has(event.kind) ||
      (event.kind === 'hazard' && (!this.hazards.knows(event) || this.stopsFor(event.code))) ||
      (event.kind === 'device-answer' && this.commands.has(event.id)) ||
      (event.kind === 'transition' && this.step?.followsTransitions === true);
  }

  get running(): boolean {
    return this.loop.active;
  }

  /** Why the program is paused; undefined while it runs and before it was started. */
  get stop(): Stop | undefined {
    return this.running ? undefined : this.lastStop;
  }

  /** Runs on, until something stops it. */
  resume(): void {
    if (this.running || this.over) return;
    const { reason, tid } = this.lastStop ?? {};
    const at = reason === 'pause' || tid === undefined ? undefined : this.whereIs(tid);
    if (at) this.passing.set(tid!, at);
    this.lastStop = undefined;
    this.hidden = undefined;
    this.fault = undefined;
    this.stacks.clear();
    this.loop.start();
  }

  /** Starts a source step of a thread. */
  startStep(kind: StepKind, tid: number): void {
    if (this.running || this.over) return;
    this.endStep();
    if (kind === 'stepIn' && this.enterInlined(tid)) return;
    const stack = this.stack(tid);
    if (stack.frames().next().done) return this.resume();
    this.step = new Step(
      {
        worlds: this.worlds,
        stops: this.stops,
        readMemory: (space, address, length) => this.system.read(space, va(address), length),
        topFrame: (of) => this.stackNow(of).frames().next().value ?? undefined,
        isSuspended: (owner) => this.isSuspended(owner),
      },
      kind,
      tid,
      stack.frames(),
    );
    this.resume();
  }

  /** The thread stands before an inlined call: a step in shows it inside, and nothing is executed. */
  private enterInlined(tid: number): boolean {
    const { hidden } = this;
    if (hidden?.tid !== tid || hidden.levels === 0 || this.whereIs(tid)?.pc !== hidden.pc) return false;
    this.finish({ reason: 'step', tid }, hidden.levels - 1);
    return true;
  }

  /** Stops at the next slice boundary; a machine that sleeps stops at once. */
  pause(): void {
    if (!this.running) return;
    this.loop.stop();
    this.finish({ reason: 'pause', tid: this.someThread() });
    this.listener.tick();
  }

  /** Ends everything; nothing is told to the listener any more. */
  dispose(): void {
    this.over = true;
    this.loop.stop();
    this.system.onEvent = undefined;
  }

  /** Applies an input from outside now. */
  post(input: ExternalInput): void {
    this.system.post(input);
    this.loop.wake();
  }

  /**
   * Does something to an enclave as its owner would, also while paused: then the machine runs for just as long as the command
   * takes. Resolves to undefined when it gave no answer.
   */
  async command(
    operation: 'stop' | 'resume' | 'destroy',
    instance: Extract<ExternalInput, { kind: 'enclave' }>['instance'],
  ): Promise<{ result: number; detail?: unknown } | undefined> {
    const id = this.nextCommand++;
    const answer = new Promise<{ result: number; detail?: unknown } | undefined>((resolve) =>
      this.commands.set(id, resolve),
    );
    this.post({ kind: 'enclave', id, operation, instance });
    if (!this.running) {
      const answered = this.runCommand(id);
      this.stacks.clear();
      if (!answered && this.commands.delete(id)) return undefined;
    }
    return answer;
  }

  /** The stack of a thread as it is while paused; the same object until the program runs again. */
  stack(tid: number): Stack {
    let stack = this.stacks.get(tid);
    if (!stack) this.stacks.set(tid, (stack = this.stackNow(tid)));
    return stack;
  }

  private stackNow(tid: number): Stack {
    return new Stack(this.system, this.worlds, tid, this.hidden?.tid === tid ? this.hidden : undefined);
  }

  private isSuspended(owner: Owner): boolean {
    const isOwner = ({ instance }: { instance: number }) => owner.kind === 'enclave' && instance === owner.instance;
    return this.system.enclaves().find(isOwner)?.state === 'OCALLING';
  }

  private whereIs(tid: number): { space: Space; pc: VirtualAddress } | undefined {
    const top = this.system.contexts(tid)[0];
    return top && { space: top.space, pc: savedPc(top.registers) };
  }

  private decide(exit: MachineExit): Verdict {
    this.takeEvents();
    if (this.over) return 'stop';
    if (this.fault) return this.finish({ reason: 'exception', tid: this.fault.tid, fault: this.fault.fault });
    switch (exit.reason) {
      case 'stop':
        return this.atStop(exit.space, exit.pc);
      case 'halted':
        return this.end();
      case 'idle':
        if (this.system.exitStatus !== undefined) return this.end();
        this.listener.stuck();
        return 'wait';
      default:
        return 'go on';
    }
  }

  private atStop(space: Space, pc: VirtualAddress): Verdict {
    const tid = this.system.currentThread;
    const passing = tid === undefined ? undefined : this.passing.get(tid);
    if (passing?.space === space && passing.pc === pc) return this.pass(space, pc, tid);
    const breakpoints = this.options.noDebug ? [] : this.breakpoints.at(space, pc);
    const reasons = this.stops.at(space, pc);
    const stepped = reasons.has(STEP) ? this.step?.reached(space, pc, tid) : undefined;
    if (breakpoints.length > 0) {
      const lines = breakpoints.map(({ line }) => line);
      const hidden = tid === undefined ? 0 : hiddenByLine(this.stackNow(tid).frames(), lines);
      return this.finish({ reason: 'breakpoint', tid, breakpoints }, hidden);
    }
    if (reasons.has(ENTRY)) {
      this.stops.removeAll(ENTRY);
      return this.finish({ reason: 'entry', tid });
    }
    if (stepped !== undefined) return this.finish({ reason: 'step', tid }, stepped);
    return this.pass(space, pc, tid);
  }

  /**
   * Executes the instruction a thread was stopped before, and no other: if an interrupt comes first, another thread of the same
   * space may be next to arrive there, and that is another stop.
   */
  private pass(space: Space, pc: VirtualAddress, tid: number | undefined): Verdict {
    const before = this.system.tick;
    this.system.machine.stepOverStop();
    const exit = this.system.run(tick(before + 1));
    if (tid !== undefined) {
      const hart = this.system.machine.harts[0]!;
      const executed = this.system.tick === before + 1 && hart.privilege === Privilege.User;
      const at = executed ? undefined : this.whereIs(tid);
      if (at?.space === space && at.pc === pc) this.passing.set(tid, at);
      else this.passing.delete(tid);
    }
    return this.decide(exit);
  }

  /** `hidden`: inlined calls that begin where the thread is and are not shown as entered. */
  private finish(stop: Stop, hidden = 0): Verdict {
    this.endStep();
    this.stacks.clear();
    this.lastStop = stop;
    const at = hidden > 0 && stop.tid !== undefined ? this.whereIs(stop.tid) : undefined;
    this.hidden = at && { tid: stop.tid!, pc: at.pc, levels: hidden };
    this.loop.stop();
    this.takeEvents();
    this.listener.stopped(stop);
    return 'stop';
  }

  private end(): Verdict {
    this.over = true;
    this.endStep();
    this.loop.stop();
    this.listener.ended(this.system.exitStatus);
    return 'stop';
  }

  private endStep(): void {
    this.step?.end();
    this.step = undefined;
  }

  private someThread(): number | undefined {
    return this.system.currentThread ?? this.system.threads()[0]?.tid;
  }

  /** Acts on everything the machine has told since the last time. */
  private takeEvents(): void {
    for (const event of this.system.drain()) {
      this.act(event);
      this.listener.event(event);
    }
  }

  private act(event: Stamped<SystemEvent>): void {
    switch (event.kind) {
      case 'image':
        return this.map({ kind: 'host', pid: event.pid }, event.space, event.base, event.hash, event.path);
      case 'enclave-created':
        if (event.space !== undefined)
          this.map({ kind: 'enclave', instance: event.instance }, event.space, 0, event.imageHash, event.name);
        return;
      case 'enclave-gone':
        return this.unmap({ kind: 'enclave', instance: event.instance });
      case 'process-exited':
      case 'process-executed':
        return this.unmap({ kind: 'host', pid: event.pid });
      case 'transition':
        if (event.to !== undefined && (event.name === 'run' || event.name === 'call_enclave'))
          this.step?.entered(event.tid, event.to);
        return;
      case 'process-fault':
      case 'enclave-fault':
        return this.faulted(event);
      case 'hazard':
        return this.hazardous(event);
      case 'device-answer':
        this.commands.get(event.id)?.(event);
        this.commands.delete(event.id);
        return;
      case 'thread-exited':
        if (this.step?.tid === event.tid) this.endStep();
        return;
    }
  }

  private stopsFor(code: HazardCode): boolean {
    return !this.options.noDebug && this.hazardFilters.has(isNotice(code) ? 'notices' : 'hazards');
  }

  private hazardous(event: Extract<Stamped<SystemEvent>, { kind: 'hazard' }>): void {
    const { entry, first } = this.hazards.add(event, this.stackNow(event.tid).frames());
    const { code, tid } = event;
    // What kills an enclave stops as its fault, a moment later; a process that is gone has no place to stop at.
    const stops = this.stopsFor(code) && hazardText(code).device !== 'killed' && tid !== 0;
    if (first) this.listener.hazard(entry, stops);
    // Of two in one step the first is the cause.
    if (this.lastHazard?.tick !== event.tick) this.lastHazard = event;
    if (!stops) return;
    const explanation = explainHazard(event);
    this.fault ??= {
      fault: {
        name: code,
        description: explanation.did,
        address: event.site?.pc ?? 0,
        cause: 0,
        hazard: { code, explanation },
      },
      tid,
    };
  }

  private faulted(event: Stamped<Extract<SystemEvent, { kind: 'process-fault' | 'enclave-fault' }>>): void {
    if (this.options.noDebug) return;
    const fault =
      event.kind === 'process-fault'
        ? { name: event.signal, description: describeFault(event.signal, event.cause, event.address) }
        : { name: 'Enclave fault', description: event.what };
    const why = event.kind === 'enclave-fault' && this.lastHazard?.tick === event.tick ? this.lastHazard : undefined;
    const hazard = why && { code: why.code, explanation: explainHazard(why) };
    this.fault = {
      fault: { ...fault, address: event.address, cause: event.cause, ...(hazard ? { hazard } : {}) },
      tid: event.kind === 'process-fault' ? event.tid : this.system.currentThread,
    };
  }

  private map(owner: Owner, space: Space, base: number, hash: string, path: string): void {
    const name = printable(owner.kind === 'enclave' ? path || 'enclave' : path.split('/').at(-1) || path);
    // An exec gives the process another space; and a space may have had an owner whose end was not told.
    for (const old of this.worlds.of(owner)) if (old.space !== space) this.unmap(owner);
    for (const old of this.worlds.in(space)) if (!sameOwner(old.owner, owner)) this.unmap(old.owner);
    const found = this.images.found(hash, name);
    if (!found) return;
    const label = owner.kind === 'enclave' ? `${name} #${owner.instance}` : name;
    const mapping: Mapping = { owner, label, space, image: found.image, base };
    this.worlds.add(mapping);
    if (found.fresh) for (const changed of this.breakpoints.reconsider()) this.listener.breakpointChanged(changed);
    this.breakpoints.bind(mapping);
    if (owner.kind === 'host' && !this.entered) this.armEntry(mapping);
    this.listener.mapped(mapping);
  }

  private armEntry(mapping: Mapping): void {
    const first = firstLine(mapping) ?? mapping.image.program.addressOfSymbol('main');
    // The program that executes commands has no beginning to show; what it runs has.
    if (first === undefined) return;
    this.entered = true;
    if (!this.options.stopOnEntry || this.options.noDebug) return;
    this.stops.add(mapping.space, toRuntime(mapping, first), ENTRY);
  }

  private unmap(owner: Owner): void {
    for (const mapping of this.worlds.remove(owner)) {
      if (this.worlds.in(mapping.space).length === 0) this.stops.dropSpace(mapping.space);
      this.listener.unmapped(mapping);
    }
  }

  /** Runs a paused machine until the command is answered; stops met meanwhile are left for later. */
  private runCommand(id: number): boolean {
    const { machine } = this.system;
    const limit = tick(this.system.tick + COMMAND_TICKS);
    const lifted: [Space, VirtualAddress][] = [];
    while (this.commands.has(id) && this.system.tick < limit) {
      const exit = this.system.run(limit);
      this.takeEvents();
      if (exit.reason === 'stop') {
        machine.stops.disarm(exit.space, exit.pc);
        lifted.push([exit.space, exit.pc]);
      } else if (exit.reason === 'halted' || exit.reason === 'idle') break;
    }
    for (const [space, pc] of lifted) if (this.stops.at(space, pc).size > 0) machine.stops.arm(space, pc);
    return !this.commands.has(id);
  }
}

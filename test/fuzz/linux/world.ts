/**
 * Hostile host programs above the real kernel and driver, and their enclaves: whichever thread or enclave comes to its ecall is given the next
 * thing to do. Processes fork, share regions, kill each other in the middle of calls; what holds is checked at every such stop.
 */
import type { Area, State, Thread } from '../../../emulator/linux/state';
import { space, tick, va } from '../../../emulator/units';
import type { DriverState } from '../../../monitor/driver/state';
import { recordsOf, regionsOf } from '../../../monitor/driver/state';
import { ComposedSystem, createSystemWithoutChecks } from '../../../monitor/system/system';
import type { Checks } from '../../../monitor/checks';
import type { LaunchDescription, SystemEvent } from '../../../monitor/system/types';
import { Random } from '../../differential/random';
import { Guard } from '../checks/guard';
import { must } from '../checks/memory';
import { boundSteps } from '../checks/steps';
import { checkLinux, heldElsewhere } from '../checks/linux';
import { checkOwnership } from '../checks/ownership';
import { ENTRY } from '../enclave/agent';
import { Inmates } from '../enclave/inmates';
import type { Tally } from '../tally';
import { AGENT_ELF, Place, perform } from './agent';
import { chooseActs, LAST_OPENED, LAST_RESULT, NOTHING, type Scene, type Step } from './acts';

/** Machines differ: in some memory is short, in some the device's limits hold. */
const MEMORY_MIB = [64, 40, 32];
/** Somebody comes to an ecall within so many ticks; a call that does not wait for an enclave is over within so many. */
const HANG = 50_000_000;
const CALL_LIMIT = 300_000_000;
const MANY_THREADS = 9;
const OPENAT = 56;
interface Pending {
  readonly step: Step;
  readonly since: number;
}

export class LinuxWorld {
  readonly system: ComposedSystem;
  private guard!: Guard;
  private inmates!: Inmates;
  private r = new Random(0);
  private readonly pending = new Map<number, Pending>();
  private readonly queues = new Map<number, Step[]>();
  private readonly opened = new Map<number, number>();
  /** Spaces of agents in which a stop is armed, by process. */
  private readonly armed = new Map<number, number>();
  private muted = false;
  /** Pages that were taken when nothing had happened yet: the kernel's own. */
  private readonly own: number;
  private posted = 0;

  constructor(
    private readonly tally: Tally,
    seed: number,
    checks: Partial<Checks> = {},
  ) {
    const machine = new Random(seed);
    const launch: LaunchDescription = {
      limits: machine.once(4) ? 'device' : 'memory',
      program: '/root/agent',
      args: [],
      cwd: '/root',
      memoryMiB: machine.pick(MEMORY_MIB),
      seed,
      schedule: { quantum: machine.pick([3_000, 15_000, 60_000]), vary: machine.once(2) },
      files: [{ path: '/root/agent', bytes: AGENT_ELF, mode: 0o755 }],
    };
    this.system = createSystemWithoutChecks(launch, checks);
    this.system.onEvent = (event) => this.heard(event);
    boundSteps(this.system.machine, tally);
    this.untilStop();
    this.guard = new Guard(this.system.machine, this.system.monitor);
    this.inmates = new Inmates(this.system.machine, this.system.monitor, tally, this.guard);
    this.own = heldElsewhere(this.system, this.linux, this.driver);
  }

  get linux(): State {
    return this.system.linux.snapshot() as State;
  }
  get driver(): DriverState {
    return this.system.device.snapshot() as DriverState;
  }

  private heard(event: SystemEvent): boolean {
    if (event.kind === 'image' && event.path === '/root/agent') this.arm(event.pid, event.space);
    if (event.kind === 'process-started' && event.parent !== 0) this.forked(event.pid);
    if (event.kind === 'process-exited' || event.kind === 'process-executed') this.disarm(event.pid, event.kind);
    if (this.muted) return false;
    if (event.kind === 'thread-exited') this.forget(event.tid);
    if (event.kind === 'hazard') this.tally.hazard(event.code);
    if (event.kind === 'console' || event.kind === 'monitor-log')
      must(!/BUG|panic|an error of the host OS/.test(event.text), () => event.text);
    if (!this.guard) return false;
    this.guard.heard(event as never);
    this.inmates.heard(event as never);
    return false;
  }

  private arm(pid: number, root: number): void {
    if (this.armed.get(pid) === root) return;
    this.disarm(pid);
    this.armed.set(pid, root);
    this.system.machine.stops.arm(space(root), va(Place.loop));
  }

  private disarm(pid: number, why?: string): void {
    const root = this.armed.get(pid);
    // An image of the agent may have been told before that it is executed.
    if (root === undefined || (why === 'process-executed' && this.spaceOf(pid) === root)) return;
    this.armed.delete(pid);
    this.system.machine.stops.disarm(space(root), va(Place.loop));
  }

  private spaceOf(pid: number): number | undefined {
    return this.system.processes().find((process) => process.pid === pid)?.space;
  }

  private forked(pid: number): void {
    const root = this.spaceOf(pid);
    if (root !== undefined) this.arm(pid, root);
  }

  private forget(tid: number): void {
    const done = this.pending.get(tid);
    // It did not live to see the end: a call all the same.
    if (done?.step.kind)
      this.tally.count(done.step.kind, done.step.name, /^(exit|execve)/.test(done.step.name), done.step.a);
    this.pending.delete(tid);
    this.queues.delete(tid);
    this.opened.delete(tid);
  }

  /** Runs until somebody is at an ecall: the thread, or undefined for an enclave. */
  private untilStop(): Thread | undefined {
    const { system } = this;
    const limit = system.tick + HANG;
    for (;;) {
      const exit = system.run(tick(limit));
      must(
        exit.reason === 'stop',
        () => `nobody came to an ecall: ${exit.reason} at tick ${system.tick}, ${this.waiting()}`,
      );
      if (exit.pc === ENTRY && system.monitor.running()) return undefined;
      const thread = this.linux.threads.get(system.currentThread ?? -1);
      must(thread !== undefined, () => 'a stop of no thread');
      return thread;
    }
  }

  private waiting(): string {
    const threads = this.system
      .threads()
      .map(({ pid, tid, state }) => `${pid}/${tid} ${state} ${this.pending.get(tid)?.step.name}`);
    return threads.join(', ');
  }

  step(random: Random): void {
    this.r = random;
    this.next((thread) => {
      const queue = this.queues.get(thread.tid) ?? [];
      if (queue.length === 0) queue.push(...chooseActs(this.sceneOf(thread)));
      this.queues.set(thread.tid, queue);
      return queue.shift()!;
    });
    if (random.once(150)) this.button();
  }

  skip(): void {
    this.r = new Random(0);
    this.next(() => NOTHING, true);
  }

  private next(choose: (thread: Thread) => Step, idle = false): void {
    const thread = this.untilStop();
    this.guard.afterCall();
    if (!thread) {
      this.inmates.budget = idle ? 0 : 1;
      this.inmates.stopped(this.r);
      return;
    }
    this.settle(thread.tid);
    const step = choose(thread);
    const result = Number(BigInt.asIntN(64, this.hart.getX64(10)));
    const replaced = (value: number | bigint) =>
      value === LAST_RESULT ? result : value === LAST_OPENED ? (this.opened.get(thread.tid) ?? -1) : value;
    perform(this.hart, { ...step, a: step.a.map(replaced) });
    this.pending.set(thread.tid, { step, since: this.system.tick });
    this.system.machine.stepOverStop();
  }

  private get hart() {
    return this.system.machine.harts[0]!;
  }

  /** The thread has come back from what it did. */
  private settle(tid: number): void {
    const done = this.pending.get(tid);
    if (!done) return;
    this.pending.delete(tid);
    const { step, since } = done;
    if (step.jump && step.jump !== 'poke') return;
    const result = Number(BigInt.asIntN(64, this.hart.getX64(10)));
    if (step.number === OPENAT) this.opened.set(tid, result);
    must(result > -4096, () => `${step.name} gave ${result}`);
    if (step.kind) this.tally.count(step.kind, step.name, result >= 0, step.a);
    if (step.blocks) return;
    const ticks = this.system.tick - since;
    this.tally.took(step.name, ticks);
    must(ticks <= CALL_LIMIT, () => `${step.name} took ${ticks} ticks`);
  }

  private sceneOf(thread: Thread): Scene {
    const { linux, driver, r } = this;
    const process = linux.processes.get(thread.pid)!;
    const devices = [...process.descriptors]
      .filter(([, { file }]) => linux.openFiles.get(file)?.kind === 'device')
      .map(([fd]) => fd)
      .sort((a, b) => a - b);
    const shown = process.memory.areas.filter(({ backing }: Area) => backing.kind === 'frames' && backing.device);
    const first = this.system.processes()[0]!.pid;
    return {
      ...{ r, tid: thread.tid, process, devices, shown },
      first: thread.tid === first,
      stays: thread.pid === first,
      crowded: linux.threads.size > MANY_THREADS,
      records: recordsOf(driver),
      shm: regionsOf(driver, 'shm').filter(({ removed }) => !removed),
      relay: regionsOf(driver, 'relay').filter(({ removed }) => !removed),
      pids: [...linux.processes.keys()].filter((pid) => pid !== first && pid !== thread.pid).sort((a, b) => a - b),
    };
  }

  /** Somebody presses a button in the debugger's view of enclaves. */
  private button(): void {
    const all = this.system.enclaves();
    if (all.length === 0) return;
    const { instance } = this.r.pick(all);
    const operation = this.r.pick(['stop', 'resume', 'destroy'] as const);
    this.system.post({ kind: 'enclave', id: ++this.posted, operation, instance } as never);
  }

  // ---- the full check -------------------------------------------------------------------------------------------------------

  fullCheck(): void {
    const { system } = this;
    this.tally.fullChecks++;
    this.guard.afterCall();
    this.guard.fromScratch();
    checkOwnership(system.machine, system.monitor.snapshot() as never);
    checkLinux(system, this.linux, this.driver, this.own);
    this.putBack();
    system.drain();
  }

  /** A snapshot put back after the machine ran on is what it was, and runs on as it did. */
  private putBack(): void {
    const { system } = this;
    const before = system.hash();
    const snapshot = system.snapshot();
    const armed = new Map(this.armed);
    this.muted = true;
    const future = (): string => {
      const end = system.tick + 300_000;
      while (system.tick < end) if (system.run(tick(end)).reason === 'stop') system.machine.stepOverStop();
      return system.hash();
    };
    this.guard.forget(() => {
      const once = future();
      system.restore(snapshot);
      must(system.hash() === before, () => 'the system is another one after a restore');
      const twice = future();
      must(once === twice, () => 'the system went another way the second time');
      system.restore(snapshot);
    });
    for (const pid of [...this.armed.keys()]) if (armed.get(pid) !== this.armed.get(pid)) this.disarm(pid);
    for (const [pid, root] of armed) this.arm(pid, root);
    this.muted = false;
  }
}

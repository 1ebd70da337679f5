/**
 * The kernel's core object: the current state root, the hart and the ports, and the small operations everything else is made of.
 * The fields besides `state` are either constant or valid only within a step; nothing here survives one.
 */
import type { Hart } from '../hart/types';
import type { Machine } from '../machine/types';
import { MemoryFault, type SupervisorPort } from '../machine/ports';
import type { VirtualAddress } from '../units';
import { highWord, lowWord, withRegisters, savedPc } from '../hart/registers';
import { HartWord } from '../machine/layout';
import type { SbiCall } from './device';
import type { LinuxEvent } from './events';
import type { PhysicalLayout } from './memory/layout';
import type { Doing, Process, State, Thread } from './state';
import type { LinuxOptions } from './types';
import { UserMemory } from './memory/user';

/** Costs of the kernel's work in ticks: about what a small in-order core would need. */
export const enum Cost {
  TRAP = 60,
  CALL = 100,
  SWITCH = 120,
  FAULT = 200,
  SBI = 40,
  /** Per 64 bytes copied or zeroed. */
  LINE = 4,
  STEP = 20,
  /** Waking or ending one of many threads. */
  WAKE = 32,
}

export class Core {
  /**
   * The root as it is now. Its fields are immutable values; the record itself is the kernel's own and is changed by `set` only
   * (copying its 40 fields for every change took a quarter of the kernel's time). Whoever keeps a root keeps a copy: `copy`.
   */
  private root: State;
  hart: Hart;
  port: SupervisorPort;
  readonly user: UserMemory;
  /** Ticks the current step has cost so far. */
  cost = 0;

  constructor(
    readonly machine: Machine,
    readonly options: LinuxOptions,
    readonly layout: PhysicalLayout,
    initial: State,
  ) {
    this.root = { ...initial };
    this.hart = machine.harts[0]!;
    this.port = machine.supervisorPort(this.hart);
    this.user = new UserMemory(() => this.port.user);
  }

  get state(): State {
    return this.root;
  }

  set(patch: Partial<State>): void {
    Object.assign(this.root, patch);
  }

  /** The root to keep: it will not change any more. */
  copy(): State {
    return { ...this.root };
  }

  /** Puts a root that `copy` returned back in place. */
  replace(root: State): void {
    this.root = { ...root };
  }

  /** Ticks since power-on, as the time CSR shows them to this step. */
  get now(): number {
    return this.machine.tick;
  }

  charge(ticks: number): void {
    this.cost += ticks;
  }

  chargeBytes(bytes: number): void {
    this.cost += Math.ceil(bytes / 64) * Cost.LINE;
  }

  emit(event: LinuxEvent): void {
    this.machine.outbox.emit(event);
  }

  /** A line of the kernel's log. */
  log(text: string): void {
    this.emit({ kind: 'console', text: `${text}\n` });
  }

  thread(tid: number): Thread {
    const thread = this.state.threads.get(tid);
    if (!thread) throw new Error(`no thread ${tid}`);
    return thread;
  }

  process(pid: number): Process {
    const process = this.findProcess(pid);
    if (!process) throw new Error(`no process ${pid}`);
    return process;
  }

  /** A process, with the memory it really uses; undefined when there is none. */
  findProcess(pid: number): Process | undefined {
    const process = this.state.processes.get(pid);
    return process && process.borrows !== 0 ? { ...process, memory: this.process(process.borrows).memory } : process;
  }

  setThread(tid: number, patch: Partial<Thread>): void {
    this.set({ threads: this.state.threads.set(tid, { ...this.thread(tid), ...patch }) });
  }

  setProcess(pid: number, patch: Partial<Process>): void {
    const process = this.state.processes.get(pid);
    if (!process) throw new Error(`no process ${pid}`);
    let own = patch;
    if (patch.memory && process.borrows !== 0 && patch.borrows === undefined) {
      // Memory that is borrowed is its owner's.
      const { memory, ...rest } = patch;
      this.setProcess(process.borrows, { memory });
      own = rest;
    }
    this.set({ processes: this.state.processes.set(pid, { ...process, ...own }) });
  }

  /** Moves the current thread's user registers off the hart; before anything that clobbers them. */
  saveLive(): void {
    const { live, current } = this.state;
    if (!live || current === undefined) return;
    // The copy is not shared yet: its pc, which is the kernel's, becomes the user's. (A third of the cost of withRegisters.)
    const registers = this.hart.saveRegisters();
    const { sepc } = this.hart;
    registers.words[HartWord.PC] = lowWord(sepc);
    registers.words[HartWord.PC + 1] = highWord(sepc);
    this.setThread(current, { registers });
    this.set({ live: false });
  }

  /** The result of the current or another thread's system call. */
  setResult(tid: number, value: number): void {
    if (this.state.live && this.state.current === tid) this.hart.setX(10, value);
    else this.setThread(tid, { registers: withRegisters(this.thread(tid).registers, { x: { 10: value } }) });
  }

  /** The user program counter of a thread. */
  userPc(tid: number): VirtualAddress {
    if (this.state.live && this.state.current === tid) return this.hart.sepc;
    return savedPc(this.thread(tid).registers);
  }

  /** Makes an SBI call: the hart leaves S, the next step finds the result. */
  sbi(call: SbiCall, owner: Extract<Doing, { at: 'sbi' }>['owner'], count = 0): void {
    this.saveLive();
    call.args.forEach((value, index) => this.hart.setX(10 + index, value));
    this.hart.setX(16, call.function);
    this.hart.setX(17, call.extension);
    this.set({ doing: { at: 'sbi', owner, count } });
    this.charge(Cost.SBI);
    this.hart.ecall();
  }

  /** 32 random bits; the generator is part of the state (xoshiro128**). */
  random(): number {
    let [a, b, c, d] = this.state.random;
    const times = Math.imul(b, 5);
    const result = Math.imul((times << 7) | (times >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    this.set({ random: [a, b, c, d] });
    return result;
  }

  randomBytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.random();
      for (let i = 0; i < 4 && at + i < length; i++) bytes[at + i] = word >>> (8 * i);
    }
    return bytes;
  }
}

/** Four words of generator state from a seed (splitmix32). */
export function seedRandom(seed: number): [number, number, number, number] {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  return [next(), next(), next(), next()];
}

/**
 * Runs `body`; when it meets a memory fault, puts the state back to what it was and returns the fault. Accesses of `body` come
 * before its effects outside of the state (events, the hart, a driver's own data).
 */
export function attempt(core: Core, body: () => void): MemoryFault | undefined {
  const before = core.copy();
  core.user.reset();
  try {
    body();
    return undefined;
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error;
    core.replace(before);
    return error;
  }
}

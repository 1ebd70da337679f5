/**
 * The untrusted host OS as the machine's S personality: Linux's user ABI for riscv64, as far as host programs need it. Holds no state
 * but the core's root; a step is a few pieces of work (run.ts), each well under a millisecond.
 */
import { Privilege } from '../hart/types';
import type { Hart } from '../hart/types';
import { withRegisters } from '../hart/registers';
import type { Machine } from '../machine/types';
import { PAGE_SIZE, space, type Space } from '../units';
import { initialState, panic } from './boot';
import { callName } from './calls/table';
import { isDevicePhase } from './files/kinds/device';
import { Core } from './core';
import { prepareProgram } from './exec';
import type { Program } from './program';
import { layoutOf } from './memory/layout';
import { wholeFile } from './files/stat';
import { resolve } from './files/walk';
import { untouchedPage } from './memory/paging-in';
import { advance, arrive } from './run';
import type { State, Thread } from './state';
import type { Linux, LinuxInput, LinuxOptions, ProcessInfo, ThreadInfo } from './types';

export { imageHash } from './image-hash';
export { LaunchError } from './errors';

/** Ticks after which a step makes way, so that it stays far below a millisecond. */
const STEP_TICKS = 4000;

/**
 * The host OS for a machine, ready to boot when firmware enters S mode. Throws a LaunchError (errors.ts) when the program can't be
 * run, an Error when the machine's memory or a guest path is unusable.
 */
export function createLinux(machine: Machine, options: LinuxOptions): Linux {
  return new LinuxPersonality(machine, options);
}

class LinuxPersonality implements Linux {
  private readonly core: Core;
  private readonly program: Program;

  constructor(machine: Machine, options: LinuxOptions) {
    const layout = layoutOf(machine.ramSize);
    this.core = new Core(machine, options, layout, initialState(options, layout));
    this.program = prepareProgram(this.core);
  }

  step(hart: Hart): number {
    const { core } = this;
    core.hart = hart;
    core.cost = 0;
    try {
      if (!arrive(core)) while (core.cost < STEP_TICKS && advance(core, this.program));
    } catch (error) {
      panic(
        core,
        `an error of the host OS itself: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
    return Math.max(1, Math.ceil(core.cost));
  }

  snapshot(): unknown {
    return this.core.copy();
  }

  restore(root: unknown): void {
    this.core.replace(root as State);
  }

  post(input: LinuxInput): void {
    const { core } = this;
    const kept = input.kind === 'stdin' ? { ...input, bytes: input.bytes.slice() } : input;
    core.set({ inputs: core.state.inputs.push(kept) });
    core.machine.interrupt();
  }

  processes(): readonly ProcessInfo[] {
    return [...this.core.state.processes.values()]
      .sort((a, b) => a.pid - b.pid)
      .map(({ pid }) => this.core.process(pid))
      .filter(({ memory }) => memory.root !== 0)
      .map(({ pid, name, memory, images }) => ({ pid, name, space: space(memory.root / PAGE_SIZE), images }));
  }

  threads(): readonly ThreadInfo[] {
    return [...this.core.state.threads.values()]
      .sort((a, b) => a.pid - b.pid || a.tid - b.tid)
      .map((thread) => this.threadInfo(thread));
  }

  private threadInfo(thread: Thread): ThreadInfo {
    const { current } = this.core.state;
    const { call, wait } = thread;
    const isStopped = this.core.state.processes.get(thread.pid)?.stopped !== undefined;
    const phase = call?.phase;
    return {
      pid: thread.pid,
      tid: thread.tid,
      name: thread.name,
      state: current === thread.tid ? 'running' : isStopped ? 'stopped' : wait ? 'blocked' : 'ready',
      ...(call && wait ? { systemCall: callName(call.number) } : {}),
      ...(call && isDevicePhase(phase) ? { device: { path: phase.device, state: phase.state } } : {}),
      registers: this.registersOf(thread),
    };
  }

  /** Undefined while the hart is in the thread's user code; in a trap out of it the hart's registers are still the thread's. */
  private registersOf(thread: Thread): ThreadInfo['registers'] {
    const { state, hart } = this.core;
    if (!state.live || state.current !== thread.tid) return thread.registers;
    if (hart.privilege === Privilege.User) return undefined;
    // The kernel itself traps to the firmware (SFENCE.VMA under TVM) while the user's registers are on the hart.
    const fromUser = hart.privilege === Privilege.Machine && previousPrivilege(hart) === Privilege.User;
    return withRegisters(hart.saveRegisters(), { pc: fromUser ? hart.mepc : hart.sepc });
  }

  untouched(of: Space, page: number): Uint8Array | undefined {
    for (const { memory } of this.core.state.processes.values())
      if (memory.root / PAGE_SIZE === of) return untouchedPage(this.core, memory, page);
    return undefined;
  }

  file(path: string): Uint8Array | undefined {
    const { core } = this;
    const at = resolve(core.state, path, { from: core.state.fs.root, followLast: true });
    return typeof at === 'number' || at.inode === undefined ? undefined : wholeFile(core, at.inode);
  }

  get currentThread(): number | undefined {
    return this.core.state.current;
  }

  get exitStatus(): number | undefined {
    return this.core.state.exitStatus;
  }
}

const CSR_MSTATUS = 0x300;
/** mstatus.MPP: where the last trap to M came from. */
const previousPrivilege = (hart: Hart): Privilege => Number((hart.readCsr(CSR_MSTATUS) >> 11n) & 3n);

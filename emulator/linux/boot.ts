/**
 * From power-on at S to the first program: page tables of the kernel, the firmware's set-up calls, paging on, drivers, then user
 * space. Until the set-up calls the tables are plain memory; afterwards they are changed by the firmware only.
 */
import { List, Map } from 'immutable';
import { Interrupt } from '../hart/types';
import { NO_REFERENCES } from '../machine/references';
import { PAGE_SIZE } from '../units';
import { seedRandom, type Core } from './core';
import { buildTree } from './files/build';
import { NO_WATCHES } from './files/watches';
import { allocateFrames, initialBuddy, reach } from './memory/frames';
import { linear, type PhysicalLayout } from './memory/layout';
import { buildKernelTables } from './memory/tables';
import { loadRoot } from './paging';
import { addJob } from './scheduler';
import { NO_SOCKETS } from './sockets/types';
import type { State } from './state';
import { initialTty } from './tty';
import type { LinuxOptions } from './types';

const CSR_SSTATUS = 0x100;
const CSR_SIE = 0x104;
const CSR_STVEC = 0x105;
const CSR_SCOUNTEREN = 0x106;
/** sstatus: floating-point state dirty, SPIE; user mode after sret. */
const SSTATUS_INITIAL = (3n << 13n) | (1n << 5n);
const ALL_COUNTERS = 7n;

/** li a7, 139 (rt_sigreturn); ecall */
const TRAMPOLINE_CODE = [0x08b00893, 0x00000073];

export function initialState(options: LinuxOptions, layout: PhysicalLayout): State {
  const pool = { next: 0, freed: List<number>() };
  return {
    doing: { at: 'kernel' },
    boot: { phase: 'tables', index: 0 },
    root: 0,
    kernelRoot: 0,
    live: false,
    current: undefined,
    userSince: 0,
    threads: Map(),
    processes: Map(),
    zombies: Map(),
    borrowers: Map(),
    nextPid: 1,
    jobs: Map(),
    nextJob: -1,
    readyJobs: List(),
    yielded: [],
    ready: List(),
    queues: Map(),
    watches: NO_WATCHES,
    timers: null,
    lockHolders: Map(),
    alarms: [],
    timersOf: Map(),
    timerSet: Infinity,
    sliceEnd: 0,
    buddy: initialBuddy(layout),
    references: NO_REFERENCES,
    objects: Map(),
    segments: Map(),
    nextSegment: 0,
    nextObject: 1,
    pools: { root: pool, middle: pool, leaf: pool },
    entries: List(),
    fence: false,
    splits: Map(),
    listPage: 0,
    trampoline: 0,
    spurious: undefined,
    fs: buildTree(options.files, options.devices, options.nodes),
    moduleLoaded: false,
    locks: Map(),
    openFiles: Map(),
    nextFile: 1,
    pipes: Map(),
    nextPipe: 1,
    tty: initialTty(options),
    sockets: NO_SOCKETS,
    stdin: { chunks: List(), end: false },
    inputs: List(),
    random: seedRandom(options.seed),
    missing: Map(),
    exitStatus: undefined,
  };
}

/** The kernel can't go on: says why and stops the machine. */
export function panic(core: Core, reason: string): void {
  core.log(`Kernel panic: ${reason}`);
  core.machine.halt();
}

/** One step of booting; false when the hart has left S. Devices are booted by jobs, the last of which ends this. */
export function bootStep(core: Core): boolean {
  const { phase, index } = core.state.boot;
  switch (phase) {
    case 'tables':
      prepare(core);
      core.set({ boot: { phase: 'firmware', index: 0 } });
      return true;
    case 'firmware': {
      const call = core.options.pageTables.setup(core.layout.tables)[index];
      core.set({ boot: call ? { phase: 'firmware', index: index + 1 } : { phase: 'paging', index: 0 } });
      if (!call) return true;
      core.sbi(call, 'boot');
      return false;
    }
    case 'paging':
      core.set({ boot: { phase: 'devices', index: 0 } });
      addJob(core, { kind: 'boot-device', device: 0 });
      return loadRoot(core, core.state.kernelRoot);
    default:
      return true;
  }
}

function prepare(core: Core): void {
  const { hart } = core;
  hart.writeCsr(CSR_STVEC, BigInt.asUintN(64, BigInt(linear(core.layout.linear.start))));
  hart.writeCsr(CSR_SSTATUS, SSTATUS_INITIAL);
  hart.writeCsr(CSR_SCOUNTEREN, ALL_COUNTERS);
  hart.writeCsr(CSR_SIE, BigInt((1 << Interrupt.SupervisorSoftware) | (1 << Interrupt.SupervisorTimer)));
  buildKernelTables(core);
  core.set({ listPage: allocateFrames(core, 0)! });
  const trampoline = allocateFrames(core, 0)!;
  TRAMPOLINE_CODE.forEach((word, i) => core.port.writeU32(reach(core, trampoline + 4 * i), word));
  core.set({ trampoline });
  core.chargeBytes(PAGE_SIZE);
}

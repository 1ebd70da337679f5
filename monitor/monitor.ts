/**
 * The secure monitor: the machine's M-mode. Owns the boot of the hart, the dispatch of traps, and what the debugger may know of
 * enclaves. It works on the hart and on physical memory as guest code in M-mode would; enclaves and the host are real code in U- and
 * S-mode behind real page tables and PMP. (Privileged specification 1.12, machine-level ISA; Penglai-TVM.)
 */
import { Cause, Interrupt, Privilege, type Hart, type SavedRegisters } from '../emulator/hart/types';
import { withRegisters } from '../emulator/hart/registers';
import { MemoryFault } from '../emulator/machine/ports';
import type { Personality } from '../emulator/machine/personality';
import { pa, space, va, type Space } from '../emulator/units';
import { Csr, Mstatus, Physical, PmpEntry, Result } from './abi';
import { Core, type MonitorOptions } from './core';
import { TRAP_TICKS } from './costs';
import { enclaveCall } from './enclave-calls';
import { isShared, makeOwn } from './enclave-tables';
import { raiseFault } from './fault-hazards';
import { killRunning, leave, leaveForMemory } from './lifecycle';
import type { State } from './operations';
import { emulateTvm } from './page-tables';
import { stateOf } from './permission';
import { setPmp, setPmpAll } from './pmp';
import { sbiCall } from './sbi';
import { byInstance, chainOf, enclavesOf, shadowsOf, type Enclave, type MonitorState, type Shadow } from './state';
import { taskStep } from './tasks';
import { traceEntry, traceExit } from './trace/traps';
import type { Instance } from './types';

export type { MonitorOptions } from './core';

export interface Monitor extends Personality {
  /** Enclaves by eid, then templates by number; for the debugger. */
  enclaves(): readonly Enclave[];
  shadows(): readonly Shadow[];
  enclave(eid: number): Enclave | undefined;
  byInstance(instance: Instance): Enclave | Shadow | undefined;
  /** The enclave and everything that works for it, outermost first. */
  chain(head: Enclave): readonly Enclave[];
  /** Its state in the table of operations. */
  tableState(enclave: Enclave): State;
  /** The enclave whose code or call the hart is in. */
  running(): Enclave | undefined;
  /** User registers of an enclave, where it goes on; of a copy. Undefined before its first run and for an idle server. */
  registers(enclave: Enclave): SavedRegisters | undefined;
}

/** Exceptions that go to S-mode while the host runs. Illegal instructions don't: TVM traps are among them. */
const HOST_DELEGATION = [
  Cause.InstructionAddressMisaligned,
  Cause.InstructionAccessFault,
  Cause.Breakpoint,
  Cause.LoadAddressMisaligned,
  Cause.LoadAccessFault,
  Cause.StoreAddressMisaligned,
  Cause.StoreAccessFault,
  Cause.EcallFromUser,
  Cause.InstructionPageFault,
  Cause.LoadPageFault,
  Cause.StorePageFault,
].reduce((mask, cause) => mask | (1n << BigInt(cause)), 0n);

const bit = (interrupt: Interrupt): bigint => 1n << BigInt(interrupt);
const HOST_INTERRUPTS =
  bit(Interrupt.SupervisorSoftware) | bit(Interrupt.SupervisorTimer) | bit(Interrupt.SupervisorExternal);

/** `harts` are the machine's; this monitor drives a machine of one hart. */
export function createMonitor(options: MonitorOptions, harts: readonly Hart[]): Monitor {
  const m = new Core(options);
  const hart = harts[0]!;
  return {
    step(hart) {
      m.hart = hart;
      m.cost = 0;
      m.argument = undefined;
      const before = m.state;
      if (options.trace && before.phase !== 'reset' && before.tasks.length === 0) traceEntry(m);
      try {
        if (m.state.phase === 'reset') boot(m);
        else if (m.state.tasks.length > 0) taskStep(m);
        else trap(m);
      } catch (error) {
        failed(m, before, error);
      }
      if (options.trace) traceExit(m, before.running);
      return Math.max(1, m.cost);
    },
    snapshot: () => m.state,
    restore: (root) => void (m.state = root as MonitorState),
    enclaves: () => enclavesOf(m.state),
    shadows: () => shadowsOf(m.state),
    enclave: (eid) => m.enclave(eid),
    byInstance: (instance) => byInstance(m.state, instance),
    chain: (head) => chainOf(m.state, head),
    tableState: (enclave) => stateOf(m.state, enclave),
    running: () => m.enclave(m.state.running),
    registers(enclave) {
      if (enclave.eid !== m.state.running) return enclave.registers;
      const { privilege } = hart;
      const saved = hart.saveRegisters();
      return privilege === Privilege.User ? saved : withRegisters(saved, { pc: hart.mepc });
    },
  };
}

/** Space of an enclave as the debugger names it. */
export const spaceOf = (enclave: { readonly root: number }): Space => space(enclave.root);

function boot(m: Core): void {
  const { hart } = m;
  if (m.checks.monitorPmp) setPmp(m, PmpEntry.MONITOR, Physical.DRAM_BASE, Physical.SM_SIZE, 'none');
  setPmpAll(m, PmpEntry.ALL);
  hart.writeCsr(Csr.medeleg, HOST_DELEGATION);
  hart.writeCsr(Csr.mideleg, HOST_INTERRUPTS);
  hart.writeCsr(Csr.mie, bit(Interrupt.MachineSoftware));
  hart.writeCsr(Csr.mcounteren, 0xffffffffn);
  hart.writeCsr(Csr.scounteren, 0xffffffffn);
  hart.writeCsr(Csr.satp, 0n);
  hart.writeCsr(Csr.mstatus, (hart.readCsr(Csr.mstatus) & ~Mstatus.MPP) | (1n << 11n));
  // a0 and a1 as an SBI boot gives them: hart id, no device tree.
  hart.setX(10, hart.id);
  hart.setX(11, 0);
  hart.mepc = va(Physical.DRAM_BASE + Physical.SM_SIZE);
  m.update({ phase: 'running' });
  m.cost = TRAP_TICKS;
  hart.mret();
}

function trap(m: Core): void {
  const { hart } = m;
  m.cost = TRAP_TICKS;
  if (hart.mcauseIsInterrupt) return interrupt(m, hart.mcause);
  if (m.state.running >= 0) {
    if (hart.mcause === Cause.EcallFromUser) return enclaveCall(m);
    if (hart.mcause === Cause.StorePageFault && storeFault(m)) return;
    raiseFault(m, hart.mcause, hart.mtval);
    return killRunning(m, hart.mcause, hart.mtval, faultText(hart.mcause, hart.mtval));
  }
  if (hart.mcause === Cause.EcallFromSupervisor) return sbiCall(m);
  const from = Number((hart.readCsr(Csr.mstatus) >> 11n) & 3n) as Privilege;
  if (hart.mcause === Cause.IllegalInstruction && emulateTvm(m, hart.mtval, from)) return hart.mret();
  redirect(m, from);
}

/** A store to a page that an instance shares with its template: it gets its own and the store is done again. False for any other fault. */
function storeFault(m: Core): boolean {
  const enclave = m.enclave(m.state.running)!;
  const { mtval } = m.hart;
  if (!isShared(m, enclave, mtval)) return false;
  const missing = makeOwn(m, enclave, mtval, 1);
  if (missing > 0) leaveForMemory(m, missing);
  else m.hart.mret();
  return true;
}

const FAULTS: Readonly<Partial<Record<Cause, string>>> = {
  [Cause.InstructionAddressMisaligned]: 'jump to a misaligned address',
  [Cause.InstructionAccessFault]: 'instruction fetch from memory it does not own',
  [Cause.IllegalInstruction]: 'illegal instruction',
  [Cause.Breakpoint]: 'ebreak',
  [Cause.LoadAddressMisaligned]: 'misaligned load',
  [Cause.LoadAccessFault]: 'load from memory it does not own',
  [Cause.StoreAddressMisaligned]: 'misaligned store',
  [Cause.StoreAccessFault]: 'store to memory it does not own',
  [Cause.InstructionPageFault]: 'jump to an address that is not mapped as code',
  [Cause.LoadPageFault]: 'load from an address that is not mapped',
  [Cause.StorePageFault]: 'store to an address that is not mapped for writing',
};

function faultText(cause: number, value: number): string {
  const what = FAULTS[cause as Cause] ?? `trap with cause ${cause}`;
  return `${what} (0x${BigInt.asUintN(64, BigInt(value)).toString(16)})`;
}

/** An interrupt of the monitor's own: the host gets it as its own, and the hart if an enclave was on it. */
function interrupt(m: Core, number: number): void {
  const { hart } = m;
  if (number === Interrupt.MachineTimer) {
    // Until the host sets the next one.
    hart.writeCsr(Csr.mie, hart.readCsr(Csr.mie) & ~bit(Interrupt.MachineTimer));
    hart.setPending(Interrupt.SupervisorTimer, true);
  } else {
    m.port.writeU32(pa(Physical.CLINT + 4 * hart.id), 0);
    hart.setPending(Interrupt.SupervisorSoftware, true);
  }
  if (m.state.running >= 0) leave(m, 'RUNNABLE', Result.TIMER_IRQ, 0, 'timer');
  else hart.mret();
}

/** Hands an exception that is not the monitor's to S-mode, as hardware delegation would. */
function redirect(m: Core, from: Privilege): void {
  const { hart } = m;
  hart.sepc = hart.mepc;
  hart.writeCsr(Csr.scause, BigInt(hart.mcause));
  hart.stval = hart.mtval;
  let status = hart.readCsr(Csr.mstatus);
  const wasEnabled = (status & Mstatus.SIE) !== 0n;
  status &= ~(Mstatus.SPP | Mstatus.SPIE | Mstatus.SIE | Mstatus.MPP);
  status |= (1n << 11n) | (from === Privilege.User ? 0n : Mstatus.SPP) | (wasEnabled ? Mstatus.SPIE : 0n);
  hart.writeCsr(Csr.mstatus, status);
  hart.mepc = va(Number(BigInt.asIntN(64, hart.readCsr(Csr.stvec)) & ~3n));
  hart.mret();
}

/** A step that could not be done leaves the state as it was before it; the host's call or the enclave's ends with an error. */
function failed(m: Core, before: MonitorState, error: unknown): void {
  m.state = { ...before, tasks: [], undo: [] };
  m.log(`monitor: ${error instanceof MemoryFault ? error.message : String(error)}`);
  if (m.state.running >= 0) {
    m.hart.setX(10, Result.ERROR);
    m.hart.mepc = va(m.hart.mepc + 4);
    m.hart.mret();
  } else m.answer(Result.ERROR);
}

/**
 * What every part of the monitor works with during one step: the hart that trapped, physical memory, the state. Owns how
 * control leaves M-mode. Nothing here outlives a step except `state`.
 */
import type { Hart, SavedRegisters } from '../emulator/hart/types';
import type { MachinePort } from '../emulator/machine/ports';
import { pa, space, va, type PhysicalAddress } from '../emulator/units';
import { NAME_LEN, Result, SbiExtension } from './abi';
import { attestationOf, type Attestation, type AttestationSettings } from './attestation/machine';
import { ALL_CHECKS, type CheckName, type Checks } from './checks';
import type { EnclaveEvent } from './events';
import type { HazardArguments, HazardCode, HazardSite } from './hazards';
import { limitsOf, type Limits } from './limits';
import type { Enclave, MonitorState } from './state';
import { initialState, withEnclave, withoutEnclave } from './state';
import type { Task } from './task';
import type { Instance } from './types';

/** What the driver knows about an enclave; for events only, no decision depends on it. */
export interface EnclaveDescription {
  readonly eid: number;
  readonly pid: number;
  readonly imageHash: string;
}

/** Events as the monitor emits them: what the driver knows of a new enclave is filled in through `describe`. */
export interface MonitorOptions {
  readonly port: MachinePort;
  readonly ramSize: number;
  readonly emit: (event: EnclaveEvent) => void;
  /** The host thread the hart works for, 0 for none; for events only. */
  readonly currentThread: () => number;
  /** Where the host thread the hart works for made its system call; for events only. */
  readonly hostSite?: () => HazardSite | undefined;
  readonly describe: (eidPointer: number) => EnclaveDescription | undefined;
  /** Sets the hart's timer to a tick, Infinity for none. */
  readonly setTimer: (hart: Hart, at: number) => void;
  /** Ticks per unit of the `time` CSR, which SBI's set_timer counts in. */
  readonly ticksPerTime: number;
  /** Ends the machine (SRST). */
  readonly halt: () => void;
  readonly seed: number;
  /** How getrandom makes bytes: a good generator started by the seed (default), or the published monitor's. */
  readonly random?: 'seed' | 'device';
  /** Default: memory. */
  readonly limits?: Limits;
  /** How it measures and signs; without it as the published firmware on a machine that got no keys. */
  readonly attestation?: AttestationSettings | undefined;
  readonly checks?: Partial<Checks>;
  /** Every trap that has to do with enclaves is told. */
  readonly trace?: boolean;
}

export class Core {
  state: MonitorState;
  /** Set at the start of each step. */
  hart!: Hart;
  /** Ticks this step costs so far. */
  cost = 0;
  /** What this step read of an enclave's argument: see readOnce. */
  argument: { readonly eid: number; readonly address: number; readonly bytes: Uint8Array } | undefined;
  readonly checks: Checks;
  readonly limits: Limits;
  readonly attestation: Attestation;

  constructor(readonly options: MonitorOptions) {
    this.limits = options.limits ?? limitsOf();
    this.state = initialState(options.seed);
    this.checks = { ...ALL_CHECKS, ...options.checks };
    this.attestation = attestationOf(options.attestation);
  }

  /** Does the condition hold? Every check that keeps enclaves apart is asked through this, so that tests can switch it off. */
  holds(check: CheckName, condition: boolean): boolean {
    return condition || !this.checks[check];
  }

  get port(): MachinePort {
    return this.options.port;
  }

  update(change: Partial<MonitorState>): void {
    this.state = { ...this.state, ...change };
  }

  emit(event: EnclaveEvent): void {
    this.options.emit(event);
  }

  log(text: string): void {
    this.emit({ kind: 'monitor-log', text });
  }

  /** What a program did that goes wrong on a device: the enclave on the hart, else the host thread that called. */
  hazard(code: HazardCode, args: HazardArguments = {}, about?: Instance): void {
    const running = this.enclave(this.state.running);
    const instance = about ?? running?.instance;
    const site = running ? this.siteOf(running) : this.options.hostSite?.();
    this.emit({
      kind: 'hazard',
      code,
      tid: this.options.currentThread(),
      args,
      ...(instance === undefined ? {} : { instance }),
      ...(site === undefined ? {} : { site }),
    });
  }

  private siteOf({ root }: Enclave): HazardSite {
    const { hart } = this;
    return { space: space(root), pc: hart.mepc, ra: hart.getX(1), sp: hart.getX(2) };
  }

  enclave(eid: number): Enclave | undefined {
    return this.state.enclaves.get(eid);
  }

  /** Stores an enclave; tells a change of its state. */
  put(enclave: Enclave): void {
    const before = this.state.enclaves.get(enclave.eid);
    if (!before) return this.update(withEnclave(this.state, enclave));
    this.update({ enclaves: this.state.enclaves.set(enclave.eid, enclave) });
    if (before.state !== enclave.state)
      this.emit({ kind: 'enclave-state', instance: enclave.instance, state: enclave.state });
  }

  /** Takes an enclave out of the tables: its number is free. */
  remove(enclave: Enclave): void {
    this.update(withoutEnclave(this.state, enclave));
  }

  /** Changes fields of a live enclave. */
  change(eid: number, change: Partial<Enclave>): Enclave {
    const enclave = { ...this.state.enclaves.get(eid)!, ...change };
    this.put(enclave);
    return enclave;
  }

  queue(...tasks: readonly Task[]): void {
    this.update({ tasks: [...this.state.tasks, ...tasks] });
  }

  readU64(address: number): number {
    return this.port.readI64(pa(address));
  }

  read(address: number, length: number): Uint8Array {
    return this.port.read(pa(address), length);
  }

  /**
   * Ends the host's SBI call. Penglai calls answer 0 … 100 in a1 with a0 = 0 and errors in a0 alone; `detail` then is a1.
   * If the hart still holds an enclave's context, the host's is put back first.
   */
  answer(value: number, detail = 0): void {
    this.restoreHost();
    const ok = value >= 0 && value <= 100;
    this.finishSbi(ok ? 0 : value, ok ? value : detail);
  }

  /** Ends an SBI call with the standard pair. */
  finishSbi(error: number, value: number): void {
    const hart = this.hart;
    const legacy = hart.getX(17);
    hart.setX(10, error);
    // Legacy calls change a0 only.
    if (legacy < 0 || legacy >= SbiExtension.BASE) hart.setX(11, value);
    hart.mepc = va(hart.mepc + 4);
    hart.mret();
  }

  /** Puts the host's context back on the hart, as it was at its ecall; nothing to do when the host is on it. */
  restoreHost(): void {
    const host = this.state.hostContext;
    if (!host) return;
    const hart = this.hart;
    hart.loadRegisters(host.registers);
    hart.writeCsr(0x180, host.satp);
    hart.writeCsr(0x300, host.mstatus);
    hart.writeCsr(0x304, (hart.readCsr(0x304) & MACHINE_INTERRUPTS) | (host.mie & ~MACHINE_INTERRUPTS));
    hart.writeCsr(0x302, host.medeleg);
    hart.writeCsr(0x303, host.mideleg);
    hart.mepc = host.registers.words.length ? pcOf(host.registers) : hart.mepc;
    hart.fenceVma();
    this.update({ hostContext: undefined, running: -1 });
  }

  /** Reads a name of at most 16 bytes, up to its NUL. */
  readName(bytes: Uint8Array): string {
    let name = '';
    for (let i = 0; this.holds('nameLength', i < NAME_LEN) && bytes[i]; i++) name += String.fromCharCode(bytes[i]!);
    return name;
  }

  error(): void {
    this.answer(Result.ERROR);
  }
}

/** Bits of mie that are the monitor's own and follow the timer, not the host. */
const MACHINE_INTERRUPTS = (1n << 3n) | (1n << 7n) | (1n << 11n);

const pcOf = (registers: SavedRegisters) => va(registers.words[128 + 1]! * 2 ** 32 + (registers.words[128]! >>> 0));

export const physical = (address: number): PhysicalAddress => pa(address);

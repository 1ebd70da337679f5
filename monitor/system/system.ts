/**
 * One system from one launch description: machine, monitor, host OS, driver. Owns the log of what came from outside, replay, and the
 * joined views of the debugger. Holds no state of its own that decides anything: that lies in the machine and its personalities.
 */
import { savedPc, savedX } from '../../emulator/hart/registers';
import type { SavedRegisters } from '../../emulator/hart/types';
import { createLinux, imageHash } from '../../emulator/linux/linux';
import type { Linux } from '../../emulator/linux/types';
import { TIMEBASE_HZ } from '../../emulator/machine/clock';
import { createMachine } from '../../emulator/machine/machine';
import type { Stamped } from '../../emulator/machine/outbox';
import type { Personality } from '../../emulator/machine/personality';
import type { Machine, MachineExit, MachineSnapshot } from '../../emulator/machine/types';
import { PAGE_SIZE, tick, va, type Space, type Tick, type VirtualAddress } from '../../emulator/units';
import { DEVICE_PATH } from '../abi';
import type { Checks } from '../checks';
import { createDriver, type PenglaiDevice } from '../driver/driver';
import { SharedPage } from '../driver/core';
import type { EnclaveRecord } from '../driver/state';
import type { EnclaveEvent } from '../events';
import { fatalStatus, isFatal, type HazardCode, type HazardSite } from '../hazards';
import { limitsOf } from '../limits';
import { createMonitor, spaceOf, type Monitor } from '../monitor';
import type { Enclave } from '../state';
import type { Instance } from '../types';
import { enclaveInfos } from './enclaves';
import { pageTableFirmware } from './firmware';
import type {
  Context,
  CreateSystem,
  EnclaveInfo,
  ExternalInput,
  LaunchDescription,
  LoadSystem,
  LogEntry,
  System,
  SystemEvent,
  SystemSnapshot,
} from './types';

const DEFAULTS = {
  memoryMiB: 1024,
  clockHz: 100_000_000,
  /** 2026-01-01T00:00:00Z. */
  epoch: 1_767_225_600,
  seed: 1,
  /** 10 ms. */
  quantum: 1_000_000,
} as const;
const DEVICE_RANDOM = 12345;
/** A system call has returned to behind its ecall when a driver looks. */
const ECALL_BYTES = 4;
const FORMAT = 2;
/** Bytes that one read of a debugger may ask for. */
const READ_MAX = 16 * 1024 * 1024;

interface Saved {
  readonly format: number;
  readonly machine: unknown;
  readonly log: readonly LogEntry[];
  readonly position: number;
  readonly ended?: HazardCode | undefined;
}

class Snapshot implements SystemSnapshot {
  constructor(
    readonly tick: Tick,
    readonly machine: MachineSnapshot,
    readonly position: number,
    readonly ended: HazardCode | undefined,
  ) {}
}

export const createSystem: CreateSystem = (launch) => new ComposedSystem(launch, {});

/** For tests: a system in which single checks are switched off. */
export const createSystemWithoutChecks = (launch: LaunchDescription, checks: Partial<Checks>): ComposedSystem =>
  new ComposedSystem(launch, checks);

export const loadSystem: LoadSystem = (launch, saved) => {
  const system = new ComposedSystem(launch, {});
  system.load(saved);
  return system;
};

/** The ecall behind which a parked context goes on. */
const siteIn = (space: Space, registers: SavedRegisters): HazardSite => ({
  space,
  pc: savedPc(registers) - ECALL_BYTES,
  ra: savedX(registers, 1),
  sp: savedX(registers, 2),
});

export class ComposedSystem implements System {
  readonly machine: Machine;
  readonly clockHz: number;
  readonly monitor: Monitor;
  readonly linux: Linux;
  readonly device: PenglaiDevice;
  onEvent: ((event: Stamped<SystemEvent>) => boolean) | undefined;
  private entries: LogEntry[] = [];
  /** Entries before it have been applied. */
  private position = 0;
  /** The hazard that ended the machine. */
  private ended: HazardCode | undefined;
  private readonly images = new Map<string, Uint8Array>();

  constructor(
    private readonly launch: LaunchDescription,
    checks: Partial<Checks>,
  ) {
    this.clockHz = launch.clockHz ?? DEFAULTS.clockHz;
    const ramBytes = (launch.memoryMiB ?? DEFAULTS.memoryMiB) * 1024 * 1024;
    const machine = createMachine({ ramBytes, clockHz: this.clockHz });
    this.machine = machine;
    const limits = limitsOf(launch.limits);
    this.device = createDriver({
      limits,
      trace: launch.trace?.transitions === true,
      mmapOwnership: checks.deviceMmapOwnership ?? true,
      speaker: (eid) => this.speaker(eid),
      siteOf: (tid) => this.hostSite(tid),
      enclaveSite: (eid) => this.enclaveSite(eid),
      instanceOf: ({ kind, monitorEid }) =>
        (kind === 'SHADOW'
          ? this.monitor.shadows().find(({ id }) => id === monitorEid)
          : this.monitor.enclave(monitorEid)
        )?.instance,
    });
    this.monitor = createMonitor(
      {
        port: machine.machinePort,
        ramSize: machine.ramSize,
        emit: (event) => machine.outbox.emit(event),
        currentThread: () => this.linux.currentThread ?? 0,
        hostSite: () => this.hostSite(this.linux.currentThread),
        describe: (eidPointer) => this.device.byEidPointer(eidPointer),
        setTimer: (hart, at) => machine.setTimer(hart, tick(at)),
        ticksPerTime: this.clockHz / TIMEBASE_HZ,
        halt: () => machine.halt(),
        // The published monitor's generator begins with this number at every boot.
        seed: launch.limits === 'device' ? DEVICE_RANDOM : (launch.seed ?? DEFAULTS.seed),
        random: launch.limits === 'device' ? 'device' : 'seed',
        limits,
        trace: launch.trace?.transitions === true,
        attestation: launch.attestation,
        checks,
      },
      machine.harts,
    );
    this.linux = createLinux(machine, {
      program: launch.program,
      args: launch.args,
      ...(launch.argv0 === undefined ? {} : { argv0: launch.argv0 }),
      env: launch.env ?? {},
      cwd: launch.cwd ?? '/',
      files: launch.files,
      ...(launch.nodes === undefined ? {} : { nodes: launch.nodes }),
      devices: [this.device],
      pageTables: pageTableFirmware,
      clockHz: this.clockHz,
      epoch: launch.epoch ?? DEFAULTS.epoch,
      seed: launch.seed ?? DEFAULTS.seed,
      terminal: launch.terminal ?? false,
      interactive: launch.interactive ?? false,
      quantum: launch.schedule?.quantum ?? DEFAULTS.quantum,
      vary: launch.schedule?.vary ?? false,
      ...(launch.trace?.systemCalls === undefined ? {} : { trace: { systemCalls: launch.trace.systemCalls } }),
    });
    machine.personalities.machine = this.monitor;
    machine.personalities.supervisor = withDevice(this.linux, this.device);
    machine.outbox.listener = (event) => this.heard(event as Stamped<SystemEvent>);
  }

  /** Where a host thread made the system call it is in. */
  private hostSite(tid: number | undefined): HazardSite | undefined {
    const thread = this.linux.threads().find((other) => other.tid === tid);
    const process = thread && this.linux.processes().find((other) => other.pid === thread.pid);
    if (!thread?.registers || !process) return undefined;
    return siteIn(process.space, thread.registers);
  }

  /** Every event, replayed ones too: what a device would not survive ends the machine here, if that is wanted. */
  private heard(event: Stamped<SystemEvent>): boolean {
    if (event.kind === 'hazard' && this.launch.hazards === 'end' && isFatal(event.code)) {
      this.ended ??= event.code;
      this.machine.halt();
    }
    return this.onEvent?.(event) ?? false;
  }

  get endedBy(): HazardCode | undefined {
    return this.ended;
  }

  private enclaveSite(eid: number): HazardSite | undefined {
    const enclave = this.monitor.enclave(eid);
    const registers = enclave && this.monitor.registers(enclave);
    return registers && siteIn(spaceOf(enclave), registers);
  }

  private speaker(eid: number): { instance: Instance; name: string } | undefined {
    const enclave = this.monitor.enclave(eid);
    return enclave && { instance: enclave.instance, name: enclave.name };
  }

  get tick(): Tick {
    return this.machine.tick;
  }

  run(until: Tick): MachineExit {
    for (;;) {
      const next = this.entries[this.position];
      if (next && next.tick <= this.tick) {
        this.position++;
        this.apply(next.input);
        continue;
      }
      const limit = next && next.tick < until ? next.tick : until;
      const exit = this.machine.run(limit);
      const replayed = next && (exit.reason === 'idle' || (exit.reason === 'until' && this.tick < until));
      if (!replayed) return exit;
      if (exit.reason === 'idle' && next.tick > this.tick) return exit;
    }
  }

  post(input: ExternalInput): void {
    // What lay in the future was another history.
    this.entries = [...this.entries.slice(0, this.position), { tick: this.tick, input }];
    this.position = this.entries.length;
    this.apply(input);
  }

  private apply(input: ExternalInput): void {
    if (input.kind !== 'enclave') return this.linux.post(input);
    const { id, operation, instance } = input;
    const known = this.monitor.byInstance(instance);
    const record = known && this.device.byEidPointer(known.eidPointer);
    // An instance that is gone has no id: the driver answers EINVAL.
    this.linux.post({ kind: 'device', id, path: DEVICE_PATH, command: { operation, eid: record?.eid ?? -1 } });
  }

  get log(): readonly LogEntry[] {
    return this.entries;
  }

  drain(): readonly Stamped<SystemEvent>[] {
    return this.machine.outbox.drain() as Stamped<SystemEvent>[];
  }

  processes() {
    return this.linux.processes();
  }

  threads() {
    return this.linux.threads();
  }

  get currentThread(): number | undefined {
    return this.linux.currentThread;
  }

  enclaves(): readonly EnclaveInfo[] {
    return enclaveInfos(this.monitor, this.device);
  }

  contexts(tid: number): readonly Context[] {
    const thread = this.linux.threads().find((other) => other.tid === tid);
    const process = thread && this.linux.processes().find((other) => other.pid === thread.pid);
    if (!thread || !process) return [];
    const host: Context = {
      world: { kind: 'host', pid: thread.pid },
      space: process.space,
      // Undefined while the hart is in the thread's own code: then they are on it.
      registers: thread.registers ?? this.machine.harts[0]!.saveRegisters(),
    };
    const record = this.device.byRunner(tid);
    const head = record && this.headOf(record);
    if (!head) return [host];
    const inside = this.monitor.chain(head).flatMap((enclave): Context[] => {
      const registers = this.monitor.registers(enclave);
      if (!registers) return [];
      return [
        {
          world: { kind: 'enclave', instance: enclave.instance },
          space: spaceOf(enclave),
          registers,
          enteredBy: enclave === head ? 'run' : 'call_enclave',
          ...(enclave.state === 'STOPPED' ? { stopped: true } : {}),
        },
      ];
    });
    return [...inside.reverse(), host];
  }

  /** The enclave of a record. Before RUN of a template has come back once, its instance is unknown to the driver, and on the hart. */
  private headOf({ monitorEid, shared }: EnclaveRecord): Enclave | undefined {
    if (monitorEid >= 0) return this.monitor.enclave(monitorEid);
    const running = this.monitor.running();
    const head = running && (running.top >= 0 ? this.monitor.enclave(running.top) : running);
    return head?.eidPointer === shared.pa + SharedPage.eid ? head : undefined;
  }

  read(space: Space, address: VirtualAddress, length: number): Uint8Array {
    const wanted = Math.min(length, READ_MAX);
    const parts = [this.machine.debugPort.read(space, address, wanted)];
    let done = parts[0]!.length;
    while (done < wanted) {
      const at = address + done;
      const page = Math.floor(at / PAGE_SIZE) * PAGE_SIZE;
      const size = Math.min(wanted - done, page + PAGE_SIZE - at);
      const present = this.machine.debugPort.read(space, va(at), size);
      const piece = present.length === size ? present : this.linux.untouched(space, page)?.subarray(at - page);
      if (!piece) break;
      parts.push(piece.subarray(0, size));
      done += size;
    }
    return parts.length === 1 ? parts[0]! : joined(parts, done);
  }

  image(hash: string): Uint8Array | undefined {
    const loaded = this.device.image(hash);
    if (loaded) return loaded;
    if (this.images.size === 0) for (const { bytes } of this.launch.files) this.images.set(imageHash(bytes), bytes);
    return this.images.get(hash);
  }

  file(path: string): Uint8Array | undefined {
    return this.linux.file(path);
  }

  get exitStatus(): number | undefined {
    return this.ended === undefined ? this.linux.exitStatus : fatalStatus(this.ended);
  }

  snapshot(): SystemSnapshot {
    return new Snapshot(this.tick, this.machine.snapshot(), this.position, this.ended);
  }

  giveUp(snapshot: SystemSnapshot): void {
    if (!(snapshot instanceof Snapshot)) throw new Error('not a snapshot of this system');
    this.machine.giveUp(snapshot.machine);
  }

  restore(snapshot: SystemSnapshot): void {
    if (!(snapshot instanceof Snapshot)) throw new Error('not a snapshot of this system');
    this.machine.restore(snapshot.machine);
    this.position = snapshot.position;
    this.ended = snapshot.ended;
  }

  hash(): string {
    return this.machine.hash();
  }

  save(): unknown {
    const saved: Saved = {
      format: FORMAT,
      machine: this.machine.save(),
      log: this.entries,
      position: this.position,
      ended: this.ended,
    };
    return saved;
  }

  /** Puts saved state back. Throws an Error that names both formats when they differ. */
  load(data: unknown): void {
    const saved = data as Partial<Saved> | undefined;
    if (saved?.format !== FORMAT)
      throw new Error(
        `The saved state has format ${String(saved?.format)}, this version reads ${FORMAT}. Run the program again and save it anew.`,
      );
    this.machine.load(saved.machine);
    this.machine.outbox.assumeDelivered();
    this.entries = [...saved.log!];
    this.position = saved.position!;
    this.ended = saved.ended;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The host OS as the machine's S personality, its driver's state part of its own. */
function withDevice(linux: Linux, device: PenglaiDevice): Personality {
  return {
    step: (hart) => linux.step(hart),
    snapshot: () => ({ linux: linux.snapshot(), device: device.snapshot() }),
    restore(root) {
      const { linux: kernel, device: driver } = root as { linux: unknown; device: unknown };
      linux.restore(kernel);
      device.restore(driver);
    },
  };
}

/** A tick, from a number of seconds of virtual time. */
export const after = (system: System, seconds: number): Tick =>
  tick(system.tick + Math.round(seconds * system.clockHz));

export type { EnclaveEvent };

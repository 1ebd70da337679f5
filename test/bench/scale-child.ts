/**
 * One run of the scale bench in a process of its own, so that its memory is its own: argument is a ScaleRun as JSON, the answer one line of
 * JSON. Times are from the first step of a request on the device to the event that ends what is timed: of CREATE in CPU time, of a fork by the
 * clock, because asking for CPU time takes as long as a fork does; of many forks the median counts.
 */
import { readFileSync } from 'node:fs';
import { createSM3 } from 'hash-wasm';
import { sm3 } from 'sm-crypto-v2';
import { prepareImageHash } from '../../emulator/linux/image-hash';
import { buddyFreePages } from '../../emulator/linux/memory/buddy';
import type { State as LinuxState } from '../../emulator/linux/state';
import { PAGE_SIZE, tick } from '../../emulator/units';
import { Ioctl } from '../../monitor/abi';
import type { DriverState } from '../../monitor/driver/state';
import type { MonitorState } from '../../monitor/state';
import { Recording } from '../../monitor/system/recording';
import { ComposedSystem } from '../../monitor/system/system';

export interface ScaleRun {
  readonly what: 'forks' | 'crowd' | 'cycles' | 'bytes';
  readonly host: string;
  readonly enclave: string;
  readonly count: number;
  readonly memoryMiB: number;
  readonly recording: boolean;
  /** What `bytes` hashes and copies. */
  readonly bytes: number;
}

export interface ScaleResult {
  /** Milliseconds: the best CREATE of a template or an enclave; RUN of a template up to the instance's first instruction, in order. */
  readonly create: number;
  readonly forks: readonly number[];
  /** Lines the instances printed; the host's output. */
  readonly printed: number;
  readonly output: string;
  readonly live: number;
  readonly stopped: number;
  readonly snapshots: number;
  readonly seconds: number;
  readonly ticks: number;
  readonly rssMiB: number;
  /** Free pages of the kernel and of the monitor, and entries of tables, after each of some of the cycles. */
  readonly flat: readonly Level[];
  /** Of `bytes`: milliseconds. */
  readonly sm3Wasm: number;
  readonly sm3Script: number;
  readonly copy: number;
}

export interface Level {
  readonly cycle: number;
  readonly kernelPages: number;
  readonly monitorPages: number;
  readonly entries: number;
  readonly heapMiB: number;
}

/** Ticks between two looks at the outside, about as a session takes them. */
const SLICE = 1_000_000;
/** Threads take turns often: an instance is stopped when its first turn is over. */
const QUANTUM = 20_000;
const LEVELS = 20;

/** CPU time of this process so far: what else the computer does is not measured. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** When requests on the device began, by host thread, and how long those took that are over. */
class Stopwatch {
  private readonly began = new Map<number, { readonly cpu: number; readonly clock: number }>();
  readonly creates: number[] = [];
  readonly forks: number[] = [];

  constructor(system: ComposedSystem) {
    const { device } = system;
    const { ioctl } = device;
    device.ioctl = (kernel, request, file, state, input) => {
      const command = request.command >>> 0;
      if (state === undefined && command === Ioctl.RUN_ENCLAVE)
        this.began.set(input.caller.tid, { cpu: 0, clock: performance.now() });
      if (state === undefined && command === Ioctl.CREATE_ENCLAVE)
        this.began.set(input.caller.tid, { cpu: cpuMs(), clock: 0 });
      return ioctl(kernel, request, file, state, input);
    };
  }

  created(tid: number): void {
    this.creates.push(cpuMs() - (this.began.get(tid)?.cpu ?? NaN));
  }

  forked(tid: number): void {
    this.forks.push(performance.now() - (this.began.get(tid)?.clock ?? NaN));
  }
}

/** What must not grow: free memory of kernel and monitor, and the entries of their tables. */
function levelOf(system: ComposedSystem, cycle: number): Level {
  const kernel = system.linux.snapshot() as LinuxState;
  const monitor = system.monitor.snapshot() as MonitorState;
  const driver = system.device.snapshot() as DriverState;
  const tables: readonly { readonly size: number }[] = [
    ...[monitor.enclaves, monitor.shadows, monitor.byInstance, monitor.names, monitor.owned, monitor.hidden],
    ...[driver.enclaves, driver.byShared, driver.byMonitorEid, driver.byRunner, driver.blocks, driver.extended],
    ...[kernel.threads, kernel.queues, kernel.references, kernel.splits, kernel.openFiles],
  ];
  return {
    cycle,
    kernelPages: buddyFreePages(kernel.buddy, Math.ceil(Math.log2(system.machine.ramSize / PAGE_SIZE))),
    monitorPages: monitor.memory.free,
    entries: tables.reduce((sum, { size }) => sum + size, 0),
    heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
  };
}

function runScale({ what, host, enclave, count, memoryMiB, recording }: ScaleRun): Partial<ScaleResult> {
  const file = (path: string, from: string) => ({ path, bytes: new Uint8Array(readFileSync(from)), mode: 0o755 });
  const system = new ComposedSystem(
    {
      program: '/root/host',
      args: [what, '/root/enclave', String(count)],
      cwd: '/root',
      files: [file('/root/host', host), file('/root/enclave', enclave)],
      memoryMiB,
      schedule: { quantum: QUANTUM },
    },
    {},
  );
  const watch = new Stopwatch(system);
  const flat: Level[] = [];
  let gone = 0;
  let [printed, output, log] = [0, '', ''];
  system.onEvent = (event) => {
    if (event.kind === 'transition' && event.name === 'run' && what !== 'cycles') watch.forked(event.tid);
    else if (event.kind === 'enclave-created' && event.template === undefined) watch.created(system.currentThread ?? 0);
    else if (event.kind === 'enclave-gone' && ++gone % Math.ceil(count / LEVELS) === 0) return true;
    return false;
  };
  const began = cpuMs();
  const record = recording ? new Recording(system) : undefined;
  for (;;) {
    const { reason } = system.run(tick(system.tick + SLICE));
    for (const event of system.drain()) {
      if (event.kind === 'console' && event.source === undefined) log += event.text;
      else if (event.kind === 'monitor-log') log += `${event.text}\n`;
      else if (event.kind === 'console') printed += event.text.split('hello world!\n').length - 1;
      else if (event.kind === 'output') output += new TextDecoder().decode(event.bytes);
    }
    // The host program has exited, or waits for nothing.
    if (reason === 'halted' || reason === 'idle') break;
    if (reason === 'event') flat.push(levelOf(system, gone));
    record?.look();
  }
  if (what !== 'crowd' && system.exitStatus !== 0)
    throw new Error(`the host ended with ${system.exitStatus}: ${output}${log}`);
  const instances = system.enclaves().filter(({ template }) => template !== undefined);
  return {
    create: Math.min(...watch.creates),
    forks: watch.forks,
    printed,
    output,
    live: instances.filter(({ tid }) => tid !== undefined).length,
    stopped: instances.filter(({ state }) => state === 'STOPPED').length,
    snapshots: record?.snapshots.length ?? 0,
    seconds: (cpuMs() - began) / 1000,
    ticks: system.tick,
    flat,
  };
}

/** The best of some times, in milliseconds. */
function best(times: number, work: () => unknown): number {
  let shortest = Infinity;
  for (let i = 0; i < times; i++) {
    const began = cpuMs();
    work();
    shortest = Math.min(shortest, cpuMs() - began);
  }
  return shortest;
}

async function measureBytes({ bytes }: ScaleRun): Promise<Partial<ScaleResult>> {
  const [data, copy] = [new Uint8Array(bytes), new Uint8Array(bytes)];
  for (let i = 0; i < bytes; i += PAGE_SIZE) data[i] = copy[i] = i >> 12;
  const hasher = await createSM3();
  return {
    sm3Wasm: best(3, () => hasher.init().update(data).digest()),
    sm3Script: best(1, () => sm3(data)),
    copy: best(5, () => copy.set(data)),
  };
}

const run = JSON.parse(process.argv[2]!) as ScaleRun;
void (async () => {
  await prepareImageHash();
  const result = run.what === 'bytes' ? await measureBytes(run) : runScale(run);
  process.stdout.write(JSON.stringify({ ...result, rssMiB: process.resourceUsage().maxRSS / 1024 }));
})();

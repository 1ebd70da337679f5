/**
 * `npm run bench -- --hosts`: the workloads where the machine runs: in Node, in a worker of Chromium, in a process that VS Code's extension host starts as
 * it starts a debug adapter, and in the extension host itself. In turn, the same number of rounds; compared is the CPU time of the machine's run (all
 * threads), best of several turns: of Chromium that of all its processes meanwhile, which only Linux tells; elsewhere the time by the clock.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineName } from '../../emulator/machine/types';
import type { ChildResult } from './child';
import { JobServer, type HostResult } from './jobs';
import { geomean } from './report';
import { timed } from './timed';
import { imageOf, type Workload } from './workloads';

export interface HostsOptions {
  readonly engine?: EngineName;
  /** CPU seconds that one run in Node is to take. */
  readonly seconds: number;
  readonly turns: number;
}

type Host = 'node' | 'chromium' | 'adapter' | 'extension host';

/** What ran there. */
export interface Ran {
  readonly engine: EngineName;
  /** Regions that the translator made; 0 when there was none. */
  readonly regions: number;
  /** The runtime multiplies and adds with one rounding. */
  readonly fused: boolean;
}

export interface HostsRow {
  readonly name: string;
  readonly rounds: number;
  readonly instructions: number;
  /** Seconds: CPU time, or by the clock where that can't be known; absent where the runtime is not installed. */
  readonly cpu: Partial<Record<Host, number>>;
  readonly wall: Partial<Record<Host, number>>;
  readonly ran: Partial<Record<Host, Ran>>;
}

export interface HostsReport {
  readonly about: Readonly<Record<string, string>>;
  readonly rows: readonly HostsRow[];
  /** Geometric means of the speed as a multiple of Node's. */
  readonly geomeans: Partial<Record<Host, number | null>>;
}

/** CPU seconds so far of a process and all it has started; undefined where /proc does not tell. */
function cpuOfTree(root: number): number | undefined {
  const ticks = new Map<number, { parent: number; ticks: number }>();
  try {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        // The name in parentheses may contain anything.
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        ticks.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
      } catch {
        // It has just ended.
      }
    }
  } catch {
    return undefined;
  }
  const within = (pid: number): boolean => pid === root || (ticks.has(pid) && within(ticks.get(pid)!.parent));
  let sum = 0;
  for (const [pid, { ticks: own }] of ticks) if (within(pid)) sum += own;
  // Linux tells them to programs in hundredths of a second (USER_HZ).
  return sum === 0 ? undefined : sum / 100;
}

/** A runtime that fetches jobs. */
interface Runtime {
  readonly host: Host;
  run(image: string, rounds: number): Promise<{ cpu: number; wall: number; result: HostResult }>;
}

const MODULES: Readonly<Record<string, string>> = { chromium: 'chromium.mjs', workbench: 'test-host.mjs' };
const workbench = (name: string): string => join(process.cwd(), 'extension/workbench', MODULES[name]!);

function gone(child: ChildProcess): Promise<unknown> {
  return new Promise((done) => child.once('exit', done));
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

class Hosts {
  private readonly children: ChildProcess[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'penglai-hosts-'));
  private jobs!: JobServer;
  private address!: string;
  private vscodeGone: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly bundles: string,
    private readonly engine: EngineName | undefined,
    private readonly say: (line: string) => void,
  ) {}

  async start(): Promise<Runtime[]> {
    this.jobs = new JobServer(readFileSync(join(this.bundles, 'browser-worker.js'), 'utf8'));
    this.address = await this.jobs.listen();
    const started = [this.node(), await this.chromium(), ...(await this.vscode())];
    return started.filter((runtime) => runtime !== undefined);
  }

  get about(): Readonly<Record<string, string>> {
    return { node: `Node.js ${process.version}, V8 ${process.versions.v8}`, ...Object.fromEntries(this.jobs.about) };
  }

  private run(rounds: number) {
    return { rounds, ...(this.engine === undefined ? {} : { engine: this.engine }) };
  }

  node(): Runtime {
    return {
      host: 'node',
      run: async (image, rounds) => {
        const child = join(this.bundles, 'child.js');
        const { stdout } = timed(process.execPath, [child, image, JSON.stringify(this.run(rounds))]);
        const result = JSON.parse(stdout) as ChildResult;
        return { cpu: result.runSeconds, wall: result.wallSeconds, result };
      },
    };
  }

  private async chromium(): Promise<Runtime | undefined> {
    const { findChromium } = (await import(workbench('chromium'))) as { findChromium(): string | undefined };
    const program = findChromium();
    if (program === undefined) {
      this.say('Chromium is not installed.');
      return undefined;
    }
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
    const sandbox = [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--user-data-dir=${this.folder}/browser`,
    ];
    const child = spawn(program, ['--headless', ...sandbox, ...quiet, this.address], {
      stdio: 'ignore',
      detached: true,
    });
    this.children.push(child);
    await this.jobs.ready('browser', gone(child));
    return {
      host: 'chromium',
      run: async (image, rounds) => {
        let before: number | undefined;
        const started = (): void => {
          before = cpuOfTree(child.pid!);
        };
        const result = await this.jobs.do('browser', { image, run: this.run(rounds) }, started);
        const after = cpuOfTree(child.pid!);
        const cpu = before === undefined || after === undefined ? result.wallSeconds : after - before;
        return { cpu, wall: result.wallSeconds, result };
      },
    };
  }

  private async vscode(): Promise<Runtime[]> {
    const given = process.env['VSCODE_EXECUTABLE'];
    const [command, ...first] = given === undefined ? [process.execPath, workbench('workbench')] : [given];
    const carrier = join(process.cwd(), 'test/extension/packaged/carrier');
    const tests = join(this.bundles, 'vscode-host.js');
    const args = [`--extensionDevelopmentPath=${carrier}`, `--extensionTestsPath=${tests}`, this.folder];
    const env = { ...process.env, BENCH_ADDRESS: this.address };
    const child = spawn(command!, [...first, ...args], { env, stdio: ['ignore', 'ignore', 2], detached: true });
    this.children.push(child);
    this.vscodeGone = gone(child);
    try {
      await this.jobs.ready('vscode', this.vscodeGone);
    } catch (error) {
      this.say(`VS Code did not start: ${(error as Error).message}`);
      return [];
    }
    return (['adapter', 'extension host'] as const).map((host) => ({
      host,
      run: async (image, rounds) => {
        const result = await this.jobs.do('vscode', { image, run: this.run(rounds), where: host });
        return { cpu: result.runSeconds ?? result.wallSeconds, wall: result.wallSeconds, result };
      },
    }));
  }

  async end(): Promise<void> {
    this.jobs.finish();
    // VS Code ends by itself when there are no more jobs.
    await Promise.race([this.vscodeGone, new Promise((done) => setTimeout(done, 10_000))]);
    this.jobs.close();
    for (const child of this.children) endGroup(child);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Rounds that take about so many CPU seconds in Node. */
async function roundsFor(node: Runtime, image: string, seconds: number): Promise<number> {
  for (let rounds = 8; ; rounds *= 4) {
    const { cpu } = await node.run(image, rounds);
    if (cpu > seconds / 4) return Math.max(1, Math.round((rounds * seconds) / cpu));
  }
}

async function measureOne(workload: Workload, runtimes: readonly Runtime[], options: HostsOptions): Promise<HostsRow> {
  const image = imageOf(workload);
  const rounds = await roundsFor(runtimes[0]!, image, options.seconds);
  const [cpu, wall]: [Partial<Record<Host, number>>, Partial<Record<Host, number>>] = [{}, {}];
  const ran: Partial<Record<Host, Ran>> = {};
  let instructions = 0;
  for (let turn = 0; turn < options.turns; turn++)
    for (const { host, run } of runtimes) {
      const { cpu: seconds, wall: clock, result } = await run(image, rounds);
      const { output, engine, translated, fused } = result;
      if (output !== `checksum ${workload.checksum}\n`)
        throw new Error(`${workload.name} in ${host} printed ${output}`);
      cpu[host] = Math.min(cpu[host] ?? Infinity, seconds);
      wall[host] = Math.min(wall[host] ?? Infinity, clock);
      ran[host] = { engine, regions: translated?.made ?? 0, fused };
      ({ instructions } = result);
    }
  return { name: workload.name, rounds, instructions, cpu, wall, ran };
}

/** What a host did otherwise than Node.js, so that its time is another engine's, or that of other instructions. */
export function differences({ name, ran }: Pick<HostsRow, 'name' | 'ran'>): string[] {
  const { node, ...others } = ran;
  return Object.entries(others).flatMap(([host, { engine, regions, fused }]) => [
    ...(engine === node!.engine ? [] : [`${name} in ${host}: the engine is ${engine}, not ${node!.engine}`]),
    ...(regions > 0 || node!.regions === 0 ? [] : [`${name} in ${host}: nothing was translated`]),
    ...(fused === node!.fused ? [] : [`${host}: ${fused ? 'a' : 'no'} fused multiply-add`]),
  ]);
}

/** Measures and tells. `bundles` is the folder of the bundled programs. */
export async function measureHosts(
  list: readonly Workload[],
  bundles: string,
  options: HostsOptions,
  say: (line: string) => void,
): Promise<HostsReport> {
  const hosts = new Hosts(bundles, options.engine, say);
  const rows: HostsRow[] = [];
  try {
    const runtimes = await hosts.start();
    for (const [who, about] of Object.entries(hosts.about)) say(`${who}: ${about}`);
    const names = runtimes.map(({ host }) => host);
    const cell = (text: string): string => text.padStart(16);
    say(`${'workload'.padEnd(14)}${names.map((name, i) => cell(i === 0 ? 'node, CPU s' : name)).join('')}`);
    const ratio = (row: HostsRow, host: Host): number => row.cpu.node! / row.cpu[host]!;
    for (const workload of list) {
      const row = await measureOne(workload, runtimes, options);
      rows.push(row);
      const others = names.slice(1).map((host) => cell(`${ratio(row, host).toFixed(3)}x`));
      say(`${row.name.padEnd(14)}${cell(row.cpu.node!.toFixed(2))}${others.join('')}`);
    }
    for (const difference of new Set(rows.flatMap(differences))) say(difference);
    const geomeans = Object.fromEntries(
      names.slice(1).map((host) => [host, geomean(rows.map((row) => ratio(row, host)))]),
    );
    const means = Object.values(geomeans).map((value) => cell(`${value?.toFixed(3)}x`));
    say(`${'geomean'.padEnd(14)}${cell('')}${means.join('')}`);
    return { about: hosts.about, rows, geomeans };
  } finally {
    await hosts.end();
  }
}

/**
 * What VS Code's extension host runs in place of extension tests: asks the benchmark for jobs and does them in a process of its own, started as VS
 * Code starts a debug adapter that is a Node program (`cp.fork` under VS Code's own runtime), or here in the extension host.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ChildResult } from './child';
import type { HostResult, Job } from './jobs';
import { prepare, type MachineResult } from './machine';

/** What VS Code forks a debug adapter with, depending on its own runtime (`debugAdapter.ts` of its extension host). */
const EXEC_ARGV =
  process.versions['electron'] === undefined
    ? []
    : ['-e', 'delete process.env.ELECTRON_RUN_AS_NODE;require(process.argv[1])'];

/** As the debug adapter's process. */
function inProcess({ image, run }: Job): Promise<HostResult> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'child.js'), [image, JSON.stringify(run)], {
      silent: true,
      execArgv: EXEC_ARGV,
    });
    let [text, errors] = ['', ''];
    child.stdout!.on('data', (data: Buffer) => (text += data.toString()));
    child.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as ChildResult);
      else reject(new Error(errors));
    });
  });
}

/** Milliseconds for which the extension host does not answer: one that is silent for long is unresponsive to VS Code. */
const SILENT_MS = 50;

async function here({ image, run }: Job): Promise<HostResult> {
  const slices = prepare(new Uint8Array(readFileSync(image)), run);
  const [began, before] = [performance.now(), process.cpuUsage()];
  let result: MachineResult | undefined;
  for (let due = began + SILENT_MS; !result;) {
    result = slices.next().value ?? undefined;
    if (performance.now() < due) continue;
    await setImmediate();
    due = performance.now() + SILENT_MS;
  }
  const { user, system } = process.cpuUsage(before);
  return { ...result, runSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - began) / 1000 };
}

/** Asks for a job until there is one: `fetch` waits for five minutes, other runtimes may have work for longer. */
async function asked(url: string): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      if (cause?.code !== 'UND_ERR_HEADERS_TIMEOUT') throw error;
    }
  }
}

/** Called by VS Code; the benchmark's address is in the environment. Ends when there are no more jobs. */
export async function run(): Promise<void> {
  const { BENCH_ADDRESS: address } = process.env;
  const { versions, execPath } = process;
  const about = `${versions['electron'] === undefined ? '' : `Electron ${versions['electron']}, `}Node.js ${versions.node}, V8 ${versions.v8}, ${execPath}`;
  for (;;) {
    const response = await asked(`${address}/job/vscode?about=${encodeURIComponent(about)}`);
    if (response.status !== 200) return;
    const job = (await response.json()) as Job;
    const answer = await (job.where === 'extension host' ? here(job) : inProcess(job)).catch((error: unknown) => ({
      error: String(error),
    }));
    await fetch(`${address}/result/vscode`, { method: 'POST', body: JSON.stringify(answer) });
  }
}

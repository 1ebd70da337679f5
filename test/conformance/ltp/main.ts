/**
 * `npm run ltp`: the system-call tests of the Linux Test Project on the whole system, each also under qemu-riscv64, with counts per call.
 * `LTP` names the built tree, `LTP_ROOT` a folder with the C library (and /bin/sh, /etc/passwd) they run with. Options: --only <regular
 * expression>, --jobs <n>, --seconds <of wall clock per test>, --no-linux, --linux <file> (outcomes of Linux are kept there), --json <file>.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onLinux, withoutLinux } from './linux';
import { report, type Result } from './report';
import { readTests, type LtpTest } from './tests';
import type { Outcome } from './outcome';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '30' },
    'no-linux': { type: 'boolean', default: false },
    linux: { type: 'string' },
    json: { type: 'string' },
  },
});
const ltp = process.env.LTP;
const root = process.env.LTP_ROOT ?? '/usr/riscv64-linux-gnu';
if (!ltp) {
  console.log('skipped: LTP does not name a tree of the Linux Test Project that was built for riscv64');
  process.exit(0);
}

/** Tests after which a process makes way for a new one. */
const TESTS_PER_CHILD = 40;
/** Seconds beyond its own limit after which a child is in a loop of the host OS itself. */
const GRACE = 60;

/** One process that runs tests. */
class Worker {
  private child: ChildProcess | undefined;
  private count = 0;

  private async start(): Promise<ChildProcess> {
    const child = fork(join(__dirname, 'child.js'), [root, values.seconds], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await new Promise((resolve) => child.once('message', resolve));
    this.count = 0;
    return child;
  }

  async run(test: LtpTest): Promise<Outcome> {
    if (this.count >= TESTS_PER_CHILD) this.end();
    this.child ??= await this.start();
    this.count++;
    const { child } = this;
    return new Promise((resolve) => {
      const done = (outcome: Outcome): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(outcome);
      };
      const lost = (said: string): void => {
        this.end();
        done({ verdict: 'crashed', status: undefined, said });
      };
      const limit = Number(values.seconds) + GRACE;
      const timer = setTimeout(() => lost(`the system itself did not come back for ${limit} s`), limit * 1000);
      child.once('message', done);
      child.once('exit', (code, signal) => lost(`the process of the system ended: ${code ?? signal}`));
      child.send(test);
    });
  }

  end(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }
}

async function main(): Promise<void> {
  const { tests, missing } = readTests(ltp!);
  const wanted = tests.filter(({ title }) => new RegExp(values.only).test(title));
  const known: Record<string, Outcome> =
    values.linux && existsSync(values.linux) ? JSON.parse(readFileSync(values.linux, 'utf8')) : {};
  const without = values['no-linux'] ? 'not asked for' : withoutLinux();
  if (without) console.log(`not compared with Linux: ${without}`);
  const results: Result[] = [];
  const queue = [...wanted];
  const work = async (): Promise<void> => {
    const worker = new Worker();
    for (let test = queue.shift(); test; test = queue.shift()) {
      const here = await worker.run(test);
      if (!without) known[test.title] ??= await onLinux(test, root, Number(values.seconds));
      const there = known[test.title];
      results.push({ title: test.title, group: test.group, here, there });
      const took = here.milliseconds === undefined ? '' : ` ${(here.milliseconds / 1000).toFixed(1)} s`;
      console.log(`${test.title}: ${here.verdict}${there ? ` (Linux: ${there.verdict})` : ''}${took}`);
      if (values.linux && !without) writeFileSync(values.linux, JSON.stringify(known, undefined, 1));
      if (values.json) writeFileSync(values.json, JSON.stringify(results, undefined, 1));
    }
    worker.end();
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  console.log(report(results, missing));
  if (results.some(({ here }) => here.verdict === 'crashed')) process.exitCode = 1;
}

void main();

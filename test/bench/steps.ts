/**
 * How long the steps of the monitor and of the host OS take: nothing is answered during one. Runs the samples that are built, cold and
 * warm, and prints the longest steps. A step that one run finds long and another short was disturbed: the shortest of several counts.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Personality } from '../../emulator/machine/personality';
import { tick } from '../../emulator/units';
import { createSystem } from '../../monitor/system/system';

const BUILD = join(process.cwd(), 'samples/build');
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  'hello-world': ['hello-world', '4'],
  'shadow-fork': ['hello-world', '7'],
  'server-chain': ['caller', 'server', 'server1'],
  'stop-resume': ['loop'],
};
const ROUNDS = 5;

/** Milliseconds of every step of one run, in order. */
function stepsOf(sample: string): { level: string; at: number; ms: number }[] {
  const folder = join(BUILD, sample);
  const files = readdirSync(folder)
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => ({ path: `/root/${file}`, bytes: new Uint8Array(readFileSync(join(folder, file))), mode: 0o755 }));
  const system = createSystem({ program: '/root/host', argv0: './host', args: SAMPLES[sample]!, cwd: '/root', files });
  const steps: { level: string; at: number; ms: number }[] = [];
  const timed = (personality: Personality, level: string): Personality => ({
    step(hart) {
      const [at, began] = [system.tick, performance.now()];
      const cost = personality.step(hart);
      steps.push({ level, at, ms: performance.now() - began });
      return cost;
    },
    snapshot: () => personality.snapshot(),
    restore: (root) => personality.restore(root),
  });
  const { personalities } = system.machine;
  personalities.machine = timed(personalities.machine!, 'monitor');
  personalities.supervisor = timed(personalities.supervisor!, 'host OS');
  const { reason } = system.run(tick(2_000_000_000));
  if (reason !== 'halted' || system.exitStatus !== 0)
    throw new Error(`${sample}: ${reason}, exit status ${system.exitStatus}`);
  return steps;
}

function report(label: string, steps: ReturnType<typeof stepsOf>): void {
  const total = steps.reduce((sum, { ms }) => sum + ms, 0);
  const longest = [...steps].sort((a, b) => b.ms - a.ms).slice(0, 3);
  const list = longest.map(({ level, at, ms }) => `${ms.toFixed(2)} ms (${level}, tick ${at})`).join(', ');
  const over = steps.filter(({ ms }) => ms > 1).length;
  console.log(`${label}: ${steps.length} steps, ${total.toFixed(0)} ms, ${over} over 1 ms; longest ${list}`);
}

/** Measures and prints. */
export function reportSteps(): void {
  if (!existsSync(join(BUILD, 'hello-world/host'))) {
    console.log('samples/build is empty: npm run build fills it');
    return;
  }
  for (const sample of Object.keys(SAMPLES)) {
    const first = stepsOf(sample);
    report(`${sample}, first run`, first);
    let best = first;
    for (let round = 0; round < ROUNDS; round++) {
      const again = stepsOf(sample);
      best = best.map((step, i) => (again[i]!.ms < step.ms ? again[i]! : step));
    }
    report(`${sample}, best of ${ROUNDS + 1}`, best);
  }
}

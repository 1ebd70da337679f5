/** Processes and what they cost: CPU time (user and system, all threads, start-up included), as only the shell knows it of its children. */
import { spawnSync } from 'node:child_process';

/** For what hangs: 200,000 loops take eight minutes of CPU time. */
const LONGEST_MS = 3_600_000;

export interface Ran {
  readonly seconds: number;
  readonly stdout: string;
  readonly status: number;
}

/** Runs a command and measures its CPU time. Throws an Error when it can't be run, is killed, or ends with another status than `statuses`. */
export function timed(command: string, args: readonly string[], statuses: readonly number[] = [0]): Ran {
  // The command's own messages are kept apart from what the shell says of its times.
  const script = 'TIMEFORMAT="%3U %3S"; exec 3>&2; time "$@" 2>&3';
  const { status, stdout, stderr, error } = spawnSync('bash', ['-c', script, 'bash', command, ...args], {
    encoding: 'utf8',
    timeout: LONGEST_MS,
    maxBuffer: 64 * 2 ** 20,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (status === null || !statuses.includes(status))
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `status ${status}: ${stdout}${stderr}`}`);
  const [user, system] = stderr.trim().split(/\s+/).slice(-2).map(Number);
  return { seconds: user! + system!, stdout, status };
}

/** Is the command installed? */
export const works = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that `part` (0 to 1) of some numbers do not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

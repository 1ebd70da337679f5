/**
 * Runs one program with an argument array, never through a shell, and collects what it prints.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

export interface Outcome {
  /** Exit status; 127 if the program could not be started, 128 if a signal ended it. */
  readonly status: number;
  /** stdout and stderr as they came, at most a megabyte. */
  readonly text: string;
}

const TEXT_LIMIT = 1 << 20;

export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  return new Promise((done) => {
    let text = '';
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (chunk: Buffer): void => {
      if (text.length < TEXT_LIMIT) text += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => done({ status: 127, text: error.message }));
    child.on('close', (code, signal) =>
      done({ status: code ?? 128, text: signal ? `${text}ended by ${signal}` : text }),
    );
  });
}

/** Absolute path of a program named as a path or found in PATH; undefined if it is not there or not executable. */
export function which(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const candidates =
    isAbsolute(name) || name.includes('/')
      ? [resolve(name)]
      : (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder || '.', name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

/** Runs `work` on every item, at most `limit` at a time; the first failure is thrown after the running ones ended. */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/**
 * Builds the samples: in each sample's folder host.c becomes `host`, every other C file an enclave of its name.
 *
 * An output is built again when its content would differ: other sources, SDK, compiler, flags or place.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { COMPILE_VERSION, compile, sdkFiles } from './compile';
import type { Compiler, Kind } from './compiler';
import { identityOf } from './compiler';
import { errors } from './errors';
import type { Layout } from './layout';

interface Target {
  readonly sample: string;
  readonly name: string;
  readonly kind: Kind;
  readonly source: string;
  readonly out: string;
}

export interface Built {
  /** Paths of the files that were built, relative to the samples' folder. */
  readonly built: readonly string[];
  /** How many were up to date. */
  readonly current: number;
}

/** Names of all samples, sorted: the folders with a host.c. */
export function sampleNames(layout: Layout): string[] {
  const names = existsSync(layout.samples) ? readdirSync(layout.samples) : [];
  return names.filter((name) => existsSync(join(layout.samples, name, 'host.c'))).sort();
}

/**
 * @param names samples to build; empty for all
 * @throws ToolchainError no-samples, unknown-sample, and what compile() throws
 */
export async function buildSamples(
  tools: { compiler: Compiler; layout: Layout; say: (line: string) => void },
  names: readonly string[],
): Promise<Built> {
  const { compiler, layout, say } = tools;
  const all = sampleNames(layout);
  if (all.length === 0) throw errors.noSamples(layout.samples);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw errors.unknownSample(unknown, all);

  const built: string[] = [];
  let current = 0;
  for (const target of (names.length > 0 ? names : all).flatMap((name) => targetsOf(layout, name))) {
    const stamp = stampOf(compiler, layout, target);
    if (isCurrent(target, stamp)) {
      current++;
      continue;
    }
    await compile(tools, { kind: target.kind, sources: [target.source], out: target.out });
    writeFileSync(stampFile(target), stamp);
    const path = relative(layout.samples, target.out);
    say(`built ${path} (${compiler.kind}, ${Math.ceil(statSync(target.out).size / 1024)} KiB)`);
    built.push(path);
  }
  return { built, current };
}

function targetsOf(layout: Layout, sample: string): Target[] {
  const folder = join(layout.samples, sample);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .sort()
    .map((file) => {
      const name = file.slice(0, -2);
      const out = join(layout.build, sample, name);
      return { sample, name, kind: name === 'host' ? 'host' : 'eapp', source: join(folder, file), out };
    });
}

const stampFile = (target: Target): string => join(target.out, '..', `.${target.name}.stamp`);

/** Everything that the output's bytes depend on, as a hash. */
function stampOf(compiler: Compiler, layout: Layout, target: Target): string {
  const folder = join(layout.samples, target.sample);
  const headers = readdirSync(folder)
    .filter((file) => file.endsWith('.h'))
    .sort()
    .map((file) => join(folder, file));
  const hash = createHash('sha256').update(JSON.stringify([identityOf(compiler), COMPILE_VERSION, target]));
  for (const path of [target.source, ...headers, ...sdkFiles(layout, target.kind)])
    hash.update(`\0${path}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

function isCurrent(target: Target, stamp: string): boolean {
  const file = stampFile(target);
  if (!existsSync(target.out) || !existsSync(file) || readFileSync(file, 'utf8') !== stamp) return false;
  // A source can be newer and yet the same (a fresh checkout). The debugger warns about programs older than their source.
  if (statSync(target.source).mtimeMs > statSync(target.out).mtimeMs) utimesSync(target.out, new Date(), new Date());
  return true;
}

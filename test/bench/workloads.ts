/** The frozen workloads: what workloads.json says of them, their images, and how the images are built anew from their sources. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What most of a workload's time goes into; `fma` is built with multiplications and additions fused. */
export type Kind = 'integer' | 'float' | 'fma';
export const KINDS: readonly Kind[] = ['integer', 'float', 'fma'];

export interface Workload {
  readonly name: string;
  readonly kind: Kind;
  readonly source: string;
  /** What every round comes to, as qemu-riscv64 found when the image was built. */
  readonly checksum: string;
  /** Instructions of a round after the first. */
  readonly instructions: number;
}

interface Manifest {
  /** Hash of the sources that the images were built from. */
  sources: string;
  workloads: { -readonly [Field in keyof Workload]: Workload[Field] }[];
}

/** From the project's folder, where npm runs scripts and tests. */
export const FOLDER = join(process.cwd(), 'test/bench/workloads');
const MANIFEST = join(FOLDER, 'workloads.json');

const manifest = (): Manifest => JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
export const workloads = (): readonly Workload[] => manifest().workloads;
export const imageOf = ({ name }: Workload): string => join(FOLDER, 'images', `${name}.elf`);

/** What can be measured: an image with the workloads' runtime, and what every round comes to. */
export interface Measurable {
  readonly name: string;
  readonly kind: string;
  readonly image: string;
  readonly checksum: string;
}

const COMPILER = 'riscv64-linux-gnu-gcc';
const FLAGS = [
  ...['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', '-O2', '-std=c17', '-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-fno-math-errno', '-fno-pic', '-fno-asynchronous-unwind-tables'],
  // The runtime's own memcpy is a loop that must not become a call of itself.
  '-fno-tree-loop-distribute-patterns',
  ...['-static', '-nostdlib', '-Wl,--build-id=none', '-Wl,-z,max-page-size=4096', '-Wl,-z,noexecstack', '-s'],
];

/** Everything the images are made from: sources by name, and the flags. */
function sourcesHash(): string {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  const files = readdirSync(FOLDER).filter((name) => /\.(c|h|S|ld)$/.test(name));
  for (const name of files.sort()) hash.update(`\0${name}\0`).update(readFileSync(join(FOLDER, name)));
  return hash.digest('hex');
}

/** True when the images are those of the sources as they are now. */
export const imagesAreCurrent = (): boolean => manifest().sources === sourcesHash();

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

/** Builds an image of C sources with the workloads' runtime, and returns the checksum that qemu-riscv64 finds. */
export function build(image: string, sources: readonly string[], flags: readonly string[]): string {
  const inputs = [...['start.S', 'runtime.c'].map((name) => join(FOLDER, name)), ...sources];
  run(COMPILER, [...FLAGS, ...flags, '-T', join(FOLDER, 'link.ld'), '-o', image, ...inputs]);
  const checksum = /^checksum ([0-9a-f]{16})$/m.exec(run('qemu-riscv64', [image, '2']))?.[1];
  if (!checksum) throw new Error(`${image} printed no checksum`);
  return checksum;
}

/**
 * Builds every image anew and takes down the checksums as qemu-riscv64 finds them, and the hash of the sources. Names, kinds and numbers of
 * instructions are written by hand (the test of the images says what they should be). What is kept was made by gcc 12.2, binutils 2.40.
 */
export function buildImages(): void {
  const found = manifest();
  for (const workload of found.workloads) {
    const contract = `-ffp-contract=${workload.kind === 'fma' ? 'fast' : 'off'}`;
    const checksum = build(imageOf(workload), [join(FOLDER, workload.source)], [contract]);
    if (workload.checksum !== checksum) console.log(`${workload.name}: checksum ${workload.checksum} -> ${checksum}`);
    workload.checksum = checksum;
  }
  writeFileSync(MANIFEST, JSON.stringify({ ...found, sources: sourcesHash() }, null, 2) + '\n');
}

/**
 * Programs for the adapter's tests: built from programs/ with whatever compiler the samples are built with, once per run, in a
 * folder of their own; and files that are wrong in one particular way, made from a sample without a compiler.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { compile } from '../../../samples/toolchain/compile';
import type { Compiler } from '../../../samples/toolchain/compiler';
import { findCompiler } from '../../../samples/toolchain/find';
import { layoutOf } from '../../../samples/toolchain/layout';
import { root } from './client';

export const folder = mkdtempSync(join(tmpdir(), 'penglai-adapter-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const layout = layoutOf(root);
let compiler: Promise<Compiler> | undefined;
const built = new Map<string, Promise<string>>();

export const programSource = (name: string) => join(root, 'test', 'integration', 'adapter', 'programs', name);

/** Builds a program of programs/ or any other source; returns its path. */
export function build(kind: 'host' | 'eapp', source: string, name = basename(source, '.c'), flags: string[] = []) {
  const key = `${kind} ${source} ${name} ${flags.join(' ')}`;
  let path = built.get(key);
  if (!path) built.set(key, (path = compileOnce(kind, source, join(folder, name), flags)));
  return path;
}

const theCompiler = (): Promise<Compiler> =>
  (compiler ??= findCompiler({ layout, env: process.env, say: () => undefined }));

/** Tests of where exactly a step goes are written for the line tables of one compiler. */
export const compilerKind = async (): Promise<Compiler['kind']> => (await theCompiler()).kind;

async function compileOnce(kind: 'host' | 'eapp', source: string, out: string, flags: string[]): Promise<string> {
  await compile({ compiler: await theCompiler(), layout }, { kind, sources: [source], out, flags });
  return out;
}

/** A copy of a file with its bytes changed. */
export function variant(of: string, name: string, change: (bytes: Buffer) => Buffer | void): string {
  const bytes = readFileSync(of);
  const out = join(folder, name);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, change(bytes) ?? bytes, { mode: 0o755 });
  return out;
}

/** A copy that claims to have been built long ago. */
export function old(of: string, name: string): string {
  const out = join(folder, name);
  mkdirSync(dirname(out), { recursive: true });
  copyFileSync(of, out);
  utimesSync(out, 1_000_000_000, 1_000_000_000);
  return out;
}

const [E_MACHINE, E_PHOFF, E_PHNUM, PH_SIZE] = [18, 32, 56, 56];
const [PT_INTERP, PT_GNU_STACK, EM_X86_64] = [3, 0x6474e551, 62];

export const forX86 = (of: string) =>
  variant(of, 'x86/host', (bytes) => void bytes.writeUInt16LE(EM_X86_64, E_MACHINE));
export const cutShort = (of: string) =>
  variant(of, 'cut/host', (bytes) => bytes.subarray(0, Math.floor(bytes.length / 3)));

/** As if it had been built without -g: the names of the debug sections are no longer known. */
export function withoutDebugInfo(of: string, name = 'stripped'): string {
  return variant(of, name, (bytes) => {
    for (let at = bytes.indexOf('.debug_'); at >= 0; at = bytes.indexOf('.debug_', at + 1)) bytes.write('.xebug_', at);
  });
}

/** As if it had been linked dynamically: its PT_GNU_STACK becomes a PT_INTERP. */
export function dynamic(of: string): string {
  return variant(of, 'dynamic/host', (bytes) => {
    const loader = Buffer.from('/lib/ld-linux-riscv64-lp64d.so.1\0');
    const headers = Number(bytes.readBigUInt64LE(E_PHOFF));
    for (let i = 0; i < bytes.readUInt16LE(E_PHNUM); i++) {
      const at = headers + i * PH_SIZE;
      if (bytes.readUInt32LE(at) !== PT_GNU_STACK) continue;
      bytes.writeUInt32LE(PT_INTERP, at);
      bytes.writeBigUInt64LE(BigInt(bytes.length), at + 8);
      bytes.writeBigUInt64LE(BigInt(loader.length), at + 32);
      bytes.writeBigUInt64LE(BigInt(loader.length), at + 40);
      return Buffer.concat([bytes, loader]);
    }
    throw new Error('no PT_GNU_STACK to change');
  });
}

/** Line of a `// bp: name` marker, from 1. */
export function markerLine(source: string, marker: string): number {
  const lines = readFileSync(source, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.trimEnd().endsWith(`bp: ${marker}`));
  if (at < 0) throw new Error(`${source} has no marker ${marker}`);
  return at + 1;
}

/**
 * What differs between gcc, clang and zig: the command lines. Pure tables and functions; runs nothing.
 *
 * Two kinds of program are built. A host is an ordinary static riscv64 Linux program. An enclave (eapp) is rv64imac, soft-float
 * lp64, freestanding, laid out by the SDK's linker script.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './layout';

export type Kind = 'host' | 'eapp';

export interface Compiler {
  readonly kind: 'gcc' | 'clang' | 'zig';
  /** Absolute path of the executable itself. */
  readonly path: string;
  /** Where zig's own headers and libraries are when they are not beside the executable. */
  readonly zigLib?: string;
}

/** One command to run. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Names the very compiler, without starting it: a different or updated one must lead to new outputs. */
export function identityOf(compiler: Compiler): string {
  const { size, mtimeMs } = statSync(compiler.path);
  return `${compiler.kind} ${compiler.path} ${size} ${mtimeMs}`;
}

/** For every source, whatever the compiler. */
const COMMON = ['-fno-stack-protector'];

/**
 * Enclaves: no C library, no position independence, and unwind information only in .debug_frame, where the debugger reads it,
 * because a loaded .eh_frame would be measured and take memory of every instance.
 */
const EAPP = [
  '-march=rv64imac',
  '-mabi=lp64',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-pie',
  '-fno-common',
  '-fno-asynchronous-unwind-tables',
  '-fno-unwind-tables',
];

const TARGETS = {
  clang: { host: ['--target=riscv64-linux-gnu'], eapp: ['--target=riscv64-unknown-elf', '-mno-relax'] },
  // zig takes the instruction set from -mcpu. Its undefined-behaviour traps are on unless they are switched off.
  zig: {
    host: ['-target', 'riscv64-linux-musl', '-fno-sanitize=undefined'],
    eapp: ['-target', 'riscv64-freestanding-none', '-mcpu=generic_rv64+m+a+c', '-mno-relax', '-fno-sanitize=undefined'],
  },
};

function targetFlags(compiler: Compiler, kind: Kind): readonly string[] {
  const eapp = kind === 'eapp' ? EAPP : ['-fno-pie'];
  if (compiler.kind === 'gcc') return eapp;
  if (compiler.kind === 'clang') return [...TARGETS.clang[kind], ...eapp];
  return [...TARGETS.zig[kind], ...eapp.filter((flag) => !flag.startsWith('-march='))];
}

function environment(compiler: Compiler, layout: Layout): NodeJS.ProcessEnv {
  if (compiler.kind !== 'zig') return {};
  const cache = join(layout.cache, 'zig');
  return {
    ZIG_GLOBAL_CACHE_DIR: cache,
    ZIG_LOCAL_CACHE_DIR: cache,
    ...(compiler.zigLib && { ZIG_LIB_DIR: compiler.zigLib }),
  };
}

/** How the compiler is called: zig has its C compiler behind a subcommand. */
function cc(compiler: Compiler, layout: Layout, args: readonly string[]): Command {
  const prefix = compiler.kind === 'zig' ? ['cc'] : [];
  return { program: compiler.path, args: [...prefix, ...args], env: environment(compiler, layout) };
}

/**
 * Compiles one source to an object file. To be run in `folder`, the source's own.
 *
 * zig and clang are told the folder too: zig caches objects by the hash of the command line, not of the folder it runs in, and would
 * otherwise give back an object whose debug information names another folder.
 */
export function compileCommand(
  compiler: Compiler,
  layout: Layout,
  job: {
    kind: Kind;
    source: string;
    folder: string;
    object: string;
    flags: readonly string[];
    systemIncludes: readonly string[];
  },
): Command {
  const include = join(layout.sdk, job.kind, 'include');
  const folder = compiler.kind === 'gcc' ? [] : [`-fdebug-compilation-dir=${job.folder}`];
  // An enclave has the SDK's headers and the compiler's own (stdarg.h, stdint.h ...), never the host's C library.
  const headers =
    job.systemIncludes.length > 0 ? ['-nostdinc', ...job.systemIncludes.flatMap((path) => ['-isystem', path])] : [];
  return cc(compiler, layout, [
    ...targetFlags(compiler, job.kind),
    ...COMMON,
    ...folder,
    ...headers,
    '-I',
    include,
    ...job.flags,
    '-c',
    job.source,
    '-o',
    job.object,
  ]);
}

const EAPP_LINK = ['-z', 'max-page-size=4096', '-z', 'noexecstack', '--build-id=none', '-X'];
const forDriver = (flags: readonly string[]): string => `-Wl,${flags.join(',')}`;

/** Links an enclave by the SDK's linker script. */
export function linkEappCommand(
  compiler: Compiler,
  layout: Layout,
  objects: readonly string[],
  out: string,
  flags: readonly string[],
): Command {
  const script = join(layout.sdk, 'eapp', 'eapp.lds');
  if (compiler.kind === 'zig') {
    const args = ['ld.lld', '-static', '-T', script, ...EAPP_LINK, ...objects, ...linkerFlags(flags), '-o', out];
    return { program: compiler.path, args, env: environment(compiler, layout) };
  }
  const driver = compiler.kind === 'clang' ? ['--target=riscv64-unknown-elf', '-fuse-ld=lld'] : ['-no-pie'];
  return cc(compiler, layout, [
    ...driver,
    '-march=rv64imac',
    '-mabi=lp64',
    '-nostdlib',
    '-static',
    '-T',
    script,
    forDriver(EAPP_LINK),
    ...objects,
    ...flags,
    '-o',
    out,
  ]);
}

/** Libraries that a zig host is linked with: see musl.ts. */
export interface Musl {
  readonly crt1: string;
  readonly libraries: readonly string[];
}

export function linkHostCommand(
  compiler: Compiler,
  layout: Layout,
  objects: readonly string[],
  out: string,
  flags: readonly string[],
  musl: Musl | undefined,
): Command {
  if (musl) {
    const libraries = ['--start-group', ...musl.libraries, '--end-group'];
    const own = ['-z', 'max-page-size=4096', '--eh-frame-hdr', '--build-id=none', '-X'];
    return {
      program: compiler.path,
      args: ['ld.lld', '-static', ...own, musl.crt1, ...objects, ...linkerFlags(flags), ...libraries, '-o', out],
      env: environment(compiler, layout),
    };
  }
  const driver = compiler.kind === 'clang' ? ['--target=riscv64-linux-gnu', '-fuse-ld=lld'] : [];
  return cc(compiler, layout, [...driver, '-static', '-no-pie', ...objects, ...flags, '-lpthread', '-o', out]);
}

/** Builds the smallest program with a C library, so that zig builds the library; stripped, so that it has no debug information. */
export function muslCommand(compiler: Compiler, cache: string, source: string, out: string): Command {
  return {
    program: compiler.path,
    args: ['cc', ...TARGETS.zig.host, '-s', '-O2', '-static', source, '-o', out],
    env: {
      ZIG_GLOBAL_CACHE_DIR: cache,
      ZIG_LOCAL_CACHE_DIR: cache,
      ...(compiler.zigLib && { ZIG_LIB_DIR: compiler.zigLib }),
    },
  };
}

const isLinkFlag = (flag: string): boolean => /^-(l|L|Wl,)|\.(o|a)$/.test(flag);

/** Splits a user's flags into those for compiling and those for linking. */
export function splitFlags(flags: readonly string[]): { compile: string[]; link: string[] } {
  return { compile: flags.filter((flag) => !isLinkFlag(flag)), link: flags.filter(isLinkFlag) };
}

/** musl has all of these in libc.a. */
const IN_LIBC = new Set(['-lc', '-lm', '-lpthread', '-lrt', '-ldl', '-lutil', '-lresolv', '-lcrypt']);

/** A compiler driver's link flags as the linker itself takes them. */
function linkerFlags(flags: readonly string[]): string[] {
  return flags
    .filter((flag) => !IN_LIBC.has(flag))
    .flatMap((flag) => (flag.startsWith('-Wl,') ? flag.slice(4).split(',') : [flag]));
}

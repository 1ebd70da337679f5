/**
 * Executing a program: a new address space with areas from its segments (nothing is read before it is touched) and its stack, put in the
 * place of the old one; or of none, for the first process.
 */
import { Map } from 'immutable';
import { newRegisters } from '../hart/registers';
import { PAGE_SIZE } from '../units';
import type { Core } from './core';
import { argumentsTooLong, programMissing } from './errors';
import { O } from './errno';
import { readContent } from './files/content';
import { attach, closeOnExec } from './files/descriptors';
import { newOpenFile, type NewFile } from './files/open-files';
import { find, inodeOf, normalize } from './files/walk';
import { imageHash } from './image-hash';
import { ARGUMENTS_MAX, argumentsSize, stackBytes, type Bases } from './initial-stack';
import { withArea } from './memory/areas';
import { allocateFrames, reach, releaseFrame } from './memory/frames';
import { MMAP_TOP, PIE_BASE, STACK_SIZE, STACK_TOP, TRAMPOLINE } from './memory/layout';
import { NO_MEMORY, tellImages } from './memory/lending';
import { setAreas } from './memory/objects';
import { addPage, newRoot, userLeaf } from './memory/tables';
import { FIRST_PROCESS, FRESH_PROCESS, leaveMemory, vforkQueue } from './process';
import { findProgram, imageAreas, imagesOf, wholeView, type Program } from './program';
import { addJob, makeReady, wake } from './scheduler';
import { NO_STACK } from './signals';
import { dropTimers } from './timers';
import { takeTty } from './tty';
import { Prot, type Area, type Image, type Memory, type Process, type Thread } from './state';

/** Where a thread in exec waits for devices to have freed what the process had of them. */
export const execQueue = (pid: number): string => `exec:${pid}`;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The first program, as it is asked for. Throws a LaunchError when it can't be run. */
export function prepareProgram(core: Core): Program {
  const { program, argv0, args, env, cwd } = core.options;
  const argv = [argv0 ?? program, ...args].map(encode);
  const environment = Object.entries(env).map(([name, value]) => encode(`${name}=${value}`));
  const size = argumentsSize([...argv, ...environment]);
  if (size > ARGUMENTS_MAX) throw argumentsTooLong(size, ARGUMENTS_MAX);
  const path = normalize(program, cwd);
  const found = findProgram(core, path, wholeView(core), argv, environment);
  if (typeof found === 'number') throw programMissing(path);
  return found;
}

/** An address space in the making, with what is still to be written to its stack. */
export interface Prepared {
  readonly memory: Memory;
  readonly areas: readonly Area[];
  readonly bases: Bases;
  readonly stack: Uint8Array;
  /** Bytes of the stack that are in place. */
  readonly done: number;
}

const NO_BACKING = { shared: false, writeBack: 0 };

/** Tables and areas for a program; undefined when table pages are short. The stack is filled by `fillStack`. */
export function prepareMemory(core: Core, program: Program): Prepared | undefined {
  const { main, interpreter } = program;
  const root = newRoot(core);
  if (root === undefined) return undefined;
  const base = main.elf.movable ? PIE_BASE - main.elf.low : 0;
  const size = interpreter ? interpreter.elf.high - interpreter.elf.low : 0;
  const interpreterBase = interpreter ? MMAP_TOP - size - interpreter.elf.low : 0;
  const stackArea: Area = {
    ...NO_BACKING,
    start: STACK_TOP - STACK_SIZE,
    end: STACK_TOP,
    prot: Prot.READ | Prot.WRITE,
    name: '[stack]',
    backing: { kind: 'anonymous' },
  };
  const trampoline: Area = {
    ...NO_BACKING,
    start: TRAMPOLINE,
    end: TRAMPOLINE + PAGE_SIZE,
    prot: Prot.READ | Prot.EXEC,
    name: '[vdso]',
    backing: { kind: 'frames', frames: [core.state.trampoline] },
  };
  const areas = [
    ...imageAreas(core, main, base),
    ...(interpreter ? imageAreas(core, interpreter, interpreterBase) : []),
    stackArea,
    trampoline,
  ].reduce<readonly Area[]>((list, area) => withArea(list, area), []);
  const brk = base + main.elf.high;
  const bases = { base, interpreterBase };
  const stack = stackBytes(program, bases, core.randomBytes(16));
  return { memory: { ...NO_MEMORY, root, brkStart: brk, brk }, areas, bases, stack, done: 0 };
}

/** Pages of the stack written in one step. */
const STACK_PIECE = 64;

/** Puts the next bytes of the stack in place; undefined when memory is short, and all that was prepared is given back. */
export function fillStack(core: Core, prepared: Prepared): Prepared | undefined {
  const { stack } = prepared;
  let { memory, done } = prepared;
  const sp = STACK_TOP - stack.length;
  for (let count = 0; done < stack.length && count < STACK_PIECE; count++) {
    const at = sp + done;
    const page = Math.floor(at / PAGE_SIZE);
    const part = stack.subarray(done, (page + 1) * PAGE_SIZE - sp);
    const frame = allocateFrames(core, 0);
    const mapped = frame && addPage(core, memory, page, userLeaf(frame, Prot.READ | Prot.WRITE));
    if (!mapped) {
      if (frame !== undefined) releaseFrame(core, frame);
      discard(core, memory);
      return undefined;
    }
    core.port.write(reach(core, frame + (at % PAGE_SIZE)), part);
    core.chargeBytes(part.length);
    memory = mapped;
    done += part.length;
  }
  return { ...prepared, memory, done };
}

/** Gives back what was prepared. */
function discard(core: Core, memory: Memory): void {
  addJob(core, { kind: 'free-memory', memory, position: 0, pid: 0 });
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

type Hashed = Pick<Image, 'hash'>;

/** The hash of what a file of the first program's holds before anything ran, computed when it is asked for: most runs never do. */
function hashedLater(core: Core, number: number): Hashed {
  const inode = inodeOf(core, number);
  if (inode.type !== 'file') throw new Error(`inode ${number} is a ${inode.type}, not a program`);
  const { content } = inode;
  let hash: string | undefined;
  return {
    get hash() {
      return (hash ??= imageHash(readContent(content, 0, content.size)));
    },
  };
}

const imageAt = (path: string, base: number, hashed: Hashed): Image => ({
  path,
  base,
  get hash() {
    return hashed.hash;
  },
});

/** What a process is while it executes a program. */
function executing(
  program: Program,
  { bases }: Prepared,
  hashes: readonly Hashed[],
): Partial<Process> & Pick<Process, 'images'> {
  const { main, interpreter, file, argv } = program;
  const images = [imageAt(main.path, bases.base, hashes[0]!)];
  if (interpreter) images.push(imageAt(interpreter.path, bases.interpreterBase, hashes[1]!));
  return { name: baseName(file), executable: main.path, arguments: argv.map(decode), images, capabilities: undefined };
}

/** What a thread is when its program begins. */
function atEntry({ main, interpreter, file }: Program, { bases, stack }: Prepared) {
  const entry = interpreter ? bases.interpreterBase + interpreter.elf.entry : bases.base + main.elf.entry;
  return {
    name: baseName(file).slice(0, 15),
    registers: newRegisters({ pc: entry, x: { 2: STACK_TOP - stack.length } }),
    call: undefined,
    savedMask: undefined,
    altStack: NO_STACK,
    clearChildTid: 0,
    robustList: 0,
  };
}

/** Where the first program starts: the root when the folder is not there. */
function startDirectory(core: Core): number {
  const number = find(core.state, normalize(core.options.cwd, '/'));
  return number !== undefined && inodeOf(core, number).type === 'directory' ? number : core.state.fs.root;
}

/** Makes the first process, ready to run. */
export function startProgram(core: Core, program: Program): void {
  const pid = FIRST_PROCESS;
  let prepared = prepareMemory(core, program)!;
  while (prepared.done < prepared.stack.length) prepared = fillStack(core, prepared)!;
  const hashes = imagesOf(program).map(({ inode }) => hashedLater(core, inode));
  const process: Process = {
    pid,
    parent: 0,
    group: pid,
    session: pid,
    exitSignal: 0,
    name: '',
    executable: '',
    arguments: [],
    memory: prepared.memory,
    descriptors: Map(),
    cwd: startDirectory(core),
    root: core.state.fs.root,
    umask: 0o022,
    actions: Map(),
    ...FRESH_PROCESS,
    threads: [pid],
    ...executing(program, prepared, hashes),
  };
  const thread: Thread = {
    tid: pid,
    pid,
    wait: undefined,
    mask: 0n,
    pending: [],
    dying: false,
    cpu: 0,
    ...atEntry(program, prepared),
  };
  core.set({
    nextPid: pid + 1,
    threads: core.state.threads.set(pid, thread),
    processes: core.state.processes.set(pid, process),
  });
  setAreas(core, pid, prepared.areas);
  openStandardStreams(core, pid);
  if (core.options.terminal) takeTty(core, pid, pid);
  makeReady(core, pid);
  core.emit({ kind: 'process-started', pid, name: process.name, parent: 0 });
  tellImages(core, pid);
  core.emit({ kind: 'thread-started', pid, tid: pid });
}

/** Puts a program in the place of what a process with one thread, the current one, executes: from here on it can't fail. */
export function replaceProgram(
  core: Core,
  tid: number,
  program: Program,
  prepared: Prepared,
  hashes: readonly string[],
): void {
  const thread = core.thread(tid);
  const { pid } = thread;
  core.saveLive();
  leaveMemory(core, pid, 0);
  closeOnExec(core, pid);
  dropTimers(core, pid, false);
  // Handlers are gone with their code; what is ignored stays so.
  const actions = core.process(pid).actions.filter(({ handler }) => handler === 1);
  core.setProcess(pid, {
    ...executing(
      program,
      prepared,
      hashes.map((hash) => ({ hash })),
    ),
    borrows: 0,
    memory: prepared.memory,
    actions,
    threads: [pid],
    executed: true,
  });
  setAreas(core, pid, prepared.areas);
  // The thread that executes is the process from now on, also in name.
  const threads = core.state.threads
    .remove(tid)
    .set(pid, { ...core.thread(tid), ...atEntry(program, prepared), tid: pid });
  core.set({ threads, current: pid });
  core.emit({ kind: 'process-executed', pid, name: core.process(pid).name });
  tellImages(core, pid);
  if (tid !== pid) {
    core.emit({ kind: 'thread-exited', pid, tid });
    core.emit({ kind: 'thread-started', pid, tid: pid });
  }
  wake(core, vforkQueue(pid));
}

function openStandardStreams(core: Core, pid: number): void {
  const { terminal, interactive } = core.options;
  const open = (fd: number, file: NewFile): void => attach(core, pid, fd, newOpenFile(core, file), false);
  const tty = { kind: 'terminal', flags: O.RDWR, path: '/dev/pts/0' } as const;
  if (terminal && interactive) open(0, { ...tty, stream: 'stdout' });
  else open(0, { kind: 'stdin', flags: 0, path: 'pipe:stdin' });
  if (terminal) open(1, { ...tty, stream: 'stdout' });
  else open(1, { kind: 'stdout', flags: O.WRONLY, path: 'pipe:stdout' });
  if (terminal) open(2, { ...tty, stream: 'stderr' });
  else open(2, { kind: 'stderr', flags: O.WRONLY, path: 'pipe:stderr' });
}

/**
 * Starting a program: areas from its segments (nothing is read before it is touched), stack with arguments, environment and
 * auxiliary vector (System V gABI, Linux auxv), the first thread.
 */
import { Map } from 'immutable';
import { newRegisters } from '../hart/registers';
import { LETTER_BITS } from '../isa/extensions';
import { PAGE_SIZE, space } from '../units';
import type { Core } from './core';
import { parseElf, type ElfImage } from './elf';
import { argumentsTooLong, interpreterMissing, programMissing } from './errors';
import { O } from './errno';
import { attach } from './files/descriptors';
import { newOpenFile } from './files/open-files';
import { normalize, resolve } from './files/tree';
import { imageHash } from './image-hash';
import { wholeFile } from './files/stat';
import { withArea } from './memory/areas';
import { allocateFrames, reach } from './memory/frames';
import { MMAP_TOP, PIE_BASE, STACK_SIZE, STACK_TOP, TRAMPOLINE } from './memory/layout';
import { objectOfFile, setAreas } from './memory/objects';
import { addPage, newRoot, userLeaf } from './memory/tables';
import { makeReady } from './scheduler';
import { NO_STACK } from './signals';
import { Prot, type Area, type Image, type Memory, type Process, type Thread } from './state';

const ARGUMENT_LIMIT = 128 * 1024;

/** A file that was found fit to be loaded. */
interface Loadable {
  readonly path: string;
  readonly elf: ElfImage;
  readonly inode: number;
  readonly hash: string;
}
export interface Program {
  readonly main: Loadable;
  readonly interpreter: Loadable | undefined;
}

function loadable(core: Core, path: string): Loadable | undefined {
  const at = resolve(core.state.fs, path, { from: '/', followLast: true, executable: '/' });
  if (typeof at === 'number' || at.inode === undefined) return undefined;
  const bytes = wholeFile(core, at.inode);
  if (!bytes) return undefined;
  return { path: at.path, elf: parseElf(at.path, bytes), inode: at.inode, hash: imageHash(bytes) };
}

/** Reads the first program and its interpreter. Throws a LaunchError when they can't be run. */
export function prepareProgram(core: Core): Program {
  const path = normalize(core.options.program, core.options.cwd);
  const main = loadable(core, path);
  if (!main) throw programMissing(path);
  const { interpreter: wanted } = main.elf;
  const interpreter = wanted === undefined ? undefined : loadable(core, wanted);
  if (wanted !== undefined && !interpreter) throw interpreterMissing(path, wanted);
  const bytes = strings(core).reduce((sum, text) => sum + text.length + 9, 0);
  if (bytes > ARGUMENT_LIMIT) throw argumentsTooLong(bytes, ARGUMENT_LIMIT);
  return { main, interpreter };
}

const argumentsOf = (core: Core): readonly string[] => [
  core.options.argv0 ?? core.options.program,
  ...core.options.args,
];
const environmentOf = (core: Core): readonly string[] =>
  Object.entries(core.options.env).map(([name, value]) => `${name}=${value}`);
const strings = (core: Core): Uint8Array[] =>
  [...argumentsOf(core), ...environmentOf(core)].map((text) => new TextEncoder().encode(text));

/** The areas of an image loaded with `base` added to its addresses. */
function imageAreas(core: Core, image: Loadable, base: number): Area[] {
  const object = objectOfFile(core, image.inode, false);
  return image.elf.segments.flatMap((segment) => {
    const skew = segment.address % PAGE_SIZE;
    const start = base + segment.address - skew;
    const fileEnd =
      segment.fileSize === 0 ? start : start + Math.ceil((skew + segment.fileSize) / PAGE_SIZE) * PAGE_SIZE;
    const end = start + Math.ceil((skew + segment.memorySize) / PAGE_SIZE) * PAGE_SIZE;
    const common = { prot: segment.prot, shared: false, writeBack: 0 };
    const areas: Area[] = [];
    if (start < fileEnd) {
      const offset = segment.offset - skew;
      // Behind the bytes of a segment that can be written come zeros; else whatever the file has, so that the page can be shared.
      const length =
        segment.prot & Prot.WRITE || segment.memorySize > segment.fileSize ? { length: skew + segment.fileSize } : {};
      const backing = { kind: 'file', inode: image.inode, offset, ...length } as const;
      areas.push({ ...common, start, end: fileEnd, name: image.path, backing, object: { id: object, start: offset } });
    }
    if (fileEnd < end) areas.push({ ...common, start: fileEnd, end, name: '', backing: { kind: 'anonymous' } });
    return areas;
  });
}

const AT = {
  PHDR: 3,
  PHENT: 4,
  PHNUM: 5,
  PAGESZ: 6,
  BASE: 7,
  FLAGS: 8,
  ENTRY: 9,
  UID: 11,
  EUID: 12,
  GID: 13,
  EGID: 14,
  HWCAP: 16,
  CLKTCK: 17,
  SECURE: 23,
  RANDOM: 25,
  EXECFN: 31,
} as const;
interface Loaded {
  readonly base: number;
  readonly interpreterBase: number;
}

/** The initial stack's bytes, ending at STACK_TOP; sp is at their start. */
function stackBytes(core: Core, program: Program, { base, interpreterBase }: Loaded): Uint8Array {
  const { elf, path } = program.main;
  const texts: Uint8Array[] = [];
  let top = STACK_TOP - 8;
  const place = (bytes: Uint8Array): number => {
    const text = new Uint8Array(bytes.length + 1);
    text.set(bytes);
    texts.unshift(text);
    top -= text.length;
    return top;
  };
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const name = place(encode(path));
  const env = environmentOf(core).map((text) => place(encode(text)));
  const argv = argumentsOf(core).map((text) => place(encode(text)));
  const random = place(core.randomBytes(16));
  const auxiliary: readonly (readonly [number, number])[] = [
    [AT.HWCAP, LETTER_BITS],
    [AT.PAGESZ, PAGE_SIZE],
    [AT.CLKTCK, 100],
    [AT.PHDR, elf.programHeaders.address === 0 ? 0 : base + elf.programHeaders.address],
    [AT.PHENT, elf.programHeaders.size],
    [AT.PHNUM, elf.programHeaders.count],
    [AT.BASE, interpreterBase],
    [AT.FLAGS, 0],
    [AT.ENTRY, base + elf.entry],
    [AT.UID, 0],
    [AT.EUID, 0],
    [AT.GID, 0],
    [AT.EGID, 0],
    [AT.SECURE, 0],
    [AT.RANDOM, random],
    [AT.EXECFN, name],
    [0, 0],
  ];
  const words = [argv.length, ...argv, 0, ...env, 0, ...auxiliary.flat()];
  const sp = Math.floor((top - words.length * 8) / 16) * 16;
  const bytes = new Uint8Array(STACK_TOP - sp);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setBigUint64(i * 8, BigInt(word), true));
  let at = top - sp;
  for (const text of texts) {
    bytes.set(text, at);
    at += text.length;
  }
  return bytes;
}

/** Puts bytes that end at STACK_TOP into fresh pages. */
function fillStack(core: Core, memory: Memory, bytes: Uint8Array): Memory {
  let result = memory;
  const sp = STACK_TOP - bytes.length;
  for (let page = Math.floor(sp / PAGE_SIZE); page < STACK_TOP / PAGE_SIZE; page++) {
    const frame = allocateFrames(core, 0)!;
    const from = Math.max(sp, page * PAGE_SIZE);
    const part = bytes.subarray(from - sp, (page + 1) * PAGE_SIZE - sp);
    core.port.write(reach(core, frame + (from % PAGE_SIZE)), part);
    result = addPage(core, result, page, userLeaf(frame, Prot.READ | Prot.WRITE))!;
  }
  core.chargeBytes(bytes.length);
  return result;
}

const NO_BACKING = { shared: false, writeBack: 0 };

function layOut(core: Core, program: Program): { memory: Memory; areas: readonly Area[]; loaded: Loaded; sp: number } {
  const { main, interpreter } = program;
  const base = main.elf.movable ? PIE_BASE - main.elf.low : 0;
  const size = interpreter ? interpreter.elf.high - interpreter.elf.low : 0;
  const interpreterBase = interpreter ? MMAP_TOP - size - interpreter.elf.low : 0;
  const stack: Area = {
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
  const areas: readonly Area[] = [
    ...imageAreas(core, main, base),
    ...(interpreter ? imageAreas(core, interpreter, interpreterBase) : []),
    stack,
    trampoline,
  ];
  const brk = base + main.elf.high;
  const memory: Memory = {
    root: newRoot(core)!,
    middles: Map(),
    leaves: Map(),
    pages: Map(),
    areas: [],
    brkStart: brk,
    brk,
  };
  const loaded = { base, interpreterBase };
  const stackContent = stackBytes(core, program, loaded);
  return {
    memory: fillStack(core, memory, stackContent),
    areas: areas.reduce<readonly Area[]>((list, area) => withArea(list, area), []),
    loaded,
    sp: STACK_TOP - stackContent.length,
  };
}

/** Makes the first process, ready to run. */
export function startProgram(core: Core, program: Program): void {
  const { main, interpreter } = program;
  const { memory, areas, loaded, sp } = layOut(core, program);
  const pid = core.state.nextPid;
  const name = main.path.slice(main.path.lastIndexOf('/') + 1);
  const images: Image[] = [{ path: main.path, base: loaded.base, hash: main.hash }];
  if (interpreter) images.push({ path: interpreter.path, base: loaded.interpreterBase, hash: interpreter.hash });
  const argv = argumentsOf(core);
  const entry = interpreter ? loaded.interpreterBase + interpreter.elf.entry : loaded.base + main.elf.entry;
  const thread: Thread = {
    tid: pid,
    pid,
    name: name.slice(0, 15),
    registers: newRegisters({ pc: entry, x: { 2: sp } }),
    call: undefined,
    wait: undefined,
    mask: 0n,
    savedMask: undefined,
    pending: [],
    altStack: NO_STACK,
    clearChildTid: 0,
    robustList: 0,
    dying: false,
    cpu: 0,
  };
  const process: Process = {
    pid,
    parent: 0,
    name,
    executable: main.path,
    arguments: argv,
    memory,
    descriptors: Map(),
    cwd: normalize(core.options.cwd, '/'),
    umask: 0o022,
    actions: Map(),
    pending: [],
    threads: [pid],
    images,
    ending: undefined,
    cpu: 0,
  };
  core.set({
    nextPid: pid + 1,
    threads: core.state.threads.set(pid, thread),
    processes: core.state.processes.set(pid, process),
  });
  setAreas(core, pid, areas);
  openStandardStreams(core, pid);
  makeReady(core, pid);
  core.emit({ kind: 'process-started', pid, name });
  for (const image of images) core.emit({ kind: 'image', pid, space: space(memory.root / PAGE_SIZE), ...image });
  core.emit({ kind: 'thread-started', pid, tid: pid });
}

function openStandardStreams(core: Core, pid: number): void {
  attach(core, pid, 0, newOpenFile(core, { kind: 'stdin', flags: 0, path: 'pipe:stdin' }), false);
  attach(core, pid, 1, newOpenFile(core, { kind: 'stdout', flags: O.WRONLY, path: 'pipe:stdout' }), false);
  attach(core, pid, 2, newOpenFile(core, { kind: 'stderr', flags: O.WRONLY, path: 'pipe:stderr' }), false);
}

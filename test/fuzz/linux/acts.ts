/**
 * What a thread of a host program does next: ioctls of the device with arguments that fit what is there, or don't; and what else programs do
 * that the driver has to live with: mmap, fork, threads, kill, exec, exit.
 */
import { PAGE_SIZE } from '../../../emulator/units';
import type { Area, Process } from '../../../emulator/linux/state';
import { AtParam, GetParam, Ioctl, UserParam } from '../../../monitor/abi';
import type { EnclaveRecord, Region } from '../../../monitor/driver/state';
import type { Random } from '../../differential/random';
import { SECTIONS, SEGMENTS, enclaveImage, mutated, wordsOf } from '../elf';
import { NAMES } from '../enclave/agent';
import type { Kind } from '../tally';
import { mostly, odd, textWords, weighted } from '../values';
import { Place, SMALL_PROGRAM, WORDS, type Act } from './agent';

/** An act that is counted, or not: without a kind. */
export interface Step extends Act {
  readonly kind?: Kind;
  /** It may take as long as it likes: the thread is in an enclave. */
  readonly blocks?: true;
}

/** Who acts, and what is there. */
export interface Scene {
  readonly r: Random;
  readonly tid: number;
  readonly process: Process;
  /** The thread that is to stay. */
  readonly first: boolean;
  /** It belongs to the process that is to stay. */
  readonly stays: boolean;
  readonly crowded: boolean;
  /** Descriptors of the device; areas of the process that show its memory. */
  readonly devices: readonly number[];
  readonly shown: readonly Area[];
  readonly records: readonly EnclaveRecord[];
  readonly shm: readonly Region[];
  readonly relay: readonly Region[];
  /** Other processes. */
  readonly pids: readonly number[];
}

const Call = {
  ioctl: 29,
  unlinkat: 35,
  openat: 56,
  close: 57,
  write: 64,
  exit: 93,
  exitGroup: 94,
  kill: 129,
  getpid: 172,
  munmap: 215,
  clone: 220,
  execve: 221,
  mmap: 222,
  wait4: 260,
} as const;
const THREAD = 0x50f00;
const SIGCHLD = 17;
const AT_FDCWD = -100;
const IMAGE = enclaveImage();
const IMAGE_HEADERS = Math.ceil((64 + SEGMENTS * 56 + SECTIONS * 64) / 8);

export const NOTHING: Step = { name: 'getpid', number: Call.getpid, a: [] };
const system = (name: string, number: number, ...a: (number | bigint)[]): Step => ({ kind: 'system', name, number, a });

/** A parameter block of the thread. */
const blockOf = ({ tid }: Scene): number => Place.blocks + 256 * (tid % 16);

function ioctl(s: Scene, name: string, command: number, words: readonly bigint[], more: Partial<Step> = {}): Step {
  const { r } = s;
  const fd = r.once(40) || s.devices.length === 0 ? r.below(8) : r.pick(s.devices);
  const block = blockOf(s);
  // Not there, only half of it there, text that is read-only nowhere here, or aligned on nothing.
  const address = r.once(30) ? r.pick([0n, 0x1000n, BigInt(Place.end) - 8n, BigInt(block) + 3n, odd(r, block)]) : block;
  return { kind: 'ioctl', name, number: Call.ioctl, a: [fd, command, address], poke: { at: block, words }, ...more };
}

const WIDE: ReadonlySet<string> = new Set([
  'elf_ptr',
  'elf_size',
  'shm_offset',
  'shm_size',
  'schrodinger_offset',
  'schrodinger_size',
  'retval',
]);

function param(r: Random, fields: Partial<Record<keyof typeof UserParam, number | bigint>>, name: string): bigint[] {
  const view = new DataView(new ArrayBuffer(8 * WORDS));
  textWords(name).forEach((word, i) => view.setBigUint64(UserParam.name + 8 * i, word, true));
  for (const [field, value] of Object.entries(fields)) {
    const at = UserParam[field as keyof typeof UserParam];
    const exact = mostly(r, value, 60);
    if (WIDE.has(field)) view.setBigUint64(at, BigInt.asUintN(64, exact), true);
    else view.setInt32(at, Number(BigInt.asIntN(32, exact)), true);
  }
  return Array.from({ length: WORDS }, (_, i) => view.getBigUint64(8 * i, true));
}

/** An enclave of the process (or of anybody) that `fits`; undefined when there is none. */
function one(s: Scene, fits: (record: EnclaveRecord) => boolean): EnclaveRecord | undefined {
  const mine = s.records.filter((record) => (record.pid === s.process.pid || s.r.once(6)) && fits(record));
  return mine.length > 0 ? s.r.pick(mine) : undefined;
}

const any = (s: Scene): number =>
  s.records.length > 0 && !s.r.once(4)
    ? s.r.pick(s.records).eid
    : s.r.pick([0, -1, 0x1000, 0x1001, 0x1010, 0x7fffffff]);

function create(s: Scene, image: { at: number; size: number }, kind: Kind): Step {
  const type = s.r.pick([0, 0, 0, 1, 2, 2]);
  const server = type === 1 ? s.r.pick(['server', 'server1']) : s.r.pick(NAMES);
  const fields = {
    type,
    isShadow: type === 2 ? 1 : 0,
    elf_ptr: image.at,
    elf_size: image.size,
    stack_size: s.r.pick([4096, 8192, 16384]),
    ...(s.shm.length > 0 && s.r.once(4) ? { shmid: s.r.pick(s.shm).id, shm_offset: 0, shm_size: PAGE_SIZE } : {}),
  };
  const name = kind === 'elf' ? 'CREATE' : `CREATE ${['NORMAL', 'SERVER', 'SHADOW'][type]}`;
  return ioctl(s, name, Ioctl.CREATE_ENCLAVE, param(s.r, fields, server), { kind });
}

/** Stores the words in which two files differ, in pieces. */
function patch(at: number, image: Uint8Array, other: Uint8Array, words: number): Step[] {
  const steps: Step[] = [];
  for (let from = 0; from < 8 * words; from += 8 * WORDS) {
    const piece = wordsOf(other, from, WORDS);
    if (wordsOf(image, from, WORDS).some((word, i) => word !== piece[i]))
      steps.push({ name: 'put', number: 0, a: [], jump: 'put', poke: { at: at + from, words: piece } });
  }
  return steps;
}

/** CREATE of a file that lies. */
function createMutant(s: Scene): Step[] {
  const other = mutated(s.r, IMAGE, SEGMENTS, SECTIONS);
  const there = patch(Place.image, IMAGE, other, IMAGE_HEADERS);
  const back = patch(Place.image, other, IMAGE, IMAGE_HEADERS);
  return [...there, create(s, { at: Place.image, size: IMAGE.length }, 'elf'), ...back];
}

/** A program that lies, written to a file; whoever forks next may execute it. */
function writeMutant(s: Scene): Step[] {
  const other = s.r.once(3) ? SMALL_PROGRAM : mutated(s.r, SMALL_PROGRAM, 1, 0);
  const words = Math.ceil(SMALL_PROGRAM.length / 8);
  const fd = 9;
  return [
    ...patch(Place.program, SMALL_PROGRAM, other, words),
    system('close', Call.close, fd),
    // O_WRONLY | O_CREAT | O_TRUNC; the lowest free descriptor, which the next two only meet when it is that one.
    system('unlinkat', Call.unlinkat, AT_FDCWD, Place.mutant, 0),
    system('openat', Call.openat, AT_FDCWD, Place.mutant, 0o1101, 0o755),
    { ...system('write', Call.write, LAST_RESULT, Place.program, SMALL_PROGRAM.length) },
    system('close', Call.close, LAST_OPENED),
    ...patch(Place.program, other, SMALL_PROGRAM, words),
    system('fork', Call.clone, SIGCHLD),
  ];
}

/** In place of a descriptor: what the call before gave, and what the last openat gave. */
export const LAST_RESULT = -0x1234;
export const LAST_OPENED = -0x1235;

function run(s: Scene): Step | undefined {
  const { r } = s;
  const record =
    one(s, ({ kind, runner }) => kind === 'SHADOW' || (kind === 'NORMAL' && runner === 0)) ??
    (r.once(4) ? undefined : null);
  if (record === null) return undefined;
  const returned = record?.returned !== undefined;
  const relay = s.relay.length > 0 && r.once(2) ? r.pick(s.relay) : undefined;
  const shm = s.shm.length > 0 && r.once(3) ? r.pick(s.shm) : undefined;
  const fields = {
    eid: record?.eid ?? any(s),
    isShadow: record?.kind === 'SHADOW' ? 1 : 0,
    rerun_reason: returned !== r.once(20) ? 1 : 0,
    ...(relay ? { schrodinger_id: relay.id, schrodinger_offset: 0, schrodinger_size: relay.size } : {}),
    ...(shm ? { shmid: shm.id, shm_offset: 0, shm_size: PAGE_SIZE } : {}),
  };
  return ioctl(s, 'RUN', Ioctl.RUN_ENCLAVE, param(r, fields, r.pick(NAMES)), { blocks: true });
}

function control(s: Scene, name: string, command: number, fits: (record: EnclaveRecord) => boolean): Step | undefined {
  const record = one(s, fits);
  if (!record && !s.r.once(6)) return undefined;
  const isShadow = record?.kind === 'SHADOW' ? 1 : 0;
  return ioctl(s, name, command, param(s.r, { eid: record?.eid ?? any(s), isShadow }, ''));
}

function attest(s: Scene): Step | undefined {
  const record = one(s, ({ kind, runner }) => kind === 'SHADOW' || (kind === 'NORMAL' && runner === 0));
  if (!record && !s.r.once(6)) return undefined;
  const low = BigInt(record?.eid ?? any(s)) & 0xffff_ffffn;
  return ioctl(s, 'ATTEST', Ioctl.ATTEST_ENCLAVE, [
    low | (BigInt(record?.kind === 'SHADOW' ? 1 : 0) << 32n),
    s.r.word64(),
  ]);
}

/** SHM… and SCHRODINGER…: get, attach, detach, remove. */
function region(s: Scene): Step | undefined {
  const { r } = s;
  const relay = r.once(2);
  const [regions, prefix] = relay ? [s.relay, 'SCHRODINGER_'] : [s.shm, 'SHM'];
  const what = weighted(r, [
    [regions.length < 6 ? 4 : 1, 'get'],
    [4, 'at'],
    [3, 'dt'],
    [2, 'ctl'],
  ] as const);
  const name = (prefix + what.toUpperCase()) as keyof typeof Ioctl;
  const fits = regions.filter(({ attached, users }) =>
    what === 'at'
      ? !relay || attached.length === 0
      : what === 'dt'
        ? attached.length > 0
        : attached.length + users.length === 0,
  );
  if (what === 'get') {
    const words = [0n, mostly(r, PAGE_SIZE * r.between(1, 3)), 0n];
    return ioctl(s, name, Ioctl[name], [words[0]!, words[GetParam.size / 8]!, words[2]!]);
  }
  if (fits.length === 0 && !r.once(6)) return undefined;
  const id = fits.length > 0 && !r.once(15) ? r.pick(fits).id : r.pick([0, -1, 0x10000, 0x10001]);
  const word = BigInt.asUintN(32, BigInt(id));
  return ioctl(s, name, Ioctl[name], [word, 0n, BigInt(AtParam.SIZE), 0n]);
}

function persistency(s: Scene): Step {
  const id = s.shm.length > 0 ? s.r.pick(s.shm).id : 0x10000;
  return ioctl(s, 'PERSISTENCY_INIT', Ioctl.PERSISTENCY_INIT, [BigInt(id)]);
}

const unknown = (s: Scene): Step =>
  ioctl(s, 'unknown request', s.r.pick([0, 0x5401, 0x8070a406, 0xc0a4a400, 0x9000a400, s.r.word()]), [s.r.word64()]);

/** What programs do besides. */
function other(s: Scene): Step[] | undefined {
  const { r, process } = s;
  const area = s.shown.length > 0 ? r.pick(s.shown) : undefined;
  const pid = s.pids.length > 0 ? r.pick(s.pids) : undefined;
  const last = process.threads.length === 1;
  return weighted<() => Step[] | undefined>(r, [
    [s.devices.length < 3 ? 4 : 0, () => [system('openat', Call.openat, AT_FDCWD, Place.device, 2)]],
    [s.devices.length > 1 ? 2 : 0, () => [system('close', Call.close, r.pick(s.devices))]],
    [
      s.devices.length > 0 ? 6 : 0,
      () => [system('mmap', Call.mmap, 0, PAGE_SIZE * r.pick([1, 1, 2]), 3, 1, r.pick(s.devices), 0)],
    ],
    [area ? 3 : 0, () => [system('munmap', Call.munmap, area!.start, area!.end - area!.start)]],
    // A relay page that an enclave has: SIGSEGV.
    [
      area && !s.stays ? 3 : 0,
      () => [{ name: 'look', number: 0, a: [], jump: 'look', poke: { at: area!.start, words: [] } }],
    ],
    [s.crowded ? 0 : 3, () => [system('fork', Call.clone, SIGCHLD)]],
    [s.crowded ? 0 : 3, () => [system('thread', Call.clone, THREAD)]],
    [s.first || last ? 0 : 1, () => [system('exit', Call.exit, 0)]],
    [s.first || !last ? 0 : 1, () => [system('exit_group', Call.exitGroup, 3)]],
    [pid === undefined ? 0 : s.crowded ? 3 : 1, () => [system('kill', Call.kill, pid!, 9)]],
    [pid === undefined ? 0 : 1, () => [system('stop', Call.kill, pid!, r.pick([19, 18, 18]))]],
    [3, () => [system('wait4', Call.wait4, -1, 0, 0x4000_0001, 0)]],
    [s.crowded ? 0 : 2, () => writeMutant(s)],
    [s.first || !last ? 0 : 5, () => [execve(r)]],
    [1, () => [{ name: 'spin', number: 0, a: [], jump: 'spin' }]],
  ])();
}

const execve = (r: Random): Step => {
  const own = r.once(4);
  return {
    kind: own ? 'system' : 'elf',
    name: 'execve',
    number: Call.execve,
    a: [own ? Place.agent : Place.mutant, 0, 0],
  };
};

const idle = ({ runner }: EnclaveRecord): boolean => runner === 0;

/** The next acts of a thread, in their order. */
export function chooseActs(s: Scene): readonly Step[] {
  if (s.devices.length === 0) return [system('openat', Call.openat, AT_FDCWD, Place.device, 2)];
  const many = s.records.length > 12;
  const single = (step: Step | undefined): readonly Step[] | undefined => step && [step];
  for (;;) {
    const acts = weighted<() => readonly Step[] | undefined>(s.r, [
      [many ? 2 : 12, () => [create(s, { at: Place.image, size: IMAGE.length }, 'ioctl')]],
      [many ? 4 : 10, () => createMutant(s)],
      // The first thread is there when all others wait.
      [s.first ? 0 : 25, () => single(run(s))],
      [6, () => single(control(s, 'STOP', Ioctl.STOP_ENCLAVE, ({ runner, stopped }) => runner !== 0 && !stopped))],
      [8, () => single(control(s, 'RESUME', Ioctl.RESUME_ENCLAVE, ({ stopped }) => stopped))],
      [
        many ? 14 : 3,
        () => single(control(s, 'DESTROY', Ioctl.DESTROY_ENCLAVE, (record) => idle(record) || s.r.once(3))),
      ],
      [4, () => single(attest(s))],
      [14, () => single(region(s))],
      [1, () => [persistency(s)]],
      [1, () => [unknown(s)]],
      [16, () => other(s)],
    ])();
    if (acts && acts.length > 0) return acts;
  }
}

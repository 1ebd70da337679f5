/** Texts of /proc (proc(5)), made when a file of it is opened. */
import type { Core } from '../../core';
import { capabilitiesOf } from '../../capabilities';
import { ISA_STRING } from '../../../isa/extensions';
import { PAGE_SIZE } from '../../../units';
import { limitOf, MAX_NOFILE, UNLIMITED } from '../../limits';
import { buddyFreePages } from '../../memory/buddy';
import { MMAP_MIN, RAM_BASE } from '../../memory/layout';
import { MAX_AREAS } from '../../memory/areas';
import { Prot, type Area, type Process, type Thread } from '../../state';
import { directoryPath } from '../walk';
import { procEntry, procPid } from './nodes';

const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
const kilobytes = (name: string, kb: number): string => `${`${name}:`.padEnd(16)}${String(kb).padStart(8)} kB\n`;
const KB_PER_PAGE = PAGE_SIZE / 1024;
/** USER_HZ: what times are counted in. */
const TICKS_PER_SECOND = 100;

export function freePages(core: Core): number {
  return buddyFreePages(core.state.buddy, Math.ceil(Math.log2(ramPages(core))));
}
const ramPages = (core: Core): number => (core.layout.ramEnd - RAM_BASE) / PAGE_SIZE;

function mapLine(area: Area): string {
  const { prot } = area;
  const bits = `${prot & Prot.READ ? 'r' : '-'}${prot & Prot.WRITE ? 'w' : '-'}${prot & Prot.EXEC ? 'x' : '-'}${area.shared ? 's' : 'p'}`;
  const [offset, inode] = area.backing.kind === 'file' ? [area.backing.offset, area.backing.inode] : [0, 0];
  const device = inode === 0 ? '00:00' : '00:01';
  const range = `${hex(area.start, 8)}-${hex(area.end, 8)} ${bits} ${hex(offset, 8)} ${device} ${inode}`;
  return area.name === '' ? `${range} \n` : `${range.padEnd(73)}${area.name}\n`;
}

const maps = (process: Process): string => process.memory.areas.map(mapLine).join('');

/** Present pages of an area, counted no further than a limit: a snapshot for people, not a reason to stop the machine. */
function present({ memory }: Process, area: Area): number {
  const LOOKED_AT = 1 << 16;
  const first = area.start / PAGE_SIZE;
  let count = 0;
  for (let page = first; page < area.end / PAGE_SIZE && page - first < LOOKED_AT; page++)
    if (memory.leaves.has(page >>> 9) && memory.pages.has(page)) count++;
  return count;
}

const smaps = (process: Process): string =>
  process.memory.areas
    .map((area) => {
      const resident = present(process, area) * KB_PER_PAGE;
      const size = (area.end - area.start) / 1024;
      return `${mapLine(area)}${kilobytes('Size', size)}${kilobytes('Rss', resident)}${kilobytes('Pss', resident)}`;
    })
    .join('');

/** Size of an address space and of its parts, in pages. */
function sizes({ memory }: Process): { all: number; text: number; data: number; stack: number } {
  const sum = (which: (area: Area) => boolean): number =>
    memory.areas.filter(which).reduce((total, area) => total + (area.end - area.start) / PAGE_SIZE, 0);
  const writable = (area: Area): boolean => (area.prot & Prot.WRITE) !== 0 && !area.shared;
  return {
    all: sum(() => true),
    text: sum(({ prot, backing }) => (prot & Prot.EXEC) !== 0 && backing.kind === 'file'),
    data: sum((area) => writable(area) && area.name !== '[stack]'),
    stack: sum(({ name }) => name === '[stack]'),
  };
}

const signalSets = (process: Process, thread: Thread): Record<string, bigint> => {
  let [ignored, caught] = [0n, 0n];
  for (let signal = 1; signal <= 64; signal++) {
    const handler = process.actions.get(signal)?.handler ?? 0;
    if (handler === 1) ignored |= 1n << BigInt(signal - 1);
    else if (handler > 1) caught |= 1n << BigInt(signal - 1);
  }
  const pending = (infos: Process['pending']): bigint =>
    infos.reduce((bits, { signal }) => bits | (1n << BigInt(signal - 1)), 0n);
  return {
    SigPnd: pending(thread.pending),
    ShdPnd: pending(process.pending),
    SigBlk: thread.mask,
    SigIgn: ignored,
    SigCgt: caught,
  };
};

/** R, S (blocked), T (stopped) or Z. */
const letterOf = (core: Core, thread: Thread | undefined): string =>
  !thread ? 'Z' : core.state.current === thread.tid || !thread.wait ? 'R' : 'S';
const STATES: Readonly<Record<string, string>> = { R: 'running', S: 'sleeping', Z: 'zombie' };

function status(core: Core, process: Process, thread: Thread): string {
  const { all, text, data, stack } = sizes(process);
  const letter = letterOf(core, thread);
  const kb = (name: string, pages: number): string => `${name}:\t${String(pages * KB_PER_PAGE).padStart(8)} kB`;
  const resident = process.memory.pages.size;
  const sets = Object.entries(signalSets(process, thread));
  return [
    `Name:\t${thread.name}`,
    `Umask:\t${process.umask.toString(8).padStart(4, '0')}`,
    `State:\t${letter} (${STATES[letter]})`,
    `Tgid:\t${process.pid}`,
    'Ngid:\t0',
    `Pid:\t${thread.tid}`,
    `PPid:\t${process.parent}`,
    'TracerPid:\t0',
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    `FDSize:\t${Math.max(64, process.descriptors.size)}`,
    'Groups:\t ',
    kb('VmPeak', all),
    kb('VmSize', all),
    kb('VmLck', 0),
    kb('VmHWM', resident),
    kb('VmRSS', resident),
    kb('VmData', data),
    kb('VmStk', stack),
    kb('VmExe', text),
    `Threads:\t${process.threads.length}`,
    ...sets.map(([name, bits]) => `${name}:\t${bits.toString(16).padStart(16, '0')}`),
    ...(['Inh', 'Prm', 'Eff'] as const).map((which) => capabilityLine(process, which)),
    'CapBnd:\t000001ffffffffff',
    'CapAmb:\t0000000000000000',
    'NoNewPrivs:\t0',
    'Seccomp:\t0',
    'Cpus_allowed:\t1',
    'Cpus_allowed_list:\t0',
    'Mems_allowed_list:\t0',
    'voluntary_ctxt_switches:\t0',
    'nonvoluntary_ctxt_switches:\t0',
    '',
  ].join('\n');
}

const SETS = { Inh: 'inheritable', Prm: 'permitted', Eff: 'effective' } as const;
const capabilityLine = (process: Process, which: keyof typeof SETS): string =>
  `Cap${which}:\t${capabilitiesOf(process)[SETS[which]].toString(16).padStart(16, '0')}`;

const clock = (core: Core, ticks: number): number => Math.floor((ticks * TICKS_PER_SECOND) / core.options.clockHz);

/** The fields of stat, from the third (state) on; what this kernel does not count is 0. */
function stat(core: Core, process: Process, thread: Thread): string {
  const fields = new Array<string | number>(50).fill(0);
  const at = (field: number, value: string | number): void => void (fields[field - 3] = value);
  at(3, letterOf(core, thread));
  at(4, process.parent);
  at(5, process.pid);
  at(6, process.pid);
  at(8, -1);
  at(14, clock(core, thread.cpu));
  at(18, 20);
  at(20, process.threads.length);
  at(23, sizes(process).all * PAGE_SIZE);
  at(24, process.memory.pages.size);
  at(25, '18446744073709551615');
  at(28, process.memory.areas.find(({ name }) => name === '[stack]')?.end ?? 0);
  at(38, 17);
  at(47, process.memory.brkStart);
  return `${thread.tid} (${thread.name}) ${fields.join(' ')}\n`;
}

/** Names and units of the limits, by number. */
const LIMITS: readonly (readonly [string, string])[] = [
  ['cpu time', 'seconds'],
  ['file size', 'bytes'],
  ['data size', 'bytes'],
  ['stack size', 'bytes'],
  ['core file size', 'bytes'],
  ['resident set', 'bytes'],
  ['processes', 'processes'],
  ['open files', 'files'],
  ['locked memory', 'bytes'],
  ['address space', 'bytes'],
  ['file locks', 'locks'],
  ['pending signals', 'signals'],
  ['msgqueue size', 'bytes'],
  ['nice priority', ''],
  ['realtime priority', ''],
  ['realtime timeout', 'us'],
];

function limits(process: Process): string {
  const line = (name: string, soft: string, hard: string, unit: string): string =>
    `${name.padEnd(26)}${soft.padEnd(21)}${hard.padEnd(21)}${unit.padEnd(10)}\n`;
  const shown = (limit: bigint): string => (limit === UNLIMITED ? 'unlimited' : String(limit));
  const rows = LIMITS.map(([name, unit], resource) => {
    const [soft, hard] = limitOf(process, resource);
    return line(`Max ${name}`, shown(soft), shown(hard), unit);
  });
  return line('Limit', 'Soft Limit', 'Hard Limit', 'Units') + rows.join('');
}

const options = (readOnly: boolean): string => `${readOnly ? 'ro' : 'rw'},relatime`;

function mounts(core: Core, info: boolean): string {
  const { state } = core;
  return state.fs.mounts
    .map(({ point, source, type, readOnly }, index) => {
      const path = point === 0 ? '/' : (directoryPath(state, point) ?? '(gone)');
      if (!info) return `${source} ${path} ${type} ${options(readOnly)} 0 0\n`;
      return `${index + 20} ${point === 0 ? 1 : 20} 0:${index + 1} / ${path} ${options(readOnly)} - ${type} ${source} ${readOnly ? 'ro' : 'rw'}\n`;
    })
    .join('');
}

function ofProcess(core: Core, process: Process, thread: Thread, path: string): string {
  switch (path) {
    case 'maps':
      return maps(process);
    case 'smaps':
      return smaps(process);
    case 'status':
      return status(core, process, thread);
    case 'stat':
      return stat(core, process, thread);
    case 'statm': {
      const { all, text, data, stack } = sizes(process);
      return `${all} ${process.memory.pages.size} 0 ${text} 0 ${data + stack} 0\n`;
    }
    case 'cmdline':
      return process.arguments.map((argument) => `${argument}\0`).join('');
    case 'comm':
      return `${thread.name}\n`;
    case 'limits':
      return limits(process);
    case 'mounts':
    case 'mountinfo':
      return mounts(core, path === 'mountinfo');
    case 'oom_score_adj':
      return `${process.oomScore ?? 0}\n`;
    default:
      return '';
  }
}

function meminfo(core: Core): string {
  const free = freePages(core) * KB_PER_PAGE;
  const total = ramPages(core) * KB_PER_PAGE;
  const names = [
    'Buffers',
    'Cached',
    'SwapCached',
    'Active',
    'Inactive',
    'SwapTotal',
    'SwapFree',
    'Dirty',
    'Shmem',
    'Slab',
  ];
  return (
    kilobytes('MemTotal', total) +
    kilobytes('MemFree', free) +
    kilobytes('MemAvailable', free) +
    names.map((name) => kilobytes(name, 0)).join('')
  );
}

/** A random identifier as uuid(7) version 4, from the machine's generator. */
function uuid(core: Core): string {
  const bytes = core.randomBytes(16);
  bytes[6] = (bytes[6]! & 15) | 0x40;
  bytes[8] = (bytes[8]! & 63) | 0x80;
  const text = [...bytes].map((byte) => hex(byte, 2)).join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}\n`;
}

const seconds = (core: Core, ticks: number): string => (ticks / core.options.clockHz).toFixed(2);

const running = (core: Core): number => core.state.ready.size + (core.state.current === undefined ? 0 : 1);

/** Ticks that were spent in user mode by what lives now. */
const userTicks = (core: Core): number => [...core.state.threads.values()].reduce((sum, { cpu }) => sum + cpu, 0);

/** As uname says. */
const UTS_VERSION = '#1';
export const KERNEL_RELEASE = '5.10.0';

const GLOBAL: Readonly<Record<string, (core: Core) => string>> = {
  cmdline: () => 'console=ttyS0\n',
  cpuinfo: () => `processor\t: 0\nhart\t\t: 0\nisa\t\t: ${ISA_STRING}\nmmu\t\t: sv39\n\n`,
  devices: () => 'Character devices:\n  1 mem\n  5 /dev/tty\n 10 misc\n136 pts\n\nBlock devices:\n254 virtblk\n',
  filesystems: () => 'nodev\tproc\nnodev\ttmpfs\nnodev\tsysfs\nnodev\tdevtmpfs\n\text4\n\text2\n\tvfat\n',
  loadavg: (core) => `0.00 0.00 0.00 ${running(core)}/${core.state.threads.size} ${core.state.nextPid - 1}\n`,
  meminfo,
  misc: (core) => core.options.devices.map(({ path }) => ` 63 ${path.slice(path.lastIndexOf('/') + 1)}\n`).join(''),
  modules: (core) =>
    core.options.devices
      .map(({ module }) => (module ? `${module} 49152 0 - Live 0x0000000000000000 (O)\n` : ''))
      .join(''),
  stat: (core) => {
    const user = clock(core, userTicks(core));
    const idle = clock(core, core.now) - user;
    const cpu = ` ${user} 0 0 ${idle} 0 0 0 0 0 0\n`;
    const { epoch } = core.options;
    return `cpu ${cpu}cpu0${cpu}ctxt 0\nbtime ${epoch}\nprocesses ${core.state.nextPid - 1}\nprocs_running ${running(core)}\nprocs_blocked 0\n`;
  },
  swaps: () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
  uptime: (core) => `${seconds(core, core.now)} ${seconds(core, core.now - userTicks(core))}\n`,
  version: () => `Linux version ${KERNEL_RELEASE} (penglai) ${UTS_VERSION}\n`,
  'sys/fs/file-max': () => '65536\n',
  'sys/fs/nr_open': () => `${MAX_NOFILE}\n`,
  'sys/fs/pipe-max-size': () => '1048576\n',
  'sys/kernel/cap_last_cap': () => '40\n',
  'sys/kernel/core_pattern': () => 'core\n',
  'sys/kernel/domainname': () => '(none)\n',
  'sys/kernel/hostname': () => 'penglai\n',
  'sys/kernel/ngroups_max': () => '65536\n',
  'sys/kernel/osrelease': () => `${KERNEL_RELEASE}\n`,
  'sys/kernel/ostype': () => 'Linux\n',
  'sys/kernel/overflowgid': () => '65534\n',
  'sys/kernel/overflowuid': () => '65534\n',
  'sys/kernel/pid_max': () => '4194304\n',
  'sys/kernel/random/boot_id': () => '00000000-0000-4000-8000-000000000001\n',
  'sys/kernel/random/entropy_avail': () => '256\n',
  'sys/kernel/random/uuid': uuid,
  'sys/kernel/randomize_va_space': () => '0\n',
  'sys/kernel/shmall': () => '18446744073692774399\n',
  'sys/kernel/shmmax': () => '18446744073692774399\n',
  'sys/kernel/shmmni': () => '4096\n',
  'sys/kernel/tainted': () => '0\n',
  'sys/kernel/threads-max': () => '65536\n',
  'sys/kernel/version': () => `${UTS_VERSION}\n`,
  'sys/net/core/somaxconn': () => '4096\n',
  'sys/vm/max_map_count': () => `${MAX_AREAS}\n`,
  'sys/vm/mmap_min_addr': () => `${MMAP_MIN}\n`,
  'sys/vm/overcommit_memory': () => '0\n',
  'sysvipc/shm': () =>
    '       key      shmid perms       size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime\n',
};

/** The text of a node of /proc; undefined when its process is gone. */
export function procText(core: Core, number: number): string | undefined {
  const entry = procEntry(number);
  if (entry.owner === 0) return GLOBAL[entry.path]?.(core) ?? '';
  const pid = procPid(core.state, entry);
  const process = core.state.processes.get(pid ?? 0);
  const thread = core.state.threads.get(entry.owner) ?? core.state.threads.get(process?.threads[0] ?? 0);
  return process && thread && ofProcess(core, process, thread, entry.path);
}

/**
 * The inodes of /proc (proc(5)). They are not stored: a number says which process or thread and which entry, and everything else is read off
 * the state when somebody looks. Texts are in texts.ts.
 */
import type { State } from '../../state';
import type { Inode } from '../types';

/** Numbers from here on are of /proc: BASE + owner * SPAN + entry. The owner is 0, a pid, or a tid. */
const BASE = 2 ** 40;
const SPAN = 2 ** 17;
/** Entries from here on are links of fd/. */
const FD = 2 ** 10;
/** Added to an entry that is found below task/. */
const TASK = 2 ** 16;

type What = 'directory' | 'text' | 'link';
interface Node {
  readonly path: string;
  readonly what: What;
  readonly name: string;
  readonly parent: number;
  readonly children: ReadonlyMap<string, number>;
}

/** A tree of nodes from a list of paths; number 0 is the root. */
function treeOf(paths: Readonly<Record<string, What>>): readonly Node[] {
  const nodes: (Node & { children: Map<string, number> })[] = [];
  const byPath = new Map<string, number>();
  const add = (path: string, what: What): number => {
    const known = byPath.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const parent = path === '' ? 0 : add(cut < 0 ? '' : path.slice(0, cut), 'directory');
    const name = path.slice(cut + 1);
    const number = nodes.length;
    nodes.push({ path, what, name, parent, children: new Map() });
    byPath.set(path, number);
    if (path !== '') nodes[parent]!.children.set(name, number);
    return number;
  };
  add('', 'directory');
  for (const [path, what] of Object.entries(paths)) add(path, what);
  return nodes;
}
const texts = (names: string): Record<string, What> =>
  Object.fromEntries(names.split(/\s+/).map((name) => [name, 'text'] as const));

const GLOBAL = treeOf({
  self: 'link',
  'thread-self': 'link',
  mounts: 'link',
  ...texts(`cmdline cpuinfo devices filesystems loadavg meminfo misc modules stat swaps uptime version
sys/fs/file-max sys/fs/nr_open sys/fs/pipe-max-size
sys/kernel/cap_last_cap sys/kernel/core_pattern sys/kernel/domainname sys/kernel/hostname sys/kernel/ngroups_max sys/kernel/osrelease sys/kernel/ostype sys/kernel/overflowgid
sys/kernel/overflowuid sys/kernel/pid_max sys/kernel/random/boot_id sys/kernel/random/entropy_avail sys/kernel/random/uuid
sys/kernel/randomize_va_space sys/kernel/shmall sys/kernel/shmmax sys/kernel/shmmni sys/kernel/tainted sys/kernel/threads-max sys/kernel/version
sys/net/core/somaxconn sys/vm/max_map_count sys/vm/mmap_min_addr sys/vm/overcommit_memory sysvipc/shm`),
});
/** Of a process; those that a thread has below task/ as well. */
const THREAD_TEXTS = `auxv cmdline comm environ limits maps mountinfo mounts oom_score_adj smaps stat statm status`;
const PROCESS = treeOf({
  exe: 'link',
  cwd: 'link',
  root: 'link',
  fd: 'directory',
  task: 'directory',
  ...texts(THREAD_TEXTS),
});
const FD_DIRECTORY = PROCESS[0]!.children.get('fd')!;
const TASK_DIRECTORY = PROCESS[0]!.children.get('task')!;

export const PROC_ROOT = BASE;

/** What a number of /proc names. */
export interface ProcEntry {
  /** 0 for an entry of /proc itself, else a pid; below task/ a tid. */
  readonly owner: number;
  readonly task: boolean;
  /** Path inside the owner's directory; `fd/N` with its number in `fd`. */
  readonly path: string;
  readonly fd: number | undefined;
}

export const isProc = (number: number): boolean => number >= BASE;
const numberOf = (owner: number, entry: number): number => BASE + owner * SPAN + entry;

function split(number: number): { owner: number; entry: number; task: boolean } {
  const owner = Math.floor((number - BASE) / SPAN);
  const rest = number - BASE - owner * SPAN;
  return { owner, entry: rest % TASK, task: rest >= TASK };
}

export function procEntry(number: number): ProcEntry {
  const { owner, entry, task } = split(number);
  if (entry >= FD) return { owner, task, path: `fd/${entry - FD}`, fd: entry - FD };
  return { owner, task, path: (owner === 0 ? GLOBAL : PROCESS)[entry]?.path ?? '', fd: undefined };
}

/** pid of the process an entry is about: owner of a thread's entry is the thread. */
export function procPid(state: State, { owner, task }: Pick<ProcEntry, 'owner' | 'task'>): number | undefined {
  if (task) return state.threads.get(owner)?.pid;
  if (state.processes.has(owner)) return owner;
  // /proc/<tid> works for any thread, though it is not listed.
  return state.threads.get(owner)?.pid;
}

/** The inode, as long as the process (and the descriptor) is there. */
export function procInode(state: State, number: number): Inode | undefined {
  const { owner, entry, task } = split(number);
  const common = { type: 'proc', links: 1, changed: 0 } as const;
  if (owner === 0) {
    const node = GLOBAL[entry];
    return node && { ...common, what: node.what, mode: MODES[node.what] };
  }
  const pid = procPid(state, { owner, task });
  if (pid === undefined) return undefined;
  if (entry >= FD)
    return state.processes.get(pid)!.descriptors.has(entry - FD) ? { ...common, what: 'link', mode: 0o700 } : undefined;
  const node = PROCESS[entry];
  const mode = WRITABLE.has(node?.path ?? '') ? 0o644 : MODES[node?.what ?? 'text'];
  return node && { ...common, what: node.what, mode };
}
/** What writes.ts takes. */
const WRITABLE: ReadonlySet<string> = new Set(['comm', 'oom_score_adj']);
const MODES: Readonly<Record<What, number>> = { directory: 0o555, text: 0o444, link: 0o777 };

const asNumber = (name: string): number | undefined => (/^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : undefined);

export function procChild(state: State, directory: number, name: string): number | undefined {
  const { owner, entry, task } = split(directory);
  if (owner === 0) {
    const child = GLOBAL[entry]?.children.get(name);
    if (child !== undefined) return numberOf(0, child);
    const pid = entry === 0 ? asNumber(name) : undefined;
    return pid && procPid(state, { owner: pid, task: false }) !== undefined ? numberOf(pid, 0) : undefined;
  }
  const pid = procPid(state, { owner, task });
  if (pid === undefined) return undefined;
  const base = task ? TASK : 0;
  const wanted = asNumber(name);
  if (entry === FD_DIRECTORY)
    return wanted !== undefined && state.processes.get(pid)!.descriptors.has(wanted)
      ? numberOf(owner, base + FD + wanted)
      : undefined;
  if (entry === TASK_DIRECTORY && !task)
    return wanted !== undefined && state.threads.get(wanted)?.pid === pid ? numberOf(wanted, TASK) : undefined;
  const child = PROCESS[entry]?.children.get(name);
  return child === undefined || (task && child === TASK_DIRECTORY) ? undefined : numberOf(owner, base + child);
}

/** Names in a directory of /proc, in their order. */
export function procNames(state: State, directory: number): string[] {
  const { owner, entry, task } = split(directory);
  if (owner === 0) {
    const pids = entry === 0 ? [...state.processes.keys()].sort((a, b) => a - b).map(String) : [];
    return [...GLOBAL[entry]!.children.keys(), ...pids];
  }
  const process = state.processes.get(procPid(state, { owner, task }) ?? 0);
  if (!process) return [];
  if (entry === FD_DIRECTORY) return [...process.descriptors.keys()].sort((a, b) => a - b).map(String);
  if (entry === TASK_DIRECTORY) return process.threads.map(String);
  return [...PROCESS[entry]!.children.keys()].filter((name) => !(task && name === 'task'));
}

/** The directory above a directory of /proc. */
export function procParent(number: number): number {
  const { owner, entry, task } = split(number);
  if (owner === 0) return numberOf(0, GLOBAL[entry]!.parent);
  if (entry !== 0) return numberOf(owner, (task ? TASK : 0) + PROCESS[entry]!.parent);
  // Of /proc/<pid>/task/<tid> the pid is not known here; "/proc" is as near as this comes.
  return PROC_ROOT;
}

export const procTarget = {
  nameOf(number: number): string {
    const { owner, entry } = split(number);
    return entry === 0 ? String(owner) : (owner === 0 ? GLOBAL : PROCESS)[entry]!.name;
  },

  /** Where walking through a link leads: a path, an inode, or undefined for one that opening has to deal with (a pipe, a socket). */
  follow(state: State, number: number, pid: number, tid: number): string | number | undefined {
    const entry = procEntry(number);
    if (entry.owner === 0) return globalTarget(entry.path, pid, tid);
    const process = state.processes.get(procPid(state, entry) ?? 0);
    if (!process) return '';
    if (entry.fd !== undefined) {
      const file = state.openFiles.get(process.descriptors.get(entry.fd)?.file ?? 0);
      return file && 'inode' in file && file.kind !== 'pipe' ? file.inode : undefined;
    }
    if (entry.path === 'cwd') return process.cwd;
    return entry.path === 'root' ? process.root : process.executable;
  },

  /** What readlink says. */
  read(state: State, number: number, pid: number, tid: number, pathOf: (directory: number) => string): string {
    const entry = procEntry(number);
    if (entry.owner === 0) return globalTarget(entry.path, pid, tid);
    const process = state.processes.get(procPid(state, entry) ?? 0);
    if (!process) return '';
    if (entry.fd !== undefined) {
      const file = state.openFiles.get(process.descriptors.get(entry.fd)?.file ?? 0);
      const gone = file && 'inode' in file && file.kind !== 'pipe' && state.fs.inodes.get(file.inode!)?.links === 0;
      return gone ? `${file.path} (deleted)` : (file?.path ?? '');
    }
    if (entry.path === 'cwd') return pathOf(process.cwd);
    return entry.path === 'root' ? pathOf(process.root) : process.executable;
  },
};

const globalTarget = (path: string, pid: number, tid: number): string =>
  path === 'self' ? String(pid) : path === 'thread-self' ? `${pid}/task/${tid}` : 'self/mounts';

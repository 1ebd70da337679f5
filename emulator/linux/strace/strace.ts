/**
 * The log of system calls (`trace.systemCalls` of the launch): an event per call with its arguments decoded, its result and its cost. Reads
 * user memory without touching anything: what is not in memory yet is looked up where it would come from. Nothing here runs unless it was asked for.
 */
import { PAGE_SIZE } from '../../units';
import { callName } from '../calls/table';
import { signatureOf, type Argument, type Signature } from '../calls/signatures';
import type { Core } from '../core';
import { Errno } from '../errno';
import type { SystemCallEvent } from '../events';
import { reach } from '../memory/frames';
import { untouchedPage } from '../memory/paging-in';
import { frameOf } from '../memory/tables';
import type { Call, Memory, Thread } from '../state';
import { errorName, hasNames, named, signalText } from './names';

/** Bytes of a string or buffer that are shown, and elements of a list. */
const SHOWN = 32;
const PATH_SHOWN = 4096;
const ELEMENTS = 16;

/** O_CREAT and the bit of O_TMPFILE. */
const MAKES_FILE = 0o20000100;

/** What is known when the call begins: kept with the call until it ends. */
export interface Traced {
  readonly tick: number;
  /** Texts of the arguments that are read at once. */
  readonly texts: readonly (string | undefined)[];
}

const isTraced = (core: Core, name: string): boolean => {
  const wanted = core.options.trace?.systemCalls;
  return wanted === true || (Array.isArray(wanted) && wanted.includes(name));
};

/** Notes the beginning of a call; undefined when it is not logged. */
export function traceEntry(core: Core, thread: Thread, number: number, args: readonly number[]): Traced | undefined {
  const name = callName(number);
  if (!isTraced(core, name)) return undefined;
  const signature = signatureOf(name);
  const { memory } = core.process(thread.pid);
  const texts = signature?.arguments.map((argument, i) =>
    argument.out ? undefined : argumentText(core, memory, signature, argument, args, i, undefined),
  );
  return { tick: core.now + core.cost, texts: texts ?? args.map(hexText) };
}

/** Tells a call that has ended, or (without a result) that does not return. */
export function traceExit(core: Core, { tid, pid }: Thread, call: Call, returned: number | undefined): void {
  const { traced } = call;
  if (!traced) return;
  const name = callName(call.number);
  const signature = signatureOf(name);
  // A program that execve has replaced never sees its 0.
  const result = returned ?? (signature?.result === 'none' ? undefined : 0);
  const memory = core.findProcess(pid)?.memory;
  const parts = traced.texts.map((text, i) => {
    const argument = signature?.arguments[i];
    if (text !== undefined || !signature || !argument) return text ?? '?';
    return memory === undefined || result === undefined || result < 0
      ? hexText(call.args[i]!)
      : argumentText(core, memory, signature, argument, call.args, i, result);
  });
  // The mode is looked at only when a file is made.
  if (name === 'openat' && !(call.args[2]! & MAKES_FILE)) parts.pop();
  const error = result !== undefined && result < 0 && result > -4096 ? restartable(-result) : undefined;
  const shown = resultText(signature, result, error);
  const event: SystemCallEvent = {
    kind: 'system-call',
    pid,
    tid,
    number: call.number,
    name,
    arguments: parts.map((text, i) => ({ name: signature?.arguments[i]?.name ?? `a${i}`, text })),
    text: `${name}(${parts.join(', ')}) = ${shown}`,
    started: traced.tick,
    ticks: core.now + core.cost - traced.tick,
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
  };
  core.emit(event);
}

const RESTARTS: Readonly<Record<number, string>> = {
  [Errno.ERESTARTSYS]: 'ERESTARTSYS',
  [Errno.ERESTARTNOHAND]: 'ERESTARTNOHAND',
};
const restartable = (error: number): string => RESTARTS[error] ?? errorName(error);

function resultText(signature: Signature | undefined, result: number | undefined, error: string | undefined): string {
  if (result === undefined || signature?.result === 'none') return '?';
  if (error !== undefined) return error.startsWith('ERESTART') ? `? ${error} (to be restarted)` : `-1 ${error}`;
  if (signature?.result === 'address') return hexText(result);
  return signature?.result === 'octal' ? `0${result.toString(8)}` : String(result);
}

const hexText = (value: number): string =>
  value === 0 ? '0' : `0x${BigInt.asUintN(64, BigInt(Math.trunc(value))).toString(16)}`;
const pointerText = (value: number): string => (value === 0 ? 'NULL' : hexText(value));

/** User memory as it is or would be; fewer bytes where it ends. */
function peek(core: Core, memory: Memory, address: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const at = address + done;
    if (!(at >= 0)) break;
    const index = Math.floor(at / PAGE_SIZE);
    const inside = at - index * PAGE_SIZE;
    const count = Math.min(PAGE_SIZE - inside, length - done);
    const leaf = memory.pages.get(index);
    const page =
      leaf === undefined
        ? untouchedPage(core, memory, index * PAGE_SIZE)?.subarray(inside, inside + count)
        : core.port.read(reach(core, frameOf(leaf) + inside), count);
    if (!page) break;
    out.set(page, done);
    done += count;
  }
  return out.subarray(0, done);
}

const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 34: '\\"', 92: '\\\\' };
/** Bytes in quotes, with C's escapes. */
function quoted(bytes: Uint8Array, more: boolean): string {
  let text = '';
  bytes.forEach((byte, i) => {
    const digitFollows = bytes[i + 1]! >= 0x30 && bytes[i + 1]! <= 0x37;
    text +=
      ESCAPES[byte] ??
      (byte >= 32 && byte < 127
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(digitFollows ? 3 : 1, '0')}`);
  });
  return `"${text}"${more ? '...' : ''}`;
}

function stringText(core: Core, memory: Memory, address: number, limit: number): string {
  if (address === 0) return 'NULL';
  const bytes = peek(core, memory, address, limit + 1);
  const end = bytes.indexOf(0);
  if (bytes.length === 0) return hexText(address);
  return end >= 0 && end <= limit ? quoted(bytes.subarray(0, end), false) : quoted(bytes.subarray(0, limit), true);
}

function bufferText(core: Core, memory: Memory, address: number, length: number): string {
  if (address === 0 && length !== 0) return 'NULL';
  const bytes = peek(core, memory, address, Math.max(0, Math.min(length, SHOWN)));
  return bytes.length === 0 && length > 0 ? hexText(address) : quoted(bytes, length > bytes.length);
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A structure of `size` bytes, shown by `show`; its address when it can't be read. */
function structure(core: Core, memory: Memory, address: number, size: number, show: (at: DataView) => string): string {
  if (address === 0) return 'NULL';
  const bytes = peek(core, memory, address, size);
  return bytes.length < size ? hexText(address) : show(view(bytes));
}

function elements(
  core: Core,
  memory: Memory,
  address: number,
  count: number,
  size: number,
  show: (at: DataView) => string,
): string {
  if (address === 0) return 'NULL';
  const parts: string[] = [];
  for (let i = 0; i < Math.min(count, ELEMENTS); i++)
    parts.push(structure(core, memory, address + i * size, size, show));
  return `[${parts.join(', ')}${count > ELEMENTS ? ', ...' : ''}]`;
}

function sigsetText(bits: bigint): string {
  const names: string[] = [];
  for (let signal = 1; signal <= 64; signal++)
    if (bits & (1n << BigInt(signal - 1))) names.push(signalText(signal).replace(/^SIG/, ''));
  return names.length > 32 ? `~[0x${BigInt.asUintN(64, ~bits).toString(16)}]` : `[${names.join(' ')}]`;
}

const FILE_TYPES: Readonly<Record<number, string>> = {
  1: 'S_IFIFO',
  2: 'S_IFCHR',
  4: 'S_IFDIR',
  6: 'S_IFBLK',
  8: 'S_IFREG',
  10: 'S_IFLNK',
  12: 'S_IFSOCK',
};
function statText(at: DataView): string {
  const mode = at.getUint32(16, true);
  const type = FILE_TYPES[mode >> 12] ?? '0';
  return `{st_mode=${type}|0${(mode & 0o7777).toString(8)}, st_size=${at.getBigInt64(48, true)}, ...}`;
}

function sockaddrText(bytes: Uint8Array): string {
  if (bytes.length < 2) return '{}';
  const at = view(bytes);
  const family = named('AF', at.getUint16(0, true));
  if (family === 'AF_UNIX') {
    const end = bytes.indexOf(0, 3);
    return `{sa_family=AF_UNIX, sun_path=${quoted(bytes.subarray(2, end < 0 ? bytes.length : end), false)}}`;
  }
  if (family === 'AF_INET' && bytes.length >= 8)
    return `{sa_family=AF_INET, sin_port=htons(${at.getUint16(2)}), sin_addr=inet_addr("${[...bytes.subarray(4, 8)].join('.')}")}`;
  return `{sa_family=${family}, ...}`;
}

function stringsText(core: Core, memory: Memory, address: number): string {
  if (address === 0) return 'NULL';
  const parts: string[] = [];
  for (let i = 0; i < ELEMENTS; i++) {
    const bytes = peek(core, memory, address + i * 8, 8);
    if (bytes.length < 8) return hexText(address);
    const pointer = Number(view(bytes).getBigUint64(0, true));
    if (pointer === 0) return `[${parts.join(', ')}]`;
    parts.push(stringText(core, memory, pointer, SHOWN));
  }
  return `[${parts.join(', ')}, ...]`;
}

function countText(core: Core, memory: Memory, address: number): string {
  if (address === 0) return 'NULL';
  let count = 0;
  while (count < 10_000) {
    const bytes = peek(core, memory, address + count * 8, 8);
    if (bytes.length < 8 || view(bytes).getBigUint64(0, true) === 0n) break;
    count++;
  }
  return `${hexText(address)} /* ${count} vars */`;
}

const timespecText = (at: DataView): string =>
  `{tv_sec=${at.getBigInt64(0, true)}, tv_nsec=${at.getBigInt64(8, true)}}`;
const limitText = (value: bigint): string => (value === 0xffff_ffff_ffff_ffffn ? 'RLIM64_INFINITY' : String(value));

type Decoder = (core: Core, memory: Memory, value: number, length: number) => string;
const DECODERS: Readonly<Record<string, Decoder>> = {
  fd: (_core, _memory, value) => String(value | 0),
  int: (_core, _memory, value) => String(Number.isSafeInteger(value) && Math.abs(value) > 2 ** 32 ? value : value | 0),
  unsigned: (_core, _memory, value) => (value < 0 ? hexText(value) : String(value)),
  hex: (_core, _memory, value) => hexText(value),
  pointer: (_core, _memory, value) => pointerText(value),
  mode: (_core, _memory, value) => `0${(value & 0o177777).toString(8)}`,
  dirfd: (_core, _memory, value) => ((value | 0) === -100 ? 'AT_FDCWD' : String(value | 0)),
  path: (core, memory, value) => stringText(core, memory, value, PATH_SHOWN),
  string: (core, memory, value) => stringText(core, memory, value, SHOWN),
  bytes: bufferText,
  strings: stringsText,
  count: countText,
  stat: (core, memory, value) => structure(core, memory, value, 128, statText),
  timespec: (core, memory, value) => structure(core, memory, value, 16, timespecText),
  rlimit: (core, memory, value) =>
    structure(
      core,
      memory,
      value,
      16,
      (at) => `{rlim_cur=${limitText(at.getBigUint64(0, true))}, rlim_max=${limitText(at.getBigUint64(8, true))}}`,
    ),
  sigset: (core, memory, value) => structure(core, memory, value, 8, (at) => sigsetText(at.getBigUint64(0, true))),
  sigaction: (core, memory, value) =>
    structure(core, memory, value, 24, (at) => {
      const handler = at.getBigUint64(0, true);
      const shown = handler === 0n ? 'SIG_DFL' : handler === 1n ? 'SIG_IGN' : `0x${handler.toString(16)}`;
      return `{sa_handler=${shown}, sa_mask=${sigsetText(at.getBigUint64(16, true))}, sa_flags=0x${at.getBigUint64(8, true).toString(16)}}`;
    }),
  fds: (core, memory, value) => elements(core, memory, value, 2, 4, (at) => String(at.getInt32(0, true))),
  ints: (core, memory, value) =>
    value === 0 ? 'NULL' : elements(core, memory, value, 1, 4, (at) => String(at.getInt32(0, true))),
  iovec: (core, memory, value, length) =>
    elements(core, memory, value, length, 16, (at) => {
      const size = Number(at.getBigUint64(8, true));
      return `{iov_base=${bufferText(core, memory, Number(at.getBigUint64(0, true)), size)}, iov_len=${size}}`;
    }),
  pollfds: (core, memory, value, length) =>
    elements(
      core,
      memory,
      value,
      length,
      8,
      (at) => `{fd=${at.getInt32(0, true)}, events=0x${at.getUint16(4, true).toString(16)}}`,
    ),
  sockaddr: (core, memory, value, length) =>
    value === 0 ? 'NULL' : sockaddrText(peek(core, memory, value, Math.max(0, Math.min(length, 128)))),
};

function argumentText(
  core: Core,
  memory: Memory,
  { arguments: all }: Signature,
  { kind, length }: Argument,
  args: readonly number[],
  index: number,
  result: number | undefined,
): string {
  const value = args[index]!;
  if (hasNames(kind)) return named(kind, value);
  const size =
    length === 'result'
      ? (result ?? 0)
      : length === undefined
        ? 0
        : args[all.findIndex(({ name }) => name === length)]!;
  return DECODERS[kind]!(core, memory, value, size);
}

/**
 * The terminal: its settings (termios(3)), the line being typed, whose it is (session and foreground group), and what typed characters do.
 * There is one, which the first process's session has. Owns everything a program can ask of it; knows nothing about open files.
 */
import { List } from 'immutable';
import type { Core } from './core';
import { Errno, Signal } from './errno';
import { isOrphaned, kinOf, signalGroup } from './family';
import { wake } from './scheduler';
import { actionOf, kernelInfo, maskBit } from './signals';
import type { LinuxOptions } from './types';

/** Settings as struct termios holds them. */
export interface Termios {
  readonly input: number;
  readonly output: number;
  readonly control: number;
  readonly local: number;
  /** Control characters, by V… number; 0 is none. */
  readonly characters: readonly number[];
}

export interface Tty {
  readonly termios: Termios;
  readonly rows: number;
  readonly columns: number;
  /** Session whose controlling terminal it is, and the process group that may use it; 0 for none. */
  readonly session: number;
  readonly foreground: number;
  /** The line being typed, in canonical mode. */
  readonly line: readonly number[];
  /** What can be read. In canonical mode whole lines, the empty one being the end of the file. */
  readonly lines: List<Uint8Array>;
  /** Nothing will be typed any more. */
  readonly ended: boolean;
}

const enum I {
  INLCR = 0x40,
  IGNCR = 0x80,
  ICRNL = 0x100,
  IUTF8 = 0x4000,
}
const enum O {
  OPOST = 1,
  ONLCR = 4,
}
const enum L {
  ISIG = 1,
  ICANON = 2,
  ECHO = 8,
  ECHOE = 0x10,
  ECHOK = 0x20,
  ECHONL = 0x40,
  NOFLSH = 0x80,
  TOSTOP = 0x100,
  ECHOCTL = 0x200,
  ECHOKE = 0x800,
  IEXTEN = 0x8000,
}
const enum V {
  INTR,
  QUIT,
  ERASE,
  KILL,
  EOF,
  TIME,
  MIN,
  SUSP = 10,
  EOL = 11,
  WERASE = 14,
  EOL2 = 16,
}
/** 38400 baud, 8 bits, receiver on. */
const CONTROL = 0xbf;
/** Longest line; what is typed beyond is dropped. */
const LINE_MAX = 4095;
/** Bytes typed ahead, in lines or not. */
const TYPED_MAX = 65536;

/** Linux's settings of a new terminal; flow control by ^S and ^Q is off, as output is never held back. */
const COOKED: Termios = {
  input: I.ICRNL | I.IUTF8,
  output: O.OPOST | O.ONLCR,
  control: CONTROL,
  local: L.ISIG | L.ICANON | L.ECHO | L.ECHOE | L.ECHOK | L.ECHOCTL | L.ECHOKE | L.IEXTEN,
  characters: [3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0x0f, 0x17, 0x16, 0, 0, 0],
};
/** Of a terminal that only shows: what is written arrives as it is. */
const PLAIN: Termios = { ...COOKED, output: 0 };

export const initialTty = ({ interactive }: LinuxOptions): Tty => ({
  termios: interactive ? COOKED : PLAIN,
  rows: 24,
  columns: 80,
  session: 0,
  foreground: 0,
  line: [],
  lines: List(),
  ended: !interactive,
});

const setTty = (core: Core, patch: Partial<Tty>): void => core.set({ tty: { ...core.state.tty, ...patch } });

/** Where its readers wait. */
export const TTY_QUEUE = 'tty';

// ---- whose it is ---------------------------------------------------------------------------------------------------------------

/** It becomes the controlling terminal of a session, whose leader's group is in the foreground. */
export const takeTty = (core: Core, session: number, group: number): void =>
  setTty(core, { session, foreground: group });

/** The session's leader is gone, or gives it up: the foreground group is told. */
export function leaveTty(core: Core): void {
  const { foreground } = core.state.tty;
  setTty(core, { session: 0, foreground: 0 });
  if (foreground === 0) return;
  for (const signal of [Signal.HUP, Signal.CONT]) signalGroup(core, foreground, kernelInfo(signal));
  wake(core, TTY_QUEUE);
}

/** May the current thread's process use the terminal? Undefined when it may; else its group has been told, and the errno for the call. */
export function refuseBackground(core: Core, signal: Signal.TTIN | Signal.TTOU): number | undefined {
  const thread = core.thread(core.state.current!);
  const process = core.process(thread.pid);
  const { session, foreground } = core.state.tty;
  if (session === 0 || process.session !== session || process.group === foreground) return undefined;
  const deaf = actionOf(process, signal).handler === 1 || (thread.mask & maskBit(signal)) !== 0n;
  if (deaf) return signal === Signal.TTIN ? -Errno.EIO : undefined;
  if (isOrphaned(core, process.group)) return -Errno.EIO;
  signalGroup(core, process.group, kernelInfo(signal));
  return -Errno.ERESTARTSYS;
}

/** Makes a group of the caller's session the foreground group: 0 or a negative errno. */
export function setForeground(core: Core, session: number, group: number): number {
  if (core.state.tty.session !== session) return -Errno.ENOTTY;
  if (group <= 0) return -Errno.EINVAL;
  const all = [...core.state.processes.keys(), ...core.state.zombies.keys()].sort((a, b) => a - b);
  const member = all.map((pid) => kinOf(core, pid)!).find((kin) => kin.group === group);
  if (!member) return -Errno.ESRCH;
  if (member.session !== session) return -Errno.EPERM;
  setTty(core, { foreground: group });
  return 0;
}

// ---- settings ------------------------------------------------------------------------------------------------------------------

export const TERMIOS_SIZE = 36;
const CHARACTERS_AT = 17;
const CHARACTERS = 19;

export function termiosBytes({ input, output, control, local, characters }: Termios): Uint8Array {
  const bytes = new Uint8Array(TERMIOS_SIZE);
  const view = new DataView(bytes.buffer);
  [input, output, control, local].forEach((word, i) => view.setUint32(4 * i, word, true));
  bytes.set(characters, CHARACTERS_AT);
  return bytes;
}

/** Takes settings as a program gives them. What was typed as a line can be read as bytes when lines are given up. */
export function setTermios(core: Core, bytes: Uint8Array, flush: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number): number => view.getUint32(4 * index, true);
  const characters = [...bytes.subarray(CHARACTERS_AT, CHARACTERS_AT + CHARACTERS)];
  const termios = { input: word(0), output: word(1), control: word(2), local: word(3), characters };
  if (flush) flushInput(core);
  const { line, lines } = core.state.tty;
  setTty(core, { termios });
  if (!(termios.local & L.ICANON) && line.length > 0) {
    setTty(core, { line: [], lines: lines.push(Uint8Array.from(line)) });
    wake(core, TTY_QUEUE);
  }
}

export const flushInput = (core: Core): void => setTty(core, { line: [], lines: List() });

export function setWindow(core: Core, rows: number, columns: number): void {
  const { tty } = core.state;
  if (tty.rows === rows && tty.columns === columns) return;
  setTty(core, { rows, columns });
  if (tty.foreground !== 0) signalGroup(core, tty.foreground, kernelInfo(Signal.WINCH));
}

// ---- reading and writing -------------------------------------------------------------------------------------------------------

/** What a reader finds: bytes (none at the end), or undefined when it has to wait. */
export function readTty(core: Core, length: number): Uint8Array | undefined {
  const { lines, ended, termios } = core.state.tty;
  const canonical = (termios.local & L.ICANON) !== 0;
  const first = lines.first();
  if (first === undefined)
    return ended || (!canonical && termios.characters[V.MIN] === 0) ? new Uint8Array(0) : undefined;
  if (canonical) {
    const part = first.subarray(0, length);
    setTty(core, { lines: part.length < first.length ? lines.set(0, first.slice(length)) : lines.shift() });
    return part;
  }
  const bytes: number[] = [];
  let rest = lines;
  for (let chunk = rest.first(); chunk && bytes.length < length; chunk = rest.first()) {
    const part = chunk.subarray(0, length - bytes.length);
    bytes.push(...part);
    rest = part.length < chunk.length ? rest.set(0, chunk.slice(part.length)) : rest.shift();
  }
  setTty(core, { lines: rest });
  return Uint8Array.from(bytes);
}

export const typedAhead = (core: Core): number => core.state.tty.lines.reduce((sum, { length }) => sum + length, 0);

/** Can something be read, if only the end? */
export const ttyReadable = ({ state: { tty } }: Core): boolean => tty.lines.size > 0 || tty.ended;

/** Output as it leaves for the outside. */
export function processed(core: Core, bytes: Uint8Array): Uint8Array {
  const { output } = core.state.tty.termios;
  if (!(output & O.OPOST) || !(output & O.ONLCR) || !bytes.includes(NL)) return bytes;
  const out: number[] = [];
  for (const byte of bytes) {
    if (byte === NL) out.push(CR);
    out.push(byte);
  }
  return Uint8Array.from(out);
}

export const stopsBackground = ({ state: { tty } }: Core): boolean => (tty.termios.local & L.TOSTOP) !== 0;

// ---- typing --------------------------------------------------------------------------------------------------------------------

const NL = 10;
const CR = 13;
const BACKSPACE = [8, 32, 8];

/** Bytes that were typed, one after the other. */
export function typed(core: Core, bytes: Uint8Array, end: boolean): void {
  for (const byte of bytes) typeOne(core, byte);
  core.charge(bytes.length);
  if (end) setTty(core, { ended: true });
  wake(core, TTY_QUEUE);
}

function typeOne(core: Core, given: number): void {
  const { input, local, characters } = core.state.tty.termios;
  let byte = given;
  if (byte === CR && input & I.IGNCR) return;
  if (byte === CR && input & I.ICRNL) byte = NL;
  else if (byte === NL && input & I.INLCR) byte = CR;
  const is = (which: V): boolean => byte !== 0 && byte === characters[which];
  if (local & L.ISIG) {
    const signal = is(V.INTR) ? Signal.INT : is(V.QUIT) ? Signal.QUIT : is(V.SUSP) ? Signal.TSTP : 0;
    if (signal !== 0) {
      if (!(local & L.NOFLSH)) flushInput(core);
      echo(core, byte);
      const { foreground } = core.state.tty;
      if (foreground !== 0) signalGroup(core, foreground, kernelInfo(signal));
      return;
    }
  }
  if (local & L.ICANON) typeInLine(core, byte, is);
  else {
    echo(core, byte);
    if (typedAhead(core) < TYPED_MAX) setTty(core, { lines: core.state.tty.lines.push(Uint8Array.of(byte)) });
  }
}

/** A character of a line, which can be edited until it is complete. */
function typeInLine(core: Core, byte: number, is: (which: V) => boolean): void {
  const { line, termios } = core.state.tty;
  if (is(V.ERASE)) return eraseTo(core, beforeLast(line, termios.input));
  if (is(V.KILL)) return eraseTo(core, 0);
  if (is(V.WERASE) && termios.local & L.IEXTEN) return eraseTo(core, beforeWord(line));
  if (is(V.EOF)) return complete(core, line);
  if (byte === NL || is(V.EOL) || is(V.EOL2)) {
    if (termios.local & (L.ECHO | L.ECHONL)) show(core, [byte]);
    return complete(core, [...line, byte]);
  }
  if (line.length >= LINE_MAX) return;
  echo(core, byte);
  setTty(core, { line: [...line, byte] });
}

function complete(core: Core, line: readonly number[]): void {
  const { lines } = core.state.tty;
  const full = typedAhead(core) + line.length > TYPED_MAX;
  setTty(core, { line: [], lines: full ? lines : lines.push(Uint8Array.from(line)) });
}

const continues = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** Where the last character of a line begins. */
function beforeLast(line: readonly number[], input: number): number {
  let at = Math.max(0, line.length - 1);
  if (input & I.IUTF8) while (at > 0 && continues(line[at]!)) at--;
  return at;
}

const SPACES = new Set([32, 9]);
function beforeWord(line: readonly number[]): number {
  let at = line.length;
  while (at > 0 && SPACES.has(line[at - 1]!)) at--;
  while (at > 0 && !SPACES.has(line[at - 1]!)) at--;
  return at;
}

/** Takes the end of the line back, also on the screen. */
function eraseTo(core: Core, at: number): void {
  const { line, termios } = core.state.tty;
  setTty(core, { line: line.slice(0, at) });
  if (!(termios.local & L.ECHO)) return;
  const width = line.slice(at).reduce((sum, byte) => sum + (continues(byte) ? 0 : shown(core, byte).length), 0);
  show(core, Array.from({ length: width }, () => BACKSPACE).flat());
}

/** How a typed character looks: control characters as ^C. */
function shown(core: Core, byte: number): number[] {
  const { local } = core.state.tty.termios;
  const control = (byte < 32 && byte !== NL && byte !== 9) || byte === 127;
  return control && local & L.ECHOCTL ? [0x5e, byte ^ 0x40] : [byte];
}

function echo(core: Core, byte: number): void {
  if (core.state.tty.termios.local & L.ECHO) show(core, shown(core, byte));
}

/** The terminal's own output. */
function show(core: Core, bytes: readonly number[]): void {
  if (bytes.length > 0)
    core.emit({ kind: 'output', stream: 'stdout', pid: 0, bytes: processed(core, Uint8Array.from(bytes)) });
}

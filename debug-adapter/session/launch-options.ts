/** The launch configuration: which attributes there are, what they must be, and their defaults. Reads nothing from disk. */
import { COMMANDS_MAX } from '../../emulator/linux/init/commands';
import { launchErrors } from '../errors';
import { isAbsolute } from './files';
import type { AttestationChoice } from './keys';

export interface LaunchOptions {
  /** Absolute path (or URI) of the host program on the developer's machine. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: every regular file of the program's folder. */
  readonly sdkFiles: readonly string[] | undefined;
  /** Folder that becomes the `/` of the machine. */
  readonly root: string | undefined;
  /** Places in the machine -> folders or files that show there. */
  readonly mounts: Readonly<Record<string, string>> | undefined;
  /** Lines as for a shell, executed one after the other instead of the program. */
  readonly commands: readonly string[] | undefined;
  readonly stopOnEntry: boolean;
  /** File whose bytes are the program's standard input. */
  readonly stdin: string | undefined;
  /** Folders as debug information names them -> where they are now. */
  readonly sourceMap: Readonly<Record<string, string>>;
  /** Log the protocol: to the session's log, or to a file. */
  readonly trace: boolean | string;
  /** Tell every call that reaches the monitor or its driver: in the Debug Console, or in a file. */
  readonly transitions: boolean | string;
  /** Folder that relative paths of this configuration start from. */
  readonly cwd: string | undefined;
  readonly seed: number | undefined;
  readonly memoryMiB: number | undefined;
  /** `real`: virtual time does not run ahead of the clock on the wall. */
  readonly pace: 'real' | 'fast';
  /** Ticks a thread runs while others wait, and whether that varies from slice to slice. */
  readonly schedule: { readonly quantum?: number; readonly vary?: boolean } | undefined;
  /** What sizes are limited to: the machine's memory, or what the published stack allows. */
  readonly limits: 'memory' | 'device' | undefined;
  /** How enclaves are measured and reports signed, and with which keys. */
  readonly attestation: AttestationChoice['attestation'];
  readonly keys: AttestationChoice['keys'];
  readonly rootKey: AttestationChoice['rootKey'];
  /** What becomes of a program that does what a device would not survive. */
  readonly hazards: 'explain' | 'end' | undefined;
  /** Run without stopping anywhere. */
  readonly noDebug: boolean;
}

type Check = (value: unknown) => boolean;
const isString: Check = (value) => typeof value === 'string';
const isText: Check = (value) => typeof value === 'string' && value !== '';
const isStrings: Check = (value) => Array.isArray(value) && value.every(isString);
const isCommands: Check = (value) =>
  isStrings(value) && (value as unknown[]).length > 0 && (value as unknown[]).length <= COMMANDS_MAX;
const isStringRecord: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isString);
const isBoolean: Check = (value) => typeof value === 'boolean';
const within =
  (low: number, high: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high;

/** Below this a thread gets nothing done between two switches. */
const QUANTUM_MIN = 1000;

const isSchedule: Check = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { quantum, vary, ...others } = value as { quantum?: unknown; vary?: unknown };
  const fits = quantum === undefined || within(QUANTUM_MIN, 1_000_000_000)(quantum);
  return fits && (vary === undefined || isBoolean(vary)) && Object.keys(others).length === 0;
};

/** Name -> check and what to say when it fails. */
const ATTRIBUTES: Readonly<Record<string, readonly [Check, string]>> = {
  program: [isText, 'the path of the host program'],
  args: [isStrings, 'an array of strings'],
  env: [isStringRecord, 'an object whose values are strings'],
  sdkFiles: [isStrings, 'an array of paths'],
  root: [isText, 'the path of a folder'],
  mounts: [isStringRecord, 'an object that maps places in the machine to folders or files'],
  commands: [isCommands, 'an array of 1 to 1000 lines'],
  stopOnEntry: [isBoolean, 'true or false'],
  stdin: [isText, 'the path of a file'],
  sourceMap: [isStringRecord, 'an object that maps folders to folders'],
  trace: [(value) => isBoolean(value) || isText(value), 'true, false or the path of a log file'],
  transitions: [(value) => isBoolean(value) || isText(value), 'true, false or the path of a file'],
  cwd: [isText, 'the path of a folder'],
  seed: [within(0, 0xffff_ffff), 'an integer from 0 to 4294967295'],
  memoryMiB: [within(64, 3072), 'an integer from 64 to 3072'],
  schedule: [isSchedule, '{"quantum": ticks from 1000, "vary": true or false}'],
  pace: [(value) => value === 'real' || value === 'fast', '"real" or "fast"'],
  attestation: [(value) => value === 'penglai' || value === 'standard', '"penglai" or "standard"'],
  keys: [(value) => value === 'generated' || value === 'none', '"generated" or "none"'],
  rootKey: [(value) => value === 'published' || value === 'generated', '"published" or "generated"'],
  limits: [(value) => value === 'memory' || value === 'device', '"memory" or "device"'],
  hazards: [(value) => value === 'explain' || value === 'end', '"explain" or "end"'],
  noDebug: [isBoolean, 'true or false'],
};

/** Attributes an editor puts into every configuration; their meaning is the editor's. */
const OF_THE_EDITOR = new Set([
  ...['type', 'request', 'name', 'preLaunchTask', 'postDebugTask', 'internalConsoleOptions', 'presentation', 'order'],
  ...[
    'debugServer',
    'serverReadyAction',
    'restart',
    'windows',
    'linux',
    'osx',
    'console',
    'debugAdapter',
    'showReturnValue',
  ],
  ...['suppressDebugToolbar', 'suppressDebugStatusbar', 'suppressDebugView', 'suppressSaveBeforeStart'],
  ...[
    'suppressMultipleSessionWarning',
    'parentSession',
    'lifecycleManagedByParent',
    'consoleMode',
    'compact',
    'testRun',
  ],
]);

/** Longest text and list taken from a configuration; more cannot be meant. */
const LENGTH_MAX = 100_000;

/** Throws the named error of the first attribute that does not fit. */
export function parseLaunch(given: Readonly<Record<string, unknown>>): LaunchOptions {
  for (const [name, value] of Object.entries(given)) {
    if (OF_THE_EDITOR.has(name) || name.startsWith('__') || value === undefined || value === null) continue;
    const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (!attribute) throw launchErrors.unknownAttribute(name.slice(0, 100), similarTo(name));
    if (!attribute[0](value)) throw launchErrors.badAttribute(name, attribute[1]);
    if (JSON.stringify(value).length > LENGTH_MAX) throw launchErrors.badAttribute(name, 'shorter');
  }
  if (given['program'] === undefined || given['program'] === null)
    throw launchErrors.badAttribute('program', 'the path of the host program');
  const option = <T>(name: string, fallback: T): T => (given[name] ?? fallback) as T;
  const options: LaunchOptions = {
    program: option('program', ''),
    args: option('args', []),
    env: option('env', {}),
    sdkFiles: option('sdkFiles', undefined),
    root: option('root', undefined),
    mounts: option('mounts', undefined),
    commands: option('commands', undefined),
    stopOnEntry: option('stopOnEntry', false),
    stdin: option('stdin', undefined),
    sourceMap: option('sourceMap', {}),
    trace: option('trace', false),
    transitions: option('transitions', false),
    cwd: option('cwd', undefined),
    seed: option('seed', undefined),
    memoryMiB: option('memoryMiB', undefined),
    schedule: option('schedule', undefined),
    pace: option('pace', 'real'),
    limits: option('limits', undefined),
    attestation: option('attestation', undefined),
    keys: option('keys', undefined),
    rootKey: option('rootKey', undefined),
    hazards: option('hazards', undefined),
    noDebug: option('noDebug', false),
  };
  if (!isAbsolute(options.program) && options.cwd === undefined)
    throw launchErrors.badAttribute('program', 'an absolute path, or relative to "cwd"');
  return options;
}

/** The known attribute a misspelt one was probably meant to be: same letters ignoring case, or one edit away. */
function similarTo(name: string): string | undefined {
  if (name.length > 40) return undefined;
  const ranked = Object.keys(ATTRIBUTES)
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0] && ranked[0].distance <= 2 ? ranked[0].known : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

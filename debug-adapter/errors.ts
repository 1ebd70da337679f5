/**
 * Every error of the adapter that a user can meet, as a named factory: code, cause, remedy. Codes and numbers are stable: people
 * search for them. Errors of the protocol itself (below 1000) are in dap/server.ts.
 */
import { AdapterError } from './dap/error';

export { AdapterError };

const shown = (code: string, id: number, what: string, remedy: string) =>
  new AdapterError(code, id, what, remedy, true);
const quiet = (code: string, id: number, what: string, remedy: string) =>
  new AdapterError(code, id, what, remedy, false);

/** Requests at the wrong time. */
export const orderErrors = {
  notInitialized: (command: string) =>
    quiet('NOT_INITIALIZED', 1000, `\`${command}\` came before \`initialize\`.`, 'Send `initialize` first.'),
  alreadyInitialized: () => quiet('ALREADY_INITIALIZED', 1001, '`initialize` came twice.', 'Send it once per session.'),
  notLaunched: (command: string) =>
    quiet('NOT_LAUNCHED', 1002, `\`${command}\` came while no program is being debugged.`, 'Send `launch` first.'),
  alreadyLaunched: () => quiet('ALREADY_LAUNCHED', 1003, '`launch` came twice.', 'Use `restart`, or a new session.'),
  notStopped: (command: string) =>
    quiet('NOT_STOPPED', 1004, `\`${command}\` needs the program to be paused.`, 'Pause it first.'),
  attach: () =>
    shown(
      'ATTACH_UNSUPPORTED',
      1005,
      'Attaching is not possible: the machine exists only inside a debug session.',
      'Set "request": "launch" in the configuration.',
    ),
  stale: (what: string) =>
    quiet('STALE_REFERENCE', 1006, `The ${what} is not valid any more.`, 'The program has run since; ask again.'),
  unknownThread: (id: number) =>
    quiet('UNKNOWN_THREAD', 1007, `There is no thread ${id}.`, 'It may have ended; ask for the threads again.'),
};

/** True for a request that came at the wrong time: it is refused, and nothing else changes. */
export function isOrderError(error: unknown): boolean {
  return error instanceof AdapterError && error.id >= 1000 && error.id < 2000 && error.code !== 'ATTACH_UNSUPPORTED';
}

/** Launch configurations. */
export const launchErrors = {
  badAttribute: (name: string, must: string) =>
    shown('BAD_ATTRIBUTE', 2000, `Launch attribute "${name}" must be ${must}.`, 'Correct it in launch.json.'),
  unknownAttribute: (name: string, similar: string | undefined) =>
    shown(
      'UNKNOWN_ATTRIBUTE',
      2001,
      `Launch attribute "${name}" does not exist.`,
      similar === undefined ? 'Remove it from launch.json.' : `Did you mean "${similar}"?`,
    ),
  programMissing: (path: string) =>
    shown(
      'PROGRAM_NOT_FOUND',
      2002,
      `The program ${path} does not exist.`,
      'Build it first, or correct "program" in launch.json.',
    ),
  programIsFolder: (path: string) =>
    shown('PROGRAM_IS_FOLDER', 2003, `The program ${path} is a folder.`, 'Name the host program inside it.'),
  programUnusable: (path: string, why: string) => shown('PROGRAM_UNUSABLE', 2004, `${path} cannot be run.`, why),
  sdkFileMissing: (path: string) =>
    shown(
      'SDK_FILE_NOT_FOUND',
      2005,
      `The file ${path} of "sdkFiles" does not exist.`,
      'Build it first, or correct "sdkFiles" in launch.json.',
    ),
  sdkFileTwice: (name: string) =>
    shown(
      'SDK_FILE_TWICE',
      2007,
      `Two of "sdkFiles" are called ${name}; the program would find only one of them.`,
      'Rename one.',
    ),
  tooMuch: (what: string, limit: string) =>
    shown(
      'TOO_MANY_FILES',
      2008,
      `${what} for the emulated machine; the limit is ${limit}.`,
      'List the files the program needs in "sdkFiles".',
    ),
  stdinMissing: (path: string) =>
    shown('STDIN_NOT_FOUND', 2009, `The file ${path} of "stdin" does not exist.`, 'Correct "stdin" in launch.json.'),
  badCommand: (line: string, why: string, remedy: string) =>
    shown('BAD_COMMAND', 2023, `The line "${line.slice(0, 200)}" of "commands" cannot be run: ${why}`, remedy),
  argsAndCommands: () =>
    shown(
      'ARGS_AND_COMMANDS',
      2024,
      'There are "args" for the program, but "commands" are executed instead of it.',
      'Put the arguments into the command that runs the program.',
    ),
  loaderMissing: (program: string, loader: string) =>
    shown(
      'LOADER_NOT_FOUND',
      2010,
      `${program} is linked dynamically and needs ${loader}, which the emulated machine does not have.`,
      'Link it with -static, or give the machine its libraries with "root" or "mounts".',
    ),
  mountNotAbsolute: (guest: string) =>
    shown(
      'MOUNT_NOT_ABSOLUTE',
      2020,
      `The place ${guest} of "mounts" does not begin with /.`,
      'Name the place from the root of the emulated machine on.',
    ),
  mountMissing: (guest: string, path: string) =>
    shown(
      'MOUNT_NOT_FOUND',
      2021,
      `${path}, which is to show at ${guest}, does not exist.`,
      'Correct "root" or "mounts" in launch.json.',
    ),
  mountTooMuch: (what: string) =>
    shown('MOUNT_TOO_LARGE', 2022, `${what} to be mounted.`, 'Mount only the folders the program needs.'),
  unreadable: (path: string, why: string) =>
    shown('FILE_UNREADABLE', 2011, `${path} cannot be read (${why}).`, 'Check its permissions.'),
  system: (why: string) => shown('SYSTEM_REFUSED', 2012, why, ''),
  keysUnusable: (path: string, why: string) =>
    shown(
      'KEYS_UNUSABLE',
      2013,
      `The simulated keys in ${path} cannot be used: ${why}.`,
      'Delete the file to get new ones.',
    ),
};

/** Why a breakpoint is not verified, or where it went: texts of `Breakpoint.message`. */
export const breakpointReasons = {
  /** `twin`: a file of the same name that a program was built from, if there is one. */
  noSuchFile: (programs: number, twin?: string) =>
    quiet(
      'SOURCE_NOT_IN_PROGRAM',
      3000,
      `None of the ${programs} programs of this session was built from this file${twin ? ` but one from ${twin}` : ''}.`,
      'If it was built elsewhere, map the folders with "sourceMap" in launch.json.',
    ),
  noDebugInfo: (names: string) =>
    quiet('NO_DEBUG_INFO', 3001, `No debug information: ${names}.`, 'Build with -g, then start again.'),
  ambiguous: (paths: readonly string[]) =>
    quiet(
      'SOURCE_AMBIGUOUS',
      3002,
      `Several files could be meant: ${paths.join(', ')}.`,
      'Map the folder it was built in with "sourceMap" in launch.json.',
    ),
  noCode: (line: number) =>
    quiet(
      'NO_CODE',
      3003,
      `There is no code at line ${line} or after it in this file.`,
      'Choose a line with a statement.',
    ),
  tooMany: (limit: number) =>
    quiet('TOO_MANY_BREAKPOINTS', 3005, `A file can have ${limit} breakpoints.`, 'Remove some that are not needed.'),
  newerSource: (names: string) =>
    quiet(
      'SOURCE_NEWER',
      3004,
      `This file was changed after ${names} was built, so its lines may not fit.`,
      'Build again, then start again.',
    ),
};

/** The run itself. */
export const runErrors = {
  unknownEnclave: (instance: number) =>
    quiet('UNKNOWN_ENCLAVE', 4000, `There is no enclave #${instance}.`, 'It may have ended; refresh the view.'),
  noEvaluation: (why: string) => quiet('CANNOT_EVALUATE', 4001, why, ''),
  operationPending: () =>
    quiet('OPERATION_PENDING', 4002, 'The machine has not answered yet.', 'Try again when it has run a little.'),
  noFault: (thread: number) => quiet('NO_FAULT', 4004, `Thread ${thread} is not paused on a fault.`, ''),
  noFrame: () =>
    quiet('NO_FRAME', 4005, 'An expression needs a frame to be evaluated in.', 'Select one in the call stack.'),
  noSource: () => quiet('NO_SOURCE', 4003, 'The adapter keeps no source text.', 'Open the file itself.'),
};

/** Things a user should know that are no failures: lines of the debug console. */
export const runWarnings = {
  missingSystemCall: (name: string, number: number) =>
    quiet(
      'SYSTEM_CALL_MISSING',
      5000,
      `The program used the system call ${name} (${number}), which the emulated host does not have; it got ENOSYS.`,
      '',
    ),
  endedByHazard: (code: string) =>
    quiet(
      'ENDED_BY_HAZARD',
      5007,
      `The program was ended by the hazard ${code}, as a device would be.`,
      'Set "hazards": "explain" in launch.json to let it go on.',
    ),
  enclavesLeft: (names: readonly string[]) =>
    quiet(
      'ENCLAVES_LEFT',
      5001,
      `The host ended while ${names.length === 1 ? 'an enclave was' : `${names.length} enclaves were`} alive: ${listed(names)}. The driver destroyed ${names.length === 1 ? 'it' : 'them'}.`,
      'Join the threads that run enclaves, and call PLenclave_destroy for servers and templates, before main returns.',
    ),
  noDebugInfo: (name: string, why: string) => quiet('NO_DEBUG_INFO', 3001, `${name}: ${why}`, ''),
  leftOut: (what: string) => quiet('FILES_LEFT_OUT', 5002, what, ''),
  noTrace: (path: string) =>
    quiet('TRACE_NOT_WRITTEN', 5003, `The log ${path} cannot be written.`, 'Correct "trace" in launch.json.'),
  noTransitions: (path: string) =>
    quiet(
      'TRANSITIONS_NOT_WRITTEN',
      5004,
      `The trace ${path} cannot be written.`,
      'Correct "transitions" in launch.json.',
    ),
  stuck: () =>
    quiet(
      'NOTHING_RUNS',
      5004,
      'Every thread waits for something that nothing in the machine will bring about.',
      'Pause to see where; an enclave that is stopped waits for a resume.',
    ),
};

function listed(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
}

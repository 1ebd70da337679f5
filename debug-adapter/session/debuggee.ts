/**
 * What one launch brings to life: the files, the system made from them, its images and sources, run control, and what is
 * announced about it. A restart makes a new one; the client's breakpoints move over.
 */
import { prepareImageHash } from '../../emulator/linux/image-hash';
import { prepareDigest } from '../../monitor/digest';
import type { System, CreateSystem, LaunchDescription } from '../../monitor/system/types';
import { launchErrors, runWarnings } from '../errors';
import { Images } from '../target/image';
import { SourceMap } from '../target/paths';
import type { Breakpoint } from '../target/breakpoints';
import { Target, type Stop } from '../target/target';
import { Announcer, type SendEvent } from './announce';
import type { Environment } from './environment';
import { folderOf, resolvePath, toUri } from './files';
import { describeLaunch, gatherGuest } from './guest';
import { attestationSettings } from './keys';
import { hashBytes } from './hash';
import { Inspection } from './inspection';
import type { LaunchOptions } from './launch-options';
import { moduleOf } from './present';
import { rootsOf, Sources } from './sources';
import { TransitionLog } from './transitions';

/** What the session wants to know about its debuggee. */
export interface DebuggeeOwner {
  readonly send: SendEvent;
  readonly lineBase: 0 | 1;
  readonly columnBase: 0 | 1;
  stopped(stop: Stop): void;
  ended(status: number | undefined): void;
  breakpointChanged(breakpoint: Breakpoint): void;
}

export class Debuggee {
  private constructor(
    readonly system: System,
    readonly target: Target,
    readonly images: Images,
    readonly sources: Sources,
    readonly inspection: Inspection,
    readonly announcer: Announcer,
    private readonly stdin: Uint8Array | undefined,
  ) {}

  /** Reads the files, makes the system and indexes the programs. Throws the named error of what is wrong. */
  static async create(
    options: LaunchOptions,
    environment: Environment,
    createSystem: CreateSystem,
    owner: DebuggeeOwner,
  ): Promise<Debuggee> {
    const guest = await gatherGuest(environment.files, options);
    const stdin = await readStdin(options, environment);
    const program = resolvePath(options.cwd ?? '', options.program);
    await prepareImageHash();
    prepareDigest();
    const attestation = await attestationSettings(environment.files, program, options);
    const transitions = options.transitions !== false;
    const machine = { ...options, attestation, terminal: true, transitions };
    const system = makeSystem(createSystem, describeLaunch(machine, guest));
    const images = new Images((hash) => system.image(hash));
    const map = new SourceMap(options.sourceMap);
    const sources = new Sources(environment.files, map, rootsOf(program, options.cwd));
    const announcer = new Announcer(system, owner.send, () => environment.wall.now(), moduleOf);
    for (const warning of guest.warnings) announcer.warn(runWarnings.leftOut(warning));
    // What is mounted is looked at when a program loads it.
    for (const file of guest.files.slice(0, guest.own)) {
      const image = images.add(hashBytes(file.bytes), file.path, file.bytes, {
        path: file.origin,
        modified: file.modified,
      });
      if (!image) continue;
      await sources.index(image);
      const problem = image.program.debugInfoProblem;
      if (problem !== undefined && !options.noDebug) announcer.warn(runWarnings.noDebugInfo(file.origin, problem));
    }
    announcer.flush();
    const log = transitions ? logOf(options, environment, system, announcer, owner.send) : undefined;
    const inspection = new Inspection(system, sources, owner.lineBase, owner.columnBase);
    const target = new Target(
      system,
      images,
      {
        pace: options.pace,
        stopOnEntry: options.stopOnEntry,
        noDebug: options.noDebug,
        sourceMap: map,
        filesOf: (image) => sources.filesOf(image),
        modifiedOf: (source) => sources.modifiedOf(source),
        placeOf: (source) => sources.placeOf(source),
      },
      environment.wall,
      {
        event: (event) => {
          announcer.event(event);
          log?.take(event);
        },
        mapped: (mapping) => {
          announcer.mapped(mapping);
          // Of an image that was no file of the guest, the sources are looked for now.
          void sources.index(mapping.image);
        },
        unmapped: (mapping) => announcer.unmapped(mapping),
        hazard: (entry, stops) => announcer.hazard(entry, stops),
        breakpointChanged: (breakpoint) => owner.breakpointChanged(breakpoint),
        stopped: (stop) => {
          announcer.flush(true);
          owner.stopped(stop);
        },
        ended: (status) => {
          if (system.endedBy !== undefined) announcer.warn(runWarnings.endedByHazard(system.endedBy));
          log?.end();
          announcer.flush(true);
          owner.ended(status);
        },
        tick: () => announcer.flush(),
        stuck: () => announcer.warn(runWarnings.stuck()),
      },
    );
    return new Debuggee(system, target, images, sources, inspection, announcer, stdin);
  }

  /** The first instruction is executed soon after this. */
  start(): void {
    this.target.post({ kind: 'stdin', bytes: this.stdin ?? new Uint8Array(0), end: true });
    this.target.resume();
  }

  /** Ends it without a word. */
  dispose(): void {
    this.target.dispose();
    this.inspection.clear();
  }
}

/** Where the trace goes; a file that can't be written is told, and the Debug Console gets it. */
function logOf(
  { transitions, cwd }: LaunchOptions,
  environment: Environment,
  system: System,
  announcer: Announcer,
  send: SendEvent,
): TransitionLog {
  const path = typeof transitions === 'string' ? resolvePath(cwd ?? '', transitions) : undefined;
  const file = path === undefined ? undefined : environment.openLog(path, true);
  if (path !== undefined && !file) announcer.warn(runWarnings.noTransitions(path));
  const write = file
    ? (lines: string) => file.line(lines.slice(0, -1))
    : (output: string) => send('output', { category: 'console', output });
  return new TransitionLog(system.clockHz, write, file !== undefined);
}

function makeSystem(createSystem: CreateSystem, description: LaunchDescription): System {
  try {
    return createSystem(description);
  } catch (error) {
    throw launchErrors.system(error instanceof Error ? error.message : String(error));
  }
}

async function readStdin(options: LaunchOptions, environment: Environment): Promise<Uint8Array | undefined> {
  if (options.stdin === undefined) return undefined;
  const path = resolvePath(options.cwd ?? folderOf(options.program), options.stdin);
  const stat = await environment.files.stat(toUri(path));
  if (stat?.kind !== 'file') throw launchErrors.stdinMissing(path);
  try {
    return await environment.files.read(toUri(path));
  } catch (error) {
    throw launchErrors.unreadable(path, error instanceof Error ? error.message : String(error));
  }
}

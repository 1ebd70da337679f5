/**
 * One debug session: what the client said about itself, the phase it is in, and its debuggee. Requests are thin; what they
 * share is here. Owns no run control (target/) and reads no debug information (symbols/, inspect/).
 */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { CreateSystem } from '../../monitor/system/types';
import type { DapServer, DispatchContext, Needs } from '../dap/server';
import type { EnclaveOperationBody, EnclaveOperationName } from '../dap/custom';
import { orderErrors, runErrors, runWarnings } from '../errors';
import type { Breakpoint } from '../target/breakpoints';
import type { HazardFilter, Stop, Target } from '../target/target';
import { Debuggee } from './debuggee';
import type { Environment, Log } from './environment';
import { resolvePath } from './files';
import { parseLaunch, type LaunchOptions } from './launch-options';
import { breakpointBody, stoppedBody } from './present';

/** An adapter whose client says nothing after `terminated` ends by itself after this long. */
const GRACE_MS = 1000;

type Phase = 'new' | 'initialized' | 'launching' | 'configuring' | 'active' | 'ended';

export class Session implements DispatchContext {
  private phase: Phase = 'new';
  private client: Partial<D.InitializeRequestArguments> = {};
  private options: LaunchOptions | undefined;
  private current: Debuggee | undefined;
  private readonly log: Log | undefined;
  /** Hazards that stop the program; what the client wants, once it has said so. */
  private hazardFilters: readonly HazardFilter[] = ['hazards'];
  /** Called when the client has configured everything, or when it never will. */
  private configured: ((go: boolean) => void) | undefined;

  constructor(
    readonly server: DapServer<Session>,
    readonly environment: Environment,
    private readonly createSystem: CreateSystem,
  ) {
    this.log = environment.openLog();
  }

  check(command: string, needs: Needs): void {
    if (needs === 'nothing') return;
    if (this.phase === 'new') throw orderErrors.notInitialized(command);
    if (needs === 'initialize') return;
    if (!this.current || this.phase === 'ended') throw orderErrors.notLaunched(command);
    if (needs === 'stop' && (this.phase !== 'active' || !this.current.target.stop))
      throw orderErrors.notStopped(command);
  }

  defect(error: unknown, during: string): void {
    this.log?.line(
      `defect during ${during}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }

  initialize(client: D.InitializeRequestArguments): void {
    if (this.phase !== 'new') throw orderErrors.alreadyInitialized();
    this.client = client;
    this.phase = 'initialized';
  }

  /** The program being debugged; `check` made sure that there is one. */
  get debuggee(): Debuggee {
    if (!this.current) throw orderErrors.notLaunched('This');
    return this.current;
  }

  get lineBase(): 0 | 1 {
    return this.client.linesStartAt1 === false ? 0 : 1;
  }

  get columnBase(): 0 | 1 {
    return this.client.columnsStartAt1 === false ? 0 : 1;
  }

  get canInvalidate(): boolean {
    return this.client.supportsInvalidatedEvent === true;
  }

  /** Prepares the program; resolves when the client has sent its breakpoints and the machine runs. */
  async launch(given: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.phase !== 'initialized') throw orderErrors.alreadyLaunched();
    if (given['request'] === 'attach') throw orderErrors.attach();
    this.phase = 'launching';
    await this.prepare(parseLaunch(given));
    if (this.over) return;
    this.phase = 'configuring';
    const configured = new Promise<boolean>((resolve) => (this.configured = resolve));
    this.server.event('initialized');
    if (!(await configured)) throw orderErrors.notLaunched('launch');
  }

  /** The client has no more to configure: the launch is answered, then the machine starts. */
  configurationDone(): void {
    if (this.phase !== 'configuring') throw orderErrors.notLaunched('configurationDone');
    this.phase = 'active';
    this.configured?.(true);
    this.environment.wall.soon(() => {
      if (this.phase === 'active') this.debuggee.start();
    });
  }

  /** The program from its beginning, with the files as they are now. */
  async restart(given: Readonly<Record<string, unknown>> | undefined): Promise<void> {
    if (this.phase !== 'active') throw orderErrors.notLaunched('restart');
    const options = given && Object.keys(given).length > 0 ? parseLaunch(given) : this.options!;
    const old = this.debuggee;
    const breakpoints = old.target.breakpoints.all();
    for (const { tid } of old.system.threads()) this.server.event('thread', { reason: 'exited', threadId: tid });
    for (const mapping of old.target.worlds.all()) old.announcer.unmapped(mapping);
    old.dispose();
    await this.prepare(options);
    if (this.over) return;
    const { sources, images, target } = this.debuggee;
    for (const source of new Set(breakpoints.map((breakpoint) => breakpoint.source)))
      await sources.look(source, images);
    for (const breakpoint of target.breakpoints.adopt(breakpoints)) this.breakpointChanged(breakpoint);
    this.debuggee.start();
  }

  /** Replaces the breakpoints of a file; `lines` count from 1. */
  async setBreakpoints(source: string, lines: readonly number[]): Promise<readonly Breakpoint[]> {
    const { sources, images, target } = this.debuggee;
    await sources.look(source, images);
    return target.breakpoints.set(source, lines);
  }

  setHazardFilters(filters: readonly HazardFilter[]): void {
    this.hazardFilters = filters;
    if (this.current) this.current.target.hazardFilters = new Set(filters);
  }

  /** Forgets what was shown of the last stop and lets the machine run. */
  resume(go: (target: Target) => void): void {
    if (this.phase !== 'active') return;
    this.debuggee.inspection.clear();
    go(this.debuggee.target);
  }

  requireThread(tid: number): void {
    if (!this.debuggee.system.threads().some((thread) => thread.tid === tid)) throw orderErrors.unknownThread(tid);
  }

  /** Does something to an enclave as the process that owns it would. */
  async operate(operation: EnclaveOperationName, number: number): Promise<EnclaveOperationBody> {
    const { system, target, announcer } = this.debuggee;
    const enclave = system.enclaves().find((candidate) => candidate.instance === number);
    if (!enclave) throw runErrors.unknownEnclave(number);
    const refused = enclave.refused[operation];
    if (refused !== undefined) return { ok: false, message: refused };
    const answer = await target.command(operation, enclave.instance);
    if (!answer) return { ok: false, message: runErrors.operationPending().text };
    if (this.over) return { ok: answer.result >= 0 };
    announcer.flush(true);
    if (target.stop) {
      this.debuggee.inspection.clear();
      if (this.canInvalidate) this.server.event('invalidated', { areas: ['all'] });
    }
    if (answer.result >= 0) return { ok: true };
    const detail = typeof answer.detail === 'string' ? answer.detail : `The monitor refused (${answer.result}).`;
    return { ok: false, message: detail };
  }

  /** The session is over: tells the client once, and leaves when it says goodbye or after a moment. */
  end(): void {
    if (this.phase === 'ended') return;
    this.phase = 'ended';
    this.current?.dispose();
    this.configured?.(false);
    this.server.event('terminated');
    this.environment.wall.later(GRACE_MS, () => this.environment.exit(0));
  }

  /** Nobody listens any more. */
  leave(): void {
    this.phase = 'ended';
    this.current?.dispose();
    this.configured?.(false);
    this.environment.exit(0);
  }

  get over(): boolean {
    return this.phase === 'ended';
  }

  private async prepare(options: LaunchOptions): Promise<void> {
    this.options = options;
    this.trace(options);
    this.current = await Debuggee.create(options, this.environment, this.createSystem, {
      send: (name, body) => this.server.event(name, body),
      lineBase: this.lineBase,
      columnBase: this.columnBase,
      stopped: (stop) => this.stopped(stop),
      ended: (status) => this.exited(status),
      breakpointChanged: (breakpoint) => this.breakpointChanged(breakpoint),
    });
    this.current.target.hazardFilters = new Set(this.hazardFilters);
    if (this.over) this.current.dispose();
  }

  private stopped(stop: Stop): void {
    this.debuggee.inspection.clear();
    this.server.event('stopped', stoppedBody(stop));
  }

  private exited(status: number | undefined): void {
    this.server.event('exited', { exitCode: status ?? 0 });
    this.end();
  }

  private breakpointChanged(breakpoint: Breakpoint): void {
    const body = breakpointBody(breakpoint, { path: breakpoint.source }, this.lineBase);
    this.server.event('breakpoint', { reason: 'changed', breakpoint: body });
  }

  private trace({ trace, cwd }: LaunchOptions): void {
    if (trace === false || this.server.onMessage) return;
    const path = typeof trace === 'string' ? resolvePath(cwd ?? '', trace) : undefined;
    const log = path === undefined ? this.log : this.environment.openLog(path);
    if (!log) {
      const text = runWarnings.noTrace(path ?? 'of this session').text;
      this.server.event('output', { category: 'important', output: `${text}\n` });
      return;
    }
    this.server.onMessage = (direction, message) => log.line(`${direction}: ${JSON.stringify(message)}`);
    this.server.event('output', { category: 'console', output: `The protocol is logged to ${log.path}\n` });
  }
}

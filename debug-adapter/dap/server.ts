/**
 * The dispatcher: takes messages off the wire, finds the one handler of each request, and answers every request exactly once,
 * with a result or with a typed error. Nothing a client sends may bring it down, and nothing of RISC-V or enclaves is in here.
 * Debug Adapter Protocol 1.68, base protocol.
 */
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { AdapterError } from './error';
import { misfit, type Shape } from './shape';
import type { Command, Requests } from './types';

/** What a handler may ask for beside its answer. */
export interface Call {
  /** Runs right after the response is on the wire: for events that must not overtake it. */
  after(then: () => void): void;
}

/** One request: a file of its own in requests/. */
export interface RequestHandler<Context, C extends Command = Command> {
  readonly command: C;
  /** What `initialize` tells the client because this handler exists. */
  readonly capability?: D.Capabilities;
  readonly shape: Shape;
  /** The phase of the session it makes sense in; checked before `run`. */
  readonly needs: Needs;
  run(context: Context, args: Requests[C]['arguments'], call: Call): Requests[C]['body'] | Promise<Requests[C]['body']>;
}

/**
 * `nothing`: any time. `initialize`: after initialize. `launch`: after a launch that succeeded, until the end.
 * `stop`: while the debuggee is paused.
 */
export type Needs = 'nothing' | 'initialize' | 'launch' | 'stop';

export interface DispatchContext {
  /** Throws the error of a request that comes at the wrong time. */
  check(command: string, needs: Needs): void;
  /** Something that is not an AdapterError was thrown: a defect of ours, to be logged. */
  defect(error: unknown, during: string): void;
}

/** Errors of the protocol itself, numbered below 1000. */
export const protocolErrors = {
  malformed: (what: string) =>
    new AdapterError('MALFORMED_MESSAGE', 1, `A message could not be understood: ${what}.`, 'Report this.', false),
  unknownCommand: (command: string) =>
    new AdapterError('UNKNOWN_REQUEST', 2, `The request \`${command}\` is not supported.`, '', false),
  badArguments: (command: string, what: string) =>
    new AdapterError('BAD_ARGUMENTS', 3, `\`${command}\`: ${what}.`, '', false),
  defect: (command: string, error: unknown) =>
    new AdapterError(
      'INTERNAL_ERROR',
      4,
      `\`${command}\` failed: ${error instanceof Error ? error.message : String(error)}.`,
      'This is a defect of the debugger; set "trace": true in the launch configuration and report the log.',
      false,
    ),
};

/** Longest message taken from a client. A setBreakpoints with 100 000 breakpoints stays below. */
const MESSAGE_MAX = 64 * 1024 * 1024;

export class DapServer<Context extends DispatchContext> extends ProtocolServer {
  private readonly handlers = new Map<string, RequestHandler<Context>>();
  /** Sees every message in both directions; for the trace. */
  onMessage: ((direction: 'from client' | 'to client', message: unknown) => void) | undefined;

  constructor(
    private readonly context: (server: DapServer<Context>) => Context,
    handlers: readonly RequestHandler<Context>[],
  ) {
    super();
    for (const handler of handlers) this.handlers.set(handler.command, handler);
    this.on('error', (event: { body?: unknown }) => this.complain(String(event.body ?? 'unknown')));
  }

  private made: Context | undefined;
  get session(): Context {
    return (this.made ??= this.context(this));
  }

  override handleMessage(message: D.ProtocolMessage): void {
    this.onMessage?.('from client', message);
    const request = message as Partial<D.Request> | null;
    if (typeof request !== 'object' || request === null || Array.isArray(request))
      return this.complain('it is not an object');
    if (request.type === 'response') return super.handleMessage(message);
    if (request.type !== 'request') return this.complain('its `type` is neither request nor response');
    if (!Number.isSafeInteger(request.seq) || typeof request.command !== 'string')
      return this.complain('a request needs an integer `seq` and a `command`');
    void this.answer(request as D.Request);
  }

  override start(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
    const guard = new LengthGuard((what) => {
      this.complain(what);
      this.emit('close'); // the stream has lost its framing: nothing that follows can be understood
    });
    super.start(guard.watch(input), output);
  }

  override sendEvent(event: D.Event): void {
    this.onMessage?.('to client', event);
    super.sendEvent(event);
  }

  /** Sends an event by name and body. */
  event(name: string, body?: unknown): void {
    this.sendEvent({ type: 'event', seq: 0, event: name, ...(body === undefined ? {} : { body }) });
  }

  /** Capabilities of all handlers, for `initialize`. */
  capabilities(): D.Capabilities {
    return Object.assign(
      {},
      ...[...this.handlers.values()].map((handler) => handler.capability ?? {}),
    ) as D.Capabilities;
  }

  private async answer(request: D.Request): Promise<void> {
    const after: (() => void)[] = [];
    const response: D.Response = {
      type: 'response',
      seq: 0,
      request_seq: request.seq,
      command: request.command,
      success: true,
    };
    try {
      const handler = this.handlers.get(request.command);
      if (!handler) throw protocolErrors.unknownCommand(request.command.slice(0, 100));
      this.session.check(request.command, handler.needs);
      const wrong = misfit(request.arguments, handler.shape);
      if (wrong !== undefined) throw protocolErrors.badArguments(request.command, wrong);
      const args = (request.arguments ?? {}) as Requests[Command]['arguments'];
      const body = await handler.run(this.session, args, { after: (then) => after.push(then) });
      if (body !== undefined) response.body = body;
    } catch (error) {
      this.fail(response, error);
    }
    this.onMessage?.('to client', response);
    this.sendResponse(response);
    for (const then of after) this.guarded(request.command, then);
  }

  private fail(response: D.Response, thrown: unknown): void {
    const known = thrown instanceof AdapterError;
    if (!known) this.session.defect(thrown, response.command);
    const error = known ? thrown : protocolErrors.defect(response.command, thrown);
    response.success = false;
    response.message = error.code === 'NOT_STOPPED' ? 'notStopped' : error.code;
    response.body = { error: error.toMessage() };
  }

  private guarded(during: string, then: () => void): void {
    try {
      then();
    } catch (error) {
      this.session.defect(error, during);
    }
  }

  /** What cannot be answered, because it names no request, is told as output. */
  private complain(what: string): void {
    this.event('output', { category: 'console', output: `${protocolErrors.malformed(what.slice(0, 200)).text}\n` });
  }
}

/**
 * Refuses messages of absurd length before they are collected: the base protocol's framing would otherwise keep buffering
 * whatever a header announces. A header longer than a kilobyte is refused as well.
 */
class LengthGuard {
  private refused = false;
  private header = '';
  private left = 0;

  constructor(private readonly complain: (what: string) => void) {}

  /** The stream as the framing sees it: it stops at the first header that is not acceptable. */
  watch(input: NodeJS.ReadableStream): NodeJS.ReadableStream {
    const on = input.on.bind(input);
    return Object.create(input, {
      on: {
        value: (name: string, listener: (...args: unknown[]) => void) =>
          name === 'data'
            ? on('data', (chunk: Buffer) => {
                if (this.accepts(chunk)) listener(chunk);
              })
            : on(name, listener),
      },
      resume: { value: () => input.resume() },
    }) as NodeJS.ReadableStream;
  }

  private accepts(chunk: Buffer): boolean {
    let at = 0;
    while (!this.refused && at < chunk.length) {
      if (this.left > 0) {
        const taken = Math.min(this.left, chunk.length - at);
        this.left -= taken;
        at += taken;
        continue;
      }
      this.header += String.fromCharCode(chunk[at++]!);
      if (!this.header.endsWith('\r\n\r\n')) {
        if (this.header.length > 1024) this.refuse('its header does not end');
        continue;
      }
      const length = /Content-Length: +(\d{1,12})\r\n/.exec(this.header)?.[1];
      this.header = '';
      if (length !== undefined && Number(length) > MESSAGE_MAX) this.refuse(`it is ${length} bytes long`);
      this.left = Number(length ?? 0);
    }
    return !this.refused;
  }

  private refuse(what: string): void {
    this.refused = true;
    this.complain(what);
  }
}

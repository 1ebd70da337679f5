/** The dispatcher: every request is answered exactly once, whatever it is, and nothing a client sends brings it down. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { AdapterError } from '../../../debug-adapter/dap/error';
import { DapServer, type DispatchContext, type RequestHandler } from '../../../debug-adapter/dap/server';

interface Context extends DispatchContext {
  defects: string[];
}

const handlers = [
  {
    command: 'threads',
    needs: 'nothing',
    shape: {},
    capability: { supportsModulesRequest: true },
    run: () => ({ threads: [] }),
  },
  {
    command: 'scopes',
    needs: 'nothing',
    shape: { frameId: 'count' },
    run: () => {
      throw new AdapterError('SOME_CODE', 4711, 'It {went} wrong.', 'Do better.', true);
    },
  },
  {
    command: 'pause',
    needs: 'stop',
    shape: {},
    run: () => {
      throw new Error('a slip');
    },
  },
  {
    command: 'continue',
    needs: 'nothing',
    shape: {},
    capability: { supportsRestartRequest: true },
    run: (context: Context, _args: unknown, call: { after(then: () => void): void }) => {
      call.after(() => context.defects.push('ran after'));
      return {};
    },
  },
] as unknown as RequestHandler<Context>[];

function start() {
  const context: Context = {
    defects: [],
    check: (command, needs) => {
      if (needs === 'stop' && command !== 'pause') throw new Error('not reached');
    },
    defect: (error) => void context.defects.push((error as Error).message),
  };
  const server = new DapServer<Context>(() => context, handlers);
  const sent: D.ProtocolMessage[] = [];
  server.onDidSendMessage((message) => sent.push(message as D.ProtocolMessage));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const ask = async (message: unknown) => {
    server.handleMessage(message as D.ProtocolMessage);
    await settle();
    return sent.splice(0);
  };
  return { context, server, sent, ask, settle };
}

const request = (command: string, args?: unknown) => ({ seq: 7, type: 'request', command, arguments: args });

describe('The dispatcher', () => {
  it('answers a request with the body of its handler', async () => {
    const [response] = (await start().ask(request('threads'))) as D.Response[];
    assert.deepEqual(
      { ...response, seq: 0 },
      {
        ...{ type: 'response', seq: 0, request_seq: 7, command: 'threads', success: true },
        body: { threads: [] },
      },
    );
  });

  it('answers an unknown request with an error that names it', async () => {
    const [response] = (await start().ask(request('fly'))) as D.ErrorResponse[];
    assert.equal(response!.success, false);
    assert.equal(response!.message, 'UNKNOWN_REQUEST');
    assert.match(response!.body.error!.variables!['text']!, /`fly`/);
  });

  it('refuses arguments that lack a field, or have one of the wrong type', async () => {
    const { ask } = start();
    for (const [args, what] of [
      [undefined, /`arguments` is missing/],
      [{}, /`frameId` is missing/],
      [{ frameId: 'one' }, /`frameId` must be an integer/],
      [{ frameId: -1 }, /`frameId` must be an integer/],
      [[1], /`arguments` must be an object/],
    ] as const) {
      const [response] = (await ask(request('scopes', args))) as D.ErrorResponse[];
      assert.equal(response!.message, 'BAD_ARGUMENTS');
      assert.match(response!.body.error!.variables!['text']!, what);
    }
  });

  it('gives a typed error as code, number, sentence and whether to show it', async () => {
    const [response] = (await start().ask(request('scopes', { frameId: 1 }))) as D.ErrorResponse[];
    assert.equal(response!.message, 'SOME_CODE');
    assert.deepEqual(response!.body.error, {
      ...{ id: 4711, format: '{text}', showUser: true },
      variables: { text: 'It {went} wrong. Do better. (SOME_CODE)' },
    });
  });

  it('answers when a handler fails unexpectedly, and reports the defect', async () => {
    const { ask, context } = start();
    const [response] = (await ask(request('pause'))) as D.ErrorResponse[];
    assert.equal(response!.message, 'INTERNAL_ERROR');
    assert.deepEqual(context.defects, ['a slip']);
  });

  it('runs what comes after a response after it', async () => {
    const { server, context } = start();
    const order: string[] = [];
    server.onDidSendMessage(() => order.push(`sent with ${context.defects.length} done`));
    server.handleMessage(request('continue') as D.ProtocolMessage);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(order, ['sent with 0 done']);
    assert.deepEqual(context.defects, ['ran after']);
  });

  it('tells what cannot be answered as output', async () => {
    const { ask } = start();
    for (const message of [null, 3, [], {}, { type: 'request', seq: 'x', command: 'a' }, { type: 'request', seq: 1 }]) {
      const [event] = (await ask(message)) as D.OutputEvent[];
      assert.equal(event!.event, 'output', JSON.stringify(message));
      assert.match(event!.body.output, /MALFORMED_MESSAGE/);
    }
  });

  it('folds the capabilities of all handlers', () => {
    assert.deepEqual(start().server.capabilities(), { supportsModulesRequest: true, supportsRestartRequest: true });
  });

  it('survives broken JSON on the wire and answers what comes after it', async () => {
    const { server, settle } = start();
    const [input, output] = [new PassThrough(), new PassThrough()];
    server.start(input, output);
    const good = JSON.stringify(request('threads'));
    input.write(`Content-Length: 5\r\n\r\n{"a":Content-Length: ${good.length}\r\n\r\n${good}`);
    await settle();
    await settle();
    const text = String(output.read());
    assert.match(text, /MALFORMED_MESSAGE/);
    assert.match(text, /"command":"threads"/);
  });

  it('closes a connection that announces an absurd length', async () => {
    const { server, settle } = start();
    const [input, output] = [new PassThrough(), new PassThrough()];
    let closed = false;
    server.on('close', () => (closed = true));
    server.start(input, output);
    input.write('Content-Length: 99999999999\r\n\r\n');
    await settle();
    assert.ok(closed);
    assert.match(String(output.read()), /99999999999 bytes/);
  });
});

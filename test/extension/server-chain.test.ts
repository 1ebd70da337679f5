import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { EnclaveTransitionBody } from '../../debug-adapter/dap/custom';
import { buildBusyChain } from './builds';
import { endAll, frameTexts, launch, markerLine, samples, setBreakpoint, sourcePath, start } from './recorder';

const source = (name: string) => join(samples, 'server-chain', name);
const chain = () => launch('server-chain/host', ['caller', 'server', 'server1']);

describe('server-chain: a caller, the server it calls, and the server that one calls', () => {
  afterEach(endAll);

  it('shows one stack from the last server down to the host, with the locals of the frames between', async () => {
    setBreakpoint(source('server.c'), 'sum');
    const run = await start(chain());
    const stop = await run.nextStop();
    const frames = await run.stack(stop.threadId!);
    const texts = frameTexts(frames);
    const positions = ['server.c', 'server1.c', 'caller.c', 'host.c'].map((file) =>
      texts.findIndex((text) => text.includes(` ${file}:`)),
    );
    assert.ok(
      positions.every((p) => p >= 0),
      texts.join('\n'),
    );
    assert.deepEqual(
      [...positions].sort((a, b) => a - b),
      positions,
    );
    assert.ok(
      texts.some((text) => /^\[call_enclave -> test-server #\d+\]$/.test(text)),
      texts.join('\n'),
    );
    assert.ok(
      texts.some((text) => /^\[call_enclave -> test-server1 #\d+\]$/.test(text)),
      texts.join('\n'),
    );
    assert.ok(
      texts.some((text) => /^\[PLenclave_run #\d+\]$/.test(text)),
      texts.join('\n'),
    );
    // 4096 ints: the caller wrote ones, server1 counted each up to two before it called.
    const server1 = frames.find((frame) => frame.name === 'serve' && frame.source?.name === 'server1.c')!;
    assert.equal(await run.evaluate('sum,x', server1.id), '0x19961000');
    const caller = frames.find((frame) => frame.name === 'ask')!;
    assert.match(await run.evaluate('server', caller.id), /"server1"/);
    // The area is the server's while the call lasts.
    assert.match(await run.evaluate('request[4095]', caller.id).catch(String), /cannot|not readable|no memory/i);
    await run.continue(stop.threadId);
    assert.equal(await run.ended(), 0);
  });

  it('steps into call_enclave and stops on the first source line of the server', async () => {
    setBreakpoint(source('caller.c'), 'call');
    const run = await start(chain());
    const { threadId } = await run.nextStop();
    await run.request('stepIn', { threadId });
    const stop = await run.nextStop();
    assert.equal(stop.reason, 'step');
    const [top] = await run.stack(threadId!);
    assert.equal(sourcePath(top!), source('server1.c'));
    assert.equal(top!.name, 'main');
  });

  it('steps over call_enclave and comes back behind it while another host thread runs', async () => {
    const busy = buildBusyChain();
    setBreakpoint(source('caller.c'), 'call');
    const run = await start({ ...chain(), program: busy });
    const { threadId } = await run.nextStop();
    const beats = async (frames: DebugProtocol.StackFrame[]) =>
      Number(await run.evaluate('beats', frames.find((frame) => frame.source?.name === 'busy-chain-host.c')!.id));
    const before = await beats(await run.stack(threadId!));
    await run.request('next', { threadId });
    const stop = await run.nextStop();
    assert.equal(stop.reason, 'step');
    assert.equal(stop.threadId, threadId);
    const frames = await run.stack(threadId!);
    assert.equal(sourcePath(frames[0]!), source('caller.c'));
    assert.ok(frames[0]!.line > markerLine(source('caller.c'), 'call') + 1, String(frames[0]!.line));
    const after = await beats(frames);
    assert.ok(after > before, `the other thread ran meanwhile: ${after} > ${before}`);
  });

  it('tells of call_enclave and SERVER_RETURN with both instances', async () => {
    const run = await start(chain());
    assert.equal(await run.ended(), 0);
    const crossings = run
      .events<DebugProtocol.Event>('enclave/transition')
      .map((event) => event.body as EnclaveTransitionBody)
      .filter((t) => t.name === 'call_enclave' || t.name === 'SERVER_RETURN')
      .map((t) => `${t.name} ${t.from?.name} -> ${t.to?.name}`);
    assert.deepEqual(crossings, [
      'call_enclave test-caller -> test-server1',
      'call_enclave test-server1 -> test-server',
      'SERVER_RETURN test-server -> test-server1',
      'SERVER_RETURN test-server1 -> test-caller',
    ]);
  });
});

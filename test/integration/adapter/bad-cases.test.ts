/**
 * What goes wrong for people: each case with its code and its text, a `terminated` event, and the adapter gone by itself. How
 * long that takes is bounded by the client's patience, not measured.
 */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { build, cutShort, dynamic, folder, forX86, markerLine, old, programSource, withoutDebugInfo } from './builds';
import { Client, errorText, Run, sample, sampleSource } from './client';

const hello = () => sample('hello-world', 'host');

/** The launch is refused with a code and a text that is shown; then the session ends and the adapter with it. */
async function refused(launch: Record<string, unknown>, code: string, text: RegExp): Promise<void> {
  const run = new Run();
  const response = await run.prepare(launch);
  assert.ok(response, 'the launch was accepted');
  assert.equal(response.success, false);
  assert.equal(response.message, code);
  assert.match(errorText(response), text);
  assert.ok(errorText(response).endsWith(`(${code})`));
  assert.equal((response as D.ErrorResponse).body.error!.showUser, true);
  await run.event('terminated');
  assert.equal(await run.gone(), 0);
  assert.equal(run.pollution + run.stderr, '');
}

/** Launches, lets `during` act, and sees the end: exit code, `terminated`, the adapter gone by itself. */
async function played(
  launch: Record<string, unknown>,
  expected: number,
  before: (run: Run) => Promise<void> = async () => undefined,
  during: (run: Run) => Promise<void> = async () => undefined,
): Promise<Run> {
  const run = new Run();
  try {
    assert.equal(await run.prepare(launch), undefined);
    await before(run);
    await run.start();
    await during(run);
    assert.equal(await run.ended(), expected);
    assert.equal(await run.gone(), 0);
    assert.equal(run.pollution + run.stderr, '');
  } finally {
    run.kill();
  }
  return run;
}

describe('A launch is refused', () => {
  it('when the program does not exist', () =>
    refused({ program: join(folder, 'none') }, 'PROGRAM_NOT_FOUND', /none does not exist\. Build it first/));

  it('when the program is for x86', () =>
    refused(
      { program: forX86(hello()) },
      'PROGRAM_UNUSABLE',
      /built for x86-64, not for RISC-V\. Build it for 64-bit RISC-V/,
    ));

  it('when the program is cut short', () =>
    refused({ program: cutShort(hello()) }, 'PROGRAM_UNUSABLE', /cut short.*(Build|copy) it again/));

  it('when a file of sdkFiles does not exist', () =>
    refused(
      { program: hello(), sdkFiles: ['not-there'] },
      'SDK_FILE_NOT_FOUND',
      /not-there of "sdkFiles" does not exist/,
    ));

  it('when the program needs a dynamic loader', () =>
    refused({ program: dynamic(hello()) }, 'LOADER_NOT_FOUND', /linked dynamically.*ld-linux-riscv64.*-static/));

  it('when an attribute has the wrong type or is misspelt', async () => {
    await refused({ program: hello(), args: 'hello-world' }, 'BAD_ATTRIBUTE', /"args" must be an array of strings/);
    await refused({ program: hello(), stopAtEntry: true }, 'UNKNOWN_ATTRIBUTE', /"stopAtEntry" does not exist/);
  });
});

describe('A breakpoint is not verified', () => {
  it('when the program was built without -g, and the session still runs', async () => {
    const program = withoutDebugInfo(hello(), 'plain/host');
    copyFileSync(sample('hello-world', 'hello-world'), join(dirname(program), 'hello-world'));
    const run = await played({ program, args: ['hello-world'] }, 0, async (client) => {
      const source = sampleSource('hello-world', 'host.c');
      const [breakpoint] = await client.breakpoints(source, [markerLine(source, 'run')]);
      assert.equal(breakpoint!.verified, false);
      assert.match(breakpoint!.message!, /No debug information: host\. Build with -g.*\(NO_DEBUG_INFO\)/);
    });
    assert.match(run.output('important'), /host: It has no debug information.*\(NO_DEBUG_INFO\)/);
  });

  it('when its source is newer than the program', async () => {
    const program = old(hello(), 'old/host');
    const enclave = old(sample('hello-world', 'hello-world'), 'old/hello-world');
    assert.equal(dirname(program), dirname(enclave));
    await played({ program, args: ['hello-world'] }, 0, async (client) => {
      const source = sampleSource('hello-world', 'hello-world.c');
      const [breakpoint] = await client.breakpoints(source, [markerLine(source, 'hello')]);
      assert.equal(breakpoint!.verified, false);
      assert.equal(breakpoint!.source!.path, source);
      assert.match(breakpoint!.message!, /changed after hello-world was built.*Build again.*\(SOURCE_NEWER\)/);
    });
  });
});

describe('A fault stops at its line before the session ends', () => {
  it('of the host: SIGSEGV', async () => {
    const program = await build('host', programSource('segv.c'), 'segv/host');
    const run = await played({ program }, 128 + 11, undefined, async (client) => {
      const stop = await client.nextStop();
      assert.equal(stop.reason, 'exception');
      assert.match(stop.text!, /^SIGSEGV: write to an address that is not mapped.*0x10$/);
      const [top] = await client.stack(stop.threadId!);
      assert.equal(top!.line, markerLine(programSource('segv.c'), 'fault'));
      assert.equal(await client.evaluate('p', top!.id), '0x10');
      const info = await client.ask<D.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: stop.threadId });
      assert.deepEqual([info.exceptionId, info.breakMode], ['SIGSEGV', 'unhandled']);
      assert.match(client.output('stdout'), /^about to fail\n$/);
      await client.ask('continue', { threadId: stop.threadId });
    });
    assert.equal(run.events('stopped').length, 1);
  });

  it('of an enclave: a bad address', async () => {
    const program = join(folder, 'bad', 'host');
    await build('eapp', programSource('bad-address.c'), 'bad/bad-address');
    copyFileSync(hello(), program);
    await played({ program, args: ['bad-address'] }, 1, undefined, async (client) => {
      const stop = await client.nextStop();
      assert.equal(stop.reason, 'exception');
      assert.match(stop.text!, /0x2000000000/);
      const frames = await client.stack(stop.threadId!);
      assert.equal(frames[0]!.name, 'peek');
      assert.equal(frames[0]!.line, markerLine(programSource('bad-address.c'), 'fault'));
      assert.equal(await client.evaluate('at', frames[0]!.id), '0x2000000000');
      assert.ok(frames.some(({ name }) => name === 'PLenclave_run #1'));
      await client.ask('continue', { threadId: stop.threadId });
    });
  });
});

describe('The user is told, with a code,', () => {
  it('when an enclave asks for a server that does not exist', async () => {
    const program = join(folder, 'lonely', 'host');
    await build('eapp', programSource('lonely.c'), 'lonely/lonely');
    copyFileSync(hello(), program);
    const run = await played({ program, args: ['lonely'] }, 0);
    assert.match(run.output('console'), /hazard acquire-unknown at .*lonely\.c:\d+: .*"no-such-server"/);
  });

  it('when the host ends with enclaves alive', async () => {
    const program = await build('host', programSource('leave.c'), 'leave/host');
    copyFileSync(sample('server-chain', 'server'), join(dirname(program), 'server'));
    const run = await played({ program, args: ['server'] }, 0);
    assert.match(run.output('important'), /an enclave was alive: left-alone #1.*PLenclave_destroy.*\(ENCLAVES_LEFT\)/);
  });
});

describe('The adapter ends', () => {
  it('when the client vanishes, whatever the program does', async () => {
    const program = await build('host', programSource('spin.c'));
    const run = new Run();
    await run.prepare({ program, sdkFiles: [] });
    await run.start();
    await run.event('process');
    run.closeInput();
    assert.equal(await run.gone(), 0);
  });

  it('when the client vanishes before it said anything', async () => {
    const client = new Client();
    client.closeInput();
    assert.equal(await client.gone(), 0);
  });

  it('when the client says goodbye in the middle of a run', async () => {
    const program = await build('host', programSource('spin.c'));
    const run = new Run();
    await run.prepare({ program, sdkFiles: [] });
    await run.start();
    await run.event('process');
    assert.ok((await run.request('disconnect', { terminateDebuggee: true })).success);
    assert.equal(await run.gone(), 0);
  });

  it('after terminate, having told so', async () => {
    const program = await build('host', programSource('spin.c'));
    const run = new Run();
    await run.prepare({ program, sdkFiles: [] });
    await run.start();
    await run.ask('terminate', {});
    await run.event('terminated');
    assert.equal(await run.gone(), 0);
  });

  it('on a stream that has lost its framing', async () => {
    const client = new Client();
    client.writeRaw('Content-Length: 999999999999\r\n\r\n');
    assert.equal(await client.gone(), 0);
    assert.match(client.output(), /MALFORMED_MESSAGE/);
  });
});

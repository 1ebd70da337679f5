/** A whole session: every request, what it answers and what it refuses. */
import assert from 'node:assert/strict';
import { HAZARD_FILTERS } from '../../../debug-adapter/requests/setExceptionBreakpoints';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { CLIENT, ELF, IN_LIST, SOURCE, start, stopInList, type Disk } from './in-process';

describe('A debug session', () => {
  it('answers initialize with the capabilities of its requests', async () => {
    const { body } = await start().ask('initialize', CLIENT);
    assert.deepEqual(body, {
      ...{ supportsConfigurationDoneRequest: true, supportsBreakpointLocationsRequest: true },
      ...{ supportsExceptionInfoRequest: true, supportsEvaluateForHovers: true, supportsModulesRequest: true },
      ...{ supportsRestartRequest: true, supportsTerminateRequest: true, supportsDelayedStackTraceLoading: true },
      ...{ supportsValueFormattingOptions: true, supportTerminateDebuggee: true },
      exceptionBreakpointFilters: [...HAZARD_FILTERS],
    });
  });

  it('verifies breakpoints before configurationDone, and answers launch after it', async () => {
    const { all, set, stopped } = await stopInList();
    assert.deepEqual(
      set.body.breakpoints.map(({ verified, line, source }: D.Breakpoint) => ({ verified, line, source })),
      [{ verified: true, line: IN_LIST, source: { path: SOURCE } }],
    );
    const order = all.map((one) => (one.type === 'event' ? (one as D.Event).event : (one as D.Response).command));
    const at = (name: string) => order.indexOf(name);
    assert.ok(at('initialized') < at('setBreakpoints') && at('setBreakpoints') < at('configurationDone'));
    assert.ok(at('configurationDone') < at('launch') && at('launch') < at('stopped'), order.join(' '));
    assert.deepEqual(stopped.body, {
      ...{ reason: 'breakpoint', description: 'Paused on breakpoint', threadId: 1, allThreadsStopped: true },
      hitBreakpointIds: [set.body.breakpoints[0].id],
    });
  });

  it('shows frames with their sources, a page at a time', async () => {
    const { ask } = await stopInList();
    const { body } = await ask('stackTrace', { threadId: 1, startFrame: 0, levels: 1 });
    assert.equal(body.totalFrames, 2, 'one more than is known');
    const whole = await ask('stackTrace', { threadId: 1 });
    assert.deepEqual(
      whole.body.stackFrames.map(({ name, line, source }: D.StackFrame) => [name, line, source?.path]),
      [
        ['sum_list', IN_LIST, SOURCE],
        ['run', 143, SOURCE],
        ['_start', 153, SOURCE],
      ],
    );
    assert.equal(whole.body.stackFrames[0].id, body.stackFrames[0].id);
  });

  it('shows arguments and locals, expands them, and pages an array', async () => {
    const { ask } = await stopInList();
    const { stackFrames } = (await ask('stackTrace', { threadId: 1 })).body;
    const { scopes } = (await ask('scopes', { frameId: stackFrames[0].id })).body;
    assert.deepEqual(
      scopes.map(({ name }: D.Scope) => name),
      ['Locals', 'File Statics', 'Registers'],
    );
    const of = async (reference: number, page = {}) =>
      (await ask('variables', { variablesReference: reference, ...page })).body.variables as D.Variable[];
    const locals = await of(scopes[0].variablesReference);
    const [list] = locals; // the argument stands before the locals
    assert.equal(list!.type, 'const struct node *');
    const members = await of(list!.variablesReference);
    assert.deepEqual(members.map(({ name, value }) => [name, value]).at(0), ['value', '10']);
    assert.deepEqual(Object.fromEntries(locals.map(({ name, value }) => [name, value]))['total'], '10');
    const statics = await of(scopes[1].variablesReference);
    const many = statics.find(({ name }) => name === 'many')!;
    assert.equal(many.indexedVariables, 100_000);
    const page = await of(many.variablesReference, { filter: 'indexed', start: 99_998, count: 2 });
    assert.deepEqual(
      page.map(({ name, value }) => [name, value]),
      [
        ['[99998]', '0'],
        ['[99999]', '21'],
      ],
    );
    const registers = await of(scopes[2].variablesReference);
    assert.equal(registers[0]!.name, 'pc');
    assert.equal(registers.length, 64);
  });

  it('evaluates in any frame, in hexadecimal when asked, and refuses what would change something', async () => {
    const { ask, text } = await stopInList();
    const { stackFrames } = (await ask('stackTrace', { threadId: 1 })).body;
    const evaluate = (expression: string, frame: number, format?: object) =>
      ask('evaluate', { expression, frameId: stackFrames[frame].id, context: 'hover', format });
    assert.equal((await evaluate('at->value + 1', 0)).body.result, '11');
    assert.equal((await evaluate('seed', 1)).body.result, '21');
    assert.equal((await evaluate('seed', 1, { hex: true })).body.result, '0x15');
    assert.match(text(await evaluate('total = 3', 0)), /would change the program/);
    assert.match(text(await evaluate('nothere', 0)), /no variable.*nothere/);
    assert.match(text(await ask('evaluate', { expression: '1' })), /NO_FRAME/);
  });

  it('refuses what refers to an earlier stop', async () => {
    const { ask, text, event, all } = await stopInList();
    const { stackFrames } = (await ask('stackTrace', { threadId: 1 })).body;
    const { scopes } = (await ask('scopes', { frameId: stackFrames[0].id })).body;
    const from = all.length;
    await ask('continue', { threadId: 1 });
    await event('stopped', from);
    const late = await ask('variables', { variablesReference: scopes[0].variablesReference });
    assert.match(text(late), /STALE_REFERENCE/);
  });

  it('steps, goes on to the end, and tells the exit code before it ends', async () => {
    const { ask, event, all, exited } = await stopInList();
    let from = all.length;
    await ask('next', { threadId: 1 });
    assert.equal((await event('stopped', from)).body.reason, 'step');
    await ask('setBreakpoints', { source: { path: SOURCE }, breakpoints: [] });
    from = all.length;
    await ask('continue', { threadId: 1 });
    assert.deepEqual((await event('exited', from)).body, { exitCode: 0 });
    await event('terminated', from);
    await ask('disconnect', {});
    assert.equal(exited(), 0);
  });

  it('restarts from the beginning with the same breakpoints under the same numbers', async () => {
    const { ask, event, all, set } = await stopInList();
    for (let i = 0; i < 3; i++) {
      const from = all.length;
      assert.ok((await ask('restart', {})).success);
      const again = await event('stopped', from);
      assert.deepEqual(again.body.hitBreakpointIds, [set.body.breakpoints[0].id]);
    }
  });

  it('refuses requests at the wrong time with the order they need', async () => {
    const { ask, text, event } = start();
    assert.match(text(await ask('launch', { program: '/p/tour' })), /came before `initialize`.*NOT_INITIALIZED/);
    await ask('initialize', CLIENT);
    assert.match(text(await ask('initialize', CLIENT)), /ALREADY_INITIALIZED/);
    assert.match(text(await ask('threads')), /NOT_LAUNCHED/);
    assert.match(text(await ask('configurationDone')), /NOT_LAUNCHED/);
    void ask('launch', { program: '/p/tour', pace: 'fast' });
    await event('initialized');
    assert.match(text(await ask('launch', { program: '/p/tour' })), /ALREADY_LAUNCHED/);
    assert.match(text(await ask('stackTrace', { threadId: 1 })), /NOT_STOPPED/);
    assert.equal((await ask('stackTrace', { threadId: 1 })).message, 'notStopped');
  });

  it('ends when the launch fails: error, terminated, and the adapter goes', async () => {
    const { ask, event, text, exited } = start();
    await ask('initialize', CLIENT);
    const failed = await ask('launch', { program: '/p/none' });
    assert.match(text(failed), /\/p\/none does not exist. Build it first.*PROGRAM_NOT_FOUND/);
    assert.ok((failed as D.ErrorResponse).body.error!.showUser);
    await event('terminated');
    await ask('disconnect', {});
    assert.equal(exited(), 0);
  });

  it('counts lines from 0 for a client that does', async () => {
    const { ask, event } = start();
    await ask('initialize', { ...CLIENT, linesStartAt1: false });
    void ask('launch', { program: '/p/tour', pace: 'fast' });
    await event('initialized');
    const { body } = await ask('setBreakpoints', { source: { path: SOURCE }, breakpoints: [{ line: IN_LIST - 1 }] });
    assert.equal(body.breakpoints[0].line, IN_LIST - 1);
    await ask('configurationDone');
    await event('stopped');
    const { stackFrames } = (await ask('stackTrace', { threadId: 1, levels: 1 })).body;
    assert.equal(stackFrames[0].line, IN_LIST - 1);
  });

  it('says where breakpoints can be, and gives the modules', async () => {
    const { ask } = await stopInList();
    const { body } = await ask('breakpointLocations', { source: { path: SOURCE }, line: 90, endLine: 97 });
    assert.ok(body.breakpoints.some(({ line }: { line: number }) => line === IN_LIST));
    const { modules } = (await ask('modules', {})).body;
    assert.deepEqual(
      modules.map(({ name, path, symbolStatus }: D.Module) => [name, path, symbolStatus]),
      [['tour', '/p/tour', 'Symbols loaded.']],
    );
  });

  it('logs the protocol when asked to', async () => {
    const { ask, logged, event } = start();
    await ask('initialize', CLIENT);
    void ask('launch', { program: '/p/tour', pace: 'fast', trace: true });
    await event('initialized');
    await ask('threads');
    assert.ok(logged.some((line) => line.startsWith('from client: ') && line.includes('"command":"threads"')));
    assert.ok(logged.some((line) => line.startsWith('to client: ')));
  });

  it('names a file that is missing or is there twice', async () => {
    const disk: Disk = { '/p/tour': { bytes: ELF }, '/q/x': { bytes: ELF }, '/r/x': { bytes: ELF } };
    for (const [sdkFiles, code] of [
      [['gone'], /SDK_FILE_NOT_FOUND/],
      [['/q/x', '/r/x'], /SDK_FILE_TWICE/],
    ] as const) {
      const { ask, text } = start(disk);
      await ask('initialize', CLIENT);
      assert.match(text(await ask('launch', { program: '/p/tour', sdkFiles })), code);
    }
  });
});

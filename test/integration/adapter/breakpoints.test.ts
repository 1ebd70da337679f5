/** Breakpoints by source line: in headers, in many programs at once, through links and maps, while the program runs. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { build, folder, markerLine, programSource } from './builds';
import { frameText, Run } from './client';

const running: Run[] = [];

async function launch(program: string, args: string[], more: Record<string, unknown> = {}): Promise<Run> {
  const run = new Run();
  running.push(run);
  assert.equal(await run.prepare({ program, args, ...more }), undefined);
  return run;
}

afterEach(async () => {
  for (const run of running.splice(0)) {
    if (run.exitCode !== undefined) continue;
    await run.request('disconnect', {}).catch(() => undefined);
    await run.gone().catch(() => run.kill());
  }
});

const host = programSource('shared/host.c');
const header = programSource('shared/shared.h');

/** A host and two enclaves that share a header, in a folder of their own; `flags` for all of them. */
async function shared(place: string, flags: string[] = []): Promise<string> {
  const eapp = programSource('shared/eapp.c');
  await build('eapp', eapp, `${place}/one`, flags);
  await build('eapp', eapp, `${place}/two`, ['-DSEED=200', ...flags]);
  return build('host', host, `${place}/host`, flags);
}

/** Every stop of a run with the value of an expression in its innermost frame. */
async function stops(run: Run, expression: string): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const stop = await Promise.race([run.nextStop(), run.event('exited').then(() => undefined)]);
    if (!stop) return seen;
    const frames = await run.stack(stop.threadId!);
    const label = frames.find(({ presentationHint }) => presentationHint === 'label')?.name ?? 'host';
    seen.push(`${frames[0]!.name} ${await run.evaluate(expression, frames[0]!.id)} ${label}`);
    await run.ask('continue', { threadId: stop.threadId });
  }
}

describe('A breakpoint in a header', () => {
  for (const flags of [[], ['-O2']])
    it(`is one breakpoint in all programs that include it ${flags.join(' ')}`, async () => {
      const run = await launch(await shared(`shared${flags.join('')}`, flags), ['one', 'two']);
      const [set] = await run.breakpoints(header, [markerLine(header, 'mixed')]);
      assert.deepEqual([set!.verified, set!.source?.path], [true, header]);
      await run.start();
      // Optimised code mixes the lines of a call with those around it, so only where it stops is certain.
      const seen = await stops(run, flags.length > 0 ? '0' : 'mixed');
      const labels = [...new Set(seen.map((text) => text.replace(/^\w+ -?\d+ /, '')))];
      assert.deepEqual(labels, ['host', 'PLenclave_run #1', 'PLenclave_run #2']);
      if (flags.length === 0)
        assert.deepEqual(
          seen.map((text) => text.split(' ')[1]),
          ['33', '97', '3011', '3105', '6205'],
        );
      const ids = run.events('stopped').flatMap(({ body }) => body.hitBreakpointIds as number[]);
      assert.ok(ids.every((id) => id === set!.id));
    });
});

describe('A breakpoint on a line', () => {
  const at = async (marker: number | string, flags: string[] = []) => {
    const run = await launch(await shared(`shared${flags.join('')}`, flags), ['one', 'two']);
    const line = typeof marker === 'number' ? marker : markerLine(host, marker);
    return { run, line, set: (await run.breakpoints(host, [line]))[0]! };
  };

  it('of a comment moves to the next line with code', async () => {
    const { set } = await at('comment');
    assert.deepEqual([set.verified, set.line], [true, markerLine(host, 'first')]);
  });

  it('behind the end of the file is not verified, and says so', async () => {
    const { set } = await at(10_000);
    assert.equal(set.verified, false);
    assert.match(set.message!, /no code at line 10000/);
  });

  it('with a macro stops at the line', async () => {
    const { run, line, set } = await at('macro');
    assert.ok(set.verified);
    await run.start();
    const { threadId } = await run.nextStop();
    assert.equal(frameText((await run.stack(threadId!))[0]!), `main host.c:${line}`);
  });

  it('of a function that was left out moves to code that is there', async () => {
    const { set, line } = await at('never', ['-O2']);
    assert.ok(set.verified);
    assert.ok(set.line! > line);
  });

  it('that is asked for twice in one request is two breakpoints, hit at once', async () => {
    const { run, line } = await at('first');
    for (let i = 0; i < 2; i++) {
      const twice = await run.breakpoints(host, [line, line]);
      assert.notEqual(twice[0]!.id, twice[1]!.id);
    }
    await run.start();
    assert.equal((await run.nextStop()).hitBreakpointIds!.length, 2);
  });
});

describe('The path of a client', () => {
  it('may be a link to the source', async () => {
    const links = join(folder, 'links to');
    mkdirSync(links, { recursive: true });
    symlinkSync(dirname(host), join(links, 'quellen-ö'));
    const path = join(links, 'quellen-ö', 'host.c');
    const run = await launch(await shared('shared'), ['one', 'two']);
    const [set] = await run.breakpoints(path, [markerLine(host, 'first')]);
    assert.deepEqual([set!.verified, set!.source?.path], [true, path], set!.message);
    await run.start();
    const { threadId } = await run.nextStop();
    assert.equal((await run.stack(threadId!))[0]!.source!.path, path, 'frames name the file as the client does');
  });

  it('may have spaces and other letters', async () => {
    const place = join(folder, 'with space', 'größe');
    mkdirSync(place, { recursive: true });
    const source = join(place, 'endless é.c');
    copyFileSync(programSource('endless.c'), source);
    const program = await build('host', source, 'with space/größe/host');
    const run = await launch(program, []);
    const [set] = await run.breakpoints(source, [markerLine(source, 'turn')]);
    assert.ok(set!.verified, set!.message);
    await run.start();
    const { threadId } = await run.nextStop();
    assert.equal((await run.stack(threadId!))[0]!.source!.path, source);
  });

  it('written in the way of another system does no harm', async () => {
    const run = await launch(await shared('shared'), ['one', 'two']);
    for (const path of [
      'C:\\work\\host.c',
      '\\\\server\\share\\host.c',
      'host.c',
      '',
      'file:///x/host.c',
      '//host.c',
    ]) {
      const [set] = await run.breakpoints(path, [1]);
      assert.equal(set!.source?.path, path);
      assert.ok(set!.verified || set!.message!.length > 0);
    }
  });

  for (const [from, slash] of [
    ['/built/there', '/'],
    ['/built/there/', ''],
    ['/built', '/there/'],
  ] as const)
    it(`is found through a source map from ${from}`, async () => {
      const flags = [`-ffile-prefix-map=${dirname(host)}=/built/there`];
      const program = await shared('mapped', flags);
      const to = from === '/built' ? dirname(dirname(host)) : dirname(host);
      // The longest prefix wins: the other rule would lead elsewhere.
      const sourceMap =
        from === '/built'
          ? { '/built': `${to}/nowhere`, '/built/there': `${dirname(host)}//` }
          : { '/': '/nowhere/', [from]: to + slash };
      const run = await launch(program, ['one', 'two'], { sourceMap });
      const [set] = await run.breakpoints(host, [markerLine(host, 'first')]);
      assert.ok(set!.verified, set!.message);
      await run.start();
      const { threadId } = await run.nextStop();
      assert.equal((await run.stack(threadId!))[0]!.source!.path, host);
    });

  it('is found though the compiler was given relative paths', async () => {
    const program = await shared('relative', [`-ffile-prefix-map=${dirname(host)}=.`]);
    const run = await launch(program, ['one', 'two']);
    const [set] = await run.breakpoints(host, [markerLine(host, 'first')]);
    assert.ok(set!.verified, set!.message);
    await run.start();
    const { threadId } = await run.nextStop();
    assert.equal((await run.stack(threadId!))[0]!.source!.path, host);
  });
});

describe('Breakpoints while the program runs', () => {
  const source = programSource('endless.c');
  const line = (marker: string) => markerLine(source, marker);
  const endless = async () => {
    const run = await launch(await build('host', source, 'endless/host'), []);
    await run.start();
    return run;
  };

  it('are set, moved and removed, a hundred times', async () => {
    const run = await endless();
    let stopped = 1;
    for (let i = 0; i < 100; i++) {
      const marker = ['turn', 'call', 'after'][i % 3]!;
      const [set] = await run.breakpoints(source, [line(marker)]);
      const stop = await run.nextStop();
      assert.deepEqual(stop.hitBreakpointIds, [set!.id]);
      assert.equal((await run.stack(stop.threadId!))[0]!.line, line(marker));
      // Removed while paused, or while it runs: then it may have been hit once more before.
      if (i % 2 === 0) await run.breakpoints(source, []);
      await run.ask('continue', { threadId: stop.threadId });
      if (i % 2 === 1) await run.breakpoints(source, []);
      const count = run.events('stopped').length;
      if (count > stopped) await run.ask('continue', { threadId: (await run.nextStop()).threadId });
      stopped = count + 1;
    }
  });

  it('may be a thousand', async () => {
    const run = await endless();
    const lines = Array.from({ length: 1000 }, (_, i) => i + 1);
    const set = await run.breakpoints(source, lines);
    assert.deepEqual([set.length, new Set(set.map(({ id }) => id)).size], [1000, 1000]);
    assert.ok(set.slice(0, line('after')).every(({ verified }) => verified));
    const stop = await run.nextStop();
    assert.ok(stop.hitBreakpointIds!.length >= 1);
    await run.breakpoints(source, []);
    await run.ask('continue', { threadId: stop.threadId });
  });

  it('are not bound to a source that was changed after the build, and what is there says why', async () => {
    const place = join(folder, 'edited');
    mkdirSync(place, { recursive: true });
    const edited = join(place, 'endless.c');
    copyFileSync(source, edited);
    const run = await launch(await build('host', edited, 'edited/host'), []);
    await run.start();
    assert.ok((await run.breakpoints(edited, [line('turn')]))[0]!.verified);
    const stop = await run.nextStop();
    const later = new Date(Date.now() + 60_000);
    utimesSync(edited, later, later);
    const [set] = (
      await run.ask<D.SetBreakpointsResponse['body']>('setBreakpoints', {
        source: { path: edited },
        breakpoints: [{ line: line('turn') }],
      })
    ).breakpoints;
    assert.match(set!.message!, /changed after host was built.*SOURCE_NEWER/);
    await run.ask('continue', { threadId: stop.threadId });
  });
});

/** Sessions with the samples, compared with transcripts that were read by people. GOLDEN=write writes them anew. */
import type { EnclaveOperationBody } from '../../../debug-adapter/dap/custom';
import { markerLine } from './builds';
import { Run, sample, sampleSource } from './client';
import { Transcript } from './transcript';

async function session(
  name: string,
  args: string[],
  breakpoints: Record<string, string[]>,
  play: (transcript: Transcript) => Promise<void>,
  more: Record<string, unknown> = {},
): Promise<Transcript> {
  const run = new Run();
  try {
    const transcript = new Transcript(run);
    await run.prepare({ program: sample(name, 'host'), args, ...more });
    transcript.note(`-> launch ${name} ${args.join(' ')}`);
    for (const [file, markers] of Object.entries(breakpoints)) {
      const path = sampleSource(name, file);
      await transcript.breakpoints(
        path,
        markers.map((marker) => markerLine(path, marker)),
      );
    }
    await transcript.ask('configurationDone', {}, '');
    await play(transcript);
    await transcript.end();
    await run.ask('disconnect', {});
    await run.gone();
    return transcript;
  } finally {
    run.kill();
  }
}

const go = (transcript: Transcript, command: string, threadId: number) =>
  transcript.ask(command, { threadId }, String(threadId));

describe('The transcript of', () => {
  it('hello-world: a run without a stop', async () => {
    const transcript = await session('hello-world', ['hello-world', '2'], {}, async () => undefined);
    transcript.compare('hello-world');
  });

  it('shadow-fork: a stop in each instance', async () => {
    const transcript = await session('shadow-fork', ['hello-world', '2'], { 'hello-world.c': ['greet'] }, async (t) => {
      for (let i = 0; i < 2; i++) await go(t, 'continue', (await t.stop('value', 'greetings')).threadId);
    });
    transcript.compare('shadow-fork');
  });

  it('server-chain: steps from the host to the last server and back', async () => {
    const breakpoints = { 'host.c': ['run'], 'caller.c': ['call'], 'server1.c': ['forward'] };
    const transcript = await session('server-chain', ['caller', 'server', 'server1'], breakpoints, async (t) => {
      const steps = [
        'stepIn',
        'continue',
        'stepIn',
        'continue',
        'stepIn',
        'next',
        'stepOut',
        'stepOut',
        'stepOut',
        'next',
      ];
      for (const step of steps) await go(t, step, (await t.stop()).threadId);
      const { threadId } = await t.stop();
      for (const file of Object.keys(breakpoints)) await t.breakpoints(sampleSource('server-chain', file), []);
      await go(t, 'continue', threadId);
    });
    transcript.compare('server-chain');
  });

  it('stop-resume: stop, resume and destroy from outside while paused', async () => {
    const transcript = await session('stop-resume', ['loop', '--wait'], { 'loop.c': ['count'] }, async (t) => {
      const operate = (name: string) =>
        t.ask<EnclaveOperationBody>(`enclave/${name}`, { instance: 1 }, '1', ({ ok, message }) =>
          ok ? 'ok' : message!,
        );
      await go(t, 'continue', (await t.stop()).threadId);
      const { threadId } = await t.stop();
      for (const name of ['stop', 'stop', 'resume', 'resume']) await operate(name);
      await go(t, 'continue', threadId);
      await t.stop();
      await operate('destroy');
      await go(t, 'continue', threadId);
    });
    transcript.compare('stop-resume');
  });
});

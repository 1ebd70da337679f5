import assert from 'node:assert/strict';
import { ENGINE_NAMES } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { compareWithGolden } from '../../tools/golden';
import { compile, needsCompiler } from './compile';
import { newHost, type Host } from './host';
import { golden, goldenFile, hasOracle, onLinux } from './oracle';

/** The last is the slow one. */
const ENGINES = [...ENGINE_NAMES].sort((a, b) => Number(a === 'source') - Number(b === 'source'));

const made = (engine: EngineName): Host =>
  newHost({ program: compile('hot'), ramMiB: 64, engine, hotness: 2, quantum: 3000, vary: true });

interface Outcome {
  readonly text: string;
  readonly tick: number;
  readonly hash: string;
}
const outcome = ({ machine }: Host, text: string): Outcome => ({ text, tick: machine.tick, hash: machine.hash() });

describe('A program whose code becomes other code while it is hot', () => {
  let first: Outcome;
  before(function () {
    needsCompiler(this);
    const host = made(ENGINES[0]!);
    assert.deepEqual(host.run(), { reason: 'halted' });
    assert.equal(host.linux.exitStatus, 0);
    first = outcome(host, host.text());
  });

  it('prints what it has to', () => compareWithGolden(goldenFile('hot'), first.text));

  it('prints what Linux prints', function () {
    if (!hasOracle()) this.skip();
    // QEMU's user mode sees neither a store to code through another mapping nor MADV_DONTNEED.
    const known = (text: string): string => text.replace(/^(alias|given back) .*\n/gm, '');
    assert.equal(known(onLinux('hot').text), known(golden('hot')));
  });

  it('leaves the same machine on every engine', () => {
    for (const engine of ENGINES.slice(1)) {
      const host = made(engine);
      host.run();
      assert.deepEqual(outcome(host, host.text()), first, engine);
    }
  });

  it('goes on in another machine with another engine, again and again', () => {
    const pieces = 9;
    let host = made(ENGINES[0]!);
    let text = '';
    for (let piece = 1; piece < pieces; piece++) {
      host.run(Math.floor((first.tick * piece) / pieces));
      text += host.text();
      const next = made(ENGINES[piece % 2]!);
      next.machine.load(structuredClone(host.machine.save()));
      next.machine.outbox.drain();
      next.machine.outbox.assumeDelivered();
      host = next;
    }
    host.run();
    assert.deepEqual(outcome(host, text + host.text()), first);
  });
});

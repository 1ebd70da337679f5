/** Output on its way to the client: whole lines, few messages, bounded. */
import assert from 'node:assert/strict';
import { Output, type Source } from '../../../debug-adapter/session/output';

const host: Source = { key: 'stdout 1', category: 'stdout' };
const enclave: Source = { key: 'enclave 2', category: 'console', prefix: '[hello #2] ' };

function start() {
  const sent: string[] = [];
  const clock = { now: 0 };
  const output = new Output(
    (category, text) => sent.push(`${category}: ${text}`),
    () => clock.now,
  );
  return { sent, clock, output };
}

describe('Output', () => {
  it('of two sources is not mixed inside a line', () => {
    const { sent, output } = start();
    output.text(host, 'half');
    output.text(enclave, 'whole\n');
    output.text(host, ' a line\n');
    output.flush();
    assert.deepEqual(sent, ['console: [hello #2] whole\n', 'stdout: half a line\n']);
  });

  it('of an enclave carries its name on every line', () => {
    const { sent, output } = start();
    output.text(enclave, 'a\nb\n');
    output.flush();
    assert.deepEqual(sent, ['console: [hello #2] a\n[hello #2] b\n']);
  });

  it('of the host is joined into few messages, byte for byte', () => {
    const { sent, output } = start();
    for (const line of ['one\n', '\ttwo\r\n', 'drei \u00e4\n']) output.bytes(host, new TextEncoder().encode(line));
    output.flush();
    assert.deepEqual(sent, ['stdout: one\n\ttwo\r\ndrei \u00e4\n']);
  });

  it('keeps a character together whose bytes come apart', () => {
    const { sent, output } = start();
    const bytes = new TextEncoder().encode('\u20ac\n');
    output.bytes(host, bytes.subarray(0, 1));
    output.bytes(host, bytes.subarray(1));
    output.flush();
    assert.deepEqual(sent, ['stdout: \u20ac\n']);
  });

  it('that has not ended is shown at a stop', () => {
    const { sent, output } = start();
    output.text(host, 'password: ');
    output.flush();
    assert.deepEqual(sent, []);
    output.flush(true);
    assert.deepEqual(sent, ['stdout: password: ']);
  });

  it('cannot send control characters to a terminal, but colours pass', () => {
    const { sent, output } = start();
    output.text(host, 'a\u001b[31mred\u001b[0m\u001b]0;title\u0007\n');
    output.flush();
    assert.deepEqual(sent, ['stdout: a\u001b[31mred\u001b[0m\u241b]0;title\u2407\n']);
  });

  it('of a runaway program is cut with a summary, and flows again later', () => {
    const { sent, clock, output } = start();
    const line = 'x'.repeat(99) + '\n';
    for (let i = 0; i < 100_000; i++) {
      output.text(host, line);
      if (i % 1000 === 0) output.flush();
    }
    output.flush();
    const length = sent.join('').length;
    assert.ok(length < 3_000_000, `${length} characters were sent`);
    clock.now += 10_000;
    output.text(host, 'last\n');
    output.flush(true);
    assert.ok(sent.some((text) => /^console: … \d+ lines of output left out/.test(text)));
    assert.equal(sent.at(-1), 'stdout: last\n');
  });
});

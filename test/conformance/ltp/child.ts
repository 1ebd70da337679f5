/**
 * Runs tests of LTP, one after the other as its parent asks, each on a system of its own. A process of its own, so that a loop without end
 * in the host OS itself can be ended, and told.
 */
import { tick } from '../../../emulator/units';
import type { GuestFile } from '../../../emulator/linux/types';
import { createSystem } from '../../../monitor/system/system';
import { prepareImageHash } from '../../../emulator/linux/image-hash';
import { readFolder } from '../../integration/real/folder';
import { filesOf, GUEST_BIN, type LtpTest } from './tests';
import { telling, verdictOf, type Outcome } from './outcome';

/** Ticks between two looks at the wall clock. */
const SLICE = 5_000_000;
/** Virtual time a test may take: LTP's own limit for most tests is 30 s. */
const SECONDS = 400;
const CLOCK = 100_000_000;

const [rootFolder, wallSeconds] = process.argv.slice(2);
const root = readFolder(rootFolder!);
/** What LTP asks the kernel's configuration for; everything that is not named is not there. */
const CONFIGURATION = [
  'EVENTFD',
  'TMPFS',
  'INET',
  'SYSVIPC',
  'EPOLL',
  'FUTEX',
  'SIGNALFD',
  'TIMERFD',
  'MULTIUSER',
  'PROC_FS',
];
const configuration: GuestFile = {
  path: '/boot/config-5.10.0',
  bytes: new TextEncoder().encode(CONFIGURATION.map((name) => `CONFIG_${name}=y\n`).join('')),
  mode: 0o644,
};

function runTest(test: LtpTest): Outcome {
  const started = Date.now();
  const system = createSystem({
    // Below a shell, as LTP's tests take a parent with the number 1 for init.
    program: '/bin/sh',
    args: ['-c', '"$@"; exit $?', 'sh', `${GUEST_BIN}/${test.program}`, ...test.args],
    env: {
      PATH: `/bin:/usr/bin:${GUEST_BIN}`,
      LTPROOT: '/ltp',
      TMPDIR: '/tmp',
      HOME: '/root',
      LTP_COLORIZE_OUTPUT: '0',
    },
    cwd: '/tmp',
    files: [...root.files, configuration, ...filesOf(test)],
    nodes: root.nodes,
    memoryMiB: 512,
  });
  system.post({ kind: 'stdin', bytes: new Uint8Array(), end: true });
  let output = '';
  const decoder = new TextDecoder();
  const missing = new Set<string>();
  let status: number | undefined;
  while (system.tick < SECONDS * CLOCK && Date.now() - started < Number(wallSeconds) * 1000) {
    const { reason } = system.run(tick(system.tick + SLICE));
    for (const event of system.drain()) {
      if (event.kind === 'output') output += decoder.decode(event.bytes);
      else if (event.kind === 'console') output += event.text;
      else if (event.kind === 'missing-system-call') missing.add(event.name);
    }
    if (reason === 'halted') status = system.exitStatus ?? -1;
    if (reason === 'halted') break;
    if (reason === 'idle') {
      output += 'every thread is blocked for ever\n';
      break;
    }
    if (output.length > 1_000_000) output = output.slice(-500_000);
  }
  const verdict = verdictOf(status, output);
  return {
    verdict,
    status,
    said: telling(output),
    missing: [...missing],
    milliseconds: Date.now() - started,
  };
}

process.on('message', (test: LtpTest) => {
  let outcome: Outcome;
  try {
    outcome = runTest(test);
  } catch (error) {
    outcome = { verdict: 'crashed', status: undefined, said: String((error as Error).stack ?? error) };
  }
  process.send!(outcome);
});
void prepareImageHash().then(() => process.send!('ready'));

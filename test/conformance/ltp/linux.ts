/**
 * The same test on Linux: qemu-riscv64 on the kernel of this machine, as nobody who is root in name spaces of their own, so that no test can
 * kill, mount or set anything outside. Its kernel is newer than 5.10, and it may refuse what only the real root may do.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { LtpTest } from './tests';
import { telling, verdictOf, type Outcome } from './outcome';

const QEMU = 'qemu-riscv64';
const NOBODY = 65534;
const SPACES = ['--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--ipc', '--uts', '--net', '--mount'];

const sandbox = (): string[] =>
  process.getuid?.() === 0
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', 'unshare', ...SPACES]
    : ['unshare', ...SPACES];

/** Why there is nothing to compare with; undefined when there is. */
export function withoutLinux(): string | undefined {
  if (spawnSync(QEMU, ['--version']).error) return `${QEMU} is not installed`;
  const [command, ...args] = sandbox();
  return spawnSync(command!, [...args, 'true']).status === 0 ? undefined : 'name spaces of users are not allowed here';
}

/** LTP's library warns in every test that nobody may protect himself from the OOM killer; that says nothing about the test. */
const SCORE = "Can't adjust score, even with capabilities!?";
const TWARN = 4;
const onlyWarnsOfScore = (status: number | undefined, said: string): boolean =>
  status === TWARN && said.split('\n').every((line) => line.includes(SCORE));

export async function onLinux(test: LtpTest, root: string, seconds: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'ltp-'));
  const bin = join(folder, 'bin');
  const work = join(folder, 'tmp');
  for (const path of [bin, work]) mkdirSync(path);
  for (const path of [folder, work]) chmodSync(path, 0o777);
  chmodSync(bin, 0o755);
  try {
    for (const name of readdirSync(dirname(test.file)))
      if (!name.includes('.') && statSync(join(dirname(test.file), name)).isFile())
        copyFileSync(join(dirname(test.file), name), join(bin, name));
    const [command, ...args] = sandbox();
    const inner = ['timeout', '-k', '1', String(seconds), QEMU, '-L', root, join(bin, test.program), ...test.args];
    const env = {
      PATH: `${process.env.PATH}:${bin}`,
      LTPROOT: folder,
      TMPDIR: work,
      HOME: work,
      LTP_COLORIZE_OUTPUT: '0',
    };
    const child = spawn(command!, [...args, ...inner], { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const add = (data: Buffer): void => void (output = (output + data.toString('latin1')).slice(-500_000));
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    const code = await new Promise<number | undefined>((resolve) => {
      child.once('exit', (status, signal) => resolve(signal ? 128 : (status ?? undefined)));
    });
    // timeout(1) ends with 124, and with 137 when it had to kill.
    const status = code === 124 || code === 137 ? undefined : code;
    const said = telling(output);
    return { verdict: verdictOf(onlyWarnsOfScore(status, said) ? 0 : status, said), status, said };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

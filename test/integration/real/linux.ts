/**
 * The oracle: a riscv64 program on Linux, under qemu-riscv64, in a root of its own, so that what it executes is riscv64 as well. The root is an
 * overlay that is thrown away, in name spaces of a user: nothing outside is changed. binfmt_misc belongs to these name spaces (Linux 6.7).
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const QEMU = '/usr/bin/qemu-riscv64';
const NOBODY = 65534;
const SPACES = '--user --map-root-user --pid --fork --kill-child --ipc --uts --mount --propagation private'.split(' ');
/** What is told of a program; it may print for ever. */
const OUTPUT_MAX = 4 * 1024 * 1024;

export interface LinuxCommand {
  /** Folder that becomes `/`. */
  readonly root: string;
  /** Places in the root -> folders here. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly input?: string;
  readonly seconds: number;
  /** Root in its name spaces only: for programs that are not trusted. */
  readonly asNobody?: boolean;
}

export interface LinuxEnding {
  readonly stdout: string;
  readonly stderr: string;
  /** Undefined when it did not end in time. */
  readonly status: number | undefined;
}

/**
 * $1 the root, $2 an empty folder, $3 qemu, then places and folders up to `--`, the current directory, and the command. The libraries of
 * this machine are for qemu itself, which is dynamic.
 */
const SETUP = `set -e
root=$1 t=$2 qemu=$3; shift 3
mount -t tmpfs none $t; mkdir $t/upper $t/work $t/root
mount -t overlay -o lowerdir=$root,upperdir=$t/upper,workdir=$t/work none $t/root; r=$t/root
mkdir -p $r/lib64 $r/proc $r/dev $r/tmp; mount --rbind /lib64 $r/lib64
machine=$(dirname "$(ls /usr/lib/*/libc.so.6 /lib/*/libc.so.6 2>/dev/null | grep -v riscv64 | head -n 1)")
mkdir -p $r$machine; mount --bind $machine $r$machine
mount -t proc proc $r/proc
for d in null zero full urandom random; do touch $r/dev/$d; mount --bind /dev/$d $r/dev/$d; done
ln -s /proc/self/fd $r/dev/fd; mkdir -p $r/dev/shm
while [ "$1" != -- ]; do mkdir -p "$r$1"; mount --bind "$2" "$r$1"; shift 2; done; shift
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf %s ":riscv64:M::\\\\x7fELF\\\\x02\\\\x01\\\\x01\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00\\\\x00\\\\x02\\\\x00\\\\xf3\\\\x00:\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\x00\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xff\\\\xfe\\\\xff\\\\xff\\\\xff:$qemu:FP" >/proc/sys/fs/binfmt_misc/register
cwd=$1; shift
umask 022
exec unshare --root="$r" --wd="$cwd" "$@"`;

export function onLinux(command: LinuxCommand): Promise<LinuxEnding> {
  const work = mkdtempSync(join(tmpdir(), 'on-linux-'));
  chmodSync(work, 0o755);
  const nobody = command.asNobody && process.getuid?.() === 0;
  const outer = nobody ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
  const mounts = Object.entries(command.mounts ?? {}).flat();
  const spaces = nobody ? [...SPACES, '--net'] : SPACES;
  const [program, ...args] = [
    ...outer,
    ...['unshare', ...spaces, 'sh', '-c', SETUP, 'sh', command.root, work, QEMU, ...mounts, '--', command.cwd],
    ...command.argv,
  ];
  return new Promise((resolve) => {
    const child = spawn(program!, args, { env: { ...command.env, PATH: command.env.PATH ?? process.env.PATH } });
    const output = { stdout: '', stderr: '' };
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, command.seconds * 1000);
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('latin1').on('data', (text: string) => {
        if (output[stream].length < OUTPUT_MAX) output[stream] += text;
      });
    child.stdin.on('error', () => undefined).end(command.input ?? '');
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      rmSync(work, { recursive: true, force: true });
      const decode = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');
      const ended = signal ? 128 : (status ?? undefined);
      resolve({ stdout: decode(output.stdout), stderr: decode(output.stderr), status: late ? undefined : ended });
    });
    child.once('error', () => resolve({ ...output, status: undefined }));
  });
}

/** Why a root can't be used for comparisons; undefined when it can. */
export async function withoutLinux(root: string): Promise<string | undefined> {
  if (!existsSync(QEMU) || spawnSync(QEMU, ['--version']).status !== 0) return `${QEMU} is not installed`;
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
  const { status, stderr } = await onLinux({ root, argv: ['/bin/sh', '-c', 'exit 7'], env, cwd: '/', seconds: 30 });
  return status === 7 ? undefined : `no root of its own for qemu-riscv64 (${stderr.trim() || `status ${status}`})`;
}

/** Shells on the terminal of the machine: what a person types, ^Z and ^C among it, and what the shell says to it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFolder, type Folder } from './folder';
import { onGuest, type Typed } from './guest';

const ROOT = process.env.PROGRAMS_ROOT ?? join(process.cwd(), 'test/.cache/riscv64');
/** The shells, and libraries of theirs. */
const WITHOUT = /^\/usr\/(share|libexec|include|lib\/python[^/]*|lib\/riscv64-linux-gnu\/(perl|gconv|perl-base))(\/|$)/;

const [STOP, INTERRUPT, END] = ['\x1a', '\x03', '\x04'];
/** While something sleeps the machine is not idle: the next is typed some time later. */
const after = (text: string): Typed => ({ after: 400, text });
const TYPED: readonly Typed[] = [
  'sleep 100\n',
  after(STOP),
  after('echo stopped $?\n'),
  after('jobs\n'),
  after('bg\n'),
  after('jobs\n'),
  after('fg\n'),
  after(INTERRUPT),
  after('echo interrupted $?\n'),
  after('cat | tr a-z A-Z\n'),
  after('to both\n'),
  after(END),
  'sleep 1 | cat & wait; echo waited\n',
  after('(exit 4); echo $?\n'),
  'exit 3\n',
];

describe('Job control of real shells', function () {
  let root: Folder;
  before(function () {
    if (!existsSync(join(ROOT, 'bin/dash'))) {
      console.log(`skipped: no riscv64 programs in ${ROOT}; test/integration/real/fetch.sh gets them`);
      this.skip();
    }
    root = readFolder(ROOT, '', WITHOUT);
  });

  for (const [name, argv] of [
    ['bash', ['/bin/bash', '--norc', '--noprofile', '--noediting', '-i']],
    ['dash', ['/bin/dash', '-i']],
    ['busybox ash', ['/bin/busybox', 'ash', '-i']],
  ] as const)
    it(`${name}: ^Z, bg, fg, ^C, a pipeline in the foreground`, async () => {
      const env = { PATH: '/usr/bin:/bin', HOME: '/root', PS1: '$ ', TERM: 'dumb' };
      const { terminal, status, log } = await onGuest({ folders: [root], argv, env, cwd: '/root', typed: TYPED });
      const said = terminal.replace(/\r/g, '');
      const expected = [
        /\^Z/,
        /\[1\]\s*\+\s+Stopped\s+sleep 100/,
        /stopped 1(48|46)/,
        /\[1\]\s*\+\s+Stopped\s+sleep 100/,
        /bg\n\[1\]\+? sleep 100/,
        /\[1\]\s*\+\s+Running\s+sleep 100/,
        /fg\nsleep 100/,
        /\^C/,
        /interrupted 130/,
        /to both\nTO BOTH/,
        /waited\n/,
        /\$ (.*\n)?4\n/,
      ];
      let rest = said;
      for (const pattern of expected) {
        const found = pattern.exec(rest);
        assert.ok(found, `${pattern} is not in what follows:\n${rest}\nof all that was said:\n${said}`);
        rest = rest.slice(found.index + 1);
      }
      assert.equal(status, 3);
      assert.equal(log, '');
    });
});

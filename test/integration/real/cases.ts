/** The programs that run here and on Linux: which files of cases/, by which interpreters, with what of the root. */

export interface Case {
  readonly name: string;
  readonly argv: readonly string[];
  readonly title: string;
  readonly input?: string;
  /** Interpreters are asked for by these folders or files of the root; without them the case is skipped. */
  readonly needs: readonly string[];
  /** Made from the C source of this name in cases/. */
  readonly built?: boolean;
  /** Standard error is the same too; not where it names pids or programs by their paths. */
  readonly stderr?: boolean;
}

const PATH_OF = '/case';

export const CASES: readonly Case[] = [
  {
    name: 'dash',
    argv: ['/bin/dash', `${PATH_OF}/shell.sh`],
    title: 'dash: pipelines, here-documents, traps, jobs',
    needs: ['bin/dash'],
  },
  {
    name: 'ash',
    argv: ['/bin/busybox', 'ash', `${PATH_OF}/shell.sh`],
    title: 'busybox ash: the same script',
    needs: ['bin/busybox'],
  },
  {
    name: 'bash-posix',
    argv: ['/bin/bash', `${PATH_OF}/shell.sh`],
    title: 'bash: the same script',
    needs: ['bin/bash'],
  },
  {
    name: 'bash',
    argv: ['/bin/bash', `${PATH_OF}/bash.sh`],
    title: 'bash: arrays, coprocesses, process substitution',
    needs: ['bin/bash'],
  },
  {
    name: 'coreutils',
    argv: ['/bin/bash', `${PATH_OF}/coreutils.sh`],
    title: 'coreutils, grep, sed, diff, gawk',
    needs: ['bin/gawk', 'bin/stat'],
  },
  {
    name: 'archive',
    argv: ['/bin/bash', `${PATH_OF}/archive.sh`],
    title: 'tar, gzip and busybox archives there and back',
    needs: ['bin/tar', 'bin/gzip', 'bin/busybox'],
  },
  {
    name: 'sqlite',
    argv: ['/bin/bash', `${PATH_OF}/sqlite.sh`],
    title: 'SQLite: journals, write-ahead log, locks between processes',
    needs: ['bin/sqlite3'],
  },
  {
    name: 'lua',
    argv: ['/bin/lua5.4', `${PATH_OF}/lua.lua`],
    title: 'Lua: files, processes, coroutines',
    needs: ['bin/lua5.4'],
  },
  {
    name: 'perl',
    argv: ['/bin/perl', `${PATH_OF}/perl.pl`, 'an', 'argument'],
    title: 'Perl: fork, pipes, signals, sockets',
    needs: ['bin/perl'],
    stderr: true,
  },
  {
    name: 'python',
    argv: ['/bin/python3.13', '-S', `${PATH_OF}/python.py`],
    title: 'Python: threads, subprocesses, sockets, signals, mmap',
    needs: ['bin/python3.13'],
    stderr: true,
  },
  {
    name: 'stress',
    argv: ['/built/stress'],
    title: 'dynamic glibc: pthreads, futexes and locks shared by processes under load',
    needs: ['usr/lib/ld-linux-riscv64-lp64d.so.1'],
    built: true,
  },
  {
    name: 'events',
    argv: ['/built/events'],
    title: 'dynamic glibc: epoll, signals, fork, exec and a server of several processes',
    needs: ['usr/lib/ld-linux-riscv64-lp64d.so.1'],
    built: true,
  },
];

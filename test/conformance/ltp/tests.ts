/**
 * The Linux Test Project's system-call tests (github.com/linux-test-project/ltp), built elsewhere for riscv64: which there are, by its own
 * list runtest/syscalls, and the files each needs. Nothing of it is kept here.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GuestFile } from '../../../emulator/linux/types';

/** A line of the list: a title, a program and its arguments. */
export interface LtpTest {
  readonly title: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Folder of the call, or of the group, that the program is of. */
  readonly group: string;
  /** Path of the program here. */
  readonly file: string;
}

/** Where the guest finds the programs. */
export const GUEST_BIN = '/ltp/testcases/bin';
/** Where the programs lie in LTP's tree. */
const KERNEL = 'testcases/kernel';

function programsOf(folder: string, found = new Map<string, string>()): Map<string, string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) programsOf(path, found);
    else if (entry.isFile() && !entry.name.includes('.') && statSync(path).mode & 0o100 && !found.has(entry.name))
      found.set(entry.name, path);
  }
  return found;
}

const isElf = (bytes: Uint8Array): boolean => bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c;

/** The tests of the list whose programs were built; `missing` are those that were not. */
export function readTests(ltp: string): { tests: LtpTest[]; missing: string[] } {
  const list = join(ltp, 'runtest/syscalls');
  if (!existsSync(list)) throw new Error(`${list} is not there: LTP must name a built tree of the Linux Test Project.`);
  const programs = programsOf(join(ltp, KERNEL));
  const tests: LtpTest[] = [];
  const missing: string[] = [];
  for (const line of readFileSync(list, 'utf8').split('\n')) {
    const [title, program, ...args] = line.split('#')[0]!.trim().split(/\s+/);
    if (!title || !program) continue;
    const file = programs.get(program);
    if (file === undefined) missing.push(title);
    else tests.push({ title, program, args, file, group: dirname(file).split('/').pop()! });
  }
  return { tests, missing };
}

/** The test's program, its helpers in the same folder, and what it reads from there. */
export function filesOf({ file }: LtpTest): GuestFile[] {
  const folder = dirname(file);
  const files: GuestFile[] = [];
  const add = (path: string, name: string): void => {
    const bytes = new Uint8Array(readFileSync(path));
    if (isElf(bytes)) files.push({ path: `${GUEST_BIN}/${name}`, bytes, mode: 0o755 });
  };
  const own = file.slice(folder.length + 1);
  add(file, own);
  for (const name of readdirSync(folder))
    if (name !== own && /child|helper|_exec|_resource|nop|01p|testapp/.test(name) && !name.includes('.'))
      if (statSync(join(folder, name)).isFile()) add(join(folder, name), name);
  return files;
}

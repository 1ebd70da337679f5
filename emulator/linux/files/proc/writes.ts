/** The texts of /proc that a program may write (proc(5)), and what a write does. Everything else of /proc is read-only. */
import type { Core } from '../../core';
import { Errno } from '../../errno';
import { procEntry, procPid } from './nodes';

/** Bounds of oom_score_adj. */
const SCORE_MAX = 1000;
const NAME_MAX = 15;

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replace(/\n$/, '');

/** Each returns 0 or a negative errno. */
const SETTERS: Readonly<Record<string, (core: Core, pid: number, tid: number, bytes: Uint8Array) => number>> = {
  /** Kept and told: memory that is used up is paid for by whoever asks. */
  oom_score_adj(core, pid, _tid, bytes) {
    const text = textOf(bytes).trim();
    const score = Number(text);
    if (!/^-?\d{1,9}$/.test(text) || Math.abs(score) > SCORE_MAX) return -Errno.EINVAL;
    core.setProcess(pid, { oomScore: score });
    return 0;
  },
  comm(core, _pid, tid, bytes) {
    core.setThread(tid, { name: textOf(bytes.subarray(0, NAME_MAX)) });
    return 0;
  },
};

export function isWritable(number: number): boolean {
  const { owner, path } = procEntry(number);
  return owner !== 0 && path in SETTERS;
}

/** Takes the bytes of one write: all, or a negative errno. */
export function writeProc(core: Core, number: number, bytes: Uint8Array): number {
  const entry = procEntry(number);
  const setter = SETTERS[entry.path];
  const pid = procPid(core.state, entry);
  if (pid === undefined) return -Errno.ESRCH;
  const tid = core.state.threads.has(entry.owner) ? entry.owner : core.state.processes.get(pid)?.threads[0];
  if (!setter || tid === undefined) return -Errno.EINVAL;
  const outcome = setter(core, pid, tid, bytes);
  return outcome === 0 ? bytes.length : outcome;
}

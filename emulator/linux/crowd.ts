/**
 * What happens to many threads at once (the end of a process of thousands, SIGCONT for it): a piece right away, the others in a job.
 * Jobs go before threads, so none of them runs in between; their order is that of the passes.
 */
import { Cost, type Core } from './core';
import { addJob, interrupt, makeReady, PIECE, unblockThreads } from './scheduler';
import { deliverable } from './signals';
import type { Job, Pass } from './state';

type Crowd = Extract<Job['work'], { kind: 'crowd' }>;

/** Does all that the passes say, in their order. */
export function passOver(core: Core, passes: readonly Pass[]): void {
  const wanted = passes.filter(({ tids }) => tids.length > 0);
  const all = wanted.reduce((sum, { tids }) => sum + tids.length, 0);
  if (all > PIECE) {
    addJob(core, { kind: 'crowd', passes: wanted, at: 0 });
    return;
  }
  for (const { what, tids } of wanted) apply(core, what, tids);
}

/** Does a piece of it; what is left then. */
export function crowdPiece(core: Core, { kind, passes, at }: Crowd): Crowd | undefined {
  const [pass, ...others] = passes;
  if (!pass) return undefined;
  const next = at + PIECE;
  const tids = pass.tids.slice(at, next).filter((tid) => core.state.threads.has(tid));
  apply(core, pass.what, tids);
  core.charge(tids.length * Cost.WAKE);
  if (next < pass.tids.length) return { kind, passes, at: next };
  return others.length > 0 ? { kind, passes: others, at: 0 } : undefined;
}

function apply(core: Core, what: Pass['what'], tids: readonly number[]): void {
  switch (what) {
    case 'end':
      endThreads(core, tids);
      break;
    case 'ready':
      for (const tid of tids) makeReady(core, tid);
      break;
    case 'interrupt':
      for (const tid of tids) if (deliverable(core, core.thread(tid))) interrupt(core, tid);
      break;
  }
}

/** Threads run no more user code: each exits as soon as it has left the kernel. */
function endThreads(core: Core, tids: readonly number[]): void {
  const threads = core.state.threads.withMutations((map) => {
    for (const tid of tids) map.set(tid, { ...map.get(tid)!, dying: true });
  });
  core.set({ threads });
  unblockThreads(core, tids, 'signal');
  core.charge(tids.length);
}

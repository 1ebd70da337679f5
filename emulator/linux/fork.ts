/**
 * A new process (clone(2) without CLONE_THREAD, fork, vfork, posix_spawn): a copy of its parent whose memory is doubled piece by piece, or
 * borrowed. It is in the tables from the first piece on and has no thread before the last, so nobody sees it half made.
 */
import type { SavedRegisters } from '../hart/types';
import type { Core } from './core';
import { addChild, forgetChild } from './family';
import { closeAll, shareAll } from './files/descriptors';
import { emptyMemory, forkAreas } from './memory/fork';
import { lend, NO_MEMORY, ownerOf, tellImages } from './memory/lending';
import { FRESH_PROCESS, leaveMemory } from './process';
import { makeReady } from './scheduler';
import { NO_STACK } from './signals';
import type { Call, Process, Thread } from './state';

export interface NewProcess {
  readonly parent: number;
  readonly exitSignal: number;
  /** It runs in the memory of its parent. */
  readonly borrows: boolean;
}

/** Enters a process that is as `from` in all but memory pages and threads: its pid, undefined when table pages are short. */
export function beginProcess(core: Core, from: Process, wanted: NewProcess): number | undefined {
  const owner = wanted.borrows ? ownerOf(core, from.pid) : 0;
  const memory = wanted.borrows ? NO_MEMORY : emptyMemory(core, from.memory);
  if (!memory) return undefined;
  const pid = core.state.nextPid;
  const child: Process = {
    ...from,
    pid,
    parent: wanted.parent,
    exitSignal: wanted.exitSignal,
    memory,
    ...FRESH_PROCESS,
    borrows: owner,
  };
  core.set({ nextPid: pid + 1, processes: core.state.processes.set(pid, child) });
  addChild(core, wanted.parent, pid);
  shareAll(core, pid);
  if (owner !== 0) lend(core, owner, pid);
  else forkAreas(core, from.pid, pid);
  return pid;
}

/** The process can't be completed: it was never there. */
export function abandonProcess(core: Core, pid: number): void {
  closeAll(core, pid);
  leaveMemory(core, pid, 0);
  const { parent } = core.process(pid);
  core.set({ processes: core.state.processes.remove(pid) });
  if (core.state.processes.has(parent)) forgetChild(core, parent, pid);
}

/** The process is complete: its only thread is as `like`, with registers of its own. */
export function completeProcess(
  core: Core,
  pid: number,
  like: Thread,
  registers: SavedRegisters,
  rest: { readonly call: Call | undefined; readonly clearChildTid: number },
): void {
  const process = core.process(pid);
  const thread: Thread = {
    ...like,
    ...rest,
    tid: pid,
    pid,
    registers,
    wait: undefined,
    savedMask: undefined,
    mask: like.savedMask ?? like.mask,
    pending: [],
    // The stack of handlers is as much at its place as the rest of the memory; not so in memory that both use.
    altStack: process.borrows === 0 ? like.altStack : NO_STACK,
    robustList: 0,
    dying: process.ending !== undefined,
    cpu: 0,
  };
  core.set({ threads: core.state.threads.set(pid, thread) });
  core.setProcess(pid, { threads: [pid] });
  makeReady(core, pid);
  core.emit({ kind: 'process-started', pid, name: process.name, parent: process.parent });
  // Of memory that is borrowed the images are the owner's, and have been told.
  if (process.borrows === 0) tellImages(core, pid);
  core.emit({ kind: 'thread-started', pid, tid: pid });
}

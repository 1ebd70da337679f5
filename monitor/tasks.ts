/**
 * Work that is longer than a step, as plain data: what is left to do before the trap is answered, first first. Hands one piece of the
 * first one to the file that owns its kind. A piece that fails drops the list and does `undo` instead.
 */
import type { Core } from './core';
import { PAGE_SIZE } from '../emulator/units';
import { Result } from './abi';
import { PAGES_PER_STEP, PAGE_TICKS } from './costs';
import { createAttached, createMeasured } from './create';
import { zeroPage, disown, unshare } from './pages';
import { hideStep, setPteStep, showStep } from './page-tables';
import { forkFinished } from './fork';
import { measureStep } from './measure';
import { enter, kill, leaveForOcall, start, tellOcall } from './lifecycle';
import { randomStep } from './random';
import { sharedGranted } from './secure-shm';
import { answer, type AfterMeasure, type Task } from './task';
import { extended, freeOwnedStep } from './own-memory';
import { mapRelays } from './relays';
import { publishStep, separateStep } from './table-area';
import { areaGranted } from './areas';
import { reportMeasured } from './report';
import { replyTo } from './enclave-calls';
import { verifyStep } from './verify';

/** One piece of the first task. */
export function taskStep(m: Core): void {
  const [task, ...rest] = m.state.tasks;
  if (!task) return;
  // A task may queue others: they come after `rest`.
  m.update({ tasks: rest });
  const outcome = piece(m, task);
  if (outcome === 'failed') {
    m.update({ tasks: m.state.undo.length > 0 ? m.state.undo : [answer(Result.ERROR)], undo: [] });
  } else if (outcome) m.update({ tasks: [outcome, ...m.state.tasks] });
  if (m.state.tasks.length === 0 && m.state.undo.length > 0) m.update({ undo: [] });
}

/** Returns what is left of the task, nothing when it is done, or that it failed. */
function piece(m: Core, task: Task): Task | undefined | 'failed' {
  switch (task.do) {
    case 'publish':
      return publishStep(m, task);
    case 'set-pte':
      return setPteStep(m, task);
    case 'separate':
      return separateStep(m, task);
    case 'hide':
      return hideStep(m, task);
    case 'show':
      return showStep(m, task);
    case 'zero':
      return zeroStep(m, task);
    case 'disown':
      return void disown(m, task.base, task.size);
    case 'unshare':
      return void unshare(m, task.base, task.size);
    case 'extended':
      return void extended(m, task.base, task.size);
    case 'reclaimed':
      return void m.finishSbi(0, task.base);
    case 'free-owned':
      return freeOwnedStep(m, task);
    case 'verify':
      return verifyStep(m, task);
    case 'kill':
      return void kill(m);
    case 'attach':
      return createAttached(m, task.enclave);
    case 'measure':
      return measureStep(m, task, (digest) => measured(m, task.then, digest));
    case 'forked':
      return forkFinished(m, task);
    case 'map-relays':
      return mapRelays(m, task.eid, task.relays);
    case 'granted':
      return areaGranted(m, task);
    case 'shared':
      return sharedGranted(m, task);
    case 'tell':
      return void tellOcall(m, task.eid, task.request);
    case 'random':
      return randomStep(m, task, replyTo(m));
    case 'start':
      return void start(m, task.eid, task.registers);
    case 'enter':
      return void enter(m, task.eid);
    case 'ocall':
      return void leaveForOcall(m, task.request);
    case 'answer':
      return void m.answer(task.value, task.detail);
  }
}

function measured(m: Core, then: AfterMeasure, digest: Uint8Array): void {
  if (then.kind === 'report') reportMeasured(m, then, digest, replyTo(m));
  else createMeasured(m, then, digest);
}

function zeroStep(m: Core, task: Task & { do: 'zero' }): Task | undefined {
  const end = Math.min(task.at + PAGES_PER_STEP * PAGE_SIZE, task.size);
  for (let at = task.at; at < end; at += PAGE_SIZE) zeroPage(m, task.base + at);
  m.cost += PAGE_TICKS;
  return end < task.size ? { ...task, at: end } : undefined;
}

/**
 * Work that is longer than a step, as plain data: what is left to do before the trap is answered, first first. Owns the list of
 * kinds and how one piece of the first one is done. A piece that fails drops the list and does `undo` instead.
 */
import type { Instance } from './types';
import type { Digest } from './digest';
import type { Enclave, RelayRegion, Shadow } from './state';
import type { Core } from './core';
import type { SavedRegisters } from '../emulator/hart/types';
import { PAGE_SIZE } from '../emulator/units';
import { Result } from './abi';
import { PAGES_PER_STEP, PAGE_TICKS } from './costs';
import { createAttached, createMeasured } from './create';
import { zeroPage, disown, unshare } from './pages';
import { hideStep, separateStep, showStep } from './page-tables';
import { verifyStep } from './enclave-tables';
import { forkFinished, forkStep } from './fork';
import { measureStep } from './measure';
import { enter, kill, leaveForOcall, start, type OcallRequest } from './lifecycle';
import { mapRelays } from './relays';
import { areaGranted } from './areas';
import { reportMeasured } from './report';
import { replyTo } from './enclave-calls';

export type Task =
  | { readonly do: 'separate'; readonly at: number }
  /** Takes pages that were made private out of the host's tables. */
  | {
      readonly do: 'hide';
      readonly base: number;
      readonly size: number;
      readonly phase: 'check' | 'clear';
      readonly at: number;
    }
  /** Shows public pages to the host again. */
  | { readonly do: 'show'; readonly base: number; readonly size: number; readonly at: number }
  | { readonly do: 'zero'; readonly base: number; readonly size: number; readonly at: number }
  | { readonly do: 'disown'; readonly base: number; readonly size: number }
  | { readonly do: 'unshare'; readonly base: number; readonly size: number }
  | {
      readonly do: 'verify';
      readonly root: number;
      readonly base: number;
      readonly free: number;
      readonly instance: Instance;
      readonly at: number;
    }
  /** A new enclave's tables are good: kbuffer and shared memory are mapped. */
  | { readonly do: 'attach'; readonly enclave: Enclave }
  /** Hashes a space; `then` gets the digest. */
  | {
      readonly do: 'measure';
      readonly root: number;
      readonly at: number;
      readonly previous: number;
      readonly digest: Digest;
      readonly nonce: bigint;
      readonly then: AfterMeasure;
    }
  | { readonly do: 'fork'; readonly shadow: number; readonly at: number; readonly enclave: Enclave }
  /** The copy is made: stack, kbuffer, shared memory; the instance joins the enclaves. */
  | {
      readonly do: 'forked';
      readonly enclave: Enclave;
      readonly relays: readonly RelayRegion[];
      readonly eidPointer: number;
    }
  | { readonly do: 'map-relays'; readonly eid: number; readonly relays: readonly RelayRegion[] }
  /** Memory for an mmap or heap area has been made private. */
  | { readonly do: 'granted'; readonly eid: number; readonly block: number; readonly blockSize: number }
  /** Enters an enclave for the first time, or again with relay pages. */
  | { readonly do: 'start'; readonly eid: number; readonly registers: SavedRegisters }
  | { readonly do: 'enter'; readonly eid: number }
  /** Memory went back; now the host is told of the enclave's ocall. */
  | { readonly do: 'ocall'; readonly request: OcallRequest }
  /** A fault was told: the enclave on the hart ends. */
  | { readonly do: 'kill' }
  | { readonly do: 'answer'; readonly value: number; readonly detail: number };

export type AfterMeasure =
  | { readonly kind: 'enclave'; readonly enclave: Enclave; readonly eidPointer: number }
  | { readonly kind: 'shadow'; readonly shadow: Shadow; readonly eidPointer: number }
  | { readonly kind: 'report'; readonly eid: number; readonly address: number; readonly nonce: bigint };

export const answer = (value: number, detail = 0): Task => ({ do: 'answer', value, detail });
export const hide = (base: number, size: number): Task => ({ do: 'hide', base, size, phase: 'check', at: 0 });
export const show = (base: number, size: number): Task => ({ do: 'show', base, size, at: 0 });

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
    case 'verify':
      return verifyStep(m, task);
    case 'kill':
      return void kill(m);
    case 'attach':
      return createAttached(m, task.enclave);
    case 'measure':
      return measureStep(m, task, (digest) => measured(m, task.then, digest));
    case 'fork':
      return forkStep(m, task);
    case 'forked':
      return forkFinished(m, task);
    case 'map-relays':
      return mapRelays(m, task.eid, task.relays);
    case 'granted':
      return areaGranted(m, task);
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

/**
 * Work of the monitor that is longer than a step, as plain data: the kinds there are. What a kind does is the business of the file that
 * owns it; tasks.ts hands each to its own.
 */
import type { SavedRegisters } from '../emulator/hart/types';
import type { Digest } from './attestation/hashes';
import type { Enclave, RelayRegion, Shadow } from './state';
import type { Instance } from './types';

/** What an ocall tells the host, and what the monitor keeps for itself until the answer. */
export interface OcallRequest {
  readonly ocall: number;
  readonly arg0: number;
  readonly arg1: number;
  readonly kept: readonly [number, number];
}

export type Task =
  /** SM_INIT: every page becomes public; `at` bytes of the bitmap are written. */
  | { readonly do: 'publish'; readonly at: number; readonly flag: number }
  /** SET_PTE of many entries: a batch of pairs at `to`, `from` of them, or a copy of `size` bytes; `at` entries are done. */
  | {
      readonly do: 'set-pte';
      readonly reason: number;
      readonly to: number;
      readonly from: number;
      readonly size: number;
      readonly at: number;
    }
  /** PT_AREA_SEPARATION; `at` is the number of the next entry of the area. */
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
      /** Instances will share its pages. */
      readonly template: boolean;
      readonly at: number;
    }
  /** MEMORY_EXTEND: the block is the monitor's and zero. */
  | { readonly do: 'extended'; readonly base: number; readonly size: number }
  /** MEMORY_RECLAIM: the block is the host's. */
  | { readonly do: 'reclaimed'; readonly base: number }
  /** The monitor's pages that an instance has go back to the monitor. */
  | { readonly do: 'free-owned'; readonly instance: number }
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
  /** RUN_SHADOW: the pages it needs are private; the instance's space is made and it joins the enclaves. */
  | { readonly do: 'forked'; readonly enclave: Enclave; readonly relays: readonly RelayRegion[] }
  | { readonly do: 'map-relays'; readonly eid: number; readonly relays: readonly RelayRegion[] }
  /** Memory for an mmap or heap area has been made private; `at` bytes of it are mapped. */
  | {
      readonly do: 'granted';
      readonly eid: number;
      readonly block: number;
      readonly blockSize: number;
      readonly at: number;
    }
  /** Memory for secure shm has been made private. */
  | { readonly do: 'shared'; readonly eid: number; readonly block: number; readonly blockSize: number }
  /** Instead of going on after an ocall, the enclave tells the host another one. */
  | { readonly do: 'tell'; readonly eid: number; readonly request: OcallRequest }
  /** getrandom, `at` bytes of `size` are written. */
  | { readonly do: 'random'; readonly address: number; readonly size: number; readonly at: number }
  /** Enters an enclave for the first time, or again with relay pages. */
  | { readonly do: 'start'; readonly eid: number; readonly registers: SavedRegisters }
  | { readonly do: 'enter'; readonly eid: number }
  /** Memory went back; now the host is told of the enclave's ocall. */
  | { readonly do: 'ocall'; readonly request: OcallRequest }
  /** A fault was told: the enclave on the hart ends. */
  | { readonly do: 'kill' }
  | { readonly do: 'answer'; readonly value: number; readonly detail: number };

export type AfterMeasure =
  | { readonly kind: 'enclave'; readonly enclave: Enclave }
  | { readonly kind: 'shadow'; readonly shadow: Shadow }
  | { readonly kind: 'report'; readonly eid: number; readonly address: number; readonly nonce: bigint };

export const answer = (value: number, detail = 0): Task => ({ do: 'answer', value, detail });
export const hide = (base: number, size: number): Task => ({ do: 'hide', base, size, phase: 'check', at: 0 });
export const show = (base: number, size: number): Task => ({ do: 'show', base, size, at: 0 });

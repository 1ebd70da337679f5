/**
 * Typing of everything the adapter says beyond the standard protocol: the tree of hosts and enclaves, the three operations on
 * an enclave, and the events that keep a tree up to date. It is the only file the editor's side shares with the adapter, so it
 * imports nothing and holds plain JSON only. A client that knows none of it loses the tree and nothing else.
 */

/** One process of the host OS. */
export interface HostItem {
  readonly kind: 'host';
  readonly pid: number;
  readonly name: string;
  /** Enclaves, templates and servers it owns right now; instances forked from a template are not counted. */
  readonly children: number;
}

export type EnclaveTypeName = 'NORMAL' | 'SERVER' | 'SHADOW';
export type EnclaveStateName = 'FRESH' | 'RUNNABLE' | 'RUNNING' | 'STOPPED' | 'ATTESTING' | 'OCALLING';
export type EnclaveOperationName = 'stop' | 'resume' | 'destroy';

/** An enclave, a server, a shadow template, or an instance forked from one. */
export interface EnclaveItem {
  readonly kind: 'enclave';
  /** Unique in the session, never reused, the same in every run of the same launch. */
  readonly instance: number;
  /** The number the host process sees, as hexadecimal text: `0x1000`. Reused by the driver, so never a key. */
  readonly eid: string;
  readonly name: string;
  readonly type: EnclaveTypeName;
  readonly state: EnclaveStateName;
  /** Process that owns it. */
  readonly pid: number;
  /** The template an instance was forked from. */
  readonly template?: number;
  /** Live instances forked from it; 0 unless it is a template. */
  readonly children: number;
  /** The host thread that is inside RUN for it, or for the head of the chain it works in. */
  readonly tid?: number;
  /** The enclave whose call it works for, and the one that works for it. */
  readonly caller?: number;
  readonly callee?: number;
  /** Why an operation cannot be done now, in a sentence for a person; absent where it can. */
  readonly refused: { readonly [operation in EnclaveOperationName]?: string };
}

export type TreeItem = HostItem | EnclaveItem;

/** Request `enclave/list`: one page of the children of a node. */
export interface EnclaveListArguments {
  /** A host, or a template; the hosts themselves when absent. */
  readonly parent?: { readonly pid: number } | { readonly instance: number };
  /** First child wanted, from 0. */
  readonly start?: number;
  /** How many at most; the adapter gives no more than `LIST_PAGE_MAX`. */
  readonly count?: number;
}
export interface EnclaveListBody {
  readonly items: readonly TreeItem[];
  /** Number of children there are. */
  readonly total: number;
}
/** Largest page of `enclave/list`. */
export const LIST_PAGE_MAX = 1000;

/** Requests `enclave/stop`, `enclave/resume`, `enclave/destroy`: done as the owning process would, also while paused. */
export interface EnclaveOperationArguments {
  readonly instance: number;
}
export interface EnclaveOperationBody {
  readonly ok: boolean;
  /** Why not, when `ok` is false. */
  readonly message?: string;
}

/** Event `enclave/changed`: what is new or different since the last one, at most about ten times a second. */
export interface EnclaveChangedBody {
  readonly items: readonly TreeItem[];
  readonly removed: readonly ({ readonly pid: number } | { readonly instance: number })[];
  /** So much changed that the list is not in here: read the visible part of the tree again. */
  readonly refresh?: boolean;
}

/** Event `enclave/transition`: control passed from one world to another. */
export interface EnclaveTransitionBody {
  readonly name: string;
  /** Absent: the host. */
  readonly from?: WorldName;
  readonly to?: WorldName;
  /** Host thread it happened on. */
  readonly tid: number;
  readonly tick: number;
  /** Transitions left out just before this one, because there were too many to tell. */
  readonly omitted?: number;
}
export interface WorldName {
  readonly instance: number;
  readonly name: string;
  readonly eid: string;
}

/** Custom requests by command: arguments and response body. */
export interface CustomRequests {
  'enclave/list': { arguments: EnclaveListArguments; body: EnclaveListBody };
  'enclave/stop': { arguments: EnclaveOperationArguments; body: EnclaveOperationBody };
  'enclave/resume': { arguments: EnclaveOperationArguments; body: EnclaveOperationBody };
  'enclave/destroy': { arguments: EnclaveOperationArguments; body: EnclaveOperationBody };
}
/** Custom events by name: body. */
export interface CustomEvents {
  'enclave/changed': EnclaveChangedBody;
  'enclave/transition': EnclaveTransitionBody;
}

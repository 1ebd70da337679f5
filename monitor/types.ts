/** Names the monitor, its driver and the debugger share. C names are kept. */

declare const brand: unique symbol;

/** Number of an enclave, template or instance: unique in the session, never reused, equal on replay, starting at 1. */
export type Instance = number & { readonly [brand]: 'Instance' };
export const instance = (value: number): Instance => value as Instance;

export type EnclaveType = 'NORMAL' | 'SERVER' | 'SHADOW';

/** States of an enclave in the monitor; INVALID slots are not shown. */
export type EnclaveState = 'FRESH' | 'RUNNABLE' | 'RUNNING' | 'STOPPED' | 'ATTESTING' | 'OCALLING';

/**
 * What a program can do to enclaves that goes wrong on a device: for each code what was done, what the published firmware, kernel and
 * driver do about it, and how to do it right. Here the call returns cleanly; the hazard says what it would have been. "Observed": on
 * Penglai-Opensbi-TVM 841dd11, Penglai-Linux-TVM 141ed0d36 and Penglai-sdk-TVM dcb390a under QEMU 7.2, one case per boot; "in its
 * source": read there, not run. Owns the words and which of them end a device; operations.ts says when one is raised by a state.
 */
import type { Space } from '../emulator/units';
import { ENCLAVE_HAZARDS } from './hazards-enclave';
import { HOST_HAZARDS } from './hazards-host';
import type { Instance } from './types';

/** What becomes of the real machine, worst first. */
export const DEVICE_EFFECTS = {
  hang: 'the machine hangs: every later Penglai call spins in M-mode',
  'hart-dead': 'a hart dies in M-mode, and the machine hangs',
  oops: 'the kernel oopses: the caller is killed (SIGSEGV), and the next create hangs',
  panic: 'the machine runs out of memory and panics',
  leak: 'memory is lost until the next boot',
  wrong: 'the result is silently wrong',
  killed: 'the enclave is killed: RUN returns -1',
  refused: 'the call fails; the machine stays healthy',
} as const;
export type DeviceEffect = keyof typeof DEVICE_EFFECTS;

export interface HazardText {
  /** What the program did; `{name}` stands for an argument of the event. */
  readonly did: string;
  readonly device: DeviceEffect;
  /** What the real stack did, or does by its source. */
  readonly observed: string;
  readonly remedy: string;
  /** Correct programs meet it too: it is told, but nothing stops for it. */
  readonly notice?: true;
}

export const HAZARDS = { ...HOST_HAZARDS, ...ENCLAVE_HAZARDS } as const;
export type HazardCode = keyof typeof HAZARDS;
export const hazardText = (code: HazardCode): HazardText => HAZARDS[code];

/** Where a program did it: the ecall of an enclave, or of the host thread's system call. */
export interface HazardSite {
  readonly space: Space;
  readonly pc: number;
  /** ra and sp there: what tells callers of one system-call stub apart. */
  readonly ra: number;
  readonly sp: number;
}

export interface HazardEvent {
  readonly kind: 'hazard';
  readonly code: HazardCode;
  /** The enclave it is about, or that did it. */
  readonly instance?: Instance;
  /** The host thread, 0 for none. */
  readonly tid: number;
  readonly site?: HazardSite;
  readonly args: HazardArguments;
}
export type HazardArguments = Readonly<Record<string, string | number>>;

/** Refusals, and what correct programs meet. */
export const isNotice = (code: HazardCode): boolean => {
  const { device, notice } = hazardText(code);
  return notice === true || device === 'refused';
};

const FATAL: ReadonlySet<DeviceEffect> = new Set(['hang', 'hart-dead', 'oops', 'panic']);
/** The real machine, or the process, does not survive it. */
export const isFatal = (code: HazardCode): boolean => FATAL.has(hazardText(code).device) && !hazardText(code).notice;

/** What the shell sees when a program is ended as a device would end it: 139 after an oops (SIGSEGV), else 124, as of a time-out. */
export const fatalStatus = (code: HazardCode): number => (hazardText(code).device === 'oops' ? 139 : 124);

export interface Explanation {
  readonly did: string;
  readonly device: string;
  readonly remedy: string;
}

/** The three sentences of an event: what was done, what a device would do, how to do it right. */
export function explainHazard({ code, args }: Pick<HazardEvent, 'code' | 'args'>): Explanation {
  const { did, device, observed, remedy } = hazardText(code);
  return {
    did: did.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? 'unknown')),
    device: `On a device ${DEVICE_EFFECTS[device]}. ${observed}`,
    remedy,
  };
}

/** A number as programs print it. */
export const hex = (value: number | bigint): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

/**
 * What the table of operations is written in: kinds, states, rules, and how rows are made of them. Owns no rule: those are in
 * operations.ts.
 */
import type { HazardCode } from './hazards';
import type { EnclaveState, EnclaveType } from './types';

/** A type, and instances apart from other normal enclaves: for the host they are not the same. */
export type Kind = EnclaveType | 'INSTANCE';

/**
 * A state of the monitor, or what follows from several of its fields:
 * - CALLING: RUNNABLE, waits for the server it called. SERVING: a server that was interrupted while it works for a caller.
 * - RETURNED: OCALLING, the host has its relay pages back and RUN has returned. FORKED: a template with living instances.
 * - FOREIGN: it belongs to another process than the one that asks. GONE: there is no such enclave (any more).
 */
export type State = EnclaveState | 'CALLING' | 'SERVING' | 'RETURNED' | 'FORKED' | 'FOREIGN' | 'GONE';

export type Layer = 'ioctl' | 'sbi' | 'ecall' | 'trap';
export type Errno = 'EPERM' | 'EFAULT' | 'EINVAL';

export interface Rule {
  /** What the operation returns: to the host process (with errno when it is -1), to the driver, in a0 of the enclave. */
  readonly value: number;
  readonly errno?: Errno;
  /** State of the enclave afterwards. */
  readonly next: State;
  /** Refused: why, in a sentence for a person. */
  readonly why?: string;
  readonly hazard?: HazardCode;
}
export type Refused = Rule & { readonly why: string };
export const isRefused = (rule: Rule): rule is Refused => rule.why !== undefined;

export type Row = Readonly<Partial<Record<State, Rule>>>;

export interface OperationRules {
  readonly layer: Layer;
  /** Its name where it is called. */
  readonly call: string;
  readonly effect: string;
  readonly rows: Readonly<Partial<Record<Kind, Row>>>;
}

/** The states an enclave of a kind can be in, as those who ask see it. */
export const STATES_OF: Readonly<Record<Kind, readonly State[]>> = {
  NORMAL: [
    'FRESH',
    'RUNNABLE',
    'RUNNING',
    'CALLING',
    'STOPPED',
    'ATTESTING',
    'OCALLING',
    'RETURNED',
    'FOREIGN',
    'GONE',
  ],
  INSTANCE: ['RUNNABLE', 'RUNNING', 'CALLING', 'STOPPED', 'ATTESTING', 'OCALLING', 'RETURNED', 'FOREIGN', 'GONE'],
  SERVER: [
    'RUNNABLE',
    'RUNNING',
    'CALLING',
    'SERVING',
    'STOPPED',
    'ATTESTING',
    'OCALLING',
    'RETURNED',
    'FOREIGN',
    'GONE',
  ],
  SHADOW: ['FRESH', 'FORKED', 'ATTESTING', 'FOREIGN', 'GONE'],
};

// ---- how rows are written ---------------------------------------------------------------------------------------------------

/** Every state this way, unless a row says otherwise. */
export interface Draft {
  readonly value: number;
  readonly errno?: Errno;
  readonly next?: State;
  readonly why?: string;
  readonly hazard?: HazardCode;
}
export const to = (next: State | undefined, hazard?: HazardCode, value = 0): Draft => ({
  value,
  ...(next && { next }),
  ...(hazard && { hazard }),
});
/** Allowed, and the enclave stays as it is. */
export const stay = (hazard?: HazardCode, value = 0): Draft => to(undefined, hazard, value);
export const no = (why: string, hazard?: HazardCode, errno?: Errno, value = -1): Draft => ({
  value,
  why,
  ...(errno && { errno }),
  ...(hazard && { hazard }),
});

/** The row of a kind: `otherwise` for each of its states but those given. */
export function row(kind: Kind, otherwise: Draft, rules: Partial<Record<State, Draft>> = {}): Row {
  return Object.fromEntries(
    STATES_OF[kind].map((state) => {
      const draft = rules[state] ?? otherwise;
      return [state, { ...draft, next: draft.next ?? state }];
    }),
  );
}

/** Rows of an ioctl as those of the SBI call behind it, which knows no errno; of numbers that name nothing the driver tells. */
export function behind(
  rows: OperationRules['rows'],
  changes: Partial<Record<Kind, Partial<Record<State, Draft>>>> = {},
): OperationRules['rows'] {
  const bare = ({ errno: _errno, hazard, ...rule }: Rule, state: State): Rule =>
    hazard && state !== 'GONE' ? { ...rule, hazard } : rule;
  return Object.fromEntries(
    (Object.entries(rows) as [Kind, Row][]).map(([kind, states]) => [
      kind,
      Object.fromEntries(
        (Object.entries(states) as [State, Rule][]).map(([state, rule]) => {
          const change = changes[kind]?.[state];
          return [state, change ? { ...change, next: change.next ?? state } : bare(rule, state)];
        }),
      ),
    ]),
  );
}

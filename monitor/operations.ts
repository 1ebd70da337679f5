/**
 * The table of the monitor: what each operation does to an enclave of each type in each state. The code asks it before it does
 * anything; the debugger takes its reasons from it. Sources: the Penglai-TVM monitor's states and preconditions; where the real
 * one would hang, corrupt or leak, the row says what this one does instead (`deviates`).
 */
import type { EnclaveState, EnclaveType } from './types';

export type Operation =
  | 'run'
  | 'resumeTimer'
  | 'resumeStop'
  | 'resumeOcall'
  | 'stop'
  | 'destroy'
  | 'attest'
  | 'timer'
  | 'ocall'
  | 'exit'
  | 'yield'
  | 'callEnclave'
  | 'called'
  | 'enclaveReturn';

/** Allowed, with the state the enclave is in afterwards (`GONE`: its slot is free again). */
export interface Allowed {
  readonly next: EnclaveState | 'GONE';
}
/** Refused: what the call returns, why in one sentence for a person, and what the real monitor does if that differs. */
export interface Refused {
  readonly value: number;
  readonly why: string;
  readonly deviates?: string;
}
export type Rule = Allowed | Refused;

type Row = Readonly<Record<EnclaveState, Rule>>;

export interface OperationRules {
  /** Function the host or the enclave calls, by its name in the SDK. */
  readonly call: string;
  readonly effect: string;
  readonly NORMAL: Row;
  readonly SERVER: Row;
  /** Templates are always FRESH, ATTESTING while they are hashed. */
  readonly SHADOW: Row;
}

const to = (next: EnclaveState | 'GONE'): Allowed => ({ next });
const no = (why: string, value = -1, deviates?: string): Refused =>
  deviates === undefined ? { value, why } : { value, why, deviates };

const STATES: readonly EnclaveState[] = ['FRESH', 'RUNNABLE', 'RUNNING', 'STOPPED', 'ATTESTING', 'OCALLING'];

/** Every state refuses with the same reason, except those given. */
function row(otherwise: Rule, rules: Partial<Row> = {}): Row {
  return Object.fromEntries(STATES.map((state) => [state, rules[state] ?? otherwise])) as unknown as Row;
}

const SERVER_ONLY_CALLED = 'A server runs only when an enclave calls it.';
const TEMPLATE = 'A shadow template does not run itself; its instances do.';
const NOT_YET_RUN = 'It has not been run yet.';
const ON_HART = 'It is running on a hart right now.';
const ALREADY_RUN = 'It has been run already; an enclave runs once.';
const WAITS_FOR_HOST = 'It waits for the host to finish a call it made.';
const ATTESTED = 'It is being measured right now.';
const ONLY_RUNNING = 'It is not running.';

const ENCLAVE_ONLY = (why = ONLY_RUNNING, rules: Partial<Row> = {}): Row => row(no(why), rules);
const CORRUPTS = 'The real driver frees what the monitor still protects, and the kernel faults.';
const LEAVES_LOCK = 'The real monitor keeps its lock and the machine hangs at the next call.';

export const OPERATIONS: Readonly<Record<Operation, OperationRules>> = {
  run: {
    call: 'RUN_ENCLAVE',
    effect: 'Takes over the relay pages and starts at the entry point; a template forks an instance instead.',
    NORMAL: row(no(ALREADY_RUN, -1, CORRUPTS), { FRESH: to('RUNNING') }),
    SERVER: row(no(SERVER_ONLY_CALLED, -1, CORRUPTS)),
    SHADOW: row(no(ATTESTED), { FRESH: to('FRESH') }),
  },
  resumeTimer: {
    call: 'RESUME_ENCLAVE(timer)',
    effect: 'Goes on after a timer interrupt. A STOPPED enclave answers TIMER_IRQ and stays where it is.',
    NORMAL: row(no(ON_HART), {
      RUNNABLE: to('RUNNING'),
      FRESH: no(NOT_YET_RUN),
      STOPPED: no('It is stopped.', 1),
      ATTESTING: no(ATTESTED),
      OCALLING: no(WAITS_FOR_HOST),
    }),
    SERVER: row(no(ON_HART), {
      RUNNABLE: to('RUNNING'),
      FRESH: no(NOT_YET_RUN),
      STOPPED: no('It is stopped.', 1),
      ATTESTING: no(ATTESTED),
      OCALLING: no(WAITS_FOR_HOST),
    }),
    SHADOW: row(no(TEMPLATE, -1, 'The real monitor resumes whatever enclave has the same number.')),
  },
  resumeStop: {
    call: 'RESUME_ENCLAVE(stop)',
    effect: 'Ends a stop; the host thread that is inside RUN goes on with it.',
    NORMAL: row(no('It is not stopped.', -1, CORRUPTS), { STOPPED: to('RUNNABLE') }),
    SERVER: row(no('A server is resumed with the enclave it works for.', -1, CORRUPTS)),
    SHADOW: row(no(TEMPLATE, -1, CORRUPTS)),
  },
  resumeOcall: {
    call: 'RESUME_ENCLAVE(ocall)',
    effect: 'Delivers the result of an ocall and goes on.',
    NORMAL: row(no('It waits for no ocall.'), { OCALLING: to('RUNNING') }),
    SERVER: row(no('It waits for no ocall.'), { OCALLING: to('RUNNING') }),
    SHADOW: row(no(TEMPLATE)),
  },
  stop: {
    call: 'STOP_ENCLAVE',
    effect: 'Nothing of it runs until it is resumed, nor of the servers that work for it.',
    NORMAL: row(no(NOT_YET_RUN, -1, LEAVES_LOCK), {
      RUNNABLE: to('STOPPED'),
      RUNNING: to('STOPPED'),
      STOPPED: to('STOPPED'),
      ATTESTING: no(ATTESTED, -1, LEAVES_LOCK),
      OCALLING: no(WAITS_FOR_HOST, -1, LEAVES_LOCK),
    }),
    SERVER: row(no('A server is stopped with the enclave it works for.', -1, LEAVES_LOCK)),
    SHADOW: row(no('A shadow template does not run; stop its instances.', -1, LEAVES_LOCK)),
  },
  destroy: {
    call: 'DESTROY_ENCLAVE, DESTROY_SERVER_ENCLAVE, DESTROY_SHADOW_ENCLAVE',
    effect:
      'Its memory is zeroed and public again, its relay pages go back to the host; servers that worked for it are idle.',
    NORMAL: row(to('GONE'), { ATTESTING: no(ATTESTED) }),
    SERVER: row(
      no('It works for an enclave right now; destroy that one first.', -1, 'The real one loses its name and lives on.'),
      {
        FRESH: to('GONE'),
        RUNNABLE: to('GONE'),
      },
    ),
    SHADOW: row(no(ATTESTED), { FRESH: to('GONE') }),
  },
  attest: {
    call: 'ATTEST_ENCLAVE, ATTEST_SHADOW_ENCLAVE',
    effect: 'Writes a report about its measurement at creation.',
    NORMAL: row(no('Only an enclave that was not run yet, or is stopped, is attested.'), {
      FRESH: to('FRESH'),
      STOPPED: to('STOPPED'),
    }),
    SERVER: row(no('A server is attested by the enclaves that call it.')),
    SHADOW: row(no(ATTESTED), { FRESH: to('FRESH') }),
  },
  timer: {
    call: 'a machine interrupt',
    effect: 'The host goes on; RUN sees TIMER_IRQ.',
    NORMAL: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SERVER: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
  ocall: {
    call: 'EAPP_OCALL',
    effect: 'The host does something for the enclave; RUN sees OCALL.',
    NORMAL: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('OCALLING') }),
    SERVER: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('OCALLING') }),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
  exit: {
    call: 'EAPP_RETURN',
    effect: 'As destroy, and the value is given to the host.',
    NORMAL: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('GONE') }),
    SERVER: ENCLAVE_ONLY('A server returns with SERVER_RETURN.'),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
  yield: {
    call: 'EAPP_YIELD',
    effect: 'As a timer interrupt.',
    NORMAL: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SERVER: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
  callEnclave: {
    call: 'EAPP_CALL_ENCLAVE, as the caller',
    effect: 'It waits, RUNNABLE, until the callee returns.',
    NORMAL: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SERVER: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
  called: {
    call: 'EAPP_CALL_ENCLAVE, as the callee',
    effect: 'Starts at its entry point with fresh registers.',
    NORMAL: row(no('Only servers are called.')),
    SERVER: row(no('It works for another enclave.', -2), { RUNNABLE: to('RUNNING') }),
    SHADOW: row(no('Only servers are called.')),
  },
  enclaveReturn: {
    call: 'SERVER_RETURN',
    effect: 'It is idle again; the caller goes on.',
    NORMAL: ENCLAVE_ONLY('Only a server returns to a caller.'),
    SERVER: ENCLAVE_ONLY(ONLY_RUNNING, { RUNNING: to('RUNNABLE') }),
    SHADOW: ENCLAVE_ONLY(TEMPLATE),
  },
};

/** The rule for an operation on an enclave of a type in a state. */
export function ruleFor(operation: Operation, type: EnclaveType, state: EnclaveState): Rule {
  return OPERATIONS[operation][type][state];
}

export const isRefused = (rule: Rule): rule is Refused => 'why' in rule;

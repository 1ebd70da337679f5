/**
 * THE table: what each operation does to an enclave of each kind in each state, whoever asks: a host program by ioctl, the driver by
 * SBI call, an enclave by ecall. Driver and monitor ask it before they do anything; the debugger's reasons, docs/operations.md and the
 * tests are made from it. Sources: the Penglai-TVM driver's and monitor's preconditions, and what they did when run; where those hang,
 * oops or corrupt, the row refuses or does what was meant, and its hazard (hazards.ts) tells the difference.
 */
import type { HazardCode } from './hazards';
import {
  behind,
  no,
  row,
  stay,
  to,
  type Draft,
  type Errno,
  type Kind,
  type OperationRules,
  type Rule,
  type State,
} from './rules';

export {
  isRefused,
  STATES_OF,
  type Kind,
  type Layer,
  type OperationRules,
  type Refused,
  type Rule,
  type State,
} from './rules';

const SERVER_ONLY_CALLED = 'A server runs only when an enclave calls it.';
const TEMPLATE = 'A shadow template does not run itself; its instances do.';
const NOT_YET_RUN = 'It has not been run yet.';
const ON_HART = 'It is running on a hart right now.';
const ALREADY_RUN = 'It has been run already; an enclave runs once.';
const WAITS_FOR_HOST = 'It waits for the host to finish a call it made.';
const HAS_RETURNED = 'It gave its relay pages back and waits to be run again for that reason (rerun_reason 1).';
const ATTESTED = 'It is being measured right now.';
const NOT_STOPPED = 'It is not stopped.';
const NOT_YOURS = 'It belongs to another process.';
const NO_SUCH = 'There is no such enclave: it has ended or was destroyed, or the number was never one.';
const WORKS = 'It works for an enclave right now; destroy that one first.';
const STOPPED = 'It is stopped.';

const gone = (hazard: HazardCode = 'gone-handle') => no(NO_SUCH, hazard, 'EINVAL');
const foreign = (errno: Errno) => no(NOT_YOURS, 'foreign-enclave', errno);

// ---- ioctls of the host -----------------------------------------------------------------------------------------------------

const RUN_AGAIN = no(ALREADY_RUN, 'run-again', 'EFAULT');
const RUN_ROWS = {
  NORMAL: row('NORMAL', RUN_AGAIN, {
    FRESH: to('RUNNING'),
    // Whoever runs an enclave that nobody has run owns it from then on.
    FOREIGN: to('RUNNING'),
    ATTESTING: no(ATTESTED, 'run-again', 'EFAULT'),
    RETURNED: no(HAS_RETURNED, 'run-without-rerun', 'EFAULT'),
    GONE: gone(),
  }),
  INSTANCE: row('INSTANCE', no(ALREADY_RUN, 'run-instance-handle', 'EFAULT'), { GONE: gone('run-instance-handle') }),
  SERVER: row('SERVER', no(SERVER_ONLY_CALLED, 'run-server', 'EFAULT'), { GONE: gone() }),
  SHADOW: row('SHADOW', no(ATTESTED, undefined, 'EPERM'), {
    FRESH: to('FORKED'),
    FORKED: to('FORKED'),
    FOREIGN: to('FORKED'),
    GONE: gone(),
  }),
};

const NOTHING_RETURNED = no(
  'It did not give its relay pages back, so there is nothing to go on from.',
  'rerun-not-returned',
  'EPERM',
);
const RERUN_ROWS = {
  NORMAL: row('NORMAL', NOTHING_RETURNED, { RETURNED: to('RUNNING'), FOREIGN: foreign('EPERM'), GONE: gone() }),
  INSTANCE: row('INSTANCE', NOTHING_RETURNED, {
    RETURNED: to('RUNNING'),
    FOREIGN: foreign('EPERM'),
    GONE: gone('run-instance-handle'),
  }),
  SERVER: row('SERVER', no(SERVER_ONLY_CALLED, 'rerun-not-returned', 'EPERM'), { GONE: gone() }),
  SHADOW: row('SHADOW', no(TEMPLATE, 'rerun-not-returned', 'EPERM'), { GONE: gone() }),
};

const NOT_ATTESTABLE = no(
  'Only an enclave that was not run yet, or is stopped, is attested.',
  'attest-running',
  'EPERM',
);
const ATTEST_ROWS = {
  NORMAL: row('NORMAL', NOT_ATTESTABLE, {
    FRESH: stay(),
    STOPPED: stay('attest-stopped'),
    FOREIGN: foreign('EPERM'),
    GONE: gone(),
  }),
  INSTANCE: row('INSTANCE', NOT_ATTESTABLE, {
    STOPPED: stay('attest-stopped'),
    FOREIGN: foreign('EPERM'),
    GONE: gone(),
  }),
  SERVER: row('SERVER', no('A server is attested by the enclaves that call it.', 'attest-server', 'EPERM'), {
    GONE: gone(),
  }),
  SHADOW: row('SHADOW', no(ATTESTED, undefined, 'EPERM'), {
    FRESH: stay(),
    FORKED: stay(),
    FOREIGN: stay(),
    GONE: gone(),
  }),
};

const STOPPABLE: Partial<Record<State, Draft>> = {
  RUNNABLE: to('STOPPED'),
  RUNNING: to('STOPPED'),
  STOPPED: to('STOPPED'),
  CALLING: to('STOPPED', 'stop-in-server'),
  // The driver waits until the call is over, then stops it.
  OCALLING: to('STOPPED', 'stop-in-ocall'),
  ATTESTING: no(ATTESTED, undefined, 'EPERM'),
  RETURNED: no(WAITS_FOR_HOST, 'stop-returned', 'EPERM'),
  FOREIGN: foreign('EPERM'),
  GONE: gone(),
};
const STOP_ROWS = {
  NORMAL: row('NORMAL', no(NOT_YET_RUN, 'stop-fresh', 'EPERM'), STOPPABLE),
  INSTANCE: row('INSTANCE', no(NOT_YET_RUN, 'stop-fresh', 'EPERM'), STOPPABLE),
  SERVER: row('SERVER', no('A server is stopped with the enclave it works for.', 'stop-server', 'EPERM'), {
    GONE: gone(),
  }),
  SHADOW: row('SHADOW', no('A shadow template does not run; stop its instances.', 'stop-shadow', 'EPERM'), {
    GONE: gone(),
  }),
};

const NOT_RESUMABLE = no(NOT_STOPPED, 'resume-running', 'EFAULT');
const RESUME_ROWS = {
  NORMAL: row('NORMAL', NOT_RESUMABLE, {
    FRESH: no(NOT_STOPPED, 'resume-fresh', 'EFAULT'),
    STOPPED: to('RUNNABLE'),
    FOREIGN: foreign('EFAULT'),
    GONE: gone(),
  }),
  INSTANCE: row('INSTANCE', NOT_RESUMABLE, { STOPPED: to('RUNNABLE'), FOREIGN: foreign('EFAULT'), GONE: gone() }),
  SERVER: row('SERVER', no('A server is resumed with the enclave it works for.', 'resume-server', 'EFAULT'), {
    GONE: gone(),
  }),
  SHADOW: row('SHADOW', no(TEMPLATE, 'resume-shadow', 'EFAULT'), { GONE: gone() }),
};

const DESTROYED = to('GONE', 'destroy-running');
const ENDS: Partial<Record<State, Draft>> = {
  RUNNABLE: DESTROYED,
  RUNNING: DESTROYED,
  STOPPED: DESTROYED,
  OCALLING: DESTROYED,
  CALLING: to('GONE', 'destroy-in-server'),
  ATTESTING: no(ATTESTED, undefined, 'EPERM'),
  FOREIGN: foreign('EPERM'),
};
const DESTROY_ROWS = {
  NORMAL: row('NORMAL', to('GONE'), { ...ENDS, GONE: gone() }),
  INSTANCE: row('INSTANCE', to('GONE'), { ...ENDS, GONE: gone('destroy-instance-handle') }),
  SERVER: row('SERVER', no(WORKS, 'destroy-working-server', 'EPERM'), {
    RUNNABLE: to('GONE'),
    ATTESTING: no(ATTESTED, undefined, 'EPERM'),
    FOREIGN: foreign('EPERM'),
    GONE: gone(),
  }),
  SHADOW: row('SHADOW', to('GONE'), {
    FORKED: no('Instances still use its pages; destroy them first.', 'destroy-forked-shadow', 'EPERM'),
    ATTESTING: no(ATTESTED, undefined, 'EPERM'),
    FOREIGN: foreign('EPERM'),
    GONE: gone(),
  }),
};

const NAME_TAKEN = no('A server of this name is alive already.', 'server-name-taken', 'EFAULT');
/** Of a creation the state is that of the living enclave of the same name and type. */
const CREATE_ROWS = {
  NORMAL: row('NORMAL', stay(), { GONE: to('FRESH') }),
  SERVER: row('SERVER', NAME_TAKEN, { GONE: to('RUNNABLE') }),
  SHADOW: row('SHADOW', stay(), { GONE: to('FRESH') }),
};

// ---- what only the driver, or only an enclave does ----------------------------------------------------------------------------

const RESUMED_BY_TIMER: Partial<Record<State, Draft>> = {
  RUNNABLE: to('RUNNING'),
  // Its server goes on.
  CALLING: to('RUNNING'),
  STOPPED: no(STOPPED, undefined, undefined, 1),
  ATTESTING: no(ATTESTED),
  OCALLING: no(WAITS_FOR_HOST),
  RETURNED: no(HAS_RETURNED),
  FOREIGN: no(NOT_YOURS),
  // What the host learns about an enclave that was destroyed while it ran.
  GONE: stay(),
};
const ANSWERED: Partial<Record<State, Draft>> = {
  OCALLING: to('RUNNING'),
  RETURNED: to('RUNNING'),
  FOREIGN: no(NOT_YOURS),
  GONE: no(NO_SUCH),
};
const NO_OCALL = no('It waits for no ocall.');
const NOBODYS = 'A server goes on with the enclave it works for.';

/** An operation of the enclave on the hart, by kind: no other can do it. */
function running(normal: Draft, server: Draft): OperationRules['rows'] {
  const on = (draft: Draft) => ({ RUNNING: { ...draft, next: draft.next ?? 'RUNNING' } });
  return { NORMAL: on(normal), INSTANCE: on(normal), SERVER: on(server) };
}

/** Without templates, whose numbers are others than those of enclaves: about them the monitor can't be asked. */
const enclavesOf = ({ SHADOW: _templates, ...rows }: OperationRules['rows']): OperationRules['rows'] => rows;

const rules = <T extends string>(table: Record<T, OperationRules>): Readonly<Record<T, OperationRules>> => table;

export const OPERATIONS = rules({
  CREATE_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl CREATE_ENCLAVE',
    effect:
      'Reads the ELF file, makes and measures the enclave. The state is that of a living one of the same name and type.',
    rows: CREATE_ROWS,
  },
  RUN_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl RUN_ENCLAVE (rerun_reason 0)',
    effect: 'Runs it to its end, or until it gives its relay pages back; a template forks an instance and runs that.',
    rows: RUN_ROWS,
  },
  RERUN_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl RUN_ENCLAVE (rerun_reason 1)',
    effect: 'It gets its relay pages again and goes on.',
    rows: RERUN_ROWS,
  },
  ATTEST_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl ATTEST_ENCLAVE',
    effect: 'Writes a report about its measurement at creation.',
    rows: ATTEST_ROWS,
  },
  STOP_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl STOP_ENCLAVE',
    effect: 'Nothing of it runs until it is resumed, nor of the servers that work for it; its thread waits inside RUN.',
    rows: STOP_ROWS,
  },
  RESUME_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl RESUME_ENCLAVE',
    effect: 'Ends a stop; the host thread that is inside RUN goes on with it.',
    rows: RESUME_ROWS,
  },
  DESTROY_ENCLAVE: {
    layer: 'ioctl',
    call: 'ioctl DESTROY_ENCLAVE',
    effect:
      'Its memory is zeroed and public again, its relay pages go back to the host; servers that worked for it are idle; a RUN of it returns 0.',
    rows: DESTROY_ROWS,
  },
  create: {
    layer: 'sbi',
    call: 'SBI CREATE_ENCLAVE, CREATE_SERVER_ENCLAVE, CREATE_SHADOW_ENCLAVE',
    effect: 'Takes the pool the driver built, checks its page tables, measures it.',
    rows: behind(CREATE_ROWS),
  },
  run: {
    layer: 'sbi',
    call: 'SBI RUN_ENCLAVE, RUN_SHADOW_ENCLAVE',
    effect:
      'Takes over the relay pages and starts at the entry point. Returns why the enclave left: 0 exit, 1 interrupt, 2 ocall.',
    rows: behind(RUN_ROWS),
  },
  resumeTimer: {
    layer: 'sbi',
    call: 'SBI RESUME_ENCLAVE (reason 0)',
    effect:
      'It, or the server that works for it, goes on after an interrupt. A STOPPED one answers 1 and stays where it is.',
    rows: {
      NORMAL: row('NORMAL', no(ON_HART), { ...RESUMED_BY_TIMER, FRESH: no(NOT_YET_RUN) }),
      INSTANCE: row('INSTANCE', no(ON_HART), RESUMED_BY_TIMER),
      SERVER: row('SERVER', no(NOBODYS), { GONE: stay() }),
    },
  },
  resumeStop: {
    layer: 'sbi',
    call: 'SBI RESUME_ENCLAVE (reason 1)',
    effect: 'Ends a stop.',
    rows: enclavesOf(behind(RESUME_ROWS)),
  },
  resumeOcall: {
    layer: 'sbi',
    call: 'SBI RESUME_ENCLAVE (reason 2)',
    effect: 'Delivers the result of an ocall and goes on.',
    rows: {
      NORMAL: row('NORMAL', NO_OCALL, ANSWERED),
      INSTANCE: row('INSTANCE', NO_OCALL, ANSWERED),
      SERVER: row('SERVER', no(NOBODYS), { GONE: no(NO_SUCH) }),
    },
  },
  stop: {
    layer: 'sbi',
    call: 'SBI STOP_ENCLAVE',
    effect: 'It and the servers that work for it are STOPPED.',
    rows: enclavesOf(
      behind(STOP_ROWS, {
        NORMAL: { OCALLING: no(WAITS_FOR_HOST) },
        INSTANCE: { OCALLING: no(WAITS_FOR_HOST) },
      }),
    ),
  },
  destroy: {
    layer: 'sbi',
    call: 'SBI DESTROY_ENCLAVE, DESTROY_SERVER_ENCLAVE, DESTROY_SHADOW_ENCLAVE',
    effect: 'As the ioctl.',
    rows: behind(DESTROY_ROWS),
  },
  attest: {
    layer: 'sbi',
    call: 'SBI ATTEST_ENCLAVE, ATTEST_SHADOW_ENCLAVE',
    effect: 'As the ioctl; the report goes to host memory.',
    rows: behind(ATTEST_ROWS),
  },
  timer: {
    layer: 'trap',
    call: 'a machine interrupt',
    effect: 'The host goes on; RUN sees 1.',
    rows: running(to('RUNNABLE', undefined, 1), to('SERVING', undefined, 1)),
  },
  exit: {
    layer: 'ecall',
    call: 'EAPP_RETURN',
    effect: 'As destroy, and the value is given to the host.',
    rows: running(to('GONE'), no('A server returns with SERVER_RETURN.', 'exit-in-server')),
  },
  ocall: {
    layer: 'ecall',
    call: 'EAPP_OCALL',
    effect: 'The host does something for the enclave; RUN sees 2.',
    rows: running(to('OCALLING', undefined, 2), to('OCALLING', undefined, 2)),
  },
  returnRelay: {
    layer: 'ecall',
    call: 'eapp_return_relay_page',
    effect: 'The relay pages go to the host; RUN returns 1.',
    rows: running(to('RETURNED', undefined, 2), to('RETURNED', undefined, 2)),
  },
  yield: {
    layer: 'ecall',
    call: 'EAPP_YIELD',
    effect: 'As an interrupt.',
    rows: running(to('RUNNABLE', 'yield', 1), to('SERVING', 'yield', 1)),
  },
  acquire: {
    layer: 'ecall',
    call: 'acquire_enclave, get_report with a name; by the server named',
    effect: 'Its handle, or its report.',
    rows: { SERVER: row('SERVER', stay(), { GONE: no('No server of this name is alive.', 'acquire-unknown') }) },
  },
  callEnclave: {
    layer: 'ecall',
    call: 'call_enclave, by the caller',
    effect: 'It waits until the callee returns.',
    rows: running(to('CALLING'), to('CALLING')),
  },
  called: {
    layer: 'ecall',
    call: 'call_enclave, by the callee',
    effect: 'It starts at its entry point with fresh registers.',
    rows: {
      NORMAL: row('NORMAL', no('Only servers are called.', 'call-not-server'), {
        GONE: no(NO_SUCH, 'call-not-server'),
      }),
      INSTANCE: row('INSTANCE', no('Only servers are called.', 'call-not-server'), {
        GONE: no(NO_SUCH, 'call-not-server'),
      }),
      SERVER: row('SERVER', no('It works for another enclave.', 'server-busy', undefined, -2), {
        RUNNABLE: to('RUNNING'),
        // Servers are everybody's.
        FOREIGN: to('RUNNING'),
        GONE: no(NO_SUCH, 'call-not-server'),
      }),
    },
  },
  enclaveReturn: {
    layer: 'ecall',
    call: 'SERVER_RETURN',
    effect: 'It is idle again; the caller goes on.',
    rows: running(no('Only a server returns to a caller.', 'server-return-in-normal'), to('RUNNABLE')),
  },
});

export type Operation = keyof typeof OPERATIONS;

const UNKNOWN: Rule = { value: -1, next: 'GONE', why: NO_SUCH };

/** The rule for an operation on an enclave of a kind in a state. */
export function ruleFor(operation: Operation, kind: Kind, state: State): Rule {
  return OPERATIONS[operation].rows[kind]?.[state] ?? UNKNOWN;
}

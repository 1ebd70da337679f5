/**
 * Who may do what to which enclave now: derives kind and state of the table's rows (operations.ts) from the monitor's state, asks the
 * table, raises the hazard of the row, and answers a refusal. No other file of the monitor has preconditions on states.
 */
import type { CheckName } from './checks';
import type { Core } from './core';
import { hex, type HazardArguments } from './hazards';
import { isRefused, ruleFor, type Kind, type Operation, type Rule, type State } from './operations';
import { ErrorDetail, Ocall } from './abi';
import { innermost, type Enclave, type MonitorState, type Shadow } from './state';

export const kindOf = (enclave: Enclave | Shadow): Kind =>
  'type' in enclave ? (enclave.template === undefined ? enclave.type : 'INSTANCE') : 'SHADOW';

/** State of an enclave as the table has it; of one that the host runs, of it and all that works for it. */
export function stateOf(state: MonitorState, enclave: Enclave): State {
  if (enclave.state === 'STOPPED') return 'STOPPED';
  const last = innermost(state, enclave);
  if (enclave.type === 'SERVER') {
    if (enclave.state === 'RUNNABLE' && enclave.caller >= 0) return enclave.callee >= 0 ? 'CALLING' : 'SERVING';
    return waitingOf(enclave) ?? enclave.state;
  }
  return waitingOf(last) ?? (enclave.callee >= 0 ? 'CALLING' : enclave.state);
}

const waitingOf = ({ state, ocall }: Enclave): State | undefined =>
  state !== 'OCALLING' ? undefined : ocall === Ocall.RETURN_RELAY_PAGE ? 'RETURNED' : 'OCALLING';

/** Instances map the template's pages, so it stays while one is alive. */
export const shadowStateOf = (shadow: Shadow): State =>
  shadow.state === 'FRESH' && shadow.instances > 0 ? 'FORKED' : shadow.state;

/** The test hook that switches a refusal off. */
function checkOf(operation: Operation, kind: Kind, state: State): CheckName {
  if (state === 'FOREIGN') return 'ownerSpace';
  if (state === 'FORKED') return 'templateInUse';
  if (kind === 'SERVER' && (operation === 'resumeTimer' || operation === 'resumeOcall')) return 'resumeServer';
  return kind === 'SERVER' && operation === 'destroy' ? 'serverBusy' : 'stateTable';
}

/** Words for the operations in hazards. */
const CALL: Readonly<Partial<Record<Operation, string>>> = {
  run: 'RUN',
  resumeStop: 'RESUME',
  stop: 'STOP',
  destroy: 'DESTROY',
  attest: 'ATTEST',
};

/** What hazards say about an enclave. */
export function hazardArguments(m: Core, enclave: Enclave | Shadow, more: HazardArguments = {}): HazardArguments {
  const eid = m.options.describe(enclave.eidPointer)?.eid;
  return { eid: eid === undefined ? 'unknown' : hex(eid), name: enclave.name, ...more };
}

export interface Question {
  readonly operation: Operation;
  /** For the log. */
  readonly what: string;
  /** Somebody acts for the owner, or the operation is not the program's: no hazard. */
  readonly quiet?: boolean;
  readonly foreign?: boolean;
}

/** Asks the table about an enclave or a template, and answers the call if that says no. */
export function permitted<T extends Enclave | Shadow>(m: Core, subject: T | undefined, q: Question): subject is T {
  if (!subject) {
    const rule = ruleFor(q.operation, 'NORMAL', 'GONE');
    m.log(`${q.what}: enclave is not existed`);
    m.answer(rule.value);
    return false;
  }
  const kind = kindOf(subject);
  const state = q.foreign ? 'FOREIGN' : isEnclave(subject) ? stateOf(m.state, subject) : shadowStateOf(subject);
  const rule = ruleFor(q.operation, kind, state);
  if (rule.hazard && !q.quiet) raise(m, rule, q.operation, subject, state);
  if (!isRefused(rule) || !m.checks[checkOf(q.operation, kind, state)]) return true;
  if (rule.value < 0) m.log(`${q.what}: enclave ${eidOf(subject)} can not be accessed: ${rule.why}`);
  m.answer(rule.value, state === 'OCALLING' ? ErrorDetail.BUSY : 0);
  return false;
}

const isEnclave = (subject: Enclave | Shadow): subject is Enclave => 'type' in subject;
const eidOf = (subject: Enclave | Shadow): number => (isEnclave(subject) ? subject.eid : subject.id);

function raise(m: Core, rule: Rule, operation: Operation, subject: Enclave | Shadow, state: State): void {
  const server = isEnclave(subject) && subject.callee >= 0 ? innermost(m.state, subject).name : '';
  const more = { call: CALL[operation] ?? operation, state, ...(server === '' ? {} : { server: `"${server}"` }) };
  m.hazard(rule.hazard!, hazardArguments(m, subject, more), subject.instance);
}

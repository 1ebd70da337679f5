/**
 * Relay pages (mm_arg): host memory that an enclave takes over at RUN and gives back at its end or with RETURN_RELAY_PAGE. Owns the
 * checks and the map at 0x3800000000.
 */
import { EnclaveVa, RELAY_TRANSFERRED, Result } from './abi';
import type { Core } from './core';
import { Mapper } from './enclave-tables';
import { PageKind, claim, reuse } from './pages';
import type { Enclave, RelayRegion } from './state';
import { answer, hide, show, type Task } from './task';

export interface RelayPlan {
  readonly relays: readonly RelayRegion[];
  /** Makes the pages the enclave's. */
  readonly tasks: readonly Task[];
  /** Gives them back when a later step fails. */
  readonly undo: readonly Task[];
}

const NONE: RelayPlan = { relays: [], tasks: [], undo: [] };

/**
 * Takes the relay memory a RUN names: (address, size), nothing, or what was transferred to the name. Undefined: refused. A server that
 * gets pages back had them from its caller, whose name was checked: its own is no matter.
 */
export function takeRelays(
  m: Core,
  name: string,
  instance: number,
  address: number,
  size: number,
  type: Enclave['type'] = 'NORMAL',
): RelayPlan | undefined {
  if (size === 0) return address === RELAY_TRANSFERRED ? takeTransferred(m, name, instance) : NONE;
  const twins = m.state.names.get(name) ?? 0;
  // The enclave itself may be one of them already.
  if (!m.holds('relayName', type === 'SERVER' || twins <= (m.state.byInstance.has(instance) ? 1 : 0))) {
    m.hazard('relay-name-taken', { name });
    m.log(`run: an enclave named "${name}" is alive already; one with relay pages needs a name of its own`);
    return undefined;
  }
  if (!claim(m, address, size, PageKind.Relay, instance)) {
    m.hazard('relay-page-owned', { name });
    m.log('run: the relay pages are owned by another enclave, or are not host memory');
    return undefined;
  }
  return {
    relays: [{ pa: address, va: EnclaveVa.RELAY_BASE, size }],
    tasks: [hide(address, size)],
    undo: [{ do: 'disown', base: address, size }, show(address, size)],
  };
}

function takeTransferred(m: Core, name: string, instance: number): RelayPlan | undefined {
  const mine = m.state.transferred
    .filter((entry) => m.holds('transferName', entry.name === name))
    .slice(0, m.limits.relayRegions);
  if (mine.length === 0) {
    m.hazard('relay-none-transferred', { name });
    m.log(`run: no relay pages were transferred to "${name}"`);
    return undefined;
  }
  let at: number = EnclaveVa.RELAY_BASE;
  const relays = mine.map(({ pa, size }) => {
    reuse(m, pa, size, PageKind.Relay, instance);
    at += size;
    return { pa, size, va: at - size };
  });
  m.update({ transferred: m.state.transferred.filter((entry) => !mine.includes(entry)) });
  return { relays, tasks: [], undo: mine.flatMap(giveUp) };
}

/** Transferred pages that nobody gets: zeroed, because they were meant for somebody else, and the host's again. */
const giveUp = ({ pa: base, size }: { pa: number; size: number }): Task[] => [
  { do: 'zero', base, size, at: 0 },
  { do: 'disown', base, size },
  show(base, size),
];

/** RELAY_RELEASE: what waits in [base, base + size) to be taken goes back to the host. */
export function releaseTransferred(m: Core, base: number, size: number): void {
  const inside = (entry: { pa: number; size: number }) => entry.pa >= base && entry.pa + entry.size <= base + size;
  const mine = m.state.transferred.filter(inside);
  m.update({ transferred: m.state.transferred.filter((entry) => !inside(entry)) });
  m.queue(...mine.flatMap(giveUp), answer(Result.SUCCESS));
}

/** Maps the regions in the enclave that owns them now. */
export function mapRelays(m: Core, eid: number, relays: readonly RelayRegion[]): 'failed' | undefined {
  const enclave = m.enclave(eid)!;
  const mapper = Mapper.of(m, enclave);
  const done = relays.every((relay) => mapper.map(relay.va, relay.pa, relay.size));
  if (!done) for (const relay of relays) mapper.unmap(relay.va, relay.size);
  m.change(eid, { pool: mapper.pool, relays: done ? relays : [] });
  return done ? undefined : 'failed';
}

/** The undo list of a RUN that changed nothing but relay pages. */
export const relayUndo = (plan: RelayPlan): Task[] => [...plan.undo, answer(Result.ERROR)];

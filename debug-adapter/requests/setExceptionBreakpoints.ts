/** Which hazards stop the program. Faults always stop; there is no filter for them. */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { HazardFilter } from '../target/target';
import type { Handler } from './handler';

/** As clients show them; `default` holds for clients that never send this request, too. */
export const HAZARD_FILTERS: readonly (D.ExceptionBreakpointsFilter & { readonly filter: HazardFilter })[] = [
  {
    filter: 'hazards',
    label: 'Enclave Hazards',
    description: 'Stops where a program does what hangs, oopses or silently fails on a real Penglai device.',
    default: true,
  },
  {
    filter: 'notices',
    label: 'Refused Enclave Calls',
    description: 'Stops where an enclave call is refused, and at what correct programs meet too.',
    default: false,
  },
];

export const setExceptionBreakpointsRequest: Handler<'setExceptionBreakpoints'> = {
  command: 'setExceptionBreakpoints',
  capability: { exceptionBreakpointFilters: [...HAZARD_FILTERS] },
  needs: 'initialize',
  shape: { filters: 'strings' },
  run(session, { filters }) {
    session.setHazardFilters(HAZARD_FILTERS.map(({ filter }) => filter).filter((filter) => filters.includes(filter)));
  },
};

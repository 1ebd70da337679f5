/** Faults always stop; there are no filters to choose from. Clients send this request all the same. */
import type { Handler } from './handler';

export const setExceptionBreakpointsRequest: Handler<'setExceptionBreakpoints'> = {
  command: 'setExceptionBreakpoints',
  needs: 'initialize',
  shape: {},
  run() {},
};

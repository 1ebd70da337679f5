/** One page of what a scope or a variable contains. */
import type { Handler } from './handler';

export const variablesRequest: Handler<'variables'> = {
  command: 'variables',
  needs: 'stop',
  shape: { variablesReference: 'count', start: 'count?', count: 'count?', format: 'object?' },
  run(session, { variablesReference, start, count, format }) {
    const { inspection } = session.debuggee;
    return { variables: [...inspection.variables(variablesReference, start, count, format?.hex === true)] };
  },
};

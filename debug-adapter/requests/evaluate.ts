/** The value of a C expression in a frame, for hovers, watches and the console. Never changes anything. */
import type { Handler } from './handler';
import { runErrors } from '../errors';

export const evaluateRequest: Handler<'evaluate'> = {
  command: 'evaluate',
  capability: { supportsEvaluateForHovers: true },
  needs: 'stop',
  shape: { expression: 'string', frameId: 'count?', format: 'object?' },
  run(session, { expression, frameId, format }) {
    if (frameId === undefined) throw runErrors.noFrame();
    const { inspection } = session.debuggee;
    const { result, variable } = inspection.evaluate(expression, frameId, format?.hex === true);
    const { type, variablesReference, namedVariables, indexedVariables, presentationHint } = variable;
    return {
      result,
      variablesReference,
      ...(type === undefined ? {} : { type }),
      ...(namedVariables === undefined ? {} : { namedVariables }),
      ...(indexedVariables === undefined ? {} : { indexedVariables }),
      ...(presentationHint === undefined ? {} : { presentationHint }),
    };
  },
};

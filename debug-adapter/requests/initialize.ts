/** The first request: who the client is, and what this adapter can do, folded from the handlers of all requests. */
import type { Handler } from './handler';

export const initializeRequest: Handler<'initialize'> = {
  command: 'initialize',
  needs: 'nothing',
  shape: { linesStartAt1: 'boolean?', columnsStartAt1: 'boolean?', pathFormat: 'string?' },
  run(session, client) {
    session.initialize(client);
    return {
      ...session.server.capabilities(),
      // Said here and not beside a request: they describe answers and not requests.
      supportsDelayedStackTraceLoading: true,
      supportsValueFormattingOptions: true,
      supportTerminateDebuggee: true,
    };
  },
};

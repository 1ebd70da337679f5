/** One page of a thread's stitched stack, from the innermost world out to the host. */
import type { Handler } from './handler';
import { orderErrors } from '../errors';
import { isLibrary } from '../inspect/hazard-log';

export const stackTraceRequest: Handler<'stackTrace'> = {
  command: 'stackTrace',
  needs: 'stop',
  shape: { threadId: 'count', startFrame: 'count?', levels: 'count?' },
  run(session, { threadId, startFrame, levels }) {
    const { system, target, inspection } = session.debuggee;
    if (!system.threads().some(({ tid }) => tid === threadId)) throw orderErrors.unknownThread(threadId);
    // A hazard is the program's, though the thread stands in the library it called.
    const hazard = target.stop?.tid === threadId && target.stop.fault?.hazard !== undefined;
    return inspection.stackTrace(target.stack(threadId), startFrame, levels, hazard ? isLibrary : undefined);
  },
};

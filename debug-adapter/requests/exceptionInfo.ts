/** What the fault or hazard was that the program is paused on. */
import type { Handler } from './handler';
import { runErrors } from '../errors';

export const exceptionInfoRequest: Handler<'exceptionInfo'> = {
  command: 'exceptionInfo',
  capability: { supportsExceptionInfoRequest: true },
  needs: 'stop',
  shape: { threadId: 'count' },
  run(session, { threadId }) {
    const { stop } = session.debuggee.target;
    if (!stop?.fault || stop.tid !== threadId) throw runErrors.noFault(threadId);
    const { name, description, address, cause, hazard } = stop.fault;
    if (hazard) {
      const { did, device, remedy } = hazard.explanation;
      const message = `${did}\n${device}\nInstead: ${remedy}`;
      return {
        exceptionId: hazard.code,
        description: message,
        breakMode: cause === 0 ? 'always' : 'unhandled',
        details: { message, typeName: hazard.code },
      };
    }
    const at = `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
    return {
      exceptionId: name,
      description,
      breakMode: 'unhandled',
      details: { message: description, typeName: name, stackTrace: `cause ${cause}, address ${at}` },
    };
  },
};

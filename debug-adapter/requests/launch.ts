/** Prepares the program and asks for the configuration; answered when the machine is about to start. */
import type { Handler } from './handler';
import { isOrderError } from '../errors';

export const launchRequest: Handler<'launch'> = {
  command: 'launch',
  needs: 'initialize',
  shape: {},
  async run(session, args, call) {
    try {
      await session.launch(args);
    } catch (error) {
      // What cannot be launched ends the session; a launch at the wrong time does not.
      if (!isOrderError(error)) call.after(() => session.end());
      throw error;
    }
  },
};

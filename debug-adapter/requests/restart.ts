/** The program again from its beginning, with the files as they are now. */
import { isOrderError } from '../errors';
import type { Handler } from './handler';

export const restartRequest: Handler<'restart'> = {
  command: 'restart',
  capability: { supportsRestartRequest: true },
  needs: 'launch',
  shape: { arguments: 'object?' },
  async run(session, { arguments: given }, call) {
    try {
      await session.restart(given as Record<string, unknown> | undefined);
    } catch (error) {
      if (!isOrderError(error)) call.after(() => session.end());
      throw error;
    }
  },
};

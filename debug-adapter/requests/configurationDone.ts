/** The client has sent its breakpoints: the machine starts once launch is answered. */
import type { Handler } from './handler';

export const configurationDoneRequest: Handler<'configurationDone'> = {
  command: 'configurationDone',
  capability: { supportsConfigurationDoneRequest: true },
  needs: 'launch',
  shape: {},
  run(session) {
    session.configurationDone();
  },
};

/** One module for each image in each world that maps it. */
import type { Handler } from './handler';
import { moduleOf } from '../session/present';

export const modulesRequest: Handler<'modules'> = {
  command: 'modules',
  capability: { supportsModulesRequest: true },
  needs: 'launch',
  shape: { startModule: 'count?', moduleCount: 'count?' },
  run(session, { startModule = 0, moduleCount = 0 }) {
    const all = session.debuggee.target.worlds.all().map(moduleOf);
    const page = all.slice(startModule, moduleCount > 0 ? startModule + moduleCount : undefined);
    return { modules: page, totalModules: all.length };
  },
};

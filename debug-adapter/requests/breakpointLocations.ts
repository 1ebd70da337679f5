/** Where in a range of lines a breakpoint can be set. */
import type { Handler } from './handler';
import { runErrors } from '../errors';
import { toLine } from '../session/present';

export const breakpointLocationsRequest: Handler<'breakpointLocations'> = {
  command: 'breakpointLocations',
  capability: { supportsBreakpointLocationsRequest: true },
  needs: 'launch',
  shape: { source: 'source', line: 'count', endLine: 'count?' },
  async run(session, { source, line, endLine }) {
    if (source.path === undefined) throw runErrors.noSource();
    const { sources, images, target } = session.debuggee;
    await sources.look(source.path, images);
    const from = toLine(line, session.lineBase);
    const to = endLine === undefined ? from : toLine(endLine, session.lineBase);
    const found = target.breakpoints.linesOf(source.path, from, to);
    return { breakpoints: found.map((at) => ({ line: at - 1 + session.lineBase })) };
  },
};

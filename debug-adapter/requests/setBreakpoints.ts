/** Replaces the breakpoints of one source file, at any time, also while the program runs. */
import type { Handler } from './handler';
import { runErrors } from '../errors';
import { breakpointBody, toLine } from '../session/present';

export const setBreakpointsRequest: Handler<'setBreakpoints'> = {
  command: 'setBreakpoints',
  needs: 'launch',
  shape: { source: 'source', breakpoints: 'places?', lines: 'lines?' },
  async run(session, { source, breakpoints, lines }) {
    if (source.path === undefined) throw runErrors.noSource();
    const asked = (breakpoints ?? lines?.map((line) => ({ line })) ?? []).map(({ line }) =>
      toLine(line, session.lineBase),
    );
    const resolved = await session.setBreakpoints(source.path, asked);
    // The client's own source goes back as it came: an editor compares paths byte by byte.
    return { breakpoints: resolved.map((breakpoint) => breakpointBody(breakpoint, source, session.lineBase)) };
  },
};

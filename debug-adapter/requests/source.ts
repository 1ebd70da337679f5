/** The adapter gives paths and no text; a client that asks all the same is told so. */
import type { Handler } from './handler';
import { runErrors } from '../errors';

export const sourceRequest: Handler<'source'> = {
  command: 'source',
  needs: 'launch',
  shape: {},
  run() {
    throw runErrors.noSource();
  },
};

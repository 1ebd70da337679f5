/** What every request file of this folder exports: one handler on the adapter's session. */
import type { RequestHandler } from '../dap/server';
import type { Command } from '../dap/types';
import type { Session } from '../session/session';

export type Handler<C extends Command> = RequestHandler<Session, C>;

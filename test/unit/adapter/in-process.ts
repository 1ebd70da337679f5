/** A whole session in one process: messages in, messages out, with files that exist only in the test and one small program. */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import { DapServer } from '../../../debug-adapter/dap/server';
import { requests } from '../../../debug-adapter/requests/index';
import type { Environment } from '../../../debug-adapter/session/environment';
import { hashBytes } from '../../../debug-adapter/session/hash';
import { Session } from '../../../debug-adapter/session/session';
import type { System } from '../../../monitor/system/types';
import { Bench, fixture } from './bench';

export const ELF = fixture('tour-gcc-v5-O0.elf');
export const SOURCE = '/tour/tour.c';
/** `observe(total)` in sum_list, and the line of its call. */
export const IN_LIST = 95;

export interface Disk {
  [path: string]: { bytes?: Uint8Array; modified?: number };
}

export function start(disk: Disk = { '/p/tour': { bytes: ELF, modified: 5 } }) {
  let exited: number | undefined;
  const logged: string[] = [];
  const path = (uri: string) => decodeURIComponent(uri.replace('file://', ''));
  const environment: Environment = {
    files: {
      stat: async (uri) => {
        const file = disk[path(uri)];
        return (
          file && { kind: file.bytes ? 'file' : 'folder', size: file.bytes?.length ?? 0, modified: file.modified ?? 0 }
        );
      },
      read: async (uri) => disk[path(uri)]!.bytes!,
      list: async (uri) => {
        const folder = `${path(uri)}/`;
        return Object.keys(disk)
          .filter((one) => one.startsWith(folder))
          .map((one) => one.slice(folder.length))
          .sort();
      },
    },
    wall: {
      now: () => performance.now(),
      soon: (then) => void setImmediate(then),
      later: (milliseconds, then) => {
        const timer = setTimeout(then, milliseconds);
        return () => clearTimeout(timer);
      },
    },
    openLog: (at = '/log') => ({ path: at, line: (text) => void logged.push(text) }),
    exit: (code) => void (exited ??= code),
  };
  const create = () => new Bench(ELF, hashBytes(ELF)) as unknown as System;
  const server = new DapServer<Session>((made) => new Session(made, environment, create), requests);
  const all: (D.Event | D.Response)[] = [];
  let wake = () => {};
  server.onDidSendMessage((message) => {
    all.push(JSON.parse(JSON.stringify(message)) as D.Event | D.Response);
    wake();
  });
  let seq = 0;
  const find = async <T extends D.Event | D.Response>(
    what: (message: D.Event | D.Response) => boolean,
    from = 0,
  ): Promise<T> => {
    for (;;) {
      const found = all.slice(from).find(what);
      if (found) return found as T;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const ask = async (command: string, args?: unknown) => {
    const request = { seq: ++seq, type: 'request', command, arguments: args };
    server.handleMessage(request as D.ProtocolMessage);
    return find<D.Response>((one) => one.type === 'response' && (one as D.Response).request_seq === request.seq);
  };
  const event = (name: string, from = 0) =>
    find<D.Event>((one) => one.type === 'event' && (one as D.Event).event === name, from);
  const text = (response: D.Response) => (response as D.ErrorResponse).body.error!.variables!['text']!;
  return { ask, event, all, text, logged, exited: () => exited, server, nextSeq: () => ++seq };
}

export const CLIENT = { adapterID: 'penglai', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' };

/** Up to the first stop at a breakpoint in sum_list. */
export async function stopInList() {
  const session = start();
  await session.ask('initialize', CLIENT);
  const launched = session.ask('launch', { program: '/p/tour', pace: 'fast' });
  await session.event('initialized');
  const set = await session.ask('setBreakpoints', { source: { path: SOURCE }, breakpoints: [{ line: IN_LIST }] });
  await session.ask('configurationDone');
  const stopped = await session.event('stopped');
  return { ...session, launched, set, stopped };
}

/**
 * Turns what the machine tells into what a client understands: output, threads, modules, transitions, the tree. Standard events
 * where there is one. Bounded: a guest can make a client neither wait nor drown.
 */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { Stamped } from '../../emulator/machine/outbox';
import { isNotice } from '../../monitor/hazards';
import type { System, SystemEvent } from '../../monitor/system/types';
import type { EnclaveTransitionBody, WorldName } from '../dap/custom';
import { runWarnings } from '../errors';
import { hazardLines, type HazardEntry } from '../inspect/hazard-log';
import { printable } from '../inspect/printable';
import type { Mapping } from '../target/worlds';
import { Output, type Source } from './output';
import { hexEid, Tree } from './tree';

export type SendEvent = (name: string, body?: unknown) => void;

/** The tree's changes are sent at most this often, in milliseconds. */
const CHANGES_EVERY = 100;
/** Transitions told at once, and per second. */
const TRANSITIONS_BURST = 200;
const TRANSITIONS_PER_SECOND = 100;
/** Crossings that happen all the time and say nothing: they are in the trace only. */
const NOISE = new Set(['timer', 'ocall', 'resume']);

export class Announcer {
  readonly tree: Tree;
  private readonly output: Output;
  private readonly names = new Map<number, WorldName>();
  private readonly left: string[] = [];
  private lastChanges = -Infinity;
  private transitions = TRANSITIONS_BURST;
  private refilled: number;
  private omitted = 0;

  constructor(
    system: Pick<System, 'processes' | 'enclaves'>,
    private readonly send: SendEvent,
    private readonly now: () => number,
    private readonly describe: (mapping: Mapping) => D.Module,
  ) {
    this.tree = new Tree(system);
    this.refilled = now();
    this.output = new Output((category, output) => send('output', { category, output }), now);
  }

  /** One event of the machine. */
  event(event: Stamped<SystemEvent>): void {
    switch (event.kind) {
      case 'output':
        return this.output.bytes({ key: `${event.stream} ${event.pid}`, category: event.stream }, event.bytes);
      case 'console':
        return this.output.text(this.consoleSource(event.source), ended(event.text));
      case 'monitor-log':
        return this.monitorLog(event.text);
      case 'process-started':
        // Children are told by their threads.
        if (event.parent !== 0) return;
        return this.send('process', {
          name: printable(event.name),
          isLocalProcess: false,
          startMethod: 'launch',
          pointerSize: 64,
        });
      case 'thread-started':
        return this.send('thread', { reason: 'started', threadId: event.tid });
      case 'thread-exited':
        return this.send('thread', { reason: 'exited', threadId: event.tid });
      case 'missing-system-call':
        return this.warn(runWarnings.missingSystemCall(event.name, event.number));
      case 'enclave-created':
        this.names.set(event.instance, {
          instance: event.instance,
          name: printable(event.name),
          eid: hexEid(event.eid),
        });
        return;
      case 'enclave-gone':
        if (event.why === 'owner-exited') this.left.push(this.nameOf(event.instance));
        return;
      case 'transition':
        return this.transition(event);
    }
  }

  private monitorLog(text: string): void {
    this.output.text({ key: 'monitor', category: 'console', prefix: '[monitor] ' }, ended(text));
  }

  mapped(mapping: Mapping): void {
    this.send('module', { reason: 'new', module: this.describe(mapping) });
  }

  unmapped(mapping: Mapping): void {
    this.send('module', { reason: 'removed', module: this.describe(mapping) });
  }

  /** A sentence for the debug console. */
  say(text: string): void {
    this.output.text({ key: 'adapter', category: 'console' }, ended(text));
  }

  warn(error: { readonly text: string }): void {
    this.output.text({ key: 'warning', category: 'important' }, ended(error.text));
  }

  /**
   * What a device would not have liked, once for each place; of enclaves left behind `enclavesLeft` tells. A person is interrupted
   * neither where the program stops for it, which shows it in the source, nor for what correct programs meet too.
   */
  hazard(entry: HazardEntry, stops: boolean): void {
    if (entry.code === 'owner-exited') return;
    if (stops || isNotice(entry.code)) this.say(hazardLines(entry));
    else this.warn({ text: hazardLines(entry) });
  }

  /** Sends what is due. `everything`: before a stop or the end, nothing is held back. */
  flush(everything = false): void {
    if (everything && this.left.length > 0) {
      this.warn(runWarnings.enclavesLeft(this.left.splice(0)));
    }
    this.output.flush(everything);
    if (!everything && this.now() - this.lastChanges < CHANGES_EVERY) return;
    this.lastChanges = this.now();
    const changes = this.tree.changes();
    if (changes) this.send('enclave/changed', changes);
  }

  private transition(event: Extract<Stamped<SystemEvent>, { kind: 'transition' }>): void {
    if (NOISE.has(event.name)) return;
    const now = this.now();
    const more = ((now - this.refilled) * TRANSITIONS_PER_SECOND) / 1000;
    this.transitions = Math.min(TRANSITIONS_BURST, this.transitions + more);
    this.refilled = now;
    if (this.transitions < 1) {
      this.omitted++;
      return;
    }
    this.transitions--;
    const body: EnclaveTransitionBody = {
      name: event.name,
      ...(event.from === undefined ? {} : { from: this.world(event.from) }),
      ...(event.to === undefined ? {} : { to: this.world(event.to) }),
      tid: event.tid,
      tick: event.tick,
      ...(this.omitted > 0 ? { omitted: this.omitted } : {}),
    };
    this.omitted = 0;
    this.send('enclave/transition', body);
  }

  private world(instance: number): WorldName {
    return this.names.get(instance) ?? { instance, name: '', eid: '' };
  }

  /** `server #3`, as everywhere; an enclave need not have a name. */
  nameOf(instance: number): string {
    return `${this.names.get(instance)?.name || 'enclave'} #${instance}`;
  }

  /** Text a driver prints on behalf of an enclave carries the enclave's number as plain data. */
  private consoleSource(source: unknown): Source {
    const instance = (source as { instance?: unknown } | undefined | null)?.instance;
    if (typeof instance !== 'number') return { key: 'kernel', category: 'console', prefix: '[kernel] ' };
    return { key: `enclave ${instance}`, category: 'console', prefix: `[${this.nameOf(instance)}] ` };
  }
}

const ended = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** Plain translations from the adapter's own things into protocol objects. */
import type { DebugProtocol as D } from '@vscode/debugprotocol';
import type { Breakpoint } from '../target/breakpoints';
import type { Fault, Stop } from '../target/target';
import type { Mapping } from '../target/worlds';
import { moduleIdOf } from './inspection';

const DESCRIPTIONS: Readonly<Record<Stop['reason'], string>> = {
  breakpoint: 'Paused on breakpoint',
  step: 'Paused on step',
  entry: 'Paused on entry to main',
  pause: 'Paused',
  exception: 'Paused on fault',
};

const pausedOn = ({ name, cause, hazard }: Fault): string =>
  hazard && cause === 0 ? `Paused on hazard ${name}` : `Paused on ${name}`;

export function stoppedBody(stop: Stop): D.StoppedEvent['body'] {
  return {
    reason: stop.reason,
    description: stop.fault ? pausedOn(stop.fault) : DESCRIPTIONS[stop.reason],
    ...(stop.tid === undefined ? {} : { threadId: stop.tid }),
    ...(stop.fault ? { text: stop.fault.description } : {}),
    allThreadsStopped: true,
    ...(stop.breakpoints ? { hitBreakpointIds: stop.breakpoints.map(({ id }) => id) } : {}),
  };
}

/** `lineBase`: 1 when the client counts lines from 1. */
export function breakpointBody(breakpoint: Breakpoint, source: D.Source, lineBase: 0 | 1): D.Breakpoint {
  return {
    id: breakpoint.id,
    verified: breakpoint.verified,
    line: breakpoint.line - 1 + lineBase,
    source,
    ...(breakpoint.message === undefined ? {} : { message: breakpoint.message }),
    ...(breakpoint.verified ? {} : { reason: 'failed' as const }),
  };
}

export function moduleOf(mapping: Mapping): D.Module {
  const { image, label, base } = mapping;
  const problem = image.program.debugInfoProblem;
  return {
    id: moduleIdOf(mapping),
    name: label,
    path: image.origin?.path ?? image.name,
    isUserCode: true,
    symbolStatus: image.program.hasDebugInfo ? 'Symbols loaded.' : (problem ?? 'No debug information.'),
    version: image.hash.slice(0, 12),
    addressRange: rangeOf(mapping, base),
  };
}

function rangeOf({ image }: Mapping, base: number): string {
  const loaded = image.program.elf.segments.filter(({ type, memsz }) => type === 1 && memsz > 0);
  if (loaded.length === 0) return '';
  const low = Math.min(...loaded.map(({ vaddr }) => vaddr));
  const high = Math.max(...loaded.map(({ vaddr, memsz }) => vaddr + memsz));
  return `0x${(low + base).toString(16)}-0x${(high + base).toString(16)}`;
}

/** A client's line as counted from 1. */
export function toLine(line: number, lineBase: 0 | 1): number {
  return line + 1 - lineBase;
}

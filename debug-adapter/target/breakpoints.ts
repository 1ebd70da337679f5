/**
 * Logical breakpoints: one per source line the user marked. Each resolves to places in all images built from that file, whether or
 * not anything is running yet, and is armed in every address space that maps one of them, from the moment it does until it is
 * gone. Sections: DWARF 5, 6.2; the matching of paths is in paths.ts. Never writes to guest memory.
 */
import type { Space, VirtualAddress } from '../../emulator/units';
import { breakpointReasons } from '../errors';
import type { Image } from './image';
import { baseName } from '../session/files';
import { matchSource, type Candidate, type Match, type SourceMap } from './paths';
import type { Stops } from './stops';
import { toRuntime, type Mapping, type Worlds } from './worlds';

/** An address of an image where a line begins. */
interface Place {
  readonly image: Image;
  readonly address: number;
}

export interface Breakpoint {
  readonly id: number;
  /** The path as the client wrote it. */
  readonly source: string;
  /** The line the client asked for, from 1. */
  readonly requested: number;
  readonly verified: boolean;
  /** Where it is: the next line with code, when the one asked for has none. */
  readonly line: number;
  /** Why it is not verified, or what the user should know. */
  readonly message?: string;
  readonly places: readonly Place[];
}

/** Why the machine stopped at an address. */
export type StopReason = Breakpoint | symbol;

/** Breakpoints of one file; more are refused with a reason. */
const PER_SOURCE_MAX = 10_000;

export class Breakpoints {
  private readonly bySource = new Map<string, Breakpoint[]>();
  private nextId = 1;

  constructor(
    private readonly images: () => readonly Image[],
    /** Files of an image's line table and where they are on this machine. */
    private readonly filesOf: (image: Image) => readonly Candidate<Image>[],
    /** When a client's file was changed; undefined when not known. */
    private readonly modifiedOf: (source: string) => number | undefined,
    private readonly map: SourceMap,
    /** The path a program was built from that is the same file as a client's, when that is a link to it; else the client's. */
    private readonly placeOf: (source: string) => string,
    private readonly worlds: Worlds,
    private readonly stops: Stops<StopReason>,
  ) {}

  /** Replaces the breakpoints of one source file. A line that was there before keeps its number. */
  set(source: string, lines: readonly number[]): readonly Breakpoint[] {
    const before = this.bySource.get(source) ?? [];
    const ids = new Map<number, number[]>();
    for (const { requested, id } of before) ids.set(requested, [...(ids.get(requested) ?? []), id]);
    const match = this.match(source);
    const after = lines.map((line, i) => {
      const id = ids.get(line)?.shift() ?? this.nextId++;
      if (i < PER_SOURCE_MAX) return this.resolve(id, source, line, match);
      return refused(id, source, line, breakpointReasons.tooMany(PER_SOURCE_MAX).text);
    });
    for (const breakpoint of before) this.disarm(breakpoint);
    if (after.length > 0) this.bySource.set(source, after.slice(0, PER_SOURCE_MAX));
    else this.bySource.delete(source);
    for (const breakpoint of after) this.arm(breakpoint, this.worlds.all());
    return after;
  }

  /** Takes over the breakpoints of an earlier run under the same numbers; returns them as they resolve now. */
  adopt(earlier: readonly Breakpoint[]): readonly Breakpoint[] {
    for (const { id, source, requested } of earlier) {
      const there = this.bySource.get(source);
      const breakpoint = this.resolve(id, source, requested, this.match(source));
      if (there) there.push(breakpoint);
      else this.bySource.set(source, [breakpoint]);
      this.nextId = Math.max(this.nextId, id + 1);
    }
    return this.all();
  }

  /** A space maps an image now: arms what belongs there. */
  bind(mapping: Mapping): void {
    for (const breakpoint of this.all()) this.arm(breakpoint, [mapping]);
  }

  /** There is an image that was not there before: returns the breakpoints that resolve differently with it. */
  reconsider(): readonly Breakpoint[] {
    const changed: Breakpoint[] = [];
    for (const [source, breakpoints] of this.bySource) {
      const match = this.match(source);
      const again = breakpoints.map((old) => this.resolve(old.id, source, old.requested, match));
      again.forEach((now, i) => {
        const old = breakpoints[i]!;
        if (now.verified === old.verified && now.line === old.line && now.places.length === old.places.length) return;
        this.disarm(old);
        this.arm(now, this.worlds.all());
        breakpoints[i] = now;
        changed.push(now);
      });
    }
    return changed;
  }

  at(space: Space, address: VirtualAddress): readonly Breakpoint[] {
    return [...this.stops.at(space, address)]
      .filter((reason) => typeof reason !== 'symbol')
      .sort((a, b) => a.id - b.id);
  }

  all(): readonly Breakpoint[] {
    return [...this.bySource.values()].flat();
  }

  /** Sources that have breakpoints, as the client wrote them. */
  sources(): readonly string[] {
    return [...this.bySource.keys()];
  }

  /** Lines of a file where a breakpoint can be. */
  linesOf(source: string, from: number, to: number): readonly number[] {
    const match = this.match(source);
    if (match.kind !== 'found') return [];
    const lines = match.candidates.flatMap(({ owner, file }) => owner.program.lines?.lines(file) ?? []);
    return [...new Set(lines)].filter((line) => line >= from && line <= to).sort((a, b) => a - b);
  }

  private match(source: string): Match<Image> {
    return matchSource(
      this.placeOf(source),
      this.images().flatMap((image) => this.filesOf(image)),
      this.map,
    );
  }

  private resolve(id: number, source: string, requested: number, match: Match<Image>): Breakpoint {
    const not = (reason: string): Breakpoint => refused(id, source, requested, reason);
    if (match.kind === 'ambiguous') return not(breakpointReasons.ambiguous(match.paths).text);
    if (match.kind === 'none') return not(this.whyNone(source));
    const stale = this.newerThan(source, match.candidates);
    if (stale !== undefined) return not(stale);
    const line = nearestLine(match.candidates, requested);
    if (line === undefined) return not(breakpointReasons.noCode(requested).text);
    const places = match.candidates.flatMap(({ owner, file }) => placesOf(owner, file, line));
    return { id, source, requested, verified: true, line, places };
  }

  private whyNone(source: string): string {
    const images = this.images();
    const without = images.filter((image) => !image.program.hasDebugInfo);
    if (without.length > 0)
      return breakpointReasons.noDebugInfo(without.map((image) => baseNameOf(image)).join(', ')).text;
    const twin = images.flatMap((image) => this.filesOf(image)).find(({ path }) => baseName(path) === baseName(source));
    return breakpointReasons.noSuchFile(images.length, twin?.path).text;
  }

  /** A file changed after every program that was built from it: its line numbers may mean something else by now. */
  private newerThan(source: string, candidates: readonly Candidate<Image>[]): string | undefined {
    const modified = this.modifiedOf(source);
    if (modified === undefined) return undefined;
    const older = candidates.filter(({ owner }) => owner.origin && owner.origin.modified < modified);
    if (older.length < candidates.length || older.length === 0) return undefined;
    return breakpointReasons.newerSource([...new Set(older.map(({ owner }) => baseNameOf(owner)))].join(', ')).text;
  }

  private arm(breakpoint: Breakpoint, mappings: readonly Mapping[]): void {
    for (const mapping of mappings)
      for (const place of breakpoint.places)
        if (place.image === mapping.image) this.stops.add(mapping.space, toRuntime(mapping, place.address), breakpoint);
  }

  private disarm(breakpoint: Breakpoint): void {
    this.stops.removeAll(breakpoint);
  }
}

function refused(id: number, source: string, requested: number, message: string): Breakpoint {
  return { id, source, requested, verified: false, line: requested, message, places: [] };
}

const baseNameOf = (image: Image) => image.name.split('/').at(-1)!;

/** The line itself if any candidate has code on it, else the first one below it that has. */
function nearestLine(candidates: readonly Candidate<Image>[], wanted: number): number | undefined {
  const lines = candidates
    .map(({ owner, file }) => owner.program.lines?.nextLineWithCode(file, wanted))
    .filter((line) => line !== undefined);
  return lines.length === 0 ? undefined : Math.min(...lines);
}

/**
 * One address for each function that has code of the line: the lowest, or behind the prologue where the line is the one the
 * function begins on, so that arguments can be read.
 */
function placesOf(image: Image, file: number, line: number): readonly Place[] {
  const { lines, info } = image.program;
  if (!lines) return [];
  const chosen = new Map<unknown, number>();
  for (const address of lines.addressesOf(file, line)) {
    const scopes = info?.scopesAt(address);
    const inlined = scopes?.inlined.at(-1);
    const owner = inlined ?? scopes?.function;
    // Inlined copies are told apart by where they begin; code without a function stands for itself.
    const key = owner ? `${owner.name} ${owner.ranges[0]?.low}` : address;
    if (chosen.has(key)) continue;
    const range = scopes && !inlined ? scopes.function.ranges.find(({ low }) => low === address) : undefined;
    chosen.set(key, range && range.low === scopes!.function.low ? lines.afterPrologue(range.low, range.high) : address);
  }
  return [...chosen.values()].map((address) => ({ image, address }));
}

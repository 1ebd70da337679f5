/**
 * Hazards as a person is told of them: where in the source each was done, once per place, with a count. Used by the debug console and
 * by `penglai run`. Asks for a stack only for what it has not seen; bounded, because a guest can raise them in a loop.
 */
import { explainHazard, isFatal, type Explanation, type HazardCode, type HazardEvent } from '../../monitor/hazards';
import type { CodeFrame } from './stack/entry';

export interface HazardEntry extends Explanation {
  readonly code: HazardCode;
  /** `stop_twice, host.c:42`, an address without debug information, or empty when no program was at it. */
  readonly place: string;
  readonly fatal: boolean;
  /** Tick of the first time. */
  readonly tick: number;
  count: number;
}

/** Different places that are told apart; what comes after that is counted with the first of its code. */
const MAX_SITES = 10_000;
/** Frames looked at for the caller of a library function. */
const MAX_FRAMES = 20;

/** The SDK's own functions, and the C library's that lead there: the place is their caller. */
const LIBRARY =
  /^(PLenclave_|EAPP_|eapp_|elf_)|^(ioctl|__ioctl|call_enclave|acquire_enclave|asyn_enclave_call|split_mem_region|get_report|get_key|SERVER_RETURN|sbrk|printf|puts)$/;

export class HazardLog {
  private readonly raw = new Map<string, HazardEntry>();
  private readonly byPlace = new Map<string, HazardEntry>();

  /** Has it come from exactly here before? Then no stack is needed. */
  knows(event: HazardEvent): boolean {
    return this.raw.has(keyOf(event)) || this.raw.size >= MAX_SITES;
  }

  /** Counts an event; the entry, and whether it is the first of its place. `frames`: of the thread, innermost first. */
  add(
    event: HazardEvent & { readonly tick: number },
    frames: Iterable<CodeFrame>,
  ): { entry: HazardEntry; first: boolean } {
    const key = keyOf(event);
    const place = this.raw.get(key)?.place ?? (event.site ? placeOf(event, frames) : '');
    const known = this.raw.get(key) ?? this.byPlace.get(`${event.code} ${place}`) ?? this.full(event.code);
    if (known) {
      known.count++;
      if (this.raw.size < MAX_SITES) this.raw.set(key, known);
      return { entry: known, first: false };
    }
    const { code, tick } = event;
    const entry = { ...explainHazard(event), code, place, tick, fatal: isFatal(code), count: 1 };
    this.raw.set(key, entry);
    this.byPlace.set(`${code} ${place}`, entry);
    return { entry, first: true };
  }

  private full(code: HazardCode): HazardEntry | undefined {
    if (this.byPlace.size < MAX_SITES) return undefined;
    return [...this.byPlace.values()].find((entry) => entry.code === code);
  }

  /** In the order they came up. */
  entries(): readonly HazardEntry[] {
    return [...this.byPlace.values()];
  }
}

/** Sources of the SDK's libraries, this one's and the published one's. */
const LIBRARY_SOURCE = /\/sdk\/(eapp|host)\/src\/|\/lib\/(app|host)\//;
/** Is it a function of the SDK or one below it, not the program's own? */
export const isLibrary = ({ name, place }: CodeFrame): boolean =>
  LIBRARY.test(name) || LIBRARY_SOURCE.test(place?.path ?? '');

function keyOf({ code, site, instance, args }: HazardEvent): string {
  return site ? [code, site.space, site.pc, site.ra, site.sp].join(' ') : `${code} ${instance} ${args['name'] ?? ''}`;
}

function placeOf(event: HazardEvent, frames: Iterable<CodeFrame>): string {
  let best: CodeFrame | undefined;
  let count = 0;
  for (const frame of frames) {
    if (count++ === MAX_FRAMES) break;
    if (frame.place) best ??= frame;
    if (!frame.place || isLibrary(frame)) continue;
    best = frame;
    break;
  }
  if (!best?.place) return `0x${BigInt.asUintN(64, BigInt(event.site!.pc)).toString(16)}`;
  const { path, line } = best.place;
  return `${best.name}, ${path.split('/').at(-1)}:${line}`;
}

/** One entry as lines for a console. */
export function hazardLines({ code, did, device, remedy, place }: HazardEntry): string {
  const at = place === '' ? '' : ` at ${place}`;
  return `hazard ${code}${at}: ${did}\n  ${device}\n  Instead: ${remedy}`;
}

/** The calls that host threads are in: ioctl, run, call_enclave, and an enclave that has left for a while. Owns the depth of a record. */

type What = 'ioctl' | 'inside' | 'call' | 'out';
interface Frame {
  readonly what: What;
  readonly name: string;
  readonly since: number;
  /** The enclave it is about, by its number in the session. */
  about?: number | undefined;
}

export interface Crossing {
  readonly depth: number;
  /** When that which ends began. */
  readonly since?: number | undefined;
}

export class Frames {
  private readonly threads = new Map<number, Frame[]>();

  private of(tid: number): Frame[] {
    const frames = this.threads.get(tid);
    if (frames) return frames;
    const made: Frame[] = [];
    this.threads.set(tid, made);
    return made;
  }

  depth(tid: number): number {
    return this.threads.get(tid)?.length ?? 0;
  }

  forget(tid: number): void {
    this.threads.delete(tid);
  }

  /** An ioctl begins; it may be that its first step is done a second time. */
  open(tid: number, name: string, since: number, about?: number): number {
    const frames = this.of(tid);
    if (frames.at(-1)?.what === 'ioctl') frames.pop();
    frames.push({ what: 'ioctl', name, since, about });
    return frames.length - 1;
  }

  /** The innermost ioctl ends, and with it what is left in it. */
  close(tid: number): (Frame & { depth: number }) | undefined {
    const frames = this.of(tid);
    const at = frames.findLastIndex(({ what }) => what === 'ioctl');
    const frame = frames[at];
    if (!frame) return undefined;
    frames.length = at;
    return { ...frame, depth: at };
  }

  /** The open ioctl of a thread turns out to be about an enclave that it has made. */
  made(tid: number, instance: number): void {
    const frame = this.threads.get(tid)?.at(-1);
    if (frame?.what === 'ioctl') frame.about ??= instance;
  }

  /** Control passes between worlds, or (undefined) not. */
  cross(tid: number, transition: string | undefined, tick: number): Crossing {
    const frames = this.of(tid);
    const depth = frames.length;
    const push = (what: What, name: string) => frames.push({ what, name, since: tick });
    switch (transition) {
      case 'run':
        push('inside', 'run');
        return { depth };
      case 'resume':
        return this.resume(frames, tick);
      case 'call_enclave':
        push('call', 'call_enclave');
        return { depth };
      case 'SERVER_RETURN':
        return { depth, since: pop(frames, 'call') };
      case 'exit':
      case 'fault':
        return { depth, since: pop(frames, 'inside') };
      case 'ocall':
      case 'timer':
        push('out', transition);
        return { depth };
      default:
        return { depth };
    }
  }

  /** It goes on where it left; after RETURN_RELAY_PAGE within another ioctl. */
  private resume(frames: Frame[], tick: number): Crossing {
    const since = frames.at(-1)?.what === 'out' ? frames.pop()!.since : undefined;
    const depth = frames.length;
    if (!frames.some(({ what }) => what === 'inside')) frames.push({ what: 'inside', name: 'run', since: tick });
    return { depth, since };
  }
}

/** Takes everything up to the innermost frame of a kind off; when that began. */
function pop(frames: Frame[], what: What): number | undefined {
  const at = frames.findLastIndex((frame) => frame.what === what);
  if (at < 0) return undefined;
  const { since } = frames[at]!;
  frames.length = at;
  return since;
}

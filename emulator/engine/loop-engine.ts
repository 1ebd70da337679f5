/**
 * What the engines share of `run`: a run is one or more entries of an engine's loop, each with the hart's context as it is then.
 * Everything else they share is the host's.
 */
import type { Hart } from '../hart/hart';
import { Area } from '../machine/layout';
import type { Host } from './host';
import { ExitKind, Left, newExit, type Engine, type Exit } from './types';

export abstract class LoopEngine implements Engine {
  private readonly exit = newExit();

  constructor(protected readonly host: Host) {}

  /**
   * Executes at most `limit` (at least 1) instructions of the hart from its pc; leaves its pc, and at Area.COUNT how many.
   * The host has entered the hart's context.
   */
  protected abstract loop(hart: Hart, limit: number): Left;

  run(hart: Hart, budget: number): Exit {
    const { host, exit } = this;
    host.begin();
    let left: Left;
    do {
      host.enter(hart);
      left = this.loop(hart, budget - host.before);
      host.before += host.memory.i32[Area.COUNT / 4]!;
    } while ((left === Left.AGAIN || left === Left.LIMIT) && host.before < budget && !host.interrupted);
    host.end();
    exit.ticks = host.before;
    this.describe(left);
    return exit;
  }

  private describe(left: Left): void {
    const { exit } = this;
    const { access, fault } = this.host;
    exit.kind = ExitKind.BUDGET;
    if (left === Left.TRAP) {
      exit.kind = ExitKind.TRAP;
      exit.cause = fault.cause;
      exit.tvalLow = fault.low;
      exit.tvalHigh = fault.high;
    } else if (left === Left.STOP) exit.kind = ExitKind.STOP;
    else if (left === Left.WFI) exit.kind = ExitKind.WFI;
    else if (access.watched) {
      exit.kind = ExitKind.WATCH;
      exit.address = access.watchAddress;
      exit.size = access.watchSize;
      exit.write = access.watchWrite;
    }
  }
}

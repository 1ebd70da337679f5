/** The enclaves at their ecalls: gives each the next thing to do, and judges what came of the last one. Used on a bare monitor and below Linux. */
import { space, va } from '../../../emulator/units';
import type { Machine } from '../../../emulator/machine/types';
import type { EnclaveEvent } from '../../../monitor/events';
import type { Monitor } from '../../../monitor/monitor';
import { byInstance, type MonitorState } from '../../../monitor/state';
import type { Random } from '../../differential/random';
import type { Guard } from '../checks/guard';
import { must } from '../checks/memory';
import type { Tally } from '../tally';
import { ENTRY, chooseDeed, perform, resultOf, type Deed } from './agent';

export class Inmates {
  /** Calls it may make before it only spins. */
  budget = 0;
  private readonly deeds = new Map<number, Deed>();
  private readonly armed = new Map<number, number>();

  constructor(
    private readonly machine: Machine,
    private readonly monitor: Monitor,
    private readonly tally: Tally,
    private readonly guard: Guard,
  ) {}

  private get state(): MonitorState {
    return this.monitor.snapshot() as MonitorState;
  }

  heard(event: EnclaveEvent): void {
    if (event.kind === 'enclave-created') {
      const made = byInstance(this.state, event.instance)!;
      if (!('eid' in made)) return;
      this.armed.set(event.instance, made.root);
      this.machine.stops.arm(space(made.root), va(ENTRY));
    } else if (event.kind === 'enclave-gone') {
      const root = this.armed.get(event.instance);
      if (root !== undefined) this.machine.stops.disarm(space(root), va(ENTRY));
      this.armed.delete(event.instance);
      this.ended(event.instance, event.why === 'exit');
    } else if (event.kind === 'transition' && event.name === 'SERVER_RETURN' && event.from !== undefined)
      this.ended(event.from, true);
  }

  /** A call that never comes back. */
  private ended(instance: number, good: boolean): void {
    const deed = this.deeds.get(instance);
    if (deed && isCall(deed)) this.tally.count('ecall', deed.name, good, deed.a);
    this.deeds.delete(instance);
  }

  /** The machine stands at an enclave's ecall. */
  stopped(random: Random): void {
    const self = this.monitor.running();
    must(self !== undefined, () => 'a stop in an enclave, and none is on the hart');
    const hart = this.machine.harts[0]!;
    const done = this.deeds.get(self.instance);
    if (done && isCall(done)) this.tally.count('ecall', done.name, done.good(resultOf(hart)), done.a);
    this.deeds.delete(self.instance);
    this.guard.afterCall();
    const deed = this.budget-- > 0 ? chooseDeed(random, self, this.state) : SPIN;
    perform(hart, deed);
    this.deeds.set(self.instance, deed);
    this.machine.stepOverStop();
  }
}

const SPIN: Deed = { name: 'spin', a: [], call: 0, extension: 0, jump: 'spin', good: () => true };
/** What the table knows nothing of is no call; nor is one that is meant to kill. */
const isCall = ({ jump, name }: Deed): boolean => jump === undefined && name !== 'linux call';

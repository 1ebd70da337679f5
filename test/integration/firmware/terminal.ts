/** A person at the machine's UART: sees what was printed, types when something was. All of it in virtual time, so it repeats exactly. */
import type { SoftwareMachine } from '../../../emulator/machine/machine';
import type { UartEvent } from '../../../emulator/machine/uart';
import { tick } from '../../../emulator/units';

/** The terminal is looked at once in so many ticks. */
const GLANCE = 1_000_000;

export class Terminal {
  /** Everything that was printed, without carriage returns. */
  text = '';
  /** Where the next `expect` begins to look. */
  private seen = 0;

  constructor(readonly machine: SoftwareMachine) {}

  /** Runs until `wanted` was printed, and returns what was printed up to its end; fails after `limit` ticks. */
  expect(wanted: string, limit = 2_000_000_000): string {
    const end = this.machine.tick + limit;
    for (;;) {
      const at = this.text.indexOf(wanted, this.seen);
      if (at >= 0) {
        const from = this.seen;
        this.seen = at + wanted.length;
        return this.text.slice(from, this.seen);
      }
      if (this.machine.tick >= end || this.machine.ending)
        throw new Error(`"${wanted}" was not printed; what was:\n${this.text.slice(this.seen)}`);
      this.run(GLANCE);
    }
  }

  run(ticks: number): void {
    this.machine.run(tick(this.machine.tick + ticks));
    for (const event of this.machine.outbox.drain() as unknown as UartEvent[])
      if (event.kind === 'uart' && event.byte !== 13) this.text += String.fromCharCode(event.byte);
  }

  type(text: string): void {
    this.machine.type(new TextEncoder().encode(text));
  }

  /** Types a command at a U-Boot prompt and returns what it printed, the echo included. */
  command(command: string): string {
    this.type(`${command}\r`);
    return this.expect('\n=> ').slice(0, -'\n=> '.length);
  }
}

/** What a fuzz run counts: calls and how many of them succeeded, by kind and by name; hazards by code. Owns no judgement about them. */

/** The kinds of calls that count. `system` are the system calls that only make the ioctls possible. */
export type Kind = 'ioctl' | 'ecall' | 'sbi' | 'page-table' | 'elf' | 'system';
export const COUNTED: readonly Kind[] = ['ioctl', 'ecall', 'sbi', 'page-table', 'elf'];

interface Count {
  calls: number;
  succeeded: number;
}

const hex = (value: number | bigint): string =>
  Number.isFinite(Number(value)) && value >= 0 && value < 10
    ? String(value)
    : `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

export class Tally {
  readonly kinds = new Map<Kind, Count>();
  readonly names = new Map<string, Count>();
  readonly hazards = new Map<string, number>();
  fullChecks = 0;
  /** Every call with its arguments, when somebody wants to read it. */
  log: string[] | undefined;
  /** The longest call, and the longest step of the monitor, in ticks. */
  longest = { call: '', ticks: 0, step: 0 };

  count(kind: Kind, name: string, succeeded: boolean, args: readonly (number | bigint)[] = []): void {
    this.log?.push(`${kind} ${name}(${args.map(hex).join(', ')}): ${succeeded ? 'succeeds' : 'fails'}`);
    for (const [map, key] of [
      [this.kinds, kind],
      [this.names, `${kind} ${name}`],
    ] as const) {
      const at = (map as Map<string, Count>).get(key) ?? { calls: 0, succeeded: 0 };
      at.calls++;
      if (succeeded) at.succeeded++;
      (map as Map<string, Count>).set(key, at);
    }
  }

  hazard(code: string): void {
    this.hazards.set(code, (this.hazards.get(code) ?? 0) + 1);
  }

  took(call: string, ticks: number): void {
    if (ticks > this.longest.ticks) this.longest = { ...this.longest, call, ticks };
  }

  /** Calls of the kinds that count, and how many of them succeeded. */
  get total(): Count {
    const counts = COUNTED.map((kind) => this.kinds.get(kind) ?? { calls: 0, succeeded: 0 });
    return counts.reduce((a, b) => ({ calls: a.calls + b.calls, succeeded: a.succeeded + b.succeeded }));
  }

  text(details: boolean): string {
    const share = ({ calls, succeeded }: Count) => `${calls} calls, ${((100 * succeeded) / calls || 0).toFixed(1)} %`;
    const sorted = <T>(map: Map<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = [`in all: ${share(this.total)} succeeded; ${this.fullChecks} full checks`];
    for (const [kind, count] of sorted(this.kinds)) lines.push(`  ${kind}: ${share(count)}`);
    if (details) for (const [name, count] of sorted(this.names)) lines.push(`    ${name}: ${share(count)}`);
    lines.push(
      `longest call: ${this.longest.call}, ${this.longest.ticks} ticks; longest step: ${this.longest.step} ticks`,
    );
    const hazards = sorted(this.hazards).map(([code, count]) => `${code} ${count}`);
    lines.push(`hazards (${hazards.length}): ${hazards.join(', ')}`);
    return lines.join('\n');
  }
}

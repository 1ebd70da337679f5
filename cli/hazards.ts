/**
 * Hazards of a program that `penglai run` runs: knows which image is mapped where, so that the place in the source can be named. Owns
 * the table that `--hazards` prints at the end.
 */
import { hashBytes } from '../debug-adapter/session/hash';
import type { GatheredFile } from '../debug-adapter/session/guest';
import { HazardLog, hazardLines } from '../debug-adapter/inspect/hazard-log';
import { Stack } from '../debug-adapter/inspect/stack/stack';
import { Images } from '../debug-adapter/target/image';
import { Worlds, type Owner } from '../debug-adapter/target/worlds';
import type { Stamped } from '../emulator/machine/outbox';
import type { Space } from '../emulator/units';
import type { System, SystemEvent } from '../monitor/system/types';

const MAX_PENDING = 1000;

type Hazard = Stamped<Extract<SystemEvent, { kind: 'hazard' }>>;

export class Hazards {
  private readonly worlds = new Worlds();
  private readonly images: Images;
  private readonly log = new HazardLog();
  /** What happened to the worlds since a hazard last asked for them. Most programs have none, and their files need not be hashed. */
  private pending: (() => void)[] = [];

  constructor(
    private readonly system: System,
    private files: readonly GatheredFile[],
  ) {
    this.images = new Images((hash) => system.image(hash));
    // The stack is looked at while it is as it was.
    system.onEvent = (event) => event.kind === 'hazard' && !this.log.knows(event);
  }

  /** Takes note of an event; what is to be said, if something is. */
  take(event: Stamped<SystemEvent>): string | undefined {
    switch (event.kind) {
      case 'image':
        this.later(() => this.map({ kind: 'host', pid: event.pid }, event.space, event.base, event.hash, event.path));
        return undefined;
      case 'enclave-created': {
        const { space } = event;
        if (space !== undefined)
          this.later(() =>
            this.map({ kind: 'enclave', instance: event.instance }, space, 0, event.imageHash, event.name),
          );
        return undefined;
      }
      case 'enclave-gone':
        this.later(() => this.worlds.remove({ kind: 'enclave', instance: event.instance }));
        return undefined;
      case 'process-exited':
        this.later(() => this.worlds.remove({ kind: 'host', pid: event.pid }));
        return undefined;
      case 'hazard':
        return this.hazard(event);
      default:
        return undefined;
    }
  }

  private later(change: () => void): void {
    this.pending.push(change);
    if (this.pending.length > MAX_PENDING) this.catchUp();
  }

  private catchUp(): void {
    for (const file of this.files) this.images.add(hashBytes(file.bytes), file.path, file.bytes);
    this.files = [];
    for (const change of this.pending.splice(0)) change();
  }

  private hazard(event: Hazard): string | undefined {
    this.catchUp();
    const { entry, first } = this.log.add(event, new Stack(this.system, this.worlds, event.tid).frames());
    return first ? hazardLines(entry) : undefined;
  }

  private map(owner: Owner, space: Space, base: number, hash: string, name: string): void {
    for (const old of this.worlds.of(owner)) if (old.space !== space) this.worlds.remove(owner);
    for (const old of this.worlds.in(space))
      if (old.owner.kind !== owner.kind || owner.kind === 'enclave') this.worlds.remove(old.owner);
    const found = this.images.found(hash, name);
    if (found) this.worlds.add({ owner, label: name, space, image: found.image, base });
  }

  /** Everything that was raised, as a table; empty when nothing was. */
  table(): string {
    const rows = this.log.entries().map(({ code, place, count, device, fatal }) => ({
      count: String(count),
      code: fatal ? `${code} (fatal)` : code,
      place: place || '-',
      device: device.split('. ')[0]!.replace(/^On a device /, ''),
    }));
    if (rows.length === 0) return '';
    const head = { count: 'count', code: 'hazard', place: 'place', device: 'on a device' };
    const columns = ['count', 'code', 'place', 'device'] as const;
    const widths = columns.map((column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
    const line = (row: Record<(typeof columns)[number], string>) =>
      columns
        .map((column, i) => row[column].padEnd(widths[i]!))
        .join('  ')
        .trimEnd();
    return [head, ...rows].map(line).join('\n');
  }
}

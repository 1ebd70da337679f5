/**
 * Attacks of host programs, by system calls and their own instructions, on the whole system: modes of system/programs/attacks.c. While one
 * runs, the memory of the enclave is hashed, and what the host's tables show and its kernel shares is held against the owners of pages.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pa, tick } from '../../../emulator/units';
import type { Map as ImmutableMap } from 'immutable';
import type { CheckName } from '../../../monitor/checks';
import type { MonitorState } from '../../../monitor/state';
import { createSystemWithoutChecks, type ComposedSystem } from '../../../monitor/system/system';
import { build } from '../adapter/builds';
import { printed } from '../system/sample';
import { enclaveElf } from '../system/tiny-host';
import { ownedHash, switchedOff } from './attack';
import { PAGE, RAM_START, SECRET } from './world';

export interface HostAttack {
  readonly name: string;
  readonly by: 'host program';
  readonly mode: string;
  readonly checks: readonly CheckName[];
  readonly refused: string;
  readonly succeeds: string;
}

const READ = `read: ${SECRET.toString(16)}\n`;
const FAULT = 'fault: SIGSEGV\n';

export const HOST_ATTACKS: readonly HostAttack[] = [
  {
    name: 'a relay page through a mapping from before the hand-over',
    by: 'host program',
    mode: 'stale',
    checks: ['hostPteInvalidation'],
    refused: FAULT,
    succeeds: READ,
  },
  {
    name: 'a relay page through a private mapping from before the hand-over',
    by: 'host program',
    mode: 'private',
    checks: ['hostPteInvalidation'],
    refused: FAULT,
    succeeds: READ,
  },
  {
    name: 'a relay page through the mapping of a child forked before the hand-over',
    by: 'host program',
    mode: 'fork-touched',
    checks: ['hostPteInvalidation'],
    refused: `${FAULT}child: 2\n`,
    succeeds: `${READ}child: 0\n`,
  },
  {
    name: 'a relay page brought in by a child forked before the hand-over',
    by: 'host program',
    mode: 'fork-before',
    checks: ['setPteOwnership'],
    refused: `${FAULT}child: 2\n`,
    succeeds: `${READ}child: 0\n`,
  },
  {
    name: 'a relay page through the mapping of a child forked after the hand-over',
    by: 'host program',
    mode: 'fork-after',
    checks: ['setPteOwnership'],
    refused: `${FAULT}child: 2\n`,
    succeeds: `${READ}child: 0\n`,
  },
  {
    name: 'mmap of a relay page that an enclave owns',
    by: 'host program',
    mode: 'mmap',
    checks: ['deviceMmapOwnership', 'setPteOwnership'],
    refused: 'mmap: -1 EPERM\n',
    succeeds: READ,
  },
  {
    name: 'csrr satp in user mode',
    by: 'host program',
    mode: 'satp',
    checks: ['tvmSupervisor'],
    refused: 'fault: SIGILL\n',
    succeeds: 'read: mode 8\n',
  },
  {
    name: 'STOP, RESUME, ATTEST and DESTROY of another process’s enclave',
    by: 'host program',
    mode: 'foreign',
    checks: ['ownerSpace'],
    refused: 'stop: -1 EPERM\nresume: -1 EFAULT\nattest: -1 EPERM\ndestroy: -1 EPERM\n',
    succeeds: 'stop: 0\nresume: 0\nattest: -1 EPERM\ndestroy: 0\nrun: 0\n',
  },
];

/** Writes the secret to its relay page and to its stack, then loops. */
const keeper = enclaveElf(`li t0, 0x3800000000\nli t1, ${SECRET}\nsw t1, 0(t0)\nsw t1, -16(t0)\nagain:\nj again`);

/** Returns 5 after about a millisecond. */
const brief = enclaveElf(
  'li t0, 50000\nagain:\naddi t0, t0, -1\nbnez t0, again\nli a0, 5\nli a7, 99\nli a6, 0x100101\necall',
);

/** STOP, RESUME and DESTROY against the end of a run, with slices of random lengths; what was printed, and what is private afterwards. */
export function raceOf(host: Uint8Array, seed: number): { stdout: string; reachable: readonly string[]; left: number } {
  const files = [
    { path: '/root/attacks', bytes: host, mode: 0o755 },
    { path: '/root/brief', bytes: brief, mode: 0o755 },
  ];
  const schedule = { quantum: 20_000, vary: true };
  const launch = { program: '/root/attacks', args: ['race'], cwd: '/root', memoryMiB: 128, files, seed, schedule };
  const system = createSystemWithoutChecks(launch, {});
  const events = [];
  for (let reason = ''; reason !== 'halted';) {
    if (system.tick > LIMIT) throw new Error('the race never ends');
    ({ reason } = system.run(tick(system.tick + LIMIT)));
    events.push(...system.drain());
  }
  return { stdout: printed(events).stdout, reachable: reachablePages(system), left: system.enclaves().length };
}

export async function hostProgram(): Promise<Uint8Array> {
  const source = join(process.cwd(), 'test/integration/system/programs/attacks.c');
  return new Uint8Array(readFileSync(await build('host', source, 'attacks', ['-D_GNU_SOURCE', '-w', '-O1'])));
}

export interface HostTrial {
  readonly stdout: string;
  /** Hashes that the memory of the enclave had from its hand-over to its end. */
  readonly hashes: ReadonlySet<string>;
  /** Private pages that the host could reach, or shares. */
  readonly reachable: readonly string[];
}

const SLICE = 200_000;
const LIMIT = 2_000_000_000;

export function tryHostProgram(host: Uint8Array, { mode }: HostAttack, without: readonly CheckName[]): HostTrial {
  const files = [
    { path: '/root/attacks', bytes: host, mode: 0o755 },
    { path: '/root/keeper', bytes: keeper, mode: 0o755 },
  ];
  const launch = { program: '/root/attacks', args: [mode], cwd: '/root', memoryMiB: 128, files };
  const system = createSystemWithoutChecks(launch, switchedOff(without));
  const hashes = new Set<string>();
  const reachable = new Set<string>();
  const events = [];
  for (let reason = ''; reason !== 'halted';) {
    if (system.tick > LIMIT) throw new Error('the attack never ends');
    ({ reason } = system.run(tick(system.tick + SLICE)));
    events.push(...system.drain());
    const { bitmap } = system.monitor.snapshot() as MonitorState;
    if (!bitmap || without.length > 0) continue;
    for (const what of reachablePages(system)) reachable.add(what);
    const victim = system.monitor.enclaves()[0];
    const relay = victim?.relays[0];
    // From when it has written its secret.
    if (victim && relay && system.machine.machinePort.readU32(pa(relay.pa)) === SECRET)
      hashes.add(ownedHash(system.machine, bitmap, victim.instance));
  }
  return { stdout: printed(events).stdout, hashes, reachable: [...reachable] };
}

const VALID_LEAF = (low: number): boolean => (low & 1) !== 0 && (low & 14) !== 0;

/**
 * Private pages that a valid entry of the page-table area shows; and frames that processes share (copy-on-write, mapped files) or that a
 * cache of pages holds. There must be none: what becomes private was nobody's but the driver's.
 */
export function reachablePages(system: ComposedSystem): string[] {
  const { area, bitmap } = system.monitor.snapshot() as MonitorState;
  const { machinePort, ramSize } = system.machine;
  const owners = new Int32Array(machinePort.read(pa(bitmap!.base), bitmap!.size).slice().buffer);
  const isPrivate = (frame: number): boolean => owners[(frame - RAM_START) / PAGE]! < 0;
  const words = new Uint32Array(machinePort.read(pa(area!.base), area!.size).slice().buffer);
  const found: string[] = [];
  const middle = area!.rootBytes / 8;
  const leaves = (area!.rootBytes + area!.middleBytes) / 8;
  for (let i = middle; i < area!.size / 8; i++) {
    const [low, high] = [words[2 * i]!, words[2 * i + 1]!];
    if (!VALID_LEAF(low)) continue;
    const frame = Math.floor((high * 2 ** 32 + low) / 1024) * PAGE;
    const pages = i < leaves ? 512 : 1;
    for (let page = 0; page < pages; page++) {
      const at = frame + page * PAGE;
      if (at >= RAM_START && at < RAM_START + ramSize && isPrivate(at)) found.push(`mapped: 0x${at.toString(16)}`);
    }
  }
  const { references, objects } = system.linux.snapshot() as {
    references: ImmutableMap<number, number>;
    objects: ImmutableMap<number, { readonly pages: ImmutableMap<number, number> }>;
  };
  references.forEach((count, number) => {
    if (isPrivate(number * PAGE)) found.push(`${count} holders: 0x${(number * PAGE).toString(16)}`);
  });
  objects.forEach(({ pages }) =>
    pages.forEach((frame) => {
      if (isPrivate(frame)) found.push(`cached: 0x${frame.toString(16)}`);
    }),
  );
  return found.sort();
}

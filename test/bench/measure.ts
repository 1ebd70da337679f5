/**
 * How a workload is measured: our machine and its opponents in turn, each run a process of its own, by the CPU time (user and system, all
 * threads, start-up included) that the shell reports of it; best of several turns. Each opponent runs as many rounds as fill the time
 * wanted, so that the times per round can be compared.
 */
import type { EngineName } from '../../emulator/machine/types';
import type { ChildResult } from './child';
import type { MachineRun } from './machine';
import { timed, works } from './timed';
import type { Measurable } from './workloads';

export interface Options {
  readonly engine?: EngineName;
  /** CPU seconds that one run is to take. */
  readonly seconds: number;
  readonly turns: number;
}

/** What there is to compare with on this computer. */
export interface Opponents {
  readonly user: boolean;
  readonly system: boolean;
}

/** The best of the runs of one kind. */
interface Best {
  readonly seconds: number;
  readonly rounds: number;
}

export interface Measured {
  readonly workload: Pick<Measurable, 'name' | 'kind'>;
  /** The engine of our machine. */
  readonly engine: EngineName;
  readonly instructions: number;
  readonly seconds: number;
  readonly memoryMiB: number;
  readonly dirtyPages: number;
  /** Speed of ours as a multiple of the opponent's, null without it. */
  readonly vsQemuUser: number | null;
  readonly vsQemuSystem: number | null;
  /** CPU time with a recording, as a multiple of that without. */
  readonly recording: number;
}

const QEMU_USER = 'qemu-riscv64';
const QEMU_SYSTEM = 'qemu-system-riscv64';
/** Where the runtime looks for the number of rounds on bare metal. */
const ROUNDS_ADDRESS = 0x87fff000;

export const findOpponents = (): Opponents => ({ user: works(QEMU_USER), system: works(QEMU_SYSTEM) });

function checked(workload: Measurable, who: string, output: string): void {
  if (output !== `checksum ${workload.checksum}\n`)
    throw new Error(`${workload.name} on ${who} printed ${JSON.stringify(output)}, right is ${workload.checksum}`);
}

function ours(workload: Measurable, child: string, run: MachineRun): { seconds: number; result: ChildResult } {
  const { seconds, stdout } = timed(process.execPath, [child, workload.image, JSON.stringify(run)]);
  const result = JSON.parse(stdout) as ChildResult;
  if (result.exitStatus !== 0) throw new Error(`${workload.name} on our machine: exit status ${result.exitStatus}`);
  checked(workload, 'our machine', result.output);
  return { seconds, result };
}

function qemuUser(workload: Measurable, rounds: number): number {
  const { seconds, stdout } = timed(QEMU_USER, [workload.image, String(rounds)]);
  checked(workload, QEMU_USER, stdout);
  return seconds;
}

function qemuSystem(workload: Measurable, rounds: number): number {
  const { seconds, stdout } = timed(QEMU_SYSTEM, [
    ...['-M', 'virt', '-bios', 'none', '-display', 'none', '-monitor', 'none', '-serial', 'stdio'],
    ...['-kernel', workload.image, '-device', `loader,addr=${ROUNDS_ADDRESS},data=${rounds},data-len=8`],
  ]);
  checked(workload, QEMU_SYSTEM, stdout);
  return seconds;
}

/** The number of rounds that take about the time wanted besides start-up, found by runs of a growing number. */
function calibrated(wanted: number, secondsOf: (rounds: number) => number): number {
  const start = secondsOf(1);
  for (let rounds = 8; ;) {
    // Start-up is in both; where it is most of the time the difference is noise, and says nothing of the number that is enough.
    const spent = secondsOf(rounds) - start;
    if (spent > wanted / 8) return Math.max(1, Math.round((wanted * (rounds - 1)) / spent));
    rounds *= Math.min(32, Math.max(2, Math.ceil(wanted / 4 / Math.max(spent, wanted / 128))));
  }
}

const better = (best: Best | undefined, rounds: number, seconds: number): Best =>
  best && best.seconds <= seconds ? best : { seconds, rounds };

/** Measures one workload; `child` is the bundled program of child.ts. */
export function measure(workload: Measurable, child: string, opponents: Opponents, options: Options): Measured {
  const { seconds: wanted, turns, engine } = options;
  const run = (rounds: number, recording = false) =>
    ours(workload, child, { rounds, recording, ...(engine === undefined ? {} : { engine }) });
  const rounds = {
    ours: calibrated(wanted, (count) => run(count).seconds),
    user: opponents.user ? calibrated(wanted, (count) => qemuUser(workload, count)) : 0,
    system: opponents.system ? calibrated(wanted, (count) => qemuSystem(workload, count)) : 0,
  };
  let [plain, recorded, user, system] = new Array<Best | undefined>(4);
  let [memoryMiB, instructions, dirtyPages] = [Infinity, 0, 0];
  let used: EngineName | undefined;
  for (let turn = 0; turn < turns; turn++) {
    const { seconds, result } = run(rounds.ours);
    plain = better(plain, rounds.ours, seconds);
    memoryMiB = Math.min(memoryMiB, result.memoryMiB);
    ({ instructions, dirtyPages, engine: used } = result);
    if (opponents.user) user = better(user, rounds.user, qemuUser(workload, rounds.user));
    if (opponents.system) system = better(system, rounds.system, qemuSystem(workload, rounds.system));
    recorded = better(recorded, rounds.ours, run(rounds.ours, true).seconds);
  }
  const each = (best: Best): number => best.seconds / best.rounds;
  const against = (opponent: Best | undefined): number | null => (opponent ? each(opponent) / each(plain!) : null);
  return {
    workload,
    engine: used!,
    instructions,
    seconds: plain!.seconds,
    memoryMiB,
    dirtyPages,
    vsQemuUser: against(user),
    vsQemuSystem: against(system),
    recording: recorded!.seconds / plain!.seconds,
  };
}

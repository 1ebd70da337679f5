/**
 * Runs scenes: nothing may be thrown, nothing outside of what the guest owns may change, what engines keep of the guest's memory must be
 * what a fresh look gives, and every engine must be where the others are. Times are told, never judged.
 */
import { disassemble } from '../../../emulator/isa/disassemble';
import { ENGINE_NAMES, type SoftwareMachine } from '../../../emulator/machine/machine';
import type { EngineName } from '../../../emulator/machine/types';
import { tick } from '../../../emulator/units';
import { Canary, checkRecords } from './checks';
import { stateOf } from '../state';
import type { Scene } from './scenes';
import { World } from './world';

export interface Report {
  readonly scene: string;
  readonly seed: number;
  ticks: number;
  /** Processor time of the slowest run of 100,000 ticks, in milliseconds, by engine. */
  readonly slowest: Map<EngineName, number>;
  readonly problems: string[];
}

export const PIECE = 100_000;
const LENGTHS = [500, 5_000, 20_000, PIECE];
/** Stirs between two looks at everything. */
const LOOK = 16;

class Side {
  readonly world: World;
  readonly canary: Canary;
  slowest = 0;

  constructor(
    readonly engine: EngineName,
    scene: Scene,
    seed: number,
  ) {
    this.world = new World(engine, seed, scene.harts ?? 1, scene.fill);
    this.canary = new Canary(this.world.machine);
  }

  get machine(): SoftwareMachine {
    return this.world.machine;
  }

  /** Runs on; what the run ended with, and where. */
  run(ticks: number): string {
    const { machine } = this;
    const until = tick(machine.tick + ticks);
    const before = process.cpuUsage();
    const { reason } = machine.run(until);
    const { user, system } = process.cpuUsage(before);
    if (ticks === PIECE) this.slowest = Math.max(this.slowest, (user + system) / 1000);
    return reason;
  }
}

/** What two machines that went through the same must agree on. */
function stateOfSide({ machine }: Side): string {
  return [machine.tick, ...machine.harts.map((hart) => stateOf(hart).join())].join(' | ');
}

const WORD_NAMES = (index: number): string =>
  index < 64 ? `x${index >> 1}` : index < 128 ? `f${(index - 64) >> 1}` : index < 130 ? 'pc' : `word ${index}`;

function firstDifference(a: Side, b: Side): string {
  if (a.machine.tick !== b.machine.tick) return `ticks ${a.machine.tick} and ${b.machine.tick}`;
  for (const [id, hart] of a.machine.harts.entries()) {
    const other = b.machine.harts[id]!;
    const [words, others] = [stateOf(hart), stateOf(other)];
    const index = words.findIndex((word, i) => word !== others[i]);
    if (index >= 0) return `hart ${id} ${WORD_NAMES(index)}: ${words[index]} and ${others[index]}`;
  }
  return 'memory or devices';
}

/** Runs one scene for about so many ticks on every engine. */
export function runScene(scene: Scene, seed: number, ticks: number, engines = ENGINE_NAMES): Report {
  const report: Report = { scene: scene.name, seed, ticks: 0, slowest: new Map(), problems: [] };
  const sides = engines.map((engine) => new Side(engine, scene, seed));
  const problem = (text: string): void => void report.problems.push(`${scene.name}, seed ${seed}: ${text}`);
  for (let stir = 0; report.ticks < ticks && report.problems.length === 0; stir++) {
    const length = LENGTHS[stir % LENGTHS.length]!;
    const ends = sides.map((side) => {
      try {
        scene.stir(side.world);
        return side.run(length);
      } catch (error) {
        problem(
          `stir ${stir}, ${side.engine}: thrown at ${side.machine.harts[0]!.pc.toString(16)}: ${(error as Error).stack}`,
        );
        return '';
      }
    });
    report.ticks += length;
    if (report.problems.length > 0) break;
    sides.slice(1).forEach((side, i) => {
      if (ends[0] !== ends[i + 1] || stateOfSide(sides[0]!) !== stateOfSide(side))
        problem(
          `stir ${stir}: ${sides[0]!.engine} (${ends[0]}) and ${side.engine} (${ends[i + 1]}) differ: ` +
            `${firstDifference(sides[0]!, side)}; ${locate(scene, seed, stir, sides[0]!.engine, side.engine)}`,
        );
    });
    if (stir % LOOK === LOOK - 1) look(sides, problem);
  }
  if (report.problems.length === 0) look(sides, problem);
  for (const { engine, slowest } of sides) report.slowest.set(engine, slowest);
  return report;
}

function look(sides: readonly Side[], problem: (text: string) => void): void {
  for (const side of sides) {
    for (const text of [...side.canary.check(), ...checkRecords(side.machine)]) problem(`${side.engine}: ${text}`);
    side.canary.paint();
  }
  const [first, ...rest] = sides.map(({ machine }) => machine.hash());
  if (rest.some((hash) => hash !== first)) problem('the machines hash differently');
}

/** Goes through the same again and tells the instruction after which two engines differ. */
function locate(scene: Scene, seed: number, stir: number, one: EngineName, other: EngineName): string {
  const sides = [one, other].map((engine) => new Side(engine, scene, seed));
  const [a, b] = sides as [Side, Side];
  for (let at = 0; at <= stir; at++)
    for (const side of sides) {
      scene.stir(side.world);
      if (at < stir) side.run(LENGTHS[at % LENGTHS.length]!);
      if (at % LOOK === LOOK - 1 && at < stir) side.machine.hash();
    }
  for (let n = 0; n < LENGTHS[stir % LENGTHS.length]!; n++) {
    const hart = a.machine.harts[0]!;
    const [pc, privilege] = [hart.pc, hart.privilege];
    for (const side of sides) side.run(1);
    if (stateOfSide(a) === stateOfSide(b)) continue;
    return `tick ${n} of it, at ${pc.toString(16)} in ${privilege} (${instructionAt(a, pc)}): ${firstDifference(a, b)}`;
  }
  return 'not when it is run tick by tick';
}

function instructionAt({ machine }: Side, pc: number): string {
  if (pc < 0x80000000 || pc + 4 > 0x80000000 + machine.ramSize) return 'not in RAM';
  return disassemble(
    machine.machinePort.readU16(pc as never) | (machine.machinePort.readU16((pc + 2) as never) << 16),
    pc,
  ).text;
}

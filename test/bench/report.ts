/** What `npm run bench` makes of its measurements: the table for people, and the JSON that later work is judged by. */
import type { Measured } from './measure';
import { KINDS, type Kind } from './workloads';

interface Ratios {
  readonly vsQemuUser: number | null;
  readonly vsQemuSystem: number | null;
}

/** Ratios are speed of ours to speed of the opponent: above 1, ours is faster; null where the opponent is missing. */
export interface BenchReport {
  readonly workloads: readonly (Ratios & {
    readonly name: string;
    readonly kind: string;
    /** Instructions of the measured run of our machine. */
    readonly instructions: number;
    /** Peak resident set of its process, without a recording. */
    readonly memoryMiB: number;
  })[];
  /** Geometric means by kind, and `all`. */
  readonly geomeans: Readonly<Record<Kind | 'all', Ratios>>;
}

/** The geometric mean of what is there; null of nothing. */
export function geomean(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return null;
  return Math.exp(present.reduce((sum, value) => sum + Math.log(value), 0) / present.length);
}

const means = (list: readonly Ratios[]): Ratios => ({
  vsQemuUser: geomean(list.map(({ vsQemuUser }) => vsQemuUser)),
  vsQemuSystem: geomean(list.map(({ vsQemuSystem }) => vsQemuSystem)),
});

export function reportOf(measured: readonly Measured[]): BenchReport {
  const workloads = measured.map(({ workload, instructions, vsQemuUser, vsQemuSystem, memoryMiB }) => ({
    name: workload.name,
    kind: workload.kind,
    instructions,
    vsQemuUser,
    vsQemuSystem,
    memoryMiB,
  }));
  const of = (kind: Kind): Ratios => means(workloads.filter((workload) => workload.kind === kind));
  return { workloads, geomeans: { integer: of('integer'), float: of('float'), fma: of('fma'), all: means(workloads) } };
}

const COLUMNS = [
  'workload',
  'kind',
  'engine',
  'MIPS',
  'vs qemu-user',
  'vs qemu-system',
  'RSS MiB',
  'dirty pages',
  'recording',
];
const WIDTHS = [13, 8, 6, 6, 12, 14, 8, 11, 9];
const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i < 3 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!))).join('  ');
const ratio = (value: number | null): string => (value === null ? '-' : `${value.toFixed(3)}x`);

export const tableHead = (): string => line(COLUMNS);

export function tableRow(row: Measured): string {
  const slower = (row.recording - 1) * 100;
  return line([
    row.workload.name,
    row.workload.kind,
    row.engine,
    (row.instructions / row.seconds / 1e6).toFixed(0),
    ratio(row.vsQemuUser),
    ratio(row.vsQemuSystem),
    row.memoryMiB.toFixed(0),
    String(row.dirtyPages),
    `${slower < 0 ? '' : '+'}${slower.toFixed(1)} %`,
  ]);
}

/** The lines below the table. */
export function tableFoot(measured: readonly Measured[]): string[] {
  const { geomeans } = reportOf(measured);
  const rows = [...KINDS.filter((kind) => measured.some(({ workload }) => workload.kind === kind)), 'all' as const];
  const lines = rows.map((kind) =>
    line([
      'geomean',
      kind,
      '',
      ratio(geomeans[kind].vsQemuUser),
      ratio(geomeans[kind].vsQemuSystem),
      '',
      '',
      '',
    ]).trimEnd(),
  );
  const cost = geomean(measured.map(({ recording }) => recording))! - 1;
  return [...lines, `A recording costs ${(cost * 100).toFixed(1)} % (geometric mean).`];
}

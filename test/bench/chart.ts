/** A chart of the workloads' speed beside QEMU's, as SVG: bars on a logarithmic scale, on which twice and half as fast are equally long. */
import type { BenchReport } from './report';

const LEFT = 110;
const RIGHT = 70;
const WIDTH = 860;
const BAR = 9;
const ROW = 2 * BAR + 10;
const TOP = 64;
const BOTTOM = 30;
/** Colours that a light and a dark page both show, and that differ in brightness. */
const COLOURS = { vsQemuUser: '#2f81d6', vsQemuSystem: '#e08a1e' } as const;
const LABELS = { vsQemuUser: 'beside qemu-riscv64', vsQemuSystem: 'beside qemu-system-riscv64' } as const;
const TEXT = 'fill="#777"';
type Opponent = keyof typeof COLOURS;
const OPPONENTS = Object.keys(COLOURS) as Opponent[];

interface Row extends Partial<Record<Opponent, number | null>> {
  readonly name: string;
}

/** The SVG document of a result. */
export function chartOf({ workloads, geomeans }: BenchReport): string {
  const means = Object.entries(geomeans)
    .filter(
      ([kind, mean]) => (kind === 'all' || workloads.some((row) => row.kind === kind)) && mean.vsQemuUser !== null,
    )
    .map(([kind, mean]): Row => ({ name: `mean: ${kind}`, ...mean }));
  const rows: Row[] = [...workloads, ...means];
  const values = rows.flatMap((row) => OPPONENTS.map((opponent) => row[opponent] ?? 1));
  const first = Math.floor(Math.log2(Math.min(0.5, ...values)));
  const last = Math.ceil(Math.log2(Math.max(2, ...values)));
  const x = (value: number): number => LEFT + ((Math.log2(value) - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const bottom = TOP + rows.length * ROW;
  const parts: string[] = [];
  for (let power = first; power <= last; power++) {
    const at = x(2 ** power).toFixed(1);
    const strong = power === 0 ? 'stroke="#777" stroke-width="1.5"' : 'stroke="#999" stroke-opacity="0.35"';
    parts.push(`<line x1="${at}" x2="${at}" y1="${TOP - 6}" y2="${bottom}" ${strong}/>`);
    const label = power < 0 ? `1/${2 ** -power}` : String(2 ** power);
    parts.push(`<text x="${at}" y="${bottom + 18}" text-anchor="middle" ${TEXT}>${label}x</text>`);
  }
  rows.forEach((row, i) => {
    const top = TOP + i * ROW;
    parts.push(`<text x="${LEFT - 8}" y="${top + BAR + 4}" text-anchor="end" ${TEXT}>${row.name}</text>`);
    OPPONENTS.forEach((opponent, k) => {
      const value = row[opponent];
      if (value === null || value === undefined) return;
      const [from, to] = [Math.min(x(1), x(value)), Math.max(x(1), x(value))];
      const y = top + k * BAR;
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="${BAR - 1}" fill="${COLOURS[opponent]}"/>`,
        `<text x="${(to + 4).toFixed(1)}" y="${y + BAR - 2}" font-size="9" ${TEXT}>${value.toFixed(2)}</text>`,
      );
    });
  });
  const legend = OPPONENTS.map(
    (opponent, k) =>
      `<rect x="${LEFT + k * 210}" y="36" width="12" height="12" fill="${COLOURS[opponent]}"/>` +
      `<text x="${LEFT + k * 210 + 18}" y="46" ${TEXT}>${LABELS[opponent]}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" font-family="system-ui, sans-serif" font-size="12">`,
    `<text x="${LEFT}" y="22" font-size="14" ${TEXT}>Speed by CPU time; right of 1x the machine is faster</text>`,
    ...legend,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

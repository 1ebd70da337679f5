/** What a run of LTP says at its end: counts per call, and where Linux and this system differ. */
import type { Outcome, Verdict } from './outcome';

export interface Result {
  readonly title: string;
  readonly group: string;
  readonly here: Outcome;
  readonly there: Outcome | undefined;
}

const VERDICTS: readonly Verdict[] = ['passed', 'failed', 'not applicable', 'no end', 'crashed'];

const countsOf = (outcomes: readonly (Outcome | undefined)[]): string =>
  VERDICTS.map((verdict) => [outcomes.filter((outcome) => outcome?.verdict === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`)
    .join(', ');

export function report(results: readonly Result[], missing: readonly string[]): string {
  const groups = [...new Set(results.map(({ group }) => group))].sort();
  const lines = groups.map((group) => {
    const own = results.filter((result) => result.group === group);
    return `${group.padEnd(24)} ${countsOf(own.map(({ here }) => here))}`;
  });
  const worse = results
    .filter(({ here, there }) => there?.verdict === 'passed' && here.verdict !== 'passed')
    .map(
      ({ title, here }) =>
        `  ${title}: ${here.verdict}${here.missing?.length ? ` (no ${here.missing.join(', ')})` : ''}`,
    );
  const there = results.map((result) => result.there).filter((outcome) => outcome !== undefined);
  return [
    '',
    ...lines,
    '',
    ...(worse.length > 0 ? [`${worse.length} pass under qemu-riscv64 and not here:`, ...worse, ''] : []),
    ...(missing.length > 0 ? [`${missing.length} of the list were not built: ${missing.join(' ')}`, ''] : []),
    ...(there.length > 0 ? [`qemu-riscv64: ${countsOf(there)}`] : []),
    `here: ${countsOf(results.map(({ here }) => here))} (${results.length} tests of ${groups.length} calls)`,
  ].join('\n');
}

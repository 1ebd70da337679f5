/**
 * Lines of the monitor's log that mean a mistake of the developer, in the developer's words. The log keeps the wording of the real
 * monitor; this table says what it means and what to do.
 */
import type { AdapterError } from '../errors';
import { runWarnings } from '../errors';

const MEANINGS: readonly (readonly [RegExp, (found: RegExpExecArray) => AdapterError])[] = [
  [/haven't alloc this enclave: (.*)$/, ([, name]) => runWarnings.serverUnknown(name!)],
  [/^run: an enclave named "(.*)" is alive already/, ([, name]) => runWarnings.nameTaken(name!)],
];

/** Undefined for a line that needs no explanation. */
export function explain(line: string): AdapterError | undefined {
  for (const [pattern, meaning] of MEANINGS) {
    const found = pattern.exec(line.trimEnd());
    if (found) return meaning(found);
  }
  return undefined;
}

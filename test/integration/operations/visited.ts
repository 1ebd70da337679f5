/** Which cells of the table of operations a test has visited, printed as a table; fails for those it has not. */
import assert from 'node:assert/strict';
import {
  OPERATIONS,
  STATES_OF,
  type Kind,
  type Layer,
  type Operation,
  type Rule,
  type State,
} from '../../../monitor/operations';
import { printTable } from '../../tools/tables';

export interface Cell {
  readonly operation: Operation;
  readonly kind: Kind;
  readonly state: State;
  readonly rule: Rule;
}

/** Every cell of the layers' operations. */
export function cells(...layers: readonly Layer[]): Cell[] {
  return Object.entries(OPERATIONS).flatMap(([operation, { layer, rows }]) =>
    layers.includes(layer)
      ? Object.entries(rows).flatMap(([kind, states]) =>
          Object.entries(states).map(([state, rule]) => ({
            ...{ operation: operation as Operation, kind: kind as Kind, state: state as State, rule },
          })),
        )
      : [],
  );
}

const keyOf = ({ operation, kind, state }: Cell) => `${operation} ${kind} ${state}`;

export class Visited {
  private readonly how = new Map<string, 'driven' | 'set'>();

  constructor(private readonly layers: readonly Layer[]) {}

  /** `set`: the state is one that no call can meet on a machine of one hart; the test put it into the monitor's record. */
  visit(cell: Cell, how: 'driven' | 'set'): void {
    this.how.set(keyOf(cell), how);
  }

  /** Prints what was visited and what it gave, and fails when something was not. */
  finish(): void {
    const all = cells(...this.layers);
    const states = [...new Set(Object.values(STATES_OF).flat())];
    const width = Math.max(...all.map(({ operation, kind }) => operation.length + kind.length + 1));
    const lines = [' '.repeat(width + 1) + states.map((state) => state.padEnd(11)).join('')];
    for (const row of new Set(all.map(({ operation, kind }) => `${operation} ${kind}`))) {
      const of = states.map((state) => {
        const cell = all.find((one) => keyOf(one) === `${row} ${state}`);
        if (!cell) return '.'.padEnd(11);
        const how = this.how.get(keyOf(cell));
        const what = cell.rule.why ? (cell.rule.errno ?? String(cell.rule.value)) : `→${cell.rule.next}`;
        return (how === undefined ? 'MISSED' : what.slice(0, 9) + (how === 'set' ? '*' : '')).padEnd(11);
      });
      lines.push(row.padEnd(width + 1) + of.join(''));
    }
    const count = `${this.how.size} of ${all.length} cells visited; * the state was set: one hart and one address space can’t reach it`;
    printTable(`operations-${this.layers.join('-')}`, [...lines.map((line) => line.trimEnd()), count].join('\n'));
    const missed = all.filter((cell) => !this.how.has(keyOf(cell))).map(keyOf);
    assert.deepEqual(missed, [], 'cells that were not visited');
  }
}

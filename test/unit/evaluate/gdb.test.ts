/** Every variable at every recorded stop, and a list of expressions, compared with what gdb answered for the same machine state. */
import assert from 'node:assert/strict';
import { EvaluateError, evaluateExpression } from '../../../debug-adapter/inspect/evaluate/evaluate';
import { decodeFloat } from '../../../debug-adapter/inspect/variables/floats';
import { FrameScope } from '../../../debug-adapter/inspect/variables/frame';
import type { Value } from '../../../debug-adapter/inspect/variables/value';
import { canonicalName, strip } from '../../../debug-adapter/symbols/dwarf/info/model';
import { frameAt, loadTour, recordingOf, TOURS, type RecordedStop } from '../dwarf-info/tour';

/** A value in the form that record.py gives it: no printing involved. */
function plain(value: Value | EvaluateError): string | null {
  if (value instanceof EvaluateError) return value.code === 'unavailable' ? 'unreadable' : `error: ${value.message}`;
  const type = strip(value.type);
  if (value.unavailable !== undefined) return value.unavailable === 'optimised out' ? 'optimised out' : 'unreadable';
  if (type.kind === 'struct' || type.kind === 'array' || type.kind === 'function') return null;
  if (type.kind === 'base' && type.encoding === 'float') {
    const bytes = value.read();
    return bytes instanceof Uint8Array ? String(decodeFloat(bytes)) : 'unreadable';
  }
  return String(value.integer());
}

/** gdb keeps the compiler's order of words, and puts a space between `*` and what follows. */
function spelling(type: string): string {
  const words = type.replace(
    /((?:\b(?:long|short|unsigned|signed|int|char)\b ?)+)/g,
    (name) => `${canonicalName(name.trim())} `,
  );
  return words.replace(/const volatile|volatile const/g, 'cv').replace(/\s+/g, '');
}

const number = (text: string | null): string | null =>
  text !== null && /^-?\d+\.\d+(e[+-]?\d+)?$/.test(text) ? String(Number(text)) : text;

/** DW_OP_entry_value and its GNU predecessor: gdb asks the callers' call sites, this debugger says "optimised out". */
function usesEntryValue(scope: FrameScope, path: string): boolean {
  const name = /[A-Za-z_]\w*/.exec(path)?.[0];
  const location = scope
    .variables()
    .find((v) => v.name === name)
    ?.locationAt(scope.frame.pc);
  return location?.kind === 'expression' && location.expression.some((byte) => byte === 0xa3 || byte === 0xf3);
}

let compared = 0;
let leftOut = 0;

function compare(scope: FrameScope, path: string, type: string, expected: string | null): string | undefined {
  const value = evaluateExpression(path, scope);
  const actual = plain(value);
  // A part of what gdb already gave up on.
  compared++;
  if ((actual === 'optimised out' || value instanceof EvaluateError) && usesEntryValue(scope, path)) {
    leftOut++;
    return undefined;
  }
  if (actual !== number(expected)) return `${path}: gdb says ${expected}, we say ${actual}`;
  if (value instanceof EvaluateError || spelling(value.typeText) === spelling(type)) return undefined;
  // Where the length of an array is optimised out gdb assumes 1.
  if (value.typeText.endsWith('[]') && type.endsWith('[1]')) return undefined;
  return `${path}: gdb says its type is ${type}, we say ${value.typeText}`;
}

const differences = (scope: FrameScope, values: RecordedStop['variables']): string[] =>
  Object.entries(values)
    .map(([path, [type, value]]) => compare(scope, path, type, value))
    .filter((difference) => difference !== undefined);

describe('Values and expressions, compared with gdb', () => {
  for (const tour of TOURS) {
    describe(tour, () => {
      const recording = recordingOf(tour);
      const program = loadTour(tour);
      const scopeAt = (stop: RecordedStop): FrameScope => new FrameScope(program, frameAt(program, stop));

      it('every stop has the parameters and locals that gdb shows', () => {
        assert.ok(recording.stops.length >= 8, 'too few stops were recorded');
        for (const stop of recording.stops)
          assert.deepEqual(differences(scopeAt(stop), stop.variables), [], `at ${stop.marker}`);
      });

      it('global and static variables have their types and values', () => {
        const stop = recording.stops.find(({ marker }) => marker === 'in-run');
        assert.ok(stop && Object.keys(recording.globals).length > 80);
        assert.deepEqual(differences(scopeAt(stop), recording.globals), []);
      });

      it('expressions have the value that gdb computes', () => {
        const stop = recording.stops.find(({ marker }) => marker === 'in-run');
        const scope = scopeAt(stop!);
        const wrong: string[] = [];
        for (const [text, [, expected]] of Object.entries(recording.expressions)) {
          const actual = plain(evaluateExpression(text, scope));
          if (expected !== null && !expected.includes(' ') && actual !== number(expected))
            wrong.push(`${text}: gdb ${expected}, ours ${actual}`);
        }
        assert.deepEqual(wrong, []);
      });

      it('the chain of inlined calls is the one gdb shows', () => {
        for (const stop of recording.stops) {
          const scopes = program.info.scopesAt(Number(stop.pc))!;
          const names = [...scopes.inlined].reverse().map(({ name }) => name);
          names.push(scopes.function.name);
          assert.deepEqual(
            names,
            stop.frames.slice(0, names.length).map(([name]) => name),
            `at ${stop.marker}`,
          );
          const calls = [...scopes.inlined].reverse().map(({ call }) => call.line);
          assert.deepEqual(
            calls,
            stop.frames.slice(1, names.length).map(([, line]) => line),
            `at ${stop.marker}`,
          );
        }
      });
    });
  }
});

describe('The comparison with gdb', () => {
  it('hardly any value needs what only the caller knows', () => {
    assert.ok(compared > 1_500, `only ${compared} values were compared`);
    assert.ok(leftOut <= compared / 50, `${leftOut} of ${compared} were left out`);
  });
});

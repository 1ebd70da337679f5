import assert from 'node:assert/strict';
import type { Value } from '../../../debug-adapter/inspect/variables/value';
import { stopAt, TOURS } from '../dwarf-info/tour';

const { scope, frame } = stopAt('gcc-v5-O0', 'in-run');
const named = (name: string): Value => {
  const value = scope.lookUp(name);
  assert.ok(value, `no ${name}`);
  return value;
};
const text = (name: string): string => named(name).text();
const lines = (values: readonly Value[]): string[] => values.map((value) => `${value.name} = ${value.text()}`);

describe('Values as a user of C wants them', () => {
  it('integers are decimal, and characters come with their number', () => {
    assert.equal(text('small'), '-300');
    assert.equal(text('big'), '-9000000000');
    assert.equal(text('limit'), '18446744073709551615');
    assert.equal(text('tiny'), "-5 '\\373'");
    assert.equal(text('byte'), "200 '\\310'");
    assert.equal(text('wide'), '1267650600228229401496703205383');
  });

  it('booleans and floating point numbers read as in the source', () => {
    assert.equal(text('yes'), 'true');
    assert.equal(text('single'), '1.5');
    assert.equal(text('twice'), '-0.1');
    assert.equal(text('quad'), '3.25');
  });

  it('an enumeration shows a name, a combination of flags, or the number that it does not know', () => {
    assert.equal(text('paint'), 'GREEN');
    assert.equal(text('rights'), 'READ | EXECUTE');
    assert.equal(text('way'), 'NEGATIVE');
    assert.equal(text('odd'), '77');
  });

  it('a character pointer shows its string, escaped', () => {
    assert.match(named('names').children(0, 1)[0]!.text(), /^0x[\da-f]+ "one"$/);
    assert.match(named('names').children(1, 1)[0]!.text(), /^0x[\da-f]+ "two\\n"$/);
    assert.match(named('names').children(2, 1)[0]!.text(), /^0x[\da-f]+ "th\\"ree"$/);
    assert.equal(named('names').children(3, 1)[0]!.text(), '0x0');
    assert.equal(text('text'), '"hello"');
  });

  it('a function pointer shows the function', () => {
    assert.match(text('operation'), /^0x[\da-f]+ <multiply>$/);
    assert.match(text('table'), /^\{0x[\da-f]+ <add>, 0x[\da-f]+ <multiply>\}$/);
  });

  it('a struct is previewed on one line, with bit fields and unnamed members', () => {
    assert.equal(text('origin'), '{x = 3, y = -4}');
    assert.match(
      text('sample'),
      /^\{version = 5, urgent = 1, delta = -3, sequence = 737894400291, tag = 112 'p', payload = \{i = 1065353216, f = 1/,
    );
    assert.deepEqual(lines(named('sample').children()).slice(7, 10), ['whole = 131073', 'low = 1', 'high = 2']);
    assert.ok(text('sample').length < 200);
  });

  it('arrays of arrays have elements that are arrays', () => {
    assert.equal(text('matrix'), '{{1, 2, 3}, {4, 5, 6}}');
    const [, second] = named('matrix').children();
    assert.deepEqual(lines(second!.children()), ['[0] = 4', '[1] = 5', '[2] = 6']);
    assert.equal(second!.children()[2]!.evaluateName, 'matrix[1][2]');
    assert.equal(second!.present().type, 'int [3]');
  });

  it('a pointer to a struct has the members, one to a scalar its target, a null or void pointer nothing', () => {
    const first = named('first');
    const [, next] = first.children();
    assert.deepEqual(lines(next!.children()).slice(0, 1), ['value = 20']);
    assert.equal(next!.children()[1]!.children()[0]!.evaluateName, 'first.next->next->value');
    assert.equal(named('names').children(0, 1)[0]!.children()[0]!.name, '*[0]');
    assert.equal(named('names').children(0, 1)[0]!.children()[0]!.evaluateName, '*names[0]');
    assert.deepEqual(named('nothing').children(), []);
    assert.deepEqual(named('names').children(3, 1)[0]!.children(), []);
    assert.equal(named('nothing').present().namedVariables, undefined);
  });

  it('a list that contains itself can be opened without end, one step at a time', () => {
    let at = named('ring');
    for (let i = 0; i < 50; i++) at = at.children()[1]!;
    assert.equal(at.children()[0]!.text(), '99');
  });

  it('a wild pointer has one child that says what cannot be read', () => {
    const [target] = named('wild').children();
    assert.equal(target!.text(), '<cannot read memory at 0xdead0000>');
    assert.equal(target!.present().unavailable, 'cannot read memory at 0xdead0000');
    assert.equal(named('wild').present().memoryReference, 0xdead0000n);
  });

  it('a flexible array member has no elements that could be counted', () => {
    const items = named('bag').children()[1]!;
    assert.equal(items.present().type, 'short []');
    assert.equal(items.text(), '{<length not known>}');
    assert.deepEqual(items.children(), []);
  });

  it('an array of a hundred thousand elements costs one read for one page', () => {
    const many = named('many');
    const before = frame.reads();
    const page = many.children(99_990, 100);
    assert.equal(page.length, 10);
    assert.deepEqual(lines(page).slice(8), ['[99998] = 0', '[99999] = 21']);
    assert.equal(frame.reads() - before, 1);
    assert.equal(many.present().indexedVariables, 100_000);
    assert.equal(many.present().namedVariables, undefined);
    assert.deepEqual(many.children(100_000, 5), []);
    assert.deepEqual(
      many.children(-5, 1).map(({ name }) => name),
      ['[0]'],
    );
  });

  it('an array of variable length has the length it has now', () => {
    for (const tour of ['gcc-v4-O0', 'gcc-v5-O0', 'clang-v5-O0', 'gcc-v5-O2']) {
      const cells = stopAt(tour, 'in-vla').scope.lookUp('cells')!;
      assert.equal(cells.present().type, 'int [5]', tour);
      if (tour.endsWith('O0')) assert.equal(cells.text(), '{0, 1, 4, 9, 16}', tour);
    }
  });

  it('memory references are addresses of objects and targets of pointers', () => {
    assert.equal(named('matrix').present().memoryReference, named('matrix').address);
    assert.equal(named('nothing').present().memoryReference, undefined);
    const next = named('first').children()[1]!;
    assert.equal(next.present().memoryReference, named('second').address);
    assert.equal(named('sample').children()[0]!.present().memoryReference, undefined);
  });

  it('what is optimised out says so, and so do its parts', () => {
    const seen = new Set<string>();
    for (const tour of TOURS.filter((name) => name.endsWith('O2'))) {
      const { scope: optimised } = stopAt(tour, 'in-by-value');
      for (const value of [...optimised.parameters(), ...optimised.locals()])
        if (value.unavailable) seen.add(`${value.name}: ${value.text()} ${value.children().length}`);
    }
    assert.ok(seen.has('unused: <optimised out> 0'), [...seen].join('\n'));
  });

  it('a static local is a local, and its value survives the call', () => {
    assert.equal(stopAt('clang-v5-O0', 'in-by-value').scope.lookUp('calls')!.text(), '42');
  });
});

import assert from 'node:assert/strict';
import { EvaluateError, evaluateExpression } from '../../../debug-adapter/inspect/evaluate/evaluate';
import type { FrameScope } from '../../../debug-adapter/inspect/variables/frame';
import { random } from '../dwarf-info/exercise';
import { stopAt } from '../dwarf-info/tour';

const { scope } = stopAt('gcc-v5-O0', 'in-run');

const text = (expression: string, where: FrameScope = scope): string => {
  const value = evaluateExpression(expression, where);
  return value instanceof EvaluateError ? `error: ${value.message}` : value.text();
};
const type = (expression: string): string => {
  const value = evaluateExpression(expression, scope);
  return value instanceof EvaluateError ? `error: ${value.message}` : value.present().type;
};
const error = (expression: string): string => {
  const value = evaluateExpression(expression, scope);
  assert.ok(value instanceof EvaluateError, `${expression} is ${value instanceof EvaluateError ? '' : value.text()}`);
  return `${value.code}${value.column === undefined ? '' : ` at ${value.column}`}: ${value.message}`;
};

describe('Expressions', () => {
  it('reach members through pointers, arrays and unnamed unions', () => {
    assert.equal(text('first.next->next->value'), '30');
    assert.equal(text('sample.inner.right'), '-12');
    assert.equal(text('sample.high'), '2');
    assert.equal(text('(&ring)->next->value'), '99');
    assert.equal(text('1[matrix][2]'), '6');
    assert.equal(text('(*(&origin)).y'), '-4');
  });

  it('format suffixes change how a value and its children are written', () => {
    assert.equal(text('byte,x'), '0xc8');
    assert.equal(text('small,x'), '0xfed4');
    assert.equal(text('sample.delta,b'), '0b11101');
    assert.equal(text('65,c'), "65 'A'");
    assert.equal(text('paint,d'), '5');
    assert.equal(text('matrix,x'), '{{0x1, 0x2, 0x3}, {0x4, 0x5, 0x6}}');
    assert.equal(text('operation,x').includes('<multiply>'), true);
    assert.equal(text('byte , o'), '0310');
  });

  it('a length makes an array of what a pointer leads to', () => {
    assert.equal(text('bag->items,[2]'), '{1, 2}');
    assert.equal(text('&matrix[0][0],[2+2],x'), '{0x1, 0x2, 0x3, 0x4}');
    assert.equal(type('&many[5],[3]'), 'int [3]');
    assert.match(error('origin,[3]'), /^wrongType at 9: point is not a pointer or array\.$/);
    assert.match(error('many,[-1]'), /has to be a positive integer/);
    assert.match(error('many,[9007199254740991]'), /too many/);
  });

  it('casts follow the types of the program, by typedef, tag or base words', () => {
    assert.equal(text('((struct node *)&second)->value'), '20');
    assert.equal(text('((point *)&origin)->x'), '3');
    assert.equal(type('(address_t)0'), 'address_t');
    assert.equal(type('(unsigned long int)0'), 'unsigned long');
    assert.equal(type('(long unsigned)0'), 'unsigned long');
    assert.equal(type('(const char *const *)0'), 'char **');
    assert.equal(text('(enum colour)6'), 'BLUE');
    assert.equal(text('sizeof(int[3][2])'), '24');
    assert.equal(text('(float)1/3'), '0.33333334');
  });

  it('the program decides whether (name) is a cast', () => {
    assert.equal(text('(word)-1'), '18446744073709551615');
    assert.equal(text('(small)-1'), '-301');
    assert.equal(text('(byte)&7'), '0');
    assert.match(error('(word)'), /^syntax at 7/);
  });

  it('registers have the names of the calling convention', () => {
    assert.equal(text('$pc').replace(/0x[\da-f]+ /, ''), `<${scope.program.describeAddress!(scope.frame.pc)}>`);
    assert.equal(text('$x2,x'), text('$sp,x'));
    assert.equal(text('$sp == $x2'), '1');
    assert.equal(type('$a0'), 'long');
    assert.equal(type('$fa0'), 'double');
    assert.match(error('$bogus'), /^unknownIdentifier at 1: There is no register named '\$bogus'/);
  });

  it('functions and enumerators are values', () => {
    assert.match(text('run'), /^0x[\da-f]+ <run>$/);
    assert.match(text('&add'), /^0x[\da-f]+ <add>$/);
    assert.equal(text('*operation == multiply'), '1');
    assert.equal(text('BLUE'), 'BLUE');
    assert.equal(text('BLUE + 1'), '7');
  });

  it('short-circuit operators do not look at what does not matter', () => {
    assert.equal(text('nothing && *(int *)nothing'), '0');
    assert.equal(text('1 || *wild'), '1');
    assert.equal(text('1 ? 5 : *wild'), '5');
    assert.match(error('0 || *wild'), /unavailable .* cannot read memory at 0xdead0000/);
  });

  it('a value that cannot be read is shown as such, and cannot be computed with', () => {
    assert.equal(text('*wild'), '<cannot read memory at 0xdead0000>');
    assert.equal(error('*wild + 1'), 'unavailable at 7: It has no value here: cannot read memory at 0xdead0000.');
    const { scope: optimised } = stopAt('clang-v5-O2', 'in-by-value');
    assert.equal(text('unused', optimised), '<optimised out>');
    assert.equal(text('unused + 1', optimised), 'error: unused has no value here: optimised out.');
    assert.equal(text('&unused', optimised), 'error: It has no address: optimised out.');
  });

  it('a child evaluates to itself by its name', () => {
    for (const name of [
      'first',
      'sample',
      'matrix',
      'names',
      'bag',
      'table',
      'ring',
      '*first.next',
      '(&origin)',
      'matrix[0]',
    ]) {
      const value = evaluateExpression(name, scope);
      assert.ok(!(value instanceof EvaluateError), name);
      for (const child of value.children(0, 20)) {
        assert.ok(child.evaluateName, `${name}: ${child.name}`);
        assert.equal(text(child.evaluateName), child.text(), child.evaluateName);
      }
    }
  });

  describe('errors are sentences that say what to do', () => {
    it('names that nothing has', () => {
      assert.equal(
        error('nope'),
        "unknownIdentifier at 1: There is no variable, function or constant named 'nope' in this scope.",
      );
      assert.equal(
        error('1 + nope'),
        "unknownIdentifier at 5: There is no variable, function or constant named 'nope' in this scope.",
      );
      assert.equal(
        error('(struct nope *)0'),
        "unknownType at 2: There is no type named 'struct nope' in the debug information of this program.",
      );
      assert.equal(error('origin.z'), "noMember at 7: point has no member named 'z'.");
    });

    it('operators on the wrong type', () => {
      assert.equal(error('first.next.value'), "wrongType at 11: struct node * is a pointer: use '->' instead of '.'.");
      assert.equal(error('first->value'), "wrongType at 6: struct node is not a pointer: use '.' instead of '->'.");
      assert.equal(error('small.x'), 'wrongType at 6: short is not a struct or union: it has no members.');
      assert.equal(error('*small'), 'wrongType at 1: short is not a pointer or array.');
      assert.equal(
        error('*nothing'),
        'wrongType at 1: A void pointer leads to no value; cast it to another type first.',
      );
      assert.equal(error('origin + 1'), 'wrongType at 8: point is not a number.');
      assert.equal(error('single % 2'), "wrongType at 8: '%' needs integers, not float.");
      assert.equal(error('first.next * 2'), "wrongType at 12: '*' cannot be applied to struct node * and int.");
      assert.equal(error('(point)small'), 'wrongType at 1: C does not cast to point; cast the address: *(point *)&…');
      assert.equal(error('&sample.delta'), 'noAddress at 1: It has no address: it is a bit field.');
      assert.equal(error('&5'), 'noAddress at 1: It has no address: it is not in memory.');
      assert.equal(error('1 / 0'), 'arithmetic at 3: Division by zero.');
    });

    it('syntax, with the column', () => {
      assert.equal(error('1 +'), 'syntax at 4: Syntax error at column 4: expected a value, found the end.');
      assert.equal(error('(1'), "syntax at 3: Syntax error at column 3: expected ')', found the end.");
      assert.equal(
        error('a b'),
        "syntax at 3: Syntax error at column 3: expected the end of the expression, found 'b'.",
      );
      assert.equal(error('1 # 2'), 'syntax at 3: Syntax error at column 3: "#" is not part of a C expression.');
      assert.equal(error('08'), 'syntax at 1: Syntax error at column 1: 08 is not a number or character.');
      assert.equal(
        error('99999999999999999999'),
        'syntax at 1: Syntax error at column 1: 99999999999999999999 is not a number or character.',
      );
      assert.equal(error(''), 'syntax at 1: Syntax error at column 1: expected a value, found the end.');
      assert.match(error('small,q'), /expected a format/);
    });

    it('what would change the program', () => {
      assert.equal(
        error('add(1, 2)'),
        'noSideEffects at 4: Functions are not called from expressions: a call could change the program.',
      );
      assert.match(error('small = 1'), /^noSideEffects at 7: '=' would change the program/);
      assert.match(error('small += 1'), /^noSideEffects at 7: '\+=' would change/);
      assert.match(error('small++'), /^noSideEffects at 6: '\+\+' would change/);
      assert.match(error('--small'), /^noSideEffects at 1: '--' would change/);
      assert.match(error('"text"'), /^notSupported at 1: String literals are not supported/);
    });

    it('expressions that are too long or too deep', () => {
      assert.match(
        error('('.repeat(500) + '1' + ')'.repeat(500)),
        /^tooLong: The expression is nested deeper than 100 levels/,
      );
      assert.match(error('-'.repeat(1) + '!'.repeat(1_500) + '1'), /^tooLong/);
      assert.match(error('1+'.repeat(2_000) + '1'), /^tooLong: The expression is longer than 2000 characters/);
    });
  });

  it('random text never throws and never writes', () => {
    const words = [
      'first',
      'sample',
      'many',
      'point',
      'struct',
      'node',
      '(',
      ')',
      '[',
      ']',
      '*',
      '&',
      '->',
      '.',
      '1',
      '0x10',
      "'a'",
      '+',
      '-',
      '/',
      '%',
      '<<',
      ',',
      'x',
      '$sp',
      'sizeof',
      '?',
      ':',
      '&&',
      '==',
      'next',
      'value',
      'twice',
      'wild',
      'unsigned',
      '~',
    ];
    const next = random(11);
    let values = 0;
    for (let i = 0; i < 20_000; i++) {
      const expression = Array.from({ length: 1 + next(7) }, () => words[next(words.length)]).join(next(2) ? ' ' : '');
      const value = evaluateExpression(expression, scope);
      if (value instanceof EvaluateError)
        assert.ok(value.message.endsWith('.') && value.message.length < 300, value.message);
      else values += value.text().length > 0 ? 1 : 0;
    }
    assert.ok(values > 500, `only ${values} were expressions`);
  });
});

/** Names the debuggee chose. */
import assert from 'node:assert/strict';
import { printable } from '../../../debug-adapter/inspect/printable';

describe('A name from the debuggee', () => {
  it('is shown as it is when it is text', () => {
    for (const name of ['server', 'größe', '名前', 'a b', '', 'operator<<']) assert.equal(printable(name), name);
  });

  it('cannot steer a terminal, begin a line or turn the text around it', () => {
    assert.equal(printable('a\u001b[2Jb'), 'a␛[2Jb');
    assert.equal(printable('a\nb\r\tc\u0000'), 'a␊b␍␉c␀');
    assert.equal(printable('\u009b2J\u007f'), '\\u{9b}2J\\u{7f}');
    assert.equal(printable('\u202eevil\u2066'), '\\u{202e}evil\\u{2066}');
    assert.equal(printable('\ud800'), '\\u{d800}');
    assert.equal(printable('a\u2028b'), 'a\\u{2028}b');
  });

  it('is cut where it is endless', () => {
    assert.equal(printable('x'.repeat(10_000)).length, 301);
  });
});

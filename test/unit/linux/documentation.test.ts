import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { implementedCalls } from '../../../emulator/linux/calls/table';
import { signatureOf } from '../../../emulator/linux/calls/signatures';
import { systemCallsPage } from '../../../emulator/linux/documentation';

describe('docs/system-calls.md', () => {
  it('is what the tables say (npm run docs:system-calls writes it)', () => {
    assert.equal(readFileSync('docs/system-calls.md', 'utf8'), systemCallsPage());
  });

  it('every call that is implemented has a row with its arguments', () => {
    assert.deepEqual(
      implementedCalls().filter((name) => !signatureOf(name)),
      [],
    );
  });
});

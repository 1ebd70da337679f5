import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { instructionsPage } from '../../../emulator/isa/documentation';
import { ROWS } from '../../../emulator/isa/rows';

describe('docs/instructions.md', () => {
  it('is what the rows say today (npm run docs:instructions writes it)', () => {
    assert.equal(readFileSync('docs/instructions.md', 'utf8'), instructionsPage());
  });

  it('has a line for every row', () => {
    const page = instructionsPage();
    for (const { mnemonic } of ROWS) assert.ok(page.includes(`\n| \`${mnemonic}\` |`), mnemonic);
  });
});

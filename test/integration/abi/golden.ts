/** Golden files of this folder; GOLDEN=write writes them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const GOLDEN = join(process.cwd(), 'test/integration/abi/golden');

export function golden(name: string, text: string): void {
  const file = join(GOLDEN, `${name}.txt`);
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, text);
  assert.ok(existsSync(file), `${file} exists; GOLDEN=write writes it`);
  assert.equal(text, readFileSync(file, 'utf8'));
}

/** Golden files: what something printed when people last read it. GOLDEN=write writes them; read the difference like code. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `file` is a path from the root of the project. */
export function compareWithGolden(file: string, text: string): void {
  const path = join(process.cwd(), file);
  if (process.env['GOLDEN'] === 'write') writeFileSync(path, text);
  assert.ok(existsSync(path), `${path} exists; GOLDEN=write writes it`);
  assert.equal(text, readFileSync(path, 'utf8'));
}

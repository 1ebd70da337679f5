import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { layoutOf } from '../../../samples/toolchain/layout';
import { run, which } from '../../../samples/toolchain/run';
import { sampleNames } from '../../../samples/toolchain/build';

const layout = layoutOf(resolve('.'));
const json = (path: string) => JSON.parse(readFileSync(join(layout.samples, path), 'utf8'));

describe('The samples', () => {
  it('are the tutorials and the mistakes, each with a README', () => {
    assert.deepEqual(sampleNames(layout), ['hazards', 'hello-world', 'server-chain', 'shadow-fork', 'stop-resume']);
    for (const name of sampleNames(layout))
      assert.match(readFileSync(join(layout.samples, name, 'README.md'), 'utf8'), /What to look at/);
  });

  it('name every marked line once in its file', () => {
    for (const name of sampleNames(layout)) {
      const folder = join(layout.samples, name);
      for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.c'))) {
        const text = readFileSync(join(folder, file), 'utf8');
        const markers = [...text.matchAll(/\/\/ bp: (\S+)$/gm)].map((match) => match[1]);
        assert.ok(markers.length > 0, `${name}/${file}`);
        assert.equal(new Set(markers).size, markers.length, `${name}/${file}: ${markers.join(', ')}`);
      }
    }
  });

  it('have launch configurations that start what is built, after the task that builds it', () => {
    const tasks = json('.vscode/tasks.json').tasks as { label: string; args: string[] }[];
    const configurations = json('.vscode/launch.json').configurations as Record<string, string & string[]>[];
    assert.equal(configurations.length, 6);
    for (const configuration of configurations) {
      const sample = /^\$\{workspaceFolder\}\/build\/([^/]+)\/host$/.exec(configuration['program']!)![1]!;
      assert.ok(sampleNames(layout).includes(sample));
      const task = tasks.find(({ label }) => label === configuration['preLaunchTask'])!;
      assert.deepEqual(task.args, ['${workspaceFolder}/../dist/penglai.js', 'build-samples', sample]);
      const enclaves = (configuration['args'] as string[]).filter((arg) => /^[a-z]/.test(arg));
      const sources = readdirSync(join(layout.samples, sample));
      for (const enclave of enclaves) assert.ok(sources.includes(`${enclave}.c`), `${sample} ${enclave}`);
    }
  });
});

describe('Running a program', () => {
  it('hands every argument over as it is, without a shell', async () => {
    const args = ['$(id)', 'a b', '*', "'", '; exit 3'];
    const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const { status, text } = await run(process.execPath, ['-e', script, '--', ...args]);
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(text), args);
  });

  it('answers with status 127 and the reason when the program does not exist', async () => {
    const { status, text } = await run('/nowhere/cc', []);
    assert.equal(status, 127);
    assert.match(text, /ENOENT/);
  });

  it('finds a program in PATH or by its path, and nothing that is not executable', () => {
    assert.equal(which(process.execPath, {}), process.execPath);
    assert.equal(which('package.json', { PATH: resolve('.') }), undefined);
    assert.equal(which('cc', { PATH: '' }), undefined);
  });
});

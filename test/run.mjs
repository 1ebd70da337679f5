#!/usr/bin/env node
// `npm test`: installs what is missing, builds, lints, type-checks and runs every test; `--core` leaves the editor out.
// Each runner writes a JSON report; a report that is missing or empty is a failure. The last line is `N passed, N failed`.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDependencies } from '../extension/workbench/packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const reports = join(root, 'out/reports');
const coreOnly = process.argv.includes('--core');

/** Runs a command with its output passed on (or, with `quietly`, shown only when it fails); resolves with its exit code. */
function run(title, command, args, { env = {}, quietly = false } = {}) {
  return new Promise((resolve) => {
    const stdio = quietly ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'];
    const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    let output = '';
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (output += data));
    child.once('error', (error) => {
      console.error(`${title}: ${error.message}`);
      resolve(1);
    });
    child.once('close', (code, signal) => {
      if (code !== 0 && output) process.stdout.write(`--- ${title} ---\n${output}`);
      if (code !== 0) console.error(`${title} failed (${signal ?? code})`);
      resolve(code ?? 1);
    });
  });
}

const node = (title, file, args = [], options = {}) =>
  run(title, process.execPath, [join(root, file), ...args], options);

/** Suites that run a second time, with engines that change at random ticks and a translator that takes everything for hot. */
const MIXED = [
  ...['attacks', 'commands', 'crowd', 'run', 'samples', 'trace', 'turns'].map((name) => `system/${name}`),
  ...['golden', 'stepping'].map((name) => `adapter/${name}`),
  ...['oracle', 'programs'].map((name) => `linux/${name}`),
  'operations/**/*',
  'misuse/**/*',
].map((name) => `integration/${name}`);
const MIXED_ENV = { PENGLAI_ENGINE: 'mixed', PENGLAI_HOTNESS: '1' };

/** A mocha process over bundled tests (`patterns` of their names), with its report. */
function mocha(name, patterns, env = {}) {
  const files = patterns.map((pattern) => join(root, 'out/test', `${pattern}.test.js`));
  const args = ['--reporter', join(root, 'test/tools/reporter.cjs'), ...files];
  return node(name, 'node_modules/mocha/bin/mocha.js', args, {
    env: { ...env, REPORT: join(reports, `${name}.json`) },
    quietly: true,
  });
}

/** The tables that tests made of what they visited. */
function printTables() {
  const folder = join(reports, 'tables');
  for (const file of existsSync(folder) ? readdirSync(folder).sort() : [])
    console.log(`--- ${file.replace(/\.txt$/, '')} ---\n${readFileSync(join(folder, file), 'utf8')}`);
}

/** Adds up the reports; anything wrong with one counts as a failure. */
function summarise(names, failedSteps) {
  let passed = 0;
  let failed = failedSteps.length;
  const skipped = [];
  for (const step of failedSteps) console.log(`FAILED  ${step}`);
  for (const name of names) {
    const file = join(reports, `${name}.json`);
    const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    if (!report || report.passed + report.failed === 0) {
      console.log(`FAILED  ${name}: ${report ? 'no test ran' : 'no report was written'}`);
      failed++;
      continue;
    }
    console.log(`${name}: ${report.passed} passed, ${report.failed} failed, ${report.skipped.length} skipped`);
    for (const failure of report.failures) console.log(`FAILED  ${failure}`);
    passed += report.passed;
    failed += report.failed;
    skipped.push(...report.skipped);
  }
  for (const title of skipped) console.log(`SKIPPED ${title}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0;
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
installDependencies(root);

const failedSteps = [];
const step = async (name, code) => {
  if ((await code) !== 0) failedSteps.push(name);
};
await step('build', node('build', 'build.mjs', ['--tests']));
await step('samples', node('samples', 'dist/penglai.js', ['build-samples']));
const checks = [
  step('types', node('types', 'node_modules/typescript/bin/tsc', ['--noEmit'], { quietly: true })),
  step('lint', node('lint', 'node_modules/eslint/bin/eslint.js', ['.'], { quietly: true })),
  step('format', node('format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '.'], { quietly: true })),
];
// A runner's failed tests are counted from its report, so its exit code is not a step of its own.
const names = ['unit', 'integration', 'mixed-engines'];
await Promise.all([
  ...checks,
  mocha('unit', ['unit/**/*']).then(() => mocha('mixed-engines', MIXED, MIXED_ENV)),
  mocha('integration', ['integration/**/*']),
]);
if (!coreOnly) {
  names.push('extension', 'extension-packaged');
  await node('extension', 'test/extension/run.mjs', [], { env: { REPORT: join(reports, 'extension.json') } });
}
printTables();
process.exitCode = summarise(names, failedSteps) ? 0 : 1;

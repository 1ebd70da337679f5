import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseLaunch } from '../../../debug-adapter/session/launch-options';

const manifest = JSON.parse(readFileSync(resolve(__dirname, '../../../../package.json'), 'utf8'));
const [debug] = manifest.contributes.debuggers;
const attributes: Record<string, { type: string | string[]; default?: unknown }> =
  debug.configurationAttributes.launch.properties;

/** One value each that the manifest's schema allows. */
const EXAMPLES: Record<string, unknown> = {
  program: '/a/host',
  args: ['x'],
  env: { A: 'b' },
  sdkFiles: ['/a/enclave'],
  root: '/a/rootfs',
  mounts: { '/lib': '/a/lib' },
  commands: ['./host'],
  stopOnEntry: true,
  stdin: '/a/input',
  sourceMap: { '/build': '/src' },
  cwd: '/a',
  seed: 1,
  memoryMiB: 512,
  trace: true,
  transitions: 'trace.txt',
  pace: 'fast',
  schedule: { quantum: 5000, vary: true },
  limits: 'device',
  attestation: 'standard',
  keys: 'none',
  rootKey: 'generated',
  hazards: 'end',
};

describe('the manifest', () => {
  it('offers exactly the launch attributes the adapter knows, with values it takes', () => {
    assert.deepEqual(Object.keys(attributes).sort(), Object.keys(EXAMPLES).sort());
    for (const [name, value] of Object.entries(EXAMPLES))
      assert.doesNotThrow(() => parseLaunch({ program: '/a/host', [name]: value }), name);
  });

  it('has only defaults that mean the same as leaving the attribute away', () => {
    const left = parseLaunch({ program: '/a/host' }) as unknown as Record<string, unknown>;
    for (const [name, { default: value }] of Object.entries(attributes))
      if (value !== undefined && name !== 'program' && left[name] !== undefined)
        assert.deepEqual(value, left[name], name);
  });

  it("lets VS Code's own runtime run the adapter under its stable name", () => {
    assert.equal(debug.runtime, 'node');
    assert.equal(debug.program, './dist/debug-adapter.js');
  });

  it('takes breakpoints in C, C++ and assembly', () => {
    const languages = manifest.contributes.breakpoints.map((entry: { language: string }) => entry.language);
    for (const language of ['c', 'cpp', 'asm', 'riscv']) assert.ok(languages.includes(language), language);
  });

  it('has a command for every button of the Enclaves view', () => {
    const known = new Set(manifest.contributes.commands.map((command: { command: string }) => command.command));
    for (const item of Object.values(manifest.contributes.menus).flat() as { command: string }[])
      assert.ok(known.has(item.command), item.command);
  });
});

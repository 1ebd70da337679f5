/** `penglai attest`, `penglai verify` and `penglai run --reports`, and the keys they share with the debugger. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintOf, parseKeyFile, type SimulatedKeys } from '../../../monitor/attestation/keys';
import { publicKeyOf } from '../../../monitor/attestation/sm2';
import { build } from '../adapter/builds';
import { programFile } from '../../tools/programs';

const COMMAND = programFile('penglai');
const source = (name: string): string => join(process.cwd(), 'test/integration/attestation/programs', `${name}.c`);

describe('penglai attest and penglai verify', function () {
  /** A project: .git, build/host, build/attested, build/idle. */
  let project: string;

  function penglai(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, [COMMAND, ...args], { cwd: project, encoding: 'utf8' });
  }
  const verify = (report: string, ...args: readonly string[]): { status: number | null; stdout: string } =>
    penglai('verify', report, ...args);
  const keys = (): SimulatedKeys => {
    const found = parseKeyFile(readFileSync(join(project, '.penglai/keys.json'), 'utf8'));
    return typeof found === 'string' ? assert.fail(found) : found;
  };
  /** Report number `i` of a run. */
  const report = (folder: string, i: number): string =>
    join(
      folder,
      readdirSync(join(project, folder)).find((name) => name.startsWith(`${i}-`))!,
    );

  before(async function () {
    if (!existsSync(COMMAND)) {
      console.log('skipped: dist/penglai.js is missing; npm run build makes it');
      this.skip();
    }
    project = mkdtempSync(join(tmpdir(), 'penglai-attest-'));
    for (const folder of ['.git', 'build']) mkdirSync(join(project, folder));
    for (const name of ['host', 'attested', 'idle'])
      copyFileSync(
        await build(name === 'host' ? 'host' : 'eapp', source(name), `attest-${name}`),
        join(project, 'build', name),
      );
  });
  after(() => {
    if (project) rmSync(project, { recursive: true });
  });

  it('the first run makes the project’s keys, its owner’s only; every report becomes a file', () => {
    const { status, stderr } = penglai('run', '--reports', 'reports', 'build/host', 'attested', 'idle');
    assert.equal(status, 0, stderr);
    assert.equal(readdirSync(join(project, 'reports')).length, 14);
    assert.ok(existsSync(join(project, 'reports/1-normal-host.bin')));
    assert.deepEqual(readdirSync(join(project, '.penglai')).sort(), ['.gitignore', 'keys.json']);
    assert.equal(readFileSync(join(project, '.penglai/.gitignore'), 'utf8'), '*\n');
    if (process.platform !== 'win32') assert.equal(statSync(join(project, '.penglai/keys.json')).mode & 0o777, 0o600);
  });

  it('the next run has the same keys', () => {
    assert.equal(penglai('run', '--reports', 'again', 'build/host', 'attested', 'idle').status, 0);
    assert.deepEqual(
      readFileSync(join(project, report('again', 1))),
      readFileSync(join(project, report('reports', 1))),
    );
  });

  it('attest predicts what a run reports', () => {
    const { stdout } = penglai('attest', 'build/attested', '--nonce', '1', '--json');
    const predicted = JSON.parse(stdout) as { hash: string; measurement: string };
    const bytes = readFileSync(join(project, report('reports', 1)));
    assert.equal(predicted.hash, bytes.subarray(160, 192).toString('hex'));
    const text = penglai('attest', 'build/attested', '--nonce', '1').stdout;
    assert.ok(text.includes(predicted.hash) && text.includes(predicted.measurement));
    const shadow = JSON.parse(
      penglai('attest', 'build/attested', '--type', 'shadow', '--nonce', '0x2', '--json').stdout,
    );
    assert.equal(
      shadow.hash,
      readFileSync(join(project, report('reports', 8)))
        .subarray(160, 192)
        .toString('hex'),
    );
  });

  it('verify exits with 0 for a good report and with 1 for any other, and names the part', () => {
    const good = report('reports', 1);
    const enclave = ['--enclave', 'build/attested', '--nonce', '1'];
    const { status, stdout } = verify(good, ...enclave);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /The report is good\.\n$/);
    const device = fingerprintOf(publicKeyOf(keys().device));
    assert.equal(verify(good, '--device', device.toUpperCase(), ...enclave).status, 0);

    const stranger = verify(good, '--device', '0'.repeat(64), ...enclave);
    assert.equal(stranger.status, 1);
    assert.match(stranger.stdout, /^dev_pub_key +WRONG .*another device/m);
    const old = verify(good, '--enclave', 'build/attested', '--nonce', '2');
    assert.match(old.stdout, /^enclave.nonce +WRONG .*sent was 2/m);
    const server = verify(good, ...enclave, '--type', 'server');
    assert.match(server.stdout, /^enclave.hash +WRONG .*created as NORMAL, not SERVER/m);
    const bytes = readFileSync(join(project, good));
    bytes[200]! ^= 1;
    writeFileSync(join(project, 'forged.bin'), bytes);
    const forged = verify('forged.bin', ...enclave, '--json');
    assert.equal(forged.status, 1);
    const { findings } = JSON.parse(forged.stdout) as { findings: { part: string; verdict: string }[] };
    assert.deepEqual(
      findings.filter(({ verdict }) => verdict !== 'ok').map(({ part }) => part),
      ['enclave.signature'],
    );
  });

  it('verify takes a measurement for the file, hexadecimal for bytes, and says what it did not check', () => {
    const { measurement } = JSON.parse(penglai('attest', 'build/attested', '--json').stdout) as { measurement: string };
    writeFileSync(join(project, 'report.hex'), readFileSync(join(project, report('reports', 1))).toString('hex'));
    const { status, stdout } = verify('report.hex', '--measurement', measurement);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /good, as far as it was checked: not enclave\.nonce/);
  });

  it('standard mode is another hash and another signature; verify tells the two apart', () => {
    const run = penglai('run', '--attestation', 'standard', '--reports', 'standard', 'build/host', 'attested', 'idle');
    assert.equal(run.status, 0, run.stderr);
    const file = report('standard', 1);
    const enclave = ['--enclave', 'build/attested', '--nonce', '1'];
    assert.equal(verify(file, '--attestation', 'standard', ...enclave).status, 0);
    const mixed = verify(file, ...enclave);
    assert.equal(mixed.status, 1);
    assert.match(mixed.stdout, /^enclave.signature +WRONG .*signature of attestation mode standard/m);
    assert.match(mixed.stdout, /^enclave.hash +WRONG .*in attestation mode standard, not penglai/m);
  });

  it('without keys nothing is signed, and verify says so', () => {
    assert.equal(penglai('run', '--keys', 'none', '--reports', 'none', 'build/host', 'attested', 'idle').status, 0);
    const { status, stdout } = verify(report('none', 1), '--enclave', 'build/attested', '--nonce', '1');
    assert.equal(status, 1);
    assert.match(stdout, /^enclave.signature +WRONG .*the machine got no keys/m);
    assert.match(stdout, /^enclave.hash +ok /m);
  });

  it('another root key gives enclaves other keys', () => {
    const words = (args: readonly string[]): string =>
      penglai('run', ...args, 'build/host', 'attested', 'idle')
        .stdout.match(/^ [0-9a-f]{8}$/gm)!
        .join();
    assert.notEqual(words(['--root-key', 'generated']), words(['--root-key', 'published']));
  });

  it('what is wrong with the input is said in one line, with what to do', () => {
    writeFileSync(join(project, 'odd'), 'odd');
    for (const [args, message] of [
      [['attest', 'nothing'], /^penglai: The enclave nothing does not exist\. /],
      [['attest', 'odd'], /^penglai: odd is no enclave the driver would load: .*penglai cc --eapp\.$/],
      [
        ['attest', 'build/attested', '--shm', 'odd'],
        /^penglai: odd has 3 bytes, but shared memory consists of pages of 4096/,
      ],
      [['attest', 'build/attested', '--nonce', '-1'], /^error: option '--nonce <number>' argument '-1' is invalid/],
      [['attest', 'build/attested', '--stack', '1e9'], /^error: option '--stack <bytes>' argument '1e9' is invalid/],
      [
        ['run', '--reports', 'odd', 'build/host'],
        /^penglai: Reports can't be written to odd \(\w+\)\. Give another folder/,
      ],
      [['verify', 'odd'], /^penglai: odd is not a report: .*328 bytes/],
      [
        ['verify', 'forged.bin', '--measurement', 'ab'],
        /^error: option '--measurement <hex>' argument 'ab' is invalid/,
      ],
      [['verify', 'forged.bin', '--enclave', 'odd', '--measurement', '0'.repeat(64)], /^penglai: Give either/],
    ] as const) {
      const { status, stderr } = penglai(...args);
      assert.equal(status, 1, args.join(' '));
      assert.match(stderr.trim(), message);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
  });

  it('a damaged key file is named, and is not replaced', () => {
    const file = join(project, '.penglai/keys.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"deviceKey": "', '"deviceKey": "xx'));
    const { status, stderr } = penglai('run', 'build/host', 'attested', 'idle');
    assert.equal(status, 1);
    assert.match(stderr, /keys\.json cannot be used: "deviceKey" is not .*Delete the file to get new ones\.\n$/);
    writeFileSync(file, text);
  });
});

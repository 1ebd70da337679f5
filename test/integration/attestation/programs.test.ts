/**
 * A host and enclaves that ask for every report and key there is, on the composed system: what the program sees, what the reports say to
 * the verifier, and that a run cut anywhere, also in the middle of a measurement, says the same.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tick } from '../../../emulator/units';
import { Report } from '../../../monitor/abi';
import { hashOf, prepareStandardHash } from '../../../monitor/attestation/hashes';
import { fingerprintOf, keysFrom } from '../../../monitor/attestation/keys';
import { PUBLISHED_ROOT_KEY } from '../../../monitor/attestation/machine';
import { Measurable, ORDINARY, type Creation } from '../../../monitor/attestation/predict';
import { fieldsOf } from '../../../monitor/attestation/report-file';
import { ATTESTATION_MODES, publicKeyOf, type AttestationMode } from '../../../monitor/attestation/sm2';
import { verifyReport } from '../../../monitor/attestation/verify';
import { enclaveKey } from '../../../monitor/report';
import type { MonitorState } from '../../../monitor/state';
import { ComposedSystem } from '../../../monitor/system/system';
import type { LaunchDescription, SystemEvent } from '../../../monitor/system/types';
import { build } from '../adapter/builds';
import { compareWithGolden } from '../../tools/golden';

const NAMES = ['host', 'attested', 'idle'] as const;
const source = (name: string): string => join(process.cwd(), 'test/integration/attestation/programs', `${name}.c`);
/** More ticks than the program takes. */
const END = tick(2_000_000_000);

const keys = keysFrom(new Uint8Array(32).fill(3));
const OWN_ROOT = new Uint8Array(32).fill(5);

type ReportEvent = SystemEvent & { kind: 'report' };
interface Run {
  readonly hash: string;
  readonly text: string;
  readonly reports: readonly ReportEvent[];
}

function textOf(events: readonly SystemEvent[]): string {
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return events
    .map((event) => (event.kind === 'output' ? decode(event.bytes) : event.kind === 'console' ? event.text : ''))
    .join('');
}

function finish(system: ComposedSystem, before: readonly SystemEvent[] = []): Run {
  assert.equal(system.run(END).reason, 'halted');
  const events = [...before, ...system.drain()];
  const reports = events.filter((event): event is SystemEvent & ReportEvent => event.kind === 'report');
  return { hash: system.hash(), text: textOf(events), reports };
}

describe('a program that attests', function () {
  let files: LaunchDescription['files'];
  let enclave: Measurable;
  let idle: Measurable;

  before(async () => {
    await prepareStandardHash();
    const built = await Promise.all(
      NAMES.map((name) => build(name === 'host' ? 'host' : 'eapp', source(name), `attest-${name}`)),
    );
    files = built.map((path, i) => ({
      path: `/root/${NAMES[i]}`,
      bytes: new Uint8Array(readFileSync(path)),
      mode: 0o755,
    }));
    [enclave, idle] = [1, 2].map((i) => Measurable.of(files[i]!.bytes) as Measurable) as [Measurable, Measurable];
  });

  const launch = (mode: AttestationMode, rootKey?: Uint8Array): LaunchDescription => ({
    program: '/root/host',
    argv0: './host',
    args: ['attested', 'idle'],
    cwd: '/root',
    files,
    memoryMiB: 64,
    attestation: { mode, keys, rootKey },
  });
  const start = (mode: AttestationMode, rootKey?: Uint8Array): ComposedSystem =>
    new ComposedSystem(launch(mode, rootKey), {});

  /** The line of words the enclave prints of its key. */
  const keyWords = (mode: AttestationMode, rootKey: Uint8Array, creation: Creation): string => {
    const key = enclaveKey(rootKey, enclave.measure(hashOf(mode), creation), 48);
    const view = new DataView(key.buffer, key.byteOffset);
    return Array.from(
      { length: 12 },
      (_, i) =>
        ` ${view
          .getUint32(4 * i, true)
          .toString(16)
          .padStart(8, '0')}\n`,
    ).join('');
  };

  it('prints what it should: attest in every state, reports of servers and of itself, keys', () => {
    const { text } = finish(start('penglai'));
    // What depends on the compiler is looked at below.
    const printed = text.replace(/^ [0-9a-f]{8}\n/gm, '');
    compareWithGolden('test/integration/attestation/golden/attested.txt', printed);
  });

  for (const mode of ATTESTATION_MODES)
    it(`every report is what is predicted from the files, and good to the verifier (${mode})`, () => {
      const { reports } = finish(start(mode));
      const template: Creation = { type: 'SHADOW', stackSize: 0 };
      const server: Creation = { ...ORDINARY, type: 'SERVER' };
      const about = (file: Measurable, creation: Creation) => ({ file, creation });
      const expected = [
        ...[1n, 1n, 0x8000000000000001n].map((nonce) => [nonce, about(enclave, ORDINARY)] as const),
        ...[5n, 5n].map((nonce) => [nonce, about(idle, server)] as const),
        ...[9n, 9n].map((nonce) => [nonce, undefined] as const),
        [2n, about(enclave, template)] as const,
        [5n, about(idle, server)] as const,
        [5n, about(idle, server)] as const,
        ...[9n, 9n].map((nonce) => [nonce, undefined] as const),
        ...[3n, 3n].map((nonce) => [nonce, about(idle, ORDINARY)] as const),
      ];
      assert.equal(reports.length, expected.length);
      const device = fingerprintOf(publicKeyOf(keys.device));
      reports.forEach(({ bytes, askedBy }, i) => {
        const [nonce, subject] = expected[i]!;
        assert.equal(askedBy === 'itself', subject === undefined);
        const { good, findings } = verifyReport(bytes, { mode, device, nonce, enclave: subject });
        assert.ok(good, `report ${i}: ${JSON.stringify(findings)}`);
        assert.equal(findings.filter(({ verdict }) => verdict === 'unchecked').length, subject ? 0 : 1);
      });
      const hash = (i: number): string => Buffer.from(fieldsOf(reports[i]!.bytes).enclaveHash).toString('hex');
      assert.notEqual(hash(5), hash(6), 'memory changed between two reports of an enclave about itself');
    });

  it('keys are derived from the measurement and the root key: the published one, or another', () => {
    for (const mode of ATTESTATION_MODES)
      for (const rootKey of [undefined, OWN_ROOT]) {
        const { text } = finish(start(mode, rootKey));
        for (const creation of [ORDINARY, { type: 'SHADOW', stackSize: 0 } as const])
          assert.ok(text.includes(keyWords(mode, rootKey ?? PUBLISHED_ROOT_KEY, creation)), `${mode} ${creation.type}`);
      }
  });

  it('a machine without keys gives the same hashes and zeros for the rest', () => {
    const signed = finish(start('penglai')).reports;
    const plain = finish(new ComposedSystem({ ...launch('penglai'), attestation: {} }, {})).reports;
    const hashes = (reports: readonly ReportEvent[]): string[] =>
      reports.filter(({ askedBy }) => askedBy !== 'itself').map(({ bytes }) => fieldsOf(bytes).enclaveHash.join());
    assert.deepEqual(hashes(plain), hashes(signed));
    for (const { bytes } of plain) {
      const rest = bytes.slice().fill(0, Report.enclave_hash, Report.enclave_hash + 32);
      rest.fill(0, Report.enclave_nonce, Report.enclave_nonce + 8);
      assert.ok(rest.every((byte) => byte === 0));
    }
  });

  for (const mode of ATTESTATION_MODES)
    it(`a run cut in the middle of measurements and anywhere else makes the same reports (${mode})`, () => {
      const whole = finish(start(mode));
      const seen = new ComposedSystem(launch(mode), {});
      const measuring: number[] = [];
      let last: unknown;
      while (seen.run(tick(seen.tick + 40_000)).reason !== 'halted') {
        const [task] = (seen.monitor.snapshot() as MonitorState).tasks;
        if (task?.do === 'measure' && task.at > 0 && task.root !== last) {
          measuring.push(seen.tick);
          last = task.root;
        }
      }
      assert.ok(measuring.length >= 3, `${measuring.length} cuts inside of measurements`);
      const length = seen.tick;
      for (const cut of [...measuring.slice(0, 4), ...[0.2, 0.5, 0.8].map((part) => Math.floor(part * length))]) {
        const first = start(mode);
        first.run(tick(cut));
        const before = first.drain();
        const second = start(mode);
        second.machine.useEngine('source');
        second.load(structuredClone(first.save()));
        assert.deepEqual(finish(second, before), whole, `cut at ${cut}`);
      }
    });
});

/**
 * The verifier of reports: looks at every part, and says of each whether it is right, and if not, why. Owns the order in which trust is
 * passed on: a device key that is known, the monitor's key and identity under it, the enclave's hash under the monitor's. Reports come
 * from anywhere: nothing here throws because of what they hold. Why an enclave's hash is another one is the business of explain.ts.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { explainHash } from './explain';
import { hashOf } from './hashes';
import { fingerprintOf, monitorHash, monitorStatement } from './keys';
import { reportHash, type Creation, type Measurable } from './predict';
import { fieldsOf, type ReportFields } from './report-file';
import { isPublicKey, verify, type AttestationMode } from './sm2';

/** What the verifier knows beside the report. What is undefined is not checked, and said so. */
export interface Expected {
  readonly mode: AttestationMode;
  /** Fingerprint of the device key that is trusted. */
  readonly device?: string | undefined;
  /** The enclave: its file and how it is created, or its measurement. */
  readonly enclave?:
    { readonly file: Measurable; readonly creation: Creation } | { readonly measurement: Uint8Array } | undefined;
  readonly nonce?: bigint | undefined;
}

/** The report's parts, by the names of report_t, in the order in which trust is passed on. */
export const PARTS = [
  'dev_pub_key',
  'sm.signature',
  'sm.sm_pub_key',
  'sm.hash',
  'enclave.signature',
  'enclave.hash',
  'enclave.nonce',
] as const;

export interface Finding {
  readonly part: (typeof PARTS)[number];
  readonly verdict: 'ok' | 'wrong' | 'unchecked';
  /** A sentence for people. */
  readonly why: string;
}

export interface Verdict {
  /** Nothing is wrong, and the device key, which everything else hangs on, is the trusted one. */
  readonly good: boolean;
  readonly findings: readonly Finding[];
}

type Judgement = readonly [Finding['verdict'], string];
const ok = (why: string): Judgement => ['ok', why];
const wrong = (why: string): Judgement => ['wrong', why];
const unchecked = (why: string): Judgement => ['unchecked', why];

/** `bytes` are the 328 of report_t. */
export function verifyReport(bytes: Uint8Array, expected: Expected): Verdict {
  const report = fieldsOf(bytes);
  const judge: Readonly<Record<Finding['part'], () => Judgement>> = {
    dev_pub_key: () => deviceKey(report, expected),
    'sm.signature': () => monitorSignature(report, expected),
    'sm.sm_pub_key': () => monitorKey(report),
    'sm.hash': () => monitorIdentity(report, expected),
    'enclave.signature': () => enclaveSignature(report, expected),
    'enclave.hash': () => enclaveHash(report, expected),
    'enclave.nonce': () => nonce(report, expected),
  };
  const findings = PARTS.map((part): Finding => {
    const [verdict, why] = judge[part]();
    return { part, verdict, why };
  });
  const wrongs = findings.some(({ verdict }) => verdict === 'wrong');
  return { good: !wrongs && findings[0]!.verdict === 'ok', findings };
}

const zero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
const NO_KEYS = 'it is zero: the machine got no keys (as a stock QEMU, or with keys: none), so that nothing is signed';
const other = (mode: AttestationMode): AttestationMode => (mode === 'penglai' ? 'standard' : 'penglai');

function deviceKey({ devicePublicKey }: ReportFields, { device }: Expected): Judgement {
  if (zero(devicePublicKey)) return wrong(NO_KEYS);
  if (!isPublicKey(devicePublicKey)) return wrong('it is no point of the SM2 curve');
  const fingerprint = fingerprintOf(devicePublicKey);
  if (device === undefined) return unchecked(`its fingerprint is ${fingerprint}; nobody said which device is trusted`);
  if (device.toLowerCase() === fingerprint) return ok('it is the device that is trusted');
  return wrong(`its fingerprint is ${fingerprint}, trusted is ${device}: the report is another device’s`);
}

/** Does the device vouch for the monitor in this mode? */
function vouched(report: ReportFields, mode: AttestationMode): boolean {
  const { devicePublicKey, smHash, smPublicKey, smSignature } = report;
  return verify(mode, devicePublicKey, monitorStatement(mode, hashOf(mode), smHash, smPublicKey), smSignature);
}

function monitorSignature(report: ReportFields, { mode }: Expected): Judgement {
  if (zero(report.smSignature)) return wrong(NO_KEYS);
  if (vouched(report, mode)) return ok('the device key signed the monitor’s hash and key');
  if (available(other(mode)) && vouched(report, other(mode)))
    return wrong(`it is a signature of attestation mode ${other(mode)}, expected is ${mode}`);
  return wrong(
    'the device key did not sign this pair of sm.hash and sm.sm_pub_key: one of the four was changed, or comes from another machine',
  );
}

function monitorKey({ smPublicKey }: ReportFields): Judgement {
  if (zero(smPublicKey)) return wrong(NO_KEYS);
  return isPublicKey(smPublicKey) ? ok('it is a point of the SM2 curve') : wrong('it is no point of the SM2 curve');
}

function monitorIdentity({ smHash }: ReportFields, { mode }: Expected): Judgement {
  if (zero(smHash)) return wrong(NO_KEYS);
  const hash = bytesToHex(smHash);
  if (hash === bytesToHex(monitorHash(hashOf(mode)))) return ok('it is the simulated monitor of this debugger');
  if (available(other(mode)) && hash === bytesToHex(monitorHash(hashOf(other(mode)))))
    return wrong(`it is the simulated monitor’s in attestation mode ${other(mode)}, expected is ${mode}`);
  return wrong(`${hash} is not the simulated monitor of this debugger`);
}

function enclaveSignature(report: ReportFields, { mode }: Expected): Judgement {
  const { enclaveHash: hash, enclaveSignature: signature, smPublicKey } = report;
  if (zero(signature)) return wrong(NO_KEYS);
  if (verify(mode, smPublicKey, hash, signature)) return ok('the monitor’s key signed enclave.hash');
  if (verify(other(mode), smPublicKey, hash, signature))
    return wrong(`it is a signature of attestation mode ${other(mode)}, expected is ${mode}`);
  return wrong('sm.sm_pub_key did not sign this enclave.hash: one of the three was changed');
}

function enclaveHash(report: ReportFields, { mode, enclave, nonce: expectedNonce }: Expected): Judgement {
  if (!enclave) return unchecked('nobody said which enclave is expected: give its file or its measurement');
  const hash = hashOf(mode);
  const measurement = 'file' in enclave ? enclave.file.measure(hash, enclave.creation) : enclave.measurement;
  const wanted = bytesToHex(report.enclaveHash);
  if (wanted === bytesToHex(reportHash(hash, measurement, report.nonce)))
    return ok(`it is the enclave’s: measurement ${bytesToHex(measurement)}`);
  const why = explainHash(report, mode, measurement, enclave, expectedNonce);
  return wrong(
    why ??
      `it is not this enclave’s, which is measured as ${bytesToHex(measurement)}: another build, other shared memory when it was created, or a report a running enclave made of itself`,
  );
}

function nonce(report: ReportFields, { nonce: expected }: Expected): Judgement {
  if (expected === undefined) return unchecked(`it is ${report.nonce}; nobody said which one was sent`);
  if (report.nonce === expected) return ok('it is the one that was sent');
  return wrong(`it is ${report.nonce}, sent was ${expected}: the report is an older one, or was changed`);
}

/** Can this process compute in the mode? */
export function available(mode: AttestationMode): boolean {
  try {
    hashOf(mode);
    return true;
  } catch {
    return false;
  }
}

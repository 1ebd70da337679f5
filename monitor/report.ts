/**
 * report_t and derived keys. Owns the layout, the hash of each way to ask for a report, who signs, and the key block in the monitor's
 * own memory. A machine that got no keys signs nothing: identity, public keys and signatures are zero, as on a stock QEMU.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { pa } from '../emulator/units';
import { Report, Result } from './abi';
import type { Reply } from './areas';
import { KeyBlock } from './attestation/keys';
import { sign } from './attestation/sm2';
import { raiseUnknown } from './calls';
import { isForeign } from './control';
import type { Core } from './core';
import { readString, writable, writeVirtual } from './enclave-tables';
import type { EnclaveEvent } from './events';
import { le64, measure } from './measure';
import { isPublic } from './pages';
import { permitted } from './permission';
import { serverNamed, type Enclave, type Shadow } from './state';
import type { AfterMeasure } from './task';
import { HASH_PAGE_TICKS, SIGN_TICKS } from './costs';

/**
 * What a boot stage with keys leaves for the monitor. It is there from the first report on: nothing else looks at it, and making it takes
 * longer than booting.
 */
function keyBlockOf(m: Core): Uint8Array {
  const present = m.read(KeyBlock.ADDRESS, KeyBlock.SIZE);
  const { keyBlock } = m.attestation;
  if (!keyBlock || present.some((byte) => byte !== 0)) return present;
  const made = keyBlock();
  m.port.write(pa(KeyBlock.ADDRESS), made);
  return made;
}

type AskedBy = (EnclaveEvent & { kind: 'report' })['askedBy'];

/** A report on `subject`, signed with the monitor's key if there is one. */
function reportOf(m: Core, subject: Enclave | Shadow, askedBy: AskedBy, hash: Uint8Array, nonce: bigint): Uint8Array {
  const block = keyBlockOf(m);
  const part = (at: number, length: number): Uint8Array => block.subarray(at, at + length);
  const bytes = new Uint8Array(Report.SIZE);
  bytes.set(part(KeyBlock.sm_hash, 32), Report.sm_hash);
  bytes.set(part(KeyBlock.sm_signature, 64), Report.sm_signature);
  bytes.set(part(KeyBlock.sm_pub_key, 64), Report.sm_pub_key);
  bytes.set(part(KeyBlock.dev_pub_key, 64), Report.dev_pub_key);
  bytes.set(hash, Report.enclave_hash);
  bytes.set(le64(nonce), Report.enclave_nonce);
  const key = part(KeyBlock.sm_pri_key, 32);
  if (key.some((byte) => byte !== 0)) {
    bytes.set(sign(m.attestation.mode, key, part(KeyBlock.sm_pub_key, 64), hash), Report.enclave_signature);
    m.cost += SIGN_TICKS;
  }
  m.emit({ kind: 'report', instance: subject.instance, name: subject.name, askedBy, bytes });
  return bytes;
}

/** Hash of a stored measurement and a nonce. */
function nonced(m: Core, hash: Uint8Array, nonce: bigint): Uint8Array {
  m.cost += HASH_PAGE_TICKS / 16;
  return m.attestation.hash.of(hash, le64(nonce));
}

/** ATTEST and ATTEST_SHADOW: the report goes to host memory. */
export function attest(m: Core, eid: number, address: number, nonce: bigint, shadow: boolean): void {
  const subject = shadow ? m.state.shadows.get(eid) : m.enclave(eid);
  // Templates are attested by whoever has their number.
  const foreign = !shadow && subject !== undefined && isForeign(m, subject);
  if (!permitted(m, subject, { operation: 'attest', what: 'attest_enclave', foreign })) return;
  if (address % 8 !== 0 || !m.holds('reportPointer', isPublic(m, address, Report.SIZE))) return m.error();
  m.port.write(pa(address), reportOf(m, subject, 'host', nonced(m, subject.hash, nonce), nonce));
  m.answer(Result.SUCCESS);
}

/** get_report of an enclave: of a server by name, or of itself as it is now. What is stored of a server stays as it is. */
export function getReport(m: Core, reply: Reply, name: number, address: number, nonce: bigint): void {
  const self = m.enclave(m.state.running)!;
  if (!writable(m, self, address, Report.SIZE)) return reply(Result.ERROR);
  if (name === 0) {
    m.queue(measure(m, self.root, self.entry, nonce, { kind: 'report', eid: self.eid, address, nonce }));
    return;
  }
  const text = readString(m, self, name, 16);
  const server = text === undefined ? undefined : serverNamed(m.state, text);
  if (!server) {
    raiseUnknown(m, text);
    m.log(`get_server_enclave_attest_report: server enclave is not existed: ${text ?? '(bad pointer)'}`);
    return reply(Result.ERROR);
  }
  writeVirtual(m, self, address, reportOf(m, server, 'enclave', nonced(m, server.hash, nonce), nonce));
  reply(Result.SUCCESS);
}

export function reportMeasured(
  m: Core,
  then: AfterMeasure & { kind: 'report' },
  digest: Uint8Array,
  reply: Reply,
): void {
  const self = m.enclave(then.eid)!;
  const done = writeVirtual(m, self, then.address, reportOf(m, self, 'itself', digest, then.nonce));
  reply(done ? Result.SUCCESS : Result.ERROR);
}

const ENCLAVE_KEY = 0;
const STORAGE_KEY = 1;
/** RFC 5869's limit for SHA-256. */
const MAX_KEY = 8160;

/** get_key: HKDF-SHA256 with the enclave's measurement as salt. Odd sizes and types write nothing and still return 0. */
export function getKey(m: Core, reply: Reply, type: number, address: number, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  if (type !== ENCLAVE_KEY && type !== STORAGE_KEY) {
    m.hazard('key-type', { type });
    m.log(`get_enclave_key: key type ${type} is not supported`);
    return reply(Result.SUCCESS);
  }
  if (!(size > 0 && size <= MAX_KEY)) {
    m.hazard('key-size', { size });
    return reply(Result.SUCCESS);
  }
  m.cost += HASH_PAGE_TICKS;
  const key = enclaveKey(m.attestation.rootKey, enclave.hash, size);
  reply(writeVirtual(m, enclave, address, key) ? Result.SUCCESS : Result.ERROR);
}

/** `size` bytes of an enclave's key: HKDF-SHA256 (RFC 5869), the measurement as salt, no info. */
export const enclaveKey = (rootKey: Uint8Array, measurement: Uint8Array, size: number): Uint8Array =>
  hkdf(sha256, rootKey, measurement, new Uint8Array(0), size);

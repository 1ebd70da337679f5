/**
 * report_t and derived keys. Owns the layout and the hash of each way to ask for a report; signatures and the monitor's own identity
 * are zero, as on a machine whose boot stage provisioned no keys.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { pa } from '../emulator/units';
import { Report, Result } from './abi';
import type { Reply } from './areas';
import { permitted } from './control';
import type { Core } from './core';
import { hostSpace } from './create';
import { digestOf } from './digest';
import { readString, writable, writeVirtual } from './enclave-tables';
import { le64, measure } from './measure';
import { isPublic } from './pages';
import { serverNamed } from './state';
import type { AfterMeasure } from './task';
import { HASH_PAGE_TICKS } from './costs';

function reportOf(hash: Uint8Array, nonce: bigint): Uint8Array {
  const bytes = new Uint8Array(Report.SIZE);
  bytes.set(hash, Report.enclave_hash);
  bytes.set(le64(nonce), Report.enclave_nonce);
  return bytes;
}

/** H(create_hash ‖ nonce). */
function nonced(m: Core, hash: Uint8Array, nonce: bigint): Uint8Array {
  m.cost += HASH_PAGE_TICKS / 16;
  const bytes = new Uint8Array(hash.length + 8);
  bytes.set(hash);
  bytes.set(le64(nonce), hash.length);
  return digestOf(bytes);
}

/** ATTEST and ATTEST_SHADOW: the report goes to host memory. */
export function attest(m: Core, eid: number, address: number, nonce: bigint, shadow: boolean): void {
  const template = shadow ? m.state.shadows.get(eid) : undefined;
  const enclave = m.enclave(eid);
  if (!shadow && !permitted(m, 'attest', enclave, 'attest_enclave')) return;
  const subject = shadow ? template : enclave;
  if (!subject || (!shadow && !m.holds('ownerSpace', subject.host === hostSpace(m)))) return m.error();
  if (address % 8 !== 0 || !m.holds('reportPointer', isPublic(m, address, Report.SIZE))) return m.error();
  m.port.write(pa(address), reportOf(nonced(m, subject.hash, nonce), nonce));
  m.answer(Result.SUCCESS);
}

/** get_report of an enclave: of a server by name, or of itself as it is now. */
export function getReport(m: Core, reply: Reply, name: number, address: number, nonce: bigint): void {
  const self = m.enclave(m.state.running)!;
  if (name === 0) {
    if (!writable(m, self, address, Report.SIZE)) return reply(Result.ERROR);
    m.queue(measure(self.root, self.entry, nonce, { kind: 'report', eid: self.eid, address, nonce }));
    return;
  }
  const text = readString(m, self, name, 16);
  const server = text === undefined ? undefined : serverNamed(m.state, text);
  if (!server) {
    m.log(`get_server_enclave_attest_report: server enclave is not existed: ${text ?? '(bad pointer)'}`);
    return reply(Result.ERROR);
  }
  const done = writeVirtual(m, self, address, reportOf(nonced(m, server.hash, nonce), nonce));
  reply(done ? Result.SUCCESS : Result.ERROR);
}

export function reportMeasured(
  m: Core,
  then: AfterMeasure & { kind: 'report' },
  digest: Uint8Array,
  reply: Reply,
): void {
  const done = writeVirtual(m, m.enclave(then.eid)!, then.address, reportOf(digest, then.nonce));
  reply(done ? Result.SUCCESS : Result.ERROR);
}

const ENCLAVE_KEY = 0;
const STORAGE_KEY = 1;
/** RFC 5869's limit for SHA-256. */
const MAX_KEY = 8160;
/** The published monitor's test root key: not a secret, and both key types share it. */
const ROOT_KEY = Uint8Array.from([...'feffe9928665731c6d6a8f9467308308'.matchAll(/../g)], ([byte]) =>
  parseInt(byte, 16),
);

/** get_key: HKDF-SHA256 with the enclave's measurement as salt. Odd sizes and types write nothing and still return 0. */
export function getKey(m: Core, reply: Reply, type: number, address: number, size: number): void {
  const enclave = m.enclave(m.state.running)!;
  if (type !== ENCLAVE_KEY && type !== STORAGE_KEY) {
    m.log(`get_enclave_key: key type ${type} is not supported`);
    return reply(Result.SUCCESS);
  }
  if (!(size > 0 && size <= MAX_KEY)) return reply(Result.SUCCESS);
  const root = new Uint8Array(32);
  root.set(ROOT_KEY);
  root.set(ROOT_KEY, 16);
  const key = hkdf(sha256, root, enclave.hash, new Uint8Array(0), size);
  m.cost += HASH_PAGE_TICKS;
  reply(writeVirtual(m, enclave, address, key) ? Result.SUCCESS : Result.ERROR);
}

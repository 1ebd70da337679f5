import assert from 'node:assert/strict';
import { bytesToHex } from '@noble/hashes/utils.js';
import { pa, va } from '../../../emulator/units';
import { CreateParam, Pte, Report, Sbi } from '../../../monitor/abi';
import { KeyBlock, keysFrom, monitorHash, monitorStatement, provision } from '../../../monitor/attestation/keys';
import { hashOf, prepareStandardHash } from '../../../monitor/attestation/hashes';
import { PUBLISHED_ROOT_KEY, type AttestationSettings } from '../../../monitor/attestation/machine';
import { publicKeyOf, verify, type AttestationMode } from '../../../monitor/attestation/sm2';
import { enclaveKey } from '../../../monitor/report';
import { Bench, Code } from './bench';

const PAGE = 4096;

/**
 * The published monitor's test vector: 0x1000 holds 00 01 … ff over and over, 0x2000 0xaa, sixteen zero stack pages, a zero kbuffer,
 * entry 0x1000.
 */
function vector(b: Bench): { eid: number; page: number } {
  const base = b.take(512);
  const page = b.take(2);
  const at = (i: number) => base + i * PAGE;
  const link = (table: number, slot: number, target: number, flags: number) =>
    b.port.writeI64(va(at(table) + 8 * slot), (at(target) / PAGE) * 1024 + flags);
  const user = Pte.V | Pte.R | Pte.W | Pte.X | Pte.U | Pte.A | Pte.D;
  b.port.write(
    va(at(3)),
    Uint8Array.from({ length: PAGE }, (_, i) => i & 255),
  );
  b.port.fill(va(at(4)), PAGE, 0xaa);
  link(1, 0, 30, Pte.V);
  link(30, 0, 31, Pte.V);
  link(31, 1, 3, user);
  link(31, 2, 4, user);
  const stack = 0x38_0000_0000 / PAGE - 16;
  link(1, Math.floor(stack / 2 ** 18), 32, Pte.V);
  link(32, Math.floor(stack / 512) & 511, 33, Pte.V);
  for (let i = 0; i < 16; i++) link(33, (stack + i) & 511, 10 + i, user);
  const put = (field: number, value: number) => b.port.writeI64(va(page + field), value);
  put(CreateParam.eid_ptr, page + 512);
  put(CreateParam.paddr, base);
  put(CreateParam.size, 512 * PAGE);
  put(CreateParam.entry_point, 0x1000);
  put(CreateParam.free_mem, at(40));
  put(CreateParam.kbuffer, page + PAGE);
  for (let i = 0; i < 5; i++) put(CreateParam.ecall_arg0 + 8 * i, page + 1024 + 8 * i);
  assert.equal(b.call(Sbi.CREATE_ENCLAVE, page), 0);
  return { eid: b.port.readI64(va(page + 512)), page };
}

/** A host's report. */
function reportAt(b: Bench, eid: number, page: number, nonce: number): Uint8Array {
  assert.equal(b.call(Sbi.ATTEST_ENCLAVE, eid, page + 2048, nonce), 0);
  return b.port.read(va(page + 2048), Report.SIZE);
}

const hashIn = (report: Uint8Array): string =>
  bytesToHex(report.subarray(Report.enclave_hash, Report.enclave_hash + 32));

describe('measurement and report', () => {
  it('the measurement at creation is the published monitor’s, bit for bit', () => {
    const b = new Bench().start();
    const { eid } = vector(b);
    assert.equal(bytesToHex(b.enclave(eid).hash), 'aa846c20184b1569f11dd30cf6ca9acc97decb66e6a8f3fecdb7c1c7fc8a9966');
  });

  it('a host’s report has the measurement mixed with the nonce, the nonce, and zeros elsewhere', () => {
    const b = new Bench().start();
    const { eid, page } = vector(b);
    assert.equal(b.call(Sbi.ATTEST_ENCLAVE, eid, page + 2048, 1234), 0);
    const report = b.port.read(va(page + 2048), Report.SIZE);
    const hash = report.subarray(Report.enclave_hash, Report.enclave_hash + 32);
    assert.equal(bytesToHex(hash), '20f3c9c30568ccc1f09bec51e015312d10b070a40170334f557c6005412717af');
    assert.equal(new DataView(report.buffer, report.byteOffset).getBigUint64(Report.enclave_nonce, true), 1234n);
    const rest = report.slice();
    rest.fill(0, Report.enclave_hash, Report.enclave_hash + 32).fill(0, Report.enclave_nonce, Report.enclave_nonce + 8);
    assert.ok(rest.every((byte) => byte === 0));
  });

  it('a nonce of all 64 bits arrives, in one register or in halves', () => {
    const b = new Bench().start();
    const { eid, page } = vector(b);
    assert.equal(b.call(Sbi.ATTEST_ENCLAVE, eid, page + 2048, 0x9abcdef0, 0x12345678), 0);
    assert.equal(b.port.readU64(va(page + 2048 + Report.enclave_nonce)), 0x123456789abcdef0n);
  });

  it('a report never goes to memory that is not the host’s', () => {
    const b = new Bench().start();
    const { eid, page } = vector(b);
    const other = b.create(Code.loop, { name: 'other' });
    for (const address of [0x8000_0000, other.base + PAGE, page + 4, 0, -8, 2 ** 52])
      assert.equal(b.call(Sbi.ATTEST_ENCLAVE, eid, address, 1), -1, `${address}`);
  });

  it('in standard mode the same bytes are measured with standard SM3', async () => {
    await prepareStandardHash();
    const b = new Bench({}, { mode: 'standard' }).start();
    const { eid, page } = vector(b);
    assert.equal(bytesToHex(b.enclave(eid).hash), '8d6ffba888eef738e449b7b6cab53501d84947ef9ef0b1dcf9ad6751c99f9f1c');
    const report = reportAt(b, eid, page, 1234);
    assert.equal(hashIn(report), 'bfe81f441bb8a659f54c747f911cbd04e62c97c0cced531ffc274938e37fdade');
  });

  it('an enclave’s report about itself is the hash of its pages as they are and the nonce', () => {
    const b = new Bench().start();
    const made = b.create(`li t0, 0x2000\nli t1, 77\nsd t1, 16(t0)\n${Code.call(94, 0, 0x2800, 9)}\n${Code.exitA0}`);
    const bytesOf = (page: number): Uint8Array => b.machine.machinePort.read(pa(made.base + page * PAGE), PAGE);
    const data = new Uint8Array(PAGE);
    data[16] = 77;
    const le64 = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);
    const run = (first: bigint, ...pages: readonly Uint8Array[]): Uint8Array[] => [
      le64(first),
      new Uint8Array(1),
      ...pages,
    ];
    const stream = [
      le64(0x1000n),
      ...run(0xffffff8000001000n, bytesOf(3), data),
      ...run(0xffffffb7fffff000n, new Uint8Array(PAGE)),
      ...run(0xffffffe000000000n, new Uint8Array(PAGE)),
      le64(9n),
    ];
    b.timerIn(50_000_000);
    assert.equal(b.run(made), 0);
    assert.equal(b.retval(made), 0n);
    const [report] = b.events.flatMap((event) => (event.kind === 'report' ? [event] : []));
    assert.equal(report?.askedBy, 'itself');
    assert.equal(hashIn(report.bytes), bytesToHex(hashOf('penglai').of(...stream)));
  });

  it('the host attests an instance that is stopped, with its template’s measurement', () => {
    const b = new Bench().start();
    b.create(Code.loop, { type: 'SHADOW' });
    const [template] = b.monitor.shadows();
    b.timerIn(100_000);
    const made = b.fork(template!.id);
    assert.equal(b.enclave(made.eid).state, 'RUNNABLE');
    assert.equal(b.call(Sbi.STOP_ENCLAVE, made.eid), 0);
    const hash = hashIn(reportAt(b, made.eid, b.take(1) - 2048, 5));
    assert.equal(b.call(Sbi.ATTEST_SHADOW_ENCLAVE, template!.id, b.take(1), 5), 0);
    const reports = b.events.flatMap((event) => (event.kind === 'report' ? [hashIn(event.bytes)] : []));
    assert.deepEqual(reports, [hash, hash]);
  });

  it('a server that is reported on keeps its measurement, however often', () => {
    const b = new Bench().start();
    const name = Buffer.from('server').readUIntLE(0, 6);
    const server = b.create(Code.loop, { type: 'SERVER', name: 'server' });
    const before = bytesToHex(b.enclave(server.eid).hash);
    const ask = Code.call(94, 0x2000, 0x2800, 9);
    const made = b.create(`li t0, 0x2000\nli t1, ${name}\nsd t1, 0(t0)\n${ask}\n${ask}\n${Code.exitA0}`);
    b.timerIn(50_000_000);
    assert.equal(b.run(made), 0);
    assert.equal(b.retval(made), 0n);
    assert.equal(bytesToHex(b.enclave(server.eid).hash), before);
    const reports = b.events.flatMap((event) => (event.kind === 'report' ? [hashIn(event.bytes)] : []));
    assert.equal(reports.length, 2);
    assert.equal(reports[0], reports[1]);
  });

  it('the same program has another measurement as NORMAL, SERVER and SHADOW; a name changes nothing', () => {
    const b = new Bench().start();
    const hash = (type: 'NORMAL' | 'SERVER' | 'SHADOW', name: string): string => {
      const { eid } = b.create(Code.loop, { type, name });
      const made = type === 'SHADOW' ? b.monitor.shadows().at(-1)! : b.enclave(eid);
      return bytesToHex(made.hash);
    };
    const all = [hash('NORMAL', 'a'), hash('SERVER', 'b'), hash('SHADOW', 'c')];
    assert.equal(new Set(all).size, 3);
    assert.equal(hash('NORMAL', 'another name'), all[0]);
  });
});

describe('a machine with simulated keys', () => {
  const keys = keysFrom(new Uint8Array(32).fill(7));
  const part = (report: Uint8Array, at: number, length: number): Uint8Array => report.subarray(at, at + length);

  before(prepareStandardHash);

  for (const mode of ['penglai', 'standard'] as const satisfies readonly AttestationMode[]) {
    const settings: AttestationSettings = { mode, keys };

    it(`fills the key block, and every part of a report follows from it (${mode})`, () => {
      const b = new Bench({}, settings).start();
      const { eid, page } = vector(b);
      const report = reportAt(b, eid, page, 1234);
      assert.deepEqual(
        b.machine.machinePort.read(pa(KeyBlock.ADDRESS), KeyBlock.SIZE),
        provision(mode, hashOf(mode), keys),
      );
      const [device, monitor] = [publicKeyOf(keys.device), publicKeyOf(keys.monitor)];
      assert.deepEqual(part(report, Report.dev_pub_key, 64), device);
      assert.deepEqual(part(report, Report.sm_pub_key, 64), monitor);
      const smHash = part(report, Report.sm_hash, 32);
      assert.deepEqual(smHash, monitorHash(hashOf(mode)));
      const statement = monitorStatement(mode, hashOf(mode), smHash, monitor);
      assert.ok(verify(mode, device, statement, part(report, Report.sm_signature, 64)));
      assert.ok(
        verify(mode, monitor, part(report, Report.enclave_hash, 32), part(report, Report.enclave_signature, 64)),
      );
    });

    it(`signs one hash the same way every time, and another nonce otherwise (${mode})`, () => {
      const b = new Bench({}, settings).start();
      const { eid, page } = vector(b);
      const [one, again, other] = [1, 1, 2].map((nonce) => reportAt(b, eid, page, nonce)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      assert.deepEqual(one, again);
      assert.notDeepEqual(part(one, Report.enclave_signature, 64), part(other, Report.enclave_signature, 64));
    });
  }

  it('keeps the keys from the kernel: the block is the monitor’s memory', () => {
    const b = new Bench({}, { keys }).start();
    assert.throws(() => b.port.readU64(va(KeyBlock.ADDRESS)), /memory fault/);
    assert.throws(() => b.port.write(va(KeyBlock.ADDRESS + KeyBlock.sm_pri_key), new Uint8Array(32)), /memory fault/);
  });

  it('measures the same with keys and without', () => {
    const [plain, signed] = [undefined, { keys }].map((settings) => {
      const b = new Bench({}, settings).start();
      const { eid, page } = vector(b);
      return hashIn(reportAt(b, eid, page, 1234));
    });
    assert.equal(signed, plain);
  });

  it('refuses keys that are none', () => {
    for (const monitor of [new Uint8Array(32), new Uint8Array(31).fill(1), new Uint8Array(32).fill(0xff)])
      assert.throws(() => new Bench({}, { keys: { ...keys, monitor } }), /no SM2 private key/);
  });
});

describe('keys of enclaves', () => {
  it('are derived as the published monitor derives them', () => {
    const measurement = Uint8Array.from({ length: 32 }, (_, i) => i);
    const key = enclaveKey(PUBLISHED_ROOT_KEY, measurement, 48);
    assert.equal(
      bytesToHex(key),
      'b05aa504e28561e1fc4170ff2626382bc2c28fe64694e40081ec195580a5995e9eb6309895c5b51cde57bd326e1dbf82',
    );
  });
});

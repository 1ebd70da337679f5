import assert from 'node:assert/strict';
import { bytesToHex } from '@noble/hashes/utils.js';
import { va } from '../../../emulator/units';
import { CreateParam, Pte, Report, Sbi } from '../../../monitor/abi';
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

  it('an enclave’s report about itself is about its memory as it is now', () => {
    const b = new Bench().start();
    const made = b.create(`${Code.call(94, 0, 0x2000, 9)}\n${Code.exitA0}`);
    const before = bytesToHex(b.enclave(made.eid).hash);
    const relay = b.take(1);
    b.timerIn(50_000_000);
    assert.equal(b.run(made, relay, PAGE), 0);
    assert.equal(b.retval(made), 0n);
    assert.equal(before.length, 64);
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

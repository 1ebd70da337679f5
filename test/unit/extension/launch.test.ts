import assert from 'node:assert/strict';
import { elfKind } from '../../../extension/launch/elf-kind';
import { rankHosts } from '../../../extension/launch/rank';

/** The head of an ELF file with one PT_LOAD header. */
function head({ machine = 243, class: bits = 2, type = 2, load = 0x10000, phnum = 1, phoff = 64 } = {}): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, BigInt(phoff), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, phnum, true);
  view.setUint32(64, 1, true);
  view.setBigUint64(80, BigInt(load), true);
  return bytes;
}

describe('what a file is, by its first bytes', () => {
  it('a static RISC-V program that is linked above 64 KiB is a host', () => assert.equal(elfKind(head()), 'host'));
  it('a position-independent RISC-V program is a host, wherever it is linked', () =>
    assert.equal(elfKind(head({ type: 3, load: 0 })), 'host'));
  it('a static RISC-V program at the Penglai link address is an enclave', () =>
    assert.equal(elfKind(head({ load: 0x1000 })), 'enclave'));
  it('programs of other machines, 32-bit ones, objects and other files are nothing', () => {
    for (const other of [head({ machine: 62 }), head({ class: 1 }), head({ type: 1 }), new Uint8Array(10)])
      assert.equal(elfKind(other), undefined);
  });
  it('program headers that point outside of what was read, or count too many, do no harm', () => {
    assert.equal(elfKind(head({ phoff: Number.MAX_SAFE_INTEGER, phnum: 65535 })), 'host');
    assert.equal(elfKind(head({ phnum: 65535, load: 0x1000 })), 'enclave');
  });
});

describe('which host is meant by the file being edited', () => {
  const near = (hosts: string[], file?: string) => rankHosts(hosts, file).nearest;
  it('the one in the same folder wins', () =>
    assert.deepEqual(near(['/w/a/build/host', '/w/a/host', '/w/b/host'], '/w/a/eapp.c'), ['/w/a/host']));
  it('then one in a folder below', () =>
    assert.deepEqual(near(['/w/build/a/host', '/w/a/build/host'], '/w/a/eapp.c'), ['/w/a/build/host']));
  it('then one in a folder of the same name elsewhere', () =>
    assert.deepEqual(near(['/w/build/a/host', '/w/build/b/host'], '/w/b/eapp.c'), ['/w/build/b/host']));
  it('several that are equally near are all named', () =>
    assert.deepEqual(near(['/w/x/host', '/w/y/host'], '/w/z/eapp.c'), ['/w/x/host', '/w/y/host']));
  it('without a file being edited all are equally near', () =>
    assert.deepEqual(near(['/w/y/host', '/w/x/host']), ['/w/x/host', '/w/y/host']));
});

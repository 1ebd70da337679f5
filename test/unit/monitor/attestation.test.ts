import assert from 'node:assert/strict';
import { bytesToHex } from '@noble/hashes/utils.js';
import { Report } from '../../../monitor/abi';
import { hashOf, prepareStandardHash } from '../../../monitor/attestation/hashes';
import {
  fingerprintOf,
  formatKeyFile,
  keysFrom,
  KeyBlock,
  parseKeyFile,
  provision,
} from '../../../monitor/attestation/keys';
import { Measurable, ORDINARY, reportHash, type Creation } from '../../../monitor/attestation/predict';
import { readReport } from '../../../monitor/attestation/report-file';
import { publicKeyOf, sign, type AttestationMode } from '../../../monitor/attestation/sm2';
import { PARTS, verifyReport, type Expected, type Finding } from '../../../monitor/attestation/verify';

const PAGE = 4096;
const PT_LOAD = 1;
const PT_RISCV_ATTRIBUTES = 0x70000003;

/** An ELF file with these program headers: type, address, bytes. Its entry is 0x1000. */
function elf(...segments: readonly (readonly [number, number, Uint8Array])[]): Uint8Array {
  const head = 64 + 56 * segments.length;
  const file = new Uint8Array(segments.reduce((size, [, , bytes]) => size + bytes.length, head));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, 0x1000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = head;
  segments.forEach(([type, address, bytes], i) => {
    const header = 64 + 56 * i;
    view.setUint32(header, type, true);
    view.setUint32(header + 4, 5, true);
    for (const [field, value] of [
      [8, offset],
      [16, address],
      [32, bytes.length],
      [40, bytes.length],
    ] as const)
      view.setBigUint64(header + field, BigInt(value), true);
    file.set(bytes, offset);
    offset += bytes.length;
  });
  return file;
}

/** The dossier's test vector: 0x1000 holds 00 01 … ff over and over, 0x2000 0xaa. */
const VECTOR_PAGES = Uint8Array.from({ length: 2 * PAGE }, (_, i) => (i < PAGE ? i & 255 : 0xaa));
const VECTOR = elf([PT_LOAD, 0x1000, VECTOR_PAGES]);
const ATTRIBUTES = elf([PT_RISCV_ATTRIBUTES, 0, new Uint8Array(52).fill(3)], [PT_LOAD, 0x1000, VECTOR_PAGES]);

function measurable(file: Uint8Array): Measurable {
  const made = Measurable.of(file);
  if (typeof made === 'string') assert.fail(made);
  return made;
}

describe('a predicted measurement', () => {
  before(prepareStandardHash);

  for (const [mode, create, attest, itself] of [
    [
      'penglai',
      'aa846c20184b1569f11dd30cf6ca9acc97decb66e6a8f3fecdb7c1c7fc8a9966',
      '20f3c9c30568ccc1f09bec51e015312d10b070a40170334f557c6005412717af',
      '77b6079a698fc68fb3955b72f6e3de9ee5130176417fe149859ae3a25ed7d28a',
    ],
    [
      'standard',
      '8d6ffba888eef738e449b7b6cab53501d84947ef9ef0b1dcf9ad6751c99f9f1c',
      'bfe81f441bb8a659f54c747f911cbd04e62c97c0cced531ffc274938e37fdade',
      '6b201d8e58cd8cf9babef7163e3c35f5d98ed07a5f72da50f65ee752781a6028',
    ],
  ] as const)
    it(`is the published monitor’s vector, at creation, in a report, and of an enclave by itself (${mode})`, () => {
      const hash = hashOf(mode);
      const file = measurable(VECTOR);
      assert.equal(bytesToHex(file.measure(hash)), create);
      assert.equal(bytesToHex(reportHash(hash, file.measure(hash), 1234n)), attest);
      assert.equal(bytesToHex(file.measure(hash, ORDINARY, 1234n)), itself);
    });

  it('is the hash of the stream as it is documented, byte for byte', () => {
    const le64 = (value: bigint): number[] =>
      Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
    const zeros = (count: number): number[] => new Array<number>(count).fill(0);
    const shm = new Uint8Array(PAGE).fill(9);
    const stream = [
      ...le64(0x1000n),
      ...[...le64(0xffffff8000001000n), 0, ...VECTOR_PAGES],
      ...[...le64(0xffffffb7ffffe000n), 0, ...zeros(2 * PAGE)],
      ...[...le64(0xffffffb900000000n), 0, ...shm],
      ...[...le64(0xffffffe000000000n), 0, ...zeros(PAGE)],
      ...le64(0n),
    ];
    const creation: Creation = { type: 'NORMAL', stackSize: 2 * PAGE, shm };
    const hash = hashOf('penglai');
    assert.equal(bytesToHex(measurable(VECTOR).measure(hash, creation)), bytesToHex(hash.of(Uint8Array.from(stream))));
  });

  it('differs by type, stack size, shared memory and the attributes page; a template has neither stack nor kbuffer', () => {
    const hash = hashOf('penglai');
    const file = measurable(ATTRIBUTES);
    assert.equal(file.mapsAttributes, true);
    const creations: Creation[] = [
      ORDINARY,
      { ...ORDINARY, type: 'SERVER' },
      { ...ORDINARY, type: 'SHADOW' },
      { ...ORDINARY, stackSize: PAGE },
      { ...ORDINARY, shm: new Uint8Array(PAGE) },
    ];
    const all = [true, false].flatMap((attributes) => file.measureAll(hash, creations, { attributes }).map(bytesToHex));
    assert.equal(new Set(all).size, 10);
    assert.equal(all[5], 'aa846c20184b1569f11dd30cf6ca9acc97decb66e6a8f3fecdb7c1c7fc8a9966');
    assert.equal(all[0], bytesToHex(file.measure(hash)));
    const template = { ...ORDINARY, type: 'SHADOW' } as const;
    assert.deepEqual(file.measure(hash, { ...template, stackSize: 0 }), file.measure(hash, template));
  });

  it('of a file the driver refuses is a sentence', () => {
    assert.match(Measurable.of(new Uint8Array(10)) as string, /shorter than an ELF header/);
    assert.match(Measurable.of(VECTOR.slice(0, 200)) as string, /does not lie in the file/);
  });
});

const KEYS = keysFrom(new Uint8Array(32).fill(1));

/** A good report on the vector's enclave. */
function report(mode: AttestationMode, nonce: bigint, creation = ORDINARY, file = VECTOR, keys = KEYS): Uint8Array {
  const hash = hashOf(mode);
  const block = provision(mode, hash, keys);
  const bytes = new Uint8Array(Report.SIZE);
  const enclave = reportHash(hash, measurable(file).measure(hash, creation), nonce);
  const monitor = publicKeyOf(keys.monitor);
  bytes.set(block.subarray(KeyBlock.sm_hash, KeyBlock.sm_hash + 32), Report.sm_hash);
  bytes.set(block.subarray(KeyBlock.sm_signature, KeyBlock.sm_signature + 64), Report.sm_signature);
  bytes.set(monitor, Report.sm_pub_key);
  bytes.set(enclave, Report.enclave_hash);
  bytes.set(sign(mode, keys.monitor, monitor, enclave), Report.enclave_signature);
  new DataView(bytes.buffer).setBigUint64(Report.enclave_nonce, nonce, true);
  bytes.set(publicKeyOf(keys.device), Report.dev_pub_key);
  return bytes;
}

const expected = (mode: AttestationMode = 'penglai', file = VECTOR, creation = ORDINARY): Expected => ({
  mode,
  device: fingerprintOf(publicKeyOf(KEYS.device)),
  enclave: { file: measurable(file), creation },
  nonce: 77n,
});

/** Parts that are wrong. */
const wrongs = ({ findings }: { findings: readonly Finding[] }): string[] =>
  findings.filter(({ verdict }) => verdict === 'wrong').map(({ part }) => part);
const whyOf = ({ findings }: { findings: readonly Finding[] }, part: Finding['part']): string =>
  findings.find((finding) => finding.part === part)!.why;

describe('the verifier', () => {
  before(prepareStandardHash);

  for (const mode of ['penglai', 'standard'] as const) {
    it(`finds every part of a good report right (${mode})`, () => {
      const verdict = verifyReport(report(mode, 77n), expected(mode));
      assert.deepEqual(
        verdict.findings.map(({ part, verdict: is }) => [part, is]),
        PARTS.map((part) => [part, 'ok']),
      );
      assert.ok(verdict.good);
    });

    it(`says which part is wrong when a bit of it is changed (${mode})`, () => {
      const good = report(mode, 77n);
      const touched: Readonly<Record<string, readonly [number, readonly string[]]>> = {
        'sm.hash': [Report.sm_hash, ['sm.signature', 'sm.hash']],
        'sm.signature': [Report.sm_signature + 40, ['sm.signature']],
        'sm.sm_pub_key': [Report.sm_pub_key + 5, ['sm.signature', 'sm.sm_pub_key', 'enclave.signature']],
        'enclave.hash': [Report.enclave_hash + 31, ['enclave.signature', 'enclave.hash']],
        'enclave.signature': [Report.enclave_signature + 63, ['enclave.signature']],
        'enclave.nonce': [Report.enclave_nonce + 7, ['enclave.hash', 'enclave.nonce']],
        dev_pub_key: [Report.dev_pub_key + 64 - 1, ['dev_pub_key', 'sm.signature']],
      };
      for (const [part, [at, wrong]] of Object.entries(touched)) {
        const bytes = good.slice();
        bytes[at]! ^= 4;
        const verdict = verifyReport(bytes, expected(mode));
        assert.deepEqual(wrongs(verdict), wrong, part);
        assert.ok(!verdict.good);
      }
    });
  }

  it('notices every changed byte of a report', () => {
    const good = report('penglai', 77n);
    for (let at = 0; at < Report.SIZE; at += 3) {
      const bytes = good.slice();
      bytes[at]! ^= 0x80;
      assert.ok(!verifyReport(bytes, { ...expected(), enclave: undefined }).good, `byte ${at}`);
    }
  });

  it('takes apart what was put together from two machines', () => {
    const [one, other] = [KEYS, keysFrom(new Uint8Array(32).fill(2))].map((keys) =>
      report('penglai', 77n, ORDINARY, VECTOR, keys),
    ) as [Uint8Array, Uint8Array];
    assert.deepEqual(wrongs(verifyReport(other, expected())), ['dev_pub_key']);
    const mixed = one.slice();
    mixed.set(other.subarray(Report.enclave_hash, Report.dev_pub_key), Report.enclave_hash);
    assert.deepEqual(wrongs(verifyReport(mixed, expected())), ['enclave.signature']);
    mixed.set(one);
    mixed.set(other.subarray(Report.sm_hash, Report.enclave_hash));
    mixed.set(other.subarray(Report.enclave_signature, Report.enclave_nonce), Report.enclave_signature);
    assert.deepEqual(wrongs(verifyReport(mixed, expected())), ['sm.signature']);
  });

  it('does not call a report good whose device nobody named', () => {
    const verdict = verifyReport(report('penglai', 77n), { mode: 'penglai' });
    assert.deepEqual(wrongs(verdict), []);
    assert.ok(!verdict.good);
    assert.match(whyOf(verdict, 'dev_pub_key'), /[0-9a-f]{64}; nobody said which device is trusted/);
  });

  it('tells a machine without keys', () => {
    const bytes = report('penglai', 77n);
    bytes
      .fill(0, 0, Report.enclave_hash)
      .fill(0, Report.enclave_signature, Report.enclave_nonce)
      .fill(0, Report.dev_pub_key);
    const verdict = verifyReport(bytes, expected());
    assert.deepEqual(wrongs(verdict), ['dev_pub_key', 'sm.signature', 'sm.sm_pub_key', 'sm.hash', 'enclave.signature']);
    assert.match(whyOf(verdict, 'enclave.signature'), /the machine got no keys/);
  });

  const reasons: readonly (readonly [string, () => readonly [Uint8Array, Expected], RegExp])[] = [
    [
      'another type',
      () => [report('penglai', 77n, { ...ORDINARY, type: 'SERVER' }), expected()],
      /created as SERVER, not NORMAL$/,
    ],
    [
      'another stack',
      () => [report('penglai', 77n, { ...ORDINARY, stackSize: 3 * PAGE }), expected()],
      /created with a stack of 12288 bytes, not 65536$/,
    ],
    [
      'a large stack and another type',
      () => [report('penglai', 77n, { type: 'SERVER', stackSize: 1 << 20 }), expected()],
      /created as SERVER, not NORMAL and with a stack of 1048576 bytes, not 65536$/,
    ],
    [
      'a template',
      () => [report('penglai', 77n, { ...ORDINARY, type: 'SHADOW' }), expected()],
      /created as SHADOW, not NORMAL$/,
    ],
    [
      'no shared memory',
      () => [
        report('penglai', 77n),
        expected('penglai', VECTOR, { ...ORDINARY, shm: new Uint8Array(2 * PAGE).fill(1) }),
      ],
      /created without shared memory$/,
    ],
    [
      'a loader that maps no attributes',
      () => [report('penglai', 77n), expected('penglai', ATTRIBUTES)],
      /created without the page at address 0/,
    ],
    ['standard SM3', () => [report('standard', 77n), expected()], /created in attestation mode standard, not penglai$/],
    [
      'the nonce field changed',
      () => {
        const bytes = report('penglai', 77n);
        bytes[Report.enclave_nonce] = 1;
        return [bytes, expected()];
      },
      /made for the nonce that was sent, but enclave.nonce is another one/,
    ],
    [
      'a bare measurement',
      () => {
        const bytes = report('penglai', 77n);
        bytes.set(measurable(VECTOR).measure(hashOf('penglai')), Report.enclave_hash);
        return [bytes, expected()];
      },
      /bare measurement/,
    ],
    [
      'a report of the enclave about itself',
      () => {
        const bytes = report('penglai', 77n);
        bytes.set(measurable(VECTOR).measure(hashOf('penglai'), ORDINARY, 77n), Report.enclave_hash);
        return [bytes, expected()];
      },
      /this enclave’s report about itself/,
    ],
    [
      'another program',
      () => [report('penglai', 77n, ORDINARY, elf([PT_LOAD, 0x1000, new Uint8Array(PAGE).fill(5)])), expected()],
      /^it is not this enclave’s, which is measured as aa846c20/,
    ],
  ];
  for (const [what, make, why] of reasons)
    it(`explains a hash that is another one: ${what}`, () => {
      const verdict = verifyReport(...make());
      assert.ok(wrongs(verdict).includes('enclave.hash'));
      assert.match(whyOf(verdict, 'enclave.hash'), why);
    });

  it('survives any 328 bytes, and finds none of them good', () => {
    let seed = 12345;
    const random = (): number => (seed = Math.imul(seed, 0x915f77f5) + 1) >>> 24;
    const good = report('penglai', 77n);
    for (let i = 0; i < 60; i++) {
      // Noise, then good reports with a part of noise.
      const bytes = i < 20 ? new Uint8Array(Report.SIZE) : good.slice();
      const at = i < 20 ? 0 : (random() * 328) >> 8;
      for (let j = at; j < (i < 20 ? Report.SIZE : Math.min(Report.SIZE, at + 1 + (random() >> 2))); j++)
        bytes[j] = random();
      if (bytesToHex(bytes) === bytesToHex(good)) continue;
      const verdict = verifyReport(bytes, {
        ...expected(),
        enclave: { measurement: measurable(VECTOR).measure(hashOf('penglai')) },
      });
      assert.ok(!verdict.good, bytesToHex(bytes));
    }
  });
});

describe('a report in a file', () => {
  const bytes = Uint8Array.from({ length: Report.SIZE }, (_, i) => (i * 5) & 255);
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);

  it('is read raw, in hexadecimal as dumps write it, and in base64', () => {
    const hex = bytesToHex(bytes);
    const base64 = btoa(String.fromCharCode(...bytes));
    const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
    for (const form of [
      bytes,
      text(hex),
      text(`${hex.toUpperCase()}\n`),
      text(hex.replace(/.{64}/g, '$&\n')),
      text(pairs.join(':')),
      text(pairs.map((pair) => `0x${pair}`).join(', ')),
      text(base64),
      text(base64.replace(/.{76}/g, '$&\r\n')),
      text(base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')),
    ])
      assert.deepEqual(readReport(form), bytes);
  });

  it('that is none is refused with what one looks like', () => {
    for (const form of [
      new Uint8Array(0),
      bytes.slice(1),
      text('00'),
      text(bytesToHex(bytes).slice(1)),
      new Uint8Array(100_000),
    ])
      assert.match(readReport(form) as string, /328 bytes: raw, as 656 hexadecimal digits, or in base64/);
  });
});

describe('the file of simulated keys', () => {
  it('holds the keys and says that they are simulated', () => {
    const text = formatKeyFile(KEYS);
    assert.deepEqual(parseKeyFile(text), KEYS);
    assert.match(text, /Simulated keys/);
  });

  it('that is damaged is refused with the part that is wrong', () => {
    const text = formatKeyFile(KEYS);
    for (const [damaged, why] of [
      ['', 'it is not JSON'],
      ['[', 'it is not JSON'],
      ['null', 'it is not a JSON object'],
      [text.replace('deviceKey', 'device'), '"deviceKey"'],
      [text.replace(bytesToHex(KEYS.monitor), 'f'.repeat(64)), '"monitorKey"'],
      [text.replace(bytesToHex(KEYS.root), 'f'.repeat(63)), '"rootKey"'],
    ] as const)
      assert.ok((parseKeyFile(damaged) as string).includes(why), why);
  });

  it('is another one for another secret', () => {
    const other = keysFrom(new Uint8Array(32).fill(2));
    const all = [KEYS, other].flatMap((keys) => Object.values(keys).map(bytesToHex));
    assert.equal(new Set(all).size, 8);
  });
});

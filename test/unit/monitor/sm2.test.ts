import assert from 'node:assert/strict';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { isPrivateKey, isPublicKey, publicKeyOf, sign, signNumber, verify } from '../../../monitor/attestation/sm2';

const hash = (factor: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (factor * i + 1) & 255);

/** The published monitor's arithmetic, with its nonce replaced by a fixed one. */
const PRIVATE = hexToBytes('12'.padEnd(62, '0') + '07');
const PUBLIC = hexToBytes(
  'da8c8c61dad330a3a80987613e09012e20334fe302eb5f6b8bfb39b1ff114def6c532a2feef10b5fcac524328ba38653bc36a09a24dc7a9df0f8721222f18a21',
);
const SIGNATURE = hexToBytes(
  '021886ad0fee31c556282bea62e18fc25f940791d1a719c555c46bb0107d6e58b9c8f5ca7e7e121a115dd19c4dec469cb2ac6f63f96f3c616441fd389c44b0ab',
);

describe('SM2 signatures of reports', () => {
  it('public key and signature are what the published monitor computes', () => {
    assert.equal(bytesToHex(publicKeyOf(PRIVATE)), bytesToHex(PUBLIC));
    assert.equal(bytesToHex(signNumber(PRIVATE, hash(3), 0x11223344n)), bytesToHex(SIGNATURE));
    assert.ok(verify('penglai', PUBLIC, hash(3), SIGNATURE));
  });

  it('the standard’s example verifies: GB/T 32918.5, "message digest"', () => {
    const publicKey = hexToBytes(
      '09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13',
    );
    const signature = hexToBytes(
      'f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa',
    );
    const message = new TextEncoder().encode('message digest');
    assert.ok(verify('standard', publicKey, message, signature));
    assert.ok(!verify('standard', publicKey, message.slice(1), signature));
  });

  for (const mode of ['penglai', 'standard'] as const)
    it(`a signature verifies, a changed bit anywhere does not; the same is signed alike (${mode})`, () => {
      const signature = sign(mode, PRIVATE, PUBLIC, hash(5));
      assert.deepEqual(sign(mode, PRIVATE, PUBLIC, hash(5)), signature);
      assert.ok(verify(mode, PUBLIC, hash(5), signature));
      for (const [name, what] of Object.entries({ key: PUBLIC, message: hash(5), signature }))
        for (const at of [0, 17, what.length - 1]) {
          const changed = what.slice();
          changed[at]! ^= 0x10;
          const of = { key: PUBLIC, message: hash(5), signature, [name]: changed };
          assert.ok(!verify(mode, of.key, of.message, of.signature), `${name}, byte ${at}`);
        }
    });

  it('one mode’s signature is not the other’s', () => {
    assert.ok(!verify('standard', PUBLIC, hash(5), sign('penglai', PRIVATE, PUBLIC, hash(5))));
    assert.ok(!verify('penglai', PUBLIC, hash(5), sign('standard', PRIVATE, PUBLIC, hash(5))));
  });

  it('numbers out of range, lengths that are none and points off the curve are refused, never thrown', () => {
    const order = hexToBytes('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123');
    const zero = new Uint8Array(32);
    const [r, s] = [SIGNATURE.slice(0, 32), SIGNATURE.slice(32)];
    const pair = (one: Uint8Array, other: Uint8Array): Uint8Array => Uint8Array.from([...one, ...other]);
    for (const bad of [pair(zero, s), pair(r, zero), pair(order, s), pair(r, order), new Uint8Array(0), r])
      assert.ok(!verify('penglai', PUBLIC, hash(3), bad));
    for (const bad of [new Uint8Array(64), new Uint8Array(64).fill(0xff), PUBLIC.slice(1), new Uint8Array(0)]) {
      assert.ok(!isPublicKey(bad));
      assert.ok(!verify('penglai', bad, hash(3), SIGNATURE));
    }
    assert.ok(!verify('penglai', PUBLIC, hash(3).slice(1), SIGNATURE));
    for (const bad of [zero, order, new Uint8Array(32).fill(255), r.slice(1)]) assert.ok(!isPrivateKey(bad));
  });
});

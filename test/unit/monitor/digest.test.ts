import assert from 'node:assert/strict';
import { bytesToHex } from '@noble/hashes/utils.js';
import { COMPRESSORS, digestOf, finishDigest, newDigest, updateDigest, updateWith } from '../../../monitor/digest';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("the monitor's hash H", () => {
  it('gives the digests the published monitor gives', () => {
    assert.equal(bytesToHex(digestOf(text('abc'))), '37bc43d11cab393d7899ef6224f568ec18a8fd851d165c500c3754020f466a04');
    assert.equal(
      bytesToHex(digestOf(new Uint8Array(4096).fill(0x5a))),
      '48b8521fd206fc943b884abfe519df7286500b8c230c29194e592d6f63f0b246',
    );
    assert.equal(
      bytesToHex(digestOf(new Uint8Array())),
      '23b2eaf363e7e496ea49b41b6175abcc287d6d28a377aa751e7e5b1b6b561bb7',
    );
  });

  it('does not depend on how a message is cut into pieces', () => {
    const message = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
    for (const size of [1, 55, 56, 63, 64, 65, 119, 999]) {
      let digest = newDigest();
      for (let at = 0; at < message.length; at += size) digest = updateDigest(digest, message.subarray(at, at + size));
      assert.deepEqual(finishDigest(digest), digestOf(message), `pieces of ${size}`);
    }
  });

  it('never changes a digest that is kept', () => {
    const kept = updateDigest(newDigest(), text('a'));
    updateDigest(kept, new Uint8Array(200).fill(1));
    assert.deepEqual(finishDigest(updateDigest(kept, text('bc'))), digestOf(text('abc')));
  });

  it('is the same in WebAssembly and in pairs of 32-bit numbers, upper halves of the chaining values included', () => {
    const [wasm, pairs] = [COMPRESSORS.wasm()!, COMPRESSORS.pairs()];
    let seed = 1;
    const random = (): number => (seed = Math.imul(seed, 0x915f77f5) + 1) >>> 24;
    let [one, other] = [newDigest(), newDigest()];
    for (const size of [64, 1, 63, 200, 4096, 65536, 70001, 9, 4096]) {
      const bytes = Uint8Array.from({ length: size }, random);
      [one, other] = [updateWith(wasm, one, [bytes]), updateWith(pairs, other, [bytes])];
      assert.deepEqual(one, other, `after ${one.length} bytes`);
    }
    assert.ok(one.chain.some((word, i) => i % 2 === 1 && word !== 0));
  });

  it('takes many parts in one call as it takes them one by one', () => {
    const parts = [3, 0, 61, 64, 4096, 100_000, 1].map((size, i) => new Uint8Array(size).fill(i + 1));
    const single = parts.reduce((digest, part) => updateDigest(digest, part), newDigest());
    assert.deepEqual(updateDigest(newDigest(), ...parts), single);
  });
});

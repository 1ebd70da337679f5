import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { addToDigest, finishImageDigest, imageHash, newImageDigest } from '../../../emulator/linux/image-hash';

describe('the identity of an image', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
  const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

  it('is the SHA-256 of its bytes', () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 1000])
      assert.equal(imageHash(bytes.slice(0, length)), sha256(bytes.slice(0, length)), `${length} bytes`);
  });

  it('comes out the same in pieces, whose state is plain data', () => {
    for (const length of [0, 64, 100, 128, 640, 1000]) {
      let digest = newImageDigest();
      let at = 0;
      for (; at + 128 < length; at += 128) digest = structuredClone(addToDigest(digest, bytes.slice(at, at + 128)));
      assert.equal(
        finishImageDigest(digest, bytes.slice(at, length)),
        sha256(bytes.slice(0, length)),
        `${length} bytes`,
      );
    }
  });

  it('two hashes in progress do not meet', () => {
    const one = addToDigest(newImageDigest(), bytes.slice(0, 64));
    const two = addToDigest(newImageDigest(), bytes.slice(64, 128));
    assert.equal(finishImageDigest(one, bytes.slice(64, 100)), sha256(bytes.slice(0, 100)));
    assert.equal(finishImageDigest(two, bytes.slice(128, 200)), sha256(bytes.slice(64, 200)));
  });

  it('a piece that is no multiple of a block is refused', () => {
    assert.throws(() => addToDigest(newImageDigest(), bytes.slice(0, 65)), /65 bytes/);
  });
});

/**
 * The hash that measures and that reports are made with: the firmware's own (digest.ts), or standard SM3 (GB/T 32905) of a library. A
 * digest in progress is plain data in both. The library makes its WebAssembly asynchronously, so whoever starts a system in standard
 * mode waits for `prepareStandardHash` before.
 */
import { createSM3, type IHasher } from 'hash-wasm';
import { finishDigest, newDigest, updateDigest, type Digest as FirmwareDigest } from '../digest';
import type { AttestationMode } from './sm2';

/** Of the library: its state as it saves it, or 'nothing yet'. */
export interface SavedDigest {
  readonly saved: Uint8Array | undefined;
}
export type Digest = FirmwareDigest | SavedDigest;

export interface HashFunction {
  begin(): Digest;
  /** The digest with more bytes; the one given stays as it is. */
  add(digest: Digest, ...parts: readonly Uint8Array[]): Digest;
  /** 32 bytes. */
  finish(digest: Digest): Uint8Array;
  /** Of a whole message, its parts one behind the other. */
  of(...parts: readonly Uint8Array[]): Uint8Array;
}

const withShorthand = (hash: Omit<HashFunction, 'of'>): HashFunction => ({
  ...hash,
  of: (...parts) => hash.finish(hash.add(hash.begin(), ...parts)),
});

const FIRMWARE = withShorthand({
  begin: newDigest,
  add: (digest, ...parts) => updateDigest(digest as FirmwareDigest, ...parts),
  finish: (digest) => finishDigest(digest as FirmwareDigest),
});

const standardOf = (hasher: IHasher): HashFunction => {
  const resume = (digest: Digest): IHasher => {
    const { saved } = digest as SavedDigest;
    return saved ? hasher.load(saved) : hasher.init();
  };
  return withShorthand({
    begin: () => ({ saved: undefined }),
    add(digest, ...parts) {
      resume(digest);
      for (const part of parts) hasher.update(part);
      return { saved: hasher.save() };
    },
    finish: (digest) => resume(digest).digest('binary'),
  });
};

let standard: HashFunction | undefined;

/** Compiles the library's SM3; needed once per process, before anything is done in standard mode. */
export async function prepareStandardHash(): Promise<void> {
  standard ??= standardOf(await createSM3());
}

/** @throws Error when the standard hash was not prepared */
export function hashOf(mode: AttestationMode): HashFunction {
  if (mode === 'penglai') return FIRMWARE;
  if (!standard)
    throw new Error('Standard SM3 has not been loaded. Call prepareStandardHash() before the system is made.');
  return standard;
}

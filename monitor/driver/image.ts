/**
 * An ELF image as the driver read it: bytes in chunks, because a file of 100 MiB is neither read, copied nor hashed in one step. Plain
 * data; a chunk is never written after it was made.
 */

/** Bytes of every chunk but the last. */
export const CHUNK = 64 * 1024;

export interface Image {
  readonly size: number;
  readonly chunks: readonly Uint8Array[];
}

export function imageOf(bytes: Uint8Array): Image {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.slice(at, at + CHUNK));
  return { size: bytes.length, chunks };
}

/** A copy of [at, at + length), which lies in the image. */
export function imageBytes(image: Image, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const from = (at + done) % CHUNK;
    const part = image.chunks[Math.floor((at + done) / CHUNK)]!.subarray(from, from + length - done);
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

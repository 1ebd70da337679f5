/**
 * An ELF image as the driver read it: bytes in chunks, because a file of 100 MiB is neither read, copied nor hashed in one step. Plain
 * data; a chunk is never written after it was made.
 */
import { List } from 'immutable';
import { PAGE_SIZE } from '../../emulator/units';

/** Bytes of every chunk but the last: a page, so that a chunk can be the host OS's own of a file. */
const CHUNK = PAGE_SIZE;

export interface Image {
  readonly size: number;
  readonly chunks: List<Uint8Array>;
}

/** The image with further bytes, in pieces of any length; all but the last call add a multiple of a page. */
export function withBytes(image: Image, pieces: readonly Uint8Array[]): Image {
  let { size } = image;
  const chunks = image.chunks.withMutations((list) => {
    for (const chunk of inPages(pieces)) {
      list.push(chunk);
      size += chunk.length;
    }
  });
  return { size, chunks };
}

function inPages(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (pieces.every(({ length }, i) => length === CHUNK || i === pieces.length - 1)) return pieces;
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return imageOf(bytes).chunks.toArray();
}

export const NO_IMAGE: Image = { size: 0, chunks: List() };

export function imageOf(bytes: Uint8Array): Image {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.slice(at, at + CHUNK));
  return { size: bytes.length, chunks: List(chunks) };
}

/** [at, at + length), which lies in the image, in pieces. */
export function* imageParts(image: Image, at: number, length: number): Generator<Uint8Array> {
  for (let done = 0; done < length;) {
    const from = (at + done) % CHUNK;
    const part = image.chunks.get(Math.floor((at + done) / CHUNK))!.subarray(from, from + length - done);
    yield part;
    done += part.length;
  }
}

/** A copy of [at, at + length), which lies in the image. */
export function imageBytes(image: Image, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (const part of imageParts(image, at, length)) {
    bytes.set(part, done);
    done += part.length;
  }
  return bytes;
}

/**
 * The bytes of a file as an immutable value in fixed-size chunks: a write copies the chunks it touches, an append one. A chunk
 * array is never written after it was made.
 */
import { List } from 'immutable';

const CHUNK = 16384;
/** Largest file this kernel keeps; beyond it a write fails with EFBIG. */
export const MAX_FILE = 1024 * 1024 * 1024;

export interface Content {
  readonly size: number;
  /** Chunks may be shorter than CHUNK, or not be there: what is missing is zero. */
  readonly chunks: List<Uint8Array | undefined>;
}

const HOLE = new Uint8Array(0);
export const EMPTY: Content = { size: 0, chunks: List() };

export function contentFrom(bytes: Uint8Array): Content {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.slice(at, at + CHUNK));
  return { size: bytes.length, chunks: List(chunks) };
}

/** At most `length` bytes from `offset` on; shorter at the end of the file. */
export function readContent(content: Content, offset: number, length: number): Uint8Array {
  const end = Math.min(content.size, offset + length);
  const out = new Uint8Array(Math.max(0, end - offset));
  for (let at = offset; at < end;) {
    const index = Math.floor(at / CHUNK);
    const inside = at - index * CHUNK;
    const count = Math.min(CHUNK - inside, end - at);
    const chunk = content.chunks.get(index) ?? HOLE;
    out.set(chunk.subarray(inside, inside + count), at - offset);
    at += count;
  }
  return out;
}

/** The content with `bytes` at `offset`; the gap behind the old end is zero. `offset + bytes.length` is at most MAX_FILE. */
export function writeContent(content: Content, offset: number, bytes: Uint8Array): Content {
  if (bytes.length === 0) return content;
  const end = offset + bytes.length;
  const chunks = content.chunks.withMutations((list) => {
    if (list.size < Math.ceil(end / CHUNK)) list.setSize(Math.ceil(end / CHUNK));
    for (let at = offset; at < end;) {
      const index = Math.floor(at / CHUNK);
      const inside = at - index * CHUNK;
      const count = Math.min(CHUNK - inside, end - at);
      const old = list.get(index) ?? HOLE;
      const chunk = new Uint8Array(Math.max(old.length, inside + count));
      chunk.set(old);
      chunk.set(bytes.subarray(at - offset, at - offset + count), inside);
      list.set(index, chunk);
      at += count;
    }
  });
  return { size: Math.max(content.size, end), chunks };
}

/** Cut or extended with zeros to `size`, which is at most MAX_FILE. */
export function resizeContent(content: Content, size: number): Content {
  if (size >= content.size) return { ...content, size };
  const count = Math.ceil(size / CHUNK);
  let chunks = content.chunks.take(count);
  // The list may end before the file does: only a chunk that really is the last one is cut.
  const last = chunks.size === count ? chunks.last() : undefined;
  if (last) chunks = chunks.set(count - 1, last.slice(0, size - (count - 1) * CHUNK));
  return { size, chunks };
}

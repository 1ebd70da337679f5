/** Lists of chunks of bytes, as pipes, sockets and standard input hold what nobody has read yet. A chunk is never written after it was made. */
import type { List } from 'immutable';

/** At most `length` bytes from the front, and what is left. */
export function takeChunks(
  chunks: List<Uint8Array>,
  length: number,
): { readonly bytes: Uint8Array; readonly rest: List<Uint8Array> } {
  const parts: Uint8Array[] = [];
  let count = 0;
  let rest = chunks;
  for (let first = rest.first(); first && count < length; first = rest.first()) {
    const part = first.subarray(0, length - count);
    parts.push(part);
    count += part.length;
    rest = rest.shift();
    if (part.length < first.length) rest = rest.unshift(first.subarray(part.length));
  }
  const bytes = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, rest };
}

export const chunksLength = (chunks: List<Uint8Array>): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

/**
 * The bytes of a file as an immutable value in chunks of a page: a write copies the chunks it touches, an append one. A chunk array is
 * never written after it was made. What was never written takes no room, so a file may be far larger than the memory of the machine.
 */
import { List, Map } from 'immutable';
import { PAGE_SIZE } from '../../units';

const CHUNK = PAGE_SIZE;
/** Chunks that are counted together, so that holes are skipped without looking at each of their chunks. */
const GROUP = 512;
/** Largest file this kernel keeps; beyond it a write fails with EFBIG. */
export const MAX_FILE = 2 ** 36;

export interface Content {
  readonly size: number;
  /** Chunks that are there; each counts as a whole one. */
  readonly used: number;
  /** Chunks may be shorter than CHUNK, or not be there: what is missing is zero. */
  readonly chunks: List<Uint8Array | undefined>;
  /** Chunks that are there, by group; groups without any have no entry. */
  readonly groups: Map<number, number>;
}

const HOLE = new Uint8Array(0);
export const EMPTY: Content = { size: 0, used: 0, chunks: List(), groups: Map() };

/** Bytes a content takes, as st_blocks counts them. */
export const allocatedBytes = (content: Content): number => content.used * CHUNK;

const groupOf = (index: number): number => Math.floor(index / GROUP);

/** Changes the chunks of a content: `body` gets one setter; counts follow. */
function changed(content: Content, size: number, body: (list: Chunks, set: SetChunk) => void): Content {
  let { used } = content;
  let { groups } = content;
  const chunks = content.chunks.withMutations((list) => {
    body(list, (index, chunk) => {
      const by = (chunk ? 1 : 0) - (list.get(index) ? 1 : 0);
      list.set(index, chunk);
      if (by === 0) return;
      used += by;
      const count = groups.get(groupOf(index), 0) + by;
      groups = count === 0 ? groups.remove(groupOf(index)) : groups.set(groupOf(index), count);
    });
  });
  return { size, used, chunks, groups };
}
type Chunks = List<Uint8Array | undefined>;
type SetChunk = (index: number, chunk: Uint8Array | undefined) => void;

/** A content that keeps `bytes`, which nobody may write any more. */
export function contentFrom(bytes: Uint8Array): Content {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  const groups = Map<number, number>().withMutations((map) => {
    for (let first = 0; first < chunks.length; first += GROUP)
      map.set(groupOf(first), Math.min(GROUP, chunks.length - first));
  });
  return { size: bytes.length, used: chunks.length, chunks: List(chunks), groups };
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

/** A page of the content as it is stored, never to be written; undefined where less than a page is. */
export function storedChunk({ chunks }: Content, offset: number): Uint8Array | undefined {
  const chunk = offset % CHUNK === 0 ? chunks.get(offset / CHUNK) : undefined;
  return chunk?.length === CHUNK ? chunk : undefined;
}

/** The content with `bytes` at `offset`; the gap behind the old end is zero. `offset + bytes.length` is at most MAX_FILE. */
export function writeContent(content: Content, offset: number, bytes: Uint8Array): Content {
  if (bytes.length === 0) return content;
  const end = offset + bytes.length;
  return changed(content, Math.max(content.size, end), (list, set) => {
    if (list.size < Math.ceil(end / CHUNK)) list.setSize(Math.ceil(end / CHUNK));
    for (let at = offset; at < end;) {
      const index = Math.floor(at / CHUNK);
      const inside = at - index * CHUNK;
      const count = Math.min(CHUNK - inside, end - at);
      const old = list.get(index) ?? HOLE;
      const chunk = new Uint8Array(Math.max(old.length, inside + count));
      if (inside > 0 || count < old.length) chunk.set(old);
      chunk.set(bytes.subarray(at - offset, at - offset + count), inside);
      set(index, chunk);
      at += count;
    }
  });
}

/** Cut or extended with zeros to `size`, which is at most MAX_FILE. */
export function resizeContent(content: Content, size: number): Content {
  if (size >= content.size) return { ...content, size };
  const count = Math.ceil(size / CHUNK);
  if (count >= content.chunks.size && size % CHUNK === 0) return { ...content, size };
  // The group that is cut is counted anew; those behind it go as they are.
  let { used, groups } = content;
  for (let group = groupOf(count); group <= groupOf(content.chunks.size - 1); group++) {
    used -= groups.get(group, 0);
    groups = groups.remove(group);
  }
  const chunks = content.chunks.take(count);
  const left = chunks.slice(groupOf(count) * GROUP).count((chunk) => chunk !== undefined);
  if (left > 0) groups = groups.set(groupOf(count), left);
  const cut: Content = { size, used: used + left, chunks, groups };
  // The list may end before the file does: only a chunk that really is the last one is cut.
  const last = chunks.size === count ? chunks.last() : undefined;
  return last ? changed(cut, size, (_, set) => set(count - 1, last.slice(0, size - (count - 1) * CHUNK))) : cut;
}

/** The content with zeros in [offset, end); whole chunks of it take no room any more. */
export function punchContent(content: Content, offset: number, end: number): Content {
  const stop = Math.min(end, content.size, content.chunks.size * CHUNK);
  return changed(content, content.size, (list, set) => {
    for (let at = offset; at < stop;) {
      const index = Math.floor(at / CHUNK);
      const inside = at - index * CHUNK;
      if (inside === 0 && index % GROUP === 0 && !content.groups.has(groupOf(index))) {
        at += GROUP * CHUNK;
        continue;
      }
      const count = Math.min(CHUNK - inside, stop - at);
      const old = list.get(index);
      if (old) set(index, count === CHUNK ? undefined : old.slice().fill(0, inside, inside + count));
      at += count;
    }
  });
}

/** First place from `offset` on that is data (or a hole); undefined when there is no data any more. The end is a hole. */
export function seekContent(content: Content, offset: number, data: boolean): number | undefined {
  const { chunks, groups, size } = content;
  const end = Math.min(chunks.size, Math.ceil(size / CHUNK));
  for (let index = Math.floor(offset / CHUNK); index < end;) {
    const here = groups.get(groupOf(index), 0);
    if (here === (data ? 0 : GROUP)) index = (groupOf(index) + 1) * GROUP;
    else if ((chunks.get(index) !== undefined) === data) return Math.max(offset, index * CHUNK);
    else index++;
  }
  return data ? undefined : Math.min(size, Math.max(offset, end * CHUNK));
}

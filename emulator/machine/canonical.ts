/**
 * Plain data in a canonical form: the same bytes for equal state, whatever order things were put in. And in a form that can
 * be cloned into another process and put back with the same iteration order of every collection.
 * Knows `immutable` Maps, Sets, Lists and their ordered kinds; anything with behaviour of its own (classes, functions, symbols) is
 * refused by name, because it could not come back.
 */
import { isList, isMap, isOrdered, isSet, List, Map as IMap, OrderedMap, OrderedSet, Set as ISet } from 'immutable';

const utf8 = new TextEncoder();

/** Takes the bytes of the encoding. */
export interface Sink {
  update(bytes: Uint8Array): unknown;
}

const TYPED: Readonly<Record<string, number>> = {
  Uint8Array: 1,
  Int8Array: 2,
  Uint16Array: 3,
  Int16Array: 4,
  Uint32Array: 5,
  Int32Array: 6,
  BigUint64Array: 7,
  BigInt64Array: 8,
  Float32Array: 9,
  Float64Array: 10,
  Uint8ClampedArray: 11,
};

const refuse = (value: unknown, what: string): never => {
  const name = (value as { constructor?: { name?: string } } | null)?.constructor?.name ?? typeof value;
  throw new Error(
    `state: ${what} of type ${name} is not plain data, so it can't be saved; use records, arrays and immutable collections`,
  );
};

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
};

/** Writes a value into a sink; equal values give equal bytes and no other value gives the same. */
export class Canonical {
  private buffer = new Uint8Array(4096);
  private view = new DataView(this.buffer.buffer);
  private used = 0;

  constructor(private readonly sink: Sink) {}

  private room(bytes: number): void {
    if (this.used + bytes > this.buffer.length) this.flush();
  }

  flush(): void {
    this.sink.update(this.buffer.subarray(0, this.used));
    this.used = 0;
  }

  private tag(tag: string): void {
    this.room(1);
    this.buffer[this.used++] = tag.charCodeAt(0);
  }

  number(value: number): void {
    this.room(8);
    this.view.setFloat64(this.used, Object.is(value, -0) ? 0 : value, true);
    this.used += 8;
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    if (value.length <= 64) {
      this.room(64);
      this.buffer.set(value, this.used);
      this.used += value.length;
    } else {
      this.flush();
      this.sink.update(value);
    }
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'undefined':
        return this.tag('u');
      case 'boolean':
        return this.tag(value ? 't' : 'f');
      case 'number':
        this.tag('n');
        return this.number(value);
      case 'bigint':
        this.tag('i');
        return this.bytes(utf8.encode(value.toString(36)));
      case 'string':
        this.tag('s');
        return this.bytes(utf8.encode(value));
      case 'object':
        return value === null ? this.tag('0') : this.object(value);
      default:
        refuse(value, 'a value');
    }
  }

  private object(value: object): void {
    if (Array.isArray(value) || isList(value)) {
      const items = Array.isArray(value) ? (value as unknown[]) : (value as List<unknown>).toArray();
      this.tag(Array.isArray(value) ? 'a' : 'l');
      this.number(items.length);
      for (const item of items) this.value(item);
    } else if (isMap(value)) this.map(value as IMap<unknown, unknown>);
    else if (isSet(value)) this.set(value as ISet<unknown>);
    else if (ArrayBuffer.isView(value)) {
      const kind = TYPED[value.constructor.name] ?? refuse(value, 'a view');
      this.tag('b');
      this.number(kind);
      this.bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else if (isPlain(value)) this.record(value as Record<string, unknown>);
    else refuse(value, 'an object');
  }

  private record(value: Record<string, unknown>): void {
    const keys = Object.keys(value).sort();
    this.tag('r');
    this.number(keys.length);
    for (const key of keys) {
      this.bytes(utf8.encode(key));
      this.value(value[key]);
    }
  }

  private map(value: IMap<unknown, unknown>): void {
    const ordered = isOrdered(value);
    const entries = [...value.entries()];
    if (!ordered) entries.sort(([a], [b]) => compareKeys(a, b));
    this.tag(ordered ? 'o' : 'm');
    this.number(entries.length);
    for (const [key, item] of entries) {
      this.value(key);
      this.value(item);
    }
  }

  private set(value: ISet<unknown>): void {
    const ordered = isOrdered(value);
    const items = [...value.values()];
    if (!ordered) items.sort(compareKeys);
    this.tag(ordered ? 'O' : 'S');
    this.number(items.length);
    for (const item of items) this.value(item);
  }
}

/** Keys of a collection without an order of its own: numbers and bigints by value, then strings. */
function compareKeys(a: unknown, b: unknown): number {
  const [ka, kb] = [typeof a, typeof b];
  if (ka !== kb) return ka < kb ? -1 : 1;
  if (ka !== 'number' && ka !== 'string' && ka !== 'bigint') return refuse(a, 'a key');
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0;
}

/** A collection in the cloneable form. */
interface Wrapped {
  readonly '': 'list' | 'map' | 'ordered-map' | 'set' | 'ordered-set';
  readonly of: readonly unknown[];
}

/** A copy that survives structured cloning: collections become records that say what they were. */
export function toCloneable(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return refuse(value, 'a value');
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(toCloneable);
  if (isList(value)) return wrap('list', value.toArray().map(toCloneable));
  if (isMap(value))
    return wrap(
      isOrdered(value) ? 'ordered-map' : 'map',
      [...(value as IMap<unknown, unknown>)].map(([key, item]) => [toCloneable(key), toCloneable(item)]),
    );
  if (isSet(value))
    return wrap(isOrdered(value) ? 'ordered-set' : 'set', [...(value as ISet<unknown>)].map(toCloneable));
  if (!isPlain(value)) return refuse(value, 'an object');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toCloneable(item)]));
}

const wrap = (kind: Wrapped[''], of: readonly unknown[]): Wrapped => ({ '': kind, of });

/** The opposite of `toCloneable`. An unordered collection keeps the iteration order it had, by being built in that order. */
export function fromCloneable(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(fromCloneable);
  if (!('' in value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCloneable(item)]));
  const { '': kind, of } = value as Wrapped;
  const items = of.map(fromCloneable);
  switch (kind) {
    case 'list':
      return List(items);
    case 'map':
      return IMap(items as [unknown, unknown][]);
    case 'ordered-map':
      return OrderedMap(items as [unknown, unknown][]);
    case 'set':
      return ISet(items);
    case 'ordered-set':
      return OrderedSet(items);
  }
}

/**
 * Writes a flattened device tree, version 17 ("Devicetree Specification" 0.4, chapter "Flattened Devicetree (DTB) Format"): header,
 * an empty memory reservation block, the structure block, the strings block. Knows the format only; what is in the tree is
 * device-tree.ts's.
 */

/** A list of cells (32 bits each), text, several texts, or nothing. */
export type PropertyValue = readonly number[] | string | readonly string[] | true;

export interface Node {
  /** With its unit address; empty for the root. */
  readonly name: string;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly children: readonly Node[];
}

export const node = (
  name: string,
  properties: Readonly<Record<string, PropertyValue>>,
  children: readonly Node[] = [],
): Node => ({ name, properties, children });

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;

const enum Token {
  BEGIN_NODE = 1,
  END_NODE = 2,
  PROPERTY = 3,
  END = 9,
}

const utf8 = new TextEncoder();

class Writer {
  private readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }

  cell(value: number): void {
    this.bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
  }

  text(text: string): void {
    this.bytes.push(...utf8.encode(text), 0);
  }

  align(): void {
    while (this.bytes.length % 4 !== 0) this.bytes.push(0);
  }

  take(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

function writeValue(writer: Writer, value: PropertyValue): void {
  if (value === true) return;
  const items = typeof value === 'string' ? [value] : value;
  for (const item of items) {
    if (typeof item === 'string') writer.text(item);
    else writer.cell(item);
  }
}

/** The strings block: each property name once. */
class Strings {
  readonly writer = new Writer();
  private readonly offsets = new Map<string, number>();

  offsetOf(name: string): number {
    let offset = this.offsets.get(name);
    if (offset === undefined) {
      offset = this.writer.length;
      this.offsets.set(name, offset);
      this.writer.text(name);
    }
    return offset;
  }
}

function writeNode(structure: Writer, strings: Strings, { name, properties, children }: Node): void {
  structure.cell(Token.BEGIN_NODE);
  structure.text(name);
  structure.align();
  for (const [key, value] of Object.entries(properties)) {
    const content = new Writer();
    writeValue(content, value);
    structure.cell(Token.PROPERTY);
    structure.cell(content.length);
    structure.cell(strings.offsetOf(key));
    writeValue(structure, value);
    structure.align();
  }
  for (const child of children) writeNode(structure, strings, child);
  structure.cell(Token.END_NODE);
}

/** The tree as a blob, to lie at an address that is a multiple of 8. */
export function flatten(root: Node): Uint8Array {
  const structure = new Writer();
  const strings = new Strings();
  writeNode(structure, strings, root);
  structure.cell(Token.END);
  const body = structure.take();
  const names = strings.writer.take();
  const structureAt = HEADER_BYTES + RESERVATION_BYTES;
  const header = new Writer();
  for (const cell of [
    MAGIC,
    structureAt + body.length + names.length,
    structureAt,
    structureAt + body.length,
    HEADER_BYTES,
    VERSION,
    LAST_COMPATIBLE_VERSION,
    0, // hart that boots
    names.length,
    body.length,
  ])
    header.cell(cell);
  const blob = new Uint8Array(structureAt + body.length + names.length);
  blob.set(header.take());
  blob.set(body, structureAt);
  blob.set(names, structureAt + body.length);
  return blob;
}

/** Writes DWARF by hand: entries as nested literals, with whatever mistakes a test wants. */
import { Form, Tag } from '../../../debug-adapter/symbols/dwarf/info/constants';
import type { DebugSections } from '../../../debug-adapter/symbols/dwarf/info/unit';

export class Bytes {
  private readonly bytes: number[] = [];

  get length(): number {
    return this.bytes.length;
  }
  u8(...values: number[]): this {
    this.bytes.push(...values.map((value) => value & 0xff));
    return this;
  }
  u16(value: number): this {
    return this.u8(value, value >> 8);
  }
  u32(value: number): this {
    return this.u16(value).u16(value >>> 16);
  }
  u64(value: bigint): this {
    return this.u32(Number(BigInt.asUintN(32, value))).u32(Number(BigInt.asUintN(32, value >> 32n)));
  }
  uleb(value: number | bigint): this {
    let rest = BigInt(value);
    for (; rest >= 0x80n; rest >>= 7n) this.u8(Number(rest & 0x7fn) | 0x80);
    return this.u8(Number(rest));
  }
  sleb(value: number | bigint): this {
    let rest = BigInt(value);
    for (;;) {
      const byte = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }
  text(value: string): this {
    return this.u8(...new TextEncoder().encode(value), 0);
  }
  add(other: Uint8Array): this {
    for (const byte of other) this.bytes.push(byte);
    return this;
  }
  get done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

/** Refers to another entry by its label; written as DW_FORM_ref4. */
export const ref = (label: string): { readonly ref: string } => ({ ref: label });

export type RawValue = number | bigint | string | Uint8Array | { readonly ref: string };

/** One entry: attributes are `[name, form, value]`. */
export interface RawEntry {
  readonly tag: Tag | number;
  readonly label?: string;
  readonly attributes?: readonly (readonly [name: number, form: number, value?: RawValue])[];
  readonly children?: readonly RawEntry[];
}

export interface UnitOptions {
  readonly version?: number;
  readonly addressSize?: number;
  /** Replaces the length in the header. */
  readonly length?: number;
}

/** The sections of one unit. Every entry gets an abbreviation of its own. */
export function buildUnit(
  root: RawEntry,
  options: UnitOptions = {},
  more: Readonly<Record<string, Uint8Array>> = {},
): DebugSections {
  const version = options.version ?? 4;
  const abbreviations = new Bytes();
  const body = new Bytes();
  if (version >= 5)
    body
      .u16(version)
      .u8(1, options.addressSize ?? 8)
      .u32(0);
  else
    body
      .u16(version)
      .u32(0)
      .u8(options.addressSize ?? 8);
  const labels = new Map<string, number>();
  const fixups: [at: number, label: string][] = [];
  let code = 0;
  const write = (entry: RawEntry): void => {
    if (entry.label !== undefined) labels.set(entry.label, body.length + 4);
    abbreviations
      .uleb(++code)
      .uleb(entry.tag)
      .u8(entry.children ? 1 : 0);
    body.uleb(code);
    for (const [name, form, value = 0] of entry.attributes ?? []) {
      abbreviations.uleb(name).uleb(form);
      if (form === Form.implicit_const) abbreviations.sleb(value as number);
      else if (typeof value === 'object' && 'ref' in value) {
        fixups.push([body.length, value.ref]);
        body.u32(0);
      } else writeValue(body, form, value);
    }
    abbreviations.u8(0, 0);
    if (!entry.children) return;
    entry.children.forEach(write);
    body.u8(0);
  };
  write(root);
  const info = new Bytes().u32(options.length ?? body.length).add(body.done).done;
  for (const [at, label] of fixups) new DataView(info.buffer).setUint32(at + 4, labels.get(label)!, true);
  const sections: Record<string, Uint8Array> = {
    '.debug_info': info,
    '.debug_abbrev': abbreviations.u8(0).done,
    ...more,
  };
  return { section: (name) => sections[name] };
}

function writeValue(to: Bytes, form: number, value: Exclude<RawValue, { ref: string }>): void {
  if (typeof value === 'string') to.text(value);
  else if (value instanceof Uint8Array) {
    if (form === Form.block1) to.u8(value.length);
    else if (form === Form.exprloc || form === Form.block) to.uleb(value.length);
    to.add(value);
  } else if (form === Form.addr || form === Form.data8 || form === Form.ref_sig8) to.u64(BigInt(value));
  else if (form === Form.data1 || form === Form.flag || form === Form.strx1 || form === Form.addrx1)
    to.u8(Number(value));
  else if (form === Form.data2) to.u16(Number(value));
  else if (form === Form.sdata) to.sleb(value);
  else if (form === Form.flag_present) return;
  else if (
    form === Form.udata ||
    form === Form.loclistx ||
    form === Form.rnglistx ||
    form === Form.addrx ||
    form === Form.strx
  )
    to.uleb(value);
  else to.u32(Number(value));
}

/** Sections by name, for what `buildUnit` does not cover. */
export const sectionsOf = (sections: Readonly<Record<string, Uint8Array>>): DebugSections => ({
  section: (name) => sections[name],
});

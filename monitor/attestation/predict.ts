/**
 * What the monitor will measure of an enclave, from its file and without a machine: a second way to the same 32 bytes. Owns the pages of
 * a new enclave in the order they are hashed. The driver's loader decides which pages a file has (driver/elf.ts); how they are hashed is
 * written here once more, as measure.ts has it over page tables, and the tests hold both to be equal.
 */
import { PAGE_SIZE } from '../../emulator/units';
import { DEFAULT_STACK_SIZE, EnclaveVa, MAX_STACK_SIZE } from '../abi';
import { planElf, type ElfPlan } from '../driver/elf';
import { imageBytes, imageOf, type Image } from '../driver/image';
import { le64 } from '../measure';
import type { EnclaveType } from '../types';
import type { Digest, HashFunction } from './hashes';

/** How a host creates it. */
export interface Creation {
  readonly type: EnclaveType;
  /** Bytes; a template has none. */
  readonly stackSize: number;
  /** What the shared memory holds at creation; its length is a multiple of a page. A template maps none. */
  readonly shm?: Uint8Array | undefined;
}

export const ORDINARY: Creation = { type: 'NORMAL', stackSize: DEFAULT_STACK_SIZE };

/** Consecutive pages; `bytes` undefined: zeros. */
interface Pages {
  readonly first: number;
  readonly count: number;
  readonly bytes?: (index: number) => Uint8Array;
}

/** Pages collected before they are hashed: a file of 100 MiB is not copied as a whole. */
const PAGES_AT_ONCE = 256;
const ZERO_PAGE = new Uint8Array(PAGE_SIZE);
/** The kbuffer's place among the 2^27 pages of an address space. */
const KBUFFER_PAGE = EnclaveVa.KBUFFER / PAGE_SIZE + 2 ** 27;

/** An enclave's file, ready to be measured in several ways. */
export class Measurable {
  private constructor(
    private readonly image: Image,
    private readonly elf: ElfPlan,
    /** The page at address 0 that a loader makes of the attributes section, if the file has one and nothing else is there. */
    private readonly attributes: Uint8Array | undefined,
  ) {}

  /** A sentence when the driver would not load it. */
  static of(file: Uint8Array): Measurable | string {
    const image = imageOf(file);
    const elf = planElf(image, 0);
    return 'error' in elf ? elf.error : new Measurable(image, elf, attributesPage(image));
  }

  get entry(): number {
    return this.elf.entry;
  }

  /** Does the driver map the attributes at address 0; undefined when the file has none to map. */
  get mapsAttributes(): boolean | undefined {
    return this.attributes && this.elf.runs.some(({ first }) => first === 0);
  }

  /** The digest after the file's pages; what follows depends on how it is created. */
  private begin(hash: HashFunction, attributes = this.mapsAttributes): Stream {
    const stream = new Stream(hash, hash.add(hash.begin(), le64(BigInt(this.entry))));
    if (attributes && !this.mapsAttributes) stream.add({ first: 0, count: 1, bytes: () => this.attributes! });
    for (const { first, count } of this.elf.runs) {
      const skip = first === 0 && attributes === false && this.mapsAttributes ? 1 : 0;
      stream.add({ first: first + skip, count: count - skip, bytes: (i) => this.page(first + skip + i) });
    }
    return stream;
  }

  /** One page as the loader fills it. */
  private page(number: number): Uint8Array {
    const [from, to] = [number * PAGE_SIZE, (number + 1) * PAGE_SIZE];
    let bytes: Uint8Array | undefined;
    for (const { address, offset, length } of this.elf.pieces) {
      const [start, end] = [Math.max(from, address), Math.min(to, address + length)];
      if (start >= end) continue;
      bytes ??= new Uint8Array(PAGE_SIZE);
      bytes.set(imageBytes(this.image, offset + start - address, end - start), start - from);
    }
    return bytes ?? ZERO_PAGE;
  }

  /**
   * Measurements of the same file created in several ways; the file is hashed once. `attributes`: with or without the page at
   * address 0, if not as the driver does it.
   */
  measureAll(
    hash: HashFunction,
    creations: readonly Creation[],
    options: { readonly attributes?: boolean | undefined; readonly nonce?: bigint } = {},
  ): Uint8Array[] {
    const { attributes, nonce = 0n } = options;
    const common = this.begin(hash, attributes);
    return creations.map((creation) => {
      const stream = common.copy();
      for (const pages of rest(creation)) stream.add(pages);
      return stream.finish(nonce);
    });
  }

  /** create_hash; with a nonce, what the enclave reports of itself before it has changed anything. */
  measure(hash: HashFunction, creation: Creation = ORDINARY, nonce = 0n): Uint8Array {
    return this.measureAll(hash, [creation], { nonce })[0]!;
  }
}

/** What is mapped beside the file, by address. */
function rest({ type, stackSize, shm }: Creation): Pages[] {
  if (type === 'SHADOW') return [];
  const top = EnclaveVa.STACK_TOP / PAGE_SIZE;
  const stack = Math.ceil(Math.min(stackSize, MAX_STACK_SIZE) / PAGE_SIZE);
  const pages: Pages[] = [{ first: top - stack, count: stack }];
  if (shm) {
    const bytes = (i: number): Uint8Array => shm.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
    pages.push({ first: EnclaveVa.SHM_BASE / PAGE_SIZE, count: Math.floor(shm.length / PAGE_SIZE), bytes });
  }
  if (type === 'NORMAL') pages.push({ first: KBUFFER_PAGE, count: 1 });
  return pages;
}

/** The stream of bytes that is hashed: at each gap an address and a zero byte, then pages. */
class Stream {
  constructor(
    private readonly hash: HashFunction,
    private digest: Digest,
    private next = -1,
  ) {}

  copy(): Stream {
    return new Stream(this.hash, this.digest, this.next);
  }

  add({ first, count, bytes }: Pages): void {
    if (count <= 0) return;
    let parts: Uint8Array[] = [];
    if (first !== this.next) parts.push(le64(0xffffff8000000000n + (BigInt(first) << 12n)), new Uint8Array(1));
    for (let i = 0; i < count; i++) {
      parts.push(bytes?.(i) ?? ZERO_PAGE);
      if (parts.length < PAGES_AT_ONCE && i < count - 1) continue;
      this.digest = this.hash.add(this.digest, ...parts);
      parts = [];
    }
    this.next = first + count;
  }

  finish(nonce: bigint): Uint8Array {
    return this.hash.finish(this.hash.add(this.digest, le64(nonce)));
  }
}

/** enclave.hash of a report that was not made by the enclave itself. */
export const reportHash = (hash: HashFunction, measurement: Uint8Array, nonce: bigint): Uint8Array =>
  hash.of(measurement, le64(nonce));

const PT_RISCV_ATTRIBUTES = 0x70000003;
const MAX_PROGRAM_HEADERS = 512;

/** What a loader that copies every program header puts at address 0 of a file that newer linkers made. */
function attributesPage(image: Image): Uint8Array | undefined {
  const header = new DataView(imageBytes(image, 0, 64).buffer);
  const count = header.getUint16(56, true);
  const at = Number(header.getBigUint64(32, true));
  if (count > MAX_PROGRAM_HEADERS || !(at + 56 * count <= image.size)) return undefined;
  const table = new DataView(imageBytes(image, at, 56 * count).buffer);
  for (let i = 0; i < count; i++) {
    const word = (field: number): number => Number(table.getBigUint64(56 * i + field, true));
    if (table.getUint32(56 * i, true) !== PT_RISCV_ATTRIBUTES) continue;
    const [offset, address, length] = [word(8), word(16), word(32)];
    if (address !== 0 || !(length > 0 && length <= PAGE_SIZE && offset + length <= image.size)) return undefined;
    const page = new Uint8Array(PAGE_SIZE);
    page.set(imageBytes(image, offset, length));
    return page;
  }
  return undefined;
}

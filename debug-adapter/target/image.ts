/**
 * The ELF images of a session, each identified by a hash of its bytes and never by a path: what the guest file system holds, and what
 * the machine reports that nobody had seen before. Addresses in here are the file's own; a mapping (worlds.ts) adds the base.
 */
import { Program } from '../symbols/program';

export interface Image {
  /** SHA-256 of the bytes, lower-case hexadecimal. */
  readonly hash: string;
  /** Guest path it was first seen at, or what the machine calls it. */
  readonly name: string;
  /** Where it lies on the developer's machine, and when it was last changed there; absent for images only the guest has. */
  readonly origin?: { readonly path: string; readonly modified: number };
  readonly program: Program;
}

export class Images {
  private readonly byHash = new Map<string, Image>();

  constructor(private readonly bytesOf: (hash: string) => Uint8Array | undefined) {}

  /** Registers an image; an equal one that is there already stays, so its first name is kept. Undefined when it is no ELF file. */
  add(hash: string, name: string, bytes: Uint8Array, origin?: Image['origin']): Image | undefined {
    const known = this.byHash.get(hash);
    if (known) return known;
    const program = Program.load(bytes);
    if (!(program instanceof Program)) return undefined;
    const image: Image = { hash, name, program, ...(origin ? { origin } : {}) };
    this.byHash.set(hash, image);
    return image;
  }

  get(hash: string): Image | undefined {
    return this.byHash.get(hash);
  }

  /** The image of a hash the machine named; read from the machine when it is none of the files. */
  found(hash: string, name: string): { image: Image; fresh: boolean } | undefined {
    const known = this.byHash.get(hash);
    if (known) return { image: known, fresh: false };
    const bytes = this.bytesOf(hash);
    const image = bytes && this.add(hash, name, bytes);
    return image && { image, fresh: true };
  }

  /** In the order they were added. */
  all(): readonly Image[] {
    return [...this.byHash.values()];
  }
}

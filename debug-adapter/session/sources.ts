/**
 * Source files: where those that debug information names are on this machine, and which path the client is shown for them. A path
 * the client itself used is given back byte for byte. Looks at a bounded number of places.
 */
import type { Image, Images } from '../target/image';
import { matchSource, type Candidate, type SourceMap } from '../target/paths';
import { baseName, folderOf, isAbsolute, normalize, resolvePath, toUri, type Files } from './files';

/** Files of one image that are looked for on disk; a program has more only when a whole library was built with -g. */
const FILES_MAX = 5000;
/** How many folders above the program's are tried as the root of a moved source tree. */
const PARENTS = 4;
/** Files of an image that are looked for under other folders, and how many folders of their paths are tried. */
const GUESSED_MAX = 200;
const SUFFIX_MAX = 6;

export class Sources {
  private readonly files = new Map<Image, readonly Candidate<Image>[]>();
  private readonly modified = new Map<string, number>();
  /** Debug information's path -> the client's. */
  private readonly shown = new Map<string, string>();
  /** Where a moved source file seems to be now: for showing it, not for deciding what a breakpoint means. */
  private readonly guesses = new Map<string, string>();
  private readonly stats = new Map<string, Promise<boolean>>();
  /** A file's identity -> the path a program names it by. */
  private readonly byIdentity = new Map<string, string>();
  /** A client's path -> the path a program names that file by, where they differ. */
  private readonly places = new Map<string, string>();

  constructor(
    private readonly disk: Files,
    readonly map: SourceMap,
    /** Folders a moved source tree may start in. */
    private readonly roots: readonly string[],
  ) {}

  /** Looks for an image's sources on disk; to be awaited before breakpoints are set in it. */
  async index(image: Image): Promise<void> {
    if (this.files.has(image)) return;
    const listed = image.program.lines?.files ?? [];
    this.files.set(
      image,
      listed.map(({ path }, file) => ({ owner: image, file, path, local: undefined })),
    );
    const found = await Promise.all(
      listed.slice(0, FILES_MAX).map(async ({ path }, file) => ({
        ...{ owner: image, file, path },
        local: await this.find(path, image),
      })),
    );
    const rest = this.files.get(image)!.slice(FILES_MAX);
    this.files.set(image, [...found, ...rest]);
    for (const file of found.slice(0, GUESSED_MAX)) if (file.local === undefined) await this.guess(file.path);
  }

  /** Tries the ends of a path, longest first, in the roots. What two files would claim belongs to neither. */
  private async guess(path: string): Promise<void> {
    const parts = normalize(path).split(/[\\/]/).filter(Boolean);
    for (let from = Math.max(1, parts.length - SUFFIX_MAX); from < parts.length; from++)
      for (const root of this.roots) {
        const tried = resolvePath(root, parts.slice(from).join('/'));
        if (!(await this.exists(tried))) continue;
        const rival = [...this.guesses].find(([other, place]) => place === tried && other !== path);
        if (rival) this.guesses.delete(rival[0]);
        else this.guesses.set(path, tried);
        return;
      }
  }

  filesOf(image: Image): readonly Candidate<Image>[] {
    const known = this.files.get(image);
    if (known) return known;
    // An image that appeared while running: what is on disk becomes known a moment later.
    const listed = image.program.lines?.files ?? [];
    return listed.map(({ path }, file) => ({ owner: image, file, path, local: undefined }));
  }

  /** When a source was changed last; known after `look`. */
  modifiedOf(path: string): number | undefined {
    return this.modified.get(path);
  }

  /** The client's path, or the one a program was built from when that is the same file under another name; known after `look`. */
  placeOf(path: string): string {
    return this.places.get(path) ?? path;
  }

  /** Reads the time of a client's file, and remembers how the client spells the files it means. */
  async look(path: string, images: Images): Promise<void> {
    const stat = await this.disk.stat(toUri(path)).catch(() => undefined);
    if (stat) this.modified.set(path, stat.modified);
    const same = stat?.identity === undefined ? undefined : this.byIdentity.get(stat.identity);
    if (same !== undefined && same !== path) this.places.set(path, same);
    const all = images.all().flatMap((image) => this.filesOf(image));
    const match = matchSource(this.placeOf(path), all, this.map);
    if (match.kind === 'found') for (const candidate of match.candidates) this.shown.set(candidate.path, path);
  }

  /** The path to show for a file of an image. */
  show(
    image: Image,
    file: number,
    path: string,
  ): { readonly name: string; readonly path: string; readonly found: boolean } {
    const local = this.shown.get(path) ?? this.filesOf(image)[file]?.local ?? this.guesses.get(path);
    const shown = local ?? this.map.apply(path) ?? path;
    return { name: baseName(shown), path: shown, found: local !== undefined };
  }

  private async find(path: string, image: Image): Promise<string | undefined> {
    const mapped = this.map.apply(path);
    if (path.startsWith('\\\\')) return undefined; // looking there would tell another machine
    if (mapped !== undefined) return (await this.exists(mapped)) ? mapped : undefined;
    if (isAbsolute(path) && (await this.exists(path))) return path;
    const folder = image.origin && folderOf(image.origin.path);
    if (!isAbsolute(path)) {
      // The compiler was started somewhere unknown: beside the program, or in a root.
      for (const root of [folder, ...this.roots]) {
        const tried = root && resolvePath(root, path);
        if (tried && (await this.exists(tried))) return tried;
      }
    }
    return undefined;
  }

  private exists(path: string): Promise<boolean> {
    const uri = toUri(path);
    let known = this.stats.get(uri);
    if (!known) {
      known = this.disk.stat(uri).then(
        (stat) => {
          if (stat?.kind !== 'file') return false;
          if (stat.identity !== undefined && !this.byIdentity.has(stat.identity))
            this.byIdentity.set(stat.identity, path);
          return true;
        },
        () => false,
      );
      this.stats.set(uri, known);
    }
    return known;
  }
}

/** The program's folder and those above it, then the configuration's own folder. */
export function rootsOf(program: string, cwd: string | undefined): readonly string[] {
  const roots: string[] = [];
  let folder = folderOf(normalize(program));
  for (let i = 0; i < PARENTS && folder !== '/' && !roots.includes(folder); i++) {
    roots.push(folder);
    folder = folderOf(folder);
  }
  if (cwd !== undefined && !roots.includes(cwd)) roots.push(cwd);
  return roots;
}

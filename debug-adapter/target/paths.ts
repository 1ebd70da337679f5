/**
 * Which source file of which program a client's path means. Compilers write down paths of the machine that compiled; the developer
 * may have moved the folder since. So: the very path, then through `sourceMap`, then relative to the compilation directory where
 * that was relative, then the longest common end of both paths, if only one file has it. Never guesses between equals.
 */
import { isAbsolute, isWindowsPath, normalize } from '../session/files';

/** One source file of one image. */
export interface Candidate<Owner> {
  readonly owner: Owner;
  /** Index in the owner's line table. */
  readonly file: number;
  /** Path as the debug information has it, joined with the compilation directory and normalised. */
  readonly path: string;
  /** Where the file was found on this machine, if it was. */
  readonly local: string | undefined;
}

export type Match<Owner> =
  | { readonly kind: 'found'; readonly candidates: readonly Candidate<Owner>[] }
  | { readonly kind: 'ambiguous'; readonly paths: readonly string[] }
  | { readonly kind: 'none' };

/** Compares ignoring case where the file system does. */
function key(path: string): string {
  const normal = normalize(path);
  return isWindowsPath(normal) ? normal.replaceAll('\\', '/').toLowerCase() : normal;
}

export class SourceMap {
  /** Longest prefix first, so that a folder inside a mapped folder can be mapped elsewhere. */
  private readonly rules: readonly (readonly [from: string, to: string])[];

  constructor(map: Readonly<Record<string, string>>) {
    this.rules = Object.entries(map)
      .map(([from, to]) => [stripSlash(normalize(from)), stripSlash(normalize(to))] as const)
      .sort((a, b) => b[0].length - a[0].length);
  }

  /** Where a path of the debug information lies according to the map. */
  apply(path: string): string | undefined {
    const normal = normalize(path);
    for (const [from, to] of this.rules) {
      if (key(normal) === key(from)) return to;
      const folder = from === '/' || from === '' ? from : `${key(from)}/`;
      if (from === '' && isAbsolute(normal)) continue;
      if (key(normal).startsWith(folder)) {
        const rest = normal.slice(folder.length);
        return isWindowsPath(to) ? `${to}\\${rest.replaceAll('/', '\\')}` : `${to}/${rest.replaceAll('\\', '/')}`;
      }
    }
    return undefined;
  }
}

function stripSlash(path: string): string {
  return path.length > 1 ? path.replace(/[\\/]$/, '') : path;
}

/** Finds the files a client's path means among those of all programs. */
export function matchSource<Owner>(wanted: string, files: readonly Candidate<Owner>[], map: SourceMap): Match<Owner> {
  const target = key(wanted);
  const exact = files.filter((file) => key(file.path) === target);
  if (exact.length > 0) return { kind: 'found', candidates: exact };
  const mapped = files.filter((file) => {
    const to = map.apply(file.path);
    return to !== undefined && key(to) === target;
  });
  if (mapped.length > 0) return { kind: 'found', candidates: mapped };
  const local = files.filter((file) => file.local !== undefined && key(file.local) === target);
  if (local.length > 0) return { kind: 'found', candidates: local };
  return bySuffix(wanted, files, map);
}

function bySuffix<Owner>(wanted: string, files: readonly Candidate<Owner>[], map: SourceMap): Match<Owner> {
  const target = key(wanted).split('/').reverse();
  let best = 0;
  let found: Candidate<Owner>[] = [];
  for (const file of files) {
    // A file that is where its debug information says, or where the map puts it, is that file and not another one.
    if (file.local !== undefined || map.apply(file.path) !== undefined) continue;
    const common = commonEnd(key(file.path).split('/').reverse(), target);
    if (common === 0 || common < best) continue;
    if (common > best) found = [];
    best = common;
    found.push(file);
  }
  if (found.length === 0) return { kind: 'none' };
  const paths = [...new Set(found.map((file) => file.path))];
  return paths.length > 1 ? { kind: 'ambiguous', paths } : { kind: 'found', candidates: found };
}

function commonEnd(a: readonly string[], b: readonly string[]): number {
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common] && a[common] !== '') common++;
  return common;
}

/**
 * Paths of source files as compilers write them: joined and normalised as text. Owns no file system: links are not resolved,
 * and a path never becomes absolute by guessing.
 */

const DRIVE = /^[A-Za-z]:[\\/]/;

/** Absolute on POSIX, or on Windows with a drive or as a UNC path. */
export function isAbsolutePath(path: string): boolean {
  return path.startsWith('/') || path.startsWith('\\\\') || DRIVE.test(path);
}

/** `name` inside `directory`, unless it is absolute or there is no directory. */
export function joinPath(directory: string | undefined, name: string): string {
  if (!directory || isAbsolutePath(name)) return name;
  return name === '' ? directory : `${directory}/${name}`;
}

/**
 * Without `.`, empty and (where something is left to go up from) `..` segments. Backslashes separate only in a path that
 * is absolute on Windows; everywhere else they are part of a name.
 */
export function normalisePath(path: string): string {
  const windows = DRIVE.test(path) || path.startsWith('\\\\');
  const text = windows ? path.replaceAll('\\', '/') : path;
  const root = windows ? (text.startsWith('//') ? '//' : text.slice(0, 3)) : text.startsWith('/') ? '/' : '';
  const kept: string[] = [];
  for (const segment of text.slice(root.length).split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (root === '') kept.push(segment);
  }
  return root + kept.join('/');
}

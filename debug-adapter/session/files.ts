/**
 * Files as the adapter reads them: by URI and asynchronously, so that the same code runs in a desktop process and in a browser's
 * worker. Whoever starts the adapter provides them. Also the translation between a client's paths and URIs.
 */

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /** Equal for two paths that lead to one file, where the file system can tell. */
  readonly identity?: string;
  /** Permission bits, where the file system has them. */
  readonly mode?: number;
}

export interface Files {
  /** Undefined when there is nothing at that place. */
  stat(uri: string): Promise<FileStat | undefined>;
  /** Throws an Error whose message says why not. */
  read(uri: string): Promise<Uint8Array>;
  /** Names in a folder, sorted; empty when it cannot be read. */
  list(uri: string): Promise<readonly string[]>;
  /** What a symbolic link says; undefined for anything else. Absent where there are no links. */
  link?(uri: string): Promise<string | undefined>;
  /**
   * Makes a file, and the folders it lies in, for its owner only; false when there is one already, or it can't be made. Absent where
   * nothing can be written.
   */
  create?(uri: string, bytes: Uint8Array): Promise<boolean>;
}

const WINDOWS = /^[a-zA-Z]:[\\/]/;

/** True for `C:\…` and `\\server\…`. */
export function isWindowsPath(path: string): boolean {
  return WINDOWS.test(path) || path.startsWith('\\\\');
}

export function isAbsolute(path: string): boolean {
  return path.startsWith('/') || isWindowsPath(path) || /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
}

/** A client's absolute path as a URI; a URI stays what it is. */
export function toUri(path: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) return path;
  const slashed = isWindowsPath(path) ? path.replaceAll('\\', '/') : path;
  const encoded = slashed.split('/').map(encodeURIComponent).join('/');
  if (slashed.startsWith('//')) return `file:${encoded}`;
  return slashed.startsWith('/') ? `file://${encoded}` : `file:///${encoded}`;
}

/** Joins a relative path to a folder; an absolute one stays. Collapses `.` and `..`; keeps the folder's way of writing. */
export function resolvePath(folder: string, path: string): string {
  return normalize(isAbsolute(path) || folder === '' ? path : `${folder}/${path}`);
}

/** Collapses `.`, `..` and doubled separators. `\` counts as a separator in Windows paths only. */
export function normalize(path: string): string {
  const windows = isWindowsPath(path);
  const scheme = /^[a-z][a-z0-9+.-]+:\/\/[^/]*/i.exec(path)?.[0] ?? '';
  const rest = windows ? path.replaceAll('\\', '/') : path.slice(scheme.length);
  const rooted = rest.startsWith('/') || scheme !== '';
  const parts: string[] = [];
  for (const part of rest.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !rooted) parts.push(part);
  }
  const joined = `${scheme}${rooted ? '/' : ''}${parts.join('/')}`;
  if (path.startsWith('\\\\')) return `/${joined}`.replaceAll('/', '\\');
  return windows ? joined.replaceAll('/', '\\') : joined;
}

/** Last component of a path. */
export function baseName(path: string): string {
  return path.split(isWindowsPath(path) ? /[\\/]/ : '/').at(-1) ?? path;
}

/** Everything before the last component, without the separator at its end. */
export function folderOf(path: string): string {
  const at = isWindowsPath(path) ? Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) : path.lastIndexOf('/');
  return at <= 0 ? path.slice(0, Math.max(at, 0)) || '/' : path.slice(0, at);
}

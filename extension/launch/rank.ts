/** Which host program a person editing a file most likely means. */
import { basename, dirname, relative, sep } from 'node:path';

/** Orders hosts by `distance` to the active file, then by path. */
export function rankHosts(hosts: readonly string[], activeFile?: string): { hosts: string[]; nearest: string[] } {
  const ranked = hosts
    .map((path) => ({ path, distance: activeFile ? distance(path, activeFile) : 0 }))
    .sort((a, b) => a.distance - b.distance || (a.path < b.path ? -1 : 1));
  const nearest = ranked.filter((host) => host.distance === ranked[0]?.distance).map((host) => host.path);
  return { hosts: ranked.map((host) => host.path), nearest };
}

/**
 * How far a built program is from a source file: 0 in the same folder, 1 in a folder below it, 2 in a folder of the same name
 * (`build/shadow-fork/host` for `shadow-fork/host.c`), 3 elsewhere.
 */
function distance(program: string, source: string): number {
  const [programFolder, sourceFolder] = [dirname(program), dirname(source)];
  if (programFolder === sourceFolder) return 0;
  if (!relative(sourceFolder, programFolder).startsWith('..' + sep) && relative(sourceFolder, programFolder) !== '..')
    return 1;
  return basename(programFolder) === basename(sourceFolder) ? 2 : 3;
}

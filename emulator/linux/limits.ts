/**
 * Resource limits of a process (getrlimit(2)). All are kept, inherited and told. Open files are limited by theirs, and regular files in
 * size; the others are never reached, or not asked for: root may exceed them, or this machine has another bound.
 */
import { STACK_SIZE } from './memory/layout';
import type { Limit, Process } from './state';

export const enum Resource {
  FSIZE = 1,
  STACK = 3,
  CORE = 4,
  NPROC = 6,
  NOFILE = 7,
  MEMLOCK = 8,
}
export const RESOURCES = 16;

export const UNLIMITED = 0xffff_ffff_ffff_ffffn;
const FREE: Limit = [UNLIMITED, UNLIMITED];
/** As Linux gives to the first process. */
const DEFAULTS: Readonly<Record<number, Limit>> = {
  [Resource.STACK]: [BigInt(STACK_SIZE), UNLIMITED],
  [Resource.CORE]: [0n, UNLIMITED],
  [Resource.NOFILE]: [1024n, 4096n],
};
/** /proc/sys/fs/nr_open: no process can ask for more descriptors. */
export const MAX_NOFILE = 4096;

export const limitOf = ({ limits }: Pick<Process, 'limits'>, resource: number): Limit =>
  limits?.[resource] ?? DEFAULTS[resource] ?? FREE;

/** Descriptors are below this number. */
export const maxDescriptors = (process: Process): number => {
  const [soft] = limitOf(process, Resource.NOFILE);
  return soft > BigInt(MAX_NOFILE) ? MAX_NOFILE : Number(soft);
};

/** Bytes a regular file may have. */
export const maxFileSize = (process: Process): number => {
  const [soft] = limitOf(process, Resource.FSIZE);
  return soft === UNLIMITED ? Infinity : Number(soft);
};

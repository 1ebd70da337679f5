// Every text of the functions and constants that rows use (the files of this folder).
import { INTEGER } from './integer';
import { PRIVILEGED } from './privileged';

export const LIBRARY_TEXTS: readonly string[] = [INTEGER, PRIVILEGED];

// Every text of the functions and constants that rows use (the files of this folder).
import type { LibraryText } from '../language/check';
import { FLOAT_TEXTS } from './float';
import { INTEGER } from './integer';
import { PRIVILEGED } from './privileged';

export const LIBRARY_TEXTS: readonly LibraryText[] = [
  { title: 'integer', text: INTEGER },
  { title: 'privileged', text: PRIVILEGED },
  ...FLOAT_TEXTS,
];

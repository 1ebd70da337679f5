// Every text of the functions and constants that rows use (the files of this folder).
import type { LibraryText } from '../language/check';
import { BITS } from './bits';
import { CACHE_BLOCKS } from './cache-blocks';
import { FLOAT_TEXTS } from './float';
import { INTEGER } from './integer';
import { PRIVILEGED } from './privileged';

export const LIBRARY_TEXTS: readonly LibraryText[] = [
  { title: 'integer', text: INTEGER },
  { title: 'bits', text: BITS },
  { title: 'privileged', text: PRIVILEGED },
  { title: 'cache-blocks', text: CACHE_BLOCKS },
  ...FLOAT_TEXTS,
];

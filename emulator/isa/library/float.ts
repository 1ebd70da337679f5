// Every text of the floating-point functions (the files float-*.ts), in the order in which their constants need one another.
import type { LibraryText } from '../language/check';
import { FLOAT_ADD } from './float-add';
import { FLOAT_CLASS } from './float-class';
import { FLOAT_COMPARE } from './float-compare';
import { FLOAT_CONSTANTS } from './float-constants';
import { FLOAT_DIVIDE } from './float-divide';
import { FLOAT_FMA } from './float-fma';
import { FLOAT_FORMAT } from './float-format';
import { FLOAT_INTEGER } from './float-integer';
import { FLOAT_INTEGRAL } from './float-integral';
import { FLOAT_MULTIPLY } from './float-multiply';
import { FLOAT_ROUND } from './float-round';
import { FLOAT_SQRT } from './float-sqrt';
import { FLOAT_WIDE } from './float-wide';
import { FLOAT_WIDTH } from './float-width';

/** They call `mulhu` of integer.ts. */
export const FLOAT_TEXTS: readonly LibraryText[] = [
  { title: 'float-format', text: FLOAT_FORMAT },
  { title: 'float-round', text: FLOAT_ROUND },
  { title: 'float-wide', text: FLOAT_WIDE },
  { title: 'float-add', text: FLOAT_ADD },
  { title: 'float-multiply', text: FLOAT_MULTIPLY },
  { title: 'float-divide', text: FLOAT_DIVIDE },
  { title: 'float-sqrt', text: FLOAT_SQRT },
  { title: 'float-fma', text: FLOAT_FMA },
  { title: 'float-integer', text: FLOAT_INTEGER },
  { title: 'float-width', text: FLOAT_WIDTH },
  { title: 'float-compare', text: FLOAT_COMPARE },
  { title: 'float-class', text: FLOAT_CLASS },
  { title: 'float-integral', text: FLOAT_INTEGRAL },
  { title: 'float-constants', text: FLOAT_CONSTANTS },
];

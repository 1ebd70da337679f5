/** The programs that ship, as tests start them: those in dist/, or where the environment chooses the engine those that listen to it. */
import { join } from 'node:path';

const folder = process.env['PENGLAI_ENGINE'] === undefined ? 'dist' : 'out/programs';

export const programFile = (name: 'penglai' | 'debug-adapter'): string => join(process.cwd(), folder, `${name}.js`);

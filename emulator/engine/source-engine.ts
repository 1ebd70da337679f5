/**
 * The engine whose loop is TypeScript, generated from the rows when the project is built (source/): for places where WebAssembly may
 * not be compiled, and to check the WebAssembly engine against.
 */
import type { Hart } from '../hart/hart';
import { loop } from './generated/interpreter';
import { LoopEngine } from './loop-engine';
import type { Left } from './types';

export class SourceEngine extends LoopEngine {
  protected loop(hart: Hart, limit: number): Left {
    return loop(this.host, hart, limit);
  }
}

/** Golden files of this folder. */
import { compareWithGolden } from '../../tools/golden';

export const golden = (name: string, text: string): void =>
  compareWithGolden(`test/integration/abi/golden/${name}.txt`, text);

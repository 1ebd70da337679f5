/** Every engine there is, in both regimes, as oracles. */
import { ENGINE_NAMES } from '../../emulator/machine/machine';
import { OurMachine } from './oracles';

export const engines = (): OurMachine[] =>
  ENGINE_NAMES.flatMap((engine) =>
    (['bare', 'sv39'] as const).map((regime) => new OurMachine({ engine, hotness: 1 }, regime, engine)),
  );

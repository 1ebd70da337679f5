/** A process of its own for a run of guests/regions.c: argument is a RegionsRun as JSON, the answer one line of JSON. */
import '../../debug-adapter/node-flags';
import { runRegions, type RegionsRun } from './regions-run';

void runRegions(JSON.parse(process.argv[2]!) as RegionsRun).then((result) =>
  process.stdout.write(JSON.stringify(result)),
);

/** A process of its own: puts a saved system back, runs it to its end and tells what came out. Arguments: cut file, result file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { loadSystem } from '../../../monitor/system/system';
import { advance, outcome, type Cut } from './scenario';

const [cutFile, resultFile] = process.argv.slice(2) as [string, string];
const { scenario, posted, saved } = deserialize(readFileSync(cutFile)) as Cut;
const system = loadSystem(scenario.launch, saved);
writeFileSync(resultFile, JSON.stringify(outcome(system, advance(system, scenario, posted).printed)));

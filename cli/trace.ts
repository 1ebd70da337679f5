/** `penglai trace`: runs as `penglai run` does and tells every call that reaches the monitor or its driver, as text or JSON lines. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Stamped } from '../emulator/machine/outbox';
import type { System, SystemEvent } from '../monitor/system/types';
import { isWanted, TRACE_CLASSES, type TraceClass, type TraceFilter } from '../monitor/trace/filter';
import type { TraceRecord } from '../monitor/trace/records';
import { TEXT_HEADER, TraceText } from '../monitor/trace/text';
import { Tracer } from '../monitor/trace/tracer';
import { LogFile } from './log-file';
import { integer, run, withRunOptions, type RunOptions } from './run';

interface TraceOptions extends RunOptions {
  readonly json?: boolean;
  readonly output?: string;
  readonly only?: readonly TraceClass[];
  readonly instance?: number;
  readonly name?: string;
  readonly summary: boolean;
}

export function registerTrace(program: Command): void {
  const command = program
    .command('trace')
    .description('run a host program and its enclaves, and tell every call that reaches the monitor or its driver');
  withRunOptions(command)
    .option('--json', 'a JSON record per line instead of text; docs/tracing.md describes it')
    .option('-o, --output <file>', 'write the trace into a file instead of standard error')
    .addOption(
      new Option('--only <classes>', `of ${TRACE_CLASSES.join(', ')}: those, separated by commas`).argParser(classes),
    )
    .option('--instance <number>', 'what has to do with this instance', integer)
    .option('--name <name>', 'what has to do with enclaves of this name')
    .option('--no-summary', 'do not say at the end where the ticks went')
    .action(async (host: string, args: string[], options: TraceOptions) => {
      process.exitCode = await run(host, args, options, (system) => new TraceLog(system, options));
    });
}

function classes(text: string): readonly TraceClass[] {
  return text.split(',').map((word) => {
    const known = TRACE_CLASSES.find((one) => one === word);
    if (!known) throw new InvalidArgumentError(`there is no ${word}; give some of ${TRACE_CLASSES.join(',')}.`);
    return known;
  });
}

class TraceLog {
  private readonly tracer: Tracer;
  private readonly text = new TraceText();
  private readonly file: LogFile;
  private readonly filter: TraceFilter;

  constructor(
    private readonly system: System,
    private readonly options: TraceOptions,
  ) {
    this.tracer = new Tracer(system.clockHz);
    this.file = new LogFile(options.output, '--output');
    this.filter = options;
    if (!options.json) this.file.write(TEXT_HEADER);
  }

  take(event: Stamped<SystemEvent>): void {
    for (const record of this.tracer.take(event)) this.write(record);
  }

  private write(record: TraceRecord): void {
    if (!isWanted(record, this.filter)) return;
    this.file.write(this.options.json ? `${JSON.stringify(record)}\n` : this.text.write(record));
  }

  close(): void {
    if (this.options.summary) this.write(this.tracer.summary(this.system.tick));
    if (!this.options.json) this.file.write(this.text.end());
    this.file.close();
  }
}

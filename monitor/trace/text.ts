/** Records of the trace as lines for people. An ioctl in which nothing else happens is one line, another one is opened and closed. */
import { Result } from '../abi';
import type { TraceArguments, TraceValue } from './events';
import type { IoctlEndRecord, IoctlRecord, MonitorRecord, Place, SummaryRecord, TraceRecord, Who } from './records';

export const TEXT_HEADER = `${'tick'.padStart(12)} ${'seconds'.padStart(11)} ${'tid'.padStart(5)} ${'cost'.padStart(9)}  call\n`;

/** Turns records into text, one after the other. */
export class TraceText {
  /** An ioctl whose line is not written yet. */
  private pending: IoctlRecord | undefined;

  write(record: TraceRecord): string {
    const { pending } = this;
    this.pending = undefined;
    if (record.kind === 'ioctl-end' && pending?.tid === record.tid)
      return line(pending, record.total, `${ioctlText(pending)} = ${resultText(record)}`);
    const before = pending ? line(pending, undefined, `${ioctlText(pending)} {`) : '';
    if (record.kind === 'ioctl') {
      this.pending = record;
      return before;
    }
    return before + textOf(record);
  }

  end(): string {
    const { pending } = this;
    this.pending = undefined;
    return pending ? line(pending, undefined, `${ioctlText(pending)} {`) : '';
  }
}

function textOf(record: Exclude<TraceRecord, IoctlRecord>): string {
  switch (record.kind) {
    case 'ioctl-end':
      return line(record, record.total, `} ${record.op} = ${resultText(record)}`);
    case 'monitor':
      return line(record, record.cost, monitorText(record));
    case 'hazard':
      return line(record, undefined, `! ${record.code}: ${printable(record.text)}`);
    case 'syscall':
      return line(record, record.total, record.text);
    case 'summary':
      return summaryText(record);
  }
}

function line(record: TraceRecord, cost: number | undefined, text: string): string {
  const { tick, seconds, tid, depth } = record;
  const columns = [
    String(tick).padStart(12),
    seconds.toFixed(8).padStart(11),
    String(tid).padStart(5),
    (cost === undefined ? '' : String(cost)).padStart(9),
  ];
  return `${columns.join(' ')}  ${'  '.repeat(depth)}${text}\n`;
}

const whoText = (who: Who): string => `${printable(who.name)} #${who.instance}`;
const placeText = (place: Place): string => (place === 'host' ? 'host' : whoText(place));
const fullText = (who: Who): string => `${whoText(who)} (eid ${who.eid}, monitor ${who.monitorEid})`;

/** Names are whatever a program wrote: no control characters reach a terminal. */
const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

const NAMED = new Set(['name', 'text']);
const valueText = (name: string, value: TraceValue): string =>
  NAMED.has(name) && typeof value === 'string'
    ? `"${printable(value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t'))}"`
    : String(value);

/** `about` stands behind the argument that names it. */
function argumentsText(args: TraceArguments, about: Who | undefined): string {
  const naming = ['eid', 'handle', 'name'].find((name) => name in args);
  const parts = Object.entries(args).map(([name, value]) => {
    const text = `${name}=${valueText(name, value)}`;
    return about && name === naming ? `${text} → ${whoText(about)}` : text;
  });
  return `(${parts.join(', ')})`;
}

const ioctlText = ({ op, args, about, tid }: IoctlRecord): string =>
  `${tid === 0 ? 'command' : 'ioctl'} ${op}${argumentsText(args, about)}`;

function resultText({ result, error, out }: IoctlEndRecord): string {
  if (error !== undefined) return `-1 ${error}`;
  const more = Object.entries(out).map(([name, value]) => `${name}=${value}`);
  return [String(result), ...more].join(', ');
}

const ERRORS: Readonly<Record<string, string>> = { [Result.ERROR]: '-1 ERROR', [Result.NO_MEM]: '-2 NO_MEM' };

function monitorText(record: MonitorRecord): string {
  const { op, args, about, from, to, transition, result, created, gone, ocall, fault, ran, total, by } = record;
  const call = op === 'timer' ? 'timer' : `${op}${argumentsText(args, about)}`;
  const actor = from === 'host' ? '' : `${whoText(from)}: `;
  const parts = [
    actor + call,
    ...(transition !== undefined && (from === 'host') !== (to === 'host') ? [`→ ${placeText(to)}`] : []),
    ...(transition !== undefined && from !== 'host' && to !== 'host' ? [`→ ${whoText(to)}`] : []),
    ...(result === undefined ? [] : [`= ${by === 'host' ? (ERRORS[result] ?? result) : result}`]),
    ...(ocall === undefined ? [] : [`asks for ${ocall}`]),
  ];
  const notes = [
    ...(created === undefined
      ? []
      : [`${created.template === undefined ? 'new' : `forked from #${created.template}:`} ${fullText(created)}`]),
    ...(fault === undefined ? [] : [fault]),
    ...(gone ?? []).map(({ why, ...who }) => `${fullText(who)} is gone: ${why}`),
    ...(ran === undefined ? [] : [`ran ${ran}`]),
    ...(total === undefined ? [] : [`total ${total}`]),
  ];
  return [parts.join(' '), ...notes].join('; ');
}

function summaryText({ tick, host, monitor, enclaves, calls }: SummaryRecord): string {
  const share = (ticks: number) => `${((100 * ticks) / Math.max(1, tick)).toFixed(1)} %`.padStart(8);
  const row = (text: string, ticks: number) => `${String(ticks).padStart(12)} ${share(ticks)}  ${text}\n`;
  const counted = calls.map(({ op, count, cost }) => row(`  ${op} × ${count}`, cost));
  const inside = enclaves.map(({ name, instances, ticks }) =>
    row(instances === 1 ? printable(name) : `${printable(name)} × ${instances}`, ticks),
  );
  return ['\n', row('host', host), ...inside, row('monitor', monitor), ...counted, row('all', tick)].join('');
}

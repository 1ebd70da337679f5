/** docs/operations.md and docs/hazards.md, from the tables they are about. */
import { DEVICE_EFFECTS, HAZARDS, hazardText, isFatal, isNotice, type DeviceEffect, type HazardCode } from './hazards';
import { OPERATIONS, STATES_OF, type Kind, type Operation, type Rule, type State } from './operations';

const KINDS = Object.keys(STATES_OF) as Kind[];

const LAYERS = {
  ioctl: ['What a host program does', 'Result of the ioctl; errno when it is -1.'],
  sbi: ['What the driver asks of the monitor', 'Result of the SBI call.'],
  ecall: [
    'What an enclave does',
    'Value in a0; of a call that leaves the enclave, what the driver’s SBI call returns.',
  ],
  trap: ['What happens to an enclave', 'What the driver’s SBI call returns.'],
} as const;

const INTRODUCTION = `# Operations

Made from \`monitor/operations.ts\` by \`npm run docs:monitor\`; do not edit. Driver and monitor ask this table before they do anything, the
reasons in the Enclaves view come from it, and a test drives a running system into every state of every kind and does
everything there (\`test/integration/operations/\`).

States: FRESH, RUNNABLE, RUNNING, STOPPED, ATTESTING and OCALLING are the monitor’s. CALLING: it waits for the server it called. SERVING: a server that
was interrupted while it works for a caller. RETURNED: the host has its relay pages back, and RUN has returned 1. FORKED: a template with living
instances. FOREIGN: it belongs to another process than the one that asks. GONE: there is no such enclave (any more). An INSTANCE is a normal enclave
that RUN forked from a SHADOW template. Hazards, in the last column, are explained in [hazards.md](hazards.md).
`;

function result({ value, errno }: Rule): string {
  return errno === undefined ? String(value) : `${value} ${errno}`;
}

const after = (state: State, rule: Rule): string => (rule.next === state ? 'the same' : rule.next);

interface Line {
  readonly states: readonly State[];
  readonly rule: Rule;
}

/** States with the same outcome share a line. */
function linesOf(operation: Operation, kind: Kind): Line[] {
  const lines: { states: State[]; rule: Rule }[] = [];
  for (const state of STATES_OF[kind]) {
    const rule = (OPERATIONS[operation].rows[kind] as Partial<Record<State, Rule>> | undefined)?.[state];
    if (!rule) continue;
    const same = lines.find(
      (line) =>
        result(line.rule) === result(rule) &&
        line.rule.why === rule.why &&
        line.rule.hazard === rule.hazard &&
        after(line.states[0]!, line.rule) === after(state, rule),
    );
    if (same) same.states.push(state);
    else lines.push({ states: [state], rule });
  }
  return lines;
}

const hazardLink = (code: HazardCode | undefined): string =>
  code === undefined ? '' : `[${code}](hazards.md#${code})`;

export function operationsPage(): string {
  const parts = [INTRODUCTION];
  for (const [layer, [title, about]] of Object.entries(LAYERS)) {
    parts.push(`\n## ${title}\n\n${about}\n`);
    for (const [name, { layer: of, call, effect }] of Object.entries(OPERATIONS)) {
      if (of !== layer) continue;
      parts.push(`\n### ${call}\n\n${effect}\n\n`);
      parts.push(
        '| kind | state | result | state after | refused because | hazard |\n| --- | --- | --- | --- | --- | --- |\n',
      );
      for (const kind of KINDS)
        for (const { states, rule } of linesOf(name as Operation, kind)) {
          const cells = [
            kind,
            states.join(', '),
            result(rule),
            after(states[0]!, rule),
            rule.why ?? '',
            hazardLink(rule.hazard),
          ];
          parts.push(`| ${cells.join(' | ')} |\n`);
        }
    }
  }
  return parts.join('');
}

const HAZARDS_INTRODUCTION = `# Hazards

Made from \`monitor/hazards-host.ts\` and \`monitor/hazards-enclave.ts\` by \`npm run docs:monitor\`; do not edit. What a program can do that goes wrong on a
device, each with what was seen there. Here every one of these calls returns cleanly and raises its hazard: the debugger stops where it was done, the debug console and
\`penglai run\` print it once per place, \`penglai run --hazards\` lists all at the end.

"Observed": on the published Penglai-TVM firmware (841dd11), kernel (141ed0d36) and SDK (dcb390a) under QEMU 7.2, one case per boot. "In its source": read there,
not run. A _notice_ is a refusal, or something correct programs meet too; the debugger stops for notices only when asked.
With \`"hazards": "end"\` the first _fatal_ one ends the program.
`;

export function hazardsPage(): string {
  const parts = [HAZARDS_INTRODUCTION];
  for (const effect of Object.keys(DEVICE_EFFECTS) as DeviceEffect[]) {
    const codes = (Object.keys(HAZARDS) as HazardCode[]).filter((code) => hazardText(code).device === effect);
    if (codes.length === 0) continue;
    parts.push(`\n## On a device ${DEVICE_EFFECTS[effect]}\n`);
    for (const code of codes) {
      const { did, observed, remedy } = hazardText(code);
      const mark = isFatal(code) ? ' _Fatal._' : isNotice(code) ? ' _Notice._' : '';
      const text = did.replace(/\{(\w+)\}/g, '_$1_');
      parts.push(`\n### ${code}\n\n${text}${mark}\n\n- Device: ${observed}\n- Instead: ${remedy}\n`);
    }
  }
  return parts.join('');
}

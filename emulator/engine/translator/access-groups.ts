/**
 * Loads and stores of a block that share one look at the translations: those off the same value of a base register, at distances that
 * fit in a page. The first of them looks up the page of all; each other one then only asks whether that was a hit.
 */
import type { Instruction } from '../../isa/instruction';
import { eachStatement, everyExpression } from '../../isa/language/walk';
import { writtenX } from './region-registers';
import type { Template } from './templates';

/** What an instruction does with memory. */
export interface Access {
  readonly kind: 'load' | 'store' | 'amo';
  readonly bits: number;
}

const NONE = Symbol('no access');
const known = new WeakMap<Template, Access | typeof NONE>();

/** The one access of an instruction; undefined for one without. */
export function accessOf(template: Template): Access | undefined {
  let access = known.get(template);
  if (access === undefined) known.set(template, (access = findAccess(template) ?? NONE));
  return access === NONE ? undefined : access;
}

function findAccess({ body }: Template): Access | undefined {
  let found: Access | undefined;
  everyExpression(body, (expression) => {
    if (expression.kind === 'load') found ??= { kind: 'load', bits: expression.bits };
    if (expression.kind === 'loadFloat') found ??= { kind: 'load', bits: 64 };
    if (expression.kind === 'host') found ??= { kind: 'amo', bits: expression.type === 'i64' ? 64 : 32 };
  });
  eachStatement(body, (statement) => {
    if (statement.kind === 'storeFloat') found ??= { kind: 'store', bits: 64 };
    if (statement.kind === 'store') found ??= { kind: 'store', bits: statement.bits };
  });
  return found;
}

export interface AccessGroup {
  /** Register number of the base. */
  readonly base: number;
  /** Distances from the base: of the first byte accessed, and behind the last one. */
  from: number;
  to: number;
  /** Bits of the widest access. */
  bits: number;
  reads: boolean;
  writes: boolean;
  /** Accesses in it. */
  count: number;
  /** Local with the memory offset of `from`, 0 for a miss; from the first access on. */
  local: number | undefined;
}

/** So far from the first byte to behind the last one: a look at the page fails more often the wider it is. */
const WIDEST = 512;

interface Open {
  readonly group: AccessGroup;
  readonly members: number[];
}

const aligned = (distance: number, bits: number): boolean => (distance & (bits / 8 - 1)) === 0;

/** Does an access at this distance fit into the group, with all of its accesses aligned if the base is? */
function fits({ from, to, bits }: AccessGroup, distance: number, more: number): boolean {
  const widest = Math.max(bits, more);
  const first = Math.min(from, distance);
  const last = Math.max(to, distance + more / 8);
  // All are aligned if the first byte of the group is aligned for the widest of them.
  return (
    last - first <= WIDEST && aligned(first, widest) && aligned(distance - first, more) && aligned(from - first, bits)
  );
}

/** By index of the instruction the group of its access, where that has more than one. `direct`: loads are in none, for they look nothing up. */
export function accessGroups(
  instructions: readonly Readonly<Instruction>[],
  templateOf: (instruction: Readonly<Instruction>) => Template,
  direct: boolean,
): ReadonlyMap<number, AccessGroup> {
  const open = new Map<number, Open>();
  const all: Open[] = [];
  instructions.forEach((instruction, index) => {
    const template = templateOf(instruction);
    const access = accessOf(template);
    // The host may change what the translations say.
    if (template.control === 'row') open.clear();
    const { rs1, imm } = instruction;
    if (access && access.kind !== 'amo' && !(direct && access.kind === 'load')) {
      const { bits } = access;
      let group = open.get(rs1);
      if (!group || !fits(group.group, imm, bits)) {
        const reads = access.kind === 'load';
        const made = {
          base: rs1,
          from: imm,
          to: imm + bits / 8,
          bits,
          reads,
          writes: !reads,
          count: 0,
          local: undefined,
        };
        group = { group: made, members: [] };
        open.set(rs1, group);
        all.push(group);
      }
      const { group: into } = group;
      into.from = Math.min(into.from, imm);
      into.to = Math.max(into.to, imm + bits / 8);
      into.bits = Math.max(into.bits, bits);
      if (access.kind === 'load') into.reads = true;
      else into.writes = true;
      into.count++;
      group.members.push(index);
    }
    const written = writtenX(instruction);
    if (written !== undefined) open.delete(written);
  });
  const groups = new Map<number, AccessGroup>();
  for (const { group, members } of all) if (members.length > 1) for (const index of members) groups.set(index, group);
  return groups;
}

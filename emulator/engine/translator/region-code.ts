/**
 * From a region to the code of its function (engine/convention.ts): what is assumed is checked, the registers become locals, the blocks stand in
 * nested form (structure.ts) and pass control among themselves without leaving the function. Emits; decides nothing about what is worth
 * translating.
 */
import type { Instruction } from '../../isa/instruction';
import { va, type VirtualAddress } from '../../units';
import { RECORD_SHIFT } from '../record';
import { Code } from '../wasm/code';
import { Emitter, type Definitions } from '../wasm/emitter';
import { noteJump } from '../wasm/seen-jumps';
import { accessGroups, accessOf } from './access-groups';
import { Parameter, REGION } from '../convention';
import { jumpTable } from './jump-table';
import { shape, type Shaped } from './narrow';
import type { BlockEnd, Edge, Region, RegionBlock } from './region';
import { RegionEntry, type Assumptions } from './region-entry';
import { RegionExits } from './region-exits';
import { graphOfRegion } from './region-graph';
import type { RegionLinkage } from './region-linkage';
import { RegionRegisters } from './region-registers';
import { RegionTarget, SLOW } from './region-target';
import { structure, type Route, type Structure } from './structure';
import { Changes } from './template-table';
import { templateOf, type Template } from './templates';
import { widthsOf, type Widths } from './widths';

/** Labels. */
const DONE = 'done';
const loopLabel = (node: number): string => `loop ${node}`;
const mergeLabel = (node: number): string => `merge ${node}`;

export interface RegionOptions extends Assumptions {
  /** The host multiplies and adds with one rounding (templates.ts). */
  readonly fused: boolean;
  readonly linkage: RegionLinkage;
}

/** Of the functions that templates call only the names matter: all have a result, and none stands in place of its call. */
const CALLED: Definitions = {
  functions: { get: (name) => ({ name, parameters: [], result: 'i64', body: [] }) },
};

class RegionBuilder {
  private readonly code = new Code(REGION.parameters);
  private readonly registers: RegionRegisters;
  private readonly exits: RegionExits;
  private readonly entry: RegionEntry;
  private readonly target: RegionTarget;
  private readonly emitter: Emitter;
  private readonly structure: Structure;
  private readonly longest: Int32Array;
  private readonly widths: readonly Widths[];
  /** Which way a dispatch node goes. */
  private readonly selector: number;
  private readonly templateOf: (instruction: Readonly<Instruction>) => Template;

  constructor(
    private readonly region: Region,
    private readonly options: RegionOptions,
  ) {
    const { code } = this;
    const { linkage, inexact, frm, direct, fused } = options;
    // Discovery takes no instruction without one.
    this.templateOf = (instruction) => templateOf(instruction, inexact, fused, frm)!;
    this.registers = new RegionRegisters(code, Parameter.HART, region);
    this.exits = new RegionExits(code, linkage, this.registers);
    this.entry = new RegionEntry(code, region, options, this.exits);
    this.target = new RegionTarget(code, linkage, this.registers, this.exits, direct);
    this.emitter = new Emitter(code, this.target, CALLED);
    const graph = graphOfRegion(region);
    this.structure = structure(graph);
    this.widths = widthsOf(region.blocks, graph, this.templateOf);
    this.longest = this.structure.longestPath(region.blocks.map(({ instructions }) => instructions.length));
    this.selector = code.local('i32');
  }

  build(): Code {
    const { code, exits, region } = this;
    const usesFloat = region.blocks.some(({ instructions }) =>
      instructions.some((one) => this.templateOf(one).usesFloat),
    );
    this.entry.around(usesFloat, this.longest[0]!, () => {
      this.registers.load();
      exits.open();
      this.tree(0);
      exits.close();
    });
    return code;
  }

  /** The code of a node and of all that stands in it (structure.ts). */
  private tree(node: number): void {
    const { isLoop, merges } = this.structure.nodes[node]!;
    if (isLoop) this.code.loop(loopLabel(node));
    for (const merge of merges) this.code.block(mergeLabel(merge));
    this.node(node);
    for (const merge of [...merges].reverse()) {
      this.code.end();
      this.tree(merge);
    }
    if (isLoop) this.code.end();
  }

  private node(node: number): void {
    const block = this.region.blocks[node];
    if (block) return this.block(node, block);
    this.dispatch(node);
  }

  /** A dispatch node takes the route that the selector says; one to another dispatch node sets the selector anew on its way. */
  private dispatch(node: number): void {
    const { code, selector } = this;
    const { routes } = this.structure.nodes[node]!;
    const via = (i: number): string => `via ${node} ${i}`;
    const selecting = routes.flatMap(({ select }, i) => (select >= 0 ? [i] : []));
    for (const i of selecting) code.block(via(i));
    code.get(selector);
    const labels = routes.map((route, i) => (route.select >= 0 ? via(i) : this.labelOf(route)));
    code.brTable(labels.slice(0, -1), labels.at(-1)!);
    for (const i of selecting.reverse()) {
      code.end();
      this.follow(routes[i]!);
    }
  }

  /** Where a branch to a node goes: to its loop if that is open. */
  private labelOf({ to }: Route): string {
    const loop = loopLabel(to);
    return this.structure.nodes[to]!.isLoop && this.code.isOpen(loop) ? loop : mergeLabel(to);
  }

  private follow(route: Route): void {
    const { code } = this;
    if (route.select >= 0) {
      code.i32(route.select);
      code.set(this.selector);
    }
    if (route.inline) this.tree(route.to);
    else code.br(this.labelOf(route));
  }

  private block(node: number, { pc, page, nextPage, instructions, end }: RegionBlock): void {
    const { code, exits } = this;
    const { isCheck, isLoop } = this.structure.nodes[node]!;
    // The entry's first time was among the assumptions.
    if (isCheck && (node !== 0 || isLoop)) {
      this.entry.isTooShort(this.longest[node]!);
      code.hint(false);
      code.if();
      exits.interpret(pc, 0);
      code.end();
    }
    if (instructions.length > 0) {
      code.get(Parameter.REST);
      code.i32(-instructions.length);
      code.op('i32.add');
      code.set(Parameter.REST);
    }
    let at: number = pc;
    const record = this.options.blocks[page]! + ((pc & 4095) << RECORD_SHIFT);
    const recordAt = (offset: number): number | undefined =>
      nextPage === undefined ? record + (offset << RECORD_SHIFT) : undefined;
    const groups = accessGroups(instructions, this.templateOf, this.options.direct);
    const shaped = shape(instructions, this.templateOf, this.widths[node]!);
    const transfers = end.kind === 'branch' || end.kind === 'jump' || end.kind === 'indirect';
    shaped.forEach(({ instruction, template }, i) => {
      const after = instructions.length - 1 - i;
      this.target.begin(instruction, va(at), after, groups.get(i));
      if (after > 0 || !transfers) this.instruction(template, recordAt(at - pc));
      at += instruction.length;
      this.stillHolds(template, at, after);
    });
    this.target.endBlock();
    this.end(node, va(at), end, shaped.at(-1));
  }

  /** The instruction before the pc may have changed what is assumed about fcsr: then what follows is for another variant. */
  private stillHolds({ changes }: Template, pc: number, undone: number): void {
    const { code } = this;
    // Where NX was clear it may be set by now, and need not be clear.
    const flags = this.options.inexact && (changes & Changes.FLAGS) !== 0;
    const rounding = (changes & Changes.ROUNDING) !== 0;
    if (!flags && !rounding) return;
    this.entry.isOtherFcsr(flags, rounding);
    code.hint(false);
    code.if();
    this.exits.jump(pc, undone);
    code.end();
  }

  /** `record`: of the instruction; undefined for one across pages, which has none. */
  private instruction(template: Template, record: number | undefined): void {
    const { code, emitter, target } = this;
    const { body, control } = template;
    if (control === 'row') return target.callRow(record);
    const access = accessOf(template);
    if (access === undefined) return emitter.row(body);
    code.block(DONE);
    code.block(SLOW);
    emitter.row(body);
    code.br(DONE);
    code.end();
    if (access.kind === 'amo') target.callRow(record);
    else {
      target.beginSlow();
      emitter.row(body);
      target.endSlow();
    }
    code.end();
  }

  /** What the last instruction of a block does besides going somewhere, and where control goes. */
  private end(node: number, next: VirtualAddress, end: BlockEnd, last: Shaped | undefined): void {
    const { code, emitter } = this;
    const routes = [...this.structure.nodes[node]!.routes];
    const go = (edge: Edge): void =>
      'block' in edge ? this.pass(node, edge.block, () => this.follow(routes.shift()!)) : this.exits.jump(edge.pc);
    switch (end.kind) {
      case 'interpret':
        return this.exits.interpret(next, 0);
      case 'next':
        return go(end.to);
      case 'jump':
        emitter.row(last!.template.body);
        return go(end.to);
      case 'branch': {
        const { body, condition } = last!.template;
        emitter.statements(body);
        emitter.expression(condition!);
        emitter.row([]);
        // Where a region ends, code is that was seldom or never executed.
        if (!('block' in end.taken)) code.hint(false);
        else if (!('block' in end.next)) code.hint(true);
        code.if();
        go(end.taken);
        code.end();
        return go(end.next);
      }
      case 'indirect':
        return this.indirect(node, end.targets, last!.template, routes);
    }
  }

  private indirect(
    node: number,
    targets: (BlockEnd & { kind: 'indirect' })['targets'],
    { body, target }: Template,
    routes: Route[],
  ): void {
    const { code, emitter } = this;
    const to = code.local('i64');
    emitter.expression(target!);
    code.set(to);
    emitter.row(body);
    const arms = targets.map(({ pc, block }, i) => ({
      pc,
      go: () => this.pass(node, block, () => this.follow(routes[i]!)),
    }));
    jumpTable(code, `jump ${node}`, to, arms);
    noteJump(code, Parameter.REST, () => code.i32(this.recordOfLast(node)), to);
    this.exits.jumpTo(to);
    code.release('i64', to);
  }

  /** Byte address of the record of a block's last instruction. */
  private recordOfLast(node: number): number {
    const { pc, page, instructions } = this.region.blocks[node]!;
    const before = instructions.slice(0, -1).reduce((sum, { length }) => sum + length, 0);
    const offset = pc - this.region.pages[page]!.address + before;
    return this.options.blocks[page]! + (offset << RECORD_SHIFT);
  }

  /** On to a block, whose page is looked at first unless this one lies in it, too: the mapping may be another by now. */
  private pass(from: number, to: number, follow: () => void): void {
    const { code, exits } = this;
    const { blocks } = this.region;
    const { page, nextPage } = blocks[from]!;
    const target = blocks[to]!;
    for (const needed of [target.page, target.nextPage]) {
      // The entry's page was the caller's to look up.
      if (needed === undefined || needed === 0 || needed === page || needed === nextPage) continue;
      this.entry.isElsewhere(needed);
      code.hint(false);
      code.if();
      exits.jump(target.pc);
      code.end();
    }
    follow();
  }
}

/** The function of a region. */
export function regionCode(region: Region, options: RegionOptions): Code {
  return new RegionBuilder(region, options).build();
}

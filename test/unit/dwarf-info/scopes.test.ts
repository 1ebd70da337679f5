import assert from 'node:assert/strict';
import { declaration, describeType } from '../../../debug-adapter/symbols/dwarf/info/model';
import { Program } from '../../../debug-adapter/symbols/program';
import { SymbolError } from '../../../debug-adapter/symbols/bytes';
import { lineOf, loadTour, recordingOf, stopAt, tourBytes, TOURS } from './tour';

const O0 = TOURS.filter((tour) => tour.endsWith('O0'));

describe('Functions, scopes and variables', () => {
  it('units have a name, a compilation directory and a version', () => {
    for (const tour of TOURS) {
      const units = loadTour(tour).info.units();
      assert.deepEqual(
        units.map(({ name, compDir }) => `${compDir}/${name}`),
        ['/tour/tour.c', '/tour/other.c'],
        tour,
      );
      assert.ok(
        units.every(({ version }) => version === (tour.includes('v4') ? 4 : 5)),
        tour,
      );
      assert.equal(loadTour(tour).info.compDirOf(units[1]!.stmtList!), '/tour');
    }
  });

  it('a function knows its place in the source, its type and whether it is external', () => {
    for (const tour of TOURS) {
      const [fn] = loadTour(tour).info.functionsNamed('by_value');
      assert.equal(fn!.declaration.file, '/tour/tour.c', tour);
      assert.equal(fn!.declaration.line, lineOf('in-by-value') - 4);
      assert.equal(declaration(fn!.type, fn!.name), 'int by_value(struct packet, point, double, address_t)');
      assert.equal(fn!.external, true);
      const [observe] = loadTour(tour).info.functionsNamed('observe');
      assert.equal(observe!.declaration.file, '/tour/other.c');
    }
  });

  it('no function is at an address between functions or outside the program', () => {
    for (const tour of TOURS) {
      const { info } = loadTour(tour);
      for (const pc of [0, 1, 0xfff, 0xffffffff, Number.MAX_SAFE_INTEGER]) assert.equal(info.functionAt(pc), undefined);
      const [run] = info.functionsNamed('run');
      assert.equal(info.functionAt(run!.low)!.name, 'run');
      assert.notEqual(info.functionAt(run!.ranges.at(-1)!.high)?.name, 'run');
    }
  });

  it('each block hides what has the same name further out', () => {
    for (const tour of O0) {
      const { scope, program, frame } = stopAt(tour, 'in-deep-shadow');
      assert.deepEqual(
        scope.locals().map((v) => `${v.name}: ${v.type.kind === 'base' ? v.type.name : ''} = ${v.text()}`),
        ["value: char = 122 'z'", 'value (hidden): long = 2100', 'value (hidden): int = 22'],
      );
      assert.equal(program.info.scopesAt(frame.pc)!.blocks.length, 2);
    }
  });

  it('an inlined call has variables of its own, and the function around it has others', () => {
    for (const tour of ['gcc-v4-O2', 'gcc-v5-O1']) {
      const { program, stop } = stopAt(tour, 'in-observe');
      // The call of observe stands in scale, which is inlined in twofold, which is inlined in run.
      const { info } = program;
      const callers = program.lines!.addressesOf(program.lines!.fileIndex('/tour/tour.c')!, lineOf('in-scale'));
      const pc = callers.find((address) => info.scopesAt(address)?.inlined.length === 2)!;
      assert.ok(pc !== undefined && stop);
      const names = (level?: number): string[] => info.variablesAt(pc, level).map(({ name }) => name);
      assert.deepEqual(names(), ['amount', 'factor', 'product']);
      assert.deepEqual(names(2), ['amount', 'factor', 'product']);
      assert.deepEqual(names(1), ['input', 'doubled']);
      assert.deepEqual(names(0), ['seed', 'result']);
      assert.deepEqual(names(3), []);
      const [twofold, scale] = info.scopesAt(pc)!.inlined;
      assert.equal(twofold!.name, 'twofold');
      assert.equal(scale!.call.file, '/tour/tour.c');
      assert.equal(scale!.call.line, lineOf('in-scale') + 5);
    }
  });

  it('a static of this file comes before one of another, and an extern leads to its definition', () => {
    for (const tour of TOURS) {
      const { info } = loadTour(tour);
      const inTour = info.functionsNamed('run')[0]!.low;
      const inOther = info.functionsNamed('other')[0]!.low;
      assert.equal(declaration(info.globalNamed('hidden', inTour)!.type, 'hidden'), 'int hidden');
      assert.equal(declaration(info.globalNamed('hidden', inOther)!.type, 'hidden'), 'double hidden');
      assert.equal(info.globalNamed('shared', inTour)!.declaration.file, '/tour/other.c');
      assert.equal(info.globalNamed('nowhere', inTour), undefined);
    }
  });

  it('types are described as gdb describes them, with the value of every enumerator', () => {
    const plain = (text: string): string =>
      text
        .replace(/^type = /, '')
        .replace(/long unsigned int/g, 'unsigned long')
        .replace(/\bshort int\b/g, 'short')
        .replace(/\s+/g, '')
        .replace(/=\d+/g, '');
    for (const tour of TOURS) {
      const { info } = loadTour(tour);
      for (const [name, expected] of Object.entries(recordingOf(tour).types)) {
        const [, keyword, bare] = /^(struct |union |enum )?(\w+)$/.exec(name)!;
        const type = info.typeNamed(bare!, ((keyword ?? '').trim() || '') as '' | 'struct')!;
        // gdb does not go into an unnamed struct inside of an unnamed union.
        const ours = plain(describeType(type)).replace('struct{shortlow;shorthigh;}', 'struct{...}');
        assert.equal(ours, plain(expected), `${name} of ${tour}`);
      }
    }
  });

  it('an opaque struct is completed by the file that defines it', () => {
    for (const tour of TOURS) {
      const { scope } = stopAt(tour, 'in-run');
      const secret = scope.lookUp('secret')!;
      assert.deepEqual(
        secret
          .children()
          .map((member) => `${member.name} = ${member.text()}`)
          .slice(0, 1),
        ['key = 42'],
        tour,
      );
    }
  });
});

describe('Program', () => {
  it('bytes that are no ELF file are an error', () => {
    assert.ok(Program.load(new TextEncoder().encode('#!/bin/sh\n')) instanceof SymbolError);
    assert.ok(Program.load(new Uint8Array(0)) instanceof SymbolError);
  });

  it('says whether there is debug information', () => {
    for (const tour of TOURS) {
      const program = loadTour(tour);
      assert.equal(program.hasDebugInfo, true);
      assert.equal(program.debugInfoProblem, undefined);
    }
  });

  it('says why there is none, and what to do', () => {
    const bytes = tourBytes('gcc-v5-O0');
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    // Renames the sections, which is what stripping comes to.
    for (let at = text.indexOf('.debug_'); at >= 0; at = text.indexOf('.debug_', at)) bytes[at + 1] = 0x78;
    const program = Program.load(bytes);
    assert.ok(program instanceof Program);
    assert.equal(program.hasDebugInfo, false);
    assert.match(program.debugInfoProblem!, /no debug information\. Compile and link it with -g/);
    assert.equal(program.info.functionAt(program.addressOfSymbol('run')!), undefined);
    assert.equal(program.describeAddress(program.addressOfSymbol('run')! + 4), 'run+4');
    assert.equal(
      program.describeAddress(program.addressOfSymbol('run')! + 3, program.addressOfSymbol('run')! + 4),
      'run+4',
    );
  });
});

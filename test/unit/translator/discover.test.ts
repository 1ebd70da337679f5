/** What becomes a region, on assembled code. */
import assert from 'node:assert/strict';
import { discover, LIMITS, type Limits } from '../../../emulator/engine/translator/discover';
import type { Region } from '../../../emulator/engine/translator/region';
import { graphOfRegion } from '../../../emulator/engine/translator/region-graph';
import { structure } from '../../../emulator/engine/translator/structure';
import { Random } from '../../differential/random';
import { code, lines, ORIGIN, sound, type Facts } from './code';

interface Found {
  readonly region: Region | undefined;
  readonly lines: readonly string[];
  /** The number of the last block that begins at a label. */
  readonly block: (label: string) => number;
}

function found(source: string, entry: string, facts: Facts = {}, limits: Partial<Limits> = {}): Found {
  const program = code(source, facts);
  const region = discover(program.at(entry), program.reader, { ...LIMITS, ...limits });
  if (region) {
    assert.equal(region.blocks[0]!.pc, program.at(entry), 'the entry comes first');
    sound(region, program);
  }
  const block = (label: string): number => region!.blocks.findLastIndex(({ pc }) => pc === program.at(label));
  return { region, lines: lines(region, program), block };
}

const many = (count: number): string => 'addi a0,a0,1\n'.repeat(count);

describe('the region of a hot entry', () => {
  it('is a loop, left where the loop is left to code that was never executed', () => {
    const { lines } = found(
      `loop: addi a0,a0,-1
             bnez a0,loop
       done: nop`,
      'loop',
      { cold: ['done'] },
    );
    assert.deepEqual(lines, ['loop 2 branch loop | out done']);
  });

  it('takes an inner loop and the one around it, whichever is the entry', () => {
    const source = `outer: li a1,10
                    inner: addi a1,a1,-1
                           bnez a1,inner
                           addi a0,a0,-1
                           bnez a0,outer
                    done:  ecall`;
    assert.deepEqual(found(source, 'outer').lines, [
      'outer 1 next inner',
      'inner 2 branch inner | +c',
      '+c 2 branch outer | done',
      'done 0 interpret',
    ]);
    // No other way comes to where the outer loop begins.
    assert.deepEqual(found(source, 'inner').lines, [
      'outer 1 next inner',
      'inner 2 branch inner | +c',
      '+c 2 branch outer | done',
      'done 0 interpret',
    ]);
  });

  it('splits a block where a jump goes into its middle', () => {
    const { lines } = found(
      `loop:   addi a0,a0,1
               addi a0,a0,2
       middle: addi a0,a0,3
               beqz a1,middle
               j loop`,
      'loop',
    );
    assert.deepEqual(lines, ['loop 2 next middle', 'middle 2 branch middle | +10', '+10 1 jump loop']);
  });

  it('has one block for straight code, even where what led into its middle could not be reached', () => {
    const { lines } = found(
      `loop:   jal ra,callee
       after:  addi a0,a0,1
       middle: addi a0,a0,2
               ecall
       callee: beqz a0,never
               addi a0,a0,5
       back:   ret
       never:  j middle`,
      'loop',
      { cold: ['never'] },
    );
    assert.deepEqual(lines, [
      'loop 1 jump callee',
      'after 2 interpret',
      'callee 1 branch out never | +14',
      '+14 2 indirect after',
    ]);
  });

  it('follows both ways of a branch that were executed, and leaves at the other', () => {
    const { lines } = found(
      `loop: beqz a0,rare
             bltu a0,a1,some
             addi a0,a0,1
       some: addi a0,a0,2
             j loop
       rare: addi a0,a0,3
             j loop`,
      'loop',
      { cold: ['rare'] },
    );
    assert.deepEqual(lines, [
      'loop 1 branch out rare | +4',
      '+4 1 branch some | +8',
      '+8 1 next some',
      'some 2 jump loop',
    ]);
  });

  it('ends before what the interpreter must do and before a stop', () => {
    const source = `loop: addi a0,a0,1
                    stop: addi a0,a0,2
                          csrrw a0,mscratch,a1
                          j loop`;
    assert.deepEqual(found(source, 'loop').lines, ['loop 2 interpret']);
    assert.deepEqual(found(source, 'loop', { stops: ['stop'] }).lines, ['loop 1 interpret']);
  });

  it('is none where the first instruction is for the interpreter or was not executed', () => {
    assert.equal(found('loop: ecall\n j loop', 'loop').region, undefined);
    assert.equal(found('loop: nop\n j loop', 'loop', { stops: ['loop'] }).region, undefined);
    assert.equal(found('loop: nop\n j loop', 'loop', { cold: ['loop'] }).region, undefined);
    assert.equal(found('loop: nop\n j loop', 'loop', { unmapped: [0] }).region, undefined);
  });
});

describe('a region entered in the middle of a loop', () => {
  const nest = `outer: li a1,10
                       j test
                body:  addi a2,a2,1
                       beqz a2,skip
                test:  addi a1,a1,-1
                       bnez a1,body
                skip:  addi a0,a0,-1
                       bnez a0,outer
                       ecall`;

  it('begins with a copy of its first block, so that the inner loop has one entry', () => {
    const { region, lines, block } = found(nest, 'body');
    assert.deepEqual(lines, [
      'outer 2 jump test',
      'body 2 branch skip | test',
      'body 2 branch skip | test',
      'test 2 branch body | skip',
      'skip 2 branch outer | +20',
      '+20 0 interpret',
    ]);
    const { nodes } = structure(graphOfRegion(region!));
    const [test, body] = [block('test'), block('body')];
    assert.ok(nodes[body]!.routes.some(({ to }) => to === test));
    assert.ok(nodes[test]!.routes.some(({ to }) => to === body));
  });

  it('has no copy where all loops have one entry', () => {
    assert.equal(found(nest, 'test').lines.length, 5);
    assert.equal(found(nest, 'outer').lines.length, 5);
  });
});

describe('calls in a region', () => {
  it('bring in what they call; it returns to behind each of them', () => {
    const { lines } = found(
      `loop:   jal ra,twice
       first:  jal ra,twice
       second: bnez a0,loop
               ecall
       twice:  add a0,a0,a0
               ret`,
      'loop',
    );
    assert.deepEqual(lines, [
      'loop 1 jump twice',
      'first 1 jump twice',
      'second 1 branch loop | +c',
      '+c 0 interpret',
      'twice 2 indirect first second',
    ]);
  });

  it('from more places than a return may know go back to the likeliest, and the others are left out', () => {
    // The calls at the ends of unlikely ways are found first: those of the main way each behind the one before.
    const ways = 18;
    const unlikely = (i: number): string => `way${i}: beqz a${i % 6},way${i + 1}
      jal ra,callee
      behind${i}: addi a0,a0,1
      ecall
      `;
    const { region } = found(
      `loop: beqz a1,way0
       ${Array.from({ length: ways }, () => 'jal ra,callee\n').join('')}
       bnez a0,loop
       ecall
       ${Array.from({ length: ways }, (_, i) => unlikely(i)).join('')}
       way${ways}: ecall
       callee: addi a0,a0,-1
       ret`,
      'loop',
    );
    const { targets } = region!.blocks.map(({ end }) => end).find((end) => end.kind === 'indirect')!;
    assert.equal(targets.length, 24);
    assert.doesNotThrow(() => structure(graphOfRegion(region!)));
  });

  it('of a function by itself stay inside; its last return goes out', () => {
    const { region, lines } = found(
      `fib:   addi sp,sp,-16
              bltu a0,a1,small
              jal ra,fib
       one:   jal ra,fib
       two:   add a0,a0,a2
       small: addi sp,sp,16
              ret`,
      'fib',
    );
    assert.deepEqual(lines, [
      'fib 2 branch small | +8',
      '+8 1 jump fib',
      'one 1 jump fib',
      'two 1 next small',
      'small 2 indirect one two',
    ]);
    assert.equal(region!.pages.length, 1);
  });

  it('return through jumps to another function, which returns for the first', () => {
    const { lines } = found(
      `loop:  jal ra,first
       after: j loop
       first: addi a0,a0,1
              j last
       last:  ret`,
      'loop',
    );
    assert.deepEqual(lines, ['loop 1 jump first', 'after 1 jump loop', 'first 2 jump last', 'last 1 indirect after']);
  });

  it('by t0 return by t0, not by ra', () => {
    const { lines } = found(
      `loop:  jal t0,save
       saved: jal ra,work
       after: j loop
       save:  addi sp,sp,-16
              jalr zero,0(t0)
       work:  ret`,
      'loop',
    );
    assert.deepEqual(lines, [
      'loop 1 jump save',
      'saved 1 jump work',
      'after 1 jump loop',
      'save 2 indirect saved',
      'work 1 indirect after',
    ]);
  });

  it('of large functions leave the region', () => {
    const source = `loop:  jal ra,large
                    after: j loop
                    large: ${many(50)} ret`;
    assert.deepEqual(found(source, 'loop', {}, { callee: 50 }).lines, ['loop 1 jump out large']);
    assert.equal(found(source, 'loop', {}, { callee: 51 }).lines.length, 3);
  });

  it('leave the region where the function called was never seen to return', () => {
    const { lines } = found(
      `loop:  jal ra,main
       after: j loop
       main:  ecall
              ret`,
      'loop',
    );
    assert.deepEqual(lines, ['loop 1 jump out main']);
  });

  it('within calls count for their size', () => {
    const source = `loop:  jal ra,outer
                    after: j loop
                    outer: mv s0,ra
                           jal ra,inner
                    back:  jalr zero,0(t0)
                    inner: ${many(20)} ret`;
    assert.deepEqual(found(source.replace('0(t0)', '0(ra)'), 'loop', {}, { callee: 23 }).lines, [
      'loop 1 jump out outer',
    ]);
    assert.equal(found(source.replace('0(t0)', '0(ra)'), 'loop', {}, { callee: 24 }).lines.length, 5);
  });

  it('through a register go to the functions seen, each of which returns to behind the call', () => {
    const { lines } = found(
      `loop:  ld a5,0(a0)
       call:  jalr ra,0(a5)
       after: j loop
       one:   ret
       two:   addi a0,a0,8
              ret
       three: ret`,
      'loop',
      { targets: { call: ['two', 'one'] } },
    );
    assert.deepEqual(lines, [
      'loop 2 indirect two one',
      'after 1 jump loop',
      'one 1 indirect after',
      'two 2 indirect after',
    ]);
  });

  it('of an address that the instructions before make are direct', () => {
    const { lines } = found(
      `loop:  auipc ra,0
              jalr ra,20(ra)
       after: lui a5,16
              addiw a5,a5,0
              jalr zero,1(a5)
       far:   ret`,
      'loop',
    );
    assert.deepEqual(lines, ['loop 2 jump far', 'after 3 jump loop', 'far 1 indirect after']);
  });

  it('of such an address are checked where a jump goes in between', () => {
    const { lines } = found(
      `loop: lui a5,16
       half: jalr zero,12(a5)
       none: nop
       end:  bnez a0,half
             j loop`,
      'loop',
    );
    assert.deepEqual(lines, ['loop 1 next half', 'half 1 indirect end', 'end 1 branch half | +10', '+10 1 jump loop']);
  });
});

describe('indirect jumps in a region', () => {
  const SWITCH = `loop: ld a5,0(a0)
                  jump: jalr zero,0(a5)
                  one:  addi a0,a0,1
                        j loop
                  two:  addi a0,a0,2
                        j loop
                  three: addi a0,a0,3
                        j loop`;

  it('go to the targets seen, the likeliest first', () => {
    assert.deepEqual(found(SWITCH, 'loop', { targets: { jump: ['three', 'one'] } }).lines, [
      'loop 2 indirect three one',
      'one 2 jump loop',
      'three 2 jump loop',
    ]);
  });

  it('leave the region where none was seen', () => {
    assert.deepEqual(found(SWITCH, 'loop').lines, ['loop 2 indirect']);
  });

  it('that are returns go to places seen too, which come first', () => {
    const { lines } = found(
      `loop:  jal ra,work
       after: bnez a0,loop
              ecall
       work:  addi a0,a0,-1
       back:  ret
       other: addi a0,a0,7
              ecall`,
      'loop',
      { targets: { back: ['other'] } },
    );
    assert.deepEqual(lines, [
      'loop 1 jump work',
      'after 1 branch loop | +8',
      '+8 0 interpret',
      'work 2 indirect other after',
      'other 1 interpret',
    ]);
  });
});

describe('the pages of a region', () => {
  const far = `loop: addi a0,a0,1
                     j other
               .zero 4096
               other: addi a0,a0,2
                     j loop`;

  it('are those it has code in, the entry first', () => {
    const { region } = found(far, 'other');
    assert.deepEqual(region!.pages, [
      { address: ORIGIN + 4096, page: 99 },
      { address: ORIGIN, page: 100 },
    ]);
    assert.deepEqual(
      region!.blocks.map(({ page }) => page),
      [0, 1],
    );
  });

  it('are limited', () => {
    assert.deepEqual(found(far, 'loop', {}, { pages: 1 }).lines, ['loop 2 jump out other']);
  });

  it('end a block each', () => {
    const { lines } = found(
      `loop: .zero 0
             j last
             .zero 4084
       last: addi a0,a0,1
             addi a0,a0,2
       next: addi a0,a0,3
             j loop`,
      'last',
    );
    assert.deepEqual(lines, ['loop 1 jump last', 'last 2 next next', 'next 2 jump loop']);
  });

  const crossing = `loop: c.nop 0
                          .zero 4090
                    last: c.addi a0,1
                    half: addi a0,a0,2
                    next: addi a0,a0,3
                          j last`;

  it('of which one ends within an instruction leave that by itself', () => {
    const { region, lines } = found(crossing, 'last');
    assert.deepEqual(lines, ['last 1 next half', 'half 1 next next', 'next 2 jump last']);
    const half = region!.blocks.find(({ pc }) => pc === ORIGIN + 4094)!;
    assert.equal(region!.pages[half.page]!.address, ORIGIN);
    assert.equal(region!.pages[half.nextPage!]!.address, ORIGIN + 4096);
    assert.equal(half.instructions[0]!.imm, 2);
  });

  it('that are not known end it before the instruction that lies across', () => {
    assert.deepEqual(found(crossing, 'last', { unmapped: [1] }).lines, ['last 1 interpret']);
  });
});

describe('the size of a region', () => {
  it('is limited in instructions: a block that does not fit is left out', () => {
    const source = `loop: beqz a0,short
                          ${many(100)}
                          j loop
                    short: addi a0,a0,3
                          j loop`;
    assert.deepEqual(found(source, 'loop', {}, { instructions: 50 }).lines, [
      'loop 1 branch short | out +4',
      'short 2 jump loop',
    ]);
  });

  it('is that of a piece where the first block alone is too large', () => {
    const { region, lines } = found(`loop: ${many(100)} j loop`, 'loop', {}, { instructions: 50 });
    assert.deepEqual(lines, ['loop 50 next out +c8']);
    assert.equal(region!.blocks[0]!.instructions.length, 50);
  });

  it('is limited in blocks', () => {
    const source = `loop: ${Array.from({ length: 40 }, (_, i) => `beqz a${i % 8},loop`).join('\n')}\n j loop`;
    const { region } = found(source, 'loop', {}, { blocks: 20, rare: 0 });
    assert.equal(region!.blocks.length, 20);
  });

  it('ends where it becomes unlikely that control comes there', () => {
    const source = `loop: ${Array.from({ length: 12 }, (_, i) => `bnez a${i % 4},loop`).join('\n')}
                    j loop`;
    const { region } = found(source, 'loop', {}, { rare: 1 / 500 });
    assert.equal(region!.blocks.length, 3);
  });

  it('is smaller where another region begins at what is unlikely', () => {
    const source = `loop: addi a0,a0,-1
                          bnez a0,loop
                    more: bnez a1,loop
                    last: addi a1,a1,-1
                          j loop`;
    assert.equal(found(source, 'loop', { regions: ['last'] }).lines.at(-1), 'more 1 branch loop | out last');
    assert.equal(found(source, 'loop', { regions: ['loop'] }).lines.length, 3);
  });
});

describe('the region of random code', () => {
  /** Blocks that branch, call, jump through registers to anywhere among them; few functions are called, from many places. */
  function randomCode(seed: number): { readonly source: string; readonly facts: Facts } {
    const random = new Random(seed);
    const blocks = random.between(20, 140);
    const any = (): string => `b${random.below(blocks)}`;
    const callee = (): string => (random.once(3) ? 'g' : 'f');
    const targets: Record<string, string[]> = {};
    const branch = (): string => `beqz a${random.below(6)},${any()}`;
    const call = (): string => `jal ra,${callee()}`;
    const kinds = [branch, branch, branch, call, call, call, call, () => `j ${any()}`, () => 'ecall'];
    const rare = [() => 'ret', () => `jal ra,${any()}`, () => `jal t0,${callee()}`, () => 'jalr zero,0(t0)'];
    const lines = Array.from({ length: blocks }, (_, i) => {
      if (!random.once(30)) return `b${i}: ${random.pick(random.once(20) ? rare : kinds)()}`;
      targets[`i${i}`] = Array.from({ length: random.below(30) }, any);
      return `b${i}: nop\ni${i}: ${random.once(2) ? 'jalr zero,0(a2)' : 'jalr ra,0(a2)'}`;
    });
    const functions = 'f: bnez a0,inner\nnop\ninner: ret\ng: addi a0,a0,1\nret';
    return { source: `${lines.join('\n')}\necall\n${functions}`, facts: { targets } };
  }

  it('is sound and has a structure', () => {
    let blocks = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const { source, facts } = randomCode(seed);
      const { region } = found(source, 'b0', facts);
      if (region === undefined) continue;
      blocks += region.blocks.length;
      assert.doesNotThrow(() => structure(graphOfRegion(region)), `code ${seed}`);
    }
    assert.ok(blocks > 3000, `${blocks} blocks`);
  });
});

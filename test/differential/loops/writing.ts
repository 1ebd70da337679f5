/**
 * Code that is written: instructions that the program itself, or the system for it, makes others while they are hot, through any mapping;
 * data that lies among the code.
 */
import { line } from '../items';
import { Label } from './layout';
import { Mapping } from './mapping';
import { Place } from './straight';

const PAGE = 4096;

export abstract class Writing extends Mapping {
  /** An instruction that is stored, now one, now another, before it is executed. */
  protected rewritten(): void {
    const { random } = this;
    const at = this.target();
    const word = this.target(at);
    const [a, b] = [this.target(), this.target()];
    const place = new Label();
    const half = random.once(3);
    this.address(at, place);
    if (this.options.mapping && random.once(2)) this.toAlias(at, word);
    this.lines(`andi x${word},x${random.pick([...this.turning, a])},1`);
    const one = half ? line(`c.addi x${a},3`) : line(`addi x${a},x${b},77`);
    const other = half ? line(`c.addi x${a},5`) : line(`xori x${a},x${b},-7`);
    const next = this.target(at, word);
    this.constant(next, one | 0);
    const skip = new Label();
    this.branch('beq', word, 0, skip);
    this.constant(next, other | 0);
    this.label(skip);
    const called = this.options.mapping && !half && random.once(3) && this.written(at, next);
    if (!called) this.lines(half ? `sh x${next},0(x${at})` : `sw x${next},0(x${at})`);
    if (random.once(3)) this.plain();
    this.lines('fence.i');
    if (!half) this.put({ kind: 'align', to: 2 });
    this.label(place);
    this.bits(one);
  }

  /** Bytes among the code that are loaded and stored. */
  protected dataInCode(): void {
    const { random } = this;
    const [data, over] = [new Label(), new Label()];
    const at = this.target();
    const value = this.target(at);
    this.jump(over);
    this.label(data);
    this.put({ kind: 'bytes', bytes: random.bytes(16) });
    this.label(over);
    this.address(at, data);
    this.lines(`ld x${value},${random.below(9)}(x${at})`);
    if (random.once(2)) this.lines(`add x${value},x${value},x${this.any()}`);
    if (random.once(2)) this.lines(`${random.pick(['sd', 'sw', 'sb', 'sh'])} x${value},${random.below(9)}(x${at})`);
  }

  /** Adds to a register with an address in the code what leads to the same bytes where they may be written. */
  private toAlias(at: number, scratch: number): void {
    this.lines(`lui x${scratch},${Place.ALIAS / PAGE}`, `add x${at},x${at},x${scratch}`);
  }

  /** A system call that writes the 32 bits of a register at an address: reading into code. False where its registers are in use. */
  private written(at: number, value: number): boolean {
    const { locked } = this;
    if ([10, 11, 12, 17].some((register) => locked.has(register)) || at === 12 || value === 11) return false;
    this.lines(`addi a1,x${at},0`, `addi a2,x${value},0`, 'addi a7,zero,63', 'ecall');
    this.spent += 60;
    return true;
  }
}

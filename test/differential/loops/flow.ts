/**
 * Control flow of generated programs: counted loops with several exits, loops with several entries, branches of every kind, jump tables,
 * calls by every link register, function pointers, tail calls, returns to where nobody called from, code that is rewritten while it is
 * hot, pointers that grow beyond what is mapped. Every statement ends, whatever the data: what repeats counts down.
 */
import { bitsOf, Label } from './layout';
import { Writing } from './writing';
import { SAVED, Values } from './straight';

/** How deep a recursive function still goes; it puts back what it found. */
export const DEPTH = 4;
export const DEEPEST = 5;

const BRANCHES = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];

export interface Callee {
  readonly label: Label;
  /** Register that it returns through. */
  readonly link: number;
  /** Ticks that it takes at most. */
  readonly cost: number;
  /** It may return 4 bytes behind where it should. */
  readonly skips: boolean;
  /** It calls itself, as deep as DEPTH says. */
  readonly recursive: boolean;
}

export abstract class Flow extends Writing {
  protected callees: Callee[] = [];
  /** Labels whose addresses stand in the page of values, in the order of their places. */
  protected readonly pointers: Label[] = [];
  /** Saved registers that the function being made has used, and those in use at this place. */
  protected used = new Set<number>();
  protected readonly busy = new Set<number>();
  /** Ends of the loops around this place, with the innermost last. */
  protected exits: Label[] = [];
  private nesting = 0;
  private statements = 0;

  protected get turning(): readonly number[] {
    return [...this.busy];
  }

  protected get nested(): boolean {
    return this.nesting < 3;
  }

  protected get room(): number {
    return this.limit - this.spent;
  }

  protected counted(times: number, body: () => void): void {
    this.withSaved((counter) => {
      this.constant(counter, times);
      this.repeated(times, () => {
        const head = this.label();
        body();
        this.lines(`addi x${counter},x${counter},-1`);
        this.branch('bne', counter, 0, head);
      });
    });
  }

  /** One statement; left out when the options say so, with nothing else changed. */
  protected statement(): void {
    const number = this.statements++;
    const { parts } = this;
    const skipped = this.options.without?.has(number) === true;
    if (skipped) this.parts = [];
    this.make();
    if (skipped) this.parts = parts;
  }

  /** How many statements there were. */
  get count(): number {
    return this.statements;
  }

  protected block(most: number): void {
    for (let n = this.random.between(1, most); n > 0; n--) this.statement();
  }

  private make(): void {
    const { random } = this;
    const deep = this.nesting >= 4;
    const kind = random.below(100);
    this.nesting++;
    if (this.options.mapping && random.once(12)) this.mapping();
    else if (kind < 26) for (let n = random.between(1, 4); n > 0; n--) this.plain();
    else if (kind < 40) for (let n = random.between(1, 3); n > 0; n--) this.access();
    else if (kind < 44) this.atomic();
    else if (kind < 46) this.reserved();
    else if (kind < 49) this.flags();
    else if (kind < 53) this.kernel();
    else if (kind < 54) this.rounding();
    else if (kind < 55) this.rare();
    else if (kind < 66 && !deep) this.loop();
    else if (kind < 69 && !deep) this.walk();
    else if (kind < 72 && !deep) this.severalEntries();
    else if (kind < 80 && !deep) this.choice();
    else if (kind < 84 && !deep) this.table();
    else if (kind < 92) this.call();
    else if (kind < 94) this.continuation();
    else if (kind < 96) this.leave();
    else if (kind < 97) this.rewritten();
    else if (kind < 99) this.dataInCode();
    else this.pageEnd();
    this.nesting--;
  }

  private rare(): void {
    const { random, options } = this;
    const kinds: (() => void)[] = [];
    if (options.traps) kinds.push(() => this.trap());
    if (options.traps) kinds.push(() => this.host());
    if (options.counters) kinds.push(() => this.counters());
    if (options.machine) kinds.push(() => this.floatState());
    kinds.push(
      () => this.write(),
      () => this.lines('fence.i'),
    );
    random.pick(kinds)();
  }

  /** A system call: eight bytes of the window to the output. */
  private write(): void {
    const offset = 8 * this.random.below(64);
    for (const register of [10, 11, 12, 17]) if (this.locked.has(register)) return;
    this.lines('addi a7,zero,64', 'addi a0,zero,1', `addi a1,s0,${offset}`, 'addi a2,zero,8', 'ecall');
    this.spent += 100;
  }

  /** A saved register for the time of `body`. */
  protected withSaved(body: (register: number) => void): void {
    const free = SAVED.filter((register) => !this.busy.has(register));
    if (free.length === 0) return;
    const register = this.random.pick(free);
    this.busy.add(register);
    this.used.add(register);
    body(register);
    this.busy.delete(register);
  }

  /** How often a body that may take what is left of the limit can be repeated. */
  private times(most: number): number {
    const room = this.limit - this.spent;
    return Math.max(1, Math.min(most, Math.floor(room / 40)));
  }

  /** What `body` costs counts so many times. */
  protected repeated(times: number, body: () => void): void {
    const { spent, limit } = this;
    this.limit = spent + Math.floor((limit - spent) / times);
    body();
    this.spent = spent + (this.spent - spent) * times;
    this.limit = limit;
  }

  private rounds(): number {
    const { random } = this;
    return this.times(random.pick([1, 2, 3, 5, 8, 13, 40, 200]));
  }

  /** Counts down, or up to a limit, by different ends. */
  private loop(): void {
    const { random } = this;
    const n = this.rounds();
    this.withSaved((counter) => {
      const up = random.once(3);
      this.constant(counter, up ? 0 : n);
      const [head, next, end] = [new Label(), new Label(), new Label()];
      const first = random.once(4);
      if (first) this.jump(next);
      this.exits.push(end);
      this.repeated(n + 1, () => {
        this.label(head);
        this.block(5);
        if (random.once(3)) this.branch(random.pick(BRANCHES), this.any(), this.any(), random.once(4) ? end : next);
        if (random.once(6)) this.branch('beq', counter, this.any(), end);
        if (random.once(2)) this.block(3);
        this.label(next);
        this.closeLoop(counter, n, up, head);
      });
      this.exits.pop();
      this.label(end);
    });
  }

  private closeLoop(counter: number, n: number, up: boolean, head: Label): void {
    const { random } = this;
    if (up) {
      const limit = this.target();
      this.lines(`addi x${counter},x${counter},1`);
      this.constant(limit, n);
      return this.branch(random.pick(['blt', 'bltu']), counter, limit, head);
    }
    this.lines(`addi x${counter},x${counter},-1`);
    if (random.once(4)) {
      // A forward branch out and a jump back.
      const out = new Label();
      this.branch('bge', 0, counter, out);
      this.jump(head);
      return void this.label(out);
    }
    // Entered at its end the counter begins one lower.
    this.branch(n > 1 && random.once(2) ? 'bne' : 'blt', 0, counter, head);
  }

  /** A pointer walks through the window, or beyond it where traps are allowed. */
  private walk(): void {
    const { random } = this;
    const stride = random.pick([1, 2, 3, 4, 8, 8, 16, 24, 100]);
    const wild = this.options.traps && random.once(3);
    const n = Math.min(this.rounds(), wild ? 60 : Infinity, Math.floor(3900 / stride));
    this.withSaved((counter) =>
      this.withSaved((pointer) => {
        this.constant(counter, n);
        this.lines(`addi x${pointer},s0,${wild ? 2047 : 0}`);
        if (wild) this.lines(`addi x${pointer},x${pointer},${2047 - (random.below(n * stride) % 2000)}`);
        else if (random.once(2)) this.lines(`addi x${pointer},x${pointer},-2000`);
        this.repeated(n, () => {
          const head = this.label();
          for (let i = random.between(1, 3); i > 0; i--) this.accessAt(pointer, 16);
          if (wild) this.spent += 200;
          this.block(3);
          this.lines(`addi x${pointer},x${pointer},${stride}`, `addi x${counter},x${counter},-1`);
          this.branch(random.pick(['bne', 'blt']), 0, counter, head);
        });
      }),
    );
  }

  /** A loop that is entered at two or three places and goes round by two. */
  private severalEntries(): void {
    const { random } = this;
    const n = this.rounds();
    this.withSaved((counter) => {
      this.constant(counter, n);
      const [a, b, c, end] = [new Label(), new Label(), new Label(), new Label()];
      this.exits.push(end);
      this.branch(random.pick(BRANCHES), this.any(), this.any(), b);
      if (random.once(2)) this.branch(random.pick(BRANCHES), this.any(), this.any(), c);
      this.repeated(n + 1, () => {
        this.label(a);
        this.block(3);
        this.label(b);
        this.block(3);
        this.label(c);
        if (random.once(2)) this.block(2);
        this.lines(`addi x${counter},x${counter},-1`);
        this.branch('bge', 0, counter, end);
        this.branch(random.pick(BRANCHES), this.any(), this.any(), a);
        this.branch(random.pick(BRANCHES), this.any(), this.any(), c);
        this.jump(b);
      });
      this.exits.pop();
      this.label(end);
    });
  }

  private choice(): void {
    const { random } = this;
    const [other, end] = [new Label(), new Label()];
    const zero = random.once(3);
    this.branch(random.pick(BRANCHES), this.any(), zero ? 0 : this.any(), other);
    this.block(3);
    if (random.once(2)) {
      this.jump(end);
      this.label(other);
      this.block(3);
    } else this.label(other);
    this.label(end);
  }

  /** A jump through a table of addresses, or into a row of jumps. */
  private table(): void {
    const { random } = this;
    const ways = random.pick([2, 4, 8]);
    const cases = Array.from({ length: ways }, () => new Label());
    const end = new Label();
    const index = this.target();
    const at = this.target(index);
    const { turning } = this;
    this.lines(
      `andi x${index},x${turning.length > 0 && random.once(2) ? random.pick(turning) : this.any()},${ways - 1}`,
    );
    if (random.once(2)) {
      const table = new Label();
      this.address(at, table);
      this.lines(`sh3add x${at},x${index},x${at}`, `ld x${at},0(x${at})`);
      this.throughRegister(at);
      this.put({ kind: 'align', to: 8 });
      this.label(table);
      for (const to of cases) this.put({ kind: 'pointer', to });
    } else {
      const row = new Label();
      this.address(at, row);
      this.lines(`sh2add x${at},x${index},x${at}`);
      this.throughRegister(at);
      this.label(row);
      for (const to of cases) this.put({ kind: 'jal', rd: random.once(2) ? 0 : this.target(), to, long: true });
    }
    for (const way of cases) {
      this.label(way);
      if (random.once(3)) this.block(2);
      else this.plain();
      if (random.once(8)) continue;
      this.jump(end);
    }
    this.label(end);
  }

  private throughRegister(at: number): void {
    this.bits(this.random.once(2) ? bitsOf('c.jr', { rs1: at }) : bitsOf('jalr', { rd: 0, rs1: at, imm: 0 }));
  }

  private call(): void {
    const { random } = this;
    const possible = this.callees.filter(({ cost, link }) => cost < this.limit - this.spent && !this.locked.has(link));
    if (possible.length === 0) return this.plain();
    const callee = random.pick(possible);
    // Now and then from more places than a return may know of (MAX_TARGETS), some of them unlikely.
    const most = callee.recursive ? 1 : Math.floor((this.limit - this.spent) / (callee.cost + 20));
    for (let n = random.once(12) ? Math.min(most, random.between(10, 40)) : 1; n > 0; n--) {
      if (n === 1 || random.once(2)) this.callOf(callee);
      else {
        const over = new Label();
        this.branch(random.pick(BRANCHES), this.any(), this.any(), over);
        this.callOf(callee);
        this.label(over);
      }
    }
  }

  private callOf({ label, link, cost, skips, recursive }: Callee): void {
    const { random } = this;
    if (recursive) {
      this.lines(`addi x${DEPTH},zero,${random.below(DEEPEST + 1)}`);
      this.used.add(DEPTH);
    }
    const way = random.below(4);
    if (way === 0) this.jump(label, link);
    else {
      const at = way === 3 ? link : this.target(link);
      if (way === 1) this.address(at, label);
      else this.lines(`lui x${at},2`, `add x${at},x${at},s0`, `ld x${at},${this.pointerTo(label)}(x${at})`);
      this.bits(
        link === 1 && random.once(2) ? bitsOf('c.jalr', { rs1: at }) : bitsOf('jalr', { rd: link, rs1: at, imm: 0 }),
      );
    }
    if (skips) this.lines(`addi x${this.target()},x${this.any()},${random.below(9)}`);
    this.spent += cost;
  }

  /** Offset, from s0 + 0x2000, of a pointer to a label. */
  private pointerTo(label: Label): number {
    let index = this.pointers.indexOf(label);
    if (index < 0) index = this.pointers.push(label) - 1;
    return Values.POINTERS + 8 * index;
  }

  /** A call whose return goes elsewhere than behind the jump. */
  private continuation(): void {
    const { random } = this;
    const possible = this.callees.filter(
      ({ cost, link, recursive }) => cost < this.limit - this.spent && !this.locked.has(link) && !recursive,
    );
    if (possible.length === 0) return this.plain();
    const { label, link, cost } = random.pick(possible);
    const back = new Label();
    this.address(link, back);
    this.jump(label);
    this.plain();
    this.plain();
    this.label(back);
    this.lines(`addi x${this.target()},zero,1`);
    this.spent += cost;
  }

  /** Out of one of the loops around, perhaps. */
  private leave(): void {
    const { random } = this;
    if (this.exits.length === 0) return this.plain();
    this.branch(random.pick(['beq', 'beq', 'bltu']), this.any(), this.any(), random.pick(this.exits));
  }

  /** The next instructions lie around the end of a page. */
  protected pageEnd(): void {
    const { random } = this;
    const over = new Label();
    this.jump(over);
    this.put({ kind: 'pageEnd', before: 2 * random.between(1, 8) });
    this.label(over);
    if (random.once(2)) this.lines(`addi x${this.target()},x${this.any()},${random.below(100)}`);
    else this.plain();
  }
}

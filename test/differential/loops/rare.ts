/**
 * What loops seldom contain: other rounding modes, counters, CSRs of a level, cache blocks, traps, mstatus.FS. Each is something that translated
 * code leaves to the host, or that changes what it takes for granted.
 */
import { Straight } from './straight';

export abstract class Rare extends Straight {
  /** Arithmetic in another rounding mode, which ends or goes on; a reserved mode where that may trap. */
  protected rounding(): void {
    const { random } = this;
    const [old, mode] = [this.target(), this.target()];
    const most = this.options.traps && random.once(4) ? 7 : 4;
    const ways: (() => void)[] = [
      () => this.lines(`csrrwi x${old},frm,${random.between(0, most)}`),
      () => this.lines(`addi x${mode},zero,${random.between(0, most)}`, `csrrw x${old},frm,x${mode}`),
      () =>
        this.lines(
          `addi x${mode},zero,${32 * random.between(0, most) + random.below(32)}`,
          `csrrw x${old},fcsr,x${mode}`,
        ),
      () => {
        // Mode 4 with another bit is reserved.
        if (most <= 4) this.lines('csrrci zero,frm,4');
        this.lines(`csrrsi x${old},frm,${random.pick([1, 2, 3])}`);
      },
      () => this.lines(`csrrci x${old},frm,${random.pick([1, 2, 4, 7])}`),
    ];
    random.pick(ways)();
    this.kernel();
    // Traps of a reserved mode.
    if (most > 4) this.spent += 200;
    if (most > 4 || random.once(2)) this.lines(`csrrwi x${this.target()},${random.pick(['frm', 'fcsr'])},0`);
  }

  /** What only the host can do: the CSRs of a level, cache blocks, fences. Each may be illegal where the program runs. */
  protected host(): void {
    const { random } = this;
    const [rd, at] = [this.target(), this.target()];
    const rs = this.any();
    const csr = random.pick([
      'mscratch',
      'mcause',
      'mtval',
      'mcycle',
      'minstret',
      'mip',
      'mie',
      'sscratch',
      'stval',
      'sip',
    ]);
    const block = random.pick(['cbo.clean', 'cbo.flush', 'cbo.inval', 'cbo.zero', 'cbo.zero']);
    const reads = [csr, 'mstatus', 'mhartid', 'misa', 'sstatus', 'satp', 'menvcfg', 'hpmcounter3'];
    const lines = [
      [`csrrs x${rd},${random.pick(reads)},zero`],
      [`csrrs x${rd},${random.pick(reads)},zero`],
      // The handlers keep their place in mscratch and sscratch.
      ...(/scratch$|ie$/.test(csr) ? [] : [[`${random.pick(['csrrw', 'csrrs', 'csrrc'])} x${rd},${csr},x${rs}`]]),
      [`addi x${at},s0,${random.between(-2048, 2047)}`, `${block} (x${at})`],
      ['sfence.vma zero,zero'],
    ];
    this.lines(...random.pick(lines));
    this.spent += 60;
  }

  protected counters(): void {
    const names = ['cycle', 'instret', 'time', ...(this.options.machine ? ['mcycle', 'minstret'] : [])];
    this.lines(`csrrs x${this.target()},${this.random.pick(names)},zero`);
  }

  /** Something that traps; the handler goes on behind it. */
  protected trap(): void {
    const { random } = this;
    const at = this.target();
    const kinds: (() => void)[] = [
      () => this.lines('ebreak'),
      () => this.lines('c.ebreak'),
      () => this.bits(0x0000005b),
      () => this.lines(`csrrw x${this.target()},${random.pick(['0x7c0', 'cycle', '0x5c0'])},x${this.any()}`),
      () =>
        this.lines(`addi x${at},s0,${random.below(64) * 8 + 2}`, `amoadd.w x${this.target()},x${this.any()},(x${at})`),
      () => this.lines(`addi x${at},s0,${random.below(64) * 8 + 4}`, `lr.d x${this.target()},(x${at})`),
      () => this.lines(`lui x${at},1`, `lr.w x${this.target()},(x${at})`),
      () =>
        this.lines(
          `addi x${at},s0,${random.below(64) * 8}`,
          `lr.w x${this.target(at)},(x${at})`,
          `addi x${at},x${at},${random.pick([1, 2])}`,
          `sc.w x${this.target()},x${this.any()},(x${at})`,
        ),
      () => this.lines(`addi x${at},zero,-1`, `slli x${at},x${at},50`, `ld x${this.target()},8(x${at})`),
      () => this.lines(`lui x${at},1`, `sd x${this.any()},16(x${at})`),
      () =>
        this.lines(
          `addi x${at},s0,2047`,
          `addi x${at},x${at},2047`,
          `sd x${this.any()},${random.between(-4, 4)}(x${at})`,
        ),
    ];
    random.pick(kinds)();
    this.spent += 60;
  }

  /** mstatus.FS off, initial, clean or dirty, under instructions that need it. */
  protected floatState(): void {
    const { random } = this;
    const at = this.target();
    this.lines(`lui x${at},6`, `csrrc zero,mstatus,x${at}`);
    const state = random.pick([0, 1, 1, 2, 3]);
    if (state !== 0) this.lines(`lui x${at},${2 * state}`, `csrrs zero,mstatus,x${at}`);
    this.spent += 400;
    for (let i = random.below(3); i > 0; i--) this.plain();
    if (state === 0) this.lines(`lui x${at},${random.pick([2, 4, 6])}`, `csrrs zero,mstatus,x${at}`);
  }
}

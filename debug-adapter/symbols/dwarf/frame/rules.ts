/**
 * Call frame instructions (DWARF 5, sections 6.4.2 and 6.4.3, with the GNU extensions): runs them up to an address and gives the
 * rules that hold there. Runs nothing else: expressions stay bytes. Throws `SymbolError`; every loop is bounded.
 */
import { ByteReader } from '../../bytes';
import type { Cie, Extent, Fde } from './entries';
import { readPointer } from './pointers';

/** How the canonical frame address is found. */
export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array };

/** How the caller's value of a register is found; registers without a rule are up to the ABI. */
export type RegisterRule =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'sameValue' }
  /** Saved at CFA + offset. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** Is CFA + offset. */
  | { readonly kind: 'valOffset'; readonly offset: number }
  /** Is in another register. */
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that the expression gives, with the CFA pushed first. */
  | { readonly kind: 'expression'; readonly bytes: Uint8Array }
  /** Is what the expression gives, with the CFA pushed first. */
  | { readonly kind: 'valExpression'; readonly bytes: Uint8Array };

/** The rules that hold at one address. Register numbers are DWARF's: on RISC-V 0 to 31 are x0 to x31, 32 to 63 f0 to f31. */
export interface UnwindRow {
  /** The range of code of the whole entry. */
  readonly low: number;
  readonly high: number;
  readonly cfa: CfaRule | undefined;
  readonly rules: ReadonlyMap<number, RegisterRule>;
  readonly returnAddressRegister: number;
  readonly signalFrame: boolean;
}

/** Number of no register: a CFA rule that never named one cannot be followed. */
const NO_REGISTER = -1;
const MAX_REMEMBERED = 64;
const MAX_RULES = 256;
const MAX_INSTRUCTIONS = 100_000;

interface State {
  cfa: CfaRule | undefined;
  rules: Map<number, RegisterRule>;
}

const enum Cfa {
  advance_loc = 0x40,
  offset = 0x80,
  restore = 0xc0,
  nop = 0x00,
  set_loc = 0x01,
  advance_loc1 = 0x02,
  advance_loc2 = 0x03,
  advance_loc4 = 0x04,
  offset_extended = 0x05,
  restore_extended = 0x06,
  undefined = 0x07,
  same_value = 0x08,
  register = 0x09,
  remember_state = 0x0a,
  restore_state = 0x0b,
  def_cfa = 0x0c,
  def_cfa_register = 0x0d,
  def_cfa_offset = 0x0e,
  def_cfa_expression = 0x0f,
  expression = 0x10,
  offset_extended_sf = 0x11,
  def_cfa_sf = 0x12,
  def_cfa_offset_sf = 0x13,
  val_offset = 0x14,
  val_offset_sf = 0x15,
  val_expression = 0x16,
  GNU_args_size = 0x2e,
  GNU_negative_offset_extended = 0x2f,
}

class RuleMachine {
  private state: State = { cfa: undefined, rules: new Map() };
  private initial: ReadonlyMap<number, RegisterRule> = new Map();
  private readonly remembered: State[] = [];
  private steps = 0;

  constructor(
    private readonly cie: Cie,
    private location: number,
    private readonly pc: number,
  ) {}

  /** Runs until the location would pass the pc. */
  run({ section, start, end }: Extent): this {
    const reader = new ByteReader(section.name, section.bytes, start, end);
    while (reader.remaining > 0) {
      if (++this.steps > MAX_INSTRUCTIONS) reader.fail(`more than ${MAX_INSTRUCTIONS} call frame instructions`);
      const opcode = reader.u8();
      const next = this.nextLocation(opcode, reader);
      if (next !== undefined && next > this.pc) break;
      if (next !== undefined) this.location = next;
      else this.step(opcode, reader);
    }
    return this;
  }

  /** What the CIE set up is what DW_CFA_restore returns to. */
  keepAsInitial(): this {
    this.initial = new Map(this.state.rules);
    return this;
  }

  row({ low, high, cie }: Fde): UnwindRow {
    const { returnAddressRegister, signalFrame } = cie;
    return { low, high, cfa: this.state.cfa, rules: this.state.rules, returnAddressRegister, signalFrame };
  }

  private nextLocation(opcode: number, reader: ByteReader): number | undefined {
    const advance = (delta: number): number => this.location + delta * this.cie.codeAlign;
    if ((opcode & 0xc0) === Cfa.advance_loc) return advance(opcode & 0x3f);
    switch (opcode) {
      case Cfa.set_loc:
        return readPointer(reader, this.cie.encoding, this.cie.bases);
      case Cfa.advance_loc1:
        return advance(reader.u8());
      case Cfa.advance_loc2:
        return advance(reader.u16());
      case Cfa.advance_loc4:
        return advance(reader.u32());
      default:
        return undefined;
    }
  }

  private set(reader: ByteReader, register: number, rule: RegisterRule): void {
    const { rules } = this.state;
    if (rules.size >= MAX_RULES && !rules.has(register)) reader.fail(`rules for more than ${MAX_RULES} registers`);
    rules.set(register, rule);
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule) this.state.rules.set(register, rule);
    else this.state.rules.delete(register);
  }

  private step(opcode: number, reader: ByteReader): void {
    const { dataAlign } = this.cie;
    if ((opcode & 0xc0) === Cfa.offset)
      return this.set(reader, opcode & 0x3f, { kind: 'offset', offset: reader.ulebNumber() * dataAlign });
    if ((opcode & 0xc0) === Cfa.restore) return this.restore(opcode & 0x3f);
    switch (opcode) {
      case Cfa.nop:
        return;
      case Cfa.restore_extended:
        return this.restore(reader.ulebNumber());
      case Cfa.remember_state:
        if (this.remembered.length >= MAX_REMEMBERED) reader.fail(`more than ${MAX_REMEMBERED} remembered states`);
        this.remembered.push({ cfa: this.state.cfa, rules: new Map(this.state.rules) });
        return;
      case Cfa.restore_state:
        this.state = this.remembered.pop() ?? reader.fail('restores a state that was not remembered');
        return;
      case Cfa.GNU_args_size:
        reader.uleb(); // arguments pushed on the stack: the CFA rule accounts for them
        return;
      default:
        if (opcode >= Cfa.def_cfa && opcode <= Cfa.def_cfa_expression) return this.defineCfa(opcode, reader, 1);
        if (opcode === Cfa.def_cfa_sf || opcode === Cfa.def_cfa_offset_sf)
          return this.defineCfa(opcode, reader, dataAlign);
        return this.registerRule(opcode, reader);
    }
  }

  private defineCfa(opcode: number, reader: ByteReader, factor: number): void {
    const signed = opcode === Cfa.def_cfa_sf || opcode === Cfa.def_cfa_offset_sf;
    const offset = (): number => (signed ? Number(reader.sleb()) * factor : reader.ulebNumber());
    if (opcode === Cfa.def_cfa_expression) {
      this.state.cfa = { kind: 'expression', bytes: reader.raw(reader.ulebNumber()) };
    } else if (opcode === Cfa.def_cfa || opcode === Cfa.def_cfa_sf) {
      this.state.cfa = { kind: 'register', register: reader.ulebNumber(), offset: offset() };
    } else {
      // GNU as for RISC-V begins a CIE with def_cfa_register alone: the offset before that is 0.
      const cfa = this.state.cfa ?? { kind: 'register', register: NO_REGISTER, offset: 0 };
      if (cfa.kind !== 'register') return reader.fail('changes a CFA that is not register and offset');
      this.state.cfa =
        opcode === Cfa.def_cfa_register ? { ...cfa, register: reader.ulebNumber() } : { ...cfa, offset: offset() };
    }
  }

  private registerRule(opcode: number, reader: ByteReader): void {
    const { dataAlign } = this.cie;
    const at = reader.offset - 1;
    const register = reader.ulebNumber();
    const unsigned = (): number => reader.ulebNumber() * dataAlign;
    const signed = (): number => Number(reader.sleb()) * dataAlign;
    const bytes = (): Uint8Array => reader.raw(reader.ulebNumber());
    const set = (rule: RegisterRule): void => this.set(reader, register, rule);
    switch (opcode) {
      case Cfa.offset_extended:
        return set({ kind: 'offset', offset: unsigned() });
      case Cfa.offset_extended_sf:
        return set({ kind: 'offset', offset: signed() });
      case Cfa.GNU_negative_offset_extended:
        return set({ kind: 'offset', offset: -unsigned() });
      case Cfa.val_offset:
        return set({ kind: 'valOffset', offset: unsigned() });
      case Cfa.val_offset_sf:
        return set({ kind: 'valOffset', offset: signed() });
      case Cfa.undefined:
        return set({ kind: 'undefined' });
      case Cfa.same_value:
        return set({ kind: 'sameValue' });
      case Cfa.register:
        return set({ kind: 'register', register: reader.ulebNumber() });
      case Cfa.expression:
        return set({ kind: 'expression', bytes: bytes() });
      case Cfa.val_expression:
        return set({ kind: 'valExpression', bytes: bytes() });
      default:
        return reader.fail(`call frame instruction 0x${opcode.toString(16)} is unknown`, at);
    }
  }
}

/** The rules of an FDE that hold at `pc`, an address in its range. */
export function rowOf(fde: Fde, pc: number): UnwindRow {
  const machine = new RuleMachine(fde.cie, fde.low, pc);
  return machine.run(fde.cie.instructions).keepAsInitial().run(fde.instructions).row(fde);
}

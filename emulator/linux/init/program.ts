/**
 * The first program of a launch with commands: RISC-V code made from them, that executes one after the other as a shell would, programs as
 * its children, and exits with the last one's status. It is a user program like any other: whatever it may not do, the kernel refuses.
 */
import type { Command } from './commands';
import { Assembler, X, type Label } from './assembler';
import { ERROR_TEXTS } from './error-texts';

const BASE = 0x10000;
const HEADERS = 64 + 56;
const AT_FDCWD = -100;
const SIGCHLD = 17;
const EINTR = 4;
const STDERR = 2;
const CALL = {
  umount2: 39,
  mount: 40,
  chdir: 49,
  mkdirat: 34,
  mknodat: 33,
  openat: 56,
  close: 57,
  write: 64,
  exit_group: 94,
  clone: 220,
  execve: 221,
  wait4: 260,
  finit_module: 273,
} as const;
/** What a shell answers when there is no such program, or it can't be executed. */
const NOT_FOUND = 127;
/** Bytes of an entry of the table of messages: a length, then the text. */
const MESSAGE_BITS = 6;

/** The bytes of the ELF file. */
export function initProgram(commands: readonly Command[]): Uint8Array {
  const a = new Assembler(BASE + HEADERS);
  const messages = a.bytes(messageTable());
  const say = { at: undefined } as Label;
  // s3: the environment, behind argc, argv and its null; s2: the status so far.
  a.emit('ld', { rd: X.t0, rs1: X.sp, imm: 0 });
  a.emit('slli', { rd: X.t0, rs1: X.t0, imm: 3 });
  a.emit('add', { rd: X.s3, rs1: X.sp, rs2: X.t0 });
  a.emit('addi', { rd: X.s3, rs1: X.s3, imm: 16 });
  a.emit('addi', { rd: X.sp, rs1: X.sp, imm: -16 });
  a.load(X.s2, 0);
  for (const command of commands) {
    if (command.kind === 'run') run(a, command, say);
    else builtin(a, command, say);
  }
  a.move(X.a0, X.s2);
  a.call(CALL.exit_group);
  complain(a, say, messages);
  return elf(a.finish());
}

type Builtin = Exclude<Command, { kind: 'run' }>;

/** A call whose failure is told; the status is 0 or 1. */
function builtin(a: Assembler, command: Builtin, say: Label): void {
  const done: Label = { at: undefined };
  systemCalls(a, command);
  a.load(X.s2, 0);
  a.branch('bge', { rs1: X.a0, rs2: X.zero }, done);
  tell(a, `${command.line}: `, say);
  a.load(X.s2, 1);
  a.here(done);
}

function systemCalls(a: Assembler, command: Builtin): void {
  switch (command.kind) {
    case 'insmod':
      a.load(X.a0, AT_FDCWD);
      a.load(X.a1, a.text(command.file));
      a.load(X.a2, 0);
      a.call(CALL.openat);
      return withFile(a, command.parameters);
    case 'mknod':
      a.load(X.a0, AT_FDCWD);
      a.load(X.a1, a.text(command.path));
      a.load(X.a2, command.mode);
      a.load(X.a3, command.device);
      return a.call(CALL.mknodat);
    case 'mkdir':
      a.load(X.a0, AT_FDCWD);
      a.load(X.a1, a.text(command.path));
      a.load(X.a2, 0o777);
      return a.call(CALL.mkdirat);
    case 'mount':
      a.load(X.a0, a.text(command.source));
      a.load(X.a1, a.text(command.target));
      a.load(X.a2, a.text(command.type));
      a.load(X.a3, command.flags);
      a.load(X.a4, 0);
      return a.call(CALL.mount);
    case 'umount':
      a.load(X.a0, a.text(command.target));
      a.load(X.a1, 0);
      return a.call(CALL.umount2);
    case 'cd':
      a.load(X.a0, a.text(command.path));
      return a.call(CALL.chdir);
  }
}

/** finit_module of the file that was opened, which is closed again. */
function withFile(a: Assembler, parameters: string): void {
  const failed: Label = { at: undefined };
  const opened: Label = { at: undefined };
  a.branch('bge', { rs1: X.a0, rs2: X.zero }, opened);
  a.branch('jal', { rd: X.zero }, failed);
  a.here(opened);
  a.move(X.s1, X.a0);
  a.load(X.a1, a.text(parameters));
  a.load(X.a2, 0);
  a.call(CALL.finit_module);
  a.move(X.s0, X.a0);
  a.move(X.a0, X.s1);
  a.call(CALL.close);
  a.move(X.a0, X.s0);
  a.here(failed);
}

/** A child executes the program, wherever it is found first; its status is a shell's. */
function run(a: Assembler, command: Command & { kind: 'run' }, say: Label): void {
  const child: Label = { at: undefined };
  const forked: Label = { at: undefined };
  const done: Label = { at: undefined };
  a.load(X.a0, SIGCHLD);
  for (const register of [X.a1, X.a2, X.a3, X.a4]) a.load(register, 0);
  a.call(CALL.clone);
  a.branch('beq', { rs1: X.a0, rs2: X.zero }, child);
  a.branch('bge', { rs1: X.a0, rs2: X.zero }, forked);
  tell(a, `${command.line}: `, say);
  a.load(X.s2, 1);
  a.branch('jal', { rd: X.zero }, done);

  a.here(child);
  const argv = a.pointers(command.argv.map((word) => a.text(word)));
  for (const path of command.paths) {
    a.load(X.a0, a.text(path));
    a.load(X.a1, argv);
    a.move(X.a2, X.s3);
    a.call(CALL.execve);
  }
  tell(a, `${command.argv[0]}: `, say);
  a.load(X.a0, NOT_FOUND);
  a.call(CALL.exit_group);

  a.here(forked);
  a.move(X.s1, X.a0);
  wait(a);
  a.here(done);
}

/** Waits for the child in s1; s2 becomes its exit code, or 128 and the signal. */
function wait(a: Assembler): void {
  const again: Label = { at: undefined };
  const exited: Label = { at: undefined };
  const over: Label = { at: undefined };
  a.here(again);
  a.move(X.a0, X.s1);
  a.move(X.a1, X.sp);
  a.load(X.a2, 0);
  a.load(X.a3, 0);
  a.call(CALL.wait4);
  a.load(X.t0, -EINTR);
  a.branch('beq', { rs1: X.a0, rs2: X.t0 }, again);
  a.emit('lw', { rd: X.t0, rs1: X.sp, imm: 0 });
  a.emit('andi', { rd: X.t1, rs1: X.t0, imm: 0x7f });
  a.branch('beq', { rs1: X.t1, rs2: X.zero }, exited);
  a.emit('addi', { rd: X.s2, rs1: X.t1, imm: 128 });
  a.branch('jal', { rd: X.zero }, over);
  a.here(exited);
  a.emit('srli', { rd: X.t0, rs1: X.t0, imm: 8 });
  a.emit('andi', { rd: X.s2, rs1: X.t0, imm: 0xff });
  a.here(over);
}

/** What failed, and why: the negative errno in a0. */
function tell(a: Assembler, text: string, say: Label): void {
  a.load(X.a1, a.text(text));
  a.load(X.a2, new TextEncoder().encode(text).length);
  a.branch('jal', { rd: X.t2 }, say);
}

/** Writes a1 … a1 + a2 and the message of -a0; returns to t2. */
function complain(a: Assembler, say: Label, messages: Label): void {
  a.here(say);
  a.emit('sub', { rd: X.s0, rs1: X.zero, rs2: X.a0 });
  a.load(X.a0, STDERR);
  a.call(CALL.write);
  const known: Label = { at: undefined };
  a.load(X.t0, ERROR_TEXTS.length - 1);
  a.branch('bge', { rs1: X.t0, rs2: X.s0 }, known);
  a.load(X.s0, 0);
  a.here(known);
  a.emit('slli', { rd: X.s0, rs1: X.s0, imm: MESSAGE_BITS });
  a.load(X.t0, messages);
  a.emit('add', { rd: X.t0, rs1: X.t0, rs2: X.s0 });
  a.emit('lbu', { rd: X.a2, rs1: X.t0, imm: 0 });
  a.emit('addi', { rd: X.a1, rs1: X.t0, imm: 1 });
  a.load(X.a0, STDERR);
  a.call(CALL.write);
  a.emit('jalr', { rd: X.zero, rs1: X.t2, imm: 0 });
}

function messageTable(): Uint8Array {
  const size = 2 ** MESSAGE_BITS;
  const bytes = new Uint8Array(ERROR_TEXTS.length * size);
  ERROR_TEXTS.forEach((text, errno) => {
    const encoded = new TextEncoder().encode(`${text}\n`).subarray(0, size - 1);
    bytes[errno * size] = encoded.length;
    bytes.set(encoded, errno * size + 1);
  });
  return bytes;
}

/** A static executable with one segment, that is read and executed (System V ABI, ELF-64). */
function elf(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADERS + content.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const half = (at: number, value: number) => view.setUint16(at, value, true);
  const word = (at: number, value: number) => view.setUint32(at, value, true);
  half(16, 2); // ET_EXEC
  half(18, 243); // EM_RISCV
  word(20, 1);
  word(24, BASE + HEADERS);
  word(32, 64);
  half(52, 64);
  half(54, 56);
  half(56, 1);
  word(64, 1); // PT_LOAD
  word(68, 5); // R, X
  word(80, BASE);
  word(88, BASE);
  word(96, bytes.length);
  word(104, bytes.length);
  word(112, 0x1000);
  bytes.set(content, HEADERS);
  return bytes;
}

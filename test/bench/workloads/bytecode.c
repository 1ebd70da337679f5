// A bytecode interpreter: a register machine with one switch, as language runtimes have them, running Collatz rows and a sieve.
#include "workload.h"

enum operation { HALT, SET, MOVE, ADD, SUB, MUL, AND, SHIFT, LOAD, STORE, JUMP, IF_ZERO, IF_LESS, MIX };

struct instruction {
  u8 operation, a, b, c;
  i32 immediate;
};

#define REGISTERS 16
#define CELLS 4096
static i64 cells[CELLS];

/** Registers: r0 number, r1 steps, r2 value, r3 one, r4 limit, r5 scratch, r6 sum, r7 three, r8 zero, r9 sieve limit, r10 … scratch */
static const struct instruction program[] = {
    /* 0 */ {SET, 3, 0, 0, 1},     {SET, 4, 0, 0, 700}, {SET, 7, 0, 0, 3},     {SET, 8, 0, 0, 0},
    /* 4 */ {SET, 0, 0, 0, 1},     {SET, 6, 0, 0, 9},
    // Collatz: for each number below the limit, the steps to 1.
    /* 6 */ {MOVE, 2, 0, 0, 0},    {SET, 1, 0, 0, 0},
    /* 8 */ {SUB, 5, 2, 3, 0},     {IF_ZERO, 5, 0, 0, 18},
    /* 10 */ {ADD, 1, 1, 3, 0},    {AND, 5, 2, 3, 0},   {IF_ZERO, 5, 0, 0, 16},
    /* 13 */ {MUL, 2, 2, 7, 0},    {ADD, 2, 2, 3, 0},   {JUMP, 0, 0, 0, 8},
    /* 16 */ {SHIFT, 2, 2, 0, 1},  {JUMP, 0, 0, 0, 8},
    /* 18 */ {MIX, 6, 1, 0, 0},    {ADD, 0, 0, 3, 0},   {IF_LESS, 0, 4, 0, 6},
    // Sieve: cells that stay 0 are primes.
    /* 21 */ {SET, 9, 0, 0, CELLS}, {SET, 10, 0, 0, 0},
    /* 23 */ {STORE, 8, 10, 0, 0}, {ADD, 10, 10, 3, 0}, {IF_LESS, 10, 9, 0, 23},
    /* 26 */ {SET, 10, 0, 0, 2},
    /* 27 */ {LOAD, 11, 10, 0, 0}, {IF_ZERO, 11, 0, 0, 30}, {JUMP, 0, 0, 0, 35},
    /* 30 */ {MIX, 6, 10, 0, 0},   {MOVE, 12, 10, 0, 0},
    /* 32 */ {STORE, 3, 12, 0, 0}, {ADD, 12, 12, 10, 0}, {IF_LESS, 12, 9, 0, 32},
    /* 35 */ {ADD, 10, 10, 3, 0},  {IF_LESS, 10, 9, 0, 27}, {HALT, 6, 0, 0, 0},
};

APART static i64 interpret(const struct instruction *code) {
  i64 r[REGISTERS] = {0};
  for (const struct instruction *pc = code;;) {
    const struct instruction i = *pc++;
    switch (i.operation) {
      case HALT: return r[i.a];
      case SET: r[i.a] = i.immediate; break;
      case MOVE: r[i.a] = r[i.b]; break;
      case ADD: r[i.a] = r[i.b] + r[i.c]; break;
      case SUB: r[i.a] = r[i.b] - r[i.c]; break;
      case MUL: r[i.a] = r[i.b] * r[i.c]; break;
      case AND: r[i.a] = r[i.b] & r[i.c]; break;
      case SHIFT: r[i.a] = (i64)((u64)r[i.b] >> i.immediate); break;
      case LOAD: r[i.a] = cells[r[i.b] % CELLS]; break;
      case STORE: cells[r[i.b] % CELLS] = r[i.a]; break;
      case JUMP: pc = code + i.immediate; break;
      case IF_ZERO: if (r[i.a] == 0) pc = code + i.immediate; break;
      case IF_LESS: if (r[i.a] < r[i.b]) pc = code + i.immediate; break;
      case MIX: r[i.a] = (i64)mixed((u64)r[i.a], (u64)r[i.b]); break;
    }
  }
}

u64 workload(void) { return (u64)interpret(program); }

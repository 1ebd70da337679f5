/*
 * regions N PLACES TIMES    writes N loops, no two of them alike, into PLACES places one after the other, in a ring, sixteen at a time, and
 * runs each TIMES times, in turn with the others of the sixteen: code that comes and goes as that of a program which itself translates.
 * Prints a line after each quarter, and a sum of what the loops computed, which does not depend on PLACES (a multiple of sixteen).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PLACE_WORDS 32
#define GROUP 16
#define TURNS 10

typedef uint64_t loop_code(uint64_t value, uint64_t times, uint64_t *scratch);

static uint64_t state = 0x2545f4914f6cdd1dul;
static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 16);
}

/* The instruction formats of the unprivileged specification, section 2.2. a0 is the value, a1 the count, a2 a place in memory, a3 free. */
enum { A0 = 10, A1 = 11, A2 = 12, A3 = 13 };
static uint32_t i_type(uint32_t imm, unsigned rs1, unsigned funct3, unsigned rd, unsigned opcode) {
  return (imm & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
static uint32_t r_type(unsigned funct7, unsigned rs2, unsigned rs1, unsigned funct3, unsigned rd) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
}
static uint32_t b_type(int32_t offset, unsigned rs2, unsigned rs1, unsigned funct3) {
  uint32_t imm = (uint32_t)offset;
  return (imm >> 12 & 1) << 31 | (imm >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (imm >> 1 & 0xf) << 8 |
         (imm >> 11 & 1) << 7 | 0x63;
}

/* One to three words of a random computation. */
static unsigned computation(uint32_t *at) {
  uint32_t choice = next();
  uint32_t imm = choice >> 8;
  switch (choice % 6) {
  case 0: /* addi a0, a0, imm */
    at[0] = i_type(imm, A0, 0, A0, 0x13);
    return 1;
  case 1: /* xori a0, a0, imm */
    at[0] = i_type(imm, A0, 4, A0, 0x13);
    return 1;
  case 2: /* slli a3, a0, n; xor a0, a0, a3 */
    at[0] = i_type(imm % 63 + 1, A0, 1, A3, 0x13);
    at[1] = r_type(0, A3, A0, 4, A0);
    return 2;
  case 3: /* sd a0, imm(a2); ld a3, imm(a2); add a0, a0, a3 */
    imm = imm % 64 * 8;
    at[0] = (imm >> 5 & 0x7f) << 25 | A0 << 20 | A2 << 15 | 3 << 12 | (imm & 0x1f) << 7 | 0x23;
    at[1] = i_type(imm, A2, 3, A3, 0x03);
    at[2] = r_type(0, A3, A0, 0, A0);
    return 3;
  case 4: /* mul a0, a0, a1 */
    at[0] = r_type(1, A1, A0, 0, A0);
    at[1] = i_type(imm | 1, A0, 0, A0, 0x13);
    return 2;
  default: /* beq a0, x0, over; addi a0, a0, imm */
    at[0] = b_type(8, 0, A0, 0);
    at[1] = i_type(imm, A0, 0, A0, 0x13);
    return 2;
  }
}

static void write_loop(uint32_t *place, uint32_t number) {
  unsigned count = 0;
  /* Its own number, so that no two are alike: lui a3, number; add a0, a0, a3. */
  place[count++] = number << 12 | A3 << 7 | 0x37;
  place[count++] = r_type(0, A3, A0, 0, A0);
  for (unsigned wanted = 6 + next() % 16; count < wanted;)
    count += computation(place + count);
  place[count++] = i_type(-1, A1, 0, A1, 0x13);
  place[count] = b_type(-4 * (int)count, 0, A1, 1);
  place[count + 1] = i_type(0, 1, 0, 0, 0x67);
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  long count = atol(argv[1]), places = atol(argv[2]), times = atol(argv[3]);
  if (places < GROUP || places % GROUP != 0 || times < TURNS)
    return 2;
  uint32_t *code = mmap(NULL, (size_t)places * PLACE_WORDS * 4, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED)
    return 1;
  static uint64_t scratch[64];
  uint64_t sum = 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  int quarter = 1;
  for (long i = 0; i < count; i += GROUP) {
    uint32_t *group = code + i % places * PLACE_WORDS;
    for (int k = 0; k < GROUP; k++)
      write_loop(group + k * PLACE_WORDS, (uint32_t)(i + k));
    __asm__ volatile("fence.i" ::: "memory");
    for (int turn = 0; turn < TURNS; turn++)
      for (int k = 0; k < GROUP; k++)
        sum ^= ((loop_code *)(group + k * PLACE_WORDS))(sum, (uint64_t)(times / TURNS), scratch);
    if (quarter < 4 && i + GROUP >= count * quarter / 4)
      printf("quarter %d\n", quarter++);
  }
  printf("quarter 4\nsum %016lx\n", sum);
  return 0;
}

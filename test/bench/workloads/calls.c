// Indirect calls: objects of several classes in random order, each asked through its table of functions.
#include "workload.h"

#define SHAPES 4096
#define PASSES 24

struct shape;
struct class {
  u64 (*area)(const struct shape *);
  u64 (*grow)(struct shape *, u64);
};
struct shape {
  const struct class *class;
  u64 a, b, c;
};

static u64 square_area(const struct shape *s) { return s->a * s->a; }
static u64 box_area(const struct shape *s) { return s->a * s->b; }
static u64 wedge_area(const struct shape *s) { return s->a * s->b / 2; }
static u64 frame_area(const struct shape *s) { return s->a * s->b - (s->a - s->c) * (s->b - s->c); }
static u64 point_area(const struct shape *s) { return s->c & 1; }
static u64 grow_one(struct shape *s, u64 by) { return s->a = (s->a + by) & 0xffff; }
static u64 grow_both(struct shape *s, u64 by) {
  s->a = (s->a + by) & 0xffff;
  return s->b = (s->b ^ by) & 0xffff;
}
static u64 grow_none(struct shape *s, u64 by) { return s->c += by; }

static const struct class classes[] = {
    {square_area, grow_one}, {box_area, grow_both},  {wedge_area, grow_both},
    {frame_area, grow_one},  {point_area, grow_none}, {box_area, grow_one},
};
static struct shape shapes[SHAPES];

u64 workload(void) {
  u64 state = 0x2545f4914f6cdd1dul;
  for (int i = 0; i < SHAPES; i++) {
    u64 random = next_random(&state);
    shapes[i] = (struct shape){&classes[(random >> 8) % 6], random & 0xff, (random >> 16) & 0xff, (random >> 24) & 0xf};
  }
  u64 sum = 4;
  for (u64 pass = 0; pass < PASSES; pass++)
    for (int i = 0; i < SHAPES; i++) {
      struct shape *shape = &shapes[i];
      sum += shape->class->area(shape);
      sum ^= shape->class->grow(shape, pass + (sum & 7));
    }
  return sum;
}

// Double precision: a sun and four planets under gravity (a symplectic integrator): additions, multiplications, a division and a square
// root for each pair. Built twice: with every operation rounded, and with multiplications and additions fused.
#include "workload.h"

#define BODIES 5
#define STEPS 6000

struct body {
  double x, y, z, vx, vy, vz, mass;
};
/** Distances in astronomical units, times in days, masses in those of the sun times 4 pi squared. */
static const struct body start[BODIES] = {
    {0, 0, 0, 0, 0, 0, 39.478},
    {4.8, -1.2, -0.1, 0.6, 2.8, -0.02, 0.0377},
    {8.3, 4.1, -0.4, -1.0, 1.8, 0.008, 0.0113},
    {12.9, -15.1, -0.2, 1.1, 0.87, -0.01, 0.0017},
    {15.4, -25.9, 0.18, 0.98, 0.59, -0.03, 0.002},
};
static struct body bodies[BODIES];

static void attract(double step) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      struct body *a = &bodies[i];
      struct body *b = &bodies[j];
      double dx = a->x - b->x;
      double dy = a->y - b->y;
      double dz = a->z - b->z;
      double square = dx * dx + dy * dy + dz * dz;
      double pull = step / (square * __builtin_sqrt(square));
      a->vx -= dx * b->mass * pull;
      a->vy -= dy * b->mass * pull;
      a->vz -= dz * b->mass * pull;
      b->vx += dx * a->mass * pull;
      b->vy += dy * a->mass * pull;
      b->vz += dz * a->mass * pull;
    }
}

u64 workload(void) {
  for (int i = 0; i < BODIES; i++) bodies[i] = start[i];
  for (int count = 0; count < STEPS; count++) {
    attract(0.001);
    for (int i = 0; i < BODIES; i++) {
      bodies[i].x += 0.001 * bodies[i].vx;
      bodies[i].y += 0.001 * bodies[i].vy;
      bodies[i].z += 0.001 * bodies[i].vz;
    }
  }
  u64 sum = 10;
  for (int i = 0; i < BODIES; i++) sum = mixed(mixed(sum, double_bits(bodies[i].x)), double_bits(bodies[i].vy));
  return sum;
}

// Pointer chasing: one ring through 4 MiB in random order, so that each load waits for the one before and most pages are far apart.
#include "workload.h"

#define NODES 65536
#define HOPS 1000000

struct node {
  struct node *next;
  u64 value;
  u64 visits;
  u64 unused[5];
};
static struct node nodes[NODES];
static u32 order[NODES];

u64 workload(void) {
  u64 state = 0xd1342543de82ef95ul;
  for (u32 i = 0; i < NODES; i++) order[i] = i;
  // Sattolo's shuffle: the permutation is a single cycle.
  for (u32 i = NODES - 1; i > 0; i--) {
    u32 other = (u32)(next_random(&state) >> 16) % i;
    u32 kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (u32 i = 0; i < NODES; i++) {
    nodes[i].next = &nodes[order[i]];
    nodes[i].value = i * 0x9e3779b9ul;
    nodes[i].visits = 0;
  }
  u64 sum = 7;
  struct node *node = nodes;
  for (u32 hop = 0; hop < HOPS; hop++) {
    sum += node->value ^ node->visits++;
    node = node->next;
  }
  return mixed(sum, (u64)(node - nodes));
}

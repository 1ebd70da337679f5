/* Code that a host and its enclaves are both built from. */
#pragma once

static inline int mix(int a, int b) {
  int mixed = a * 31 + b; // bp: mix
  return mixed;           // bp: mixed
}

#define MIX_TWICE(a, b) \
  mix(mix((a), (b)), (b))

// malloc, realloc and free of many sizes, mmap, mprotect and mremap; every block keeps its bytes.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCKS 256
static unsigned char *blocks[BLOCKS];
static size_t sizes[BLOCKS];
static uint32_t state = 7;
static uint32_t draw(void) { return state = state * 1664525u + 1013904223u; }

int main(void) {
  unsigned long checks = 0;
  for (int step = 0; step < 6000; step++) {
    int i = draw() >> 24;
    size_t size = (draw() >> 8) % (step % 50 == 0 ? 400000 : 3000) + 1;
    if (blocks[i]) {
      if (blocks[i][0] != (i & 255) || blocks[i][sizes[i] - 1] != (i & 255)) return printf("block %d changed\n", i), 1;
      checks++;
    }
    if (step % 3 == 0) {
      free(blocks[i]);
      blocks[i] = 0;
      continue;
    }
    blocks[i] = realloc(blocks[i], size);
    if (!blocks[i]) return puts("no memory"), 1;
    blocks[i][0] = blocks[i][size - 1] = (unsigned char)i;
    sizes[i] = size;
  }
  char *area = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(area, "kept");
  area[(1 << 20) - 1] = 'x';
  area = mremap(area, 1 << 20, 8 << 20, MREMAP_MAYMOVE);
  printf("%s %c %d\n", area, area[(1 << 20) - 1], area[(8 << 20) - 1]);
  printf("%d\n", mprotect(area, 4096, PROT_READ));
  printf("%d\n", munmap(area + 4096, 4096));
  printf("%s %lu\n", area, checks);
  char *reserved = mmap(0, 1ul << 33, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  printf("%d\n", mprotect(reserved + (1ul << 32), 8192, PROT_READ | PROT_WRITE));
  reserved[(1ul << 32) + 5000] = 1;
  printf("%d %d\n", reserved[(1ul << 32) + 5000], munmap(reserved, 1ul << 33));
  // So many pages that giving them back takes several steps of the kernel.
  char *wide = mmap(0, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(wide, 7, 16 << 20);
  printf("%d\n", mremap(wide, 16 << 20, 4096, MREMAP_MAYMOVE) == wide && wide[4095] == 7);
  return 0;
}

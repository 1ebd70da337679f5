/*
 * Pages and the heap.
 *
 * The heap is a list of free blocks in address order, first fit, neighbours joined on free. It grows by sbrk(), which
 * maps more than was asked for and answers with the new end; the difference of two ends is what really came.
 * All symbols are weak: a program may bring its own allocator.
 */
#include "eapp.h"
#include "print.h"
#include "stdlib.h"
#include "string.h"

#include "ocall.h"

#define WEAK __attribute__((weak))
#define ALIGNMENT 16
#define HEAP_STEP (4 * RISCV_PAGE_SIZE)

WEAK void *eapp_mmap(void *vaddr, unsigned long size) {
  void *area = EAPP_MMAP(OCALL_MMAP, vaddr, size);
  if (!area)
    eapp_print("[WARNING] lib: eapp_mmap is failed\n");
  return area;
}

/** Before every block: its size, this header included; while it is free, also the next free block. */
struct block {
  size_t size;
  struct block *next;
};

_Static_assert(sizeof(struct block) == ALIGNMENT, "a block's header keeps what follows it aligned");

static struct block *first_free;

static char *end_of(struct block *block) { return (char *)block + block->size; }

/** Puts a block into the list and joins it with the free blocks it touches. */
static void give_back(struct block *block) {
  struct block *before = 0;
  struct block *after = first_free;
  while (after && after < block) {
    before = after;
    after = after->next;
  }
  block->next = after;
  if (after && end_of(block) == (char *)after) {
    block->size += after->size;
    block->next = after->next;
  }
  if (before && end_of(before) == (char *)block) {
    before->size += block->size;
    before->next = block->next;
  } else if (before) {
    before->next = block;
  } else {
    first_free = block;
  }
}

static int grow(size_t needed) {
  size_t step = ROUNDUP(needed, HEAP_STEP);
  char *start = sbrk(0);
  char *end = sbrk(step);
  if (end == (char *)-1 || end < start + needed)
    return 0;
  struct block *block = (struct block *)start;
  block->size = end - start;
  give_back(block);
  return 1;
}

static struct block *take(size_t needed) {
  struct block **link = &first_free;
  while (*link && (*link)->size < needed)
    link = &(*link)->next;
  struct block *found = *link;
  if (!found)
    return 0;
  if (found->size - needed <= sizeof(struct block)) {
    *link = found->next;
    return found;
  }
  struct block *rest = (struct block *)((char *)found + needed);
  rest->size = found->size - needed;
  rest->next = found->next;
  found->size = needed;
  *link = rest;
  return found;
}

WEAK void *malloc(size_t size) {
  if (size == 0 || size > (size_t)-1 / 2)
    return 0;
  size_t needed = ROUNDUP(size + sizeof(struct block), ALIGNMENT);
  struct block *block = take(needed);
  if (!block && grow(needed))
    block = take(needed);
  return block ? block + 1 : 0;
}

WEAK void free(void *block) {
  if (block)
    give_back((struct block *)block - 1);
}

WEAK void *calloc(size_t count, size_t size) {
  if (size && count > (size_t)-1 / size)
    return 0;
  void *block = malloc(count * size);
  return block ? memset(block, 0, count * size) : 0;
}

WEAK void *realloc(void *block, size_t size) {
  if (!block)
    return malloc(size);
  if (size == 0) {
    free(block);
    return 0;
  }
  size_t usable = ((struct block *)block - 1)->size - sizeof(struct block);
  if (size <= usable)
    return block;
  void *larger = malloc(size);
  if (!larger)
    return 0;
  memcpy(larger, block, usable);
  free(block);
  return larger;
}

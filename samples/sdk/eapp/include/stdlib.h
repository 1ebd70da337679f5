/* The part of the C library's header that this SDK provides: memory from the enclave's own heap. */
#ifndef PENGLAI_EAPP_STDLIB_H
#define PENGLAI_EAPP_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
int atoi(const char *text);
int abs(int value);

#endif

/* The older names of functions in string.h. */
#ifndef PENGLAI_EAPP_STRINGS_H
#define PENGLAI_EAPP_STRINGS_H

#include <stddef.h>

void bzero(void *bytes, size_t size);
void bcopy(const void *from, void *to, size_t size);
int bcmp(const void *a, const void *b, size_t size);

#endif

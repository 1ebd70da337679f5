/* Text from an enclave: each call is one message of at most 511 bytes, formatted inside the enclave. */
#ifndef PENGLAI_EAPP_PRINT_H
#define PENGLAI_EAPP_PRINT_H

#include <stdarg.h>

/**
 * Knows %d %i %u %x %p %s %c %%, with `l` or `z` for 64 bits. As in the Penglai SDK %x always prints 8 digits, %lx 16,
 * and %p 0x and 16; widths and flags are skipped.
 */
void eapp_print(const char *format, ...);

int printf(const char *restrict format, ...);

#endif

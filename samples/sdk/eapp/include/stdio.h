/* The part of the C library's header that an enclave without a file system can have. Formats: see print.h. */
#ifndef PENGLAI_EAPP_STDIO_H
#define PENGLAI_EAPP_STDIO_H

#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

int printf(const char *restrict format, ...);
int vprintf(const char *restrict format, va_list arguments);
int sprintf(char *restrict buffer, const char *restrict format, ...);
int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...);
int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list arguments);
int puts(const char *text);
int putchar(int character);

#endif

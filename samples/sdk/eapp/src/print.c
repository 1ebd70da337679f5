/*
 * Formatting, and the way text leaves the enclave: into the page shared with the kernel, then the write ocall.
 *
 * The formats are the Penglai SDK's (print.h), because output of programs written for it is compared byte by byte.
 */
#include "eapp.h"
#include "print.h"
#include "stdio.h"
#include "string.h"

#include "ocall.h"

#define WEAK __attribute__((weak))

/** Where formatted text goes. `length` counts on past the end, as vsnprintf()'s result does. */
struct output {
  char *buffer;
  size_t size;
  size_t length;
};

static void put(struct output *out, char character) {
  if (out->length + 1 < out->size)
    out->buffer[out->length] = character;
  out->length++;
}

static void put_text(struct output *out, const char *text) {
  if (!text)
    text = "(null)";
  while (*text)
    put(out, *text++);
}

static void put_hex(struct output *out, unsigned long value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    put(out, "0123456789abcdef"[(value >> shift) & 15]);
}

static void put_unsigned(struct output *out, unsigned long value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = '0' + value % 10;
    value /= 10;
  } while (value);
  while (count)
    put(out, digits[--count]);
}

static void put_signed(struct output *out, long value) {
  if (value < 0) {
    put(out, '-');
    put_unsigned(out, -(unsigned long)value);
  } else {
    put_unsigned(out, value);
  }
}

WEAK int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list arguments) {
  struct output out = {buffer, size, 0};
  int in_conversion = 0;
  int is_long = 0;

  for (const char *at = format; *at; at++) {
    if (!in_conversion) {
      in_conversion = *at == '%';
      is_long = 0;
      if (!in_conversion)
        put(&out, *at);
      continue;
    }
    switch (*at) {
    case 'l':
    case 'z':
      is_long = 1;
      continue;
    case 'd':
    case 'i':
      put_signed(&out, is_long ? va_arg(arguments, long) : va_arg(arguments, int));
      break;
    case 'u':
      put_unsigned(&out, is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned int));
      break;
    case 'x':
      if (is_long)
        put_hex(&out, va_arg(arguments, unsigned long), 16);
      else
        put_hex(&out, va_arg(arguments, unsigned int), 8);
      break;
    case 'p':
      put_text(&out, "0x");
      put_hex(&out, va_arg(arguments, unsigned long), 16);
      break;
    case 's':
      put_text(&out, va_arg(arguments, const char *));
      break;
    case 'c':
      put(&out, va_arg(arguments, int));
      break;
    case '%':
      put(&out, '%');
      break;
    default:
      continue; /* widths and flags */
    }
    in_conversion = 0;
  }
  if (size)
    buffer[out.length < size ? out.length : size - 1] = 0;
  return out.length;
}

/** Formats into the shared page, which servers have only while they are called by an enclave that has one. */
static int print(const char *format, va_list arguments) {
  char *kbuffer = (char *)ENCLAVE_DEFAULT_KBUFFER;
  int length = vsnprintf(kbuffer, ENCLAVE_KBUFFER_MESSAGE, format, arguments);
  EAPP_PRINT(OCALL_SYS_WRITE);
  return length;
}

WEAK void eapp_print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
}

WEAK int vprintf(const char *restrict format, va_list arguments) { return print(format, arguments); }

WEAK int printf(const char *restrict format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = print(format, arguments);
  va_end(arguments);
  return length;
}

WEAK int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}

WEAK int sprintf(char *restrict buffer, const char *restrict format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(buffer, (size_t)-1 / 2, format, arguments);
  va_end(arguments);
  return length;
}

WEAK int puts(const char *text) {
  eapp_print("%s\n", text);
  return 0;
}

WEAK int putchar(int character) {
  eapp_print("%c", character);
  return character;
}

/* The string functions of string.h and strings.h, and those that a compiler may call by itself (memcpy, memset, memmove, memcmp). */
#include "stdlib.h"
#include "string.h"

#define WEAK __attribute__((weak))

WEAK void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *target = to;
  const unsigned char *source = from;
  while (size--)
    *target++ = *source++;
  return to;
}

WEAK void *memmove(void *to, const void *from, size_t size) {
  unsigned char *target = to;
  const unsigned char *source = from;
  if (target < source)
    for (size_t i = 0; i < size; i++)
      target[i] = source[i];
  else
    while (size--)
      target[size] = source[size];
  return to;
}

WEAK void *memset(void *to, int value, size_t size) {
  unsigned char *target = to;
  while (size--)
    *target++ = value;
  return to;
}

WEAK int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *left = a;
  const unsigned char *right = b;
  for (size_t i = 0; i < size; i++)
    if (left[i] != right[i])
      return left[i] - right[i];
  return 0;
}

WEAK void *memchr(const void *bytes, int value, size_t size) {
  const unsigned char *at = bytes;
  for (; size--; at++)
    if (*at == (unsigned char)value)
      return (void *)at;
  return 0;
}

WEAK size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length])
    length++;
  return length;
}

WEAK size_t strnlen(const char *text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length])
    length++;
  return length;
}

WEAK char *strcpy(char *restrict to, const char *restrict from) { return memcpy(to, from, strlen(from) + 1); }

WEAK char *strncpy(char *restrict to, const char *restrict from, size_t size) {
  size_t length = strnlen(from, size);
  memcpy(to, from, length);
  memset(to + length, 0, size - length);
  return to;
}

WEAK char *strcat(char *restrict to, const char *restrict from) {
  strcpy(to + strlen(to), from);
  return to;
}

WEAK char *strncat(char *restrict to, const char *restrict from, size_t size) {
  char *end = to + strlen(to);
  size_t length = strnlen(from, size);
  memcpy(end, from, length);
  end[length] = 0;
  return to;
}

WEAK int strcmp(const char *a, const char *b) {
  while (*a && *a == *b) {
    a++;
    b++;
  }
  return (unsigned char)*a - (unsigned char)*b;
}

WEAK int strncmp(const char *a, const char *b, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (a[i] != b[i] || !a[i])
      return (unsigned char)a[i] - (unsigned char)b[i];
  return 0;
}

WEAK char *strchr(const char *text, int character) {
  for (;; text++) {
    if (*text == (char)character)
      return (char *)text;
    if (!*text)
      return 0;
  }
}

WEAK char *strrchr(const char *text, int character) {
  const char *last = 0;
  for (;; text++) {
    if (*text == (char)character)
      last = text;
    if (!*text)
      return (char *)last;
  }
}

WEAK char *strstr(const char *text, const char *part) {
  size_t length = strlen(part);
  for (; strncmp(text, part, length); text++)
    if (!*text)
      return 0;
  return (char *)text;
}

WEAK size_t strspn(const char *text, const char *accepted) {
  size_t length = 0;
  while (text[length] && strchr(accepted, text[length]))
    length++;
  return length;
}

WEAK size_t strcspn(const char *text, const char *rejected) {
  size_t length = 0;
  while (text[length] && !strchr(rejected, text[length]))
    length++;
  return length;
}

WEAK void bzero(void *bytes, size_t size) { memset(bytes, 0, size); }

WEAK void bcopy(const void *from, void *to, size_t size) { memmove(to, from, size); }

WEAK int bcmp(const void *a, const void *b, size_t size) { return memcmp(a, b, size); }

WEAK int atoi(const char *text) {
  int sign = 1;
  unsigned int value = 0;
  while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
    text++;
  if (*text == '-' || *text == '+')
    sign = *text++ == '-' ? -1 : 1;
  while (*text >= '0' && *text <= '9')
    value = value * 10 + (*text++ - '0');
  return sign * (int)value;
}

WEAK int abs(int value) { return value < 0 ? -value : value; }

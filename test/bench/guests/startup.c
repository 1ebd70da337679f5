/*
 * What an interpreter does before its first line runs: strings are interned, tables grow and are sorted, numbers are read and printed, memory
 * comes and goes. Much of the C library, each part of it a little.
 */
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 1500
#define BUCKETS 512

struct symbol {
  struct symbol *next;
  double value;
  char name[];
};
static struct symbol *buckets[BUCKETS];

static unsigned hash(const char *name) {
  unsigned sum = 5381;
  while (*name)
    sum = sum * 33 ^ (unsigned char)*name++;
  return sum;
}

static struct symbol *intern(const char *name) {
  struct symbol **bucket = &buckets[hash(name) % BUCKETS];
  for (struct symbol *symbol = *bucket; symbol; symbol = symbol->next)
    if (strcmp(symbol->name, name) == 0)
      return symbol;
  struct symbol *made = malloc(sizeof(*made) + strlen(name) + 1);
  strcpy(made->name, name);
  made->value = 0;
  made->next = *bucket;
  return *bucket = made;
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(struct symbol *const *)a)->name, (*(struct symbol *const *)b)->name);
}

int main(void) {
  char text[64];
  struct symbol **all = NULL;
  size_t count = 0;
  for (int i = 0; i < NAMES; i++) {
    snprintf(text, sizeof(text), "%s_%04d", i % 3 == 0 ? "table" : i % 3 == 1 ? "string" : "number", i * 7919 % 1009);
    struct symbol *symbol = intern(text);
    char *end;
    symbol->value += strtod("3.25e2", &end) + strtol(strchr(text, '_') + 1, NULL, 10);
    for (char *at = text; *at; at++)
      *at = (char)toupper((unsigned char)*at);
    if (strstr(text, "NUMBER"))
      symbol->value = sqrt(symbol->value);
    if (symbol->value > 300 && count % 16 == 0)
      all = realloc(all, (count + 16) * sizeof(*all));
    if (symbol->value > 300)
      all[count++] = symbol;
  }
  qsort(all, count, sizeof(*all), by_name);
  double sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += all[i]->value * (double)i;
  printf("%zu names, %.3f\n", count, sum);
  return 0;
}

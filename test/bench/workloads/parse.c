// Branchy: writes arithmetic expressions as text and reads them back by recursive descent, character by character.
#include "workload.h"

#define SIZE 200000
static char text[SIZE + 64];
static const char *at;

static char *write_number(char *to, u32 value) {
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

/** Expressions as a person would write them, one a line. */
static void write_text(void) {
  u64 state = 88172645463325252ul;
  char *to = text;
  while (to < text + SIZE) {
    int open = 0;
    for (int terms = 1 + (int)(next_random(&state) % 9); terms > 0; terms--) {
      u64 random = next_random(&state);
      if (random % 5 == 0) *to++ = '-';
      if (random % 7 == 0) {
        *to++ = '(';
        open++;
      }
      to = write_number(to, (u32)(random >> 40) % 100000);
      if (open > 0 && random % 3 == 0) {
        *to++ = ')';
        open--;
      }
      if (terms > 1) {
        *to++ = ' ';
        *to++ = "+-*/&^"[(random >> 16) % 6];
        *to++ = ' ';
      }
    }
    for (; open > 0; open--) *to++ = ')';
    *to++ = '\n';
  }
  *to = 0;
}

static i64 expression(int above);

static void skip_blanks(void) {
  while (*at == ' ' || *at == '\t') at++;
}

static i64 operand(void) {
  skip_blanks();
  if (*at == '-') {
    at++;
    return -operand();
  }
  if (*at == '(') {
    at++;
    i64 value = expression(0);
    if (*at == ')') at++;
    return value;
  }
  i64 value = 0;
  while (*at >= '0' && *at <= '9') value = value * 10 + (*at++ - '0');
  return value;
}

static int strength(char operation) {
  switch (operation) {
    case '^': return 1;
    case '&': return 2;
    case '+':
    case '-': return 3;
    case '*':
    case '/': return 4;
    default: return 0;
  }
}

static i64 applied(char operation, i64 left, i64 right) {
  switch (operation) {
    case '^': return left ^ right;
    case '&': return left & right;
    case '+': return (i64)((u64)left + (u64)right);
    case '-': return (i64)((u64)left - (u64)right);
    case '*': return (i64)((u64)left * (u64)right);
    default: return right == 0 || right == -1 ? left : left / right;
  }
}

static i64 expression(int above) {
  i64 left = operand();
  for (;;) {
    skip_blanks();
    char operation = *at;
    int level = strength(operation);
    if (level <= above) return left;
    at++;
    left = applied(operation, left, expression(level));
  }
}

u64 workload(void) {
  write_text();
  u64 sum = 3;
  at = text;
  while (*at) {
    sum = mixed(sum, (u64)expression(0));
    if (*at != '\n') return 0;
    at++;
  }
  return sum;
}

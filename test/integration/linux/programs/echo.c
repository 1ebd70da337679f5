// Copies standard input to standard output in upper case, a line at a time.
#include <ctype.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  char line[256];
  int lines = 0;
  while (fgets(line, sizeof line, stdin)) {
    for (char *c = line; *c; c++) *c = (char)toupper((unsigned char)*c);
    fputs(line, stdout);
    fflush(stdout);
    lines++;
  }
  fprintf(stderr, "%d lines\n", lines);
  return 0;
}

/* Prints a line, then stands still for a look. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  printf("said before\n");
  int tty = isatty(1); // bp: said
  printf("a terminal: %d\n", tty);
  return 0;
}

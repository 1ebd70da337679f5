/* Runs until it is told to end; each of its lines is reached again and again. */
#include <stdio.h>

volatile int go_on = 1;
volatile long turns;

static void turn(void) {
  turns++; // bp: turn
}

int main(void) {
  while (go_on) {
    turn(); // bp: call
    turns += 2; // bp: after
  }
  return 0;
}

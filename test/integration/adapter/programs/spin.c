/* A host that never ends by itself. */
volatile unsigned long turns = 0;

int main(void) {
  for (;;)
    turns++; // bp: turn
}

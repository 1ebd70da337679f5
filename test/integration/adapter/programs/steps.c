/* What a developer steps through: one scenario for each name that main is given. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int sink;

static int loops(int n) {
  int sum = 0;                                 // bp: loops
  for (int i = 0; i < n; i++) sum += i;        // bp: one-line-loop
  while (n > 0) {                              // bp: while
    sum += n;                                  // bp: while-body
    n--;                                       // bp: minus
  }
  sum++; sum++; sum++;                         // bp: three
  return sum;                                  // bp: loops-end
}

static int factorial(int n) {
  if (n <= 1)                                  // bp: factorial
    return 1;                                  // bp: deepest
  int rest = factorial(n - 1);                 // bp: recurse
  return n * rest;                             // bp: multiply
}

static int choose(int n) {
  switch (n) {                                 // bp: switch
    case 0:
      return 1;
    case 3:
      sink++;                                  // bp: case
    case 4:
      goto out;                                // bp: goto
    default:
      sink--;
  }
  sink = 7;
out:
  return sink;                                 // bp: label
}

static inline __attribute__((always_inline)) int square(int x) {
  int y = x * x;                               // bp: square
  sink = y;                                    // bp: square-store
  return y + 1;                                // bp: square-end
}

static int __attribute__((noinline)) inlining(int n) {
  sink = n;                                    // bp: inlining
  int a = square(n);                           // bp: inline-call
  sink = a;                                    // bp: after-inline
  int b = square(a) + square(n + 1);           // bp: two-inline
  sink = b;                                    // bp: stored
  return a + b;                                // bp: inlining-end
}

static int __attribute__((noinline)) twice(int n) {
  sink = n;                                    // bp: twice
  return n * 2;                                // bp: twice-end
}

static int __attribute__((noinline)) tail(int n) {
  sink = n;                                    // bp: tail
  return twice(n + 1);                         // bp: tail-call
}

static int __attribute__((noinline)) calls_tail(int n) {
  int r = tail(n);                             // bp: calls-tail
  sink = r;                                    // bp: after-tail
  return r + 1;                                // bp: calls-tail-end
}

static int (*volatile pointer)(int) = twice;

static int pointers(int n) {
  int a = pointer(n);                          // bp: pointer
  int b = pointer(a) + twice(pointer(n));      // bp: nested
  return a + b;                                // bp: pointers-end
}

static jmp_buf place;

static void __attribute__((noinline)) jump(int n) {
  if (n > 0)                                   // bp: jump
    jump(n - 1);                               // bp: jump-deeper
  longjmp(place, 5);                           // bp: longjmp
}

static int jumps(void) {
  int code = setjmp(place);                    // bp: setjmp
  if (code == 0)                               // bp: jumps-if
    jump(2);                                   // bp: jumps-call
  sink = code;                                 // bp: jumped
  return code;                                 // bp: jumps-end
}

static void handler(int number) {
  sink = number;                               // bp: handler
}

static int signals(void) {
  signal(SIGUSR1, handler);
  raise(SIGUSR1);                              // bp: raise
  sink = 1;                                    // bp: raised
  return 0;                                    // bp: signals-end
}

static int compare(const void *a, const void *b) {
  int x = *(const int *)a;                     // bp: compare
  int y = *(const int *)b;                     // bp: compare-y
  return x - y;                                // bp: compare-end
}

static int sorts(void) {
  int values[] = {4, 2, 3, 1};
  qsort(values, 4, sizeof values[0], compare); // bp: qsort
  return values[0];                            // bp: sorted
}

static volatile int go_on;

static void *worker(void *argument) {
  int number = (int)(long)argument;            // bp: worker
  while (number == 2 && !go_on) sink++;
  sink += number;                              // bp: work
  return NULL;                                 // bp: worker-end
}

static int threads(void) {
  pthread_t one, two;
  pthread_create(&one, NULL, worker, (void *)1L);
  pthread_create(&two, NULL, worker, (void *)2L);
  pthread_join(one, NULL);                     // bp: join
  go_on = 1;                                   // bp: joined
  pthread_join(two, NULL);                     // bp: join-two
  return sink;                                 // bp: threads-end
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int result = -1;
  if (!strcmp(what, "loops")) result = loops(3);           // bp: call-loops
  if (!strcmp(what, "recursion")) result = factorial(5);   // bp: call-factorial
  if (!strcmp(what, "switch")) result = choose(3);         // bp: call-switch
  if (!strcmp(what, "inline")) result = inlining(3);       // bp: call-inline
  if (!strcmp(what, "tail")) result = calls_tail(3);       // bp: call-tail
  if (!strcmp(what, "pointers")) result = pointers(3);     // bp: call-pointers
  if (!strcmp(what, "jumps")) result = jumps();            // bp: call-jumps
  if (!strcmp(what, "signals")) result = signals();        // bp: call-signals
  if (!strcmp(what, "sort")) result = sorts();             // bp: call-sort
  if (!strcmp(what, "threads")) result = threads();        // bp: call-threads
  printf("%d\n", result);                                  // bp: result
  return 0;                                                // bp: main-end
}

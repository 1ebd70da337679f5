/* A thread that ends from a function of its own, while main waits for it. */
#include <pthread.h>
#include <stdio.h>

static void leave(long value) {
  pthread_exit((void *)value); // bp: leave
}

static void *worker(void *argument) {
  leave((long)argument + 1); // bp: worker
  return NULL;
}

int main(void) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, NULL, worker, (void *)6L);
  pthread_join(thread, &result);
  printf("%ld\n", (long)result); // bp: joined
  return 0;
}

// Eight threads under one mutex and one condition variable, then join: the count is exact.
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int next, total;

static void *work(void *argument) {
  long me = (long)argument;
  for (int round = 0; round < 50; round++) {
    pthread_mutex_lock(&lock);
    while (next % 8 != me) pthread_cond_wait(&turn, &lock);
    next++;
    total += (int)me;
    pthread_cond_broadcast(&turn);
    pthread_mutex_unlock(&lock);
  }
  return (void *)(me * 10);
}

int main(void) {
  pthread_t threads[8];
  for (long i = 0; i < 8; i++)
    if (pthread_create(&threads[i], 0, work, (void *)i)) return 1;
  long sum = 0;
  for (int i = 0; i < 8; i++) {
    void *result;
    pthread_join(threads[i], &result);
    sum += (long)result;
  }
  printf("next %d total %d sum %ld\n", next, total, sum);
  return 0;
}

// Sleeping lets time pass; an earlier deadline of another thread comes first.
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long elapsed(const struct timespec *since) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}
static void *nap(void *argument) {
  usleep(20000);
  printf("nap over\n");
  return argument;
}

int main(void) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  pthread_t thread;
  pthread_create(&thread, 0, nap, 0);
  usleep(50000);
  printf("slept\n");
  pthread_join(thread, 0);
  long ms = elapsed(&start);
  printf("%s\n", ms >= 50 && ms < 2000 ? "in time" : "not in time");
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += 1;
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t never = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&lock);
  printf("timedwait %d\n", pthread_cond_timedwait(&never, &lock, &deadline));
  return 0;
}

/* pthreads and futexes under load: every libc primitive, sums that only come out when nothing is lost. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 12, ROUNDS = 400 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t full = PTHREAD_COND_INITIALIZER, empty = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t sem;
static long counter, spun, shared, ring[8], head, tail, produced, consumed, keys;
static _Thread_local long local;
static atomic_int word, atomics, onces, serials;

static void begin(void) { atomics++, onces++; }
static void gone(void *value) { __atomic_add_fetch(&keys, (long)value, __ATOMIC_RELAXED); }

static void *mixed(void *arg) {
  long me = (long)arg;
  pthread_once(&once, begin);
  pthread_setspecific(key, (void *)(me + 1));
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&mutex), counter++, pthread_mutex_unlock(&mutex);
    pthread_spin_lock(&spin), spun++, pthread_spin_unlock(&spin);
    if (i % 8 == 0) pthread_rwlock_wrlock(&rw), shared++, pthread_rwlock_unlock(&rw);
    else pthread_rwlock_rdlock(&rw), local += shared >= 0, pthread_rwlock_unlock(&rw);
    sem_wait(&sem), atomics++, sem_post(&sem);
    if (i % 100 == 0 && pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) serials++;
    if (i % 50 == 0) sched_yield();
  }
  return (void *)local;
}

static void *produce(void *arg) {
  for (long i = 1; i <= 1000; i++) {
    pthread_mutex_lock(&mutex);
    while (head - tail == 8) pthread_cond_wait(&empty, &mutex);
    ring[head++ % 8] = i, produced += i;
    pthread_cond_signal(&full), pthread_mutex_unlock(&mutex);
  }
  return arg;
}
static void *consume(void *arg) {
  for (int i = 0; i < 1000; i++) {
    pthread_mutex_lock(&mutex);
    while (head == tail) pthread_cond_wait(&full, &mutex);
    consumed += ring[tail++ % 8];
    pthread_cond_signal(&empty), pthread_mutex_unlock(&mutex);
  }
  return arg;
}

static long futex(void *at, int op, int value, const struct timespec *limit, void *second, int third) {
  long result = syscall(SYS_futex, at, op, value, limit, second, third);
  return result < 0 ? -errno : result;
}
static void *sleeper(void *at) {
  while (atomic_load(&word) == 0) futex(at, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
  return 0;
}

static void *canceled(void *arg) {
  pthread_cleanup_push(gone, (void *)1000L);
  for (;;) pause();
  pthread_cleanup_pop(0);
  return arg;
}

static void processes(void) {
  struct { pthread_mutex_t mutex; pthread_cond_t cond; sem_t sem; int turn, count; } *s =
      mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t ma; pthread_condattr_t ca;
  pthread_mutexattr_init(&ma), pthread_mutexattr_setpshared(&ma, 1);
  pthread_condattr_init(&ca), pthread_condattr_setpshared(&ca, 1);
  pthread_mutex_init(&s->mutex, &ma), pthread_cond_init(&s->cond, &ca), sem_init(&s->sem, 1, 0);
  for (int p = 0; p < 3; p++)
    if (fork() == 0) {
      for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&s->mutex);
        while (s->turn != p) pthread_cond_wait(&s->cond, &s->mutex);
        s->turn = (p + 1) % 3, s->count++;
        pthread_cond_broadcast(&s->cond), pthread_mutex_unlock(&s->mutex);
      }
      sem_post(&s->sem), _exit(0);
    }
  for (int p = 0; p < 3; p++) sem_wait(&s->sem), wait(0);
  printf("three processes took turns %d times\n", s->count);
}

int main(void) {
  pthread_t threads[THREADS];
  void *result;
  long sum = 0;
  setbuf(stdout, 0);
  pthread_spin_init(&spin, 0), pthread_barrier_init(&barrier, 0, THREADS), sem_init(&sem, 0, 3), pthread_key_create(&key, gone);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, mixed, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], &result), sum += (long)result;
  printf("mutex %ld spin %ld rwlock %ld semaphore %d barrier %d once %d local %ld keys %ld\n", counter, spun, shared, atomics - 1,
         serials, onces, sum, keys);
  for (long i = 0; i < 8; i++) pthread_create(&threads[i], 0, i % 2 ? produce : consume, 0);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], 0);
  printf("produced %ld consumed %ld\n", produced, consumed);
  for (long i = 0; i < 5; i++) pthread_create(&threads[i], 0, sleeper, &word);
  usleep(50000);
  printf("requeued %d\n", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)4, &spun, 0) >= 0);
  word = 1;
  futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0), futex(&spun, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
  for (int i = 0; i < 5; i++) pthread_join(threads[i], 0);
  struct timespec soon = {0, 20000000};
  printf("timeout %ld again %ld fault %ld\n", futex(&word, FUTEX_WAIT_PRIVATE, 1, &soon, 0, 0), futex(&word, FUTEX_WAIT, 0, 0, 0, 0),
         futex((void *)8, FUTEX_WAIT, 0, 0, 0, 0));
  keys = 0;
  pthread_create(threads, 0, canceled, 0), usleep(20000), pthread_cancel(threads[0]), pthread_join(threads[0], &result);
  printf("canceled %d cleanup %ld\n", result == PTHREAD_CANCELED, keys);
  clock_gettime(CLOCK_REALTIME, &soon), soon.tv_nsec = soon.tv_nsec / 2, soon.tv_sec++;
  pthread_mutex_lock(&mutex);
  printf("timed out %d %d\n", pthread_cond_timedwait(&full, &mutex, &soon), pthread_mutex_trylock(&mutex) == EBUSY);
  processes();
  for (int round = 0; round < 20; round++) {
    for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, gone == 0 ? 0 : (void *(*)(void *))sleeper, &word);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  }
  puts("240 more threads came and went");
  return 11;
}

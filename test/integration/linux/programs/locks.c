// pthread mutexes of every kind, robust ones left by their owner, condition variables, barriers, rwlocks, semaphores, and futex operations.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 60

static long futex(void *word, int op, long value, void *timeout, void *second, long third) {
  return syscall(SYS_futex, word, op, value, timeout, second, third);
}
static struct timespec in(int clock, long ms) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += ms * 1000000;
  if (time.tv_nsec >= 1000000000) time.tv_sec++, time.tv_nsec -= 1000000000;
  return time;
}

static pthread_mutex_t mutex;
static int counter;
static void *count(void *arg) {
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&mutex);
    int seen = counter;
    if (i % 8 == 0) sched_yield();
    counter = seen + 1;
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}
static volatile int held;
static void *leave_locked(void *arg) {
  pthread_mutex_lock(arg);
  held = 1;
  usleep(2000);
  return NULL;
}
static void *try_lock(void *arg) { return (void *)(long)pthread_mutex_trylock(arg); }

static void kinds(void) {
  const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++)
    for (int type = 0; type < 3; type++)
      for (int robust = 0; robust < 2; robust++)
        for (int shared = 0; shared < 2; shared++) {
          pthread_mutexattr_t attributes;
          pthread_mutexattr_init(&attributes);
          pthread_mutexattr_settype(&attributes, types[type]);
          pthread_mutexattr_setprotocol(&attributes, protocol);
          pthread_mutexattr_setrobust(&attributes, robust);
          pthread_mutexattr_setpshared(&attributes, shared);
          pthread_mutex_init(&mutex, &attributes);
          pthread_t threads[THREADS];
          counter = 0;
          for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, count, NULL);
          for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
          printf("protocol %d type %d robust %d shared %d: %d", protocol, type, robust, shared, counter);
          struct timespec soon = in(CLOCK_REALTIME, 2);
          pthread_mutex_lock(&mutex);
          void *busy;
          pthread_create(&threads[0], NULL, try_lock, &mutex);
          pthread_join(threads[0], &busy);
          printf(" busy %ld", (long)busy);
          if (type > 0) printf(" again %d", pthread_mutex_lock(&mutex));
          else printf(" again %d", pthread_mutex_timedlock(&mutex, &soon));
          pthread_mutex_unlock(&mutex);
          if (type == 1) pthread_mutex_unlock(&mutex);
          if (robust) {
            held = 0;
            pthread_create(&threads[0], NULL, leave_locked, &mutex);
            while (!held) usleep(200);
            int died = pthread_mutex_lock(&mutex);
            pthread_join(threads[0], NULL);
            printf(" died %d", died);
            if (died == EOWNERDEAD) printf(" repaired %d", pthread_mutex_consistent(&mutex));
            printf(" unlock %d", pthread_mutex_unlock(&mutex));
            pthread_create(&threads[0], NULL, leave_locked, &mutex);
            pthread_join(threads[0], NULL);
            printf(" died %d", pthread_mutex_lock(&mutex));
            pthread_mutex_unlock(&mutex);
            printf(" lost %d", pthread_mutex_lock(&mutex));
          }
          printf("\n");
        }
}

static pthread_cond_t condition;
static int turn;
static void *take_turns(void *arg) {
  long me = (long)arg;
  for (int i = 0; i < 20; i++) {
    pthread_mutex_lock(&mutex);
    while (turn % THREADS != me) pthread_cond_wait(&condition, &mutex);
    turn++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}
static pthread_barrier_t barrier;
static int serial, order[THREADS];
static void *meet(void *arg) {
  for (int i = 0; i < 10; i++)
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static pthread_rwlock_t rwlock;
static int value, torn;
static void *read_write(void *arg) {
  for (int i = 0; i < ROUNDS; i++)
    if (i % 4 == 0) {
      pthread_rwlock_wrlock(&rwlock);
      value++;
      sched_yield();
      value++;
      pthread_rwlock_unlock(&rwlock);
    } else {
      pthread_rwlock_rdlock(&rwlock);
      if (value % 2) torn++;
      pthread_rwlock_unlock(&rwlock);
    }
  return NULL;
}
static sem_t items, room;
static int queue[4], in_at, out_at, sum;
static void *produce(void *arg) {
  for (int i = 1; i <= 100; i++) {
    sem_wait(&room);
    queue[in_at++ % 4] = i;
    sem_post(&items);
  }
  return NULL;
}
static void *consume(void *arg) {
  for (int i = 0; i < 100; i++) {
    sem_wait(&items);
    sum += queue[out_at++ % 4];
    sem_post(&room);
  }
  return NULL;
}

static void together(void *(*body)(void *)) {
  pthread_t threads[THREADS];
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void others(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++) {
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(&mutex, &attributes);
    pthread_condattr_t clocked;
    pthread_condattr_init(&clocked);
    pthread_condattr_setclock(&clocked, CLOCK_MONOTONIC);
    pthread_cond_init(&condition, &clocked);
    turn = 0;
    together(take_turns);
    struct timespec soon = in(CLOCK_MONOTONIC, 2);
    pthread_mutex_lock(&mutex);
    printf("turns %d timed %d\n", turn, pthread_cond_timedwait(&condition, &mutex, &soon));
    pthread_mutex_unlock(&mutex);
  }
  pthread_barrier_init(&barrier, NULL, THREADS);
  together(meet);
  printf("serial %d\n", serial);
  pthread_rwlock_init(&rwlock, NULL);
  together(read_write);
  printf("value %d torn %d\n", value, torn);
  sem_init(&items, 0, 0), sem_init(&room, 0, 4);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, consume, NULL), pthread_create(&threads[1], NULL, produce, NULL);
  pthread_join(threads[0], NULL), pthread_join(threads[1], NULL);
  struct timespec soon = in(CLOCK_REALTIME, 2);
  printf("sum %d", sum);
  printf(" empty %d", sem_timedwait(&items, &soon));
  printf(" %d\n", errno);
}

static int words[4];
static volatile int woken[4], ready;
static void *sleeper(void *arg) {
  long me = (long)arg;
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  futex(&words[0], FUTEX_WAIT_BITSET, 0, NULL, NULL, 1 << me);
  woken[me] = 1;
  __atomic_sub_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static int lock_word, cond_word;
static volatile int locked_by;
static void *requeued(void *arg) {
  __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
  long result = futex(&cond_word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock_word, 0);
  int mine = (__atomic_load_n(&lock_word, __ATOMIC_SEQ_CST) & FUTEX_TID_MASK) == syscall(SYS_gettid);
  locked_by += result == 0 && mine;
  if (!__sync_bool_compare_and_swap(&lock_word, syscall(SYS_gettid), 0)) futex(&lock_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
  return NULL;
}
static void raw(void) {
  pthread_t threads[4];
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, sleeper, (void *)i);
  while (ready < 4) usleep(100);
  usleep(3000);
  printf("bit 2: %ld", futex(&words[0], FUTEX_WAKE_BITSET, 9, NULL, NULL, 4));
  while (ready > 3) usleep(100);
  printf(" %d%d%d%d\n", woken[0], woken[1], woken[2], woken[3]);
  printf("requeue %ld", futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)2, &words[1], 0));
  while (ready > 2) usleep(100);
  printf(" wrong value %ld", futex(&words[0], FUTEX_CMP_REQUEUE, 1, (void *)1, &words[1], 5));
  printf(" %d", errno);
  printf(" left %ld", futex(&words[0], FUTEX_WAKE, 9, NULL, NULL, 0));
  int code = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0);
  printf(" op %ld", futex(&words[2], FUTEX_WAKE_OP, 1, (void *)9, &words[1], code));
  printf(" word %d\n", words[1]);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  struct timespec soon = {0, 1000000}, past = {1, 0};
  printf("timeout %ld", futex(&words[3], FUTEX_WAIT, 0, &soon, NULL, 0));
  printf(" %d", errno);
  printf(" past %ld", futex(&words[3], FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0L));
  printf(" %d", errno);
  printf(" other %ld", futex(&words[3], FUTEX_WAIT, 7, NULL, NULL, 0));
  printf(" %d\n", errno);
  lock_word = syscall(SYS_gettid);
  printf("self %ld", futex(&lock_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
  printf(" %d", errno);
  printf(" unlock %ld", futex(&lock_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  printf(" word %d", lock_word);
  printf(" not mine %ld", futex(&lock_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
  printf(" %d\n", errno);
  futex(&lock_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
  printf("locked %d\n", lock_word == syscall(SYS_gettid));
  ready = 0;
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, requeued, NULL);
  while (ready < 3) usleep(100);
  usleep(3000);
  printf("moved %ld", futex(&cond_word, FUTEX_CMP_REQUEUE_PI, 1, (void *)9, &lock_word, 0));
  printf(" waiters %d\n", (lock_word & FUTEX_WAITERS) != 0);
  futex(&lock_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  printf("had it %d, now %d\n", locked_by, lock_word);
}

static volatile int interrupted;
static void handler(int number) { interrupted++; }
static pthread_t victim;
static void *interrupt(void *arg) {
  usleep(2000);
  pthread_kill(victim, SIGUSR1);
  usleep(2000);
  pthread_mutex_unlock(arg);
  return NULL;
}
static void *hold(void *arg) {
  pthread_mutex_lock(arg);
  __atomic_store_n(&ready, 100, __ATOMIC_SEQ_CST);
  interrupt(arg);
  return NULL;
}
static void signals(void) {
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  victim = pthread_self();
  for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setprotocol(&attributes, protocol);
    pthread_mutex_init(&mutex, &attributes);
    pthread_t thread;
    ready = 0;
    pthread_create(&thread, NULL, hold, &mutex);
    while (ready != 100) usleep(100);
    printf("lock %d", pthread_mutex_lock(&mutex));
    printf(" interrupted %d\n", interrupted);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  kinds(), others(), raw(), signals();
  return 0;
}

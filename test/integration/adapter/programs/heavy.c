/* What weighs on a debugger: one scenario for each name that main is given. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct item {
  int number;
  char name[24];
};
struct huge {
  struct item items[1000];
  double matrix[64][64];
  struct huge *self;
  int many[20000];
};

static int big[100000];
static struct huge huge;

static void array(void) {
  for (int i = 0; i < 100000; i++) big[i] = i * 3;
  for (int i = 0; i < 1000; i++) {
    huge.items[i].number = i;
    snprintf(huge.items[i].name, sizeof huge.items[i].name, "item %d", i);
  }
  huge.self = &huge;
  printf("%d\n", big[99999]); // bp: array
}

static long __attribute__((noinline)) deep(int n, long sum) {
  volatile char room[16];
  room[0] = (char)n;
  if (n == 0)
    return sum + room[0]; // bp: recursion
  return deep(n - 1, sum + n) + room[0]; // the call
}

static void *run_deep(void *unused) {
  (void)unused;
  return (void *)deep(100000, 0);
}

static void recursion(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 20);
  pthread_create(&thread, &attributes, run_deep, NULL);
  pthread_join(thread, NULL);
}

static pthread_barrier_t barrier;

static void *wait(void *argument) {
  pthread_barrier_wait(&barrier);
  return argument;
}

static void threads(void) {
  pthread_t all[200];
  pthread_barrier_init(&barrier, NULL, 201);
  for (long i = 0; i < 200; i++) pthread_create(&all[i], NULL, wait, (void *)i);
  sleep(1);
  puts("all wait"); // bp: threads
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 200; i++) pthread_join(all[i], NULL);
}

static void flood(void) {
  for (int i = 0; i < 300000; i++) printf("line %d of very many\n", i);
}

static void line(void) {
  for (int i = 0; i < 200000; i++) printf("%09d ", i);
  putchar('\n');
}

static void control(void) {
  printf("\033[31mred\033[0m \033[2Jcleared \033]0;title\007 bell\007 back\b nul%c end\r\n", 0);
  fwrite("\xff\xfe bad utf-8 \xc3\x28\n", 1, 16, stdout);
  printf("\xe2\x80\xaeoverride\n");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (!strcmp(what, "array")) array();
  if (!strcmp(what, "recursion")) recursion();
  if (!strcmp(what, "threads")) threads();
  if (!strcmp(what, "flood")) flood();
  if (!strcmp(what, "line")) line();
  if (!strcmp(what, "control")) control();
  return 0; // bp: end
}

/*
 * Reads lines "OPERATION KIND STATE" from the file plan. For each it brings an enclave of the kind into the state, or into the one from which the test
 * sets it, does the operation with the ecall at `operate_here`, and says what came of it:
 *   #ready OPERATION KIND STATE eid
 *   #done result of the system call
 */
#include "penglai-enclave.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

/* In an order that the test knows, too: RUN_ENCLAVE ... */
static const char *const OPERATIONS[] = {"CREATE", "RUN", "ATTEST", "STOP", "RESUME", "DESTROY", "RERUN"};
static const unsigned long REQUESTS[] = {0x8070A400, 0x8070A401, 0x8158A402, 0x8070A403, 0x8070A404, 0x4070A405, 0x8070A401};
enum { CREATE, RUN, ATTEST, STOP, RESUME, DESTROY, RERUN };
enum { EXIT, LOOP, CALL_WORKER, CALL_SUBJECT, RETURN_RELAY };
enum { SUBJECT, WORKER, CALLER, MEMORIES };

typedef struct penglai_enclave_user_param param_t;

long operate(int device, unsigned long request, void *argument);
__asm__(".text\n.globl operate\noperate:\n  li a7, 29\n.globl operate_here\noperate_here:\n  ecall\n  ret\n");

static int device;
static struct elf_args image;
static int ids[MEMORIES];
static volatile int *memory[MEMORIES];

static pthread_t runner;
static int has_runner;
static param_t running;
static param_t made[8];
static int count;

static void *run(void *argument) {
  ioctl(device, REQUESTS[RUN], argument);
  return NULL;
}

static param_t *create(const char *name, int type, int which, int mode) {
  param_t *p = &made[count++];
  memset(p, 0, sizeof *p);
  strncpy(p->name, name, NAME_LEN);
  p->type = type;
  p->elf_ptr = (unsigned long)image.ptr;
  p->elf_size = image.size;
  p->stack_size = 65536;
  p->shmid = ids[which];
  p->shm_size = 4096;
  memory[which][0] = mode;
  memory[which][1] = 0;
  if (ioctl(device, REQUESTS[CREATE], p) < 0) dprintf(1, "#broken create %s %d\n", name, errno);
  return p;
}

/* Runs it in a thread of its own until the enclave `which` has begun. */
static void start(param_t *p, int which) {
  running = *p;
  has_runner = 1;
  pthread_create(&runner, NULL, run, &running);
  while (!memory[which][1]) usleep(100);
}

static void control(int what, unsigned long eid) {
  param_t p = {0};
  p.eid = eid;
  ioctl(device, REQUESTS[what], &p);
}

/* The subject's eid. */
static unsigned long prepare(const char *kind, const char *state, int operation) {
#define IS(name) (strcmp(state, name) == 0)
  int calls = IS("CALLING"), returned = IS("RETURNED");
  int works = IS("RUNNABLE") || IS("RUNNING") || IS("STOPPED") || IS("OCALLING") || calls;
  int mode = calls ? CALL_WORKER : returned ? RETURN_RELAY : works ? LOOP : EXIT;
  if (IS("GONE")) return 0x1000;
  if (strcmp(kind, "SERVER") == 0) {
    int serves = IS("SERVING") || IS("RUNNING") || IS("OCALLING") || IS("STOPPED") || calls || returned;
    unsigned long eid = create("subject", SERVER_ENCLAVE, SUBJECT, calls ? CALL_WORKER : LOOP)->eid;
    if (calls) create("worker", SERVER_ENCLAVE, WORKER, LOOP);
    if (!serves) return eid;
    start(create("caller", NORMAL_ENCLAVE, CALLER, CALL_SUBJECT), calls ? WORKER : SUBJECT);
    if (IS("STOPPED")) control(STOP, made[count - 1].eid);
    return eid;
  }
  if (calls) create("worker", SERVER_ENCLAVE, WORKER, LOOP);
  if (strcmp(kind, "NORMAL") == 0) {
    param_t *p = create("subject", NORMAL_ENCLAVE, SUBJECT, mode);
    if (returned) ioctl(device, REQUESTS[RUN], p);
    if (works) start(p, calls ? WORKER : SUBJECT);
    if (IS("STOPPED")) control(STOP, p->eid);
    return p->eid;
  }
  param_t *shadow = create("subject", SHADOW_ENCLAVE, SUBJECT, mode);
  unsigned long eid = shadow->eid;
  if (strcmp(kind, "SHADOW") == 0) {
    if (!IS("FORKED")) return eid;
    memory[SUBJECT][0] = LOOP;
    start(shadow, SUBJECT);
    made[count].eid = eid + 1;
    count++;
    return eid;
  }
  /* An instance gets the next number, the smallest that is free. */
  if (returned) {
    param_t instance = *shadow;
    ioctl(device, REQUESTS[RUN], &instance);
  } else {
    memory[SUBJECT][0] = calls ? CALL_WORKER : LOOP;
    start(shadow, calls ? WORKER : SUBJECT);
  }
  made[count].eid = eid + 1;
  count++;
  if (IS("STOPPED")) control(STOP, eid + 1);
  return eid + 1;
}

static void clean(unsigned long created) {
  if (created) control(DESTROY, created);
  /* Those that run first: they were made last. */
  for (int i = count - 1; i >= 0; i--) control(DESTROY, made[i].eid);
  if (has_runner) pthread_join(runner, NULL);
  for (int i = 0; i < count; i++) control(DESTROY, made[i].eid);
  memset(made, 0, sizeof made);
  has_runner = count = 0;
}

static unsigned long perform(int operation, const char *kind, const char *state, unsigned long eid) {
  static union {
    param_t param;
    struct penglai_enclave_attest_param attest;
  } argument;
  int instance = strcmp(kind, "INSTANCE") == 0;
  memset(&argument, 0, sizeof argument);
  if (operation == ATTEST) {
    argument.attest.eid = eid;
    argument.attest.isShadow = instance && IS("GONE");
  } else {
    param_t *p = &argument.param;
    strcpy(p->name, operation == CREATE ? "subject" : "other");
    p->type = strcmp(kind, "SERVER") == 0 ? SERVER_ENCLAVE : strcmp(kind, "SHADOW") == 0 ? SHADOW_ENCLAVE : NORMAL_ENCLAVE;
    p->elf_ptr = (unsigned long)image.ptr;
    p->elf_size = image.size;
    p->stack_size = 65536;
    p->shmid = ids[CALLER];
    p->shm_size = 4096;
    p->eid = eid;
    p->isShadow = instance && IS("GONE");
    p->rerun_reason = operation == RERUN;
    if (operation == RUN && strcmp(kind, "SHADOW") == 0) memory[CALLER][0] = EXIT;
  }
  dprintf(1, "#ready %s %s %s %lu\n", OPERATIONS[operation], kind, state, eid);
  long result = operate(device, REQUESTS[operation], &argument);
  dprintf(1, "#done %ld\n", result);
  return operation == CREATE && result == 0 ? argument.param.eid : 0;
}

int main() {
  char operation[16], kind[16], state[16];
  FILE *plan = fopen("plan", "r");
  device = open("/dev/penglai_enclave_dev", O_RDWR);
  elf_args_init(&image, "subject");
  /* All of it is there before CREATE reads it. */
  volatile char sum = 0;
  for (unsigned long i = 0; i < image.size; i += 4096) sum += ((char *)image.ptr)[i];
  for (int i = 0; i < MEMORIES; i++) {
    ids[i] = PLenclave_shmget(4096);
    memory[i] = PLenclave_shmat(ids[i], 0);
  }
  while (fscanf(plan, "%15s %15s %15s", operation, kind, state) == 3) {
    int what = 0;
    while (strcmp(OPERATIONS[what], operation) != 0) what++;
    unsigned long eid = prepare(kind, state, what), created = 0;
    if (IS("FOREIGN")) {
      pid_t child = fork();
      if (child == 0) {
        created = perform(what, kind, state, eid);
        if (created) control(DESTROY, created);
        _exit(0);
      }
      waitpid(child, NULL, 0);
    } else
      created = perform(what, kind, state, eid);
    clean(created);
  }
  return 0;
}

/*
 * host forks ELF N    creates a template (several times) and forks N instances, one after the other; each ends before the next one is forked.
 * host crowd ELF N    forks N instances that stay, each inside RUN by a thread of its own, stopped when it has printed.
 * host cycles ELF N   creates, runs and loses N enclaves, one after the other.
 * All threads use one open file: what is measured is enclaves, not descriptors.
 */
#include "penglai-enclave.h"

#define STACK (16 * 1024)
/* The best of so many is what creating costs. */
#define CREATES 4

static struct elf_args elf;
static struct PLenclave template;

static void fail(const char *what, long at) {
  printf("[ERROR] %s %ld\n", what, at);
  exit(EXIT_FAILURE);
}

static void create(struct PLenclave *enclave, enclave_type_t type) {
  struct enclave_args params;
  enclave_args_init(&params);
  strcpy(params.name, "scale");
  params.type = type;
  if (PLenclave_create(enclave, &elf, &params) < 0)
    fail("create", 0);
}

/* RUN of the template: an instance of this number. */
static int fork_instance(long number, struct penglai_enclave_user_param *param) {
  memset(param, 0, sizeof(*param));
  param->eid = template.eid;
  param->type = SHADOW_ENCLAVE;
  snprintf(param->name, NAME_LEN, "instance%ld", number);
  return ioctl(template.fd, PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, param);
}

static void forks(long count) {
  for (int i = 0; i < CREATES; i++) {
    if (i > 0 && ioctl(template.fd, PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE, &template.user_param) != 0)
      fail("destroy", i);
    create(&template, SHADOW_ENCLAVE);
  }
  for (long i = 0; i < count; i++) {
    struct penglai_enclave_user_param param;
    if (fork_instance(i, &param) != 0 || param.retval != 0)
      fail("fork", i);
  }
}

static void *member(void *number) {
  struct penglai_enclave_user_param param;
  // Comes back when the machine is ended around it, if ever.
  fork_instance((long)number, &param);
  return NULL;
}

static void crowd(long count) {
  pthread_attr_t attributes;
  create(&template, SHADOW_ENCLAVE);
  pthread_attr_init(&attributes);
  if (pthread_attr_setstacksize(&attributes, STACK) != 0)
    fail("stack size", STACK);
  for (long i = 0; i < count; i++) {
    pthread_t thread;
    struct penglai_enclave_user_param param = {0};
    if (pthread_create(&thread, &attributes, member, (void *)i) != 0)
      fail("thread", i);
    // Ids are given out smallest first. Until its thread has had a turn the instance does not exist.
    param.eid = template.eid + 1 + i;
    int tries = 0;
    do
      sched_yield();
    while (ioctl(template.fd, PENGLAI_ENCLAVE_IOC_STOP_ENCLAVE, &param) != 0 && ++tries < 1000);
    if (tries == 1000)
      fail("stop", i);
  }
  printf("%ld instances\n", count);
  fflush(stdout);
  // The bench looks at them here.
  pause();
}

static void cycles(long count) {
  for (long i = 0; i < count; i++) {
    create(&template, NORMAL_ENCLAVE);
    if (PLenclave_run(&template) != 0 || template.user_param.retval != 0)
      fail("run", i);
  }
}

int main(int argc, char **argv) {
  if (argc != 4)
    fail("arguments", argc);
  elf_args_init(&elf, argv[2]);
  if (!elf_valid(&elf) || PLenclave_init(&template) < 0)
    fail("setup", 0);
  const char *what = argv[1];
  (strcmp(what, "crowd") == 0 ? crowd : strcmp(what, "cycles") == 0 ? cycles : forks)(atol(argv[3]));
  return EXIT_SUCCESS;
}

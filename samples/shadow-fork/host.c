/*
 * host ENCLAVE-FILE [INSTANCES]: creates one shadow enclave and forks instances from it, each in a thread of its own.
 *
 * Instance i (from 1) finds 1000 + i in its relay page. It returns that value, and twice the value in the page.
 */
#include "penglai-enclave.h"

#define PAGE 4096
#define MAX_INSTANCES 64

struct instance {
  pthread_t thread;
  int number;
  const struct PLenclave *shadow;
  int value;  // given to the instance
  int result; // of PLenclave_run()
  int answer; // left by the instance in the relay page
  unsigned long retval;
};

static void *fork_instance(void *argument) {
  struct instance *instance = argument;
  struct PLenclave enclave;

  instance->result = -1;
  int relay_id = PLenclave_schrodinger_get(PAGE);
  int *relay_page = PLenclave_schrodinger_at(relay_id, 0);
  if (relay_page == MAP_FAILED)
    return NULL;
  relay_page[0] = instance->value;

  if (PLenclave_init(&enclave) == 0) {
    // To run a shadow's id is to fork: the driver answers with the new instance's id in user_param.eid.
    enclave.eid = instance->shadow->eid;
    enclave.user_param.eid = instance->shadow->eid;
    enclave.user_param.type = SHADOW_ENCLAVE;
    snprintf(enclave.user_param.name, NAME_LEN, "test-enclave%d", instance->number);
    PLenclave_set_mem_arg(&enclave, relay_id, 0, PAGE);

    instance->result = PLenclave_run(&enclave); // bp: fork
    if (instance->result == RETURN_USER_EXIT_ENCL) {
      instance->retval = enclave.user_param.retval;
      instance->answer = relay_page[1]; // the page is the host's again
    }
    PLenclave_destruct(&enclave);
  }

  PLenclave_schrodinger_dt(relay_id, relay_page);
  PLenclave_schrodinger_ctl(relay_id);
  return NULL; // bp: instance-end
}

/* Forks all instances, waits for them, reports in the order of their numbers. Returns the number of failures. */
static int fork_all(const struct PLenclave *shadow, int count) {
  struct instance instances[MAX_INSTANCES] = {0};
  int failures = 0;

  for (int i = 0; i < count; i++) {
    instances[i].number = i + 1;
    instances[i].shadow = shadow;
    instances[i].value = 1000 + i + 1;
    if (pthread_create(&instances[i].thread, NULL, fork_instance, &instances[i]) != 0) {
      printf("host:%d: failed to start the thread\n", i + 1);
      exit(EXIT_FAILURE);
    }
  }
  for (int i = 0; i < count; i++)
    pthread_join(instances[i].thread, NULL);

  for (int i = 0; i < count; i++) { // bp: joined
    const struct instance *done = &instances[i];
    if (done->result == 0 && done->answer == 2 * done->value && done->retval == (unsigned long)done->value) {
      printf("host:%d: gave %d, got %d\n", done->number, done->value, done->answer);
    } else {
      printf("[ERROR] host:%d: result %d, gave %d, got %d\n", done->number, done->result, done->value, done->answer);
      failures++;
    }
  }
  return failures;
}

int main(int argc, char **argv) {
  struct elf_args elf;
  struct enclave_args params;
  struct PLenclave shadow;
  int count = argc > 2 ? atoi(argv[2]) : 1;

  if (argc < 2) {
    printf("Please input the enclave ELF file name\n");
    return EXIT_FAILURE;
  }
  if (count < 1 || count > MAX_INSTANCES) {
    printf("error number\n");
    return -1;
  }
  elf_args_init(&elf, argv[1]);
  if (!elf_valid(&elf)) {
    printf("error when initializing enclaveFile\n");
    return EXIT_FAILURE;
  }

  enclave_args_init(&params);
  strcpy(params.name, "test-shadow");
  params.type = SHADOW_ENCLAVE;
  if (PLenclave_init(&shadow) < 0 || PLenclave_create(&shadow, &elf, &params) < 0) {
    printf("host: failed to create shadow_enclave\n");
    return EXIT_FAILURE;
  }

  int failures = fork_all(&shadow, count); // bp: main
  printf("host: after exit the thread\n");

  // Destroy before destruct: destroying needs the device that destruct closes.
  if (PLenclave_destroy(&shadow) < 0)
    failures++;
  PLenclave_destruct(&shadow);
  elf_args_destroy(&elf);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * host ENCLAVE-FILE [THREADS]: every thread creates an enclave from the file and runs it.
 *
 * Each enclave gets a shm page whose first int is 11111 and a relay page whose first int is 22222. The host's own lines come
 * after the threads were joined, so that their order does not depend on scheduling.
 */
#include "penglai-enclave.h"

#define PAGE 4096
#define MAX_THREADS 64

struct job {
  pthread_t thread;
  int number;
  struct elf_args *elf;
  int result; // of the last PLenclave_run(); -1 if the enclave was not created
};

/* Runs an enclave to its end, however often it hands the relay page back in between. */
static int run_to_end(struct PLenclave *enclave, int *relay_page) {
  int result = PLenclave_run(enclave); // bp: run
  while (result == RETURN_USER_RELAY_PAGE) {
    relay_page[0] = 0;
    PLenclave_set_rerun_arg(enclave, RETURN_USER_RELAY_PAGE);
    result = PLenclave_run(enclave);
  }
  return result;
}

static void *create_and_run(void *argument) {
  struct job *job = argument;
  struct PLenclave enclave;
  struct enclave_args params;

  job->result = -1;
  int shm_id = PLenclave_shmget(PAGE);
  int relay_id = PLenclave_schrodinger_get(PAGE);
  int *shm = PLenclave_shmat(shm_id, 0);
  int *relay_page = PLenclave_schrodinger_at(relay_id, 0);
  if (shm == MAP_FAILED || relay_page == MAP_FAILED)
    return NULL;
  shm[0] = 11111;
  relay_page[0] = 22222;

  enclave_args_init(&params);
  snprintf(params.name, NAME_LEN, "test-enclave%d", job->number);
  params.shmid = shm_id;
  params.shm_size = PAGE;

  if (PLenclave_init(&enclave) < 0 || PLenclave_create(&enclave, job->elf, &params) < 0) {
    printf("host:%d: failed to create enclave\n", job->number);
  } else {
    PLenclave_attest(&enclave, 0);
    PLenclave_set_mem_arg(&enclave, relay_id, 0, PAGE);
    job->result = run_to_end(&enclave, relay_page);
  }
  if (enclave.fd >= 0)
    PLenclave_destruct(&enclave);

  PLenclave_shmdt(shm_id, shm);
  PLenclave_shmctl(shm_id);
  PLenclave_schrodinger_dt(relay_id, relay_page);
  PLenclave_schrodinger_ctl(relay_id);
  return NULL; // bp: thread-end
}

/* Returns how many enclaves did not end as they should. */
static int run_all(struct elf_args *elf, int count) {
  struct job jobs[MAX_THREADS];
  int failures = 0;

  for (int i = 0; i < count; i++) {
    jobs[i].number = i;
    jobs[i].elf = elf;
    if (pthread_create(&jobs[i].thread, NULL, create_and_run, &jobs[i]) != 0) {
      printf("host:%d: failed to start the thread\n", i);
      exit(EXIT_FAILURE);
    }
  }
  for (int i = 0; i < count; i++)
    pthread_join(jobs[i].thread, NULL);

  for (int i = 0; i < count; i++) {
    if (jobs[i].result == RETURN_USER_EXIT_ENCL) {
      printf("host: PLenclave run is finish \n");
    } else {
      printf("[ERROR] host: result %d val is wrong!\n", jobs[i].result);
      failures++;
    }
  }
  return failures;
}

int main(int argc, char **argv) {
  struct elf_args elf;
  int threads = argc > 2 ? atoi(argv[2]) : 1;

  if (argc < 2) {
    printf("Please input the enclave ELF file name\n");
    return EXIT_FAILURE;
  }
  if (threads < 1 || threads > MAX_THREADS) {
    printf("error number\n");
    return -1;
  }
  elf_args_init(&elf, argv[1]);
  if (!elf_valid(&elf)) {
    printf("error when initializing enclaveFile\n");
    return EXIT_FAILURE;
  }

  int failures = run_all(&elf, threads); // bp: main
  printf("host: after exit the thread\n");
  elf_args_destroy(&elf);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

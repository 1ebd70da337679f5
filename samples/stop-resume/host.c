/*
 * host ENCLAVE-FILE            stops, resumes and destroys the enclave from here, a second between each
 * host ENCLAVE-FILE --wait     only runs it and waits: stop, resume and destroy come from outside
 * host ENCLAVE-FILE --input    reads lines from stdin: stop, resume, destroy; end of input destroys
 */
#include "penglai-enclave.h"

static struct PLenclave enclave;
static int run_result = -1;
static volatile int finished = 0;

/* Goes on while the enclave is stopped, so that one can see whose clock stands still. */
static volatile unsigned long host_beats = 0;

static void *run_enclave(void *unused) {
  (void)unused;
  PLenclave_attest(&enclave, 0);
  run_result = PLenclave_run(&enclave); // bp: run
  finished = 1;
  return NULL;
}

static int stop_resume_destroy(void) {
  sleep(1);
  printf("host0: stop enclave\n");
  int stopped = PLenclave_stop(&enclave); // bp: stop
  sleep(1);
  printf("host0: resume enclave\n");
  int resumed = PLenclave_resume(&enclave); // bp: resume
  sleep(1);
  printf("host0: destroy enclave\n");
  int destroyed = PLenclave_destroy(&enclave); // bp: destroy
  return stopped < 0 || resumed < 0 || destroyed < 0 ? -1 : 0;
}

static int wait_for_others(void) {
  while (!finished) {
    host_beats++; // bp: beat
    usleep(1000);
  }
  return 0;
}

static int obey_input(void) {
  char line[64];
  int failed = 0;
  while (!finished && fgets(line, sizeof(line), stdin)) {
    line[strcspn(line, "\r\n")] = 0;
    printf("host0: %s enclave\n", line); // bp: input
    if (strcmp(line, "stop") == 0)
      failed |= PLenclave_stop(&enclave);
    else if (strcmp(line, "resume") == 0)
      failed |= PLenclave_resume(&enclave);
    else if (strcmp(line, "destroy") == 0)
      return failed | PLenclave_destroy(&enclave);
    else
      printf("host0: only stop, resume and destroy are known\n");
  }
  return finished ? failed : failed | PLenclave_destroy(&enclave);
}

/* Runs the enclave in a second thread and does to it what the mode says. */
static int run_and_control(int (*control)(void)) {
  pthread_t runner;
  if (pthread_create(&runner, NULL, run_enclave, NULL) != 0) {
    printf("host: failed to start the thread\n");
    return -1;
  }
  int controlled = control();
  pthread_join(runner, NULL);

  if (run_result == RETURN_USER_EXIT_ENCL)
    printf("host: PLenclave run is finish \n");
  else
    printf("[ERROR] host: result %d val is wrong!\n", run_result);
  printf("host: after exit the thread\n");
  return run_result == RETURN_USER_EXIT_ENCL ? controlled : -1;
}

int main(int argc, char **argv) {
  struct elf_args elf;
  struct enclave_args params;
  int (*control)(void) = stop_resume_destroy;

  if (argc < 2) {
    printf("Please input the enclave ELF file name\n");
    return EXIT_FAILURE;
  }
  if (argc > 2 && strcmp(argv[2], "--wait") == 0) {
    control = wait_for_others;
  } else if (argc > 2 && strcmp(argv[2], "--input") == 0) {
    control = obey_input;
  } else if (argc > 2) {
    printf("Usage: host ENCLAVE-FILE [--wait | --input]\n");
    return EXIT_FAILURE;
  }
  setvbuf(stdout, NULL, _IOLBF, 0); // a line is to be seen when it is printed, also through a pipe

  elf_args_init(&elf, argv[1]);
  if (!elf_valid(&elf)) {
    printf("error when initializing enclaveFile\n");
    return EXIT_FAILURE;
  }
  enclave_args_init(&params);
  strcpy(params.name, "test-loop");
  if (PLenclave_init(&enclave) < 0 || PLenclave_create(&enclave, &elf, &params) < 0) {
    printf("host: failed to create enclave\n");
    return EXIT_FAILURE;
  }

  int result = run_and_control(control);
  PLenclave_destruct(&enclave);
  elf_args_destroy(&elf);
  return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

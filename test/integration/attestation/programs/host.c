/* host ENCLAVE LOOP: attests enclaves of every type and state, and prints what PLenclave_attest says. */
#include "penglai-enclave.h"

static struct elf_args enclave_elf, loop_elf;

static int create(struct PLenclave *enclave, struct elf_args *elf, const char *name, int type) {
  struct enclave_args args;
  enclave_args_init(&args);
  memset(args.name, 0, sizeof(args.name));
  strncpy(args.name, name, sizeof(args.name) - 1);
  args.type = type;
  PLenclave_init(enclave);
  return PLenclave_create(enclave, elf, &args);
}

static int attest(const char *what, struct PLenclave *enclave, unsigned long nonce) {
  memset(&enclave->attest_param, 0, sizeof(enclave->attest_param));
  int result = PLenclave_attest(enclave, nonce);
  printf("%s: %d", what, result);
  if (result == 0)
    printf(" nonce %lx", (unsigned long)enclave->attest_param.report.enclave.nonce);
  printf("\n");
  return result;
}

static void *run(void *enclave) {
  printf("loop: run %d\n", PLenclave_run(enclave));
  return NULL;
}

int main(int argc, char **argv) {
  struct PLenclave server, normal, shadow, loop;
  pthread_t runner;
  if (argc < 3)
    return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  elf_args_init(&enclave_elf, argv[1]);
  elf_args_init(&loop_elf, argv[2]);

  printf("create server %d\n", create(&server, &loop_elf, "attested-server", SERVER_ENCLAVE));
  attest("server", &server, 1);

  printf("create normal %d\n", create(&normal, &enclave_elf, "normal", NORMAL_ENCLAVE));
  attest("normal", &normal, 1);
  struct report_t first = normal.attest_param.report;
  attest("normal again", &normal, 1);
  printf("same: %d\n", memcmp(&first, &normal.attest_param.report, sizeof(first)) == 0);
  attest("another nonce", &normal, 0x8000000000000001);
  printf("run %d", PLenclave_run(&normal));
  printf(" returned %ld\n", (long)normal.user_param.retval);
  attest("gone", &normal, 1);

  printf("create shadow %d\n", create(&shadow, &enclave_elf, "shadow", SHADOW_ENCLAVE));
  attest("shadow", &shadow, 2);
  printf("run instance %d", PLenclave_run(&shadow));
  printf(" returned %ld\n", (long)shadow.user_param.retval);

  printf("create loop %d\n", create(&loop, &loop_elf, "loop", NORMAL_ENCLAVE));
  attest("fresh", &loop, 3);
  pthread_create(&runner, NULL, run, &loop);
  usleep(20000);
  attest("running", &loop, 3);
  printf("stop %d\n", PLenclave_stop(&loop));
  attest("stopped", &loop, 3);
  printf("destroy %d\n", PLenclave_destroy(&loop));
  pthread_join(runner, NULL);
  return 0;
}

/*
 * host ENCLAVE-FILE
 *
 * Three mistakes. Each is easy to make, gets an error here and goes on; on a device two of them hang the machine and one crashes its kernel.
 */
#include "penglai-enclave.h"

static void tell(const char *what, int result) { printf("host: %s: %d\n", what, result); }

int main(int argc, char **argv) {
  struct PLenclave enclave;
  struct elf_args elf;
  struct enclave_args params;

  if (argc < 2) {
    printf("Please input the enclave ELF file name\n");
    return EXIT_FAILURE;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  elf_args_init(&elf, argv[1]);
  if (!elf_valid(&elf)) {
    printf("error when initializing enclaveFile\n");
    return EXIT_FAILURE;
  }
  enclave_args_init(&params);
  strcpy(params.name, "careless");
  if (PLenclave_init(&enclave) < 0 || PLenclave_create(&enclave, &elf, &params) < 0) {
    printf("host: failed to create enclave\n");
    return EXIT_FAILURE;
  }

  tell("stop before it was run", PLenclave_stop(&enclave));     // bp: stop-fresh
  tell("resume before it was run", PLenclave_resume(&enclave)); // bp: resume-fresh
  tell("run", PLenclave_run(&enclave));                         // bp: run

  PLenclave_destruct(&enclave);
  elf_args_destroy(&elf);
  return EXIT_SUCCESS;
}

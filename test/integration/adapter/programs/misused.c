/* Stops an enclave that has not been run, twice at one place, and destroys it twice. */
#include "penglai-enclave.h"

int main(int argc, char **argv) {
  struct PLenclave enclave;
  struct enclave_args params;
  struct elf_args elf;
  elf_args_init(&elf, argv[1]);
  PLenclave_init(&enclave);
  enclave_args_init(&params);
  strncpy(params.name, "misused", NAME_LEN);
  PLenclave_create(&enclave, &elf, &params);
  for (int i = 0; i < 2; i++)
    PLenclave_stop(&enclave); // bp: stop
  PLenclave_destroy(&enclave);
  PLenclave_destroy(&enclave); // bp: again
  return 3;
}

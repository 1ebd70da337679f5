/* host SERVER-FILE: creates a server and ends without destroying it. */
#include "penglai-enclave.h"

int main(int argc, char **argv) {
  struct elf_args elf;
  struct enclave_args params;
  struct PLenclave server;
  if (argc < 2)
    return EXIT_FAILURE;
  elf_args_init(&elf, argv[1]);
  enclave_args_init(&params);
  strcpy(params.name, "left-alone");
  params.type = SERVER_ENCLAVE;
  if (PLenclave_init(&server) < 0 || PLenclave_create(&server, &elf, &params) < 0)
    return EXIT_FAILURE;
  printf("host: leaves\n");
  return EXIT_SUCCESS;
}

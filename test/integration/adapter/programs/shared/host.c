/* host FILE FILE: mixes two numbers, and lets each enclave do the same. */
#include "penglai-enclave.h"
#include "shared.h"

static int never(int value) {
  value += 1; // bp: never
  return value;
}

static int run(const char *file, const char *name) {
  struct elf_args elf;
  struct enclave_args params;
  struct PLenclave enclave;

  elf_args_init(&elf, (char *)file);
  enclave_args_init(&params);
  strcpy(params.name, name);
  if (!elf_valid(&elf) || PLenclave_init(&enclave) < 0 || PLenclave_create(&enclave, &elf, &params) < 0)
    return -1;
  int result = PLenclave_run(&enclave);
  PLenclave_destruct(&enclave);
  elf_args_destroy(&elf);
  return result;
}

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  volatile int one = 1;
  // A comment. bp: comment
  int first = mix(one, 2); // bp: first
  int both = MIX_TWICE(one + 2, 4); // bp: macro
  printf("%d %d\n", first, both);
  return run(argv[1], "alpha") != 0 || run(argv[2], "omega") != 0;
}

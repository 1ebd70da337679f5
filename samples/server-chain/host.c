/*
 * host CALLER-FILE SERVER-FILE [SERVER1-FILE]: creates the servers, then creates, attests and runs the caller.
 *
 * The enclaves find the servers by name: SERVER-FILE becomes "test-server", SERVER1-FILE "test-server1".
 */
#include "penglai-enclave.h"

#define SHARED_SIZE (4 * 4096)
#define NONCE 1234

struct server {
  const char *name;
  char *file;
  struct elf_args elf;
  struct PLenclave enclave;
};

/* Reads the file and creates an enclave from it; says on stdout what failed. */
static int create(const char *name, enclave_type_t type, char *file, struct elf_args *elf, struct PLenclave *enclave,
                  struct enclave_args *params) {
  strcpy(params->name, name);
  params->type = type;
  elf_args_init(elf, file);
  if (!elf_valid(elf)) {
    printf("host: error when initializing the file of %s: %s\n", name, file);
    return -1;
  }
  if (PLenclave_init(enclave) < 0 || PLenclave_create(enclave, elf, params) < 0) {
    printf("host: failed to create %s\n", name);
    return -1;
  }
  return 0;
}

static int create_server(struct server *server) {
  struct enclave_args params;
  enclave_args_init(&params);
  return create(server->name, SERVER_ENCLAVE, server->file, &server->elf, &server->enclave, &params);
}

static int destroy_server(struct server *server) {
  int result = PLenclave_destroy(&server->enclave);
  PLenclave_destruct(&server->enclave);
  elf_args_destroy(&server->elf);
  return result;
}

/* Attests the caller, lends it the relay page and runs it. Returns what the enclave returned, or -1. */
static long attest_and_run(struct PLenclave *caller, int relay_id) {
  if (PLenclave_attest(caller, NONCE) < 0)
    return -1;
  if (caller->attest_param.report.enclave.nonce != NONCE) {
    printf("host: the report is not for nonce %d\n", NONCE);
    return -1;
  }
  PLenclave_set_mem_arg(caller, relay_id, 0, SHARED_SIZE);
  int result = PLenclave_run(caller); // bp: run
  if (result != RETURN_USER_EXIT_ENCL) {
    printf("[ERROR] host: result %d val is wrong!\n", result);
    return -1;
  }
  return caller->user_param.retval;
}

static long run_caller(char *file) {
  struct elf_args elf;
  struct PLenclave caller;
  struct enclave_args params;
  long status = -1;

  int shm_id = PLenclave_shmget(SHARED_SIZE);
  int *shm = PLenclave_shmat(shm_id, 0);
  int relay_id = PLenclave_schrodinger_get(SHARED_SIZE);
  int *relay_page = PLenclave_schrodinger_at(relay_id, 0);
  if (shm == MAP_FAILED || relay_page == MAP_FAILED)
    return -1;
  shm[0] = 11111;
  relay_page[0] = 22222;

  enclave_args_init(&params);
  params.shmid = shm_id;
  params.shm_size = SHARED_SIZE;
  if (create("test-caller", NORMAL_ENCLAVE, file, &elf, &caller, &params) == 0) {
    status = attest_and_run(&caller, relay_id);
    PLenclave_destruct(&caller);
    elf_args_destroy(&elf);
  }

  PLenclave_shmdt(shm_id, shm);
  PLenclave_shmctl(shm_id);
  PLenclave_schrodinger_dt(relay_id, relay_page);
  PLenclave_schrodinger_ctl(relay_id);
  return status;
}

int main(int argc, char **argv) {
  struct server servers[2] = {{.name = "test-server"}, {.name = "test-server1"}};
  int count = argc - 2;

  if (count < 1 || count > 2) {
    printf("Usage: host CALLER-FILE SERVER-FILE [SERVER1-FILE]\n");
    return EXIT_FAILURE;
  }
  for (int i = 0; i < count; i++) {
    servers[i].file = argv[2 + i];
    if (create_server(&servers[i]) < 0)
      return EXIT_FAILURE;
  }

  long status = run_caller(argv[1]); // bp: main

  for (int i = 0; i < count; i++)
    if (destroy_server(&servers[i]) < 0)
      status = -1;
  printf("host: the caller returned %ld\n", status);
  return status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

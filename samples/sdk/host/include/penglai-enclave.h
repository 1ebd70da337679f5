/*
 * The host side of the SDK: create, run, stop, resume, attest and destroy enclaves, and give them memory.
 *
 * Unless a comment says otherwise a function returns 0, or -1 after it said on stderr what failed.
 */
#ifndef PENGLAI_HOST_ENCLAVE_H
#define PENGLAI_HOST_ENCLAVE_H

#include "elf.h"
#include "param.h"

/* Programs written for the SDK rely on these arriving with it. */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>

#define PENGLAI_ENCLAVE_DEV_PATH "/dev/penglai_enclave_dev"

/* What PLenclave_run() returns besides -1. */
#define RETURN_USER_EXIT_ENCL 0
#define RETURN_USER_RELAY_PAGE 1

/** One enclave as the host program holds it. */
struct PLenclave {
  struct elf_args *elffile;
  int eid;
  int fd;
  struct penglai_enclave_user_param user_param;
  struct penglai_enclave_attest_param attest_param;
};

_Static_assert(sizeof(struct PLenclave) == 472, "PLenclave is 472 bytes");
_Static_assert(offsetof(struct PLenclave, eid) == 8, "eid is at 8");
_Static_assert(offsetof(struct PLenclave, user_param) == 16, "user_param is at 16");
_Static_assert(offsetof(struct PLenclave, attest_param) == 128, "attest_param is at 128");

/** Clears the structure and opens the device. */
int PLenclave_init(struct PLenclave *enclave);

/** Creates (and measures) an enclave from a mapped ELF file. */
int PLenclave_create(struct PLenclave *enclave, struct elf_args *elf, struct enclave_args *args);

/**
 * Runs the enclave in the calling thread until it ends or hands its relay pages back; forks an instance when
 * the enclave is a shadow. Returns RETURN_USER_EXIT_ENCL (it exited, or was destroyed),
 * RETURN_USER_RELAY_PAGE, or -1.
 */
int PLenclave_run(struct PLenclave *enclave);

/** Fills enclave->attest_param.report. */
int PLenclave_attest(struct PLenclave *enclave, uintptr_t nonce);

/* For a thread other than the one inside PLenclave_run(). */
int PLenclave_stop(struct PLenclave *enclave);
int PLenclave_resume(struct PLenclave *enclave);
int PLenclave_destroy(struct PLenclave *enclave);

/** Closes the device. Comes last: what needs the device does not work afterwards. Returns close()'s result. */
int PLenclave_destruct(struct PLenclave *enclave);

/* Memory that host and enclaves see at the same time. */
int PLenclave_shmget(unsigned long size);
void *PLenclave_shmat(int shmid, void *addr); /* (void *)-1 on failure */
int PLenclave_shmdt(int shmid, void *addr);
int PLenclave_shmctl(int shmid);

/* Relay pages: memory with one owner at a time, the host or an enclave. */
int PLenclave_schrodinger_get(unsigned long size);
void *PLenclave_schrodinger_at(int id, void *addr); /* (void *)-1 on failure */
int PLenclave_schrodinger_dt(int id, void *addr);
int PLenclave_schrodinger_ctl(int id);

/* What the next PLenclave_run() takes along. -1 only for a null pointer. */
int PLenclave_set_shm(struct PLenclave *enclave, int shmid, unsigned long offset, unsigned long size);
int PLenclave_set_mem_arg(struct PLenclave *enclave, int id, unsigned long offset, unsigned long size);
int PLenclave_set_rerun_arg(struct PLenclave *enclave, int rerun_reason);

int PLenclave_fs_persistency_init(int shm_id);

#endif

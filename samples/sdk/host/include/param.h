/*
 * What crosses /dev/penglai_enclave_dev: request numbers and the structures they carry.
 *
 * The driver is the other side of this contract: it must find every field at the offset asserted here
 * (riscv64 LP64, little endian). Names are the Penglai SDK's, so that its programs compile unchanged.
 */
#ifndef PENGLAI_HOST_PARAM_H
#define PENGLAI_HOST_PARAM_H

/* Programs written for the SDK rely on these arriving with it. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_LEN 16
#define PRIVATE_KEY_SIZE 32
#define PUBLIC_KEY_SIZE 64
#define HASH_SIZE 32
#define SIGNATURE_SIZE 64

/* Only the names: enclave_args_init() sets the stack that an enclave really gets. */
#define DEFAULT_STACK_SIZE (8 * 1024)
#define DEFAULT_UNTRUSTED_PTR 0x0000001000000000
#define DEFAULT_UNTRUSTED_SIZE 8192

typedef unsigned char byte;

typedef enum {
  NORMAL_ENCLAVE = 0,
  SERVER_ENCLAVE = 1,
  SHADOW_ENCLAVE = 2,
} enclave_type_t;

/* ---- the attestation report ---------------------------------------------------------------- */

/** The monitor: its measurement, the device key's signature over it, its public key (x, y). */
struct sm_report_t {
  unsigned char hash[HASH_SIZE];
  unsigned char signature[SIGNATURE_SIZE];
  unsigned char sm_pub_key[PUBLIC_KEY_SIZE];
};

/** The enclave: its measurement mixed with the nonce, and the monitor's signature (r, s) over it. */
struct enclave_report_t {
  unsigned char hash[HASH_SIZE];
  unsigned char signature[SIGNATURE_SIZE];
  uintptr_t nonce;
};

struct report_t {
  struct sm_report_t sm;
  struct enclave_report_t enclave;
  unsigned char dev_pub_key[PUBLIC_KEY_SIZE];
};

struct signature_t {
  unsigned char r[PUBLIC_KEY_SIZE / 2];
  unsigned char s[PUBLIC_KEY_SIZE / 2];
};

_Static_assert(sizeof(struct report_t) == 328, "report_t is 328 bytes");
_Static_assert(offsetof(struct report_t, enclave) == 160, "the enclave's part is at 160");
_Static_assert(offsetof(struct report_t, enclave.signature) == 192, "its signature is at 192");
_Static_assert(offsetof(struct report_t, enclave.nonce) == 256, "its nonce is at 256");
_Static_assert(offsetof(struct report_t, dev_pub_key) == 264, "the device's key is at 264");

/* ---- enclaves -------------------------------------------------------------------------------- */

/** In and out of CREATE, RUN, STOP, RESUME and DESTROY. */
struct penglai_enclave_user_param {
  unsigned long eid; /* out of CREATE; out of RUN of a shadow: the instance's id */
  char name[NAME_LEN];
  enclave_type_t type;
  unsigned long elf_ptr; /* the whole ELF image in the host's memory */
  long elf_size;
  long stack_size;
  int shmid;
  int isShadow; /* set by the driver when RUN forked an instance from a shadow */
  unsigned long shm_offset;
  unsigned long shm_size;
  int schrodinger_id; /* the relay page */
  int rerun_reason;   /* 0: first run; RETURN_USER_RELAY_PAGE: go on after the host had the page */
  unsigned long schrodinger_offset;
  unsigned long schrodinger_size;
  unsigned long retval; /* out of RUN: what the enclave gave to EAPP_RETURN */
};

_Static_assert(sizeof(struct penglai_enclave_user_param) == 112, "user_param is 112 bytes");
_Static_assert(offsetof(struct penglai_enclave_user_param, name) == 8, "name is at 8");
_Static_assert(offsetof(struct penglai_enclave_user_param, type) == 24, "type is at 24");
_Static_assert(offsetof(struct penglai_enclave_user_param, elf_ptr) == 32, "elf_ptr is at 32");
_Static_assert(offsetof(struct penglai_enclave_user_param, stack_size) == 48, "stack_size is at 48");
_Static_assert(offsetof(struct penglai_enclave_user_param, shmid) == 56, "shmid is at 56");
_Static_assert(offsetof(struct penglai_enclave_user_param, isShadow) == 60, "isShadow is at 60");
_Static_assert(offsetof(struct penglai_enclave_user_param, shm_size) == 72, "shm_size is at 72");
_Static_assert(offsetof(struct penglai_enclave_user_param, schrodinger_id) == 80, "schrodinger_id is at 80");
_Static_assert(offsetof(struct penglai_enclave_user_param, rerun_reason) == 84, "rerun_reason is at 84");
_Static_assert(offsetof(struct penglai_enclave_user_param, schrodinger_size) == 96, "schrodinger_size is at 96");
_Static_assert(offsetof(struct penglai_enclave_user_param, retval) == 104, "retval is at 104");

struct penglai_enclave_attest_param {
  int eid;
  int isShadow;
  uintptr_t nonce;
  struct report_t report;
};

_Static_assert(sizeof(struct penglai_enclave_attest_param) == 344, "attest_param is 344 bytes");
_Static_assert(offsetof(struct penglai_enclave_attest_param, report) == 16, "the report is at 16");

/* ---- memory given to enclaves: shm (seen by both) and schrodinger = relay pages (one owner) --- */

struct penglai_shmget_param {
  int key;
  unsigned long size;
  int shmflg;
};

struct penglai_shmat_param {
  int shmid;
  void *shmaddr;
  unsigned long size; /* out */
  int shmflg;
};

struct penglai_shmdt_param {
  int shmid;
  void *shmaddr;
  unsigned long size; /* out */
};

struct penglai_shmctl_param {
  int shmid;
};

struct penglai_schrodinger_get_param {
  int key;
  unsigned long size;
  int flg;
};

struct penglai_schrodinger_at_param {
  int id;
  void *addr;
  unsigned long size; /* out */
  int flg;
};

struct penglai_schrodinger_dt_param {
  int id;
  void *addr;
  unsigned long size; /* out */
};

struct penglai_schrodinger_ctl_param {
  int id;
};

_Static_assert(sizeof(struct penglai_shmget_param) == 24, "shmget_param is 24 bytes");
_Static_assert(sizeof(struct penglai_shmat_param) == 32, "shmat_param is 32 bytes");
_Static_assert(sizeof(struct penglai_shmdt_param) == 24, "shmdt_param is 24 bytes");
_Static_assert(sizeof(struct penglai_schrodinger_get_param) == 24, "schrodinger_get_param is 24 bytes");
_Static_assert(sizeof(struct penglai_schrodinger_at_param) == 32, "schrodinger_at_param is 32 bytes");
_Static_assert(offsetof(struct penglai_schrodinger_at_param, size) == 16, "size is at 16");
_Static_assert(sizeof(struct penglai_schrodinger_dt_param) == 24, "schrodinger_dt_param is 24 bytes");

/* ---- requests ---------------------------------------------------------------------------------- */

#define PENGLAI_ENCLAVE_IOC_MAGIC 0xa4
#define PENGLAI_OUT(nr, type) _IOR(PENGLAI_ENCLAVE_IOC_MAGIC, nr, type)
#define PENGLAI_IN(nr, type) _IOW(PENGLAI_ENCLAVE_IOC_MAGIC, nr, type)

#define PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE PENGLAI_OUT(0x00, struct penglai_enclave_user_param)
#define PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE PENGLAI_OUT(0x01, struct penglai_enclave_user_param)
#define PENGLAI_ENCLAVE_IOC_ATTEST_ENCLAVE PENGLAI_OUT(0x02, struct penglai_enclave_attest_param)
#define PENGLAI_ENCLAVE_IOC_STOP_ENCLAVE PENGLAI_OUT(0x03, struct penglai_enclave_user_param)
#define PENGLAI_ENCLAVE_IOC_RESUME_ENCLAVE PENGLAI_OUT(0x04, struct penglai_enclave_user_param)
#define PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE PENGLAI_IN(0x05, struct penglai_enclave_user_param)
#define PENGLAI_ENCLAVE_IOC_DEBUG_PRINT PENGLAI_IN(0x06, struct penglai_enclave_user_param)
#define PENGLAI_SHMGET PENGLAI_OUT(0x10, struct penglai_shmget_param)
#define PENGLAI_SHMAT PENGLAI_OUT(0x11, struct penglai_shmat_param)
#define PENGLAI_SHMDT PENGLAI_OUT(0x12, struct penglai_shmdt_param)
#define PENGLAI_SHMCTL PENGLAI_OUT(0x13, struct penglai_shmctl_param)
#define PENGLAI_SCHRODINGER_GET PENGLAI_OUT(0x14, struct penglai_schrodinger_get_param)
#define PENGLAI_SCHRODINGER_AT PENGLAI_OUT(0x15, struct penglai_schrodinger_at_param)
#define PENGLAI_SCHRODINGER_DT PENGLAI_OUT(0x16, struct penglai_schrodinger_dt_param)
#define PENGLAI_SCHRODINGER_CTL PENGLAI_OUT(0x17, struct penglai_schrodinger_ctl_param)
#define PENGLAI_PERSISTENCY_INIT PENGLAI_OUT(0x18, int)

_Static_assert(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE == 0x8070A400, "CREATE");
_Static_assert(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE == 0x8070A401, "RUN");
_Static_assert(PENGLAI_ENCLAVE_IOC_ATTEST_ENCLAVE == 0x8158A402, "ATTEST");
_Static_assert(PENGLAI_ENCLAVE_IOC_STOP_ENCLAVE == 0x8070A403, "STOP");
_Static_assert(PENGLAI_ENCLAVE_IOC_RESUME_ENCLAVE == 0x8070A404, "RESUME");
_Static_assert(PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE == 0x4070A405, "DESTROY");
_Static_assert(PENGLAI_SHMGET == 0x8018A410, "SHMGET");
_Static_assert(PENGLAI_SHMAT == 0x8020A411, "SHMAT");
_Static_assert(PENGLAI_SHMDT == 0x8018A412, "SHMDT");
_Static_assert(PENGLAI_SHMCTL == 0x8004A413, "SHMCTL");
_Static_assert(PENGLAI_SCHRODINGER_GET == 0x8018A414, "SCHRODINGER_GET");
_Static_assert(PENGLAI_SCHRODINGER_AT == 0x8020A415, "SCHRODINGER_AT");
_Static_assert(PENGLAI_SCHRODINGER_DT == 0x8018A416, "SCHRODINGER_DT");
_Static_assert(PENGLAI_SCHRODINGER_CTL == 0x8004A417, "SCHRODINGER_CTL");
_Static_assert(PENGLAI_PERSISTENCY_INIT == 0x8004A418, "PERSISTENCY_INIT");

/* ---- the library's own: how an enclave is to be created ----------------------------------------- */

struct enclave_args {
  char name[NAME_LEN];
  enclave_type_t type;
  unsigned long stack_size;
  int shmid;
  unsigned long shm_offset;
  unsigned long shm_size;
};

_Static_assert(sizeof(struct enclave_args) == 56, "enclave_args is 56 bytes");
_Static_assert(offsetof(struct enclave_args, stack_size) == 24, "stack_size is at 24");
_Static_assert(offsetof(struct enclave_args, shmid) == 32, "shmid is at 32");

/** A normal enclave with a 64 KiB stack and no shm. Does not touch `name`: the caller sets it. */
void enclave_args_init(struct enclave_args *args);

#endif

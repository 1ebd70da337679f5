/* The life of an enclave, seen from the host: each call is one request on the enclave's device file. */
#include "penglai-enclave.h"

#define ENCLAVE_STACK_SIZE (64 * 1024)

void enclave_args_init(struct enclave_args *args) {
  args->type = NORMAL_ENCLAVE;
  args->stack_size = ENCLAVE_STACK_SIZE;
  args->shmid = 0;
  args->shm_offset = 0;
  args->shm_size = 0;
}

int PLenclave_init(struct PLenclave *enclave) {
  if (!enclave)
    return -1;
  memset(enclave, 0, sizeof(*enclave));
  enclave->eid = -1;
  enclave->fd = open(PENGLAI_ENCLAVE_DEV_PATH, O_RDWR);
  if (enclave->fd < 0) {
    fprintf(stderr, "LIB: PLenclave_init: cannot open enclave dev\n");
    return -1;
  }
  return 0;
}

int PLenclave_create(struct PLenclave *enclave, struct elf_args *elf, struct enclave_args *args) {
  struct penglai_enclave_user_param *param = &enclave->user_param;

  if (enclave->fd < 0) {
    fprintf(stderr, "LIB: PLenclave_create: enclave hasn't be initialized yet\n");
    return -1;
  }
  if (!elf) {
    fprintf(stderr, "LIB: PLenclave_create: elffile does not exist\n");
    return -1;
  }
  enclave->elffile = elf;
  param->elf_ptr = (unsigned long)elf->ptr;
  param->elf_size = elf->size;
  /* A shadow never runs itself; each instance forked from it gets a stack of its own. */
  param->stack_size = args->type == SHADOW_ENCLAVE ? 0 : args->stack_size;
  param->shmid = args->shmid;
  param->shm_offset = args->shm_offset;
  param->shm_size = args->shm_size;
  param->type = args->type;
  memcpy(param->name, args->name, NAME_LEN);
  if (param->elf_ptr == 0 || param->elf_size <= 0) {
    fprintf(stderr, "LIB: PLencalve_create: ioctl create enclave: elf_ptr is NULL\n");
    return -1;
  }
  if (ioctl(enclave->fd, PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, param) < 0) {
    fprintf(stderr, "LIB: PLenclave_create: ioctl create enclave is failed\n");
    return -1;
  }
  enclave->eid = param->eid;
  return 0;
}

int PLenclave_run(struct PLenclave *enclave) {
  if (enclave->fd < 0 || enclave->eid < 0) {
    fprintf(stderr, "LIB: PLenclave_run: enclave can not be run\n");
    return -1;
  }
  int result = ioctl(enclave->fd, PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &enclave->user_param);
  if (result < 0) {
    fprintf(stderr, "LIB: PLenclave_run: ioctl run enclave is failed \n");
    return -1;
  }
  return result;
}

int PLenclave_attest(struct PLenclave *enclave, uintptr_t nonce) {
  struct penglai_enclave_attest_param *param = &enclave->attest_param;

  param->isShadow = enclave->user_param.isShadow;
  param->eid = enclave->eid;
  param->nonce = nonce;
  int result = ioctl(enclave->fd, PENGLAI_ENCLAVE_IOC_ATTEST_ENCLAVE, param);
  if (result < 0) {
    fprintf(stderr, "LIB: ioctl attest enclave is failed ret %d \n", result);
    return -1;
  }
  return 0;
}

/* The three share one message: programs and tests written for the SDK know this text. */
static int change_state(struct PLenclave *enclave, unsigned long request) {
  if (ioctl(enclave->fd, request, &enclave->user_param) < 0) {
    fprintf(stderr, "LIB: ioctl stop enclave is failed \n");
    return -1;
  }
  return 0;
}

int PLenclave_stop(struct PLenclave *enclave) { return change_state(enclave, PENGLAI_ENCLAVE_IOC_STOP_ENCLAVE); }

int PLenclave_resume(struct PLenclave *enclave) { return change_state(enclave, PENGLAI_ENCLAVE_IOC_RESUME_ENCLAVE); }

int PLenclave_destroy(struct PLenclave *enclave) { return change_state(enclave, PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE); }

int PLenclave_destruct(struct PLenclave *enclave) { return close(enclave->fd); }

int PLenclave_set_shm(struct PLenclave *enclave, int shmid, unsigned long offset, unsigned long size) {
  if (!enclave)
    return -1;
  enclave->user_param.shmid = shmid;
  enclave->user_param.shm_offset = offset;
  enclave->user_param.shm_size = size;
  return 0;
}

int PLenclave_set_mem_arg(struct PLenclave *enclave, int id, unsigned long offset, unsigned long size) {
  if (!enclave)
    return -1;
  enclave->user_param.schrodinger_id = id;
  enclave->user_param.schrodinger_offset = offset;
  enclave->user_param.schrodinger_size = size;
  return 0;
}

int PLenclave_set_rerun_arg(struct PLenclave *enclave, int rerun_reason) {
  if (!enclave)
    return -1;
  enclave->user_param.rerun_reason = rerun_reason;
  return 0;
}

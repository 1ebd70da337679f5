/*
 * Memory for enclaves: shm and relay (schrodinger) regions.
 *
 * Each call opens the device anew. An attach must map through the same open file that sent the AT request,
 * because the driver remembers the region to be mapped there.
 */
#include "penglai-enclave.h"

/** Opens the device and sends one request; returns the open file, or -1 if the device is not there. */
static int request(const char *function, unsigned long number, void *param, int *result) {
  int fd = open(PENGLAI_ENCLAVE_DEV_PATH, O_RDWR);
  if (fd < 0) {
    printf("%s: failed to open enclave dev\n", function);
    return -1;
  }
  *result = ioctl(fd, number, param);
  return fd;
}

/** Maps what the AT request on `fd` selected, then closes `fd`: the mapping outlives it. */
static void *map_region(const char *function, const char *what, int fd, int id, void *addr, unsigned long size) {
  void *region = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (region == MAP_FAILED)
    printf("%s: failed to mmap %s%d\n", function, what, id);
  close(fd);
  return region;
}

static int unmap_region(const char *function, const char *what, int id, void *addr, unsigned long size) {
  if (munmap(addr, size) == 0)
    return 0;
  printf("%s: failed to unmap %s%d\n", function, what, id);
  return -1;
}

int PLenclave_shmget(unsigned long size) {
  struct penglai_shmget_param param = {.key = 0, .size = size, .shmflg = 0};
  int id;
  int fd = request(__func__, PENGLAI_SHMGET, &param, &id);
  if (fd < 0)
    return -1;
  if (id < 0)
    printf("%s: failed to create shm\n", __func__);
  close(fd);
  return id;
}

void *PLenclave_shmat(int shmid, void *addr) {
  struct penglai_shmat_param param = {.shmid = shmid, .shmaddr = addr, .size = 0, .shmflg = 0};
  int result;
  int fd = request(__func__, PENGLAI_SHMAT, &param, &result);
  if (fd < 0)
    return MAP_FAILED;
  if (result < 0) {
    printf("%s: failed to bind shm %d\n", __func__, shmid);
    close(fd);
    return MAP_FAILED;
  }
  return map_region(__func__, "shm", fd, shmid, addr, param.size);
}

int PLenclave_shmdt(int shmid, void *addr) {
  struct penglai_shmdt_param param = {.shmid = shmid, .shmaddr = addr, .size = 0};
  int result;
  int fd = request(__func__, PENGLAI_SHMDT, &param, &result);
  if (fd < 0)
    return -1;
  close(fd);
  if (result < 0) {
    printf("%s: failed to unbind shm%d\n", __func__, shmid);
    return -1;
  }
  return unmap_region(__func__, "shm", shmid, addr, param.size);
}

/* A refused removal is reported but not returned: that is the SDK's contract. */
int PLenclave_shmctl(int shmid) {
  struct penglai_shmctl_param param = {.shmid = shmid};
  int result;
  int fd = request(__func__, PENGLAI_SHMCTL, &param, &result);
  if (fd < 0)
    return -1;
  if (result < 0)
    printf("%s: failed to destroy shm%d\n", __func__, shmid);
  close(fd);
  return 0;
}

int PLenclave_schrodinger_get(unsigned long size) {
  struct penglai_schrodinger_get_param param = {.key = 0, .size = size, .flg = 0};
  int id;
  int fd = request(__func__, PENGLAI_SCHRODINGER_GET, &param, &id);
  if (fd < 0)
    return -1;
  if (id < 0)
    printf("%s: failed to create\n", __func__);
  close(fd);
  return id;
}

void *PLenclave_schrodinger_at(int id, void *addr) {
  struct penglai_schrodinger_at_param param = {.id = id, .addr = addr, .size = 0, .flg = 0};
  int result;
  int fd = request(__func__, PENGLAI_SCHRODINGER_AT, &param, &result);
  if (fd < 0)
    return MAP_FAILED;
  if (result < 0) {
    printf("%s: failed to bind schrodinger mm %d\n", __func__, id);
    close(fd);
    return MAP_FAILED;
  }
  return map_region(__func__, "schrodinger mm", fd, id, addr, param.size);
}

int PLenclave_schrodinger_dt(int id, void *addr) {
  struct penglai_schrodinger_dt_param param = {.id = id, .addr = addr, .size = 0};
  int result;
  int fd = request(__func__, PENGLAI_SCHRODINGER_DT, &param, &result);
  if (fd < 0)
    return -1;
  close(fd);
  if (result < 0) {
    printf("%s: failed to unbind schrodinger mm%d\n", __func__, id);
    return -1;
  }
  return unmap_region(__func__, "schrodinger mm", id, addr, param.size);
}

int PLenclave_schrodinger_ctl(int id) {
  struct penglai_schrodinger_ctl_param param = {.id = id};
  int result;
  int fd = request(__func__, PENGLAI_SCHRODINGER_CTL, &param, &result);
  if (fd < 0)
    return -1;
  if (result < 0)
    printf("%s: failed to destroy schrodinger mm%d\n", __func__, id);
  close(fd);
  return 0;
}

int PLenclave_fs_persistency_init(int shm_id) {
  int result;
  int fd = request(__func__, PENGLAI_PERSISTENCY_INIT, &shm_id, &result);
  if (fd < 0)
    return -1;
  close(fd);
  if (result < 0) {
    printf("PLenclave_fs_persistency_init failed\n");
    return -1;
  }
  return result;
}

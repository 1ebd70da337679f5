/* Maps an enclave's ELF file; what the headers in it mean is the driver's business. */
#include "penglai-enclave.h"

void elf_args_init(struct elf_args *elf, char *path) {
  struct stat status;

  memset(elf, 0, sizeof(*elf));
  elf->fd = open(path, O_RDONLY);
  if (elf->fd < 0) {
    fprintf(stderr, "LIB: the elf file is not existed\n");
    return;
  }
  if (fstat(elf->fd, &status) < 0) {
    fprintf(stderr, "LIB: fstat is failed \n");
    return;
  }
  if (status.st_size == 0) {
    fprintf(stderr, "LIB: the elf file'size  is zero\n");
    return;
  }
  void *image = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, elf->fd, 0);
  if (image == MAP_FAILED)
    return;
  elf->ptr = image;
  elf->size = status.st_size;
}

void elf_args_destroy(struct elf_args *elf) {
  if (elf->ptr)
    munmap(elf->ptr, elf->size);
  if (elf->fd >= 0)
    close(elf->fd);
  elf->ptr = NULL;
  elf->size = 0;
  elf->fd = -1;
}

int elf_valid(struct elf_args *elf) { return elf->fd >= 0 && elf->size > 0 && elf->ptr != NULL; }

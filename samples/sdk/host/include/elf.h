/*
 * An enclave's ELF file, mapped into the host program: the bytes that CREATE reads.
 *
 * The name is the one the Penglai SDK uses, so it hides the C library's <elf.h> from programs built with
 * this SDK; the next header on the search path is included so that both remain usable.
 */
#ifndef PENGLAI_HOST_ELF_H
#define PENGLAI_HOST_ELF_H

#if defined(__has_include_next)
#if __has_include_next(<elf.h>)
#include_next <elf.h>
#endif
#endif

#include <stdbool.h>
#include <stddef.h>

struct elf_args {
  int fd;
  unsigned long size;
  void *ptr;
};

_Static_assert(sizeof(struct elf_args) == 24, "elf_args is 24 bytes");
_Static_assert(offsetof(struct elf_args, size) == 8, "size is at 8");
_Static_assert(offsetof(struct elf_args, ptr) == 16, "ptr is at 16");

/** Opens and maps `path` read-only. Says on stderr what failed; elf_valid() then answers 0. */
void elf_args_init(struct elf_args *elf, char *path);

/** Unmaps and closes what elf_args_init() opened. */
void elf_args_destroy(struct elf_args *elf);

/** 1 if the file is open, not empty and mapped. */
int elf_valid(struct elf_args *elf);

#endif

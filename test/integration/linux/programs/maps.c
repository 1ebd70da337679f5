// Mappings of files and of shared memory: what is coherent with what, what is private, where the file ends.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
static sigjmp_buf back;
static volatile int seen, expected;
static void caught(int signal, siginfo_t *info, void *context) {
  if (!expected) _exit(99);
  seen = signal * 100 + info->si_code;
  siglongjmp(back, 1);
}

static int poke(volatile char *at, int store) {
  seen = 0;
  expected = 1;
  if (sigsetjmp(back, 1) == 0) {
    if (store) *at = 1;
    else (void)*at;
  }
  expected = 0;
  return seen;
}

static void *map(size_t length, int prot, int flags, int fd, off_t offset) {
  return mmap(0, length, prot, flags, fd, offset);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  char path[] = "/tmp/maps-XXXXXX";
  int fd = mkstemp(path);
  char page[PAGE];
  for (int i = 0; i < 5; i++) {
    memset(page, 'a' + i, PAGE);
    if (write(fd, page, PAGE) != PAGE) return 1;
  }
  char *one = map(5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *two = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 2 * PAGE);
  char *own = map(5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  one[2 * PAGE] = 'X';
  printf("two mappings %c%c private %c\n", two[0], two[1], own[2 * PAGE]);
  pwrite(fd, "PW", 2, 2 * PAGE + 8);
  printf("pwrite shows %.2s %.2s %.2s\n", one + 2 * PAGE + 8, two + 8, own + 2 * PAGE + 8);
  own[2 * PAGE] = 'O';
  pwrite(fd, "QQ", 2, 2 * PAGE + 8);
  printf("own copy %c %.2s, shared %c %.2s\n", own[2 * PAGE], own + 2 * PAGE + 8, two[0], two + 8);
  two[PAGE] = 'Y';
  pread(fd, page, 2, 3 * PAGE);
  printf("pread sees %.2s\n", page);
  printf("msync %d %d\n", msync(one, PAGE, MS_SYNC), msync(one, PAGE, MS_SYNC | MS_ASYNC) < 0 && errno == EINVAL);
  // Behind the end of the file.
  ftruncate(fd, PAGE + 100);
  printf("cut: %d %d %d\n", poke(one + PAGE, 0), poke(one + 2 * PAGE, 0), poke(own + 2 * PAGE, 0));
  printf("tail is zero %d\n", one[PAGE + 100] == 0 && one[PAGE + 99] == 'b');
  one[PAGE + 200] = 'T';
  ftruncate(fd, 3 * PAGE);
  printf("grown: %d, tail %d, hole %d\n", poke(one + 2 * PAGE, 1), one[PAGE + 200], one[2 * PAGE + 5]);
  struct stat status;
  fstat(fd, &status);
  printf("size %ld\n", (long)status.st_size);
  // A mapping outlives descriptor and name.
  close(fd);
  unlink(path);
  one[0] = 'K';
  printf("unlinked %c%c\n", one[0], one[1]);
  munmap(one, 5 * PAGE);
  printf("other half %c\n", two[0] ? two[0] : '0');
  // Permissions.
  fd = open("/proc/self/exe", O_RDONLY);
  printf("shared write of a read-only file %d\n", map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
  char *text = map(PAGE, PROT_READ, MAP_SHARED, fd, 0);
  printf("elf %.3s, mprotect %d\n", text + 1, mprotect(text, PAGE, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
  char *copy = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  copy[1] = 'e';
  printf("private %.3s still %.3s\n", copy + 1, text + 1);
  printf("store %d\n", poke(text, 1));
  close(fd);
  // mremap: in place, moved, to an address.
  char *area = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(area, 'm', 4 * PAGE);
  char *hole = map(8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *moved = mremap(area, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, hole + 2 * PAGE);
  printf("fixed %d %c, gone %d\n", moved == hole + 2 * PAGE, moved[2 * PAGE - 1], poke(area, 0));
  char *big = mremap(moved, 2 * PAGE, 300 * PAGE, MREMAP_MAYMOVE);
  printf("grown %c %d\n", big[PAGE], big[299 * PAGE]);
  printf("no room %d\n", mremap(big, PAGE, 400 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
  madvise(big, PAGE, MADV_DONTNEED);
  printf("dropped %d kept %c\n", big[0], big[PAGE]);
  char *shared = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[0] = 's';
  madvise(shared, PAGE, MADV_DONTNEED);
  printf("shared memory stays %c\n", shared[0]);
  printf("bad %d %d %d\n", munmap(big + 1, PAGE) < 0 && errno == EINVAL,
         map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
         map(PAGE, PROT_READ, MAP_PRIVATE, 77, 0) == MAP_FAILED && errno == EBADF);
  fd = memfd_create("memory", MFD_CLOEXEC);
  ftruncate(fd, PAGE);
  char *first = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *second = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(first, "both");
  printf("memfd %s\n", second);
  fd = shm_open("/segment", O_CREAT | O_EXCL | O_RDWR, 0600);
  ftruncate(fd, PAGE);
  first = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(first, "posix");
  close(fd);
  fd = shm_open("/segment", O_RDONLY, 0);
  printf("shm %zd %s, again %d\n", read(fd, page, 6), page, shm_open("/segment", O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST);
  printf("unlink %d %d\n", shm_unlink("/segment"), shm_unlink("/segment") < 0 && errno == ENOENT);
  fd = open("/dev/zero", O_RDWR);
  char *zero = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  zero[5] = 1;
  printf("zero %d %d\n", zero[4], zero[5]);
  return 0;
}

// System V shared memory, and bytes that are copied from file to file.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  int id = shmget(0x4711, 10000, IPC_CREAT | IPC_EXCL | 0600);
  printf("again %d, other %d\n", shmget(0x4711, 10000, IPC_CREAT | IPC_EXCL | 0600) < 0 && errno == EEXIST,
         shmget(0x4712, 1, 0) < 0 && errno == ENOENT);
  printf("same %d, too large %d\n", shmget(0x4711, 0, 0) == id, shmget(0x4711, 20000, 0) < 0 && errno == EINVAL);
  char *one = shmat(id, 0, 0);
  char *two = shmat(id, 0, SHM_RDONLY);
  strcpy(one, "segment");
  printf("both %s\n", two);
  if (fork() == 0) {
    one[0] = 'S';
    char *own = shmat(id, 0, 0);
    own[9999] = 'e';
    _exit(0);
  }
  wait(0);
  struct shmid_ds state;
  shmctl(id, IPC_STAT, &state);
  printf("child wrote %s %c, size %zu attached %lu\n", two, one[9999], state.shm_segsz, (unsigned long)state.shm_nattch);
  printf("detach %d %d\n", shmdt(two), shmdt(two) < 0 && errno == EINVAL);
  printf("remove %d, still %s, gone %d\n", shmctl(id, IPC_RMID, 0), one, shmget(0x4711, 0, 0) < 0 && errno == ENOENT);
  printf("last %d\n", shmdt(one));
  printf("no more %d\n", shmat(id, 0, 0) == (void *)-1 && errno == EINVAL);
  int from = open("/tmp/copy-from", O_CREAT | O_TRUNC | O_RDWR, 0600);
  int to = open("/tmp/copy-to", O_CREAT | O_TRUNC | O_RDWR, 0600);
  char block[1000];
  for (int i = 0; i < 200; i++) {
    memset(block, 'a' + i % 26, sizeof block);
    write(from, block, sizeof block);
  }
  off_t at = 1500;
  printf("copied %zd", copy_file_range(from, &at, to, 0, 150000, 0));
  printf(" to %ld, offset %ld\n", (long)lseek(to, 0, SEEK_CUR), (long)at);
  pread(to, block, 1000, 0);
  printf("%c%c%c ", block[0], block[499], block[500]);
  lseek(from, 199990, SEEK_SET);
  printf("rest %zd end %zd\n", copy_file_range(from, 0, to, 0, 100, 0), copy_file_range(from, 0, to, 0, 100, 0));
  unlink("/tmp/copy-from");
  unlink("/tmp/copy-to");
  return 0;
}

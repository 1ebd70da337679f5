// The tree of files: every way to open, names that move, directories read while they change, times, locks, /proc.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *name_of(int error) {
  switch (error) {
    case 0: return "ok";
    case EEXIST: return "EEXIST";
    case ENOENT: return "ENOENT";
    case ENOTDIR: return "ENOTDIR";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case ENOTEMPTY: return "ENOTEMPTY";
    case EINVAL: return "EINVAL";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case EBADF: return "EBADF";
    case ENXIO: return "ENXIO";
    case EBUSY: return "EBUSY";
    case EAGAIN: return "EAGAIN";
    case EACCES: return "EACCES";
    case ETXTBSY: return "ETXTBSY";
    case EPERM: return "EPERM";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case ENODATA: return "ENODATA";
    case ESPIPE: return "ESPIPE";
    default: return strerror(error);
  }
}
#define TRY(call) (errno = 0, (long)(call) < 0 ? name_of(errno) : "ok")

static long links(const char *path) {
  struct stat status;
  return lstat(path, &status) ? -1 : (long)status.st_nlink;
}
static void put(const char *path, const char *text) {
  int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
  write(fd, text, strlen(text));
  close(fd);
}

static void opening(void) {
  put("file", "0123456789");
  symlink("file", "link");
  symlink("loop", "loop");
  symlink("none", "dangling");
  mkdir("dir", 0755);
  printf("excl %s %s\n", TRY(open("file", O_CREAT | O_EXCL | O_RDWR, 0600)), TRY(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0600)));
  printf("nofollow %s, directory %s %s\n", TRY(open("link", O_RDONLY | O_NOFOLLOW)), TRY(open("file", O_DIRECTORY)), TRY(open("dir", O_DIRECTORY | O_RDWR)));
  printf("loop %s, through a file %s %s\n", TRY(open("loop", O_RDONLY)), TRY(open("file/x", O_RDONLY)), TRY(open("file/", O_RDONLY)));
  printf("create in none %s, at a slash %s\n", TRY(open("none/x", O_CREAT | O_RDWR, 0600)), TRY(open("new/", O_CREAT | O_RDWR, 0600)));
  int fd = open("dangling", O_CREAT | O_RDWR, 0600);
  printf("through a dangling link %d, made %s\n", fd >= 0, TRY(access("none", R_OK)));
  close(fd);
  fd = open("file", O_PATH);
  char byte;
  printf("path only: read %s, ", TRY(read(fd, &byte, 1)));
  struct stat status;
  printf("fstat %s %ld, fchmod %s\n", TRY(fstat(fd, &status)), (long)status.st_size, TRY(ftruncate(fd, 1)));
  close(fd);
  fd = open(".", O_TMPFILE | O_RDWR, 0600);
  write(fd, "tmp", 3);
  fstat(fd, &status);
  printf("nameless %d links %ld, ", fd >= 0, (long)status.st_nlink);
  char path[64];
  sprintf(path, "/proc/self/fd/%d", fd);
  printf("linked %s\n", TRY(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW)));
  printf("now links %ld\n", links("named"));
  close(fd);
  char longer[300];
  memset(longer, 'n', 299);
  longer[299] = 0;
  printf("name %s, ", TRY(open(longer, O_RDONLY)));
  printf("empty %s\n", TRY(open("", O_RDONLY)));
  fd = open("file", O_WRONLY | O_APPEND);
  lseek(fd, 0, SEEK_SET);
  write(fd, "ab", 2);
  printf("append at %ld, read %s\n", (long)lseek(fd, 0, SEEK_CUR), TRY(read(fd, &byte, 1)));
  close(fd);
}

static void names(void) {
  printf("links dir %ld, ", links("dir"));
  mkdir("dir/sub", 0755);
  printf("with one inside %ld\n", links("dir"));
  link("file", "second");
  printf("hard link %ld %s %s\n", links("file"), TRY(link("dir", "dirlink")), TRY(link("file", "second")));
  printf("noreplace %s, ", TRY(syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "second", 1)));
  put("other", "other");
  printf("exchange %s ", TRY(syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "dir", 2)));
  struct stat status;
  stat("other", &status);
  printf("%d\n", S_ISDIR(status.st_mode) && links("other/sub") == 2);
  syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "dir", 2);
  printf("into itself %s, over a full one %s, ", TRY(rename("dir", "dir/sub/x")), TRY((mkdir("full", 0755), mkdir("full/x", 0755), rename("dir/sub", "full"))));
  printf("file over dir %s, dir over file %s\n", TRY(rename("file", "dir")), TRY(rename("dir", "file")));
  printf("same file %s, links %ld\n", TRY(rename("file", "second")), links("second"));
  printf("rmdir %s %s %s, unlink %s\n", TRY(rmdir("dir")), TRY(rmdir("file")), TRY(rmdir("dir/.")), TRY(unlink("dir")));
  // A directory that is removed while a program is in it.
  char cwd[PATH_MAX];
  mkdir("gone", 0755);
  chdir("gone");
  rename("../gone", "../moved");
  printf("moved along %s, ", strrchr(getcwd(cwd, sizeof cwd), '/'));
  rmdir("../moved");
  printf("cwd gone %s %s\n", getcwd(cwd, sizeof cwd) ? "there" : name_of(errno), TRY(open("x", O_CREAT | O_RDWR, 0600)));
  chdir("..");
}

static void reading(void) {
  char name[32];
  mkdir("many", 0755);
  for (int i = 0; i < 3000; i++) {
    sprintf(name, "many/file-%d", i);
    close(open(name, O_CREAT | O_WRONLY, 0644));
  }
  DIR *dir = opendir("many");
  int seen = 0;
  long middle = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (entry->d_name[0] == '.') continue;
    sprintf(name, "many/%s", entry->d_name);
    if (unlink(name) == 0) seen++;
  }
  closedir(dir);
  printf("removed while reading %d, rmdir %s\n", seen, TRY(rmdir("many")));
  mkdir("few", 0755);
  for (int i = 0; i < 5; i++) {
    sprintf(name, "few/%d", i);
    close(open(name, O_CREAT | O_WRONLY, 0644));
  }
  dir = opendir("few");
  char at[32] = "";
  for (int i = 0; i < 4; i++) readdir(dir);
  middle = telldir(dir);
  strcpy(at, readdir(dir)->d_name);
  while (readdir(dir)) {}
  seekdir(dir, middle);
  printf("seekdir %d\n", strcmp(readdir(dir)->d_name, at) == 0);
  closedir(dir);
}

static void attributes(void) {
  struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
  struct stat status;
  printf("utimens %s ", TRY(utimensat(AT_FDCWD, "file", times, 0)));
  stat("file", &status);
  printf("%ld.%09ld %ld.%09ld\n", (long)status.st_atim.tv_sec, status.st_atim.tv_nsec, (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_nsec = UTIME_OMIT;
  utimensat(AT_FDCWD, "file", times, 0);
  chmod("file", 04711);
  stat("file", &status);
  printf("kept %ld, mode %o\n", (long)status.st_mtim.tv_sec, status.st_mode);
  utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW);
  printf("bad time %s\n", TRY((times[0].tv_nsec = 1000000000, utimensat(AT_FDCWD, "file", times, 0))));
  printf("umask %o", umask(077));
  close(open("private", O_CREAT | O_WRONLY, 0666));
  stat("private", &status);
  printf(" %o\n", status.st_mode);
  umask(022);
  printf("mkfifo %s ", TRY(mkfifo("fifo", 0644)));
  stat("fifo", &status);
  printf("%o nonblocking write %s\n", status.st_mode, TRY(open("fifo", O_WRONLY | O_NONBLOCK)));
  if (fork() == 0) {
    int fd = open("fifo", O_WRONLY);
    write(fd, "through", 7);
    _exit(0);
  }
  int fd = open("fifo", O_RDONLY);
  char text[16] = "";
  printf("fifo %zd %s, end %zd\n", read(fd, text, sizeof text), text, read(fd, text + 8, 8));
  close(fd);
  wait(0);
  // Holes.
  fd = open("holes", O_CREAT | O_RDWR, 0644);
  pwrite(fd, "x", 1, 1 << 20);
  printf("data %ld hole %ld end %ld none %s\n", (long)lseek(fd, 0, SEEK_DATA), (long)lseek(fd, 1 << 20, SEEK_HOLE), (long)lseek(fd, 0, SEEK_HOLE), TRY(lseek(fd, 2 << 20, SEEK_DATA)));
  printf("allocate %s %s, ", TRY(fallocate(fd, 0, 0, 2 << 20)), TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 << 20)));
  fstat(fd, &status);
  printf("size %ld, punched %s ", (long)status.st_size, TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 4096)));
  char byte = 1;
  pread(fd, &byte, 1, 1 << 20);
  printf("%d\n", byte);
  close(fd);
  struct statfs system;
  printf("statfs %s, name length %ld\n", TRY(statfs(".", &system)), (long)system.f_namelen);
}

static struct flock range(int type, off_t start, off_t length) {
  return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}
static void locks(void) {
  int fd = open("file", O_RDWR);
  struct flock lock = range(F_WRLCK, 10, 10);
  printf("lock %s\n", TRY(fcntl(fd, F_SETLK, &lock)));
  lock = range(F_WRLCK, 15, 0);
  fcntl(fd, F_GETLK, &lock);
  printf("own locks are not in the way %d\n", lock.l_type == F_UNLCK);
  int ready[2], go[2];
  pipe(ready);
  pipe(go);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct flock want = range(F_RDLCK, 0, 12);
    fcntl(fd, F_GETLK, &want);
    printf("child sees %s %ld+%ld by parent %d\n", want.l_type == F_WRLCK ? "write" : "?", (long)want.l_start, (long)want.l_len, want.l_pid == getppid());
    want = range(F_RDLCK, 0, 12);
    printf("child: %s, beside it %s\n", TRY(fcntl(fd, F_SETLK, &want)), TRY((want = range(F_RDLCK, 0, 5), fcntl(fd, F_SETLK, &want))));
    want = range(F_WRLCK, 0, 12);
    fflush(stdout);
    write(ready[1], "r", 1);
    printf("child waited: %s\n", TRY(fcntl(fd, F_SETLKW, &want)));
    fflush(stdout);
    _exit(0);
  }
  char byte;
  read(ready[0], &byte, 1);
  usleep(20000);
  printf("parent lets go\n");
  fflush(stdout);
  lock = range(F_UNLCK, 10, 10);
  fcntl(fd, F_SETLK, &lock);
  waitpid(child, 0, 0);
  // Open file description locks and flock.
  int other = open("file", O_RDWR);
  lock = range(F_WRLCK, 0, 0);
  printf("ofd %s ", TRY(fcntl(fd, F_OFD_SETLK, &lock)));
  printf("%s ", TRY((lock = range(F_RDLCK, 5, 1), fcntl(other, F_OFD_SETLK, &lock))));
  close(fd);
  printf("%s\n", TRY((lock = range(F_RDLCK, 5, 1), fcntl(other, F_OFD_SETLK, &lock))));
  fd = open("file", O_RDWR);
  printf("flock %s %s ", TRY(flock(fd, LOCK_EX)), TRY(flock(other, LOCK_SH | LOCK_NB)));
  printf("%s %s %s\n", TRY(flock(fd, LOCK_SH)), TRY(flock(other, LOCK_SH | LOCK_NB)), TRY(flock(other, LOCK_EX | LOCK_NB)));
  close(fd);
  printf("then %s\n", TRY(flock(other, LOCK_EX | LOCK_NB)));
  close(other);
}

static void process_files(void) {
  char text[256], path[64];
  int fd = open("file", O_RDONLY);
  sprintf(path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, text, sizeof text - 1);
  text[length > 0 ? length : 0] = 0;
  printf("fd is %s, ", strrchr(text, '/'));
  unlink("second");
  unlink("file");
  length = readlink(path, text, sizeof text - 1);
  text[length > 0 ? length : 0] = 0;
  printf("then%s, ", strrchr(text, ' '));
  int again = open(path, O_RDONLY);
  printf("opened again %zd\n", read(again, text, 4));
  sprintf(path, "/proc/%d/comm", getpid());
  FILE *file = fopen(path, "r");
  printf("comm %d\n", file && fgets(text, sizeof text, file) && strlen(text) > 1);
  DIR *dir = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(dir)) count++;
  printf("descriptors %d\n", count > 5);
  closedir(dir);
  char *real = realpath("dir/../dir/./sub/..", 0);
  printf("realpath %s\n", real ? strrchr(real, '/') : "?");
  printf("tmpfile %d\n", tmpfile() != 0);
}

int main(int argc, char **argv) {
  char template[] = "/tmp/tree-XXXXXX";
  setvbuf(stdout, 0, _IOLBF, 0);
  if (!mkdtemp(template) || chdir(template)) return 1;
  opening();
  names();
  reading();
  attributes();
  locks();
  process_files();
  chdir("/");
  return 0;
}

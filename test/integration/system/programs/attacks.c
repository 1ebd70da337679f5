/* A host that does to the enclave device what a host should not: by raw requests, without the SDK. One mode per attack. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREATE 0x8070A400UL
#define RUN 0x8070A401UL
#define ATTEST 0x8158A402UL
#define STOP 0x8070A403UL
#define RESUME 0x8070A404UL
#define DESTROY 0x4070A405UL
#define SHMGET 0x8018A410UL
#define SHMAT 0x8020A411UL
#define SHMDT 0x8018A412UL
#define SHMCTL 0x8004A413UL
#define RELAY_GET 0x8018A414UL
#define RELAY_AT 0x8020A415UL
#define RELAY_CTL 0x8004A417UL

struct user_param {
  uint64_t eid;
  char name[16];
  int32_t type;
  uint64_t elf_ptr, elf_size, stack_size;
  int32_t shmid, isShadow;
  uint64_t shm_offset, shm_size;
  int32_t relay_id, rerun_reason;
  uint64_t relay_offset, relay_size, retval;
};
struct region_param {
  int32_t id;
  uint64_t address_or_size, size;
  int32_t flag;
};
_Static_assert(sizeof(struct user_param) == 112, "user_param");

static int device;
static struct user_param running;

static void *image(const char *path, size_t *size) {
  struct stat st;
  int fd = open(path, O_RDONLY);
  fstat(fd, &st);
  *size = st.st_size;
  return mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
}

static int create(struct user_param *p, const char *path, const char *name) {
  size_t size;
  memset(p, 0, sizeof *p);
  p->elf_ptr = (uint64_t)image(path, &size);
  p->elf_size = size;
  p->stack_size = 65536;
  strncpy(p->name, name, 16);
  return ioctl(device, CREATE, p);
}

static void say(const char *what, long result) {
  printf("%s: %ld%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerrorname_np(errno) : "");
}

static int relay_get(uint64_t size) {
  struct region_param p = {0, size, 0, 0};
  return ioctl(device, RELAY_GET, &p);
}

static int *relay_map(int id) {
  struct region_param p = {id, 0, 0, 0};
  int fd = open("/dev/penglai_enclave_dev", O_RDWR);
  if (ioctl(fd, RELAY_AT, &p) < 0) {
    say("attach", -1);
    return NULL;
  }
  void *at = mmap(NULL, p.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    say("mmap", -1);
    exit(3);
  }
  return at;
}

static void *runner(void *unused) {
  say("run", ioctl(device, RUN, &running));
  return unused;
}

static void on_fault(int number) {
  printf("fault: %s\n", number == SIGSEGV ? "SIGSEGV" : "SIGBUS");
  fflush(stdout);
  _exit(2);
}

/* The enclave writes its secret into the relay page and loops; the host wants to read it meanwhile. */
static int steal(int mapped_before) {
  int id = relay_get(4096);
  volatile int *page = mapped_before ? relay_map(id) : NULL;
  pthread_t thread;
  signal(SIGSEGV, on_fault);
  signal(SIGBUS, on_fault);
  if (page) page[0] = 1;
  create(&running, "keeper", "keeper");
  running.relay_id = id;
  running.relay_size = 4096;
  pthread_create(&thread, NULL, runner, NULL);
  usleep(50000);
  if (!page) page = relay_map(id);
  printf("read: %x\n", page[0]);
  fflush(stdout);
  _exit(0);
}

static int requests(void) {
  struct user_param p;
  struct region_param r;
  char big[2048] = {0};
  memset(&p, 0, sizeof p);
  say("unknown request", ioctl(device, 0x8070A4FFUL, &p));
  say("wrong magic", ioctl(device, 0x8070B400UL, &p));
  say("more than 1024 bytes", ioctl(device, 0x8800A400UL, big));
  say("bad pointer", ioctl(device, CREATE, (void *)16));
  say("kernel pointer", ioctl(device, CREATE, (void *)0xffffffd800000000));
  p.eid = 0x1000;
  say("run of nothing", ioctl(device, RUN, &p));
  say("stop of nothing", ioctl(device, STOP, &p));
  say("resume of nothing", ioctl(device, RESUME, &p));
  say("destroy of nothing", ioctl(device, DESTROY, &p));
  p.eid = -1;
  say("destroy of -1", ioctl(device, DESTROY, &p));
  say("attest of nothing", ioctl(device, ATTEST, big));
  say("create without image", ioctl(device, CREATE, &p));
  p.elf_ptr = 16;
  p.elf_size = 4096;
  say("create from a bad pointer", ioctl(device, CREATE, &p));
  p.elf_ptr = (uint64_t)big;
  say("create from zeros", ioctl(device, CREATE, &p));
  p.elf_size = 1UL << 40;
  say("create of a huge image", ioctl(device, CREATE, &p));
  p.elf_size = (uint64_t)-1;
  say("create of size -1", ioctl(device, CREATE, &p));
  p.type = 55;
  p.elf_size = 2048;
  say("create of type 55", ioctl(device, CREATE, &p));
  size_t size;
  p.type = 0;
  p.elf_ptr = (uint64_t)image("keeper", &size);
  p.elf_size = size - 1;
  say("create of a cut image", ioctl(device, CREATE, &p));
  p.elf_size = size;
  p.stack_size = 65UL << 20;
  say("create with 65 MiB of stack", ioctl(device, CREATE, &p));
  p.stack_size = 65536;
  p.shmid = 77;
  p.shm_size = 4096;
  say("create with unknown shm", ioctl(device, CREATE, &p));
  say("stop before run", ioctl(device, STOP, &p));
  say("resume before run", ioctl(device, RESUME, &p));
  p.rerun_reason = 1;
  say("rerun before run", ioctl(device, RUN, &p));
  p.rerun_reason = 9;
  say("rerun for reason 9", ioctl(device, RUN, &p));
  p.rerun_reason = 0;
  p.relay_id = 1;
  p.relay_size = 0;
  say("run with transferred pages there are not", ioctl(device, RUN, &p));
  say("destroy", ioctl(device, DESTROY, &p));
  say("destroy twice", ioctl(device, DESTROY, &p));
  memset(&r, 0, sizeof r);
  say("shmget 0", ioctl(device, SHMGET, &r));
  r.address_or_size = 5000;
  say("shmget 5000", ioctl(device, SHMGET, &r));
  r.address_or_size = (uint64_t)-4096;
  say("shmget -4096", ioctl(device, SHMGET, &r));
  r.id = 1;
  say("shmat 1", ioctl(device, SHMAT, &r));
  say("shmdt 1", ioctl(device, SHMDT, &r));
  say("shmctl 1", ioctl(device, SHMCTL, &r));
  say("mmap without attachment", (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, device, 0));
  r.address_or_size = 8192;
  int id = ioctl(device, SHMGET, &r);
  say("shmget 8192", id);
  r = (struct region_param){id, 0, 0, 0};
  say("shmat", ioctl(device, SHMAT, &r));
  say("mmap of more", (long)mmap(NULL, 16384, PROT_READ, MAP_SHARED, device, 0));
  say("shmctl while attached", ioctl(device, SHMCTL, &id));
  say("shmdt", ioctl(device, SHMDT, &r));
  say("shmdt twice", ioctl(device, SHMDT, &r));
  say("shmctl", ioctl(device, SHMCTL, &id));
  say("relay ctl unknown", ioctl(device, RELAY_CTL, &id));
  return 0;
}

static int twice(void) {
  struct user_param other;
  pthread_t thread;
  int id = relay_get(4096);
  create(&running, "keeper", "keeper");
  running.relay_id = id;
  running.relay_size = 4096;
  pthread_create(&thread, NULL, runner, NULL);
  usleep(50000);
  struct user_param again = running;
  say("run while it runs", ioctl(device, RUN, &again));
  create(&other, "keeper", "other");
  other.relay_id = id;
  other.relay_size = 4096;
  say("same relay page to another", ioctl(device, RUN, &other));
  other.relay_id = relay_get(4096);
  strcpy(other.name, "keeper");
  struct user_param same;
  create(&same, "keeper", "keeper");
  same.relay_id = other.relay_id;
  same.relay_size = 4096;
  say("same name with a relay page", ioctl(device, RUN, &same));
  say("destroy", ioctl(device, DESTROY, &running));
  pthread_join(thread, NULL);
  return 0;
}

static void on_illegal(int number) {
  printf("fault: SIGILL\n");
  fflush(stdout);
  _exit(2);
}

/* The root of its own address space, which would be the first step to another's. */
static int read_satp(void) {
  uint64_t value;
  signal(SIGILL, on_illegal);
  asm volatile("csrr %0, satp" : "=r"(value));
  printf("read: mode %x\n", (int)(value >> 60));
  return 0;
}

/*
 * A child that has the relay page mapped reads it while the enclave of its parent owns it: forked before the hand-over (it may have
 * read the page then, so that its table has an entry for it), or after.
 */
static int forked(int before, int touches) {
  int id = relay_get(4096), status;
  volatile int *page = relay_map(id);
  pthread_t thread;
  page[0] = 1;
  create(&running, "keeper", "keeper");
  running.relay_id = id;
  running.relay_size = 4096;
  int child = before ? fork() : -1;
  if (child != 0) {
    pthread_create(&thread, NULL, runner, NULL);
    usleep(50000);
    if (!before) child = fork();
  } else {
    if (touches && page[0] != 1) _exit(9);
    usleep(100000);
  }
  if (child == 0) {
    signal(SIGSEGV, on_fault);
    signal(SIGBUS, on_fault);
    printf("read: %x\n", page[0]);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, &status, 0);
  printf("child: %d\n", WEXITSTATUS(status));
  fflush(stdout);
  _exit(0);
}

/* A private mapping of relay memory, written to before the hand-over: its copies are no part of what is handed over. */
static int private_copy(void) {
  struct region_param p = {relay_get(4096), 0, 0, 0};
  int fd = open("/dev/penglai_enclave_dev", O_RDWR);
  if (ioctl(fd, RELAY_AT, &p) < 0) return 1;
  volatile int *mine = mmap(NULL, p.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (mine == MAP_FAILED) {
    say("mmap", -1);
    return 3;
  }
  pthread_t thread;
  signal(SIGSEGV, on_fault);
  signal(SIGBUS, on_fault);
  mine[0] = 7;
  create(&running, "keeper", "keeper");
  running.relay_id = p.id;
  running.relay_size = 4096;
  pthread_create(&thread, NULL, runner, NULL);
  usleep(50000);
  printf("read: %x\n", mine[0]);
  fflush(stdout);
  _exit(0);
}

/* What a child, which is another process, can do to the enclave of its parent. */
static int foreign(void) {
  char report[344] = {0};
  int status;
  pthread_t thread;
  create(&running, "keeper", "keeper");
  running.relay_id = relay_get(4096);
  running.relay_size = 4096;
  pthread_create(&thread, NULL, runner, NULL);
  usleep(50000);
  int child = fork();
  if (child == 0) {
    say("stop", ioctl(device, STOP, &running));
    say("resume", ioctl(device, RESUME, &running));
    memcpy(report, &running.eid, 4);
    say("attest", ioctl(device, ATTEST, report));
    say("destroy", ioctl(device, DESTROY, &running));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, &status, 0);
  _exit(0);
}

/* STOP, RESUME and DESTROY at all distances from the end of a run that another thread is inside. */
static int race(void) {
  for (int i = 0; i < 12; i++) {
    pthread_t thread;
    create(&running, "brief", "brief");
    struct user_param other = running;
    pthread_create(&thread, NULL, runner, NULL);
    usleep(100 * i);
    int stopped = ioctl(device, STOP, &other);
    int resumed = stopped == 0 ? ioctl(device, RESUME, &other) : -1;
    int destroyed = i % 3 == 2 ? ioctl(device, DESTROY, &other) : 1;
    pthread_join(thread, NULL);
    /* A stop that came in time is ended by the resume, and nothing is left of the enclave. */
    if (stopped == 0 && resumed != 0) say("resume", resumed);
    if (destroyed < 0 && errno != EINVAL) say("destroy", destroyed);
    if (ioctl(device, DESTROY, &other) == 0) say("destroy once more", 0);
  }
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  device = open("/dev/penglai_enclave_dev", O_RDWR);
  if (strcmp(argv[1], "requests") == 0) return requests();
  if (strcmp(argv[1], "twice") == 0) return twice();
  if (strcmp(argv[1], "satp") == 0) return read_satp();
  if (strcmp(argv[1], "fork-touched") == 0) return forked(1, 1);
  if (strcmp(argv[1], "fork-before") == 0) return forked(1, 0);
  if (strcmp(argv[1], "fork-after") == 0) return forked(0, 0);
  if (strcmp(argv[1], "private") == 0) return private_copy();
  if (strcmp(argv[1], "race") == 0) return race();
  if (strcmp(argv[1], "foreign") == 0) return foreign();
  return steal(strcmp(argv[1], "stale") == 0);
}

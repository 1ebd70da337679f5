/*
 * Does one wrong thing, named by argv[1]; what each call that is wrong returns is printed. Before it is done "#begin" is written, behind it "#end": in between no
 * more than a million ticks may pass. A name in capitals is an enclave's row (rows.h).
 */
#include "penglai-enclave.h"
#include "rows.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

typedef struct penglai_enclave_user_param param_t;
enum { CREATE = 0x8070A400, RUN, STOP = 0x8070A403, RESUME, DESTROY = 0x4070A405, ATTEST = 0x8158A402 };

static int device;
static struct elf_args image;
static volatile long *shm, *server_shm;
static int shm_id, server_shm_id;
static pthread_t runner;
static param_t running;

static void say(const char *what, long result) {
  if (result < 0) dprintf(1, "%s: -1 %s\n", what, errno == EPERM ? "EPERM" : errno == EFAULT ? "EFAULT" : errno == EINVAL ? "EINVAL" : strerror(errno));
  else dprintf(1, "%s: %ld\n", what, result);
}
static void begin(void) { dprintf(1, "#begin\n"); }
static void end(void) { dprintf(1, "#end\n"); }

static int call(unsigned request, void *p) { return ioctl(device, (unsigned long)request, p); }
#define WRONG(what, request, p) (begin(), say(what, call(request, p)), end())

static param_t make(const char *name, int type, int mode) {
  param_t p;
  memset(&p, 0, sizeof p);
  strncpy(p.name, name, NAME_LEN);
  p.type = type;
  p.elf_ptr = (unsigned long)image.ptr;
  p.elf_size = image.size;
  p.stack_size = 65536;
  p.shmid = type == SERVER_ENCLAVE ? server_shm_id : shm_id;
  p.shm_size = 4096;
  (type == SERVER_ENCLAVE ? server_shm : shm)[0] = mode;
  return p;
}
static param_t create(const char *name, int type, int mode) {
  param_t p = make(name, type, mode);
  if (call(CREATE, &p) < 0) say("create", -1);
  return p;
}
static void *run(void *unused) {
  say("run in the thread", call(RUN, &running));
  return unused;
}
static void start(param_t p, volatile long *begun) {
  running = p;
  pthread_create(&runner, NULL, run, &running);
  while (!begun[1]) usleep(100);
}
static void finish(void) {
  call(DESTROY, &running);
  pthread_join(runner, NULL);
}
static void attest(const char *what, param_t p) {
  struct penglai_enclave_attest_param a = {0};
  a.eid = p.eid;
  a.isShadow = p.isShadow;
  WRONG(what, ATTEST, &a);
}
static int relay(void) { return PLenclave_schrodinger_get(4096); }
#define IS(name) (strcmp(row, name) == 0)

static int servers(const char *row) {
  param_t p, caller;
  if (IS("run-server")) p = create("server", SERVER_ENCLAVE, SERVES), WRONG("run", RUN, &p);
  else if (IS("attest-server")) attest("attest", create("server", SERVER_ENCLAVE, SERVES));
  else if (IS("stop-server")) p = create("server", SERVER_ENCLAVE, SERVES), WRONG("stop", STOP, &p);
  else if (IS("resume-server")) p = create("server", SERVER_ENCLAVE, SERVES), WRONG("resume", RESUME, &p);
  else if (IS("destroy-server-twice")) {
    p = create("server", SERVER_ENCLAVE, SERVES);
    say("destroy", call(DESTROY, &p));
    WRONG("destroy", DESTROY, &p);
  } else if (IS("server-name-taken")) {
    create("server", SERVER_ENCLAVE, SERVES);
    p = make("server", SERVER_ENCLAVE, SERVES);
    begin(), say("create", call(CREATE, &p)), end();
  } else if (IS("destroy-working-server") || IS("stop-in-server") || IS("destroy-in-server")) {
    p = create("server", SERVER_ENCLAVE, LOOPS);
    caller = create("caller", NORMAL_ENCLAVE, CALLS);
    start(caller, server_shm);
    if (IS("destroy-working-server")) WRONG("destroy the server", DESTROY, &p);
    else if (IS("stop-in-server")) WRONG("stop the caller", STOP, &caller);
    else WRONG("destroy the caller", DESTROY, &caller);
    finish();
  } else return 0;
  return 1;
}

static int shadows(const char *row) {
  param_t p, q;
  if (IS("stop-shadow")) p = create("shadow", SHADOW_ENCLAVE, EXITS), WRONG("stop", STOP, &p);
  else if (IS("resume-shadow")) p = create("shadow", SHADOW_ENCLAVE, EXITS), WRONG("resume", RESUME, &p);
  else if (IS("run-instance-handle") || IS("destroy-instance-handle")) {
    p = create("shadow", SHADOW_ENCLAVE, RETURNS_RELAY);
    say("run", call(RUN, &p));
    if (IS("run-instance-handle")) WRONG("run again", RUN, &p);
    else WRONG("destroy", DESTROY, &p);
  } else if (IS("faulting-instance")) {
    p = create("shadow", SHADOW_ENCLAVE, STORES_NULL);
    WRONG("run", RUN, &p);
  } else if (IS("destroy-forked-shadow")) {
    p = q = create("shadow", SHADOW_ENCLAVE, LOOPS);
    start(q, shm);
    WRONG("destroy", DESTROY, &p);
    running.eid = p.eid + 1;
    finish();
  } else if (IS("fork-too-large")) {
    elf_args_init(&image, "big");
    for (volatile unsigned long i = 0; i < image.size; i += 4096) (void)((volatile char *)image.ptr)[i];
    p = create("shadow", SHADOW_ENCLAVE, EXITS);
    WRONG("run", RUN, &p);
  } else return 0;
  return 1;
}

static int states(const char *row) {
  param_t p = create("enclave", NORMAL_ENCLAVE, EXITS), q = p;
  if (IS("stop-fresh")) WRONG("stop", STOP, &p);
  else if (IS("resume-fresh")) WRONG("resume", RESUME, &p);
  else if (IS("gone")) {
    say("run", call(RUN, &p));
    WRONG("stop", STOP, &p);
    WRONG("resume", RESUME, &p);
    WRONG("run", RUN, &p);
    attest("attest", p);
    WRONG("destroy", DESTROY, &p);
  } else if (IS("stop-returned") || IS("attest-returned") || IS("run-without-rerun") || IS("rerun-reason")) {
    shm[0] = RETURNS_RELAY;
    say("run", call(RUN, &p));
    if (IS("stop-returned")) WRONG("stop", STOP, &p);
    if (IS("attest-returned")) attest("attest", p);
    if (IS("rerun-reason")) p.rerun_reason = 9;
    if (IS("run-without-rerun") || IS("rerun-reason")) WRONG("run again", RUN, &p);
    p.rerun_reason = 1;
    say("run for the right reason", call(RUN, &p));
  } else if (IS("rerun-not-returned")) p.rerun_reason = 1, WRONG("run", RUN, &p);
  else if (IS("resume-running") || IS("run-again") || IS("attest-running") || IS("destroy-running") || IS("stop-twice") || IS("run-stopped") || IS("attest-stopped")) {
    shm[0] = LOOPS;
    start(p, shm);
    if (IS("resume-running")) WRONG("resume", RESUME, &p);
    else if (IS("run-again")) WRONG("run", RUN, &q);
    else if (IS("attest-running")) attest("attest", p);
    else if (IS("destroy-running")) WRONG("destroy", DESTROY, &p);
    else {
      say("stop", call(STOP, &p));
      if (IS("stop-twice")) WRONG("stop", STOP, &p), say("resume", call(RESUME, &p));
      else if (IS("run-stopped")) WRONG("run", RUN, &q);
      else attest("attest", p);
    }
    finish();
  } else if (IS("destroy-foreign")) {
    shm[0] = LOOPS;
    start(p, shm);
    if (fork() == 0) {
      WRONG("destroy", DESTROY, &p);
      _exit(0);
    }
    wait(NULL);
    finish();
  } else if (IS("kill-in-run")) {
    shm[0] = LOOPS;
    pid_t child = fork();
    if (child == 0) {
      call(RUN, &p);
      _exit(0);
    }
    while (!shm[1]) usleep(100);
    begin(), kill(child, SIGKILL), wait(NULL), end();
  } else if (IS("owner-exited")) {
  } else return 0;
  return 1;
}

static int memories(const char *row) {
  param_t p = make("enclave", NORMAL_ENCLAVE, EXITS), q;
  if (IS("relay-none-transferred")) {
    say("create", call(CREATE, &p));
    p.schrodinger_id = relay();
    WRONG("run", RUN, &p);
  } else if (IS("relay-page-owned") || IS("relay-name-taken")) {
    shm[0] = LOOPS;
    say("create", call(CREATE, &p));
    q = create(IS("relay-name-taken") ? "enclave" : "other", NORMAL_ENCLAVE, LOOPS);
    p.schrodinger_id = q.schrodinger_id = relay();
    p.schrodinger_size = q.schrodinger_size = 4096;
    if (IS("relay-name-taken")) {
      WRONG("run", RUN, &p);
      return 1;
    }
    start(p, shm);
    WRONG("run", RUN, &q);
    finish();
  } else if (IS("relay-ignored")) {
    say("create", call(CREATE, &p));
    p.schrodinger_id = 77, p.schrodinger_size = 4096;
    WRONG("run", RUN, &p);
  } else if (IS("shm-ignored")) p.shmid = 77, WRONG("create", CREATE, &p);
  else return 0;
  return 1;
}

static int creations(const char *row) {
  struct {
    param_t p;
    char room[64];
  } a = {make("enclave", NORMAL_ENCLAVE, EXITS), ""};
  static char bytes[4096];
  if (IS("type-7")) a.p.type = 7;
  else if (IS("name-of-17")) strcpy(*(char(*)[32])a.p.name, "a-name-of-16-let7");
  else if (IS("elf-zeros")) a.p.elf_ptr = (unsigned long)bytes, a.p.elf_size = sizeof bytes;
  else if (IS("elf-text")) strcpy(bytes, "this is no program"), a.p.elf_ptr = (unsigned long)bytes, a.p.elf_size = sizeof bytes;
  else if (IS("elf-x86")) memcpy(bytes, image.ptr, sizeof bytes), bytes[18] = 62, a.p.elf_ptr = (unsigned long)bytes, a.p.elf_size = sizeof bytes;
  else if (IS("elf-none")) a.p.elf_ptr = 0;
  else if (IS("stack-none")) a.p.stack_size = 0;
  else if (IS("stack-huge")) a.p.stack_size = 0x7ffff000;
  else return 0;
  begin(), say("create", call(CREATE, &a.p));
  if (IS("stack-none")) say("run", call(RUN, &a.p));
  end();
  return 1;
}

static int requests(const char *row) {
  struct { int id; long addr, size; int flag; } r = {0};
  if (IS("bad-ioctl")) WRONG("ioctl", 0x8070A4FF, &r);
  else if (IS("bad-ioctl-size")) WRONG("ioctl", 0x8800A400, &r);
  else if (IS("region-size")) r.addr = 5000, WRONG("shmget", 0x8018A410, &r);
  else if (IS("region-unknown")) r.id = 77, WRONG("shmat", 0x8020A411, &r);
  else if (IS("region-removed-in-use")) WRONG("shmctl", 0x8004A413, &shm_id);
  else return 0;
  return 1;
}

/* A row of enclave.c; those that need a server get one. */
static int inside(const char *row) {
  static const char *const names[] = ROW_NAMES;
  int mode = 0, count = sizeof names / sizeof *names;
  while (mode < count && !IS(names[mode])) mode++;
  int serves = IS("EXITS_AS_SERVER") || IS("SERVES") || IS("SERVES_WRONG") || IS("SERVER_FAULTS") || IS("SERVER_BUSY");
  if (mode == count && !serves) return 0;
  if (serves || strncmp(row, "CALLS", 5) == 0) create("server", SERVER_ENCLAVE, IS("SERVER_FAULTS") ? STORES_NULL : IS("SERVER_BUSY") ? LOOPS : serves ? mode : SERVES);
  param_t p = create("enclave", NORMAL_ENCLAVE, serves ? CALLS : mode);
  if (IS("SERVER_BUSY")) {
    param_t second = create("second", NORMAL_ENCLAVE, CALLS);
    start(p, server_shm);
    p = second;
  }
  begin(), say("run", call(RUN, &p)), end();
  dprintf(1, "value %ld, server's %ld\n", IS("MAPS_HUGE") ? shm[2] : (long)(int)shm[2], server_shm[2]);
  if (IS("SERVER_BUSY")) finish();
  return 1;
}

int main(int argc, char **argv) {
  const char *row = argc > 1 ? argv[1] : "";
  device = open("/dev/penglai_enclave_dev", O_RDWR);
  elf_args_init(&image, "enclave");
  /* All of it is there before CREATE reads it. */
  for (volatile unsigned long i = 0; i < image.size; i += 4096) (void)((volatile char *)image.ptr)[i];
  shm_id = PLenclave_shmget(4096), server_shm_id = PLenclave_shmget(4096);
  shm = PLenclave_shmat(shm_id, 0), server_shm = PLenclave_shmat(server_shm_id, 0);
  if (servers(row) || shadows(row) || memories(row) || creations(row) || requests(row) || inside(row) || states(row)) return 0;
  dprintf(1, "no row %s\n", row);
  return 1;
}

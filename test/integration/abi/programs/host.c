/* The host of the tests of every call: `host <part>`. What it prints is compared with a golden file. */
#include "penglai-enclave.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define PAGE 4096UL

static int device;

static int call(unsigned long request, void *argument) {
  int result = ioctl(device, request, argument);
  return result < 0 ? -errno : result;
}

static void say(const char *what, long value) {
  printf("%s: %ld\n", what, value);
  fflush(stdout);
}

/** An enclave of a name and type that maps `shm`, whose first words are `part` and `word`; created. */
static struct PLenclave *made(const char *file, const char *name, int type, long part, long word) {
  struct PLenclave *enclave = calloc(1, sizeof *enclave);
  struct elf_args *elf = calloc(1, sizeof *elf);
  struct enclave_args args;
  enclave_args_init(&args);
  memset(args.name, 0, sizeof args.name);
  strncpy(args.name, name, sizeof args.name);
  args.type = type;
  elf_args_init(elf, (char *)file);
  PLenclave_init(enclave);
  if (part >= 0) {
    args.shmid = PLenclave_shmget(2 * PAGE);
    args.shm_size = 2 * PAGE;
    long *shm = PLenclave_shmat(args.shmid, 0);
    if (type == SERVER_ENCLAVE) {
      ((int *)shm)[1] = word;
    } else {
      shm[0] = part;
      shm[1] = word;
    }
  }
  if (PLenclave_create(enclave, elf, &args) < 0)
    printf("create of %s failed\n", name);
  return enclave;
}

static void run_part(const char *name, long part, long word) {
  struct PLenclave *enclave = made("enclave", name, NORMAL_ENCLAVE, part, word);
  int result = PLenclave_run(enclave);
  printf("run: %d, retval %ld\n", result, (long)enclave->user_param.retval);
}

static struct PLenclave *server(int number) {
  char name[16];
  snprintf(name, sizeof name, "server%d", number);
  return made("server", name, SERVER_ENCLAVE, 0, number);
}

static void ioctls() {
  struct penglai_enclave_user_param param;
  char large[4096] = {0};
  memset(&param, 0x11, sizeof param);
  say("DEBUG_PRINT", call(PENGLAI_ENCLAVE_IOC_DEBUG_PRINT, &param));
  say("TCGETS", call(0x5401, large));
  say("the right number, another size", call(0x8074A400, &param));
  say("more than 1024 bytes", call(0x8800A400 | 1 << 16, large));
  say("an argument nobody has", call(PENGLAI_SHMCTL, (void *)0x10));
  say("another magic", call(0x8004A513, &param));

  struct penglai_shmget_param get = {.size = 100};
  say("shmget of 100", call(PENGLAI_SHMGET, &get));
  get.size = 0;
  say("shmget of 0", call(PENGLAI_SHMGET, &get));
  get.size = PAGE + 1;
  say("shmget of 4097", call(PENGLAI_SHMGET, &get));
  get.size = 3 * PAGE;
  int id = call(PENGLAI_SHMGET, &get);
  say("shmget of three pages", id);
  say("a second one", call(PENGLAI_SHMGET, &get));
  /* A libc whose ioctl takes an int hands on the sign-extended number. */
  struct penglai_shmat_param at = {.shmid = id};
  say("shmat, request sign-extended", syscall(29, device, (long)(int)PENGLAI_SHMAT, &at));
  say("  its size", at.size);
  struct penglai_shmctl_param ctl = {.shmid = id};
  say("shmctl while attached", call(PENGLAI_SHMCTL, &ctl));
  say("mmap of more than there is", mmap(0, 4 * PAGE, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED ? -errno : 0);
  char *part = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 7 * PAGE);
  say("mmap of less, its offset ignored", part == MAP_FAILED ? -errno : part[0]);
  int other = open(PENGLAI_ENCLAVE_DEV_PATH, O_RDWR);
  say("mmap of another open file", mmap(0, PAGE, PROT_READ, MAP_SHARED, other, 0) == MAP_FAILED ? -errno : 0);
  struct penglai_shmdt_param dt = {.shmid = id};
  say("shmdt by another open file", ioctl(other, PENGLAI_SHMDT, &dt));
  say("  its size", dt.size);
  say("shmdt again", call(PENGLAI_SHMDT, &dt));
  part[PAGE] = 5;
  say("the mapping is still there", part[PAGE]);
  say("shmctl", call(PENGLAI_SHMCTL, &ctl));
  say("shmctl again", call(PENGLAI_SHMCTL, &ctl));
  part[0] = 6;
  say("and now", part[0] + part[PAGE]);
  say("its id is not used again while it is shown", call(PENGLAI_SHMGET, &get));
  munmap(part, 2 * PAGE);
  say("behind its end it is", call(PENGLAI_SHMGET, &get));

  struct penglai_schrodinger_get_param relay = {.size = PAGE};
  int page = call(PENGLAI_SCHRODINGER_GET, &relay);
  say("schrodinger_get", page);
  struct penglai_schrodinger_at_param bind = {.id = page};
  say("schrodinger_at", call(PENGLAI_SCHRODINGER_AT, &bind));
  say("once only", call(PENGLAI_SCHRODINGER_AT, &bind));
  say("of nothing", call(PENGLAI_SCHRODINGER_AT, &(struct penglai_schrodinger_at_param){.id = 5}));
  say("schrodinger_ctl while attached", call(PENGLAI_SCHRODINGER_CTL, &(struct penglai_schrodinger_ctl_param){page}));
  say("schrodinger_dt", call(PENGLAI_SCHRODINGER_DT, &(struct penglai_schrodinger_dt_param){.id = page}));
  say("mmap after it", mmap(0, PAGE, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED ? -errno : 0);
  say("schrodinger_ctl", call(PENGLAI_SCHRODINGER_CTL, &(struct penglai_schrodinger_ctl_param){page}));

  /* What a failed call leaves in the structure comes back with it. */
  memset(&param, 0x11, sizeof param);
  say("RUN of nothing", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &param));
  say("  eid", param.eid == 0x1111111111111111);
  say("DESTROY of nothing", call(PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE, &param));
  say("STOP of nothing", call(PENGLAI_ENCLAVE_IOC_STOP_ENCLAVE, &param));
  say("RESUME of nothing", call(PENGLAI_ENCLAVE_IOC_RESUME_ENCLAVE, &param));
  struct penglai_enclave_attest_param attest = {.eid = 5};
  say("ATTEST of nothing", call(PENGLAI_ENCLAVE_IOC_ATTEST_ENCLAVE, &attest));
}

/** What CREATE makes of sizes, stacks, shm arguments, and of elf_size, which says nothing. */
static void create() {
  struct elf_args elf;
  elf_args_init(&elf, "enclave");
  struct penglai_enclave_user_param base = {.name = "enclave", .elf_ptr = (long)elf.ptr, .elf_size = elf.size, .stack_size = 65536};
  struct penglai_enclave_user_param param = base;
  param.elf_size = 0;
  say("create, elf_size 0", call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param));
  say("  eid", param.eid);
  say("run", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &param));
  param = base;
  say("the eid is used again", call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param) * 10000 + (long)param.eid);
  say("destroy", call(PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE, &param));
  say("run after it", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &param));
  param = base;
  param.stack_size = 0;
  say("no stack", call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param));
  say("its first push faults", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &param));
  param = base;
  param.stack_size = 80 << 20;
  int result = call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param);
  say("80 MiB of stack", result);
  if (result == 0)
    say("  destroy", call(PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE, &param));
  param = base;
  param.elf_ptr = 0x12345;
  say("no file", call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param));
  param = base;
  param.shmid = 4711;
  param.shm_size = PAGE;
  say("a shm that is not there", call(PENGLAI_ENCLAVE_IOC_CREATE_ENCLAVE, &param));
  say("run", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &param));
}

/** Registers at the entry: without and with shm, of an instance, with relay pages; the run counter starts again with the template. */
static void entry() {
  struct PLenclave *template = made("enclave", "template", SHADOW_ENCLAVE, -1, 0);
  run_part("entry", -1, 0);
  run_part("entry", 0, 0);
  int id = PLenclave_schrodinger_get(2 * PAGE);
  PLenclave_set_mem_arg(template, id, PAGE, PAGE);
  say("run", PLenclave_run(template));
  printf("instance %lx, shadow %d, retval %ld\n", template->user_param.eid, template->user_param.isShadow,
         (long)template->user_param.retval);
  template->user_param.eid = template->eid;
  template->user_param.isShadow = 0;
  say("run", PLenclave_run(template));
  printf("its id is used again: %lx\n", template->user_param.eid);
}

/** The relay page: run, return, rerun. */
static void relay() {
  int id = PLenclave_schrodinger_get(2 * PAGE);
  unsigned int *page = PLenclave_schrodinger_at(id, 0);
  page[0] = 22222;
  page[1024] = 1;
  struct PLenclave *enclave = made("enclave", "relay", NORMAL_ENCLAVE, 4, 0);
  PLenclave_set_mem_arg(enclave, id, 0, 2 * PAGE);
  say("run", PLenclave_run(enclave));
  printf("the host has them: %u %u\n", page[0], page[1024]);
  page[0] = 7;
  PLenclave_set_rerun_arg(enclave, RETURN_USER_RELAY_PAGE);
  say("run again", PLenclave_run(enclave));
  printf("at the end: %u %u\n", page[0], page[1024]);
  say("detach", PLenclave_schrodinger_dt(id, page));
  say("remove", PLenclave_schrodinger_ctl(id));
}

static void transfer() {
  int id = PLenclave_schrodinger_get(4 * PAGE);
  server(0);
  struct PLenclave *giver = made("enclave", "giver", NORMAL_ENCLAVE, 5, 0);
  PLenclave_set_mem_arg(giver, id, 0, 4 * PAGE);
  say("giver", PLenclave_run(giver));
  for (int i = 0; i < 2; i++) {
    struct PLenclave *receiver = made("enclave", "receiver", NORMAL_ENCLAVE, 6, 0);
    PLenclave_set_mem_arg(receiver, id, 0, 0);
    say("receiver", PLenclave_run(receiver));
    PLenclave_destroy(receiver);
  }
}

/** How many regions an enclave can own: of twelve pages twelve, on a device ten. */
static void regions() {
  int id = PLenclave_schrodinger_get(12 * PAGE);
  struct PLenclave *enclave = made("enclave", "splitter", NORMAL_ENCLAVE, 16, 0);
  PLenclave_set_mem_arg(enclave, id, 0, 12 * PAGE);
  PLenclave_run(enclave);
  say("regions", enclave->user_param.retval);
}

/** How much relay memory there is: a device has 4056 pages, the largest block 2048. */
static void pool() {
  say("4096 pages in one piece", PLenclave_schrodinger_get(4096 * PAGE) > 0);
  int count = 0;
  while (count < 4096 && PLenclave_schrodinger_get(512 * PAGE) > 0)
    count++;
  say("blocks of 512 pages", count);
}

static void shared() {
  struct PLenclave *first = server(0);
  run_part("maker", 7, 0x1234567890abcdef);
  run_part("heir", 8, 0x1234567890abcdef);
  say("destroy of the server", PLenclave_destroy(first));
}

static void servers() {
  server(0);
  run_part("caller", 9, 0);
}

#define DEPTH 17

static void chain() {
  for (int i = 0; i < DEPTH; i++)
    server(i);
  run_part("caller", 10, 0);
  int id = PLenclave_schrodinger_get(PAGE);
  unsigned int *page = PLenclave_schrodinger_at(id, 0);
  struct PLenclave *enclave = made("enclave", "deep", NORMAL_ENCLAVE, 11, 0);
  PLenclave_set_mem_arg(enclave, id, 0, PAGE);
  say("run", PLenclave_run(enclave));
  page[0] += 100;
  PLenclave_set_rerun_arg(enclave, RETURN_USER_RELAY_PAGE);
  say("run again", PLenclave_run(enclave));
  say("at the end", page[0]);
}

static void sectors() {
  struct PLenclave *first = server(0);
  int id = first->user_param.shmid;
  say("sectors without init", (run_part("caller", 12, 0), 0));
  say("init with a shm that is not there", call(PENGLAI_PERSISTENCY_INIT, &(int){5}));
  say("init", PLenclave_fs_persistency_init(id));
  run_part("caller", 12, 0);
  struct stat status;
  stat("/mnt/persistencty_file", &status);
  say("bytes of the file", status.st_size);
  say("init again", PLenclave_fs_persistency_init(id));
}

static void *runner(void *enclave) {
  PLenclave_run(enclave);
  return 0;
}

/** What the published stack does wrong and this one does not; by the rows of the list of surprises. */
static void defects() {
  pthread_t thread;
  int id = PLenclave_schrodinger_get(2 * PAGE);
  struct PLenclave *first = made("enclave", "first", NORMAL_ENCLAVE, 14, 0);
  first->user_param.retval = 77;
  PLenclave_set_mem_arg(first, id, 0, 2 * PAGE);
  pthread_create(&thread, 0, runner, first);
  usleep(20000);
  struct PLenclave *second = made("enclave", "second", NORMAL_ENCLAVE, 4, 0);
  PLenclave_set_mem_arg(second, id, 0, 2 * PAGE);
  say("24: a relay page that another enclave owns", PLenclave_run(second));
  struct PLenclave *twin = made("enclave", "first", NORMAL_ENCLAVE, 4, 0);
  PLenclave_set_mem_arg(twin, PLenclave_schrodinger_get(2 * PAGE), 0, 2 * PAGE);
  say("29: a name that is taken, with relay pages", PLenclave_run(twin));
  say("destroy", PLenclave_destroy(first));
  pthread_join(thread, 0);
  say("7: retval after a destroy", first->user_param.retval);
  say("24: and afterwards", PLenclave_run(second));
  say("29: and afterwards", PLenclave_run(twin));

  struct PLenclave *nameless = made("server", "", SERVER_ENCLAVE, -1, 0);
  struct PLenclave *also = made("enclave", "", NORMAL_ENCLAVE, 4, 0);
  PLenclave_set_mem_arg(also, PLenclave_schrodinger_get(2 * PAGE), 0, 2 * PAGE);
  say("29: no name, as a server has none", PLenclave_run(also));
  say("17: RUN of a server", PLenclave_run(nameless));
  say("17: it is still there", PLenclave_destroy(nameless));

  int shm = PLenclave_shmget(PAGE);
  unsigned *words = PLenclave_shmat(shm, 0);
  words[0] = 0xcccccccc;
  PLenclave_shmdt(shm, words);
  PLenclave_shmctl(shm);
  words = PLenclave_shmat(PLenclave_shmget(PAGE), 0);
  say("26: new shm", words[0]);

  struct PLenclave *template = made("enclave", "template", SHADOW_ENCLAVE, -1, 0);
  say("instance", PLenclave_run(template));
  say("27: attest of an instance that is gone", call(PENGLAI_ENCLAVE_IOC_ATTEST_ENCLAVE, &(struct penglai_enclave_attest_param){
      .eid = template->user_param.eid, .isShadow = 1}));
  say("27: destroy", call(PENGLAI_ENCLAVE_IOC_DESTROY_ENCLAVE, &template->user_param));
  say("27: run", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &template->user_param));
  template->user_param.rerun_reason = 1;
  say("27: run again", call(PENGLAI_ENCLAVE_IOC_RUN_ENCLAVE, &template->user_param));
  say("39: ids of instances", template->user_param.eid);
}

/** Waits inside RUN, in the middle of things, until it is killed. */
static void hang(int part) {
  server(0);
  int id = PLenclave_schrodinger_get(4 * PAGE);
  PLenclave_schrodinger_at(id, 0);
  struct PLenclave *giver = made("enclave", "giver", NORMAL_ENCLAVE, 5, 0);
  PLenclave_set_mem_arg(giver, id, 0, 4 * PAGE);
  PLenclave_run(giver);
  run_part("maker", 7, 99);
  made("enclave", "fresh", NORMAL_ENCLAVE, 0, 0);
  made("enclave", "template", SHADOW_ENCLAVE, 0, 0);
  int own = PLenclave_schrodinger_get(PAGE);
  struct PLenclave *enclave = made("enclave", "looping", NORMAL_ENCLAVE, part, 0);
  PLenclave_set_mem_arg(enclave, own, 0, PAGE);
  printf("hangs\n");
  fflush(stdout);
  PLenclave_run(enclave);
}

/** A child that was forked while the parent has shm and relay maps, and an enclave runs in another thread. */
static void forked() {
  int id = PLenclave_schrodinger_get(2 * PAGE);
  unsigned int *page = PLenclave_schrodinger_at(id, 0);
  page[0] = 1;
  int shm = PLenclave_shmget(PAGE);
  unsigned int *both = PLenclave_shmat(shm, 0);
  int pid = fork();
  if (pid < 0) {
    printf("no fork\n");
    return;
  }
  if (pid == 0) {
    both[0] = 10 + page[0];
    page[0] = 2;
    struct PLenclave *enclave = made("enclave", "child", NORMAL_ENCLAVE, 4, 0);
    PLenclave_set_mem_arg(enclave, id, 0, 2 * PAGE);
    int result = PLenclave_run(enclave);
    /* Goes with its enclave waiting for the rerun. */
    _exit(result == RETURN_USER_RELAY_PAGE ? 3 : 4);
  }
  int status;
  waitpid(pid, &status, 0);
  say("child", WEXITSTATUS(status));
  printf("the parent sees %u %u\n", both[0], page[0]);
  say("detach", PLenclave_schrodinger_dt(id, page));
  say("remove", PLenclave_schrodinger_ctl(id));
  say("detach shm", PLenclave_shmdt(shm, both));
  say("remove shm", PLenclave_shmctl(shm));

  struct PLenclave *enclave = made("enclave", "looping", NORMAL_ENCLAVE, 14, 0);
  pthread_t thread;
  pthread_create(&thread, 0, runner, enclave);
  usleep(20000);
  pid = fork();
  if (pid == 0)
    _exit(PLenclave_destroy(enclave) == 0);
  waitpid(pid, &status, 0);
  say("a child may not destroy it", WEXITSTATUS(status));
  pid = fork();
  if (pid == 0) {
    /* exec while an enclave of this process exists. */
    made("enclave", "left", NORMAL_ENCLAVE, 0, 0);
    execl("/root/host", "host", "nothing", (char *)0);
    _exit(9);
  }
  waitpid(pid, &status, 0);
  say("exec with an enclave", WEXITSTATUS(status));
  say("destroy", PLenclave_destroy(enclave));
  pthread_join(thread, 0);
}

/** A child inside RUN of an enclave that never ends; with `other`, another thread of it is, and the child executes a program. */
static int looping(int other) {
  int pid = fork();
  if (pid != 0)
    return pid;
  struct PLenclave *enclave = made("enclave", "looping", NORMAL_ENCLAVE, 14, 0);
  if (other) {
    pthread_t thread;
    pthread_create(&thread, 0, runner, enclave);
    usleep(30000);
    execl("/root/host", "host", "nothing", (char *)0);
  }
  PLenclave_run(enclave);
  _exit(9);
}

/** Hosts of looping enclaves are killed, stopped and replaced, as a shell does it. */
static void killed() {
  const int signals[] = {SIGTERM, SIGKILL, SIGINT};
  int status;
  for (int i = 0; i < 3; i++) {
    int pid = looping(0);
    usleep(40000);
    kill(pid, signals[i]);
    say("waited", waitpid(pid, &status, 0) == pid);
    say("killed by", WTERMSIG(status));
  }
  int pid = looping(0);
  usleep(40000);
  kill(pid, SIGSTOP);
  say("waited", waitpid(pid, &status, WUNTRACED) == pid);
  say("stopped by", WSTOPSIG(status));
  kill(pid, SIGCONT);
  say("waited", waitpid(pid, &status, WCONTINUED) == pid);
  say("continued", WIFCONTINUED(status));
  kill(pid, SIGTERM);
  say("waited", waitpid(pid, &status, 0) == pid);
  say("killed by", WTERMSIG(status));
  pid = looping(1);
  say("waited", waitpid(pid, &status, 0) == pid);
  say("executed, exit status", status);
}

int main(int argc, char **argv) {
  const char *part = argc > 1 ? argv[1] : "";
  device = open(PENGLAI_ENCLAVE_DEV_PATH, O_RDWR);
  if (!strcmp(part, "ioctls"))
    ioctls();
  else if (!strcmp(part, "create"))
    create();
  else if (!strcmp(part, "entry"))
    entry();
  else if (!strcmp(part, "memory"))
    run_part("memory", 1, 0);
  else if (!strcmp(part, "calls"))
    run_part("calls", 2, 0);
  else if (!strcmp(part, "text"))
    run_part("text", 3, 0);
  else if (!strcmp(part, "relay"))
    relay();
  else if (!strcmp(part, "transfer"))
    transfer();
  else if (!strcmp(part, "regions"))
    regions();
  else if (!strcmp(part, "pool"))
    pool();
  else if (!strcmp(part, "shared"))
    shared();
  else if (!strcmp(part, "servers"))
    servers();
  else if (!strcmp(part, "chain"))
    chain();
  else if (!strcmp(part, "sectors"))
    sectors();
  else if (!strcmp(part, "defects"))
    defects();
  else if (!strcmp(part, "random"))
    run_part("random", 17, 0);
  else if (!strcmp(part, "floats"))
    run_part("floats", 13, 0);
  else if (!strcmp(part, "hang"))
    hang(14);
  else if (!strcmp(part, "hang-returned"))
    hang(15), sleep(1000);
  else if (!strcmp(part, "forked"))
    forked();
  else if (!strcmp(part, "killed"))
    killed();
  return 0;
}

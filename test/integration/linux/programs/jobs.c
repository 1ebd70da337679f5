// Job control as a shell does it: groups in the foreground and in the background of a terminal, typed signals, stopped and continued jobs.
// Whatever is typed arrives when everything waits for it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int go[2];

static void check(const char *what, long got, long wanted) {
  if (got == wanted) printf("%s: ok\n", what);
  else printf("%s: got %ld, not %ld (errno %d)\n", what, got, wanted, errno);
}

/** A child in a group of its own, that begins when the parent has put it where it belongs. */
static pid_t job(int foreground, void (*body)(void)) {
  pipe(go);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char byte;
    setpgid(0, 0);
    for (int s = SIGINT; s <= SIGTTOU; s++) if (s != SIGKILL && s != SIGSTOP) signal(s, SIG_DFL);
    close(go[1]);
    read(go[0], &byte, 1);
    body();
    exit(0);
  }
  setpgid(pid, pid);
  if (foreground) tcsetpgrp(0, pid);
  close(go[0]);
  close(go[1]);
  return pid;
}

static int waited(pid_t pid) {
  int status = -1;
  if (waitpid(pid, &status, WUNTRACED | WCONTINUED) != pid) return -1;
  tcsetpgrp(0, getpgrp());
  if (WIFSTOPPED(status)) return 1000 + WSTOPSIG(status);
  if (WIFCONTINUED(status)) return 3000;
  return WIFSIGNALED(status) ? 2000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void read_line(void) {
  char line[64] = {0};
  ssize_t count = read(0, line, sizeof line);
  exit(count == 4 && memcmp(line, "one\n", 4) == 0 ? 0 : 1);
}
static void wait_forever(void) { for (;;) pause(); }
static void write_line(void) {
  printf("from the background\n");
  exit(5);
}
static void take_over(void) { exit(tcsetpgrp(0, getpgrp()) == 0 ? 6 : 7); }
static void ignore_and_read(void) {
  char byte;
  signal(SIGTTIN, SIG_IGN);
  exit(read(0, &byte, 1) < 0 && errno == EIO ? 8 : 9);
}
static void interrupted(int number) { _exit(40 + number); }
static void catch_and_wait(void) {
  signal(SIGINT, interrupted);
  wait_forever();
}

static void settings(void) {
  struct termios old, raw;
  char bytes[16];
  tcgetattr(0, &old);
  check("canonical", old.c_lflag & (ICANON | ECHO | ISIG), ICANON | ECHO | ISIG);
  raw = old;
  cfmakeraw(&raw);
  raw.c_oflag = old.c_oflag;
  tcsetattr(0, TCSADRAIN, &raw);
  check("one byte", read(0, bytes, sizeof bytes), 1);
  check("it is ^C", bytes[0], 3);
  raw.c_cc[VMIN] = 0;
  tcsetattr(0, TCSADRAIN, &raw);
  check("nothing typed", read(0, bytes, sizeof bytes), 0);
  tcsetattr(0, TCSAFLUSH, &old);
  struct winsize size;
  ioctl(0, TIOCGWINSZ, &size);
  check("rows", size.ws_row, 24);
  check("columns", size.ws_col, 80);
}

static void editing(void) {
  char line[64] = {0};
  ssize_t count = read(0, line, sizeof line);
  check("an edited line", count, 10);
  check("its text", strcmp(line, "left right"), 0);
  count = read(0, line, sizeof line);
  check("the line goes on", count, 1);
  check("end of file", read(0, line, sizeof line), 0);
  count = read(0, line, 2);
  check("a part of a line", count, 2);
  check("the rest of it", read(0, line, sizeof line), 3);
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  for (int s = SIGINT; s <= SIGTTOU; s++)
    if (s == SIGINT || s == SIGQUIT || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU) signal(s, SIG_IGN);
  check("a terminal", isatty(0) + isatty(1) + isatty(2), 3);
  check("foreground", tcgetpgrp(0), getpgrp());
  check("session", tcgetsid(0), getpid());
  int tty = open("/dev/tty", O_RDWR);
  check("/dev/tty", isatty(tty), 1);
  close(tty);
  editing();
  settings();
  check("a job reads what is typed", waited(job(1, read_line)), 0);
  pid_t pid = job(0, read_line);
  check("in the background it is stopped", waited(pid), 1000 + SIGTTIN);
  tcsetpgrp(0, pid);
  kill(-pid, SIGCONT);
  check("in the foreground it is continued", waited(pid), 3000);
  tcsetpgrp(0, pid);
  check("and reads", waited(pid), 0);
  check("^C ends a job", waited(job(1, wait_forever)), 2000 + SIGINT);
  check("^\\ ends a job", waited(job(1, wait_forever)), 2000 + SIGQUIT);
  check("^C is caught", waited(job(1, catch_and_wait)), 40 + SIGINT);
  pid = job(1, wait_forever);
  check("^Z stops a job", waited(pid), 1000 + SIGTSTP);
  kill(pid, SIGTERM);
  int status;
  check("a stopped job does not see a signal", waitpid(pid, &status, WNOHANG), 0);
  kill(-pid, SIGCONT);
  check("it is continued", waited(pid), 3000);
  check("and sees it", waited(pid), 2000 + SIGTERM);
  pid = job(0, wait_forever);
  kill(pid, SIGSTOP);
  check("stopped", waited(pid), 1000 + SIGSTOP);
  kill(pid, SIGKILL);
  check("a stopped job is killed", waited(pid), 2000 + SIGKILL);
  check("output of the background", waited(job(0, write_line)), 5);
  struct termios settings;
  tcgetattr(0, &settings);
  settings.c_lflag |= TOSTOP;
  tcsetattr(0, TCSANOW, &settings);
  pid = job(0, write_line);
  check("is stopped when that is wanted", waited(pid), 1000 + SIGTTOU);
  kill(-pid, SIGKILL);
  check("killed", waited(pid), 2000 + SIGKILL);
  pid = job(0, take_over);
  check("the terminal is not taken from the background", waited(pid), 1000 + SIGTTOU);
  kill(-pid, SIGKILL);
  waited(pid);
  check("who ignores SIGTTIN gets an error", waited(job(0, ignore_and_read)), 8);
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    setsid();
    exit(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 0 : 1);
  }
  check("a new session has no terminal", waited(pid), 0);
  return 0;
}

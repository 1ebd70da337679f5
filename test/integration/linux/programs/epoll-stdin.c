// Standard input is waited for with epoll, poll and select in turn.
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

static void show(const char *how, int n) {
  char text[64];
  int length = read(0, text, sizeof text - 1);
  text[length] = 0;
  printf("%s %d: %s%s", how, n, text, length ? "" : "end\n");
  fflush(stdout);
}

int main(void) {
  int ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(ep, EPOLL_CTL_ADD, 0, &event);
  show("epoll", epoll_wait(ep, &event, 1, -1));
  struct pollfd look = {.fd = 0, .events = POLLIN};
  show("poll", poll(&look, 1, -1));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(0, &set);
  show("select", select(1, &set, NULL, NULL, NULL));
  return 0;
}

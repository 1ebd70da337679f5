// Unix and loopback sockets: streams, datagrams, sequenced packets, names, options, errors, descriptors sent along.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/** A result, or the error number below zero. */
static int result(long value) { return value < 0 ? -errno : (int)value; }
static void say(const char *what, long value) { printf("%s %d\n", what, result(value)); }
static int events(int fd, int wanted) {
  struct pollfd look = {.fd = fd, .events = wanted};
  poll(&look, 1, 0);
  return look.revents;
}
#define ALL (POLLIN | POLLOUT | POLLRDHUP)
static struct sockaddr_in local(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}
static int port_of(int fd) {
  struct sockaddr_in6 address;
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  return ntohs(address.sin6_port);
}
static int listening(int *port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = local(0);
  bind(fd, (struct sockaddr *)&address, sizeof address);
  listen(fd, 5);
  *port = port_of(fd);
  return fd;
}
static int connected(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = local(port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) return -errno;
  return fd;
}
static void tcp_pair(int pair[2]) {
  int port, listener = listening(&port);
  pair[0] = connected(port);
  pair[1] = accept(listener, NULL, NULL);
  close(listener);
}
static void show(const char *what, int fd, int flags) {
  char text[64] = "";
  int n = recv(fd, text, sizeof text - 1, flags);
  if (n < 0) printf("%s: %d\n", what, -errno);
  else printf("%s: %d '%s'\n", what, n, text);
}

static void pairs(void) {
  const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
  for (int i = 0; i < 3; i++) {
    int s[2];
    say("pair", socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, s));
    printf("events %x\n", events(s[0], ALL));
    send(s[0], "one", 3, 0), send(s[0], "two", 3, 0);
    int waiting;
    ioctl(s[1], FIONREAD, &waiting);
    printf("waiting %d\n", waiting);
    show("peek", s[1], MSG_PEEK);
    char two[2];
    printf("short %d", result(recv(s[1], two, 2, MSG_TRUNC)));
    printf(" %.2s\n", two);
    show("next", s[1], 0);
    show("nothing", s[1], MSG_DONTWAIT);
    struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
    printf("writev %d", result(writev(s[1], parts, 2)));
    char a[4] = "", b[4] = "";
    struct iovec into[2] = {{a, 3}, {b, 3}};
    printf(" readv %d", result(readv(s[0], into, 2)));
    printf(" %s %s\n", a, b);
    say("half", shutdown(s[0], SHUT_WR));
    printf("events %x %x\n", events(s[0], ALL), events(s[1], ALL));
    if (types[i] != SOCK_DGRAM) show("end", s[1], 0);
    say("after", send(s[0], "x", 1, MSG_NOSIGNAL));
    say("other way", send(s[1], "y", 1, MSG_NOSIGNAL));
    show("other way", s[0], 0);
    send(s[1], "unread", 6, 0);
    close(s[0]);
    printf("events %x\n", events(s[1], ALL));
    show("peer gone", s[1], MSG_DONTWAIT);
    show("peer gone", s[1], MSG_DONTWAIT);
    say("to nobody", send(s[1], "x", 1, MSG_NOSIGNAL));
    close(s[1]);
  }
}

static void unix_names(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "server.sock"}, other;
  socklen_t length = sizeof other;
  unlink(name.sun_path);
  int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  printf("fresh %x\n", events(client, ALL));
  say("nobody", connect(client, (struct sockaddr *)&name, sizeof name));
  say("bind", bind(server, (struct sockaddr *)&name, sizeof name));
  say("again", bind(server, (struct sockaddr *)&name, sizeof name));
  say("not listening", connect(client, (struct sockaddr *)&name, sizeof name));
  struct stat info;
  printf("stat %d", stat(name.sun_path, &info));
  printf(" %d", S_ISSOCK(info.st_mode));
  printf(" open %d\n", result(open(name.sun_path, O_RDWR)));
  int second = socket(AF_UNIX, SOCK_STREAM, 0);
  say("taken", bind(second, (struct sockaddr *)&name, sizeof name));
  say("listen", listen(server, 1));
  printf("listening %x\n", events(server, ALL));
  say("connect", connect(client, (struct sockaddr *)&name, sizeof name));
  say("twice", connect(client, (struct sockaddr *)&name, sizeof name));
  printf("listening %x\n", events(server, ALL));
  int clients[4];
  for (int i = 0; i < 3; i++) {
    clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    say("more", connect(clients[i], (struct sockaddr *)&name, sizeof name));
  }
  send(client, "early", 5, 0);
  int end = accept4(server, (struct sockaddr *)&other, &length, SOCK_CLOEXEC);
  printf("accepted %d length %u\n", end >= 0, length);
  show("early", end, 0);
  length = sizeof other;
  getpeername(client, (struct sockaddr *)&other, &length);
  printf("peer %s %u\n", other.sun_path, length);
  length = sizeof other;
  getsockname(end, (struct sockaddr *)&other, &length);
  printf("own %s\n", other.sun_path);
  struct ucred credentials;
  length = sizeof credentials;
  getsockopt(end, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
  printf("credentials %d %u\n", credentials.pid == getpid(), length);
  close(server);
  show("cut off", clients[0], 0);
  printf("unlink %d", unlink(name.sun_path));
  printf(" %d\n", result(connect(second, (struct sockaddr *)&name, sizeof name)));

  struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0hidden"};
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 7;
  int receiver = socket(AF_UNIX, SOCK_DGRAM, 0), sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  say("abstract", bind(receiver, (struct sockaddr *)&abstract, size));
  say("taken", bind(sender, (struct sockaddr *)&abstract, size));
  say("automatic", bind(sender, (struct sockaddr *)&abstract, sizeof(sa_family_t)));
  length = sizeof other;
  getsockname(sender, (struct sockaddr *)&other, &length);
  printf("automatic %u %d\n", length, other.sun_path[0]);
  say("send", sendto(sender, "gram", 4, 0, (struct sockaddr *)&abstract, size));
  char text[16] = "";
  length = sizeof other;
  printf("from %d", result(recvfrom(receiver, text, sizeof text, 0, (struct sockaddr *)&other, &length)));
  printf(" %s %u\n", text, length);
  int sent = 0;
  while (sendto(sender, "fill", 4, 0, (struct sockaddr *)&abstract, size) == 4) sent++;
  printf("fits %d %d\n", sent, errno);
  say("wrong type", connect(second, (struct sockaddr *)&abstract, size));
  say("connect", connect(receiver, (struct sockaddr *)&other, length));
  say("not its peer", sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&abstract, size));
  close(receiver);
  say("gone", sendto(sender, "x", 1, 0, (struct sockaddr *)&abstract, size));
}

static int send_fds(int to, int *fds, int count, const char *text) {
  char control[CMSG_SPACE(sizeof(int) * 8)] = {0};
  struct iovec part = {(void *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(sizeof(int) * count);
  memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
  return result(sendmsg(to, &message, 0));
}
static int receive_fds(int from, int *fds, int room, int size) {
  char control[256] = {0}, text[16] = "";
  struct iovec part = {text, size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
  int n = recvmsg(from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  printf("received %d '%s' flags %x control %zu:", result(n), text, message.msg_flags, message.msg_controllen);
  int count = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); n >= 0 && header; header = CMSG_NXTHDR(&message, header)) {
    int items = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    printf(" type %d items %d", header->cmsg_type, items);
    if (header->cmsg_type == SCM_RIGHTS) memcpy(fds, CMSG_DATA(header), sizeof(int) * (count = items));
    if (header->cmsg_type == SCM_CREDENTIALS) printf(" mine %d", *(int *)CMSG_DATA(header) == getpid());
  }
  printf("\n");
  return count;
}

static void rights(void) {
  int s[2], p[2], q[2], fds[8], on = 1;
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p), pipe(q);
  printf("sent %d\n", send_fds(s[0], (int[]){p[1], q[1]}, 2, "two"));
  send(s[0], "more", 4, 0);
  close(p[1]), close(q[1]);
  int n = receive_fds(s[1], fds, 256, 2);
  printf("got %d cloexec %d\n", n, fcntl(fds[0], F_GETFD));
  receive_fds(s[1], fds + 4, 256, 15);
  (void)!write(fds[0], "through", 7);
  char text[16] = "";
  printf("pipe %zd", read(p[0], text, 16));
  printf(" %s\n", text);
  close(fds[0]), close(fds[1]);
  printf("closed %x %x\n", events(p[0], ALL), events(q[0], ALL));
  pipe(p);
  send_fds(s[0], (int[]){p[1], p[0]}, 2, "cut");
  receive_fds(s[1], fds, CMSG_LEN(sizeof(int)), 15);
  close(fds[0]), close(p[1]);
  printf("dropped %x\n", events(p[0], ALL));
  pipe(p);
  send_fds(s[0], &p[1], 1, "ignored");
  close(p[1]);
  show("plain", s[1], 0);
  printf("dropped %x\n", events(p[0], ALL));
  pipe(p);
  send_fds(s[0], &p[1], 1, "lost");
  close(p[1]), close(s[1]);
  printf("with its socket %x\n", events(p[0], ALL));
  close(s[0]);
  printf("bad %d\n", send_fds(s[0], &p[1], 1, "x"));
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  printf("bad fd %d\n", send_fds(s[0], (int[]){99}, 1, "x"));
  setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  send(s[0], "who", 3, 0);
  receive_fds(s[1], fds, 256, 15);
  // A cycle: each socket is in the queue of the other, and a pipe's end goes with them.
  pipe(p);
  send_fds(s[0], (int[]){s[0], s[1], p[1]}, 3, "a");
  send_fds(s[1], (int[]){s[0], s[1]}, 2, "b");
  close(p[1]), close(s[0]);
  printf("still there %x\n", events(p[0], ALL));
  close(s[1]);
  // Linux collects in a worker of its own, when a socket is closed.
  for (int i = 0; i < 500 && !(events(p[0], ALL) & POLLHUP); i++) close(socket(AF_UNIX, SOCK_STREAM, 0)), usleep(1000);
  printf("collected %x\n", events(p[0], ALL));
}

static void tcp(void) {
  int port, listener = listening(&port), s[2];
  printf("listening %x\n", events(listener, ALL));
  int client = connected(port);
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  int end = accept(listener, (struct sockaddr *)&address, &length);
  printf("from %s %d %u\n", inet_ntoa(address.sin_addr), ntohs(address.sin_port) == port_of(client), length);
  printf("name %d\n", port_of(end) == port);
  printf("events %x\n", events(client, ALL));
  send(client, "hello ", 6, 0), send(client, "world", 5, 0);
  char text[32] = "";
  printf("all %d", result(recv(end, text, 11, MSG_WAITALL)));
  printf(" %s\n", text);
  say("half", shutdown(client, SHUT_WR));
  printf("events %x %x\n", events(client, ALL), events(end, ALL));
  show("end", end, 0);
  send(end, "answer", 6, 0);
  show("answer", client, 0);
  close(end);
  printf("events %x\n", events(client, ALL));
  show("end", client, 0);
  say("not any more", send(client, "x", 1, MSG_NOSIGNAL));
  close(client);

  tcp_pair(s);
  send(s[0], "lost", 4, 0);
  usleep(1000);
  close(s[1]);
  usleep(1000);
  printf("reset %x\n", events(s[0], ALL));
  show("reset", s[0], 0);
  show("then", s[0], 0);
  say("then", send(s[0], "x", 1, MSG_NOSIGNAL));
  close(s[0]);

  tcp_pair(s);
  close(s[1]);
  usleep(1000);
  say("first", send(s[0], "x", 1, MSG_NOSIGNAL));
  usleep(1000);
  say("second", send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("events %x\n", events(s[0], ALL));
  close(s[0]);

  tcp_pair(s);
  struct linger now = {1, 0};
  setsockopt(s[1], SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(s[1]);
  usleep(1000);
  show("abort", s[0], 0);
  close(s[0]);

  close(listener);
  printf("refused %d\n", connected(port));
  int nonblocking = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error;
  printf("fresh %x\n", events(nonblocking, ALL));
  say("unconnected", recv(nonblocking, text, 1, 0));
  say("unconnected", send(nonblocking, text, 1, MSG_NOSIGNAL));
  address = local(port);
  say("started", connect(nonblocking, (struct sockaddr *)&address, sizeof address));
  usleep(1000);
  printf("events %x", events(nonblocking, ALL));
  length = sizeof error;
  getsockopt(nonblocking, SOL_SOCKET, SO_ERROR, &error, &length);
  printf(" error %d", error);
  getsockopt(nonblocking, SOL_SOCKET, SO_ERROR, &error, &length);
  printf(" %d\n", error);
  close(nonblocking);
  listener = listening(&port);
  nonblocking = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  address = local(port);
  say("started", connect(nonblocking, (struct sockaddr *)&address, sizeof address));
  usleep(1000);
  printf("events %x\n", events(nonblocking, ALL));
  say("again", connect(nonblocking, (struct sockaddr *)&address, sizeof address));
  say("again", connect(nonblocking, (struct sockaddr *)&address, sizeof address));
  close(listener);
  usleep(1000);
  show("listener gone", nonblocking, 0);
  close(nonblocking);

  int first = listening(&port), second = socket(AF_INET, SOCK_STREAM, 0);
  address = local(port);
  say("in use", bind(second, (struct sockaddr *)&address, sizeof address));
  int on = 1;
  setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  say("in use", bind(second, (struct sockaddr *)&address, sizeof address));
  address.sin_addr.s_addr = htonl(0x08080808);
  say("not ours", bind(second, (struct sockaddr *)&address, sizeof address));
  say("listen", listen(second, 1));
  printf("has a port %d\n", port_of(second) > 0);
  say("accept", accept4(second, NULL, NULL, 12345));
  fcntl(second, F_SETFL, O_NONBLOCK);
  say("nobody", accept(second, NULL, NULL));
  say("not listening", accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL));
  say("no stream", accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
  say("no socket", listen(epoll_create1(0), 1));
  say("bad", listen(99, 1));
  close(first), close(second);
}

static void six(void) {
  int server = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 any = {.sin6_family = AF_INET6}, from;
  say("bind", bind(server, (struct sockaddr *)&any, sizeof any));
  listen(server, 3);
  int client = connected(port_of(server));
  socklen_t length = sizeof from;
  int end = accept(server, (struct sockaddr *)&from, &length);
  char text[64];
  printf("mapped %s %u\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text), length);
  send(client, "4 to 6", 6, 0);
  show("got", end, 0);
  int other = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 loop = {.sin6_family = AF_INET6, .sin6_port = htons(port_of(server)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  say("connect", connect(other, (struct sockaddr *)&loop, sizeof loop));
  length = sizeof from;
  close(accept(server, (struct sockaddr *)&from, &length));
  printf("own %s\n", inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof text));
  int only = socket(AF_INET6, SOCK_STREAM, 0), on = 1;
  setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  bind(only, (struct sockaddr *)&any, sizeof any), listen(only, 1);
  printf("not for 4: %d\n", connected(port_of(only)));
}

static void udp(void) {
  int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in at = local(0), from;
  socklen_t length = sizeof from;
  bind(a, (struct sockaddr *)&at, sizeof at);
  at = local(port_of(a));
  printf("events %x\n", events(a, ALL));
  say("nowhere", send(b, "x", 1, 0));
  say("send", sendto(b, "datagram", 8, 0, (struct sockaddr *)&at, sizeof at));
  sendto(b, "", 0, 0, (struct sockaddr *)&at, sizeof at);
  char text[16] = "";
  int n = recvfrom(a, text, 4, 0, (struct sockaddr *)&from, &length);
  printf("cut %d %s from me %d\n", n, text, ntohs(from.sin_port) == port_of(b));
  printf("empty %d\n", result(recv(a, text, 4, 0)));
  sendto(a, "back", 4, 0, (struct sockaddr *)&from, length);
  show("back", b, 0);
  say("connect", connect(b, (struct sockaddr *)&at, sizeof at));
  int c = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to_b = local(port_of(b));
  sendto(c, "stranger", 8, 0, (struct sockaddr *)&to_b, sizeof to_b);
  show("only its peer", b, MSG_DONTWAIT);
  close(a);
  say("sent", send(b, "x", 1, 0));
  usleep(1000);
  printf("events %x\n", events(b, ALL));
  say("refused", send(b, "x", 1, 0));
  static char big[70000];
  say("too long", sendto(c, big, sizeof big, 0, (struct sockaddr *)&to_b, sizeof to_b));
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  say("disconnect", connect(b, &none, sizeof none));
  printf("keeps its port %d\n", port_of(b) != 0);
  to_b = local(0);
  say("bind", bind(b, (struct sockaddr *)&to_b, sizeof to_b));
  to_b = local(port_of(b));
  struct mmsghdr many[3] = {0};
  struct iovec parts[3] = {{"1", 1}, {"22", 2}, {"333", 3}};
  for (int i = 0; i < 3; i++) many[i].msg_hdr = (struct msghdr){.msg_name = &to_b, .msg_namelen = sizeof to_b, .msg_iov = &parts[i], .msg_iovlen = 1};
  say("sendmmsg", sendmmsg(c, many, 3, 0));
  char into[4][8];
  struct mmsghdr in[4] = {0};
  struct iovec slots[4];
  for (int i = 0; i < 4; i++) slots[i] = (struct iovec){into[i], 8}, in[i].msg_hdr = (struct msghdr){.msg_iov = &slots[i], .msg_iovlen = 1};
  n = recvmmsg(b, in, 4, MSG_WAITFORONE, NULL);
  printf("recvmmsg %d %u %u %u\n", n, in[0].msg_len, in[1].msg_len, in[2].msg_len);
}

static void options(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), value, on = 1;
  socklen_t length = sizeof value;
  const int names[] = {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_REUSEADDR, SO_KEEPALIVE, SO_ERROR};
  for (int i = 0; i < 7; i++) {
    value = -1;
    getsockopt(fd, SOL_SOCKET, names[i], &value, &length);
    printf("%d ", value);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length);
  printf("nodelay %d\n", value);
  value = 5000;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &length);
  printf("buffer %d\n", value);
  say("unknown", setsockopt(fd, SOL_SOCKET, 9999, &on, sizeof on));
  say("unknown", getsockopt(fd, IPPROTO_TCP, 9999, &value, &length));
  say("short", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, 1));
  say("no socket", getsockopt(epoll_create1(0), SOL_SOCKET, SO_TYPE, &value, &length));
  say("family", socket(77, SOCK_STREAM, 0));
  say("type", socket(AF_UNIX, 9, 0));
  say("protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  struct timeval time = {0, 3000};
  say("timeout", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  show("in time", s[0], 0);
  say("no pair", socketpair(AF_INET, SOCK_STREAM, 0, s));
}

static int echo_port;
static void *serve(void *arg) {
  int fd = (int)(long)arg, n;
  char text[256];
  while ((n = recv(fd, text, sizeof text, 0)) > 0) send(fd, text, n, 0);
  close(fd);
  return NULL;
}
static void *talk(void *arg) {
  int fd = connected(echo_port);
  long sum = 0;
  char text[600], back[600];
  for (int i = 0; i < 20; i++) {
    memset(text, 'a' + i, sizeof text);
    send(fd, text, sizeof text, 0);
    int n = recv(fd, back, sizeof back, MSG_WAITALL);
    sum += n + (memcmp(text, back, sizeof text) != 0) * 1000000;
  }
  close(fd);
  return (void *)sum;
}
static void echo(void) {
  int listener = listening(&echo_port);
  pthread_t clients[6], servers[6];
  for (int i = 0; i < 6; i++) pthread_create(&clients[i], NULL, talk, NULL);
  for (int i = 0; i < 6; i++) pthread_create(&servers[i], NULL, serve, (void *)(long)accept(listener, NULL, NULL));
  long sum = 0;
  for (int i = 0; i < 6; i++) {
    void *one;
    pthread_join(clients[i], &one), pthread_join(servers[i], NULL);
    sum += (long)one;
  }
  printf("echoed %ld\n", sum);
  // A process at the other end, with more than the buffers hold, through epoll.
  int s[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pid_t child = fork();
  if (child == 0) {
    close(s[0]);
    static char block[40000];
    long total = 0;
    for (int n; (n = read(s[1], block, sizeof block)) > 0;) total += n;
    write(s[1], &total, sizeof total);
    _exit(total == 1000000 ? 7 : 1);
  }
  close(s[1]);
  fcntl(s[0], F_SETFL, O_NONBLOCK);
  int ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLOUT | EPOLLET};
  epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &event);
  static char block[50000];
  for (long left = 1000000; left > 0;) {
    int n = write(s[0], block, left < 50000 ? left : 50000);
    if (n > 0) left -= n;
    else if (errno == EAGAIN) epoll_wait(ep, &event, 1, -1);
    else break;
  }
  shutdown(s[0], SHUT_WR);
  event.events = EPOLLIN;
  epoll_ctl(ep, EPOLL_CTL_MOD, s[0], &event);
  epoll_wait(ep, &event, 1, -1);
  long total = 0;
  int status;
  printf("told %d", result(read(s[0], &total, sizeof total)));
  printf(" %ld", total);
  waitpid(child, &status, 0);
  printf(" exit %d\n", WEXITSTATUS(status));
}

static int caught;
static void onsignal(int number) { caught = number; }
static void *later(void *arg) {
  usleep(2000);
  if (arg) pthread_kill(*(pthread_t *)arg, SIGUSR1);
  return NULL;
}
static void interruptions(void) {
  int s[2];
  struct sigaction action = {.sa_handler = onsignal};
  sigaction(SIGUSR1, &action, NULL), sigaction(SIGPIPE, &action, NULL);
  pthread_t self = pthread_self(), thread;
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pthread_create(&thread, NULL, later, &self);
  show("interrupted", s[0], 0);
  pthread_join(thread, NULL);
  close(s[1]);
  say("broken", write(s[0], "x", 1));
  printf("caught %d\n", caught == SIGPIPE);
  int port, listener = listening(&port);
  pthread_create(&thread, NULL, later, &self);
  say("accept", accept(listener, NULL, NULL));
  pthread_join(thread, NULL);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  pairs(), unix_names(), rights(), tcp(), six(), udp(), options(), echo(), interruptions();
  return 0;
}

/**
 * One row per system call: its arguments by name and kind, and the kind of its result, from the manual pages (man section 2). The log of
 * system calls and docs/system-calls.md are made from these rows and the table of handlers.
 *
 * `name:kind`; a kind ending in `!` is read when the call returns. Lengths are names of other arguments, or `result`.
 */

const ROWS = `
setxattr        path:path name:string value:pointer size:unsigned flags:hex
lsetxattr       path:path name:string value:pointer size:unsigned flags:hex
fsetxattr       fd:fd name:string value:pointer size:unsigned flags:hex
getxattr        path:path name:string value:pointer size:unsigned
lgetxattr       path:path name:string value:pointer size:unsigned
fgetxattr       fd:fd name:string value:pointer size:unsigned
listxattr       path:path list:pointer size:unsigned
llistxattr      path:path list:pointer size:unsigned
flistxattr      fd:fd list:pointer size:unsigned
removexattr     path:path name:string
lremovexattr    path:path name:string
fremovexattr    fd:fd name:string
getcwd          buf:path! size:unsigned
eventfd2        initval:unsigned flags:EFD
epoll_create1   flags:EPOLL
epoll_ctl       epfd:fd op:EPOLL_CTL fd:fd event:pointer
epoll_pwait     epfd:fd events:pointer maxevents:int timeout:int sigmask:sigset sigsetsize:unsigned
epoll_pwait2    epfd:fd events:pointer maxevents:int timeout:timespec sigmask:sigset sigsetsize:unsigned
dup             oldfd:fd
dup3            oldfd:fd newfd:fd flags:OF
fcntl           fd:fd cmd:F arg:hex
inotify_init1   flags:OF
inotify_add_watch fd:fd path:path mask:hex
inotify_rm_watch fd:fd wd:int
ioctl           fd:fd request:ioctl arg:hex
flock           fd:fd operation:LOCK
mknodat         dirfd:dirfd path:path mode:mode dev:hex
mkdirat         dirfd:dirfd path:path mode:mode
unlinkat        dirfd:dirfd path:path flags:AT
symlinkat       target:path newdirfd:dirfd linkpath:path
linkat          olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:AT
renameat        olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path
umount2         target:path flags:hex
mount           source:path target:path type:string flags:hex data:pointer
statfs          path:path buf:pointer
fstatfs         fd:fd buf:pointer
truncate        path:path length:int
ftruncate       fd:fd length:int
fallocate       fd:fd mode:hex offset:int len:int
faccessat       dirfd:dirfd path:path mode:access
chdir           path:path
fchdir          fd:fd
chroot          path:path
fchmod          fd:fd mode:mode
fchmodat        dirfd:dirfd path:path mode:mode
fchownat        dirfd:dirfd path:path owner:int group:int flags:AT
fchown          fd:fd owner:int group:int
openat          dirfd:dirfd path:path flags:O mode:mode
close           fd:fd
pipe2           pipefd:fds! flags:OF
getdents64      fd:fd dirp:pointer count:unsigned
lseek           fd:fd offset:int whence:SEEK
read            fd:fd buf:bytes(result)! count:unsigned
write           fd:fd buf:bytes(count) count:unsigned
readv           fd:fd iov:iovec(iovcnt) iovcnt:int
writev          fd:fd iov:iovec(iovcnt) iovcnt:int
pread64         fd:fd buf:bytes(result)! count:unsigned offset:int
pwrite64        fd:fd buf:bytes(count) count:unsigned offset:int
preadv          fd:fd iov:iovec(iovcnt) iovcnt:int offset:int
pwritev         fd:fd iov:iovec(iovcnt) iovcnt:int offset:int
sendfile        out_fd:fd in_fd:fd offset:pointer count:unsigned
pselect6        nfds:int readfds:pointer writefds:pointer exceptfds:pointer timeout:timespec sigmask:pointer
ppoll           fds:pollfds(nfds) nfds:unsigned tmo:timespec sigmask:sigset sigsetsize:unsigned
signalfd4       fd:int mask:sigset sizemask:unsigned flags:OF
vmsplice        fd:fd iov:iovec(nr) nr:unsigned flags:hex
splice          fd_in:fd off_in:pointer fd_out:fd off_out:pointer len:unsigned flags:hex
tee             fd_in:fd fd_out:fd len:unsigned flags:hex
readlinkat      dirfd:dirfd path:path buf:bytes(result)! bufsiz:unsigned
newfstatat      dirfd:dirfd path:path statbuf:stat! flags:AT
fstat           fd:fd statbuf:stat!
sync
fsync           fd:fd
fdatasync       fd:fd
sync_file_range fd:fd offset:int nbytes:int flags:hex
timerfd_create  clockid:clock flags:OF
timerfd_settime fd:fd flags:hex new_value:pointer old_value:pointer
timerfd_gettime fd:fd curr_value:pointer
utimensat       dirfd:dirfd path:path times:pointer flags:AT
capget          hdrp:pointer datap:pointer
capset          hdrp:pointer datap:pointer
personality     persona:hex
exit            status:int = none
exit_group      status:int = none
waitid          which:int id:int infop:pointer options:W rusage:pointer
set_tid_address tidptr:pointer
unshare         flags:CLONE
futex           uaddr:pointer op:futex val:unsigned timeout:hex uaddr2:pointer val3:hex
set_robust_list head:pointer len:unsigned
get_robust_list pid:int head_ptr:pointer len_ptr:pointer
nanosleep       req:timespec rem:pointer
getitimer       which:int curr_value:pointer
setitimer       which:int new_value:pointer old_value:pointer
init_module     image:pointer len:unsigned params:string
delete_module   name:string flags:OF
timer_create    clockid:clock sevp:pointer timerid:pointer
timer_gettime   timerid:int curr_value:pointer
timer_getoverrun timerid:int
timer_settime   timerid:int flags:hex new_value:pointer old_value:pointer
timer_delete    timerid:int
clock_settime   clockid:clock tp:timespec
clock_gettime   clockid:clock tp:timespec!
clock_getres    clockid:clock res:timespec!
clock_nanosleep clockid:clock flags:hex request:timespec remain:pointer
syslog          type:int buf:pointer len:int
ptrace          request:int pid:int addr:pointer data:pointer
sched_setparam  pid:int param:pointer
sched_setscheduler pid:int policy:int param:pointer
sched_getscheduler pid:int
sched_getparam  pid:int param:pointer
sched_setaffinity pid:int cpusetsize:unsigned mask:pointer
sched_getaffinity pid:int cpusetsize:unsigned mask:pointer
sched_yield
sched_get_priority_max policy:int
sched_get_priority_min policy:int
sched_rr_get_interval pid:int tp:timespec!
kill            pid:int sig:signal
tkill           tid:int sig:signal
tgkill          tgid:int tid:int sig:signal
sigaltstack     ss:pointer old_ss:pointer
rt_sigsuspend   mask:sigset sigsetsize:unsigned
rt_sigaction    signum:signal act:sigaction oldact:pointer sigsetsize:unsigned
rt_sigprocmask  how:SIG set:sigset oldset:sigset! sigsetsize:unsigned
rt_sigpending   set:sigset! sigsetsize:unsigned
rt_sigtimedwait set:sigset info:pointer timeout:timespec sigsetsize:unsigned
rt_sigqueueinfo tgid:int sig:signal info:pointer
rt_sigreturn    = none
setpriority     which:int who:int prio:int
getpriority     which:int who:int
reboot          magic:hex magic2:hex cmd:hex arg:pointer
setregid        rgid:int egid:int
setgid          gid:int
setreuid        ruid:int euid:int
setuid          uid:int
setresuid       ruid:int euid:int suid:int
getresuid       ruid:ints! euid:ints! suid:ints!
setresgid       rgid:int egid:int sgid:int
getresgid       rgid:ints! egid:ints! sgid:ints!
setfsuid        fsuid:int
setfsgid        fsgid:int
times           buf:pointer
setpgid         pid:int pgid:int
getpgid         pid:int
getsid          pid:int
setsid
getgroups       size:int list:pointer
setgroups       size:int list:pointer
uname           buf:pointer
sethostname     name:string len:unsigned
getrlimit       resource:RLIMIT rlim:rlimit!
setrlimit       resource:RLIMIT rlim:rlimit
getrusage       who:int usage:pointer
umask           mask:mode = octal
prctl           option:PR arg2:hex arg3:hex arg4:hex arg5:hex
getcpu          cpu:ints! node:ints! tcache:pointer
gettimeofday    tv:pointer tz:pointer
getpid
getppid
getuid
geteuid
getgid
getegid
gettid
sysinfo         info:pointer
shmget          key:hex size:unsigned shmflg:hex
shmctl          shmid:int cmd:int buf:pointer
shmat           shmid:int shmaddr:pointer shmflg:hex = address
shmdt           shmaddr:pointer
socket          domain:AF type:SOCK protocol:int
socketpair      domain:AF type:SOCK protocol:int sv:fds!
bind            sockfd:fd addr:sockaddr(addrlen) addrlen:unsigned
listen          sockfd:fd backlog:int
accept          sockfd:fd addr:pointer addrlen:pointer
connect         sockfd:fd addr:sockaddr(addrlen) addrlen:unsigned
getsockname     sockfd:fd addr:pointer addrlen:pointer
getpeername     sockfd:fd addr:pointer addrlen:pointer
sendto          sockfd:fd buf:bytes(len) len:unsigned flags:hex dest_addr:sockaddr(addrlen) addrlen:unsigned
recvfrom        sockfd:fd buf:bytes(result)! len:unsigned flags:hex src_addr:pointer addrlen:pointer
setsockopt      sockfd:fd level:int optname:int optval:pointer optlen:unsigned
getsockopt      sockfd:fd level:int optname:int optval:pointer optlen:pointer
shutdown        sockfd:fd how:int
sendmsg         sockfd:fd msg:pointer flags:hex
recvmsg         sockfd:fd msg:pointer flags:hex
readahead       fd:fd offset:int count:unsigned
brk             addr:pointer = address
munmap          addr:pointer length:unsigned
mremap          old_address:pointer old_size:unsigned new_size:unsigned flags:MREMAP new_address:pointer = address
clone           flags:CLONE stack:pointer parent_tid:pointer tls:pointer child_tid:pointer
execve          path:path argv:strings envp:count
mmap            addr:pointer length:unsigned prot:PROT flags:MAP fd:fd offset:hex = address
fadvise64       fd:fd offset:int len:int advice:int
mprotect        addr:pointer len:unsigned prot:PROT
msync           addr:pointer length:unsigned flags:MS
mlock           addr:pointer len:unsigned
munlock         addr:pointer len:unsigned
mlockall        flags:hex
munlockall
mincore         addr:pointer length:unsigned vec:pointer
madvise         addr:pointer length:unsigned advice:MADV
rt_tgsigqueueinfo tgid:int tid:int sig:signal info:pointer
accept4         sockfd:fd addr:pointer addrlen:pointer flags:SOCK
recvmmsg        sockfd:fd msgvec:pointer vlen:unsigned flags:hex timeout:timespec
riscv_hwprobe   pairs:pointer pair_count:unsigned cpu_count:unsigned cpus:pointer flags:hex
riscv_flush_icache start:pointer end:pointer flags:hex
wait4           pid:int wstatus:ints! options:W rusage:pointer
prlimit64       pid:int resource:RLIMIT new_limit:rlimit old_limit:rlimit!
syncfs          fd:fd
sendmmsg        sockfd:fd msgvec:pointer vlen:unsigned flags:hex
finit_module    fd:fd params:string flags:hex
renameat2       olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:RENAME
getrandom       buf:pointer buflen:unsigned flags:GRND
memfd_create    name:string flags:MFD
execveat        dirfd:dirfd path:path argv:strings envp:count flags:AT
membarrier      cmd:int flags:hex
mlock2          addr:pointer len:unsigned flags:hex
copy_file_range fd_in:fd off_in:pointer fd_out:fd off_out:pointer len:unsigned flags:hex
preadv2         fd:fd iov:iovec(iovcnt) iovcnt:int offset:int unused:int flags:hex
pwritev2        fd:fd iov:iovec(iovcnt) iovcnt:int offset:int unused:int flags:hex
statx           dirfd:dirfd path:path flags:AT mask:hex statxbuf:pointer
rseq            rseq:pointer rseq_len:unsigned flags:hex sig:hex
pidfd_open      pid:int flags:hex
clone3          cl_args:pointer size:unsigned
close_range     first:unsigned last:unsigned flags:hex
openat2         dirfd:dirfd path:path how:pointer size:unsigned
faccessat2      dirfd:dirfd path:path mode:access flags:AT
`;

export interface Argument {
  readonly name: string;
  readonly kind: string;
  /** Argument that says how long it is, or `result`. */
  readonly length: string | undefined;
  /** Read when the call returns. */
  readonly out: boolean;
}
export interface Signature {
  readonly arguments: readonly Argument[];
  /** `number`, `address`, `octal`, or `none` for a call that does not return. */
  readonly result: string;
}

function parseArgument(text: string): Argument {
  const [, name = '', kind = '', length, out] = /^(\w+):(\w+)(?:\((\w+)\))?(!)?$/.exec(text) ?? [];
  if (kind === '') throw new Error(`not an argument: ${text}`);
  return { name, kind, length, out: out !== undefined };
}

function readSignatures(): ReadonlyMap<string, Signature> {
  const read = new Map<string, Signature>();
  for (const row of ROWS.trim().split('\n')) {
    const [left = '', result = 'number'] = row.split(/\s*=\s*/);
    const [name = '', ...rest] = left.trim().split(/\s+/);
    read.set(name, { arguments: rest.map(parseArgument), result });
  }
  return read;
}

/** Read when somebody asks: most runs log no system calls. */
let signatures: ReadonlyMap<string, Signature> | undefined;
export const signatureOf = (name: string): Signature | undefined => (signatures ??= readSignatures()).get(name);

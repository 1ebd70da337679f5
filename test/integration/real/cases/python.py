# Python: threads, processes, sockets, signals, files, as a program of some size uses the system.
import json, mmap, os, select, signal, socket, struct, subprocess, sys, tempfile, threading, time, queue, errno, fcntl, math
def say(*a): print(*a, flush=True)
say(sys.version_info[:2], sys.platform, os.uname().machine, 2**100, math.factorial(30))
say(json.dumps({"a": [1, 2.5, None, True], "ü": "€"}, sort_keys=True), json.loads('[1e3, "\\u00e9"]'))
q, done = queue.Queue(3), []
def work():
    while (i := q.get()) is not None: done.append(i * i)
ts = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in ts]; [q.put(i) for i in range(200)]; [q.put(None) for _ in ts]; [t.join() for t in ts]; say("threads", sum(done), len(done))
lock, n = threading.Lock(), 0
def add():
    global n
    for _ in range(500):
        with lock: n += 1
ts = [threading.Thread(target=add) for _ in range(8)]; [t.start() for t in ts]; [t.join() for t in ts]; say("counted", n)
ev = threading.Event(); threading.Timer(0.1, ev.set).start(); say("event", ev.wait(5), ev.wait(0.01))
r = subprocess.run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in", capture_output=True); say(r.returncode, r.stdout, r.stderr)
p = subprocess.Popen(["sleep", "60"]); p.terminate(); say("terminated", p.wait())
try: subprocess.run(["sleep", "60"], timeout=0.2)
except subprocess.TimeoutExpired as e: say("timeout", e.timeout)
say(subprocess.check_output("echo $0 $1; pwd", shell=True, cwd="/tmp", env={"PATH": os.environ["PATH"]}))
rd, wr = os.pipe(); pid = os.fork()
if pid == 0: os.write(wr, b"child"); os._exit(9)
os.close(wr); say(os.read(rd, 99), os.WEXITSTATUS(os.waitpid(pid, 0)[1]), os.read(rd, 1))
got = []; signal.signal(signal.SIGALRM, lambda s, f: got.append(s)); signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05); time.sleep(0.3); signal.setitimer(signal.ITIMER_REAL, 0); say("alarms", len(got) > 2)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]); os.kill(os.getpid(), signal.SIGUSR1); say(signal.sigpending(), signal.sigtimedwait([signal.SIGUSR1], 1).si_signo)
srv = socket.create_server(("127.0.0.1", 0)); ep = select.epoll(); srv.setblocking(False); ep.register(srv, select.EPOLLIN)
def client(i):
    with socket.create_connection(srv.getsockname()) as c:
        c.sendall(struct.pack("!I", i) + b"x" * 5000); c.shutdown(socket.SHUT_WR)
        data = b"".join(iter(lambda: c.recv(4096), b"")); replies.append((i, len(data), data[:4]))
replies, conns = [], {}; cs = [threading.Thread(target=client, args=(i,)) for i in range(5)]; [c.start() for c in cs]
closed = 0
while closed < 5:
    for fd, e in ep.poll(5):
        if fd == srv.fileno():
            c, _ = srv.accept(); conns[c.fileno()] = [c, b""]; ep.register(c, select.EPOLLIN); continue
        c, buf = conns[fd]; data = c.recv(65536)
        if data: conns[fd][1] = buf + data
        else: c.setblocking(True); c.sendall(buf[::-1][:100] + buf[:4]); ep.unregister(fd); c.close(); closed += 1
[c.join() for c in cs]; say(sorted((i, n) for i, n, _ in replies))
a, b = socket.socketpair(); a.send(b"hi"); say(b.recv(9), select.select([b], [a], [], 0)[1] == [a]); u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0)); u.sendto(b"self", u.getsockname()); say(u.recvfrom(9)[0])
with tempfile.TemporaryDirectory() as d:
    f = os.path.join(d, "f"); open(f, "wb").write(bytes(range(256)) * 64)
    with open(f, "r+b") as h, mmap.mmap(h.fileno(), 0) as m: m[5:9] = b"MMAP"; say(m.find(b"MMAP"), m.size()); m.flush()
    say(open(f, "rb").read(10), os.stat(f).st_size); fcntl.flock(os.open(f, os.O_RDONLY), fcntl.LOCK_EX)
    try: fcntl.flock(os.open(f, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e: say("locked")
    os.symlink("f", f + "l"); os.mkdir(d + "/s"); say(sorted(os.listdir(d)), os.readlink(f + "l"), [[sorted(l) for l in x[1:]] for x in os.walk(d)][0])
say(os.path.exists(d)); sh = mmap.mmap(-1, 4096); pid = os.fork()
if pid == 0: sh[:5] = b"child"; os.abort()
say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), sh[:5])
class E(Exception): pass
try: raise E("x") from ValueError(1)
except E as e: say(repr(e), repr(e.__cause__))
sys.stderr.write("to stderr\n"); sys.exit(6)

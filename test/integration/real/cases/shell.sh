# What every POSIX shell does: pipelines, redirections, here-documents, functions, traps, subshells, background jobs.
cd /tmp && mkdir shell && cd shell
echo "== pipelines"
seq 1 2000 | grep 7 | sort -rn | head -n 5 | tr '\n' ' '; echo
yes line | head -n 3
echo abc | { read x; echo "read $x"; } | tr a-c x-z
false | true; echo "status $?"
true | false; echo "status $?"
! true; echo "not $?"
seq 1 30000 | wc -c
( for i in 1 2 3; do echo $i; done ) | while read n; do echo $((n * n)); done | paste -sd+ -
echo "== redirections"
{ echo out; echo err >&2; } >both.txt 2>&1; cat both.txt
echo more >>both.txt; wc -l <both.txt
exec 5>five.txt; echo five >&5; exec 5>&-; cat five.txt
ls /no/such/file 2>/dev/null; echo "ls $?"
cat nowhere 2>&1 | sed 's/.*: //'
(set -C; echo x >five.txt) 2>/dev/null; echo "noclobber $?"
echo "== here-documents"
name=World
cat <<END
Hello $name $((6 * 7)) $(echo sub)
END
cat <<'END'
No $name here
END
cat <<-END | tr a-z A-Z
	tabs go
	END
big=$(seq 1 20000); printf '%s\n' "$big" | tail -n 1
cat <<END | wc -c
$big
END
echo "== functions and expansion"
f() { local a=$1; shift; echo "f $a $# $*"; return 4; }
f one two three; echo "status $?"
v=path/to/file.tar.gz; echo "${v##*/} ${v%.*} ${v%%.*} ${#v} ${none:-default} ${v:+set}"
set -- a 'b c' d; for i in "$@"; do printf '<%s>' "$i"; done; echo
IFS=:; set -- $(echo 1:2:3); echo "$# $3"; unset IFS
touch a1 a2 b1; echo a* '*' [!a]*
case hello in h*o) echo matched;; *) echo no;; esac
i=0; while :; do i=$((i + 1)); [ $i -eq 3 ] && continue; [ $i -gt 5 ] && break; printf '%s ' $i; done; echo
while getopts ab:c opt -a -b value -c; do echo "opt $opt $OPTARG"; done
echo "== traps and signals"
(trap 'echo exiting' EXIT; exit 3); echo "status $?"
(trap 'echo got USR1' USR1; kill -USR1 $(sh -c 'echo $PPID'); echo after)
sh -c 'kill -TERM $$'; echo "status $?"
sh -c 'kill -KILL $$' 2>/dev/null; echo "status $?"
(trap '' INT; sh -c 'kill -INT $$; echo ignored')
sh -c 'trap "echo term; exit 9" TERM; sleep 5 & kill -TERM $$; wait'; echo "status $?"
echo "== background"
(sleep 2; echo slow) & (sleep 0.1; echo fast) & wait; echo "all $?"
(exit 7) & wait $!; echo "status $?"
sleep 100 & p=$!; kill $p; wait $p 2>/dev/null; echo "killed $?"
mkfifo pipe; (cat pipe | tr a-z A-Z) & echo through the fifo >pipe; wait
for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; echo "job $i" >>jobs.txt) & done; wait; sort jobs.txt | tr '\n' ' '; echo
echo "== exec and exit"
(exec sh -c 'echo replaced $0 $1' zero one)
(set -e; false; echo never); echo "set -e $?"
(set -u; echo $undefined) 2>/dev/null; echo "set -u $((${?} != 0))"
umask 077; touch private; ls -l private | cut -c1-10
type cd >/dev/null && command -v sh >/dev/null && echo found
nosuchcommand 2>/dev/null; echo "status $?"
echo '#!/bin/sh
echo script $0 "$@"' >script; chmod 755 script; ./script x y
chmod 644 script; ./script 2>/dev/null; echo "status $?"
cd /; rm -r /tmp/shell; [ -e /tmp/shell ] || echo gone
exit 42

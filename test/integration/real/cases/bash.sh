# What bash has beyond POSIX.
cd /tmp
declare -A map=([one]=1 [two]=2 [three]=3); for k in one two three; do echo -n "$k=${map[$k]} "; done; echo "${#map[@]}"
a=(x y z); a+=(w); echo "${a[@]:1:2} ${!a[@]}"
true | false | (exit 3); echo "${PIPESTATUS[@]}"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
cat <(echo one; echo two) <(seq 3 4) | paste -sd, -
seq 1 5 > >(tac | paste -sd' ' -); sleep 0.3
while read -r -u 3 line; do echo "got $line"; done 3< <(printf 'a\nb\n')
read -r first rest <<<"here is a string"; echo "$first|$rest"
mapfile -t lines < <(seq 10 13); echo "${lines[2]}"
[[ "release-5.2.37" =~ ([0-9]+)\.([0-9]+) ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
shopt -s extglob; v=aaab; echo "${v/+(a)/X}"; echo {1..3}{a,b}
printf -v text '%05.1f|%x|%q' 3.14159 255 "it's"; echo "$text"
coproc CAT { cat; }; echo "to coproc" >&"${CAT[1]}"; read -r answer <&"${CAT[0]}"; echo "$answer"; eval "exec ${CAT[1]}>&-"; wait
(sleep 2; exit 5) & (sleep 0.1; exit 6) & wait -n; echo "first $?"; wait -n; echo "second $?"
trap 'echo "ERR line status $?"' ERR; false; trap - ERR
f() { trap 'echo return' RETURN; echo in f; }; f; trap - RETURN
time_out() { read -t 0.1 -r x < <(sleep 3); echo "timeout $(($? > 128))"; }; time_out
echo "$((16#ff + 2 ** 10)) $((-7 / 2)) $((1 << 40))"
select x in p q; do echo "picked $x"; break; done <<<2 2>/dev/null
(ulimit -n 16; ulimit -n; ulimit -c)
trap 'echo chld >>chld.txt' CHLD; (exit 0); (exit 0); wait; trap - CHLD; [ -s chld.txt ] && echo "children told"
kill -l 15; kill -s USR1 $BASHPID & wait $! ; echo "status $?"
echo "${BASH_VERSINFO[0]} $OSTYPE" | cut -c1
compgen -A builtin | wc -l | awk '{print ($1 > 50)}'
exec 9<>/dev/null; ls /proc/$$/fd | grep -c '^[0129]$'
exit 0

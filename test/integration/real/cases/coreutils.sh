# The GNU core utilities, grep, sed, diff, find where there is one.
cd /tmp && mkdir core && cd core
printf 'pear 3\napple 10\nfig 7\napple 2\n' >fruit
sort -k1,1 -k2,2n fruit; sort -k2,2nr fruit | head -n 1; cut -d' ' -f1 fruit | sort | uniq -c | sort -rn
printf 'apple red\nfig blue\n' >colour; sort fruit | join - colour
paste -d: fruit fruit | tail -n 1; tr -d aeiou <fruit | tr '[:lower:]' '[:upper:]'; nl fruit | tail -n 1; tac fruit | head -n 1
wc fruit; seq -w 8 11 | fmt -w 8; seq 1 10 | shuf --random-source=/dev/zero | paste -sd' ' -
split -l 2 fruit part. && ls part.* && cat part.* | cmp - fruit && echo same
csplit -s fruit 2 && ls xx*; head -c 3 fruit; echo; tail -c +30 fruit
sha256sum fruit; md5sum <fruit; cksum fruit; b2sum -l 64 fruit; sum fruit; base64 fruit | base64 -d | sha1sum
od -An -tx1 -N8 fruit; factor 1234567891 360; numfmt --to=iec 1234567; expr 7 \* 6; printf '%s-%03d-%.2e\n' x 7 12345.678
date -u -d @1000000000 +%FT%T; TZ=UTC date -d '2024-02-29 +1 year' +%F
mkdir -p d/e/f; touch -d @86400 d/e/f/file; ln -s file d/e/f/link; ln d/e/f/file d/hard; chmod 640 d/e/f/file
touch -h -d @86401 d/e/f/link; ls -ln --time-style=+%s d/e/f; stat -c '%n %a %h %s %F %Y' d/hard d/e/f/link; readlink -f d/e/f/link; realpath --relative-to=d d/e/f
cp -a d copy && ls -lnR --time-style=+%s copy | grep -v '^total\|^d' | tr -s ' '; mv copy/hard copy/moved; ls copy; rm -r copy; rmdir copy 2>&1
dd if=/dev/zero of=zeros bs=4k count=5 2>/dev/null; truncate -s 10000 zeros; stat -c %s zeros; dd if=fruit bs=1 skip=5 count=4 2>/dev/null; echo
install -m 750 -D fruit deep/er/fruit; stat -c %a deep/er/fruit deep/er
tee t1 t2 <fruit | wc -l; cmp t1 t2; comm -12 <(sort fruit 2>/dev/null) fruit 2>/dev/null; echo
timeout 0.2 sleep 5; echo "timeout $?"; timeout -s KILL 0.1 sleep 5; echo "killed $?"; timeout 5 true; echo "in time $?"
env -i A=1 env; nice -n 3 nice; nohup true 2>/dev/null; echo "nohup $?"; pwd; basename /a/b.c .c; dirname /a/b.c; id -u; uname -s -m
test -d d -a ! -f d && echo directory; [ fruit -nt d/e/f/file ] && echo newer; [ 5 -lt 10 ] && echo less
echo "== grep, sed, diff"
grep -n apple fruit; grep -c -v apple fruit; grep -oE '[0-9]+' fruit | paste -sd+ -; grep -P '(?<=g )\d' fruit; grep -q nothing fruit; echo $?; grep -r pear d fruit; grep x nosuch 2>&1
sed -n '2,3p;$=' fruit; sed -E 's/(\w+) ([0-9]+)/\2 \1/;/^7/d' fruit; sed -i.bak 's/apple/plum/g' fruit; cat fruit; sed 'N;s/\n/,/' fruit.bak
diff fruit fruit.bak; diff -u fruit fruit.bak | tail -n +3; cmp fruit fruit.bak; echo $?
echo "== gawk"
gawk '{ s[$1] += $2 } END { n = asorti(s, k); for (i = 1; i <= n; i++) print k[i], s[k[i]] }' fruit.bak
gawk 'BEGIN { while (("seq 3" | getline x) > 0) t += x; print t; "date -u -d @0 +%Y" | getline y; print y; print length("héllo"), toupper("abc"), substr("hello", 2, 3), 2^31, 1/3; print gensub(/(.)b/, "<\\1>", "g", "abab"); printf "%5.2f|%-5s|%c\n", 3.14159, "x", 65; print "sorted\nlist" | "sort"; close("sort"); exit 3 }'; echo $?
gawk 'BEGIN { cmd = "cat"; print "through a coprocess" |& cmd; close(cmd, "to"); cmd |& getline line; print line; print system("exit 5") }'
gawk -F: 'BEGIN { srand(1); for (i = 0; i < 5000; i++) a[i] = i * 2; for (i in a) s += a[i]; print s; m = "^[a-z]+$"; print ("abc" ~ m), ("a1" ~ m) }'

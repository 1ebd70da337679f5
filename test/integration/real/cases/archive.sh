# tar and gzip there and back, by GNU tar and by busybox.
cd /tmp && mkdir archive && cd archive && mkdir -p tree/sub/deeper
for i in 1 2 3 4 5; do seq 1 $((i * 700)) >tree/sub/file$i; done
head -c 200000 /dev/zero | tr '\0' 'z' >tree/zeros; seq 1 9000 | sha256sum | cut -c1-64 >tree/sum
ln -s sub/file1 tree/soft; ln tree/zeros tree/hard; chmod 600 tree/sum; chmod 711 tree/sub; : >tree/empty
long=tree/$(printf 'n%.0s' $(seq 1 150)); echo long >$long
find() { busybox find "$@"; }
listing() { (cd $1 && find . | sort | while read f; do stat -c '%n %a %F %h' "$f"; done; find . -type f | sort | xargs sha256sum) | sha256sum; }
tar -cf - --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner tree | tee one.tar | gzip -9n >one.tar.gz
sha256sum one.tar one.tar.gz; gzip -l one.tar.gz | tail -n 1; gzip -t one.tar.gz && echo intact
tar -tvf one.tar.gz --utc --numeric-owner | head -n 4
mkdir out && gunzip -c one.tar.gz | tar -xpf - -C out && diff -r tree out/tree && echo "same by diff"
listing tree; listing out/tree
mkdir box && busybox gunzip -c one.tar.gz | busybox tar -xf - -C box && diff -r tree box/tree && echo "same by busybox"
busybox tar -czf two.tar.gz tree && mkdir again && tar -xzf two.tar.gz -C again && diff -r tree again/tree && echo "busybox to GNU"
(tar -cf - tree | gzip | gzip -d | tar -xf - -O tree/sum) | cut -c1-16
printf corrupt | dd of=one.tar.gz bs=1 seek=500 conv=notrunc 2>/dev/null; gzip -t one.tar.gz 2>/dev/null; echo "corrupt $?"
tar -xf nosuch.tar 2>/dev/null; echo "missing $?"
seq 1 50000 | gzip -1 | gunzip | tail -n 1; seq 1 50000 | busybox bzip2 | busybox bunzip2 | sha1sum; seq 1 3000 | busybox xxd | busybox xxd -r | md5sum
busybox cpio --version >/dev/null 2>&1; (cd tree && find sub | sort | busybox cpio -o -H newc 2>/dev/null) | busybox cpio -t 2>/dev/null | wc -l
seq 1 100 | busybox awk '{ s += $1 } END { print s }'; echo 'a b c' | busybox sed 's/b/[&]/'; busybox ls -1 tree | busybox tail -n 3; busybox vi --help 2>&1 | busybox grep -c Usage

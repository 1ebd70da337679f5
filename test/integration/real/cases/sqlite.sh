# sqlite3: tables, indexes, transactions, both kinds of journals, dump and load, several processes on one file.
cd /tmp && mkdir sql && cd sql
sqlite3 -version | cut -d' ' -f1
cat >make.sql <<'END'
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INT CHECK(age >= 0));
CREATE INDEX by_name ON person(name);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
  INSERT INTO person SELECT i, printf('name%05d', (i * 7919) % 3001), i % 90 FROM n;
SELECT count(*), min(name), max(name), sum(age) FROM person;
BEGIN; UPDATE person SET age = age + 1 WHERE id % 3 = 0; SAVEPOINT s; DELETE FROM person; ROLLBACK TO s; COMMIT;
SELECT count(*), sum(age) FROM person;
BEGIN; DELETE FROM person WHERE id > 10; SELECT count(*) FROM person; ROLLBACK;
SELECT count(*) FROM person; EXPLAIN QUERY PLAN SELECT * FROM person WHERE name = 'name00042';
SELECT id FROM person WHERE name = 'name00042'; PRAGMA integrity_check; PRAGMA journal_mode;
END
sqlite3 base.db <make.sql; ls
sqlite3 base.db "INSERT INTO person VALUES(1, 'twice', 3)" 2>&1; echo "status $?"
sqlite3 base.db "INSERT INTO person(name, age) VALUES('young', -1)" 2>&1; echo "status $?"
sqlite3 base.db 'SELECT * FROM nowhere' 2>&1; echo "status $?"
echo "== modes"
sqlite3 -header -csv base.db 'SELECT age / 10 AS decade, count(*) AS n FROM person GROUP BY decade LIMIT 3'
sqlite3 -box base.db "SELECT upper(name) AS U, age FROM person ORDER BY id LIMIT 2"; sqlite3 -json base.db 'SELECT id, name FROM person LIMIT 2'
sqlite3 :memory: "SELECT json_extract('{\"a\":[1,2,3]}', '\$.a[1]'), date(0, 'unixepoch'), round(2.567, 1), hex(zeroblob(3)), 9223372036854775807, 1e300 * 10, group_concat(value, '-') FROM json_each('[4,5]')"
sqlite3 :memory: "CREATE VIRTUAL TABLE t USING fts5(x); INSERT INTO t VALUES('the quick brown fox'),('lazy dogs'); SELECT snippet(t, 0, '[', ']', '', 5) FROM t WHERE t MATCH 'qui*'; SELECT sum(v) OVER (ORDER BY v) FROM (SELECT 1 v UNION SELECT 2 UNION SELECT 3)"
echo "== dump, load, vacuum"
sqlite3 base.db .dump >dump.sql; sha256sum dump.sql; sqlite3 copy.db <dump.sql; sqlite3 copy.db .dump | cmp - dump.sql && echo same
sqlite3 copy.db 'DELETE FROM person WHERE id % 2'; a=$(stat -c %s copy.db); sqlite3 copy.db VACUUM; b=$(stat -c %s copy.db); [ $b -lt $a ] && echo smaller
sqlite3 base.db '.backup back.db' && sqlite3 back.db 'SELECT count(*) FROM person'; sqlite3 base.db ".output out.txt" "SELECT 1"; cat out.txt
echo "== write-ahead log"
sqlite3 wal.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)'
mkfifo hold; (cat hold) | sqlite3 wal.db & exec 4>hold
echo "BEGIN; INSERT INTO t VALUES(2); SELECT 'writer', count(*) FROM t;" >&4; sleep 0.3
sqlite3 wal.db "SELECT 'reader', count(*) FROM t"; ls wal.db*
sqlite3 wal.db 'INSERT INTO t VALUES(9)' 2>&1; echo "status $?"
echo "COMMIT;" >&4; exec 4>&-; wait; sqlite3 wal.db "SELECT 'after', count(*) FROM t; PRAGMA wal_checkpoint(TRUNCATE)"; ls wal.db*
echo "== locks"
sqlite3 lock.db 'CREATE TABLE t(x)'; (cat hold) | sqlite3 lock.db & exec 4>hold
echo "BEGIN EXCLUSIVE; INSERT INTO t VALUES(1);" >&4; sleep 0.3; ls lock.db*
sqlite3 lock.db 'SELECT count(*) FROM t' 2>&1; echo "status $?"
(sleep 0.5; echo "COMMIT;" >&4) & sqlite3 lock.db '.timeout 5000' "INSERT INTO t VALUES(2); SELECT 'waited', count(*) FROM t"; exec 4>&-; wait
for i in 1 2 3; do (for j in 1 2; do sqlite3 -cmd '.timeout 20000' lock.db "INSERT INTO t VALUES($i)"; done) & done; wait
sqlite3 lock.db 'SELECT x, count(*) FROM t GROUP BY x'; sqlite3 lock.db 'PRAGMA integrity_check'
echo "== a hot journal is rolled back"
sqlite3 hot.db 'PRAGMA page_size=1024; CREATE TABLE t(x); INSERT INTO t VALUES(1)'
(cat hold) | sqlite3 hot.db 2>/dev/null & p=$!; exec 4>hold
echo "PRAGMA cache_size=5; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO t SELECT randomblob(100) FROM n; SELECT 'in', count(*) FROM t;" >&4
sleep 1; kill -9 $p; wait $p 2>/dev/null; exec 4>&-; ls hot.db*; sqlite3 hot.db 'SELECT count(*) FROM t; PRAGMA integrity_check'; ls hot.db*

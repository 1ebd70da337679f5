-- Lua beyond its own tests: files, processes, time.
local function p(...) print(...) end
p(_VERSION, math.maxinteger, 7 // 2, 7 / 2, 3 | 8, "10" + 5, 2^53)
local co = coroutine.wrap(function(a) for i = 1, 3 do a = a + coroutine.yield(a) end return "end" end)
p(co(1), co(2), co(3), co(4))
p(("hello world"):gsub("o", "0"), ("k=v, a=b"):match("(%w+)=(%w+)"), string.format("%q %5.2f %x", "a\nb", 3.14159, 255))
p(select(2, pcall(error, { code = 3 })).code); p(select(2, pcall(function() local x = nil; return x.y end)))
local f <close> = assert(io.open("/tmp/lua.txt", "w")); f:write("one\n", 2, "\n", 3.5, "\n"); f:seek("set", 0); f:close()
for l in io.lines("/tmp/lua.txt") do io.write("[", l, "]") end p()
local r = io.open("/tmp/lua.txt"); p(r:read("l", "n", "n", "a")); r:close()
p(io.open("/nowhere/file")); p(os.rename("/tmp/lua.txt", "/tmp/lua2.txt"), os.remove("/tmp/lua2.txt"), os.remove("/tmp/lua2.txt"))
local pipe = io.popen("echo from a child; exit 3"); p(pipe:read("a"), pipe:close())
local out = io.popen("cat | tr a-z A-Z", "w"); out:write("to a child\n"); p(out:close())
p(os.getenv("HOME"), os.date("!%Y-%m-%d", 0), os.time({ year = 2000, month = 1, day = 1, hour = 12 }) > 0)
local t = {}; for i = 1, 50000 do t[i] = (i * 7919) % 50021 end; table.sort(t); p(t[1], t[25000], t[50000], #t)
local m = setmetatable({}, { __index = function(_, k) return k .. "!" end, __call = function(_, x) return x * 2 end }); p(m.hi, m(21))
local w = setmetatable({}, { __mode = "v" }); w[1] = {}; collectgarbage(); p(w[1]); p(utf8.char(228, 8364), utf8.len("äö€"))
p(#string.rep("x", 1000000), load("return 1 + 1")(), string.pack("<i4", 258):byte(1, 4)); goto done
p("never") ::done:: os.exit(5)

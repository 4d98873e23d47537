package e2e

import "testing"

// TestTimeZone has an application in the time zone of its environment, as it
// would be on a machine, and in others that it chooses itself, as Django does
// with TIME_ZONE.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, w.app(t, root, "hostile"), "wasgi.toml", "[env]\nTZ = \"Europe/Berlin\"\n")
	site := w.serve(t, launch{root: root}, "hostile").site(t, "hostile")
	site.attack(t, `
import datetime, os, sqlite3, time
when = 1700000000
def seen():
    local = datetime.datetime.fromtimestamp(when)
    return f"{time.strftime('%Z %z', time.localtime(when))} {local} {time.mktime(local.timetuple()) - when:.0f} {time.tzname} {time.timezone}"
answer = seen() + "\n" + sqlite3.connect(":memory:").execute("SELECT datetime(?, 'unixepoch', 'localtime')", (when,)).fetchone()[0]
before = os.environ["TZ"]
for zone in ("America/New_York", ":Australia/Lord_Howe", "EST5EDT,M3.2.0,M11.1.0", "<+03>-3", "", "No/Such", "../../etc/passwd"):
    os.environ["TZ"] = zone
    time.tzset()
    answer += f"\n{zone}: {seen()}"
del os.environ["TZ"]
time.tzset()
answer += "\nnone: " + seen()
os.environ["TZ"] = before
time.tzset()
`).status(200).text(`CET +0100 2023-11-14 23:13:20 0 ('CET', 'CEST') -3600
2023-11-14 23:13:20
America/New_York: EST -0500 2023-11-14 17:13:20 0 ('EST', 'EDT') 18000
:Australia/Lord_Howe: +11 +1100 2023-11-15 09:13:20 0 ('+1030', '+11') -37800
EST5EDT,M3.2.0,M11.1.0: EST -0500 2023-11-14 17:13:20 0 ('EST', 'EDT') 18000
<+03>-3: +03 +0300 2023-11-15 01:13:20 0 ('+03', '+03') -10800
: UTC +0000 2023-11-14 22:13:20 0 ('UTC', 'UTC') 0
No/Such: UTC +0000 2023-11-14 22:13:20 0 ('UTC', 'UTC') 0
../../etc/passwd: UTC +0000 2023-11-14 22:13:20 0 ('UTC', 'UTC') 0
none: UTC +0000 2023-11-14 22:13:20 0 ('UTC', 'UTC') 0`)
	site.attack(t, "import time\nanswer = time.localtime(0).tm_zone").status(200).text("CET")
}

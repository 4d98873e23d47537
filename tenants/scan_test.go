package tenants

import "testing"

func TestScanExamples(t *testing.T) {
	found, problems := Scan("examples")
	for _, p := range problems {
		t.Error(p)
	}
	want := map[string]string{"bare": "wsgi:application", "bottle": "app:app", "django": "mysite.wsgi:application", "flask": "app:app"}
	for _, tenant := range found {
		if got := tenant.Entry.String(); got != want[tenant.Name] {
			t.Errorf("%s: entry %q, want %q (%s)", tenant.Name, got, want[tenant.Name], tenant.Entry.Why)
		}
		t.Log(tenant.Name, tenant.Entry.Framework, tenant.Entry.Why)
		delete(want, tenant.Name)
	}
	for name := range want {
		t.Errorf("%s was not found", name)
	}
}

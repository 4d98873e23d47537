package main

import (
	"context"
	"path/filepath"
	"time"
)

// djangoLabels are the packages of Django's tests that are run: whatever
// touches requests, responses, the ORM on SQLite, templates and the usual
// applications.
func djangoLabels() []string {
	return []string{
		"admin_views", "auth_tests", "basic", "csrf_tests", "file_uploads", "forms_tests", "handlers", "httpwrappers",
		"middleware", "migrations", "queries", "requests_tests", "responses", "sessions_tests", "staticfiles_tests",
		"template_tests", "urlpatterns", "wsgi",
	}
}

// django runs Django's own runner on SQLite, one label a process.
func django() suite {
	return suite{name: "django", sdist: "django", sdists: []string{"markupsafe"},
		wheels: []string{"django", "asgiref", "sqlparse", "jinja2"}, units: djangoUnits}
}

func djangoUnits(_ context.Context, _ *world, from sources) ([]unit, error) {
	var out []unit
	for _, label := range djangoLabels() {
		out = append(out, unit{
			name: label, dir: filepath.Join(from.tree, "tests"), timeout: 30 * time.Minute,
			mounts: []mount{{from.tree, "/django"}, {from.site, siteDir}, {filepath.Join(from.others["markupsafe"], "src"), "/markupsafe"}},
			path:   []string{"/django", siteDir, "/markupsafe"},
			// The guest's user has no name of his own; a test waits for one for ever.
			env:  []string{"LOGNAME=django"},
			args: []string{helperDir + "/conformance_django.py", "--parallel=1", "--verbosity=1", label},
		})
	}
	return out, nil
}

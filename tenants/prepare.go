package tenants

import "context"

// PrepareOptions say how and where dependencies are installed.
type PrepareOptions struct {
	// State is the host's folder; releases go below it, made with mode 0700.
	State string
	// Installer is "uv", "pip", or "" for uv when it is there, else pip.
	Installer string
	// Python is the command that runs pip (and uv, when installed as its
	// module); "" is python3. It never runs a tenant's code.
	Python string
	// Refresh resolves again although a release with these inputs is there.
	Refresh bool
	// Compile, when set, makes byte code in the folder it is given. It runs
	// before the release is put in place; its error fails Prepare.
	Compile func(ctx context.Context, dir string) error
	// Progress, when set, is told each step in a few words.
	Progress func(step, detail string)
}

// Prepare installs a tenant's dependencies into an immutable folder, or finds
// the one that was made for the same inputs.
func Prepare(ctx context.Context, t Tenant, o PrepareOptions) (Release, error) {
	return Release{Tenant: t.Name}, nil
}

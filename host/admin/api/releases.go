package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

func (a *API) releases() {
	huma.Register(a.huma, operation("list-releases", http.MethodGet, "/tenants/{tenant}/releases", "A tenant's releases, the newest first", rightLook, http.StatusNotFound), a.listReleases)

	up := operation("upload-release", http.MethodPost, "/tenants/{tenant}/releases", "Upload a bundle: zip, tar.gz or tar", rightChange,
		http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable, http.StatusInsufficientStorage)
	up.Description += " The bundle becomes a release, which does not serve yet. The same files make the same release."
	up.DefaultStatus = http.StatusCreated
	up.RequestBody = &huma.RequestBody{Required: true, Description: "The archive", Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}
	huma.Register(a.huma, up, a.uploadRelease)

	huma.Register(a.huma, operation("deploy", http.MethodPost, "/tenants/{tenant}/deploy", "Have a release serve", rightChange, changeErrors(bodyErrors()...)...), a.deploy)
	huma.Register(a.huma, operation("rollback", http.MethodPost, "/tenants/{tenant}/rollback", "Have an earlier release serve", rightChange, changeErrors(bodyErrors()...)...), a.rollback)
}

func (a *API) listReleases(ctx context.Context, in *struct{ TenantPath }) (*listed[Release], error) {
	t, err := a.backend.Tenant(in.Tenant)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return list(t.Releases), nil
}

type uploadInput struct {
	TenantPath
	Digest string `header:"Content-Digest" required:"true" doc:"SHA-256 of the body (RFC 9530)" example:"sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"`
	body   io.Reader
}

// Resolve implements huma.Resolver: the body is read piece by piece.
func (in *uploadInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	return nil
}

func (a *API) uploadRelease(ctx context.Context, in *uploadInput) (*struct{ Body Release }, error) {
	digest, err := readDigest(in.Digest)
	if err != nil {
		return nil, huma.NewError(http.StatusBadRequest, err.Error())
	}
	r, err := a.backend.Upload(ctx, in.Tenant, in.body, digest, callerOf(ctx).Name)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return &struct{ Body Release }{r}, nil
}

// readDigest finds the SHA-256 in a Content-Digest field, as hexadecimal.
func readDigest(field string) (string, error) {
	for item := range strings.SplitSeq(field, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		inner, ok := strings.CutPrefix(value, ":")
		if name != "sha-256" || !ok || !strings.HasSuffix(inner, ":") {
			continue
		}
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":")); err == nil && len(sum) == 32 {
			return hex.EncodeToString(sum), nil
		}
	}
	return "", errors.New("Content-Digest must say the bundle's SHA-256, as sha-256=:BASE64: does")
}

// ContentDigest is the field for a SHA-256 in hexadecimal.
func ContentDigest(sum []byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":"
}

type deployInput struct {
	TenantPath
	Matched
	Body struct {
		Release string `json:"release" minLength:"4" maxLength:"64" pattern:"^[0-9a-f]+$" doc:"Digest of the release, or its beginning"`
	}
}

func (a *API) deploy(ctx context.Context, in *deployInput) (*taggedTenant, error) {
	return a.changed(ctx, in.Matched, func(at uint64) (Tenant, error) { return a.backend.Deploy(ctx, in.Tenant, in.Body.Release, at) })
}

type rollbackInput struct {
	TenantPath
	Matched
	Body struct {
		Release string `json:"release,omitempty" maxLength:"64" pattern:"^[0-9a-f]*$" doc:"Digest of the release, or its beginning; without it the one that served before"`
	}
}

func (a *API) rollback(ctx context.Context, in *rollbackInput) (*taggedTenant, error) {
	return a.changed(ctx, in.Matched, func(at uint64) (Tenant, error) { return a.backend.Rollback(ctx, in.Tenant, in.Body.Release, at) })
}

package console

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
)

// formKey is the field of a form's secret. It is the first one of each form.
const formKey = "form"

// same compares secrets.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// maxForm is what a form without a file may have, in bytes: a variable's value has
// 32 KiB at most, and each byte of it may take three.
const maxForm = 128 << 10

const foreign = "this form was not sent from a page of this session: go back, reload the page and try again"

// read reads a form without files and checks its secret.
func (v *visit) read() error {
	v.Body = http.MaxBytesReader(v.w, v.Body, maxForm)
	if err := v.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return problem(http.StatusBadRequest, "the form cannot be read: "+err.Error())
	}
	if !same(v.PostForm.Get(formKey), v.session.form) {
		return problem(http.StatusForbidden, foreign)
	}
	return nil
}

// revision is that of the tenant as the form's page showed it.
func (v *visit) revision() (uint64, error) { return parseRevision(v.PostForm.Get("revision")) }

func parseRevision(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, problem(http.StatusBadRequest, "the form has no revision: reload the page and try again")
	}
	return n, nil
}

// fields are the parts of a form with a file that come before it, in the order of
// the page.
type fields map[string]string

// open reads a form up to its file, whose bytes are still to come. The secret is
// checked before the next part is read.
func (v *visit) open() (fields, *multipart.Part, error) {
	parts, err := v.MultipartReader()
	if err != nil {
		return nil, nil, problem(http.StatusBadRequest, "the form has no file")
	}
	got := fields{}
	for range 8 {
		part, err := parts.NextPart()
		if err != nil {
			return nil, nil, problem(http.StatusBadRequest, "the form ended before its file")
		}
		if part.FormName() == "bundle" && same(got[formKey], v.session.form) {
			return got, part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, 1<<10))
		if err != nil {
			return nil, nil, problem(http.StatusBadRequest, fmt.Sprintf("the form cannot be read: %v", err))
		}
		got[part.FormName()] = string(value)
		if !same(got[formKey], v.session.form) {
			return nil, nil, problem(http.StatusForbidden, foreign)
		}
	}
	return nil, nil, problem(http.StatusBadRequest, "the form has too many parts")
}

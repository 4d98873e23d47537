package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/store"
)

// Token is a right to use the API. What a client shows is "wasgi_<id>_<secret>";
// of the secret only a hash is kept. It has 256 random bits, so that nobody can
// try them all, however fast the hash is.
type Token struct {
	ID      string    `json:"id"`
	Hash    []byte    `json:"hash"` // SHA-256 of the secret
	Note    string    `json:"note,omitempty"`
	Tenant  string    `json:"tenant,omitempty"`    // "" is the whole host
	Reads   bool      `json:"read_only,omitempty"` // it changes nothing
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero is never
}

const (
	tokenKeys   = "tokens/"
	tokenPrefix = "wasgi_"
)

// ErrToken says that a token is unknown, wrong or no longer valid.
var ErrToken = errors.New("the token is unknown, wrong, or has expired")

// NewToken makes and writes a token; text is what its owner shows and nobody can
// read again.
func (r Registry) NewToken(ctx context.Context, t Token) (_ Token, text string, err error) {
	var id [6]byte
	var secret [32]byte
	_, _ = rand.Read(id[:]) // never fails
	_, _ = rand.Read(secret[:])
	t.ID, t.Hash = hex.EncodeToString(id[:]), hashOf(hex.EncodeToString(secret[:]))
	value, err := json.Marshal(t)
	if err != nil {
		return t, "", err
	}
	_, err = r.Store.CompareAndSet(ctx, tokenKeys+t.ID, value, 0)
	return t, tokenPrefix + t.ID + "_" + hex.EncodeToString(secret[:]), err
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// Authenticate finds the token that a client shows: ErrToken, or the store's
// errors.
func (r Registry) Authenticate(ctx context.Context, text string, now time.Time) (Token, error) {
	id, secret, ok := strings.Cut(strings.TrimPrefix(text, tokenPrefix), "_")
	if !ok || !strings.HasPrefix(text, tokenPrefix) || len(id) != 12 {
		return Token{}, ErrToken
	}
	e, err := r.Store.Get(ctx, tokenKeys+id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrKey) {
		return Token{}, ErrToken
	}
	if err != nil {
		return Token{}, err
	}
	t, err := tokenOf(e)
	if err != nil {
		return Token{}, err
	}
	if subtle.ConstantTimeCompare(t.Hash, hashOf(secret)) != 1 || !t.Expires.IsZero() && !now.Before(t.Expires) {
		return Token{}, ErrToken
	}
	return t, nil
}

func tokenOf(e store.Entry) (t Token, err error) {
	if err := json.Unmarshal(e.Value, &t); err != nil {
		return t, fmt.Errorf("%s: the entry is damaged: remove the token and make another one: %w", e.Key, err)
	}
	return t, nil
}

// Tokens lists all by id.
func (r Registry) Tokens(ctx context.Context) ([]Token, error) {
	entries, err := r.Store.List(ctx, tokenKeys)
	if err != nil {
		return nil, err
	}
	var out []Token
	for _, e := range entries {
		t, err := tokenOf(e)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// RemoveToken forgets a token: store.ErrNotFound.
func (r Registry) RemoveToken(ctx context.Context, id string) error {
	e, err := r.Store.Get(ctx, tokenKeys+id)
	if err != nil {
		return fmt.Errorf("token %q: %w", id, err)
	}
	return r.Store.Delete(ctx, e.Key, e.Revision)
}

package registry

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Vault seals values with AES-256-GCM, each bound to the tenant and the name
// that it is for, so that a sealed value that was moved opens nowhere.
type Vault struct{ aead cipher.AEAD }

// keySize is that of AES-256, in bytes.
const keySize = 32

// OpenVault reads the key from a file, 64 hexadecimal digits. One that is not
// there is made with mode 0600; whoever loses it loses the secrets. It fails
// when others than its owner have access to the file.
func OpenVault(file string) (*Vault, error) {
	key, err := readKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of the secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Vault{aead}, nil
}

func readKey(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %v): chmod 600 it, and set the secrets anew", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("%s does not hold %d hexadecimal digits: put the right file there, or remove it and set the secrets anew", file, 2*keySize)
	}
	return key, nil
}

// makeKey puts the file there as a whole: half a key would lock the next start
// out.
func makeKey(file string) ([]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	f, err := os.CreateTemp(filepath.Dir(file), ".key-")
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return key, nil
}

func bound(tenant, name string) []byte { return []byte(tenant + "\x00" + name) }

// Seal encrypts a value.
func (v *Vault) Seal(tenant, name, value string) []byte {
	return v.aead.Seal(nil, nil, []byte(value), bound(tenant, name))
}

// Open decrypts what Seal has made for the same tenant and name.
func (v *Vault) Open(tenant, name string, sealed []byte) (string, error) {
	value, err := v.aead.Open(nil, nil, sealed, bound(tenant, name))
	if err != nil {
		return "", fmt.Errorf("the secret %s of %s cannot be opened with this key: put the file of the key back, or set the secret anew", name, tenant)
	}
	return string(value), nil
}

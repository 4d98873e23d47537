/* OpenSSL's generator serves TLS and ssl.RAND_bytes, and a snapshot would share
 * its state between all its instances: they would begin handshakes with the same
 * keys. So the image holds a mark, and whoever asks the generator first in an
 * instance seeds it anew. All of OpenSSL comes by these functions. */
#include "gateway.h"

#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

int __real_RAND_bytes(unsigned char *out, int size);
int __real_RAND_priv_bytes(unsigned char *out, int size);
int __real_RAND_bytes_ex(OSSL_LIB_CTX *context, unsigned char *out, size_t size, unsigned strength);
int __real_RAND_priv_bytes_ex(OSSL_LIB_CTX *context, unsigned char *out, size_t size, unsigned strength);

static bool stale;

void
tls_random_forget(void)
{
    stale = true;
}

/* false is for a host that has no random bytes: then there are none here. */
static bool
renew(void)
{
    unsigned char seed[48];
    if (!stale) {
        return true;
    }
    if (getentropy(seed, sizeof seed) != 0) {
        return false;
    }
    stale = false;
    RAND_add(seed, sizeof seed, sizeof seed);
    memset(seed, 0, sizeof seed);
    return true;
}

int
__wrap_RAND_bytes(unsigned char *out, int size)
{
    return renew() ? __real_RAND_bytes(out, size) : 0;
}

int
__wrap_RAND_priv_bytes(unsigned char *out, int size)
{
    return renew() ? __real_RAND_priv_bytes(out, size) : 0;
}

int
__wrap_RAND_bytes_ex(OSSL_LIB_CTX *context, unsigned char *out, size_t size, unsigned strength)
{
    return renew() ? __real_RAND_bytes_ex(context, out, size, strength) : 0;
}

int
__wrap_RAND_priv_bytes_ex(OSSL_LIB_CTX *context, unsigned char *out, size_t size, unsigned strength)
{
    return renew() ? __real_RAND_priv_bytes_ex(context, out, size, strength) : 0;
}

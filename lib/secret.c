#include "secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base64url.h"

void secret_random(unsigned char *out, size_t len)
{
	while (len) {
		ssize_t got = getrandom(out, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		/* A guessable token would be worse than no service. */
		if (got < 0) {
			perror("pintle: getrandom");
			abort();
		}
		out += got;
		len -= (size_t)got;
	}
}

void secret_token(char out[SECRET_TEXT_LEN + 1])
{
	unsigned char bytes[SECRET_BYTES];

	secret_random(bytes, sizeof(bytes));
	base64url_encode(bytes, sizeof(bytes), out);
	secret_wipe(bytes, sizeof(bytes));
}

bool secret_is_token(struct text text)
{
	unsigned char bytes[SECRET_BYTES];
	bool good = text.len == SECRET_TEXT_LEN && base64url_decode(text, bytes);

	secret_wipe(bytes, sizeof(bytes));
	return good;
}

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort(); /* no libcrypto of ours is without it */
}

/* Not SHA256(): that looks the algorithm up each time, 2,300 instructions and a shared lock. */
void secret_sha256(struct text text, unsigned char out[SHA256_BYTES])
{
	pthread_once(&sha256_once, fetch_sha256);
	if (!EVP_Digest(text.data, text.len, out, NULL, sha256, NULL))
		abort(); /* out of memory */
}

void secret_hmac(const unsigned char *key, size_t key_len, struct text text,
		 unsigned char out[SHA256_BYTES])
{
	unsigned len = SHA256_BYTES;

	if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.data,
		  text.len, out, &len))
		abort();
}

bool secret_equal(const unsigned char *a, const unsigned char *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void secret_wipe(void *memory, size_t len)
{
	OPENSSL_cleanse(memory, len);
}

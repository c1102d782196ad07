#include "../lib/secret.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../lib/base64url.h"

static void random_bytes_differ_in_every_place(void **state)
{
	unsigned char ever[1000] = { 0 }, bytes[1000];

	(void)state;
	/* After 16 draws a place that is still zero has a chance of 2^-128. */
	for (int i = 0; i < 16; i++) {
		secret_random(bytes, sizeof(bytes));
		for (size_t k = 0; k < sizeof(bytes); k++)
			ever[k] |= bytes[k];
	}
	for (size_t k = 0; k < sizeof(ever); k++)
		assert_int_not_equal(ever[k], 0);
	memset(bytes, 0x5a, sizeof(bytes));
	secret_random(bytes, 0);
	assert_int_equal(bytes[0], 0x5a);
}

static void a_token_is_256_fresh_bits_in_base64url(void **state)
{
	char tokens[64][SECRET_TEXT_LEN + 1];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		secret_token(tokens[i]);
		assert_int_equal(strlen(tokens[i]), SECRET_TEXT_LEN);
		assert_true(secret_is_token(text_of(tokens[i])));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(tokens[i], tokens[k]);
	}
	assert_int_equal(BASE64URL_ENCODED(SECRET_BYTES), SECRET_TEXT_LEN);
}

static void only_the_shape_of_a_token_passes_for_one(void **state)
{
	char token[SECRET_TEXT_LEN + 2] = { 0 };

	(void)state;
	secret_token(token);
	token[SECRET_TEXT_LEN] = 'A';
	assert_true(secret_is_token((struct text){ token, SECRET_TEXT_LEN }));
	assert_false(secret_is_token((struct text){ token, SECRET_TEXT_LEN - 1 }));
	assert_false(secret_is_token((struct text){ token, SECRET_TEXT_LEN + 1 }));
	assert_false(secret_is_token((struct text){ NULL, 0 }));
	token[20] = '+';
	assert_false(secret_is_token((struct text){ token, SECRET_TEXT_LEN }));
	token[20] = '\0';
	assert_false(secret_is_token((struct text){ token, SECRET_TEXT_LEN }));
	memset(token, 'A', SECRET_TEXT_LEN);
	assert_true(secret_is_token((struct text){ token, SECRET_TEXT_LEN }));
	token[SECRET_TEXT_LEN - 1] =
		'B'; /* a spare bit: the same bytes, spelled otherwise */
	assert_false(secret_is_token((struct text){ token, SECRET_TEXT_LEN }));
}

/* FIPS 180-2, appendix B; the digest of nothing. */
static void hashes_are_sha256(void **state)
{
	static const struct {
		struct text text;
		const char *digest;
	} vectors[] = {
		{ TEXT("abc"),
		  "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
		  "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad" },
		{ TEXT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		  "\x24\x8d\x6a\x61\xd2\x06\x38\xb8\xe5\xc0\x26\x93\x0c\x3e\x60\x39"
		  "\xa3\x3c\xe4\x59\x64\xff\x21\x67\xf6\xec\xed\xd4\x19\xdb\x06\xc1" },
		{ TEXT(""),
		  "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24"
		  "\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55" },
	};
	unsigned char digest[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		secret_sha256(vectors[i].text, digest);
		assert_memory_equal(digest, vectors[i].digest, SHA256_BYTES);
	}
	secret_sha256((struct text){ NULL, 0 }, digest);
	assert_memory_equal(digest, vectors[2].digest, SHA256_BYTES);
	secret_sha256(AS_TEXT("abc\0"), digest); /* a NUL counts */
	assert_memory_not_equal(digest, vectors[0].digest, SHA256_BYTES);
}

/* RFC 4231, 4.2 and 4.3. */
static void keyed_hashes_are_hmac_sha256(void **state)
{
	static const struct {
		struct text key, text;
		const char *digest;
	} vectors[] = {
		{ TEXT("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		       "\x0b\x0b\x0b\x0b"),
		  TEXT("Hi There"),
		  "\xb0\x34\x4c\x61\xd8\xdb\x38\x53\x5c\xa8\xaf\xce\xaf\x0b\xf1\x2b"
		  "\x88\x1d\xc2\x00\xc9\x83\x3d\xa7\x26\xe9\x37\x6c\x2e\x32\xcf\xf7" },
		{ TEXT("Jefe"), TEXT("what do ya want for nothing?"),
		  "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
		  "\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43" },
	};
	unsigned char digest[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		secret_hmac((const unsigned char *)vectors[i].key.data,
			    vectors[i].key.len, vectors[i].text, digest);
		assert_memory_equal(digest, vectors[i].digest, SHA256_BYTES);
	}
}

static void a_difference_in_any_bit_is_seen(void **state)
{
	unsigned char a[SHA256_BYTES], b[SHA256_BYTES];

	(void)state;
	secret_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
		b[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(secret_equal(a, b, sizeof(a)));
		b[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	b[SHA256_BYTES - 1] ^= 1;
	assert_true(secret_equal(a, b, sizeof(a) - 1));
	assert_true(secret_equal(a, b, 0));
}

static void wiping_leaves_zeroes_and_the_neighbours(void **state)
{
	unsigned char memory[66], zeroes[64] = { 0 };

	(void)state;
	memset(memory, 'S', sizeof(memory));
	secret_wipe(memory + 1, 64);
	assert_memory_equal(memory + 1, zeroes, 64);
	assert_int_equal(memory[0], 'S');
	assert_int_equal(memory[65], 'S');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_differ_in_every_place),
		cmocka_unit_test(a_token_is_256_fresh_bits_in_base64url),
		cmocka_unit_test(only_the_shape_of_a_token_passes_for_one),
		cmocka_unit_test(hashes_are_sha256),
		cmocka_unit_test(keyed_hashes_are_hmac_sha256),
		cmocka_unit_test(a_difference_in_any_bit_is_seen),
		cmocka_unit_test(wiping_leaves_zeroes_and_the_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

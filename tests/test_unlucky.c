/*
 * What json.c and jws.c do when the library below them fails at what cannot fail by anything
 * that is sent: then nothing is taken, nobody gets in, and nothing is made up. The linker
 * puts a function of ours (--wrap) between them and one of the library's.
 */
#include "jws.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "autoconf.h"
#include "base64url.h"
#include "json.h"
#include "token_maker.h"

static const char *failing = ""; /* the name of the function that fails */

#define FAILS(name) (strcmp(failing, #name) == 0)
#define WRAP(type, name, failure, parameters, arguments)                                 \
	type __real_##name parameters;                                                   \
	type __wrap_##name parameters;                                                   \
	type __wrap_##name parameters                                                    \
	{                                                                                \
		return FAILS(name) ? (failure) : __real_##name arguments;                \
	}

WRAP(int, BN_bn2nativepad, -1, (const BIGNUM *n, unsigned char *to, int len),
     (n, to, len))
WRAP(EVP_PKEY *, EVP_PKEY_new_raw_public_key_ex, NULL,
     (OSSL_LIB_CTX * library, const char *type, const char *properties,
      const unsigned char *key, size_t len),
     (library, type, properties, key, len))
WRAP(int, EVP_DigestVerifyInit_ex, 0,
     (EVP_MD_CTX * ctx, EVP_PKEY_CTX **inner, const char *hash, OSSL_LIB_CTX *library,
      const char *properties, EVP_PKEY *key, const OSSL_PARAM params[]),
     (ctx, inner, hash, library, properties, key, params))
WRAP(int, PEM_write_bio_PrivateKey, 0,
     (BIO * out, const EVP_PKEY *key, const EVP_CIPHER *cipher, const unsigned char *pass,
      int pass_len, pem_password_cb *ask, void *context),
     (out, key, cipher, pass, pass_len, ask, context))
/* Of an enum, in json-c's header, which does not get along with ours. */
struct json_tokener;
WRAP(int, json_tokener_get_error, 4, (struct json_tokener * tokener), (tokener))

static struct arena *arena;

static int open_one(void **state)
{
	(void)state;
	failing = "";
	arena = arena_new();
	return 0;
}

static int close_one(void **state)
{
	(void)state;
	failing = "";
	arena_free(arena);
	return 0;
}

static struct text member(const char *jwk, const char *name)
{
	const char *why;
	const struct json *value;
	struct text text, bytes;

	assert_true(json_member(json_parse(arena, text_of(jwk), 4, &why), name, &value) &&
		    json_string(value, &text) &&
		    base64url_decode_text(arena, text, &bytes));
	return bytes;
}

static struct jws_key *rsa_key(const char **why)
{
	static struct maker_key *key;
	const char *jwk;

	if (!key)
		key = maker_key_new("RSA-2048");
	jwk = maker_jwk(arena, key, "");
	return jws_key_new_rsa(member(jwk, "n"), member(jwk, "e"), why);
}

static void rsa_key_that_openssl_does_not_take_is_none(void **state)
{
	const char *why = "";
	struct jws_key *key = rsa_key(&why);

	(void)state;
	assert_non_null(key);
	jws_key_free(key);
	failing = "BN_bn2nativepad";
	assert_null(rsa_key(&why));
	assert_string_equal(why, "not an RSA key");
}

static void ed25519_key_that_openssl_does_not_take_is_none(void **state)
{
	struct maker_key *pair = maker_key_new("Ed25519");
	const struct text x = member(maker_jwk(arena, pair, ""), "x");
	const char *why = "";
	struct jws_key *key = jws_key_new_ed25519(x, &why);

	(void)state;
	assert_non_null(key);
	jws_key_free(key);
	failing = "EVP_PKEY_new_raw_public_key_ex";
	assert_null(jws_key_new_ed25519(x, &why));
	assert_string_equal(why, "not an Ed25519 key");
	maker_key_free(pair);
}

/* A check that cannot be begun has not been passed. */
static void good_signature_that_cannot_be_checked_is_none(void **state)
{
	struct maker_key *pair = maker_key_new("P-256");
	const char *jwk = maker_jwk(arena, pair, ""), *why;
	const struct text token =
		maker_token(arena, pair, JWS_ES256, AS_TEXT("{}"), AS_TEXT("{}"));
	const struct text signature =
		maker_unbase64url(arena, maker_token_part(token, 2));
	const struct text signed_ = { token.data, token.len - 87 };
	struct jws_key *key =
		jws_key_new_ec("P-256", member(jwk, "x"), member(jwk, "y"), &why);

	(void)state;
	failing = "EVP_DigestVerifyInit_ex";
	assert_false(jws_verify(key, JWS_ES256, signed_, signature));
	failing = "";
	assert_true(jws_verify(key, JWS_ES256, signed_, signature));
	jws_key_free(key);
	maker_key_free(pair);
}

#ifdef PINTLE_COVERAGE
/* abort() takes the counts of lines with it. */
void __gcov_dump(void);

static void keep_counts(int number)
{
	(void)number;
	__gcov_dump();
}
#endif

static void key_that_cannot_be_made_ends_the_process(void **state)
{
	unsigned char x[32], y[32];
	char *pem = jws_generate_es256(x, y);
	pid_t child;
	int status;

	(void)state;
	assert_non_null(strstr(pem, "BEGIN PRIVATE KEY"));
	free(pem);
	child = fork();
	if (!child) {
#ifdef PINTLE_COVERAGE
		signal(SIGABRT, keep_counts);
#else
		signal(SIGABRT, SIG_DFL); /* a sanitizer would tell of it */
#endif
		failing = "PEM_write_bio_PrivateKey";
		free(jws_generate_es256(x, y));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void document_that_json_c_refuses_is_refused(void **state)
{
	const char *why = "";

	(void)state;
	assert_non_null(json_parse(arena, AS_TEXT("{\"a\":1}"), 4, &why));
	failing = "json_tokener_get_error";
	assert_null(json_parse(arena, AS_TEXT("{\"a\":1}"), 4, &why));
	assert_string_equal(why, "json-c and the scanner disagree");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_one, close_one)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rsa_key_that_openssl_does_not_take_is_none),
		TEST(ed25519_key_that_openssl_does_not_take_is_none),
		TEST(good_signature_that_cannot_be_checked_is_none),
		TEST(key_that_cannot_be_made_ends_the_process),
		TEST(document_that_json_c_refuses_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Signatures, against Wycheproof's vectors. */
#include "jws_fixture.h"

#include "corpus.h"

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static struct text unhex(struct arena *a, struct text hex)
{
	char *out = arena_alloc(a, hex.len / 2 + 1);

	assert_int_equal(hex.len % 2, 0);
	for (size_t i = 0; i < hex.len; i += 2)
		out[i / 2] = (char)(digit(hex.data[i]) << 4 | digit(hex.data[i + 1]));
	return (struct text){ out, hex.len / 2 };
}

static struct jws_key *vector_key(struct arena *a, const struct json *group,
				  enum jws_algorithm algorithm)
{
	const struct json *key = corpus_member(group, "publicKey");
	const char *why = "";
	struct jws_key *out;
	struct text t;

	if (algorithm == JWS_EDDSA) {
		out = jws_key_new_ed25519(unhex(a, corpus_string(key, "pk")), &why);
	} else if (algorithm == JWS_ES256 || algorithm == JWS_ES384) {
		t = unhex(a, corpus_string(key, "uncompressed"));
		out = jws_key_new_ec(algorithm == JWS_ES256 ? "P-256" : "P-384",
				     (struct text){ t.data + 1, t.len / 2 },
				     (struct text){ t.data + 1 + t.len / 2, t.len / 2 },
				     &why);
	} else {
		out = jws_key_new_rsa(unhex(a, corpus_string(key, "modulus")),
				      unhex(a, corpus_string(key, "publicExponent")),
				      &why);
	}
	if (!out)
		fail_msg("key refused: %s", why);
	return out;
}

struct tally {
	unsigned valid, invalid, acceptable, wrong;
};

static void run_group(struct arena *a, const struct json *group,
		      enum jws_algorithm algorithm, struct tally *tally)
{
	struct jws_key *key = vector_key(a, group, algorithm);
	const struct json *tests = corpus_member(group, "tests");

	for (size_t i = 0; i < json_array_length(tests); i++) {
		const struct json *test = json_array_at(tests, i);
		struct text result = corpus_string(test, "result");
		bool valid = text_is(result, "valid");
		double id = 0;

		if (jws_verify(key, algorithm, unhex(a, corpus_string(test, "msg")),
			       unhex(a, corpus_string(test, "sig"))) != valid) {
			json_number(corpus_member(test, "tcId"), &id);
			print_error("tcId %.0f should be %.*s\n", id, TEXT_ARG(result));
			tally->wrong++;
		}
		tally->valid += valid;
		tally->invalid += text_is(result, "invalid");
		/*
		 * One in each PKCS #1 file: the hash's name without its NULL parameter.
		 * RFC 8017, 9.2 lets a verifier take it; a second spelling helps nobody.
		 */
		tally->acceptable += text_is(result, "acceptable");
	}
	jws_key_free(key);
}

static void wycheproof(void **state)
{
	static const struct {
		const char *name;
		enum jws_algorithm algorithm;
	} files[] = {
		{ "ecdsa_secp256r1_sha256_p1363", JWS_ES256 },
		{ "ecdsa_secp384r1_sha384_p1363", JWS_ES384 },
		{ "ed25519", JWS_EDDSA },
		{ "rsa_pss_2048_sha256_mgf1_32", JWS_PS256 },
		{ "rsa_pss_2048_sha384_mgf1_48", JWS_PS384 },
		{ "rsa_pss_4096_sha512_mgf1_64", JWS_PS512 },
		{ "rsa_signature_2048_sha256", JWS_RS256 },
		{ "rsa_signature_2048_sha384", JWS_RS384 },
		{ "rsa_signature_2048_sha512", JWS_RS512 },
		{ "rsa_signature_3072_sha256", JWS_RS256 },
		{ "rsa_signature_4096_sha256", JWS_RS256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct arena *a = arena_new();
		const char *name =
			arena_printf(a, "wycheproof/%s_test.json", files[i].name).data;
		const struct json *document = corpus_parse(a, name);
		const struct json *groups =
			document ? corpus_member(document, "testGroups") : NULL;
		struct tally t = { 0 };

		for (size_t g = 0; g < json_array_length(groups); g++)
			run_group(a, json_array_at(groups, g), files[i].algorithm, &t);
		if (document) {
			print_message("%s: %u valid, %u invalid, %u acceptable refused\n",
				      files[i].name, t.valid, t.invalid, t.acceptable);
			assert_true(t.valid > 0 && t.invalid > 0);
		}
		assert_int_equal(t.wrong, 0);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wycheproof),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

/* Public keys: weak, broken or of the wrong kind; and who shares one. */
#include "jws_fixture.h"

#include <pthread.h>

#include <openssl/err.h>

/* ---- public keys */

static bool refused(struct jws_key *key, const char *why, const char *expected)
{
	bool none = !key;

	jws_key_free(key);
	if (none && strcmp(why, expected) != 0)
		print_error("refused with \"%s\", not \"%s\"\n", why, expected);
	return none && strcmp(why, expected) == 0;
}

/* BITS long, odd or not, after ZEROS octets of 0; whether a product of primes or not. */
static struct text modulus(size_t bits, bool odd, size_t zeros)
{
	size_t len = (bits + 7) / 8;
	char *out = arena_alloc(arena, zeros + len);

	memset(out + zeros, 0x5b, len);
	out[zeros] = (char)(1u << (bits - 1) % 8);
	out[zeros + len - 1] = (char)(0x5a | odd);
	return (struct text){ out, zeros + len };
}

static bool rsa_refused(struct text n, struct text e, const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_rsa(n, e, &why);

	return refused(key, why, expected);
}

static bool rsa_accepted(struct text n, struct text e)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_rsa(n, e, &why);
	bool there = key && jws_key_fits(key) == ALL_RSA;

	jws_key_free(key);
	return there;
}

#define E65537 AS_TEXT("\1\0\1")

static void rsa_key_of_1024_bits_is_refused(void **state)
{
	static const char shorter[] = "modulus too short", longer[] = "modulus too long";

	(void)state;
	assert_true(rsa_refused(modulus(1024, true, 0), E65537, shorter));
	assert_true(rsa_refused(modulus(2047, true, 0), E65537, shorter));
	assert_true(rsa_refused(modulus(2047, true, 99), E65537, shorter));
	assert_true(rsa_accepted(modulus(2048, true, 0), E65537));
	assert_true(rsa_accepted(modulus(2049, true, 0), E65537));
	assert_true(rsa_accepted(modulus(8192, true, 0), E65537));
	assert_true(rsa_refused(modulus(8193, true, 0), E65537, longer));
	assert_true(rsa_refused(modulus(80000, true, 0), E65537, longer));
	assert_true(rsa_refused(AS_TEXT(""), E65537, shorter));
	assert_true(rsa_refused(AS_TEXT("\0\0"), E65537, shorter));
	assert_true(rsa_refused(modulus(2048, false, 0), E65537, "even modulus"));
}

static void rsa_exponent_1_even_or_huge_is_refused(void **state)
{
	struct text n = modulus(2048, true, 0);

	(void)state;
	assert_true(rsa_refused(n, AS_TEXT("\1"), "exponent too small"));
	assert_true(rsa_refused(n, AS_TEXT("\0\0\1"), "exponent too small"));
	assert_true(rsa_refused(n, AS_TEXT(""), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\0"), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\2"), "even exponent"));
	assert_true(rsa_refused(n, AS_TEXT("\1\0\0"), "even exponent"));
	assert_true(rsa_accepted(n, AS_TEXT("\3")));
	assert_true(rsa_accepted(n, AS_TEXT("\0\0\0\0\1\0\1")));
	assert_true(rsa_accepted(n, AS_TEXT("\xff\xff\xff\xff")));
	assert_true(rsa_refused(n, AS_TEXT("\1\0\0\0\1"), "exponent too large"));
}

static void leading_zeros_of_rsa_numbers_do_not_count(void **state)
{
	const EVP_PKEY *pkey = signers[RSA2048].pkey;
	struct text n = number(pkey, "n"), signature = sign(JWS_RS256, MESSAGE);
	const char *why = "";
	struct jws_key *key =
		jws_key_new_rsa(concat(AS_TEXT("\0"), n), AS_TEXT("\0\1\0\1"), &why);

	(void)state;
	assert_non_null(key);
	assert_true(jws_key_equal(key, signers[RSA2048].key));
	assert_true(jws_verify(key, JWS_RS256, MESSAGE, signature));
	assert_false(jws_verify(key, JWS_RS256, MESSAGE, with_flipped_bit(signature, 9)));
	jws_key_free(key);
}

static bool ec_refused(const char *curve, struct text x, struct text y,
		       const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_ec(curve, x, y, &why);

	return refused(key, why, expected);
}

static void point_off_the_curve_is_refused(void **state)
{
	static const char off[] = "point not on the curve";
	static const char *const curves[] = { "P-256", "P-384" };
	char *zeros = arena_alloc(arena, 48);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const EVP_PKEY *pkey = signers[i].pkey;
		struct text x = coordinate(pkey, 0), y = coordinate(pkey, 1);
		struct jws_key *same = ours(pkey, curves[i]);

		assert_non_null(same);
		jws_key_free(same);
		assert_true(ec_refused(curves[i], x, with_flipped_bit(y, 0), off));
		assert_true(ec_refused(curves[i], with_flipped_bit(x, 100), y, off));
		assert_true(ec_refused(curves[i], (struct text){ zeros, x.len },
				       (struct text){ zeros, x.len }, off));
	}
}

/* x + p means the same as x, and is a second spelling of a key. */
static void coordinate_above_the_field_is_refused(void **state)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *x = BN_new(), *y = BN_new(), *p = BN_new();
	unsigned char x_bytes[32], y_bytes[32];
	const char *why = "";
	struct jws_key *key;

	(void)state;
	assert_int_equal(EC_GROUP_get_curve(group, p, NULL, NULL, NULL), 1);
	/* The first small x that has a point. */
	do
		BN_add_word(x, 1);
	while (EC_POINT_set_compressed_coordinates(group, point, x, 0, NULL) != 1);
	ERR_clear_error();
	EC_POINT_get_affine_coordinates(group, point, NULL, y, NULL);
	BN_bn2binpad(x, x_bytes, 32);
	BN_bn2binpad(y, y_bytes, 32);
	key = jws_key_new_ec("P-256", bytes(x_bytes, 32), bytes(y_bytes, 32), &why);
	assert_non_null(key);
	jws_key_free(key);
	BN_add(x, x, p);
	BN_bn2binpad(x, x_bytes, 32);
	assert_true(ec_refused("P-256", bytes(x_bytes, 32), bytes(y_bytes, 32),
			       "point not on the curve"));
	BN_free(x);
	BN_free(y);
	BN_free(p);
	EC_POINT_free(point);
	EC_GROUP_free(group);
}

static void coordinate_of_31_or_33_octets_is_refused(void **state)
{
	static const char wrong[] = "coordinate of a wrong length";
	struct text x = coordinate(signers[P256].pkey, 0);
	struct text y = coordinate(signers[P256].pkey, 1);
	struct text x384 = coordinate(signers[P384].pkey, 0);
	struct text y384 = coordinate(signers[P384].pkey, 1);

	(void)state;
	assert_true(ec_refused("P-256", without_last(x), y, wrong));
	assert_true(ec_refused("P-256", x, without_last(y), wrong));
	assert_true(ec_refused("P-256", concat(AS_TEXT("\0"), x), y, wrong));
	assert_true(ec_refused("P-256", x, concat(AS_TEXT("\0"), y), wrong));
	assert_true(ec_refused("P-256", AS_TEXT(""), AS_TEXT(""), wrong));
	assert_true(ec_refused("P-384", x, y, wrong));
	assert_true(ec_refused("P-256", x384, y384, wrong));
}

static void other_curves_are_refused(void **state)
{
	static const char *const curves[] = { "P-521",	   "P-224", "p-256",
					      "secp256k1", "",	    "prime256v1",
					      "Ed25519",   "X25519" };
	struct text x = coordinate(signers[P256].pkey, 0);
	struct text y = coordinate(signers[P256].pkey, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		assert_true(ec_refused(curves[i], x, y, "unknown curve"));
	assert_true(ec_refused(NULL, x, y, "unknown curve"));
}

static bool ed25519_refused(struct text x, const char *expected)
{
	const char *why = "";
	struct jws_key *key = jws_key_new_ed25519(x, &why);

	return refused(key, why, expected);
}

static void ed25519_key_of_31_or_33_octets_is_refused(void **state)
{
	static const char wrong[] = "coordinate of a wrong length";
	struct text x = raw_public(signers[ED25519].pkey);

	(void)state;
	assert_true(ed25519_refused(without_last(x), wrong));
	assert_true(ed25519_refused(concat(x, AS_TEXT("\0")), wrong));
	assert_true(ed25519_refused(AS_TEXT(""), wrong));
}

#define ZEROS_28 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ONES_28                                                                          \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"   \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff"

/* Under such a key anybody signs everything with R = the point itself or 1, and S = 0. */
static void ed25519_key_of_small_order_or_off_the_curve_is_refused(void **state)
{
	static const struct text points[] = {
		TEXT("\0\0\0\0" ZEROS_28),	     /* order 4 */
		TEXT("\0\0\0" ZEROS_28 "\x80"),	     /* order 4, other sign */
		TEXT("\1\0\0\0" ZEROS_28),	     /* order 1 */
		TEXT("\xec\xff\xff" ONES_28 "\x7f"), /* order 2 */
		TEXT("\xed\xff\xff" ONES_28 "\x7f"), /* p, for 0 */
		TEXT("\xee\xff\xff" ONES_28 "\x7f"), /* p + 1, for 1 */
		TEXT("\xf0\xff\xff" ONES_28 "\x7f"), /* p + 3, for 3 */
		TEXT("\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
		     "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a"),
		TEXT("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
		     "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05"),
		TEXT("\2\0\0\0" ZEROS_28), /* no point */
		TEXT("\7\0\0\0" ZEROS_28), /* no point */
	};
	static const struct text neighbours[] = {
		TEXT("\3\0\0\0" ZEROS_28),
		TEXT("\3\0\0" ZEROS_28 "\x80"),
		TEXT("\4\0\0\0" ZEROS_28),
	};
	const char *why = "";

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		assert_true(ed25519_refused(points[i],
					    "point not on the curve or of small order"));
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(*neighbours); i++) {
		struct jws_key *key = jws_key_new_ed25519(neighbours[i], &why);

		assert_non_null(key);
		jws_key_free(key);
	}
}

static void same_public_key_is_equal_and_no_other(void **state)
{
	const char *why = "";
	struct text n = number(signers[RSA2048].pkey, "n");
	struct jws_key *e3 = jws_key_new_rsa(n, AS_TEXT("\3"), &why);
	struct signer again = { 0 };

	(void)state;
	for (int i = 0; i < SIGNERS; i++) {
		struct jws_key *copy = ours(signers[i].pkey, i == P256	 ? "P-256"
							     : i == P384 ? "P-384"
									 : NULL);

		for (int j = 0; j < SIGNERS; j++)
			assert_int_equal(jws_key_equal(copy, signers[j].key), i == j);
		jws_key_free(copy);
	}
	signer_open(&again, EVP_EC_gen("P-256"), "P-256");
	assert_false(jws_key_equal(again.key, signers[P256].key));
	assert_non_null(e3);
	assert_false(jws_key_equal(e3, signers[RSA2048].key));
	jws_key_free(e3);
	jws_key_free(again.key);
	EVP_PKEY_free(again.pkey);
	jws_key_free(NULL);
}

/* ---- company: other threads, and other users of OpenSSL */

static void errors_of_others_stay_and_ours_go(void **state)
{
	struct text bad = with_flipped_bit(sign(JWS_RS256, MESSAGE), 77);
	struct text x = coordinate(signers[P256].pkey, 0);

	(void)state;
	ERR_clear_error();
	assert_false(verifies(JWS_RS256, bad));
	assert_true(ec_refused("P-256", x, x, "point not on the curve"));
	assert_false(jws_key_equal(signers[P256].key, signers[RSA2048].key));
	assert_int_equal(ERR_peek_error(), 0);
	ERR_raise(ERR_LIB_USER, 42);
	assert_false(verifies(JWS_RS256, bad));
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
	assert_int_equal(ERR_get_error(), 0);
}

#define THREADS 4
#define ROUNDS 200

struct shared {
	const struct jws_key *key;
	enum jws_algorithm algorithm;
	struct text good, bad;
	unsigned wrong[THREADS];
};

struct thread {
	struct shared *shared;
	int number;
};

static void *verify_many(void *context)
{
	struct thread *t = context;
	struct shared *s = t->shared;

	for (int i = 0; i < ROUNDS; i++) {
		if (!jws_verify(s->key, s->algorithm, MESSAGE, s->good))
			s->wrong[t->number]++;
		if (jws_verify(s->key, s->algorithm, MESSAGE, s->bad))
			s->wrong[t->number]++;
	}
	return NULL;
}

static void four_threads_share_one_key(void **state)
{
	static const enum jws_algorithm with[] = { JWS_ES256, JWS_PS256, JWS_EDDSA };
	struct thread threads[THREADS];
	pthread_t ids[THREADS];

	(void)state;
	for (size_t i = 0; i < sizeof(with) / sizeof(*with); i++) {
		const struct signer *signer = signer_of(with[i]);
		/* A fresh key, so that all four race to make its template. */
		struct jws_key *key =
			ours(signer->pkey, with[i] == JWS_ES256 ? "P-256" : NULL);
		struct shared s = { .key = key, .algorithm = with[i] };

		s.good = sign(with[i], MESSAGE);
		s.bad = with_flipped_bit(s.good, 40);
		for (int n = 0; n < THREADS; n++) {
			threads[n] = (struct thread){ &s, n };
			assert_int_equal(
				pthread_create(&ids[n], NULL, verify_many, &threads[n]),
				0);
		}
		for (int n = 0; n < THREADS; n++)
			assert_int_equal(pthread_join(ids[n], NULL), 0);
		for (int n = 0; n < THREADS; n++)
			assert_int_equal(s.wrong[n], 0);
		jws_key_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_key_of_1024_bits_is_refused),
		cmocka_unit_test(rsa_exponent_1_even_or_huge_is_refused),
		cmocka_unit_test(leading_zeros_of_rsa_numbers_do_not_count),
		cmocka_unit_test(point_off_the_curve_is_refused),
		cmocka_unit_test(coordinate_above_the_field_is_refused),
		cmocka_unit_test(coordinate_of_31_or_33_octets_is_refused),
		cmocka_unit_test(other_curves_are_refused),
		cmocka_unit_test(ed25519_key_of_31_or_33_octets_is_refused),
		cmocka_unit_test(ed25519_key_of_small_order_or_off_the_curve_is_refused),
		cmocka_unit_test(same_public_key_is_equal_and_no_other),
		cmocka_unit_test(errors_of_others_stay_and_ours_go),
		cmocka_unit_test(four_threads_share_one_key),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

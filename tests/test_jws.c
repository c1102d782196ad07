/* Signatures: what verifies, and the attacks on them. */
#include "jws_fixture.h"

/* ---- algorithms */

static void nine_algorithms_are_found_by_their_names(void **state)
{
	enum jws_algorithm found;

	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		found = JWS_ALGORITHMS;
		assert_true(
			jws_algorithm_find(text_of(jws_algorithm_name(nth(i))), &found));
		assert_int_equal(found, i);
	}
	assert_string_equal(jws_algorithm_name(JWS_ES256), "ES256");
	assert_string_equal(jws_algorithm_name(JWS_EDDSA), "EdDSA");
}

static void alg_none_hmac_and_look_alikes_are_not_found(void **state)
{
	static const struct text names[] = {
		TEXT("none"),  TEXT("None"),   TEXT("NONE"),   TEXT(""),
		TEXT("HS256"), TEXT("HS384"),  TEXT("HS512"),  TEXT("es256"),
		TEXT("Es256"), TEXT("ES256 "), TEXT(" ES256"), TEXT("ES256\0"),
		TEXT("ES25"),  TEXT("ES2566"), TEXT("ES512"),  TEXT("ES256K"),
		TEXT("eddsa"), TEXT("EDDSA"),  TEXT("Ed448"),  TEXT("RSA-OAEP"),
	};
	enum jws_algorithm found = JWS_PS384;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_false(jws_algorithm_find(names[i], &found));
	assert_int_equal(found, JWS_PS384);
}

static void each_algorithm_verifies_its_own_signature_only(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		struct text signature = sign(nth(i), MESSAGE);

		for (int j = 0; j < JWS_ALGORITHMS; j++)
			for (int k = 0; k < SIGNERS; k++)
				assert_int_equal(jws_verify(signers[k].key, nth(j),
							    MESSAGE, signature),
						 i == j && &signers[k] ==
								   signer_of(nth(i)));
	}
}

static void changed_message_or_signature_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		const struct jws_key *key = signer_of(nth(i))->key;
		struct text signature = sign(nth(i), MESSAGE);
		struct text other = with_flipped_bit(MESSAGE, 3);

		assert_true(jws_verify(key, nth(i), MESSAGE, signature));
		assert_false(jws_verify(key, nth(i), other, signature));
		assert_false(jws_verify(key, nth(i), AS_TEXT(""), signature));
		for (size_t bit = 0; bit < signature.len * 8; bit += 37)
			assert_false(verifies(nth(i), with_flipped_bit(signature, bit)));
		/* What was refused leaves nothing behind. */
		assert_true(jws_verify(key, nth(i), MESSAGE, signature));
	}
}

static void empty_message_can_be_signed(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		struct text signature = sign(nth(i), AS_TEXT(""));

		assert_true(jws_verify(signer_of(nth(i))->key, nth(i), AS_TEXT(""),
				       signature));
		assert_true(jws_verify(signer_of(nth(i))->key, nth(i),
				       (struct text){ NULL, 0 }, signature));
		assert_false(
			jws_verify(signer_of(nth(i))->key, nth(i), MESSAGE, signature));
	}
}

static void empty_signature_is_refused_by_every_key(void **state)
{
	(void)state;
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		for (int k = 0; k < SIGNERS; k++) {
			assert_false(
				jws_verify(signers[k].key, nth(i), MESSAGE, AS_TEXT("")));
			assert_false(jws_verify(signers[k].key, nth(i), MESSAGE,
						(struct text){ NULL, 0 }));
		}
}

static void keys_fit_by_type_and_curve(void **state)
{
	(void)state;
	assert_int_equal(jws_key_fits(signers[P256].key), 1u << JWS_ES256);
	assert_int_equal(jws_key_fits(signers[P384].key), 1u << JWS_ES384);
	assert_int_equal(jws_key_fits(signers[RSA2048].key), ALL_RSA);
	assert_int_equal(jws_key_fits(signers[ED25519].key), 1u << JWS_EDDSA);
}

/* ---- attacks on ECDSA */

static void es256_with_a_p384_key_is_refused(void **state)
{
	/* Hash and key are right for what was signed: only the curve is wrong. */
	struct text der = evp_sign(signers[P384].pkey, JWS_ES256, 0, MESSAGE);
	ECDSA_SIG *sig = der_read(der);
	struct text raw = joined(ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig), 48);

	(void)state;
	ECDSA_SIG_free(sig);
	assert_false(jws_verify(signers[P384].key, JWS_ES256, MESSAGE, raw));
	assert_false(jws_verify(signers[P384].key, JWS_ES384, MESSAGE, raw));
	assert_true(verifies(JWS_ES384, sign(JWS_ES384, MESSAGE)));
}

/* Zeros before r and s give them the length of ES384, and do not change the numbers. */
static void es384_with_a_p256_key_is_refused(void **state)
{
	ECDSA_SIG *sig = der_read(evp_sign(signers[P256].pkey, JWS_ES384, 0, MESSAGE));
	struct text raw = joined(ECDSA_SIG_get0_r(sig), ECDSA_SIG_get0_s(sig), 48);

	(void)state;
	ECDSA_SIG_free(sig);
	assert_false(jws_verify(signers[P256].key, JWS_ES384, MESSAGE, raw));
	assert_true(verifies(JWS_ES256, sign(JWS_ES256, MESSAGE)));
}

static void der_in_place_of_r_and_s_is_refused(void **state)
{
	(void)state;
	assert_false(
		verifies(JWS_ES256, evp_sign(signers[P256].pkey, JWS_ES256, 0, MESSAGE)));
	assert_false(
		verifies(JWS_ES384, evp_sign(signers[P384].pkey, JWS_ES384, 0, MESSAGE)));
	assert_true(verifies(JWS_ES256, sign(JWS_ES256, MESSAGE)));
	assert_true(verifies(JWS_ES384, sign(JWS_ES384, MESSAGE)));
}

static void es256_signature_of_63_65_or_128_octets_is_refused(void **state)
{
	struct text good = sign(JWS_ES256, MESSAGE);
	struct text r = { good.data, 32 }, s = { good.data + 32, 32 };
	const struct text zero = TEXT("\0"), zeros = { arena_alloc(arena, 32), 32 };

	(void)state;
	assert_int_equal(good.len, 64);
	assert_true(verifies(JWS_ES256, good));
	assert_false(verifies(JWS_ES256, without_last(good)));
	assert_false(verifies(JWS_ES256, concat(good, zero)));
	assert_false(verifies(JWS_ES256, concat(zero, good)));
	assert_false(verifies(JWS_ES256, concat(good, good)));
	/* The same two numbers, wider. */
	assert_false(verifies(JWS_ES256, concat(concat(zero, r), concat(zero, s))));
	assert_false(verifies(JWS_ES256, concat(concat(zeros, r), concat(zeros, s))));
}

static BIGNUM *order(int nid)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	BIGNUM *n = BN_dup(EC_GROUP_get0_order(group));

	EC_GROUP_free(group);
	return n;
}

/* Every pair out of 0, 1, n-1, n, n+1 and all ones, and each beside a good half. */
static void refuse_special_halves(enum jws_algorithm algorithm, int nid, int half)
{
	struct text good = sign(algorithm, MESSAGE);
	BIGNUM *special[8];
	int count = 0;

	assert_true(verifies(algorithm, good));
	for (int i = 0; i < 5; i++)
		special[i] = i < 2 ? BN_new() : order(nid);
	BN_one(special[1]);
	BN_sub_word(special[2], 1);
	BN_add_word(special[4], 1);
	special[5] = BN_new();
	BN_set_bit(special[5], half * 8);
	BN_sub_word(special[5], 1);
	special[6] = BN_bin2bn((const unsigned char *)good.data, half, NULL);
	special[7] = BN_bin2bn((const unsigned char *)good.data + half, half, NULL);
	for (int i = 0; i < 8; i++)
		for (int j = 0; j < 8; j++, count++)
			assert_int_equal(
				verifies(algorithm, joined(special[i], special[j], half)),
				i == 6 && j == 7);
	assert_int_equal(count, 64);
	for (int i = 0; i < 8; i++)
		BN_free(special[i]);
}

static void psychic_signature_of_zeros_n_or_swapped_halves_is_refused(void **state)
{
	(void)state;
	refuse_special_halves(JWS_ES256, NID_X9_62_prime256v1, 32);
	refuse_special_halves(JWS_ES384, NID_secp384r1, 48);
}

/* (r, n-s) is a signature by the rules: a search for replays must not go by its text. */
static void second_spelling_with_n_less_s_is_accepted(void **state)
{
	struct text good = sign(JWS_ES256, MESSAGE), other;
	BIGNUM *n = order(NID_X9_62_prime256v1);
	BIGNUM *r = BN_bin2bn((const unsigned char *)good.data, 32, NULL);
	BIGNUM *s = BN_bin2bn((const unsigned char *)good.data + 32, 32, NULL);

	(void)state;
	BN_sub(s, n, s);
	other = joined(r, s, 32);
	assert_false(text_equal(good, other));
	assert_true(verifies(JWS_ES256, other));
	BN_add_word(s, 1);
	assert_false(verifies(JWS_ES256, joined(r, s, 32)));
	BN_free(n);
	BN_free(r);
	BN_free(s);
}

/* ---- attacks on RSA */

static void rsa_signature_of_another_length_is_refused(void **state)
{
	(void)state;
	for (int i = JWS_RS256; i <= JWS_PS512; i++) {
		struct text good = sign(nth(i), MESSAGE);

		assert_int_equal(good.len, 256);
		assert_true(verifies(nth(i), good));
		assert_false(verifies(nth(i), without_last(good)));
		assert_false(verifies(nth(i), concat(good, AS_TEXT("\0"))));
		assert_false(verifies(nth(i), concat(AS_TEXT("\0"), good)));
		assert_false(verifies(nth(i), (struct text){ good.data, 64 }));
	}
}

/* A signature that starts with a zero octet must keep it. */
static void rsa_signature_without_its_leading_zero_is_refused(void **state)
{
	struct text message, signature;
	uint32_t i = 0;

	(void)state;
	do {
		message = arena_printf(arena, "message %u", i++);
		signature = sign(JWS_RS256, message);
	} while (*signature.data && i < 10000);
	assert_int_equal(*signature.data, 0);
	assert_true(jws_verify(signers[RSA2048].key, JWS_RS256, message, signature));
	signature.data++;
	signature.len--;
	assert_false(jws_verify(signers[RSA2048].key, JWS_RS256, message, signature));
}

static void rsa_signature_0_1_or_n_less_1_is_refused(void **state)
{
	struct text n = number(signers[RSA2048].pkey, "n");
	char *zero = arena_alloc(arena, 256), *one = arena_alloc(arena, 256);

	(void)state;
	one[255] = 1;
	for (int i = JWS_RS256; i <= JWS_PS512; i++) {
		assert_false(verifies(nth(i), (struct text){ zero, 256 }));
		assert_false(verifies(nth(i), (struct text){ one, 256 }));
		assert_false(verifies(nth(i), n));
		assert_false(verifies(nth(i), with_flipped_bit(n, 255 * 8)));
		assert_true(verifies(nth(i), sign(nth(i), MESSAGE)));
	}
}

static void pss_signature_under_rs256_and_the_reverse_are_refused(void **state)
{
	(void)state;
	assert_false(verifies(JWS_RS256, sign(JWS_PS256, MESSAGE)));
	assert_false(verifies(JWS_PS256, sign(JWS_RS256, MESSAGE)));
	assert_true(verifies(JWS_PS256, sign(JWS_PS256, MESSAGE)));
	assert_true(verifies(JWS_RS256, sign(JWS_RS256, MESSAGE)));
}

static void pss_salt_of_another_length_is_refused(void **state)
{
	EVP_PKEY *pkey = signers[RSA2048].pkey;

	(void)state;
	assert_true(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 32, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 0, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 31, MESSAGE)));
	assert_false(verifies(JWS_PS256, evp_sign(pkey, JWS_PS256, 48, MESSAGE)));
	assert_false(verifies(JWS_PS256,
			      evp_sign(pkey, JWS_PS256, RSA_PSS_SALTLEN_MAX, MESSAGE)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nine_algorithms_are_found_by_their_names),
		cmocka_unit_test(alg_none_hmac_and_look_alikes_are_not_found),
		cmocka_unit_test(each_algorithm_verifies_its_own_signature_only),
		cmocka_unit_test(changed_message_or_signature_is_refused),
		cmocka_unit_test(empty_message_can_be_signed),
		cmocka_unit_test(empty_signature_is_refused_by_every_key),
		cmocka_unit_test(keys_fit_by_type_and_curve),
		cmocka_unit_test(es256_with_a_p384_key_is_refused),
		cmocka_unit_test(es384_with_a_p256_key_is_refused),
		cmocka_unit_test(der_in_place_of_r_and_s_is_refused),
		cmocka_unit_test(es256_signature_of_63_65_or_128_octets_is_refused),
		cmocka_unit_test(
			psychic_signature_of_zeros_n_or_swapped_halves_is_refused),
		cmocka_unit_test(second_spelling_with_n_less_s_is_accepted),
		cmocka_unit_test(rsa_signature_of_another_length_is_refused),
		cmocka_unit_test(rsa_signature_without_its_leading_zero_is_refused),
		cmocka_unit_test(rsa_signature_0_1_or_n_less_1_is_refused),
		cmocka_unit_test(pss_signature_under_rs256_and_the_reverse_are_refused),
		cmocka_unit_test(pss_salt_of_another_length_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

#include "fuzz.h"
#include "jwk.h"
#include "jwks.h"

static const struct jwk *find(const struct jwk_set *set, const char *kid,
			      enum jws_algorithm algorithm)
{
	const struct text text = text_of(kid);

	return jwk_find(set, kid ? &text : NULL, algorithm);
}

static void check_key(const struct jwk_set *set, const struct jwk *key)
{
	const jws_algorithm_set fits = jws_key_fits(key->key);

	REQUIRE(key->key && key->fits && !(key->fits & ~fits));
	REQUIRE(jws_key_equal(key->key, key->key));
	for (int i = 0; i < JWS_ALGORITHMS; i++) {
		const struct jwk *found = find(set, key->kid, (enum jws_algorithm)i);

		if (!found)
			continue;
		/* Fit, not contradicted, and asked for by its name. */
		REQUIRE(found->fits & (1u << i) && !found->contradicted);
		REQUIRE(!key->kid || (found->kid && strcmp(found->kid, key->kid) == 0));
		/* It verifies nothing by chance. */
		REQUIRE(!jws_verify(found->key, (enum jws_algorithm)i, AS_TEXT("a.b"),
				    AS_TEXT("0123456789012345678901234567890123456789"
					    "012345678901234567890123")));
	}
}

void fuzz_jwks(struct arena *a, struct text input)
{
	struct problem p = { 0 };
	struct jwk_set set, again;

	if (!jwk_set_parse(a, input, &set, &p)) {
		REQUIRE(p.kind == PROBLEM_KEYS_AWAY);
		return;
	}
	REQUIRE(p.kind == PROBLEM_NONE && set.count + set.skipped <= JWK_SET_MAX_KEYS);
	fuzz_through++;
	REQUIRE(!set.skipped == !*set.skipped_why);
	for (size_t i = 0; i < set.count; i++)
		check_key(&set, &set.keys[i]);
	REQUIRE(jwk_set_parse(a, input, &again, &p));
	REQUIRE(again.count == set.count && again.skipped == set.skipped);
	for (size_t i = 0; i < set.count; i++)
		REQUIRE(jws_key_equal(set.keys[i].key, again.keys[i].key));
	jwk_set_close(&again);
	jwk_set_close(&set);
}

/* The file in state_dir: what is read is what was written, and written the same again. */
void fuzz_record(struct arena *a, struct text input)
{
	struct problem p = { 0 };
	struct jwks_record record, again;
	struct text printed;

	if (!jwks_record_parse(a, input, &record, &p)) {
		REQUIRE(p.kind != PROBLEM_NONE);
		return;
	}
	fuzz_through++;
	printed = jwks_record_print(a, &record);
	REQUIRE(jwks_record_parse(a, printed, &again, &p));
	REQUIRE(text_equal(record.url, again.url) && text_equal(record.etag, again.etag));
	REQUIRE(record.fetched_at == again.fetched_at);
	REQUIRE(record.fresh_until == again.fresh_until);
	REQUIRE(text_equal(record.keys, again.keys));
	REQUIRE(text_equal(printed, jwks_record_print(a, &again)));
}

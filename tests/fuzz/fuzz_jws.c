#include "fixture.h"
#include "fuzz.h"
#include "jwk.h"

#define KEYS 4

static const struct {
	const char *type;
	enum jws_algorithm algorithm;
} kinds[KEYS] = { { "P-256", JWS_ES256 },
		  { "P-384", JWS_ES384 },
		  { "RSA-2048", JWS_PS256 },
		  { "Ed25519", JWS_EDDSA } };

/* A key of each kind, the message's good signature, and the key as we would read it. */
static struct {
	struct maker_key *pair;
	struct jwk_set set;
	struct text signed_, signature;
} made[KEYS];

static void end_all(void)
{
	for (size_t i = 0; i < KEYS; i++) {
		jwk_set_close(&made[i].set);
		maker_key_free(made[i].pair);
	}
}

static void make_all(void)
{
	struct arena *a = fuzz_forever();
	struct problem p = { 0 };

	for (size_t i = 0; i < KEYS; i++) {
		struct text token;

		made[i].pair = maker_key_new(kinds[i].type);
		token = maker_token(a, made[i].pair, kinds[i].algorithm, AS_TEXT("{}"),
				    AS_TEXT("{}"));
		made[i].signature = maker_unbase64url(a, maker_token_part(token, 2));
		made[i].signed_ =
			(struct text){ token.data,
				       token.len - maker_token_part(token, 2).len - 1 };
		REQUIRE(jwk_set_parse(
			a,
			text_of(maker_jwk_set(a, maker_jwk(a, made[i].pair, ""), NULL)),
			&made[i].set, &p));
	}
	atexit(end_all);
}

/* The input on top of the good signature: with no bit of it set, it is that. */
static struct text disturb(struct arena *a, struct text good, struct text input,
			   bool *changed)
{
	char *bytes = arena_alloc(a, good.len + 1);

	memcpy(bytes, good.data, good.len);
	*changed = false;
	for (size_t i = 0; i < good.len && i < input.len; i++) {
		bytes[i] ^= input.data[i];
		*changed = *changed || input.data[i];
	}
	return (struct text){ bytes, good.len };
}

/*
 * A byte for the key, one for the algorithm, one for how: the rest as a signature, as what
 * is turned in a good one, or as what is signed.
 */
void fuzz_jws(struct arena *a, struct text input)
{
	struct text rest, signature;
	enum jws_algorithm algorithm;
	const struct jws_key *key;
	bool changed = true;
	size_t i;

	if (input.len < 3)
		return;
	if (!made[0].pair)
		make_all();
	i = (unsigned char)input.data[0] % KEYS;
	algorithm = (enum jws_algorithm)((unsigned char)input.data[1] % JWS_ALGORITHMS);
	key = made[i].set.keys[0].key;
	rest = (struct text){ input.data + 3, input.len - 3 };
	switch (input.data[2] % 3) {
	case 0: /* nobody guesses one */
		REQUIRE(!jws_verify(key, algorithm, made[i].signed_, rest));
		break;
	case 1:
		signature = disturb(a, made[i].signature, rest, &changed);
		REQUIRE(jws_verify(key, algorithm, made[i].signed_, signature) ==
			(!changed && algorithm == kinds[i].algorithm));
		fuzz_through += !changed;
		/* A byte more or less is another signature, and none. */
		signature.len -= signature.len > 0;
		REQUIRE(!jws_verify(key, algorithm, made[i].signed_, signature));
		break;
	default:
		REQUIRE(jws_verify(key, algorithm, rest, made[i].signature) ==
			(algorithm == kinds[i].algorithm &&
			 text_equal(rest, made[i].signed_)));
	}
}

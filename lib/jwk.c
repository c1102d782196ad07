#include "jwk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base64url.h"
#include "json.h"

#define DEPTH 8
#define KID_MAX 256

/* False when the member is there and no string; absent, *OUT has no data. */
static bool string_or_absent(const struct json *entry, const char *name, struct text *out)
{
	const struct json *value;

	*out = (struct text){ NULL, 0 };
	return !json_member(entry, name, &value) || json_string(value, out);
}

static bool array_has(const struct json *array, const char *wanted)
{
	struct text t;

	for (size_t i = 0; i < json_array_length(array); i++)
		if (json_string(json_array_at(array, i), &t) && text_is(t, wanted))
			return true;
	return false;
}

/* RFC 7518, 6.2.2, 6.3.2 and 6.4.1: with one of these it is no public key. */
static bool has_private_part(const struct json *entry)
{
	static const char *const names[] = {
		"d", "p", "q", "dp", "dq", "qi", "oth", "k"
	};
	const struct json *value;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (json_member(entry, names[i], &value))
			return true;
	return false;
}

/* RFC 7517, 4.2 and 4.3. NULL when nothing speaks against the key. */
static const char *why_not_for_verifying(const struct json *entry)
{
	const struct json *operations;
	struct text use;

	if (has_private_part(entry))
		return "a private or symmetric key";
	if (!string_or_absent(entry, "use", &use) || (use.data && !text_is(use, "sig")))
		return "use is not sig";
	if (json_member(entry, "key_ops", &operations) &&
	    !array_has(operations, "verify"))
		return "key_ops is without verify";
	return NULL;
}

static bool kid_read(const struct json *entry, struct text *out)
{
	if (!string_or_absent(entry, "kid", out))
		return false;
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] < ' ' || out->data[i] > '~')
			return false;
	return !out->data || (out->len >= 1 && out->len <= KID_MAX);
}

/* All algorithms where the entry names none. */
static jws_algorithm_set algorithms_named(const struct json *entry)
{
	enum jws_algorithm algorithm;
	struct text name;

	if (!string_or_absent(entry, "alg", &name))
		return 0;
	if (!name.data)
		return ~0u;
	return jws_algorithm_find(name, &algorithm) ? 1u << algorithm : 0;
}

/* A Base64urlUInt or an octet string (RFC 7518, 2). */
static bool bytes_read(struct arena *scratch, const struct json *entry, const char *name,
		       struct text *out)
{
	const struct json *value;
	struct text encoded;

	return json_member(entry, name, &value) && json_string(value, &encoded) &&
	       base64url_decode_text(scratch, encoded, out);
}

static struct jws_key *ec_read(struct arena *scratch, const struct json *entry,
			       const char **why)
{
	static const char *const curves[] = { "P-256", "P-384" };
	struct text curve, x, y;

	*why = "unknown curve";
	if (!string_or_absent(entry, "crv", &curve))
		return NULL;
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++) {
		if (!text_is(curve, curves[i]))
			continue;
		if (bytes_read(scratch, entry, "x", &x) &&
		    bytes_read(scratch, entry, "y", &y))
			return jws_key_new_ec(curves[i], x, y, why);
		*why = "x or y is absent or not base64url";
	}
	return NULL;
}

static struct jws_key *rsa_read(struct arena *scratch, const struct json *entry,
				const char **why)
{
	struct text n, e;

	*why = "n or e is absent or not base64url";
	if (!bytes_read(scratch, entry, "n", &n) || !bytes_read(scratch, entry, "e", &e))
		return NULL;
	return jws_key_new_rsa(n, e, why);
}

static struct jws_key *okp_read(struct arena *scratch, const struct json *entry,
				const char **why)
{
	struct text curve, x;

	*why = "unknown curve";
	if (!string_or_absent(entry, "crv", &curve) || !text_is(curve, "Ed25519"))
		return NULL;
	*why = "x is absent or not base64url";
	if (!bytes_read(scratch, entry, "x", &x))
		return NULL;
	return jws_key_new_ed25519(x, why);
}

static struct jws_key *key_read(struct arena *scratch, const struct json *entry,
				const char **why)
{
	struct text type;

	*why = "unknown kty";
	if (!string_or_absent(entry, "kty", &type))
		return NULL;
	if (text_is(type, "EC"))
		return ec_read(scratch, entry, why);
	if (text_is(type, "RSA"))
		return rsa_read(scratch, entry, why);
	if (text_is(type, "OKP"))
		return okp_read(scratch, entry, why);
	if (text_is(type, "oct"))
		*why = "a private or symmetric key";
	return NULL;
}

/* NULL, or why the entry is passed over. */
static const char *entry_read(struct arena *scratch, const struct json *entry,
			      struct jwk *out)
{
	jws_algorithm_set named;
	struct text kid, issuer;
	struct jws_key *key;
	const char *why;

	if (json_type(entry) != JSON_OBJECT)
		return "not an object";
	why = why_not_for_verifying(entry);
	if (why)
		return why;
	if (!kid_read(entry, &kid))
		return "kid is not 1 to 256 printable ASCII characters";
	named = algorithms_named(entry);
	if (!named)
		return "alg is none of ours";
	key = key_read(scratch, entry, &why);
	if (!key)
		return why;
	if (!(named & jws_key_fits(key))) {
		jws_key_free(key);
		return "alg does not fit the key";
	}
	*out = (struct jwk){ .key = key, .fits = named & jws_key_fits(key) };
	if (kid.data)
		out->kid = x_copy(kid);
	if (string_or_absent(entry, "issuer", &issuer) && issuer.data)
		out->issuer = x_copy(issuer);
	return NULL;
}

static void jwk_close(struct jwk *jwk)
{
	free(jwk->kid);
	free(jwk->issuer);
	jws_key_free(jwk->key);
}

void jwk_set_close(struct jwk_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		jwk_close(&set->keys[i]);
	free(set->keys);
	*set = (struct jwk_set){ 0 };
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/*
 * Listed twice, with "alg" RS256 and PS256 for instance, a key stays one. The same key
 * for another issuer is another key: merging would loosen what it is pinned to.
 */
static void set_add(struct jwk_set *set, struct jwk *added)
{
	for (size_t i = 0; i < set->count; i++) {
		struct jwk *there = &set->keys[i];

		if (!same(there->kid, added->kid))
			continue;
		if (same(there->issuer, added->issuer) &&
		    jws_key_equal(there->key, added->key)) {
			there->fits |= added->fits;
			jwk_close(added);
			return;
		}
		if (added->kid)
			there->contradicted = added->contradicted = true;
	}
	set->keys[set->count++] = *added;
}

static void set_skip(struct jwk_set *set, const char *why)
{
	if (!set->skipped++)
		snprintf(set->skipped_why, sizeof(set->skipped_why), "%s", why);
}

bool jwk_set_parse(struct arena *scratch, struct text document, struct jwk_set *out,
		   struct problem *p)
{
	struct jwk_set set = { 0 };
	const struct json *root, *keys;
	const char *why;
	struct jwk jwk;
	size_t entries;

	if (document.len > JWK_SET_MAX_BYTES)
		return problem(p, KEYS_AWAY, "key set of %zu bytes", document.len);
	root = json_parse(scratch, document, DEPTH, &why);
	if (!root)
		return problem(p, KEYS_AWAY, "key set: %s", why);
	if (!json_member(root, "keys", &keys) || json_type(keys) != JSON_ARRAY)
		return problem(p, KEYS_AWAY, "key set without an array of keys");
	entries = json_array_length(keys);
	if (entries > JWK_SET_MAX_KEYS)
		return problem(p, KEYS_AWAY, "key set of %zu keys", entries);
	set.keys = x_alloc(entries * sizeof(*set.keys));
	for (size_t i = 0; i < entries; i++) {
		why = entry_read(scratch, json_array_at(keys, i), &jwk);
		if (why)
			set_skip(&set, why);
		else
			set_add(&set, &jwk);
	}
	*out = set;
	return true;
}

static const struct jwk *find_by_kid(const struct jwk_set *set, struct text kid,
				     enum jws_algorithm algorithm)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct jwk *jwk = &set->keys[i];

		if (jwk->kid && text_is(kid, jwk->kid) && !jwk->contradicted)
			return (jwk->fits & 1u << algorithm) ? jwk : NULL;
	}
	return NULL;
}

const struct jwk *jwk_find(const struct jwk_set *set, const struct text *kid,
			   enum jws_algorithm algorithm)
{
	const struct jwk *only = NULL;

	if (kid)
		return find_by_kid(set, *kid, algorithm);
	/* Contradicted keys count here: with them it is not clear which key is meant. */
	for (size_t i = 0; i < set->count; i++) {
		if (!(set->keys[i].fits & 1u << algorithm))
			continue;
		if (only)
			return NULL;
		only = &set->keys[i];
	}
	return only && !only->contradicted ? only : NULL;
}

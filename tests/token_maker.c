#include "token_maker.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "buffer.h"

#define SIGNATURE_MAX 1024

struct maker_key {
	EVP_PKEY *pkey;
	const char *curve; /* as in "crv"; NULL for RSA */
};

/* Nothing of a test makes sense when its tools fail. */
static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "token_maker: %s\n", what);
	abort();
}

/* ---- keys */

struct maker_key *maker_key_new(const char *type)
{
	struct maker_key *key = x_alloc(sizeof(*key));

	if (strncmp(type, "RSA-", 4) == 0)
		key->pkey = EVP_RSA_gen((unsigned)atoi(type + 4));
	else if (strcmp(type, "Ed25519") == 0)
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key->pkey = EVP_EC_gen(type);
	key->curve = strncmp(type, "RSA-", 4) == 0 ? NULL : type;
	need(key->pkey != NULL, type);
	return key;
}

void maker_key_free(struct maker_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

/* Not by lib/base64url.c, which is under test. */
struct text maker_base64url(struct arena *a, struct text bytes)
{
	char *out = arena_alloc(a, bytes.len / 3 * 4 + 5);
	size_t len = (size_t)EVP_EncodeBlock(
		(unsigned char *)out, (const unsigned char *)bytes.data, (int)bytes.len);

	for (char *c = out; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	while (len && out[len - 1] == '=')
		out[--len] = '\0';
	return (struct text){ out, len };
}

struct text maker_unbase64url(struct arena *a, struct text encoded)
{
	const size_t padded = (encoded.len + 3) / 4 * 4;
	unsigned char *in = arena_alloc(a, padded + 1);
	unsigned char *out = arena_alloc(a, padded / 4 * 3 + 1);
	int len;

	memset(in, '=', padded);
	for (size_t i = 0; i < encoded.len; i++)
		in[i] = encoded.data[i] == '-'	 ? '+'
			: encoded.data[i] == '_' ? '/'
						 : (unsigned char)encoded.data[i];
	len = EVP_DecodeBlock(out, in, (int)padded);
	need(len >= 0, "not base64url");
	len -= (int)(padded - encoded.len);
	out[len] = '\0';
	return (struct text){ (char *)out, (size_t)len };
}

static const char *number_member(struct arena *a, const struct maker_key *key,
				 const char *parameter, int len)
{
	BIGNUM *number = NULL;
	unsigned char bytes[1024];

	need(EVP_PKEY_get_bn_param(key->pkey, parameter, &number) == 1, parameter);
	if (!len)
		len = BN_num_bytes(number);
	need(BN_bn2binpad(number, bytes, len) == len, parameter);
	BN_free(number);
	return maker_base64url(a, (struct text){ (char *)bytes, (size_t)len }).data;
}

static const char *public_members(struct arena *a, const struct maker_key *key)
{
	unsigned char raw[32];
	size_t len = sizeof(raw);
	int half;

	if (!key->curve)
		return arena_printf(a, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"",
				    number_member(a, key, OSSL_PKEY_PARAM_RSA_N, 0),
				    number_member(a, key, OSSL_PKEY_PARAM_RSA_E, 0))
			.data;
	if (strcmp(key->curve, "Ed25519") == 0) {
		need(EVP_PKEY_get_raw_public_key(key->pkey, raw, &len) == 1, "Ed25519");
		return arena_printf(
			       a, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"",
			       maker_base64url(a, (struct text){ (char *)raw, len }).data)
			.data;
	}
	half = strcmp(key->curve, "P-256") == 0 ? 32 : 48;
	return arena_printf(a, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"",
			    key->curve,
			    number_member(a, key, OSSL_PKEY_PARAM_EC_PUB_X, half),
			    number_member(a, key, OSSL_PKEY_PARAM_EC_PUB_Y, half))
		.data;
}

const char *maker_jwk(struct arena *a, const struct maker_key *key, const char *more)
{
	return arena_printf(a, "{%s%s%s}", public_members(a, key), *more ? "," : "", more)
		.data;
}

const char *maker_jwk_set(struct arena *a, const char *first, ...)
{
	struct buffer b = buffer_new(a, 1024);
	va_list rest;

	buffer_add(&b, AS_TEXT("{\"keys\":["));
	va_start(rest, first);
	for (const char *jwk = first; jwk; jwk = va_arg(rest, const char *)) {
		if (jwk != first)
			buffer_add_char(&b, ',');
		buffer_add(&b, text_of(jwk));
	}
	va_end(rest);
	buffer_add(&b, AS_TEXT("]}"));
	return arena_copy(a, buffer_text(&b)).data;
}

static const char *pem(struct arena *a, const struct maker_key *key, bool private_)
{
	BIO *memory = BIO_new(BIO_s_mem());
	const char *text;
	char *data;
	long len;

	need(memory && (private_ ? PEM_write_bio_PrivateKey(memory, key->pkey, NULL, NULL,
							    0, NULL, NULL)
				 : PEM_write_bio_PUBKEY(memory, key->pkey)) == 1,
	     "PEM");
	len = BIO_get_mem_data(memory, &data);
	text = arena_copy(a, (struct text){ data, (size_t)len }).data;
	BIO_free(memory);
	return text;
}

const char *maker_pem_public(struct arena *a, const struct maker_key *key)
{
	return pem(a, key, false);
}

const char *maker_pem_private(struct arena *a, const struct maker_key *key)
{
	return pem(a, key, true);
}

/* ---- signatures */

static const struct rule {
	const char *hash; /* NULL: Ed25519 brings its own */
	bool pss;
	int half; /* of r||s; 0: not ECDSA */
} rules[JWS_ALGORITHMS] = {
	[JWS_ES256] = { "SHA256", false, 32 }, [JWS_ES384] = { "SHA384", false, 48 },
	[JWS_RS256] = { "SHA256", false, 0 },  [JWS_RS384] = { "SHA384", false, 0 },
	[JWS_RS512] = { "SHA512", false, 0 },  [JWS_PS256] = { "SHA256", true, 0 },
	[JWS_PS384] = { "SHA384", true, 0 },   [JWS_PS512] = { "SHA512", true, 0 },
	[JWS_EDDSA] = { NULL, false, 0 },
};

/* From the DER of OpenSSL to r||s (RFC 7518, 3.4). */
static struct text joined(struct arena *a, const unsigned char *der, size_t len, int half)
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	unsigned char *out = arena_alloc(a, 2 * (size_t)half);

	need(pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half) == half &&
		     BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half) == half,
	     "ECDSA");
	ECDSA_SIG_free(pair);
	return (struct text){ (char *)out, 2 * (size_t)half };
}

static struct text sign(struct arena *a, const struct maker_key *key,
			const struct rule *rule, struct text signed_)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char out[SIGNATURE_MAX];
	size_t len = sizeof(out);
	EVP_PKEY_CTX *inner;

	need(EVP_DigestSignInit_ex(ctx, &inner, rule->hash, NULL, NULL, key->pkey,
				   NULL) == 1,
	     "the key does not fit");
	if (rule->pss)
		need(EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING) == 1 &&
			     EVP_PKEY_CTX_set_rsa_pss_saltlen(
				     inner, RSA_PSS_SALTLEN_DIGEST) == 1,
		     "PSS");
	need(EVP_DigestSign(ctx, out, &len, (const unsigned char *)signed_.data,
			    signed_.len) == 1,
	     "signing");
	EVP_MD_CTX_free(ctx);
	return rule->half ? joined(a, out, len, rule->half)
			  : arena_copy(a, (struct text){ (char *)out, len });
}

static struct text with_signature(struct arena *a, struct text signed_,
				  struct text signature)
{
	struct buffer b = buffer_new(a, signed_.len + signature.len * 2);

	buffer_add(&b, signed_);
	buffer_add_char(&b, '.');
	buffer_add(&b, maker_base64url(a, signature));
	return arena_copy(a, buffer_text(&b));
}

/* A part may hold anything, a NUL included: printf would stop there. */
static struct text joined_parts(struct arena *a, struct text header, struct text payload)
{
	struct buffer b = buffer_new(a, header.len + payload.len + 1);

	buffer_add(&b, header);
	buffer_add_char(&b, '.');
	buffer_add(&b, payload);
	return buffer_text(&b);
}

struct text maker_token_of_parts(struct arena *a, const struct maker_key *key,
				 enum jws_algorithm algorithm, struct text header,
				 struct text payload)
{
	const struct text signed_ = joined_parts(a, header, payload);

	return with_signature(a, signed_, sign(a, key, &rules[algorithm], signed_));
}

struct text maker_token(struct arena *a, const struct maker_key *key,
			enum jws_algorithm algorithm, struct text header,
			struct text payload)
{
	return maker_token_of_parts(a, key, algorithm, maker_base64url(a, header),
				    maker_base64url(a, payload));
}

struct text maker_token_hs256(struct arena *a, struct text secret, struct text header,
			      struct text payload)
{
	const struct text signed_ =
		joined_parts(a, maker_base64url(a, header), maker_base64url(a, payload));
	unsigned char mac[32];
	unsigned len = sizeof(mac);

	need(HMAC(EVP_sha256(), secret.data, (int)secret.len,
		  (const unsigned char *)signed_.data, signed_.len, mac, &len) != NULL,
	     "HMAC");
	return with_signature(a, signed_, (struct text){ (char *)mac, len });
}

struct text maker_token_part(struct text token, int part)
{
	struct text rest = token, found = text_before(token, '.', &rest);

	while (part--)
		found = text_before(rest, '.', &rest);
	return found;
}

struct text maker_token_twin(struct arena *a, struct text token)
{
	const struct text signature = maker_unbase64url(a, maker_token_part(token, 2));
	unsigned char *twin = arena_alloc(a, signature.len);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	BIGNUM *s = BN_bin2bn((const unsigned char *)signature.data + 32, 32, NULL);

	need(signature.len == 64 && group && s &&
		     BN_sub(s, EC_GROUP_get0_order(group), s) == 1,
	     "n-s");
	memcpy(twin, signature.data, 32);
	need(BN_bn2binpad(s, twin + 32, 32) == 32, "n-s");
	BN_free(s);
	EC_GROUP_free(group);
	return with_signature(
		a,
		(struct text){ token.data,
			       token.len - maker_token_part(token, 2).len - 1 },
		(struct text){ (char *)twin, 64 });
}

#include "jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "arena.h"

#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192
#define COORDINATE_MAX 48 /* P-384 */
#define ED25519_BYTES 32

enum key_type { KEY_EC, KEY_RSA, KEY_ED25519 };

struct algorithm {
	const char *name;
	enum key_type type;
	const char *curve;    /* EC: as in "crv", which OpenSSL takes as well */
	const char *hash;     /* NULL: Ed25519 brings its own */
	int padding;	      /* RSA */
	size_t signature_len; /* 0: that of the modulus */
};

static const struct algorithm algorithms[JWS_ALGORITHMS] = {
	[JWS_ES256] = { "ES256", KEY_EC, "P-256", "SHA256", 0, 64 },
	[JWS_ES384] = { "ES384", KEY_EC, "P-384", "SHA384", 0, 96 },
	[JWS_RS256] = { "RS256", KEY_RSA, NULL, "SHA256", RSA_PKCS1_PADDING, 0 },
	[JWS_RS384] = { "RS384", KEY_RSA, NULL, "SHA384", RSA_PKCS1_PADDING, 0 },
	[JWS_RS512] = { "RS512", KEY_RSA, NULL, "SHA512", RSA_PKCS1_PADDING, 0 },
	[JWS_PS256] = { "PS256", KEY_RSA, NULL, "SHA256", RSA_PKCS1_PSS_PADDING, 0 },
	[JWS_PS384] = { "PS384", KEY_RSA, NULL, "SHA384", RSA_PKCS1_PSS_PADDING, 0 },
	[JWS_PS512] = { "PS512", KEY_RSA, NULL, "SHA512", RSA_PKCS1_PSS_PADDING, 0 },
	[JWS_EDDSA] = { "EdDSA", KEY_ED25519, NULL, NULL, 0, 64 },
};

/*
 * For each algorithm a context with key, hash and padding set, made at its first use
 * and only ever copied. Copying takes 2,300 instructions where setting one up takes
 * 28,000 and the lock of OpenSSL's method store, which all threads share.
 */
struct templates {
	_Atomic(EVP_MD_CTX *) of[JWS_ALGORITHMS];
};

struct jws_key {
	EVP_PKEY *pkey;
	jws_algorithm_set fits;
	size_t modulus_len; /* RSA */
	struct templates *templates;
};

bool jws_algorithm_find(struct text name, enum jws_algorithm *out)
{
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		if (text_is(name, algorithms[i].name)) {
			*out = (enum jws_algorithm)i;
			return true;
		}
	return false;
}

const char *jws_algorithm_name(enum jws_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

static jws_algorithm_set algorithms_for(enum key_type type, const char *curve)
{
	jws_algorithm_set set = 0;

	for (unsigned i = 0; i < JWS_ALGORITHMS; i++)
		if (algorithms[i].type == type &&
		    (!algorithms[i].curve ||
		     (curve && strcmp(algorithms[i].curve, curve) == 0)))
			set |= 1u << i;
	return set;
}

static struct jws_key *key_new(EVP_PKEY *pkey, jws_algorithm_set fits)
{
	struct jws_key *key = x_alloc(sizeof(*key));

	key->pkey = pkey;
	key->fits = fits;
	key->templates = x_alloc(sizeof(*key->templates));
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		atomic_init(&key->templates->of[i], NULL);
	return key;
}

void jws_key_free(struct jws_key *key)
{
	if (!key)
		return;
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		EVP_MD_CTX_free(atomic_load(&key->templates->of[i]));
	EVP_PKEY_free(key->pkey);
	free(key->templates);
	free(key);
}

jws_algorithm_set jws_key_fits(const struct jws_key *key)
{
	return key->fits;
}

bool jws_key_equal(const struct jws_key *a, const struct jws_key *b)
{
	bool equal;

	ERR_set_mark();
	equal = EVP_PKEY_eq(a->pkey, b->pkey) == 1;
	ERR_pop_to_mark();
	return equal;
}

/* Sets *WHY, so that a maker can end with it. */
static struct jws_key *refuse(const char **why, const char *phrase)
{
	*why = phrase;
	return NULL;
}

static EVP_PKEY *pkey_new(const char *type, OSSL_PARAM params[])
{
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *pkey = NULL;
	bool made;

	ERR_set_mark();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	made = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
	ERR_pop_to_mark();
	EVP_PKEY_CTX_free(ctx);
	if (made)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

/*
 * EVP_PKEY_fromdata refuses what is off the curve, but nowhere promises to. The quick
 * check looks at range and curve equation. The full one multiplies by the order as well,
 * which on curves of cofactor 1 can show nothing more and takes 760 us on P-384, in CGI
 * mode for each key at each request. RSA has no quick check: it is a primality test of
 * 4 ms, and the limits that matter are ours.
 */
static bool point_is_sound(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool sound;

	ERR_set_mark();
	sound = ctx && EVP_PKEY_public_check_quick(ctx) == 1;
	ERR_pop_to_mark();
	EVP_PKEY_CTX_free(ctx);
	return sound;
}

struct jws_key *jws_key_new_ec(const char *curve, struct text x, struct text y,
			       const char **why)
{
	unsigned char point[1 + 2 * COORDINATE_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
	jws_algorithm_set fits = algorithms_for(KEY_EC, curve);
	size_t len = (fits & 1u << JWS_ES256) ? 32 : COORDINATE_MAX;
	OSSL_PARAM params[3];
	EVP_PKEY *pkey;

	if (!fits)
		return refuse(why, "unknown curve");
	/* RFC 7518, 6.2.1.2: leading zeros belong to a coordinate. */
	if (x.len != len || y.len != len)
		return refuse(why, "coordinate of a wrong length");
	memcpy(point + 1, x.data, len);
	memcpy(point + 1 + len, y.data, len);
	/* OpenSSL only reads the name; its constructor is not const. */
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						     (char *)(uintptr_t)curve, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
						      1 + 2 * len);
	params[2] = OSSL_PARAM_construct_end();
	pkey = pkey_new("EC", params);
	if (!pkey || !point_is_sound(pkey)) {
		EVP_PKEY_free(pkey);
		return refuse(why, "point not on the curve");
	}
	return key_new(pkey, fits);
}

/* RFC 7518, 6.3.1.1 forbids leading zeros, yet some issuers send the one of ASN.1. */
static struct text without_leading_zeros(struct text number)
{
	while (number.len && !*number.data) {
		number.data++;
		number.len--;
	}
	return number;
}

static size_t bits_of(struct text number)
{
	size_t bits = number.len * 8;

	if (!number.len)
		return 0;
	for (unsigned first = (unsigned char)*number.data; first < 0x80; first <<= 1)
		bits--;
	return bits;
}

static bool is_odd(struct text number)
{
	return number.len && number.data[number.len - 1] & 1;
}

static EVP_PKEY *rsa_pkey_new(struct text n, uint32_t e)
{
	unsigned char native[RSA_MAX_BITS / 8];
	BIGNUM *number = BN_bin2bn((const unsigned char *)n.data, (int)n.len, NULL);
	OSSL_PARAM params[3];

	if (!number || BN_bn2nativepad(number, native, (int)n.len) < 0) {
		BN_free(number);
		return NULL;
	}
	BN_free(number);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, n.len);
	params[1] = OSSL_PARAM_construct_uint32(OSSL_PKEY_PARAM_RSA_E, &e);
	params[2] = OSSL_PARAM_construct_end();
	return pkey_new("RSA", params);
}

struct jws_key *jws_key_new_rsa(struct text n, struct text e, const char **why)
{
	struct jws_key *key;
	EVP_PKEY *pkey;
	uint32_t exponent = 0;

	n = without_leading_zeros(n);
	e = without_leading_zeros(e);
	if (bits_of(n) < RSA_MIN_BITS)
		return refuse(why, "modulus too short");
	if (bits_of(n) > RSA_MAX_BITS)
		return refuse(why, "modulus too long");
	if (!is_odd(n))
		return refuse(why, "even modulus");
	if (e.len > sizeof(exponent))
		return refuse(why, "exponent too large");
	if (!is_odd(e))
		return refuse(why, "even exponent");
	for (size_t i = 0; i < e.len; i++)
		exponent = exponent << 8 | (unsigned char)e.data[i];
	/* With e = 1 every message is its own signature. */
	if (exponent < 3)
		return refuse(why, "exponent too small");
	pkey = rsa_pkey_new(n, exponent);
	if (!pkey)
		return refuse(why, "not an RSA key");
	key = key_new(pkey, algorithms_for(KEY_RSA, NULL));
	key->modulus_len = n.len;
	return key;
}

/*
 * Is BYTES a point of edwards25519 (RFC 8032, 5.1.3), and not one of the eight whose
 * order divides 8? Under those anyone can make signatures without a private key, and
 * OpenSSL does not look. As x^2 = (y^2 - 1) / (d y^2 + 1), a point is there where this
 * is a square; the small orders are y^2 = 0, d y^4 + 2 y^2 = 1 and y^2 = 1, for which
 * the symbol is 0.
 */
static bool ed25519_is_sound(struct text bytes)
{
	static const char d_hex[] =
		"52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3";
	unsigned char y[ED25519_BYTES];
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_new(), *d = BN_new(), *t = BN_new();
	BIGNUM *y2 = BN_new(), *dy2 = BN_new();
	bool sound;

	memcpy(y, bytes.data, sizeof(y));
	y[ED25519_BYTES - 1] &= 0x7f; /* the sign of x */
	sound = ctx && p && d && y2 && dy2 && t && BN_set_bit(p, 255) &&
		BN_sub_word(p, 19) && BN_hex2bn(&d, d_hex) &&
		BN_lebin2bn(y, ED25519_BYTES, t) && BN_cmp(t, p) < 0 &&
		BN_mod_sqr(y2, t, p, ctx) && !BN_is_zero(y2) &&
		BN_mod_mul(dy2, d, y2, p, ctx) && BN_add_word(dy2, 2) &&
		BN_mod_mul(t, dy2, y2, p, ctx) && !BN_is_one(t) && BN_sub_word(dy2, 1) &&
		BN_sub_word(y2, 1) && BN_mod_mul(t, y2, dy2, p, ctx) &&
		BN_kronecker(t, p, ctx) == 1;
	BN_free(p);
	BN_free(d);
	BN_free(y2);
	BN_free(dy2);
	BN_free(t);
	BN_CTX_free(ctx);
	return sound;
}

struct jws_key *jws_key_new_ed25519(struct text x, const char **why)
{
	const unsigned char *bytes = (const unsigned char *)x.data;
	EVP_PKEY *pkey;

	if (x.len != ED25519_BYTES)
		return refuse(why, "coordinate of a wrong length");
	if (!ed25519_is_sound(x))
		return refuse(why, "point not on the curve or of small order");
	pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bytes, x.len);
	if (!pkey)
		return refuse(why, "not an Ed25519 key");
	return key_new(pkey, algorithms_for(KEY_ED25519, NULL));
}

static bool set_padding(EVP_PKEY_CTX *ctx, const struct algorithm *a)
{
	if (a->type != KEY_RSA)
		return true;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, a->padding) != 1)
		return false;
	/* RFC 7518, 3.5: a salt as long as the hash; MGF1 takes that hash by itself. */
	return a->padding != RSA_PKCS1_PSS_PADDING ||
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static EVP_MD_CTX *template_new(EVP_PKEY *pkey, const struct algorithm *a)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *inner; /* belongs to ctx */

	if (ctx &&
	    EVP_DigestVerifyInit_ex(ctx, &inner, a->hash, NULL, NULL, pkey, NULL) == 1 &&
	    set_padding(inner, a))
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

static const EVP_MD_CTX *template_of(const struct jws_key *key,
				     enum jws_algorithm algorithm)
{
	_Atomic(EVP_MD_CTX *) *slot = &key->templates->of[algorithm];
	EVP_MD_CTX *there = atomic_load(slot), *made;

	if (there)
		return there;
	made = template_new(key->pkey, &algorithms[algorithm]);
	if (!made || atomic_compare_exchange_strong(slot, &there, made))
		return made;
	/* Another thread was first: LCOV_EXCL_START, as no test can time that. */
	EVP_MD_CTX_free(made);
	return there;
	/* LCOV_EXCL_STOP */
}

/* Half of r||s as an INTEGER: in the shortest form, never negative. Returns its end. */
static unsigned char *der_add_integer(unsigned char *der, const unsigned char *half,
				      size_t len)
{
	for (; len > 1 && !*half; len--)
		half++;
	*der++ = 0x02;
	if (*half & 0x80) {
		*der++ = (unsigned char)(len + 1);
		*der++ = 0;
	} else {
		*der++ = (unsigned char)len;
	}
	memcpy(der, half, len);
	return der + len;
}

/* SEQUENCE and two INTEGERs; with P-384 at most 102 octets inside, so a short length. */
#define DER_MAX (2 + 2 * (3 + COORDINATE_MAX))

static size_t der_of(struct text signature, unsigned char der[DER_MAX])
{
	const unsigned char *r = (const unsigned char *)signature.data;
	size_t half = signature.len / 2;
	unsigned char *end = der_add_integer(der + 2, r, half);

	end = der_add_integer(end, r + half, half);
	der[0] = 0x30;
	der[1] = (unsigned char)(end - der - 2);
	return (size_t)(end - der);
}

static bool verify(const EVP_MD_CTX *template, struct text signed_,
		   const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good =
		template && ctx && EVP_MD_CTX_copy_ex(ctx, template) == 1 &&
		EVP_DigestVerify(ctx, signature, len, (const unsigned char *)signed_.data,
				 signed_.len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

bool jws_verify(const struct jws_key *key, enum jws_algorithm algorithm,
		struct text signed_, struct text signature)
{
	const struct algorithm *a = &algorithms[algorithm];
	const unsigned char *bytes = (const unsigned char *)signature.data;
	size_t len = signature.len;
	unsigned char der[DER_MAX];
	bool good;

	if (!(key->fits & 1u << algorithm) ||
	    len != (a->signature_len ? a->signature_len : key->modulus_len))
		return false;
	if (a->type == KEY_EC) {
		len = der_of(signature, der);
		bytes = der;
	}
	/* Whoever uses TLS next in this thread would take what we leave for its own. */
	ERR_set_mark();
	good = verify(template_of(key, algorithm), signed_, bytes, len);
	ERR_pop_to_mark();
	return good;
}

char *jws_generate_es256(unsigned char x[32], unsigned char y[32])
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	BIO *out = BIO_new(BIO_s_secmem());
	unsigned char point[65]; /* RFC 5480, 2.2: 4, x, y */
	size_t point_len = 0;
	char *pem = NULL, *data;
	long len;

	if (pair && out &&
	    PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL) &&
	    EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, point,
					    sizeof(point), &point_len) &&
	    point_len == sizeof(point) && point[0] == 4) {
		len = BIO_get_mem_data(out, &data);
		pem = x_copy((struct text){ data, (size_t)len });
		memcpy(x, point + 1, 32);
		memcpy(y, point + 33, 32);
	}
	BIO_free(out);
	EVP_PKEY_free(pair);
	if (!pem)
		abort(); /* without a generator of random numbers there is nothing to go on with */
	return pem;
}

/*
 * The demo's identity provider: it stands in for Cotter, so that a login can be shown and
 * tested without an account anywhere. It mails nothing: the one-time code is in the
 * answer. For a loopback address only; it believes whoever asks.
 *
 *   GET  /api/v0/token/jwks   the key set
 *   POST /send-code           {"identifier": "alice@example.com"} -> {"code": "123456"}
 *   POST /verify              {"identifier": …, "code": …} -> what Cotter's web SDK hands
 *                             to a page
 */
#include "tiny_http.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <jwt.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDENTIFIER_MAX 254
#define CODES 64
#define CODE_TRIES 5
#define CODE_LIFE_S 600
#define TOKEN_LIFE_S 3600
#define UUID_SIZE 37

static struct {
	const char *audience, *url;
	char *pem, *kid, *key_set;
} issuer = {
	.audience = "7d1c2b3a-0000-4000-8000-0123456789ab",
	.url = "https://www.cotter.app",
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;

	fputs("demo_issuer: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void *need(void *pointer)
{
	if (!pointer)
		die("out of memory");
	return pointer;
}

/* ---- JSON ----------------------------------------------------------------------- */

/*
 * printf into memory that the caller frees, with ` for ". Nothing that goes in holds what
 * JSON escapes, or a `: is_plain sees to that.
 */
static char *__attribute__((format(printf, 1, 2))) json_printf(const char *format, ...)
{
	char *text, *c;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		die("out of memory");
	va_end(arguments);
	for (c = text; *c; c++)
		*c = *c == '`' ? '"' : *c;
	return text;
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"\\`", *text))
			return false;
	return true;
}

/* NULL when the text is anything else than one object. */
static struct json_object *object_parse(const char *text, size_t len)
{
	struct json_tokener *tokener = need(json_tokener_new_ex(16));
	struct json_object *object;
	bool whole;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	whole = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (whole && json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

/* A member that is a string without NUL; "" when there is none. */
static const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *value;
	const char *text;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : "";
}

/* ---- chance and identifiers ------------------------------------------------------ */

/* LEN characters of the alphabet, each as likely as any other. */
static void random_text(char *text, size_t len, const char *alphabet)
{
	size_t letters = strlen(alphabet), i = 0;
	unsigned char byte;

	while (i < len) {
		if (RAND_bytes(&byte, 1) != 1)
			die("no random numbers");
		if (byte < 256 / letters * letters)
			text[i++] = alphabet[byte % letters];
	}
	text[len] = '\0';
}

/* A UUID that follows from the text, so that nobody's number changes with a restart. */
static void uuid_of(const char *text, char uuid[UUID_SIZE])
{
	unsigned char h[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)text, strlen(text), h);
	snprintf(uuid, UUID_SIZE,
		 "%02x%02x%02x%02x-%02x%02x-4%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x",
		 h[0], h[1], h[2], h[3], h[4], h[5], h[6] & 15, h[7], h[8] & 15, h[9],
		 h[10], h[11], h[12], h[13], h[14], h[15]);
}

static void uuid_random(char uuid[UUID_SIZE])
{
	char text[33];

	random_text(text, sizeof(text) - 1, "0123456789abcdef");
	uuid_of(text, uuid);
}

static bool identifier_is_good(const char *identifier)
{
	size_t len = strlen(identifier);

	if (len < 3 || len > IDENTIFIER_MAX || !is_plain(identifier))
		return false;
	if (identifier[0] == '+')
		return strspn(identifier + 1, "0123456789") == len - 1;
	return strchr(identifier + 1, '@') && identifier[len - 1] != '@';
}

/* ---- the key --------------------------------------------------------------------- */

static EVP_PKEY *key_read(const char *file)
{
	FILE *stream = fopen(file, "re");
	EVP_PKEY *key;

	if (!stream) {
		if (errno != ENOENT)
			die("%s: %s", file, strerror(errno));
		return NULL;
	}
	key = PEM_read_PrivateKey(stream, NULL, NULL, (void *)"");
	fclose(stream);
	if (!key)
		die("%s: no private key", file);
	return key;
}

/* By a link, so that of two that start at once both read the same whole key. */
static void key_write(const char *file, EVP_PKEY *key)
{
	char draft[PATH_MAX];
	FILE *stream;
	int fd;

	if (snprintf(draft, sizeof(draft), "%s.XXXXXX", file) >= (int)sizeof(draft))
		die("%s: name too long", file);
	fd = mkostemp(draft, O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (!stream || !PEM_write_PrivateKey(stream, key, NULL, NULL, 0, NULL, NULL) ||
	    fclose(stream) != 0)
		die("%s: cannot be written: %s", draft, strerror(errno));
	if (link(draft, file) < 0 && errno != EEXIST)
		die("%s: %s", file, strerror(errno));
	unlink(draft);
}

/* One coordinate of the public key, in base64url. */
static void key_coordinate(const EVP_PKEY *key, const char *parameter, char text[45])
{
	unsigned char bytes[32];
	BIGNUM *number = NULL;
	char *c;

	if (!EVP_PKEY_get_bn_param(key, parameter, &number) ||
	    BN_bn2binpad(number, bytes, sizeof(bytes)) < 0)
		die("the key has no coordinates");
	BN_free(number);
	EVP_EncodeBlock((unsigned char *)text, bytes, sizeof(bytes));
	for (c = text; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
}

/* Without a file the key lives as long as the program. */
static EVP_PKEY *key_find_or_create(const char *file)
{
	EVP_PKEY *key = file ? key_read(file) : NULL;

	if (key)
		return key;
	key = need(EVP_EC_gen("P-256"));
	if (!file)
		return key;
	key_write(file, key);
	EVP_PKEY_free(key);
	return need(key_read(file));
}

static void issuer_open(const char *file, const char *kid)
{
	EVP_PKEY *key = key_find_or_create(file);
	BIO *memory = need(BIO_new(BIO_s_mem()));
	char group[32] = "", x[45], y[45], uuid[UUID_SIZE], *pem;
	long pem_len;

	EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	if (strcmp(group, "prime256v1") != 0)
		die("%s: not a P-256 key", file);
	PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL);
	pem_len = BIO_get_mem_data(memory, &pem);
	issuer.pem = need(strndup(pem, (size_t)pem_len));
	BIO_free(memory);

	key_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, x);
	key_coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, y);
	EVP_PKEY_free(key);
	uuid_of(x, uuid); /* a new key gets a new name */
	issuer.kid = kid ? need(strdup(kid)) : json_printf("SPACE_JWT_PUBLIC:%s", uuid);
	issuer.key_set = json_printf(
		"{`keys`:[{`kty`:`EC`,`crv`:`P-256`,`x`:`%s`,`y`:`%s`,`kid`:`%s`,"
		"`use`:`sig`,`alg`:`ES256`}]}",
		x, y, issuer.kid);
}

static void issuer_close(void)
{
	free(issuer.pem);
	free(issuer.kid);
	free(issuer.key_set);
}

/* ---- tokens ---------------------------------------------------------------------- */

/* Takes the claims, gives the token; the caller frees it. */
static char *token_sign(char *claims)
{
	jwt_t *jwt;
	char *token;

	if (jwt_new(&jwt) != 0 || jwt_add_header(jwt, "kid", issuer.kid) != 0 ||
	    jwt_add_grants_json(jwt, claims) != 0 ||
	    jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)issuer.pem,
			(int)strlen(issuer.pem)) != 0)
		die("these claims cannot be signed: %s", claims);
	token = jwt_encode_str(jwt);
	if (!token)
		die("libjwt cannot sign: %s", strerror(errno));
	jwt_free(jwt);
	free(claims);
	return token;
}

/* OWN are the claims that an access token does not share with an ID token. */
static char *claims_new(const char *identifier, const char *own)
{
	char subject[UUID_SIZE], jti[UUID_SIZE];
	long now = time(NULL);

	uuid_of(identifier, subject);
	uuid_random(jti);
	return json_printf(
		"{`client_user_id`:`%s`,%s,`identifier`:`%s`,`aud`:`%s`,`exp`:%ld,"
		"`jti`:`%s`,`iat`:%ld,`iss`:`%s`,`sub`:`%s`}",
		subject, own, identifier, issuer.audience, now + TOKEN_LIFE_S, jti, now,
		issuer.url, subject);
}

static char *access_claims_new(const char *identifier)
{
	return claims_new(identifier, "`authentication_method`:`OTP`,"
				      "`type`:`client_access_token`,`scope`:`access`");
}

/* Cotter's auth_time is a string, and can be as wrong as this one. */
static char *id_claims_new(const char *identifier)
{
	return claims_new(identifier, "`auth_time`:`-62135596800`,"
				      "`type`:`client_id_token`");
}

/* For tests: the usual claims, with those of CHANGES instead; null takes one out. */
static void token_print(const char *changes)
{
	char *usual = access_claims_new("alice@example.com"), *token;
	struct json_object *claims = need(object_parse(usual, strlen(usual)));
	struct json_object *object = object_parse(changes, strlen(changes));

	if (!object)
		die("--print-token: not a JSON object: %s", changes);
	json_object_object_foreach(object, name, value)
	{
		if (value)
			json_object_object_add(claims, name, json_object_get(value));
		else
			json_object_object_del(claims, name);
	}
	token = token_sign(need(
		strdup(json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN))));
	puts(token);
	free(token);
	free(usual);
	json_object_put(object);
	json_object_put(claims);
}

/* What Cotter's web SDK hands to the page's code, less its legacy "token". */
static char *payload_new(const char *identifier)
{
	char *access_token = token_sign(access_claims_new(identifier));
	char *id_token = token_sign(id_claims_new(identifier));
	char subject[UUID_SIZE], stamp[32], refresh[51], *payload;
	time_t now = time(NULL);

	uuid_of(identifier, subject);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	random_text(refresh, sizeof(refresh) - 1,
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
	payload = json_printf(
		"{`%s`:`%s`,`oauth_token`:{`access_token`:`%s`,`id_token`:`%s`,"
		"`refresh_token`:`27805:%s`,`expires_in`:%d,`token_type`:`Bearer`,"
		"`auth_method`:`OTP`},`user`:{`ID`:`%s`,`created_at`:`%s`,"
		"`updated_at`:`%s`,`deleted_at`:`0001-01-01T00:00:00Z`,`issuer`:`%s`,"
		"`client_user_id`:`%s`,`enrolled`:[],`default_method`:null,"
		"`identifier`:`%s`,`identifiers`:null}}",
		identifier[0] == '+' ? "phone" : "email", identifier, access_token,
		id_token, refresh, TOKEN_LIFE_S, subject, stamp, stamp, issuer.audience,
		subject, identifier);
	free(access_token);
	free(id_token);
	return payload;
}

/* ---- one-time codes -------------------------------------------------------------- */

static struct code {
	char identifier[IDENTIFIER_MAX + 1];
	char digits[7];
	int tries_left;
	time_t expires_at; /* 0: the place is free */
} codes[CODES];

static struct code *code_find(const char *identifier)
{
	struct code *code;

	for (code = codes; code < codes + CODES; code++)
		if (code->tries_left > 0 && code->expires_at > time(NULL) &&
		    strcmp(code->identifier, identifier) == 0)
			return code;
	return NULL;
}

/* In the place of this person's last code, else of the one that ends first. */
static const char *code_new(const char *identifier)
{
	struct code *code = code_find(identifier), *other;

	if (!code)
		for (code = codes, other = codes; other < codes + CODES; other++)
			if (other->expires_at < code->expires_at)
				code = other;
	snprintf(code->identifier, sizeof(code->identifier), "%s", identifier);
	random_text(code->digits, 6, "0123456789");
	code->tries_left = CODE_TRIES;
	code->expires_at = time(NULL) + CODE_LIFE_S;
	return code->digits;
}

/* ---- endpoints: each returns the status, and the body, which the caller frees ---- */

static int failure(int status, const char *error, const char *message, char **body)
{
	*body = json_printf("{`error`:`%s`,`message`:`%s`}", error, message);
	return status;
}

static int serve_key_set(struct json_object *posted, char **body)
{
	(void)posted;
	*body = need(strdup(issuer.key_set));
	return 200;
}

static int serve_send_code(struct json_object *posted, char **body)
{
	const char *identifier = text_member(posted, "identifier"), *digits;

	if (!identifier_is_good(identifier))
		return failure(400, "bad_identifier",
			       "This is neither an email address nor a phone number.",
			       body);
	digits = code_new(identifier);
	fprintf(stderr, "the code for %s is %s\n", identifier, digits);
	*body = json_printf("{`code`:`%s`,`note`:`In real life this is mailed.`}",
			    digits);
	return 200;
}

static int serve_verify(struct json_object *posted, char **body)
{
	const char *identifier = text_member(posted, "identifier");
	struct code *code = code_find(identifier);

	if (!code)
		return failure(403, "code_gone",
			       "There is no code for this address any more.", body);
	if (strcmp(code->digits, text_member(posted, "code")) != 0) {
		code->tries_left--;
		return failure(403, "wrong_code", "This is not the code that was sent.",
			       body);
	}
	code->expires_at = 0;
	*body = payload_new(identifier);
	return 200;
}

static const struct route {
	const char *method, *path, *caching;
	int (*serve)(struct json_object *posted, char **body);
} routes[] = {
	{ "GET", "/api/v0/token/jwks", "public, max-age=300", serve_key_set },
	{ "POST", "/send-code", "no-store", serve_send_code },
	{ "POST", "/verify", "no-store", serve_verify },
};

/* ---- the program ----------------------------------------------------------------- */

static void answer(const struct http_request *request, struct http_answer *response)
{
	const struct route *end = routes + sizeof(routes) / sizeof(*routes);
	const struct route *route = routes;
	struct json_object *posted = NULL;

	while (route < end && strcmp(request->path, route->path) != 0)
		route++;
	if (request->status)
		response->status = request->status;
	else if (route == end)
		response->status = 404;
	else if (strcmp(request->method, route->method) != 0)
		response->status = 405;
	else if (strcmp(route->method, "POST") != 0)
		response->status = route->serve(NULL, &response->body);
	else if ((posted = object_parse(request->body, request->body_len)))
		response->status = route->serve(posted, &response->body);
	else
		response->status = 400;
	if (!response->body)
		failure(response->status, "bad_request",
			"This request cannot be answered.", &response->body);
	response->caching = response->status == 200 ? route->caching : "no-store";
	json_object_put(posted);
}

/* Without --key FILE the key ends with the server; printing needs one. */
static const char usage[] =
	"usage: demo_issuer [--key FILE] [--kid KID] [--audience ID] [--issuer URL]\n"
	"  --listen 127.0.0.1:PORT [--allow-origin ORIGIN]   (port 0: any)\n"
	"  --print-token JSON-CLAIMS   a token with these instead of the usual\n"
	"  --print-jwks\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "allow-origin", required_argument, NULL, 'o' },
		{ "audience", required_argument, NULL, 'a' },
		{ "issuer", required_argument, NULL, 'i' },
		{ "key", required_argument, NULL, 'k' },
		{ "kid", required_argument, NULL, 'n' },
		{ "listen", required_argument, NULL, 'l' },
		{ "print-jwks", no_argument, NULL, 'j' },
		{ "print-token", required_argument, NULL, 't' },
		{ 0 }
	};
	const char *given[128] = { 0 }, *file, *kid;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		given[option] = optarg ? optarg : "";
	file = given['k'];
	kid = given['n'];
	if (optind < argc || given['?'] || (!given['l'] && !file) ||
	    !!given['l'] + !!given['t'] + !!given['j'] != 1) {
		fputs(usage, stderr);
		return 2;
	}
	if (given['a'])
		issuer.audience = given['a'];
	if (given['i'])
		issuer.url = given['i'];
	if (!is_plain(issuer.audience) || !is_plain(issuer.url) ||
	    (kid && !is_plain(kid)))
		die("--audience, --issuer and --kid: no blanks, quotes or backslashes");

	issuer_open(file, kid);
	if (given['t'])
		token_print(given['t']);
	else if (given['j'])
		puts(issuer.key_set);
	else
		http_run(http_listen(given['l']), given['o'], answer);
	issuer_close();
	return 0;
}

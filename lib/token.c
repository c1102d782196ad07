#include "token.h"

#include "base64url.h"
#include "email.h"

#define HEADER_DEPTH 8
#define CLAIMS_DEPTH 32
#define KID_MAX 256
#define SUBJECT_MAX 255 /* OpenID Connect Core 1.0, section 2 */

/*
 * The last header that was good, as it was encoded, and what it says. An issuer's headers are
 * the same from one token to the next: not to parse each again saves 12,000 of the 255,000
 * instructions that a login takes besides its signature. Whatever differs by a byte is parsed.
 */
struct known_header {
	char encoded[512];
	size_t len;
	enum jws_algorithm algorithm;
	char kid[KID_MAX];
	size_t kid_len; /* 0: it has none */
};

static _Thread_local struct known_header last_header;

/* One token on its way through the checks. */
struct check {
	const struct token_rules *rules;
	struct arena *arena;
	int64_t now;
	struct text token;
	const struct token_trace *trace; /* NULL: nobody wants to see */
	struct text saw; /* what the step at hand looked at, for the trace */

	struct text signed_, signature, payload, encoded_header;
	const struct json *header, *claims; /* HEADER is NULL when it is the known one */
	enum jws_algorithm algorithm;
	struct text kid;
	bool has_kid;
	struct text issuer, tenant;
	const struct provider *provider;
	struct identity identity;
};

static struct text string_claim(const struct check *c, const char *where)
{
	const struct json *value;
	struct text text;

	if (where && *where && json_find(c->claims, where, &value) &&
	    json_string(value, &text))
		return text;
	return AS_TEXT("");
}

static const struct json *parse_object(struct check *c, struct text encoded,
				       unsigned depth, struct text *decoded,
				       const char **why)
{
	const struct json *value;

	if (!base64url_decode_text(c->arena, encoded, decoded)) {
		*why = "not canonical base64url";
		return NULL;
	}
	value = json_parse(c->arena, *decoded, depth, why);
	if (value && json_type(value) != JSON_OBJECT) {
		*why = "no JSON object";
		return NULL;
	}
	return value;
}

/* RFC 7515, 7.1: three parts, each with exactly one spelling. */
static bool check_shape(struct check *c, struct problem *p)
{
	struct text rest, header, payload, signature, decoded;
	const char *why = "";

	if (c->trace)
		c->saw = arena_printf(c->arena, "%zu bytes", c->token.len);
	if (c->token.len > c->rules->token_limit)
		return problem(p, TOKEN_MALFORMED, "%zu bytes", c->token.len);
	header = text_before(c->token, '.', &rest);
	payload = text_before(rest, '.', &signature);
	if (!header.len || !payload.len || !signature.len)
		return problem(p, TOKEN_MALFORMED, "not three parts");
	c->signed_ = (struct text){ c->token.data, header.len + 1 + payload.len };
	if (!base64url_decode_text(c->arena, signature, &c->signature))
		return problem(p, TOKEN_MALFORMED, "signature: not canonical base64url");
	c->encoded_header = header;
	/* explain shows each step of its own. */
	if (c->trace ||
	    !text_equal(header, (struct text){ last_header.encoded, last_header.len }))
		c->header = parse_object(c, header, HEADER_DEPTH, &decoded, &why);
	if (!c->header && *why)
		return problem(p, TOKEN_MALFORMED, "header: %s", why);
	c->claims = parse_object(c, payload, CLAIMS_DEPTH, &c->payload, &why);
	if (!c->claims)
		return problem(p, TOKEN_MALFORMED, "payload: %s", why);
	return true;
}

/* RFC 7515, 4.1.9 and RFC 9068, 2.1. */
static bool is_token_type(struct text typ)
{
	static const char prefix[] = "application/";
	const struct text start = { typ.data, sizeof(prefix) - 1 };

	if (typ.len > start.len && text_equal_nocase(start, text_of(prefix)))
		typ = (struct text){ typ.data + start.len, typ.len - start.len };
	return text_equal_nocase(typ, AS_TEXT("JWT")) ||
	       text_equal_nocase(typ, AS_TEXT("at+jwt"));
}

static void remember_header(const struct check *c)
{
	const struct text encoded = c->encoded_header;

	if (encoded.len > sizeof(last_header.encoded))
		return;
	memcpy(last_header.encoded, encoded.data, encoded.len);
	if (c->has_kid)
		memcpy(last_header.kid, c->kid.data, c->kid.len);
	last_header.len = encoded.len;
	last_header.kid_len = c->has_kid ? c->kid.len : 0;
	last_header.algorithm = c->algorithm;
}

static bool recall_header(struct check *c)
{
	c->algorithm = last_header.algorithm;
	c->kid = (struct text){ last_header.kid, last_header.kid_len };
	c->has_kid = last_header.kid_len != 0;
	return true;
}

static bool check_header(struct check *c, struct problem *p)
{
	/* What changes the meaning of a token is refused rather than half understood. */
	static const char *const refused[] = { "crit", "b64", "zip", "enc", "cty" };
	const struct json *value;
	struct text text;

	if (!c->header)
		return recall_header(c);
	c->saw = AS_TEXT("no alg");
	if (!json_member(c->header, "alg", &value) || !json_string(value, &c->saw))
		return problem(p, TOKEN_ALGORITHM, "alg is no string");
	if (!jws_algorithm_find(c->saw, &c->algorithm))
		return problem(p, TOKEN_ALGORITHM, "alg %.*s", TEXT_ARG(c->saw));
	if (json_member(c->header, "typ", &value) &&
	    (!json_string(value, &text) || !is_token_type(text)))
		return problem(p, TOKEN_KIND, "typ of the header");
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (json_member(c->header, refused[i], &value))
			return problem(p, TOKEN_MALFORMED, "header has %s", refused[i]);
	if (json_member(c->header, "kid", &value)) {
		if (!json_string(value, &c->kid) || !c->kid.len || c->kid.len > KID_MAX)
			return problem(p, TOKEN_KEY,
				       "kid is no string of 1 to 256 bytes");
		c->has_kid = true;
	}
	remember_header(c);
	return true;
}

/* The issuer selects the provider; a token never brings its own issuer or keys. */
static bool check_issuer(struct check *c, struct problem *p)
{
	const struct json *value;

	c->saw = AS_TEXT("no iss");
	if (!json_member(c->claims, "iss", &value) || !json_string(value, &c->saw))
		return problem(p, TOKEN_ISSUER, "iss is no string");
	c->issuer = c->saw;
	c->tenant = string_claim(c, "tid");
	c->provider = provider_find(c->rules->providers, c->issuer, c->tenant);
	if (!c->provider)
		return problem(p, TOKEN_ISSUER, "iss %.*s", TEXT_ARG(c->saw));
	c->identity.provider = c->provider;
	return true;
}

static bool check_algorithm(struct check *c, struct problem *p)
{
	c->saw = text_of(jws_algorithm_name(c->algorithm));
	if (!(c->provider->config->algorithms & 1u << c->algorithm))
		return problem(p, TOKEN_ALGORITHM, "%s is not one of provider %s",
			       c->saw.data, c->provider->config->name);
	return true;
}

/* When the person was there; Cotter writes it as a string that means nothing. */
static bool check_sign_in(const struct check *c, struct problem *p)
{
	const struct json *value;
	int64_t auth_time;
	bool present;

	if (!json_member(c->claims, "auth_time", &value) ||
	    json_type(value) != JSON_NUMBER)
		return true;
	return (claims_time(c->claims, "auth_time", &present, &auth_time) &&
		auth_time <= c->now + c->provider->config->leeway_s) ||
	       problem(p, TOKEN_CLAIMS, "auth_time is not in the past");
}

static bool check_times(struct check *c, struct problem *p)
{
	const struct config_provider *config = c->provider->config;
	int64_t exp, iat, nbf;
	bool has_exp, has_iat, has_nbf;

	c->saw = AS_TEXT("exp, iat or nbf are no times");
	if (!claims_time(c->claims, "exp", &has_exp, &exp) || !has_exp)
		return problem(p, TOKEN_CLAIMS, "exp is no time");
	if (!claims_time(c->claims, "iat", &has_iat, &iat) || !has_iat)
		return problem(p, TOKEN_CLAIMS, "iat is no time");
	if (!claims_time(c->claims, "nbf", &has_nbf, &nbf))
		return problem(p, TOKEN_CLAIMS, "nbf is no time");
	if (c->trace)
		c->saw = arena_printf(c->arena, "issued %lld s ago, expires in %lld s",
				      (long long)(c->now - iat),
				      (long long)(exp - c->now));
	if (exp + config->leeway_s <= c->now)
		return problem(p, TOKEN_EXPIRED, "%lld s ago", (long long)(c->now - exp));
	if (iat > c->now + config->leeway_s)
		return problem(p, TOKEN_ISSUED_IN_FUTURE, "in %lld s",
			       (long long)(iat - c->now));
	if (has_nbf && nbf > c->now + config->leeway_s)
		return problem(p, TOKEN_NOT_YET_VALID, "for %lld s",
			       (long long)(nbf - c->now));
	if (exp < iat)
		return problem(p, TOKEN_CLAIMS, "exp before iat");
	if (exp - iat > config->max_life_s)
		return problem(p, TOKEN_LIVES_TOO_LONG, "%lld s", (long long)(exp - iat));
	if (config->max_age_s && c->now - iat > config->max_age_s + config->leeway_s)
		return problem(p, TOKEN_TOO_OLD, "%lld s", (long long)(c->now - iat));
	c->identity.issued_at = iat;
	c->identity.expires_at = exp;
	return check_sign_in(c, p);
}

static bool is_for_us(struct check *c, const char *claim, struct problem *p)
{
	const struct config_list *audience = &c->provider->config->audience;
	const struct json *value;
	bool named;

	c->saw = AS_TEXT("none");
	if (!json_member(c->claims, claim, &value))
		return problem(p, TOKEN_AUDIENCE, "no %s", claim);
	named = claims_audience(value, (const char *const *)audience->items,
				audience->count);
	/* json-c prints through its own buffer: 3,000 instructions that few want to see. */
	if (c->trace || !named)
		c->saw = json_print(c->arena, value);
	return named || problem(p, TOKEN_AUDIENCE, "%s %.*s", claim, TEXT_ARG(c->saw));
}

static bool check_audience(struct check *c, struct problem *p)
{
	const char *claim = c->provider->config->audience_claim;
	const struct json *aud;

	if (strcmp(claim, "iss") == 0) {
		/* RFC 7519, 4.1.3: one that is there must still name us. */
		c->saw = c->issuer;
		return !json_member(c->claims, "aud", &aud) || is_for_us(c, "aud", p);
	}
	/*
	 * Keycloak's access tokens name their client in azp alone, its ID tokens, told apart
	 * by a claim typ, in aud as well; and there it counts (OpenID Connect Core 1.0,
	 * 3.1.3.7).
	 */
	if (strcmp(claim, "azp") == 0 && text_is(string_claim(c, "typ"), "ID") &&
	    !is_for_us(c, "aud", p))
		return false;
	return is_for_us(c, claim, p);
}

/* The cause that helps most: was it the kind of token, the sign-in method, or another claim? */
static enum problem_kind rule_problem(const char *claim)
{
	static const struct {
		const char *claim;
		enum problem_kind kind;
	} known[] = {
		{ "type", PROBLEM_TOKEN_KIND },
		{ "typ", PROBLEM_TOKEN_KIND },
		{ "token_use", PROBLEM_TOKEN_KIND },
		{ "scope", PROBLEM_TOKEN_KIND },
		{ "scp", PROBLEM_TOKEN_KIND },
		{ "drn", PROBLEM_TOKEN_KIND },
		{ "amr", PROBLEM_TOKEN_METHOD },
		{ "authentication_method", PROBLEM_TOKEN_METHOD },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(claim + (*claim == '!'), known[i].claim) == 0)
			return known[i].kind;
	return PROBLEM_TOKEN_CLAIMS;
}

static bool check_required(struct check *c, struct problem *p)
{
	const struct config_provider *config = c->provider->config;
	const struct json *events;

	/*
	 * RFC 8417, 2.2: with events it is a notice about somebody, such as a logout token,
	 * and not a word of his having signed in.
	 */
	c->saw = AS_TEXT("events");
	if (json_member(c->claims, "events", &events) && json_type(events) == JSON_OBJECT)
		return problem(p, TOKEN_KIND, "a security event");
	if (c->trace)
		c->saw = arena_printf(c->arena, "%zu rules", config->require_count);
	for (size_t i = 0; i < config->require_count; i++) {
		const struct claim_rule *rule = &config->require[i];

		if (!claims_hold(c->claims, rule)) {
			c->saw = text_of(rule->claim);
			return problem_as(p, rule_problem(rule->claim), "rule %s%s%s",
					  rule->claim, *rule->values ? "=" : "",
					  rule->values);
		}
	}
	return true;
}

static bool check_signature(struct check *c, struct problem *p)
{
	const struct jwks_wanted wanted = {
		.kid = c->has_kid ? &c->kid : NULL,
		.algorithm = c->algorithm,
		.issuer = c->issuer,
		.tenant = c->tenant,
	};
	const struct jws_key *key;

	c->saw = c->has_kid ? c->kid : AS_TEXT("no kid");
	if (!jwks_find(c->provider->jwks, &wanted, c->now, c->arena, &key, p))
		return false;
	if (!jws_verify(key, c->algorithm, c->signed_, c->signature))
		return problem(p, TOKEN_SIGNATURE, "kid %.*s", TEXT_ARG(c->saw));
	c->identity.signed_bytes = c->signed_;
	c->identity.claims = c->payload;
	c->identity.document = c->claims;
	return true;
}

static bool check_subject(struct check *c, struct problem *p)
{
	const bool needed = c->provider->config->match == CONFIG_MATCH_SUBJECT;
	struct text *subject = &c->identity.subject;
	const struct json *value;

	c->saw = AS_TEXT("no sub");
	if (json_member(c->claims, "sub", &value)) {
		if (!json_string(value, subject) || subject->len > SUBJECT_MAX)
			return problem(p, TOKEN_CLAIMS, "sub is no string of 255 bytes");
		c->saw = *subject;
	}
	if (needed && !subject->len)
		return problem(p, TOKEN_CLAIMS, "no sub");
	return true;
}

static bool is_verified(const struct check *c)
{
	const struct config_provider *config = c->provider->config;
	const struct claim_rule *rule = &config->verified_rule;
	const struct json *value;

	if (config->verified != CONFIG_VERIFIED_RULE)
		return config->verified == CONFIG_VERIFIED_ALWAYS;
	/* A list of methods may hold one that proves; a list of yes and no proves nothing. */
	if (text_starts(text_of(rule->values), "true") &&
	    json_find(c->claims, rule->claim, &value) && json_type(value) == JSON_ARRAY)
		return false;
	return claims_hold(c->claims, rule);
}

/* Step 7: the address or number that this token proves, or why there is none. */
static bool read_address(struct check *c, struct problem *p)
{
	struct text email = string_claim(c, c->provider->config->email_claim);
	struct text phone = string_claim(c, c->provider->config->phone_claim);

	/* Cotter puts either into one claim: "+1202…" there is a number, no bad address. */
	if (text_equal(email, phone) && phone_is_valid(phone))
		email = AS_TEXT("");
	c->saw = email.len ? email : phone;
	if (!email.len && !(c->rules->phone && phone_is_valid(phone)))
		return problem(p, EMAIL_MISSING, "provider %s",
			       c->provider->config->name);
	if (email.len && !email_normalise(c->arena, email, &c->identity.email, p))
		return false;
	if (!is_verified(c)) {
		c->identity.email = AS_TEXT("");
		return problem(p, EMAIL_UNVERIFIED, "provider %s%s",
			       c->provider->config->name,
			       c->provider->config->verified == CONFIG_VERIFIED_NEVER
				       ? ", verified = never"
				       : "");
	}
	if (email.len)
		c->identity.email_written = email;
	else
		c->identity.phone = phone;
	return true;
}

static bool check_address(struct check *c, struct problem *p)
{
	struct problem why = { 0 };

	if (c->provider->config->match == CONFIG_MATCH_EMAIL)
		return read_address(c, p);
	/* Here the subject says who it is: a known one gets in without an address. */
	if (!read_address(c, &why))
		c->identity.no_email = why.kind;
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct check *c, struct problem *p);
} steps[] = {
	{ "shape", check_shape },	{ "header", check_header },
	{ "issuer", check_issuer },	{ "algorithm", check_algorithm },
	{ "times", check_times },	{ "audience", check_audience },
	{ "required", check_required }, { "signature", check_signature },
	{ "subject", check_subject },	{ "address", check_address },
};

void token_identity_hash(const struct identity *identity, unsigned char out[SHA256_BYTES])
{
	secret_sha256(identity->signed_bytes, out);
}

bool token_verify(const struct token_rules *rules, struct text token, int64_t now,
		  struct arena *arena, const struct token_trace *trace,
		  struct identity *out, struct problem *p)
{
	struct check c = {
		.rules = rules, .arena = arena, .now = now, .token = token, .trace = trace
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const bool passed = steps[i].run(&c, p);

		if (trace)
			trace->check(trace->context, steps[i].name, passed, c.saw);
		if (!passed) {
			metrics_token(rules->issuer, p->kind);
			return false;
		}
	}
	metrics_token(rules->issuer, PROBLEM_NONE);
	*out = c.identity;
	return true;
}

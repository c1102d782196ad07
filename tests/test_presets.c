/*
 * Each preset: what it makes of a block, the token it is for, and what none may accept.
 */
#include "preset_profiles.h"

/* ---- blocks */

static const struct config_provider *load_provider(const char *block)
{
	open_providers(arena_printf(arena, SITE "%s", block).data);
	assert_int_equal(config->provider_count, 1);
	return &config->providers[0];
}

static void keys_are_where_the_provider_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *profile = &profiles[i];
		const struct config_provider *p = load_provider(block_of(profile, ""));

		assert_null(p->jwks_file);
		assert_int_equal(p->discovery, profile->jwks_url == NULL);
		if (profile->jwks_url)
			assert_string_equal(p->jwks_url, profile->jwks_url);
		else
			assert_null(p->jwks_url);
	}
}

static const char *error_of(const char *block)
{
	static char error[CONFIG_ERROR_SIZE];
	struct config *c;

	scratch_write("bad.conf",
		      text_of(arena_printf(arena,
					   "public_url = \"https://www.example.com\"\n"
					   "provider \"p\" {\n%s }\n",
					   block)
				      .data));
	c = config_load(scratch_path(arena, "bad.conf"), error);
	if (c)
		fail_msg("accepted: %s", block);
	return error;
}

static void what_is_missing_is_named(void **state)
{
	static const struct {
		const char *block, *said;
	} cases[] = {
		{ "preset = google",
		  "audience: is not set: tokens made for another site would "
		  "be accepted; with preset google it is your OAuth client" },
		{ "preset = microsoft", "with preset microsoft it is your Application" },
		{ "preset = firebase", "with preset firebase it is your project id" },
		{ "preset = stytch", "with preset stytch it is your project id" },
		{ "preset = clerk", "with preset clerk it is your pages' origins" },
		{ "preset = corbado", "with preset corbado it is your project id" },
		{ "preset = descope", "with preset descope it is your project id" },
		{ "preset = auth0 audience = a",
		  "issuer: is not set; with preset auth0 it is "
		  "https://TENANT.auth0.com/, with the slash" },
		{ "preset = supabase",
		  "issuer: is not set; with preset supabase it is https://" },
		{ "preset = hanko audience = a", "what session.jwt.issuer is in Hanko" },
		{ "preset = keycloak audience = a", "https://HOST/realms/REALM" },
		{ "preset = clerk audience = a", "your Frontend API URL" },
		{ "preset = oidc audience = a",
		  "issuer: is not set; with preset oidc it is" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *error = error_of(cases[i].block);

		if (!strstr(error, cases[i].said))
			fail_msg("%s: %s", cases[i].block, error);
	}
}

/* A slash too few makes another host of the issuer, and somebody may own that. */
static void issuer_that_leads_the_keys_astray_is_refused(void **state)
{
	static const struct {
		const char *wrong, *said, *right;
	} cases[] = {
		{ "preset = auth0 audience = a issuer = \"https://example.eu.auth0.com\"",
		  "slash too few",
		  "preset = auth0 audience = a issuer = "
		  "\"https://example.eu.auth0.com/\"" },
		{ "preset = keycloak audience = a issuer = \"" KEYCLOAK "/\"", "too many",
		  "preset = keycloak audience = a issuer = \"" KEYCLOAK "\"" },
		{ "preset = hanko audience = a issuer = \"example\"", "set jwks_url",
		  "preset = hanko audience = a issuer = \"example\" "
		  "jwks_url = \"https://f4c1.hanko.io/.well-known/jwks.json\"" },
		{ "preset = clerk audience = a issuer = \"http://clerk.example.com\"",
		  "is not https://",
		  "preset = clerk audience = a issuer = \"http://127.0.0.1\"" },
		{ "preset = supabase issuer = {\"https://a.example\", "
		  "\"https://b.example\"}",
		  "set one of each",
		  "preset = supabase issuer = {\"https://a.example\", "
		  "\"https://b.example\"} "
		  "jwks_url = \"https://a.example/k\"" },
		{ "preset = firebase audience = {a, b}", "set audience to one",
		  "preset = firebase audience = {a, b} issuer = {a, b}" },
		{ "preset = oidc audience = a issuer = \"" ENTRA "{tenantid}/v2.0\"",
		  "no URL may have",
		  "preset = oidc audience = a issuer = \"" ENTRA "x/v2.0\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *error = error_of(cases[i].wrong);

		if (!strstr(error, cases[i].said))
			fail_msg("%s: %s", cases[i].wrong, error);
		load_provider(
			arena_printf(arena, "provider p { %s }\n", cases[i].right).data);
	}
}

/* At Google it would let in the users of every other site. */
static void issuer_for_an_audience_is_for_presets_alone(void **state)
{
	(void)state;
	assert_non_null(
		strstr(error_of("preset = google audience = a audience_claim = iss"),
		       "everybody's would be accepted"));
	assert_non_null(strstr(error_of("issuer = i audience = a jwks_file = \"/k\" "
					"audience_claim = iss"),
			       "everybody's would be accepted"));
	assert_string_equal(load_provider("provider p { preset = descope audience = a "
					  "audience_claim = iss }\n")
				    ->audience_claim,
			    "iss");
	assert_string_equal(load_provider("provider p { preset = descope audience = a "
					  "issuer = i audience_claim = aud }\n")
				    ->audience_claim,
			    "aud");
}

static void rule_that_forbids_verifies_nothing(void **state)
{
	(void)state;
	assert_non_null(strstr(error_of("preset = google audience = a\n"
					"verified = \"!is_anonymous=true\""),
			       "proves no address"));
	load_provider("provider p { preset = google audience = a "
		      "require = {\"!is_anonymous=true\", \"!scp\", \"!/a/b=c\"} }\n");
	assert_string_equal(config->providers[0].require[0].claim, "!is_anonymous");
	assert_string_equal(config->providers[0].require[1].values, "");
	assert_string_equal(config->providers[0].require[2].claim, "!/a/b");
	assert_non_null(strstr(error_of("preset = google audience = a require = {\"!\"}"),
			       "is no rule"));
	assert_non_null(
		strstr(error_of("preset = google audience = a require = {\"!a=\"}"),
		       "is no rule"));
	assert_non_null(
		strstr(error_of("preset = google audience = a require = {\"!=a\"}"),
		       "is no rule"));
}

/* ---- the token that the preset is for */

static void token_of_the_provider_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		struct visit v;

		open_profile(p);
		if (visit(token_of(p, NULL), &v) != PROBLEM_NONE)
			fail_msg("%s: %s (%s)", p->preset, problem_row(v.p.kind)->name,
				 v.p.detail);
		assert_true(v.created);
		assert_string_equal(v.user.email, p->email);
		assert_string_equal(v.identity.provider->config->name, p->preset);
		assert_int_equal(v.identity.no_email, PROBLEM_NONE);
		if (!text_is(v.identity.subject, p->subject) ||
		    !text_is(v.identity.email, p->email))
			fail_msg("%s: another subject or email", p->preset);
	}
}

/* Once more, later, and as the same user. */
static void known_user_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const struct member later[] = { { "iat", in_seconds(-2) },
						{ NULL, NULL } };
		struct visit first, second;

		open_profile(p);
		assert_int_equal(visit(token_of(p, NULL), &first), PROBLEM_NONE);
		assert_int_equal(visit(token_of(p, later), &second), PROBLEM_NONE);
		assert_false(second.created);
		assert_string_equal(second.user.id, first.user.id);
	}
}

static bool by_subject(void)
{
	return config->providers[0].match == CONFIG_MATCH_SUBJECT;
}

/* The subject says who it is, and the address of a known user may change or be gone. */
static void known_subject_needs_no_verified_address(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const struct member without[] = { p->verified, { NULL, NULL } };
		struct visit first, second;

		open_profile(p);
		if (!by_subject() || !*p->verified.name)
			continue;
		expect_kind(p->preset, token_of(p, without), PROBLEM_EMAIL_UNVERIFIED);
		assert_int_equal(visit(token_of(p, NULL), &first), PROBLEM_NONE);
		assert_int_equal(visit(token_of(p, without), &second), PROBLEM_NONE);
		assert_string_equal(second.user.id, first.user.id);
		assert_string_equal(second.user.email, p->email);
	}
}

/* ---- what none may accept */

/* Each but Cotter is matched by subject: anything else would follow who has an address
 * now. */
static void address_alone_never_says_who_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const struct member another[] = { { "sub", "\"another\"" },
						  { NULL, NULL } };
		struct visit v;

		open_profile(p);
		assert_int_equal(by_subject(), strcmp(p->preset, "cotter") != 0);
		if (!by_subject())
			continue;
		assert_int_equal(visit(token_of(p, NULL), &v), PROBLEM_NONE);
		assert_int_equal(visit(token_of(p, another), &v),
				 PROBLEM_IDENTITY_CONFLICT);
		expect_kind(
			p->preset,
			token_of(p, (struct member[]){ { "sub", NULL }, { NULL, NULL } }),
			PROBLEM_TOKEN_CLAIMS);
		expect_kind(p->preset,
			    token_of(p, (struct member[]){ { "sub", "\"\"" },
							   { NULL, NULL } }),
			    PROBLEM_TOKEN_CLAIMS);
	}
}

static void unverified_address_makes_no_user(void **state)
{
	static const char *const values[] = {
		"false",  "\"false\"",	NULL,	    "1",	"0",  "null",
		"[true]", "[\"true\"]", "\"True\"", "\"TRUE\"", "{}", "\"yes\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];

		open_profile(p);
		if (*p->verified.name)
			expect_kind(p->preset,
				    token_of(p, (struct member[]){ p->verified,
								   { NULL, NULL } }),
				    PROBLEM_EMAIL_UNVERIFIED);
		if (strcmp(p->verified.name, "email_verified") != 0)
			continue;
		for (size_t k = 0; k < COUNT(values); k++)
			expect_kind(values[k] ? values[k] : "absent",
				    token_of(p, (struct member[]){ { "email_verified",
								     values[k] },
								   { NULL, NULL } }),
				    PROBLEM_EMAIL_UNVERIFIED);
		expect_kind("true",
			    token_of(p, (struct member[]){ { "email_verified", "true" },
							   { NULL, NULL } }),
			    PROBLEM_NONE);
		expect_kind(
			"\"true\"",
			token_of(p, (struct member[]){ { "email_verified", "\"true\"" },
						       { NULL, NULL } }),
			PROBLEM_NONE);
	}
}

static void absent_address_makes_no_user(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];

		open_profile(p);
		if (!member_of(p, "email"))
			continue;
		expect_kind(p->preset,
			    token_of(p, (struct member[]){ { "email", NULL },
							   { NULL, NULL } }),
			    PROBLEM_EMAIL_MISSING);
		expect_kind(p->preset,
			    token_of(p, (struct member[]){ { "email", "\"\"" },
							   { NULL, NULL } }),
			    PROBLEM_EMAIL_MISSING);
	}
}

static void other_client_is_refused(void **state)
{
	static const char *const others[] = { "\"another\"", "[\"another\"]", "[]",
					      "\"\"", "1" };

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const bool is_iss = strcmp(p->audience_claim, "iss") == 0;
		const char *claim = is_iss ? "aud" : p->audience_claim;

		open_profile(p);
		assert_string_equal(config->providers[0].audience_claim,
				    p->audience_claim);
		for (size_t k = 0; k < COUNT(others); k++)
			expect_kind(p->preset,
				    token_of(p, (struct member[]){ { claim, others[k] },
								   { NULL, NULL } }),
				    PROBLEM_TOKEN_AUDIENCE);
		expect_kind(
			p->preset,
			token_of(p, (struct member[]){ { claim, NULL }, { NULL, NULL } }),
			is_iss ? PROBLEM_NONE : PROBLEM_TOKEN_AUDIENCE);
		expect_kind(
			p->preset,
			token_of(p,
				 (struct member[]){
					 { claim,
					   arena_printf(
						   arena, "[\"other\",\"%s\"]",
						   config->providers[0].audience.items[0])
						   .data },
					 { NULL, NULL } }),
			PROBLEM_NONE);
	}
}

static void expect_issuer_refused(const struct profile *p, const char *issuer)
{
	expect_kind(
		issuer,
		token_of(p,
			 (struct member[]){
				 { "iss", arena_printf(arena, "\"%s\"", issuer).data },
				 { NULL, NULL } }),
		PROBLEM_TOKEN_ISSUER);
}

static void other_spelling_of_the_issuer_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const struct member *issuer = member_of(p, "iss");
		const char *json = issuer ? issuer->json : "";
		char *good = (char *)arena_copy(
				     arena, (struct text){ json + 1, strlen(json) - 2 })
				     .data;
		const size_t len = strlen(good);
		const char *host = strstr(good, "://") ? strstr(good, "://") + 3 : good;

		open_profile(p);
		expect_issuer_refused(p, arena_printf(arena, "%s/", good).data);
		expect_issuer_refused(
			p, arena_printf(arena, "%.*s", (int)len - 1, good).data);
		expect_issuer_refused(p, arena_printf(arena, "%sx", good).data);
		expect_issuer_refused(p, arena_printf(arena, "http://%s", host).data);
		expect_issuer_refused(p, arena_printf(arena, "HTTPS://%s", host).data);
		expect_issuer_refused(p, arena_printf(arena, "https://x@%s", host).data);
		expect_issuer_refused(p, arena_printf(arena, " %s", good).data);
		if (host == good)
			expect_issuer_refused(
				p, arena_printf(arena, "https://%s", host).data);
		else if (strcmp(p->preset, "google") != 0)
			expect_issuer_refused(p, host);
		expect_kind(
			"no iss",
			token_of(p, (struct member[]){ { "iss", NULL }, { NULL, NULL } }),
			PROBLEM_TOKEN_ISSUER);
		expect_kind("a list",
			    token_of(p,
				     (struct member[]){
					     { "iss",
					       arena_printf(arena, "[%s]", json).data },
					     { NULL, NULL } }),
			    PROBLEM_TOKEN_ISSUER);
	}
}

static void other_algorithm_is_refused(void **state)
{
	static const enum jws_algorithm foreign[] = { JWS_PS512, JWS_RS384 };

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const struct text claims = claims_of(p, NULL);
		const struct text secrets[] = {
			text_of(maker_pem_public(arena, rsa)),
			scratch_read(arena, "keys.json"),
			AS_TEXT("rsa"),
		};

		open_profile(p);
		for (size_t k = 0; k < COUNT(secrets); k++)
			expect_kind(
				"HS256",
				maker_token_hs256(
					arena, secrets[k],
					AS_TEXT("{\"alg\":\"HS256\",\"kid\":\"rsa\"}"),
					claims),
				PROBLEM_TOKEN_ALGORITHM);
		expect_kind("none",
			    maker_token(arena, rsa, JWS_RS256,
					AS_TEXT("{\"alg\":\"none\",\"kid\":\"rsa\"}"),
					claims),
			    PROBLEM_TOKEN_ALGORITHM);
		/* Keycloak alone has the whole list: there a realm has its choice. */
		for (size_t k = 0;
		     strcmp(p->preset, "keycloak") != 0 && k < COUNT(foreign); k++)
			expect_kind(jws_algorithm_name(foreign[k]),
				    maker_token(arena, rsa, foreign[k],
						header_of(foreign[k], "rsa"), claims),
				    PROBLEM_TOKEN_ALGORITHM);
		if (p->algorithm == JWS_RS256 && strcmp(p->preset, "keycloak") != 0)
			expect_kind("ES256",
				    maker_token(arena, ec, JWS_ES256,
						header_of(JWS_ES256, "ec"), claims),
				    PROBLEM_TOKEN_ALGORITHM);
	}
}

static void notices_are_no_logins(void **state)
{
	static const char logout[] =
		"{\"http://schemas.openid.net/event/backchannel-logout\":{}}";

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];
		const bool is_ec = p->algorithm == JWS_ES256;
		const char *kid = is_ec ? "ec" : "rsa";

		open_profile(p);
		expect_kind("logout token",
			    token_of(p, (struct member[]){ { "events", logout },
							   { NULL, NULL } }),
			    PROBLEM_TOKEN_KIND);
		expect_kind(
			"logout+jwt",
			maker_token(arena, is_ec ? ec : rsa, p->algorithm,
				    arena_printf(arena,
						 "{\"alg\":\"%s\",\"kid\":\"%s\","
						 "\"typ\":\"logout+jwt\"}",
						 jws_algorithm_name(p->algorithm), kid),
				    claims_of(p, NULL)),
			PROBLEM_TOKEN_KIND);
	}
}

static void times_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];

		open_profile(p);
		expect_kind("expired",
			    token_of(p, (struct member[]){ { "exp", in_seconds(-60) },
							   { "iat", in_seconds(-360) },
							   { "nbf", NULL },
							   { NULL, NULL } }),
			    PROBLEM_TOKEN_EXPIRED);
		expect_kind("not yet",
			    token_of(p, (struct member[]){ { "nbf", in_seconds(61) },
							   { NULL, NULL } }),
			    PROBLEM_TOKEN_NOT_YET_VALID);
		/* The clocks of others are a little off, and Clerk's tokens live a
		 * minute. */
		expect_kind("nearly yet",
			    token_of(p, (struct member[]){ { "nbf", in_seconds(60) },
							   { NULL, NULL } }),
			    PROBLEM_NONE);
		expect_kind(
			"sign-in to come",
			token_of(p, (struct member[]){ { "auth_time", in_seconds(61) },
						       { NULL, NULL } }),
			PROBLEM_TOKEN_CLAIMS);
		expect_kind("sign-in now",
			    token_of(p, (struct member[]){ { "auth_time", in_seconds(0) },
							   { NULL, NULL } }),
			    PROBLEM_NONE);
	}
}

static void key_of_a_stranger_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		const struct profile *p = &profiles[i];

		open_profile(p);
		if (p->algorithm != JWS_RS256)
			continue;
		expect_kind(p->preset,
			    maker_token(arena, stranger, JWS_RS256,
					header_of(JWS_RS256, "rsa"), claims_of(p, NULL)),
			    PROBLEM_TOKEN_SIGNATURE);
		/* The same key, under the name that it has for encryption. */
		expect_kind(p->preset,
			    maker_token(arena, rsa, JWS_RS256,
					header_of(JWS_RS256, "enc"), claims_of(p, NULL)),
			    PROBLEM_TOKEN_KEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_where_the_provider_has_them),
		TEST(what_is_missing_is_named),
		TEST(issuer_that_leads_the_keys_astray_is_refused),
		TEST(issuer_for_an_audience_is_for_presets_alone),
		TEST(rule_that_forbids_verifies_nothing),
		TEST(token_of_the_provider_is_accepted),
		TEST(known_user_comes_back),
		TEST(known_subject_needs_no_verified_address),
		TEST(address_alone_never_says_who_it_is),
		TEST(unverified_address_makes_no_user),
		TEST(absent_address_makes_no_user),
		TEST(other_client_is_refused),
		TEST(other_spelling_of_the_issuer_is_refused),
		TEST(other_algorithm_is_refused),
		TEST(notices_are_no_logins),
		TEST(times_are_checked),
		TEST(key_of_a_stranger_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

/* What looks most like each provider's token, and several providers beside each other. */
#include "neighbour_fixture.h"

/* ---- Cotter, Google, Apple */

static void cotter(void **state)
{
	static const struct neighbour all[] = {
		{ "newer kind", { { "type", "\"access_token\"" } }, PROBLEM_NONE },
		{ "ID token",
		  { { "type", "\"client_id_token\"" },
		    { "scope", NULL },
		    { "authentication_method", NULL } },
		  PROBLEM_TOKEN_KIND },
		{ "no kind", { { "type", NULL } }, PROBLEM_TOKEN_KIND },
		{ "no scope", { { "scope", NULL } }, PROBLEM_TOKEN_KIND },
		{ "other scope",
		  { { "scope", "\"access admin\"" } },
		  PROBLEM_TOKEN_KIND },
		{ "magic link",
		  { { "authentication_method", "\"MAGIC_LINK\"" } },
		  PROBLEM_NONE },
		{ "WebAuthn",
		  { { "authentication_method", "\"WEBAUTHN\"" } },
		  PROBLEM_NONE },
		{ "social login",
		  { { "authentication_method", "\"SOCIAL_LOGIN\"" } },
		  PROBLEM_NONE },
		{ "PIN",
		  { { "authentication_method", "\"PIN\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "biometric",
		  { { "authentication_method", "\"BIOMETRIC\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "no method",
		  { { "authentication_method", NULL } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "phone number",
		  { { "identifier", "\"+12025550123\"" } },
		  PROBLEM_EMAIL_MISSING },
		{ "user name", { { "identifier", "\"alice\"" } }, PROBLEM_EMAIL_REFUSED },
		{ "before identifiers",
		  { { "identifier", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "claims of one's own",
		  { { "events", "[\"party\"]" }, { "tid", "7" } },
		  PROBLEM_NONE },
	};

	(void)state;
	open_preset("cotter");
	EXPECT("cotter", all);
}

static void google(void **state)
{
	static const struct neighbour all[] = {
		{ "short issuer",
		  { { "iss", "\"accounts.google.com\"" } },
		  PROBLEM_NONE },
		{ "its azp",
		  { { "azp", "\"407-web.apps.googleusercontent.com\"" } },
		  PROBLEM_NONE },
		{ "another's, with ours as azp",
		  { { "azp", "\"407-web.apps.googleusercontent.com\"" },
		    { "aud", "\"666-web.apps.googleusercontent.com\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "Firebase",
		  { { "iss", "\"https://securetoken.google.com/example-app\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no domain", { { "hd", NULL } }, PROBLEM_NONE },
	};
	static const struct neighbour of_domain[] = {
		{ "its domain", { NONE }, PROBLEM_NONE },
		{ "another domain",
		  { { "hd", "\"example.org\"" } },
		  PROBLEM_TOKEN_CLAIMS },
		{ "gmail.com", { { "hd", NULL } }, PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	open_preset("google");
	EXPECT("google", all);
	open_changed("google", "audience = \"407-web.apps.googleusercontent.com\"\n"
			       "require = {\"hd=example.com\"}");
	EXPECT("google", of_domain);
}

static void apple(void **state)
{
	static const struct neighbour all[] = {
		{ "the app", { { "aud", "\"com.example.app\"" } }, PROBLEM_NONE },
		{ "another app",
		  { { "aud", "\"com.example\"" } },
		  PROBLEM_TOKEN_AUDIENCE },
		{ "booleans",
		  { { "email_verified", "true" }, { "is_private_email", "false" } },
		  PROBLEM_NONE },
		{ "own address", { EMAIL, { "is_private_email", NULL } }, PROBLEM_NONE },
		{ "school account",
		  { { "email", "\"\"" },
		    { "email_verified", NULL },
		    { "is_private_email", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "notification",
		  { { "sub", NULL },
		    { "email", NULL },
		    { "email_verified", NULL },
		    { "events", "\"{\\\"type\\\":\\\"email-enabled\\\","
				"\\\"sub\\\":\\\"001234.0b1c2d3e4f5a.0815\\\"}\"" } },
		  PROBLEM_TOKEN_CLAIMS },
	};

	(void)state;
	open_preset("apple");
	EXPECT("apple", all);
}

/* ---- Microsoft: one issuer for each tenant */

static void microsoft(void **state)
{
	static const struct neighbour all[] = {
		{ "edov as a string", { { "xms_edov", "\"1\"" } }, PROBLEM_NONE },
		{ "edov as a number", { { "xms_edov", "1" } }, PROBLEM_NONE },
		{ "edov as a word", { { "xms_edov", "\"true\"" } }, PROBLEM_NONE },
		{ "edov 0", { { "xms_edov", "\"0\"" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "edov false",
		  { { "xms_edov", "\"false\"" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "edov list", { { "xms_edov", "[true]" } }, PROBLEM_EMAIL_UNVERIFIED },
		{ "edov not asked for",
		  { { "xms_edov", NULL } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "email_verified means nothing here",
		  { { "xms_edov", NULL }, { "email_verified", "true" } },
		  PROBLEM_EMAIL_UNVERIFIED },
		{ "preferred_username is no address",
		  { { "email", NULL } },
		  PROBLEM_EMAIL_MISSING },
		{ "another tenant",
		  { { "tid", "\"" OTHER_TENANT "\"" },
		    { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_NONE },
		{ "tid of another tenant",
		  { { "tid", "\"" OTHER_TENANT "\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "issuer of another tenant",
		  { { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no tid", { { "tid", NULL } }, PROBLEM_TOKEN_ISSUER },
		{ "tid list", { { "tid", "[\"" TENANT "\"]" } }, PROBLEM_TOKEN_ISSUER },
		{ "common",
		  { { "tid", "\"common\"" }, { "iss", "\"" ENTRA "common/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "the template",
		  { { "tid", "\"{tenantid}\"" },
		    { "iss", "\"" ENTRA "{tenantid}/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "nothing",
		  { { "tid", "\"\"" }, { "iss", "\"" ENTRA "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "upper case",
		  { { "tid", "\"5F3A9C1E-0B7D-4E2A-8C46-D1E0F2A3B4C5\"" },
		    { "iss", "\"" ENTRA "5F3A9C1E-0B7D-4E2A-8C46-D1E0F2A3B4C5/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "a path",
		  { { "tid", "\"5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a/../x\"" },
		    { "iss", "\"" ENTRA "5f3a9c1e-0b7d-4e2a-8c46-d1e0f2a/../x/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "no dashes",
		  { { "tid", "\"5f3a9c1e00b7d04e2a08c460d1e0f2a3b4c5\"" },
		    { "iss", "\"" ENTRA "5f3a9c1e00b7d04e2a08c460d1e0f2a3b4c5/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "version 1",
		  { { "iss", "\"https://sts.windows.net/" TENANT "/\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "another cloud",
		  { { "iss", "\"https://login.microsoftonline.us/" TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
		{ "access token",
		  { { "scp", "\"access_as_user\"" }, { "azp", "\"x\"" } },
		  PROBLEM_TOKEN_KIND },
	};

	(void)state;
	open_preset("microsoft");
	EXPECT("microsoft", all);
}

static void microsoft_with_listed_tenants(void **state)
{
	static const struct neighbour all[] = {
		{ "listed", { NONE }, PROBLEM_NONE },
		{ "its administrators' word", { { "xms_edov", NULL } }, PROBLEM_NONE },
		{ "not listed",
		  { { "tid", "\"" OTHER_TENANT "\"" },
		    { "iss", "\"" ENTRA OTHER_TENANT "/v2.0\"" } },
		  PROBLEM_TOKEN_ISSUER },
	};

	(void)state;
	open_changed("microsoft", "audience = \"" ENTRA_ID "\" verified = always\n"
				  "issuer = \"" ENTRA TENANT "/v2.0\"");
	EXPECT("microsoft", all);
}

static void expect_pinned(const char *pin, enum problem_kind ours,
			  enum problem_kind theirs)
{
	static const struct member other[] = { { "tid", "\"" OTHER_TENANT "\"" },
					       { "iss",
						 "\"" ENTRA OTHER_TENANT "/v2.0\"" },
					       NONE };
	const struct profile *p = profile_of("microsoft");

	scratch_write(
		"pinned.json",
		text_of(maker_jwk_set(
			arena,
			maker_jwk(arena, rsa,
				  arena_printf(arena, "\"kid\":\"rsa\",\"issuer\":\"%s\"",
					       pin)
					  .data),
			NULL)));
	open_providers(SITE "provider \"p\" { preset = microsoft audience = \"" ENTRA_ID
			    "\"\n"
			    "jwks_file = \"@/pinned.json\" }\n");
	expect_kind(pin, token_of(p, NULL), ours);
	expect_kind(pin, token_of(p, other), theirs);
	expect_kind(pin,
		    maker_token(arena, rsa, JWS_RS256, AS_TEXT("{\"alg\":\"RS256\"}"),
				claims_of(p, NULL)),
		    ours);
}

/* Some keys of the one set are those of one tenant, or of the personal accounts alone. */
static void key_of_one_issuer_serves_no_other(void **state)
{
	(void)state;
	expect_pinned(ENTRA "{tenantid}/v2.0", PROBLEM_NONE, PROBLEM_NONE);
	expect_pinned(ENTRA TENANT "/v2.0", PROBLEM_NONE, PROBLEM_TOKEN_KEY);
	expect_pinned(ENTRA OTHER_TENANT "/v2.0", PROBLEM_TOKEN_KEY, PROBLEM_NONE);
	expect_pinned("https://sts.windows.net/{tenantid}/", PROBLEM_TOKEN_KEY,
		      PROBLEM_TOKEN_KEY);
	expect_pinned("", PROBLEM_TOKEN_KEY, PROBLEM_TOKEN_KEY);
}

/* ---- several at once */

static void open_every_profile(void)
{
	struct buffer b = buffer_new(arena, 8192);

	buffer_add(&b, text_of(SITE));
	for (size_t i = 0; i < COUNT(profiles); i++)
		buffer_add(&b, text_of(block_of(&profiles[i], PINNED)));
	open_providers(arena_copy(arena, buffer_text(&b)).data);
}

/* The same key signs for all: by iss alone each is known, and no other's rules apply. */
static void fifteen_providers_are_told_apart_by_issuer(void **state)
{
	(void)state;
	open_every_profile();
	assert_int_equal(rules.providers->count, COUNT(profiles));
	for (size_t i = 0; i < COUNT(profiles); i++) {
		struct visit v;

		store_free(store);
		store = store_new(config);
		assert_int_equal(visit(token_of(&profiles[i], NULL), &v), PROBLEM_NONE);
		assert_string_equal(v.identity.provider->config->name,
				    profiles[i].preset);
	}
}

/* ISS of another provider on top of everything else of this one. */
static void issuer_brings_its_own_rules(void **state)
{
	(void)state;
	open_every_profile();
	for (size_t i = 0; i < COUNT(profiles); i++)
		for (size_t k = 0; k < COUNT(profiles); k++) {
			const struct member changes[] = { *member_of(&profiles[k], "iss"),
							  { NULL, NULL } };
			struct visit v;

			/* Corbado's tokens say nothing by which they could be told. */
			if (i == k || strcmp(profiles[k].preset, "corbado") == 0)
				continue;
			if (visit(token_of(&profiles[i], changes), &v) == PROBLEM_NONE)
				fail_msg("a token of %s with the issuer of %s",
					 profiles[i].preset, profiles[k].preset);
		}
}

/* Under the same kid, as if by accident. */
static void key_of_one_provider_is_none_of_anothers(void **state)
{
	const struct profile *google_ = profile_of("google"),
			     *apple_ = profile_of("apple");
	struct visit v;

	(void)state;
	open_providers(arena_printf(arena, SITE "%s%s", block_of(google_, PINNED),
				    block_of(apple_, "jwks_file = \"@/stranger.json\""))
			       .data);
	assert_int_equal(visit(token_of(google_, NULL), &v), PROBLEM_NONE);
	assert_int_equal(visit(token_of(apple_, NULL), &v), PROBLEM_TOKEN_SIGNATURE);
	assert_int_equal(
		visit(maker_token(arena, stranger, JWS_RS256, header_of(JWS_RS256, "rsa"),
				  claims_of(apple_, NULL)),
		      &v),
		PROBLEM_NONE);
	assert_int_equal(
		visit(maker_token(arena, stranger, JWS_RS256, header_of(JWS_RS256, "rsa"),
				  claims_of(google_, NULL)),
		      &v),
		PROBLEM_TOKEN_SIGNATURE);
}

/* The same sub at two providers is two people. */
static void subject_is_of_its_provider(void **state)
{
	static const struct member same[] = { { "sub", "\"1\"" }, NONE };
	static const struct member other[] = { { "sub", "\"1\"" },
					       { "email", "\"bob@example.com\"" },
					       NONE };
	struct visit first, second;

	(void)state;
	open_every_profile();
	assert_int_equal(visit(token_of(profile_of("google"), same), &first),
			 PROBLEM_NONE);
	assert_int_equal(visit(token_of(profile_of("auth0"), same), &second),
			 PROBLEM_IDENTITY_CONFLICT);
	assert_int_equal(visit(token_of(profile_of("auth0"), other), &second),
			 PROBLEM_NONE);
	assert_true(second.created);
	assert_string_not_equal(first.user.id, second.user.id);
}

/* An exact issuer goes before a template that it fits as well, whichever comes first. */
static void exact_issuer_goes_before_a_template(void **state)
{
	static const struct member other[] = { { "tid", "\"" OTHER_TENANT "\"" },
					       { "iss",
						 "\"" ENTRA OTHER_TENANT "/v2.0\"" },
					       NONE };
	const struct profile *p = profile_of("microsoft");
	const char *any = block_of(p, PINNED);
	const char *one =
		"provider one { preset = microsoft audience = \"" ENTRA_ID "\"\n"
		"issuer = \"" ENTRA TENANT "/v2.0\" " PINNED " }\n";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct visit v;

		open_providers(
			arena_printf(arena, SITE "%s%s", i ? any : one, i ? one : any)
				.data);
		visit(token_of(p, NULL), &v);
		assert_string_equal(v.identity.provider->config->name, "one");
		visit(token_of(p, other), &v);
		assert_string_equal(v.identity.provider->config->name, "microsoft");
	}
}

static void one_issuer_is_of_one_provider(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *c;

	(void)state;
	scratch_write("twice.conf",
		      AS_TEXT("public_url = \"https://www.example.com\"\n"
			      "provider a { preset = microsoft audience = a }\n"
			      "provider b { preset = microsoft audience = b }\n"));
	c = config_load(scratch_path(arena, "twice.conf"), error);
	assert_null(c);
	assert_non_null(strstr(error, "is that of provider \"a\" already"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cotter),
		TEST(google),
		TEST(apple),
		TEST(microsoft),
		TEST(microsoft_with_listed_tenants),
		TEST(key_of_one_issuer_serves_no_other),
		TEST(fifteen_providers_are_told_apart_by_issuer),
		TEST(issuer_brings_its_own_rules),
		TEST(key_of_one_provider_is_none_of_anothers),
		TEST(subject_is_of_its_provider),
		TEST(exact_issuer_goes_before_a_template),
		TEST(one_issuer_is_of_one_provider),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}

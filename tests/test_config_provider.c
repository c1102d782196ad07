#include "config_fixture.h"

static const struct refusal blocks[] = {
	{ TOP, "provider \"\" {}", 1, "a name is", "" },
	{ TOP, "provider \"..\" {}", 1, "the first no \".\"", "" },
	{ TOP, "provider \"a/b\" {}", 1, "a name is", "" },
	{ TOP,
	  "provider \"123456789012345678901234567890123\" { preset = google "
	  "audience = a }",
	  1, "a name is",
	  "provider \"12345678901234567890123456789012\" { preset = google "
	  "audience = a }" },
	{ TOP, "\nprovider g {\n\n preset = gogle }", 4, "is unknown; there are cotter ",
	  "\nprovider g {\n\n preset = google audience = a }" },
	{ TOP, "\nprovider g {\n preset = google }", 2, "audience: is not set",
	  "\nprovider g {\n preset = google audience = a }" },
	{ TOP, "provider g {\n preset = google audience = {} }", 2,
	  "audience: is not set", "provider g {\n preset = google audience = {a} }" },
	{ TOP, "provider g {\n preset = google audience = {\"a b\"} }", 2, "has a blank",
	  "provider g {\n preset = google audience = {\"a\", \"b\"} }" },
	{ TOP, "\nprovider g { preset = oidc audience = a }", 2, "issuer: is not set",
	  "\nprovider g { preset = oidc audience = a issuer = \"https://i.example\" }" },
	{ TOP, "provider g { preset = cotter audience = b\n }", 1,
	  "is that of provider \"p\"",
	  "provider g { preset = cotter audience = b\n "
	  "issuer = \"https://www.cotter.app/\" }" },
	{ TOP,
	  "provider g { preset = google audience = b\n "
	  "issuer = {a, \"https://www.cotter.app\"} }",
	  2, "is that of provider \"p\"",
	  "provider g { preset = google audience = b\n issuer = {a, b} }" },
	{ BARE, "audience = a", 0, "where are its keys?",
	  "audience = a\njwks_file = /k" },
	{ PROVIDER, "jwks_url = \"\"", 0, "where are its keys?",
	  "jwks_url = \"\"\njwks_file = /k" },
	{ PROVIDER, "jwks_url = 'https://k.example'\njwks_file = /k", 2, "a second time",
	  "jwks_url = 'https://k.example'\njwks_file = ''" },
	{ PROVIDER, "jwks_file = /k\ndiscovery = yes", 2, "a second time",
	  "jwks_file = /k\ndiscovery = no" },
	{ PROVIDER, "jwks_file = k", 1, "no absolute path", "jwks_file = /k" },
	{ PROVIDER, "email_claim = ''\nphone_claim = ''", 1, "is needed with match",
	  "email_claim = ''\nphone_claim = tel" },
};

static const struct refusal urls[] = {
	{ PROVIDER, "jwks_url = \"http://keys.example/\"", 1, "is not https://",
	  "jwks_url = \"http://127.8.9.1:81/keys?x\"" },
	{ PROVIDER, "jwks_url = \"http://localhost.evil.example/\"", 1, "is not https://",
	  "jwks_url = \"http://localhost/\"" },
	{ PROVIDER,
	  "jwks_url = \"http://longer-than-any-ipv6-address-may-be-written.example/\"", 1,
	  "is not https://", "jwks_url = \"http://127.0.0.1/\"" },
	{ PROVIDER, "jwks_url = \"http://[::2]/\"", 1, "is not https://",
	  "jwks_url = \"http://[0::1]:7/\"" },
	{ PROVIDER, "jwks_url = \"http://128.0.0.1/\"", 1, "is not https://",
	  "jwks_url = \"https://128.0.0.1/\"" },
	{ PROVIDER, "jwks_url = \"file:///etc/keys\"", 1, "a bad host",
	  "jwks_file = \"/etc/keys\"" },
	{ PROVIDER, "jwks_url = \"ftp://127.0.0.1/\"", 1, "is not https://",
	  "jwks_url = \"http://127.0.0.1/\"" },
	{ PROVIDER, "jwks_url = \"https://a.example/#k\"", 1, "a query or a fragment",
	  "jwks_url = \"https://a.example/?k\"" },
	{ BARE, "issuer2 = x", 1, "no such option", "audience = a discovery = yes" },
	{ WHOLE,
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"i.example\" discovery = yes }",
	  3, "no scheme",
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"https://i.example\" discovery = yes }" },
	{ WHOLE,
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"http://i.example\" discovery = yes }",
	  3, "is not https://",
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"http://127.0.0.1\" discovery = yes }" },
	{ WHOLE,
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"https://i.example?x\" discovery = yes }",
	  3, "a query",
	  "public_url = 'https://a.example'\nprovider x { audience = a\n"
	  "issuer = \"https://i.example?x\" jwks_url = 'https://k.example' }" },
};

static void bad_blocks(void **state)
{
	(void)state;
	REFUSALS(blocks);
}

/* Whoever can answer for such a URL makes tokens for anybody. */
static void urls_that_keys_are_not_fetched_from(void **state)
{
	(void)state;
	REFUSALS(urls);
}

static const struct config_provider *provider_of(struct config *c)
{
	assert_int_equal(c->provider_count, 1);
	return &c->providers[0];
}

static void preset_cotter(void **state)
{
	struct config *c = must_load(minimal);
	const struct config_provider *p = provider_of(c);

	(void)state;
	assert_string_equal(p->preset, "cotter");
	check_list(&p->issuers, 1, "https://www.cotter.app");
	check_list(&p->audience, 1, "id");
	assert_string_equal(p->audience_claim, "aud");
	assert_string_equal(p->jwks_url, "https://www.cotter.app/api/v0/token/jwks");
	assert_int_equal(p->algorithms, 1u << JWS_ES256);
	assert_int_equal(p->require_count, 2);
	assert_string_equal(p->require[0].claim, "type");
	assert_string_equal(p->require[0].values, "client_access_token|access_token");
	assert_string_equal(p->require[1].claim, "scope");
	assert_string_equal(p->require[1].values, "access");
	assert_string_equal(p->email_claim, "identifier");
	assert_string_equal(p->phone_claim, "identifier");
	assert_int_equal(p->verified, CONFIG_VERIFIED_RULE);
	assert_string_equal(p->verified_rule.claim, "authentication_method");
	assert_string_equal(p->verified_rule.values,
			    "OTP|MAGIC_LINK|WEBAUTHN|SOCIAL_LOGIN");
	assert_int_equal(p->match, CONFIG_MATCH_EMAIL);
	config_free(c);
}

static void preset_google(void **state)
{
	struct config *c = must_load(SITE "provider g { preset = google audience = x }");
	const struct config_provider *p = provider_of(c);

	(void)state;
	check_list(&p->issuers, 2, "accounts.google.com");
	assert_string_equal(p->issuers.items[0], "https://accounts.google.com");
	assert_string_equal(p->jwks_url, "https://www.googleapis.com/oauth2/v3/certs");
	assert_int_equal(p->algorithms, 1u << JWS_RS256);
	assert_int_equal(p->require_count, 0);
	assert_string_equal(p->email_claim, "email");
	assert_null(p->phone_claim);
	assert_string_equal(p->verified_rule.claim, "email_verified");
	assert_string_equal(p->verified_rule.values, "true");
	assert_int_equal(p->match, CONFIG_MATCH_SUBJECT);
	config_free(c);
}

static void preset_oidc(void **state)
{
	struct config *c = must_load(SITE "provider o { preset = oidc audience = x\n"
					  "issuer = \"https://i.example/realm\" }");
	const struct config_provider *p = provider_of(c);

	(void)state;
	assert_true(p->discovery);
	assert_null(p->jwks_url);
	assert_int_equal(p->algorithms, 1u << JWS_ES256 | 1u << JWS_RS256);
	assert_int_equal(p->match, CONFIG_MATCH_SUBJECT);
	config_free(c);
}

static void what_the_file_says_wins_over_the_preset(void **state)
{
	struct config *c =
		must_load(SITE "provider g { match = email audience = x\n"
			       "verified = always algorithms = ES384 require = {}\n"
			       "issuer = i phone_claim = ''\n preset = cotter }");
	const struct config_provider *p = provider_of(c);

	(void)state;
	check_list(&p->issuers, 1, "i");
	assert_int_equal(p->verified, CONFIG_VERIFIED_ALWAYS);
	assert_int_equal(p->algorithms, 1u << JWS_ES384);
	assert_int_equal(p->require_count, 0);
	assert_null(p->phone_claim);
	assert_int_equal(p->match, CONFIG_MATCH_EMAIL);
	assert_string_equal(p->email_claim, "identifier");
	config_free(c);
}

/* Two sources of keys would be twice as many people who can make tokens. */
static void one_source_of_keys(void **state)
{
	static const struct {
		const char *text;
		bool url, file, discovery;
	} cases[] = {
		{ "preset = google", true, false, false },
		{ "preset = google jwks_file = /k", false, true, false },
		{ "preset = google discovery = yes", false, false, true },
		{ "preset = google discovery = no", true, false, false },
		{ "preset = oidc issuer = 'https://i.example'", false, false, true },
		{ "preset = oidc issuer = i jwks_file = /k", false, true, false },
		{ "preset = oidc issuer = i jwks_url = 'https://k.example'", true, false,
		  false },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c = must_load(config_printf(
			a, SITE "provider g { audience = x %s }", cases[i].text));
		const struct config_provider *p = provider_of(c);

		assert_int_equal(p->jwks_url != NULL, cases[i].url);
		assert_int_equal(p->jwks_file != NULL, cases[i].file);
		assert_int_equal(p->discovery, cases[i].discovery);
		config_free(c);
	}
	arena_free(a);
}

static void templates(void **state)
{
	struct arena *a = arena_new();

	(void)state;
	assert_string_equal(config_expand(a, "https://x/{audience}/k{issuer}", "A", "I"),
			    "https://x/A/kI");
	assert_string_equal(config_expand(a, "{audience}{audience}", "{issuer}", NULL),
			    "{issuer}{issuer}");
	assert_string_equal(config_expand(a, "{other}{", NULL, NULL), "{other}{");
	assert_string_equal(config_expand(a, "", NULL, NULL), "");
	assert_null(config_expand(a, "x{audience}", NULL, "I"));
	assert_null(config_expand(a, "{issuer}/x", "A", NULL));
	arena_free(a);
}

/* A preset with templates is like these: what stands in a block goes into its URLs. */
static void templates_of_a_preset(void **state)
{
	static const struct {
		const char *audience, *issuer;
		bool own_issuer;
		const char *template, *url; /* URL NULL: refused */
	} cases[] = {
		{ "a", "https://i.example/{audience}", false, "{issuer}/keys",
		  "https://i.example/a/keys" },
		{ "a", "https://i.example", false, "{issuer}/k", "https://i.example/k" },
		{ "a", "i", false, "https://k/{audience}", "https://k/a" },
		{ "a", "https://i.example/{audience}", true, "{issuer}/keys", NULL },
		{ "a b", "https://i.example", true, "{issuer}/k", "https://i.example/k" },
		{ "a b", "i", true, "https://k/{audience}", NULL },
		{ "a b", "https://i.example/{audience}", false, "https://k/", NULL },
		{ "a b", "i/{audience}", true, "https://k/", "https://k/" },
		{ "a", "https://i.example https://j.example", true, "{issuer}/k", NULL },
		{ "a", "https://{issuer}", false, "https://k/", NULL },
		{ "a", "http://i.example", false, "{issuer}/keys", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c =
			must_load(SITE "provider g { preset = google audience = x }");
		struct config_state *s = (struct config_state *)c;
		struct config_block *b = &s->blocks[CONFIG_provider];
		bool good;

		c->providers[0].audience = config_list_split(s->arena, cases[i].audience);
		c->providers[0].issuers = config_list_split(s->arena, cases[i].issuer);
		c->providers[0].jwks_url = config_copy(s->arena, cases[i].template);
		if (cases[i].own_issuer)
			b->origin[OPTION_provider_issuer] = 2;
		s->error = error;
		good = config_provider_check(s, b);
		assert_int_equal(good, cases[i].url != NULL);
		if (good)
			assert_string_equal(c->providers[0].jwks_url, cases[i].url);
		config_free(c);
	}
}

static void several_providers_keep_their_own(void **state)
{
	struct config *c = must_load(
		SITE "provider a { preset = cotter audience = x }\n"
		     "log { level = error }\n"
		     "provider b { preset = google audience = y leeway = 1s }\n"
		     "provider A { preset = oidc issuer = 'https://i' audience = z }");

	(void)state;
	assert_int_equal(c->provider_count, 3);
	assert_string_equal(c->providers[0].name, "a");
	check_list(&c->providers[0].audience, 1, "x");
	assert_int_equal(c->providers[0].leeway_s, 60);
	assert_string_equal(c->providers[1].name, "b");
	check_list(&c->providers[1].audience, 1, "y");
	assert_int_equal(c->providers[1].leeway_s, 1);
	assert_string_equal(c->providers[2].name, "A");
	check_list(&c->providers[2].audience, 1, "z");
	assert_int_equal(c->log.level, CONFIG_LOG_ERROR);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_blocks),
		cmocka_unit_test(urls_that_keys_are_not_fetched_from),
		cmocka_unit_test(preset_cotter),
		cmocka_unit_test(preset_google),
		cmocka_unit_test(preset_oidc),
		cmocka_unit_test(what_the_file_says_wins_over_the_preset),
		cmocka_unit_test(one_source_of_keys),
		cmocka_unit_test(templates),
		cmocka_unit_test(templates_of_a_preset),
		cmocka_unit_test(several_providers_keep_their_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

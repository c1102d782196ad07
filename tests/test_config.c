#include "config_fixture.h"

/* ---- files as people write them */

static const char full[] =
	"public_url = \"https://www.example.com/auth\"    # where the browser finds us\n"
	"state_dir  = \"/srv/pintle\"\n"
	"threads    = 8                                  # standalone and FastCGI\n"
	"allowed_origins = {\"https://app.example.com\"}\n"
	"\n"
	"database {\n"
	"  hosts = {\"db1.example.com\", \"db2.example.com\"}   # a Galera cluster\n"
	"  port = 3307\n"
	"  socket = \"/run/mysqld/mysqld.sock\"\n"
	"  user = \"gate\"   password_file = \"%s\"   name = \"site\"\n"
	"  defaults_file = \"\"              # or a my.cnf\n"
	"  tls = \"verify\"                  # off, require, verify\n"
	"  connect_timeout = \"3s\"   query_timeout = \"1m\"   pool = 5\n"
	"}\n"
	"provider \"own.login_1\" {\n"
	"  issuer = {\"https://id.example.com/\", \"id.example.com\"}\n"
	"  audience = {\"one\", \"two\"}   audience_claim = \"azp\"\n"
	"  jwks_url = \"https://id.example.com/keys\"\n"
	"  algorithms = {\"EdDSA\", \"PS512\"}\n"
	"  require = {\"/https:~1~1x/kind=a|b\", \"scope=openid=1\", \"/a=b=c\"}\n"
	"  email_claim = \"/email/address\"   phone_claim = \"phone\"\n"
	"  verified = \"/email/is_verified=true\"   match = \"subject\"\n"
	"  leeway = \"90s\"  max_age = \"12h\"  max_life = \"30d\"\n"
	"  link = yes  form = on  single_use = \"5m\"\n"
	"}\n"
	"accounts {\n"
	"  signup = \"invited\"  allow_domains = {\"Example.COM\", \"example.org\"}\n"
	"  deny_domains = {\"example.net\"}  phone = true\n"
	"  on_subject_change = \"refuse\"\n"
	"  query_lookup = \"SELECT id\n FROM people WHERE mail = :email\"\n"
	"  query_create = \"INSERT x\"  query_seen = \"UPDATE x\"\n"
	"  accept_collation = yes\n"
	"}\n"
	"session {\n"
	"  mode = \"jwt\"  lifetime = \"3650d\"  idle = \"0s\"  touch_every = \"1m\"\n"
	"  cookie = \"__Secure-id\"  cookie_domain = \"Example.com\"\n"
	"  same_site = \"none\"  partitioned = yes  max_per_user = 3\n"
	"  keys_dir = \"/srv/keys\"  gate_cache = \"10s\"\n"
	"}\n"
	"log { format = \"json\"  level = \"debug\"  target = \"syslog\" }\n"
	"login_response = \"claims\"  login_page = \"/sign-in#top\"\n"
	"token_places = {\"/a~1b\", \"/t\",}\n"
	"body_limit = \"1m\" token_limit = 65536 rate_login = 30 metrics_allow = {}\n"
	"fetch_timeout = \"9s\" key_cooldown = \"2m\" keys_max_stale = \"0s\"\n"
	"ca_file = '/srv/ca.pem'\n";

static void check_full_provider(const struct config_provider *p)
{
	assert_string_equal(p->name, "own.login_1");
	assert_null(p->preset);
	check_list(&p->issuers, 2, "id.example.com");
	check_list(&p->audience, 2, "two");
	assert_string_equal(p->audience_claim, "azp");
	assert_string_equal(p->jwks_url, "https://id.example.com/keys");
	assert_null(p->jwks_file);
	assert_false(p->discovery);
	assert_int_equal(p->algorithms, 1u << JWS_EDDSA | 1u << JWS_PS512);
	assert_int_equal(p->require_count, 3);
	assert_string_equal(p->require[0].claim, "/https:~1~1x/kind");
	assert_string_equal(p->require[0].values, "a|b");
	assert_string_equal(p->require[1].claim, "scope");
	assert_string_equal(p->require[1].values, "openid=1");
	assert_string_equal(p->require[2].claim, "/a=b");
	assert_string_equal(p->require[2].values, "c");
	assert_string_equal(p->email_claim, "/email/address");
	assert_string_equal(p->phone_claim, "phone");
	assert_int_equal(p->verified, CONFIG_VERIFIED_RULE);
	assert_string_equal(p->verified_rule.claim, "/email/is_verified");
	assert_string_equal(p->verified_rule.values, "true");
	assert_int_equal(p->match, CONFIG_MATCH_SUBJECT);
	assert_int_equal(p->leeway_s, 90);
	assert_int_equal(p->max_age_s, 12 * 3600);
	assert_int_equal(p->max_life_s, 30 * 86400);
	assert_true(p->link && p->form);
	assert_int_equal(p->single_use_s, 300);
}

static void check_full_sections(const struct config *c)
{
	assert_int_equal(c->accounts.signup, CONFIG_SIGNUP_INVITED);
	check_list(&c->accounts.allow_domains, 2, "example.org");
	assert_string_equal(c->accounts.allow_domains.items[0], "example.com");
	check_list(&c->accounts.deny_domains, 1, "example.net");
	assert_true(c->accounts.phone && c->accounts.refuse_subject_change);
	assert_string_equal(c->accounts.query_lookup,
			    "SELECT id\n FROM people WHERE mail = :email");
	assert_string_equal(c->accounts.query_create, "INSERT x");
	assert_string_equal(c->accounts.query_seen, "UPDATE x");
	assert_true(c->accounts.accept_collation);
	assert_int_equal(c->session.mode, CONFIG_SESSION_JWT);
	assert_int_equal(c->session.lifetime_s, 3650 * INT64_C(86400));
	assert_int_equal(c->session.idle_s, 0);
	assert_int_equal(c->session.touch_every_s, 60);
	assert_string_equal(c->session.cookie, "__Secure-id");
	assert_string_equal(c->session.cookie_domain, "example.com");
	assert_string_equal(c->session.same_site, "None");
	assert_true(c->session.partitioned);
	assert_int_equal(c->session.max_per_user, 3);
	assert_string_equal(c->session.keys_dir, "/srv/keys");
	assert_int_equal(c->session.gate_cache_s, 10);
	assert_int_equal(c->log.format, CONFIG_LOG_JSON);
	assert_int_equal(c->log.level, CONFIG_LOG_DEBUG);
	assert_int_equal(c->log.target, CONFIG_LOG_SYSLOG);
}

static void full_file(void **state)
{
	struct arena *a = arena_new();
	struct config *c;

	(void)state;
	write_file(other, AS_TEXT(" s3cret word \n"), 0640);
	c = must_load(config_printf(a, full, other));
	assert_string_equal(c->file, file);
	assert_string_equal(c->state_dir, "/srv/pintle");
	assert_int_equal(c->threads, 8);
	check_list(&c->allowed_origins, 1, "https://app.example.com");
	check_list(&c->database.hosts, 2, "db2.example.com");
	assert_int_equal(c->database.port, 3307);
	assert_string_equal(c->database.socket, "/run/mysqld/mysqld.sock");
	assert_string_equal(c->database.user, "gate");
	assert_string_equal(c->database.password, " s3cret word ");
	assert_string_equal(c->database.name, "site");
	assert_null(c->database.defaults_file);
	assert_int_equal(c->database.tls, CONFIG_TLS_VERIFY);
	assert_int_equal(c->database.connect_timeout_s, 3);
	assert_int_equal(c->database.query_timeout_s, 60);
	assert_int_equal(c->database.pool, 5);
	assert_int_equal(c->provider_count, 1);
	check_full_provider(&c->providers[0]);
	check_full_sections(c);
	assert_true(c->login_response_claims);
	assert_string_equal(c->login_page, "/sign-in#top");
	check_list(&c->token_places, 2, "/t");
	assert_int_equal(c->body_limit, 1048576);
	assert_int_equal(c->token_limit, 65536);
	assert_int_equal(c->rate_login, 30);
	check_list(&c->metrics_allow, 0, NULL);
	assert_int_equal(c->fetch_timeout_s, 9);
	assert_int_equal(c->key_cooldown_s, 120);
	assert_int_equal(c->keys_max_stale_s, 0);
	assert_string_equal(c->ca_file, "/srv/ca.pem");
	config_free(c);
	arena_free(a);
}

static void defaults(void **state)
{
	struct config *c = must_load(minimal);

	(void)state;
	assert_string_equal(c->public_url, "https://www.example.com/auth");
	assert_string_equal(c->public_origin, "https://www.example.com");
	assert_true(c->https);
	assert_string_equal(c->state_dir, PINTLE_STATE_DIR);
	assert_int_equal(c->threads, 4);
	check_list(&c->allowed_origins, 0, NULL);
	assert_false(c->login_response_claims);
	assert_null(c->login_page);
	check_list(&c->token_places, 7, "/session_jwt");
	assert_string_equal(c->token_places.items[0], "/oauth_token/access_token");
	assert_int_equal(c->body_limit, 65536);
	assert_int_equal(c->token_limit, 16384);
	assert_int_equal(c->rate_login, 0);
	check_list(&c->metrics_allow, 2, "::1");
	assert_int_equal(c->fetch_timeout_s, 5);
	assert_int_equal(c->key_cooldown_s, 60);
	assert_int_equal(c->keys_max_stale_s, 86400);
	assert_null(c->ca_file);
	check_list(&c->database.hosts, 1, "localhost");
	assert_int_equal(c->database.port, 3306);
	assert_null(c->database.socket);
	assert_string_equal(c->database.user, "pintle");
	assert_null(c->database.password);
	assert_string_equal(c->database.name, "pintle");
	assert_int_equal(c->database.tls, CONFIG_TLS_OFF);
	assert_int_equal(c->database.connect_timeout_s, 2);
	assert_int_equal(c->database.query_timeout_s, 5);
	assert_int_equal(c->database.pool, 4);
	assert_int_equal(c->accounts.signup, CONFIG_SIGNUP_OPEN);
	assert_false(c->accounts.phone || c->accounts.refuse_subject_change);
	assert_null(c->accounts.query_lookup);
	assert_int_equal(c->session.mode, CONFIG_SESSION_COOKIE);
	assert_int_equal(c->session.lifetime_s, 30 * 86400);
	assert_int_equal(c->session.idle_s, 7 * 86400);
	assert_int_equal(c->session.touch_every_s, 300);
	assert_string_equal(c->session.cookie, "__Host-session");
	assert_null(c->session.cookie_domain);
	assert_string_equal(c->session.same_site, "Lax");
	assert_int_equal(c->session.max_per_user, 0);
	assert_int_equal(c->session.gate_cache_s, 0);
	assert_int_equal(c->log.format, CONFIG_LOG_TEXT);
	assert_int_equal(c->log.level, CONFIG_LOG_INFO);
	assert_int_equal(c->log.target, CONFIG_LOG_STDERR);
	config_free(c);
}

/* A provider block written by hand says only what it must. */
static void provider_defaults(void **state)
{
	struct config *c = must_load("public_url = 'http://localhost:8080'\n"
				     "provider own { issuer = i audience = a\n"
				     " jwks_file = '/srv/keys.json' }");
	const struct config_provider *p = &c->providers[0];

	(void)state;
	assert_string_equal(p->name, "own");
	assert_string_equal(p->audience_claim, "aud");
	assert_int_equal(p->algorithms, 1u << JWS_ES256 | 1u << JWS_RS256);
	assert_int_equal(p->require_count, 0);
	assert_string_equal(p->email_claim, "email");
	assert_null(p->phone_claim);
	assert_int_equal(p->verified, CONFIG_VERIFIED_RULE);
	assert_string_equal(p->verified_rule.claim, "email_verified");
	assert_string_equal(p->verified_rule.values, "true");
	assert_int_equal(p->match, CONFIG_MATCH_EMAIL);
	assert_int_equal(p->leeway_s, 60);
	assert_int_equal(p->max_age_s, 0);
	assert_int_equal(p->max_life_s, 2 * 86400);
	assert_false(p->link || p->form || p->discovery || p->single_use_s);
	assert_string_equal(c->session.cookie, "session");
	assert_false(c->https);
	config_free(c);
}

/* ---- what is derived */

static void public_url_is_normalised(void **state)
{
	static const struct {
		const char *written, *url, *origin, *cookie;
	} cases[] = {
		{ "HTTPS://WWW.Example.com:443/Auth/", "https://www.example.com/Auth",
		  "https://www.example.com", "__Host-session" },
		{ "https://example.com:8443//", "https://example.com:8443",
		  "https://example.com:8443", "__Host-session" },
		{ "http://example.com:80/a/b", "http://example.com/a/b",
		  "http://example.com", "session" },
		{ "http://[0:0::1]:443", "http://[::1]:443", "http://[::1]:443",
		  "session" },
	};
	struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c = must_load(
			config_printf(a, "public_url = '%s'\n" P, cases[i].written));

		assert_string_equal(c->public_url, cases[i].url);
		assert_string_equal(c->public_origin, cases[i].origin);
		assert_string_equal(c->session.cookie, cases[i].cookie);
		assert_int_equal(c->https, cases[i].origin[4] == 's');
		config_free(c);
	}
	arena_free(a);
}

/* RFC 1035, 2.3.4 */
static void length_of_a_host(void **state)
{
	char host[256];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[63] = host[127] = host[191] = '.';
	host[253] = '\0';
	assert_true(config_host_is_valid(host));
	host[253] = 'a';
	host[254] = '\0';
	assert_false(config_host_is_valid(host));
	host[63] = '\0';
	assert_true(config_host_is_valid(host));
	host[63] = 'a';
	host[64] = '\0';
	assert_false(config_host_is_valid(host));
	host[0] = '\0';
	assert_false(config_host_is_valid(host));
}

static void default_file(void **state)
{
	(void)state;
	unsetenv("PINTLE_CONFIG");
	assert_string_equal(config_default_file(), PINTLE_CONFIG_FILE);
	setenv("PINTLE_CONFIG", "", 1);
	assert_string_equal(config_default_file(), PINTLE_CONFIG_FILE);
	setenv("PINTLE_CONFIG", "/x.conf", 1);
	assert_string_equal(config_default_file(), "/x.conf");
	unsetenv("PINTLE_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_file),
		cmocka_unit_test(defaults),
		cmocka_unit_test(provider_defaults),
		cmocka_unit_test(public_url_is_normalised),
		cmocka_unit_test(length_of_a_host),
		cmocka_unit_test(default_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

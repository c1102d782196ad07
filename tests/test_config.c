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

/* ---- what is refused, each beside what is not */

static const struct refusal values[] = {
	{ TOP, "\nthreads = four", 2, "\"four\" is no whole number", "\nthreads = 4" },
	{ TOP, "threads = 0", 1, "\"0\" is not in 1..256", "threads = 1" },
	{ TOP, "threads = 257", 1, "is not in 1..256", "threads = 256" },
	{ TOP, "threads = 1k", 1, "is no whole number", "threads = 1" },
	{ TOP, "threads = -1", 1, "is no whole number", "threads = 16" },
	{ TOP, "threads = \"\"", 1, "is no whole number", "threads = \"7\"" },
	{ DATABASE, "port = 65536", 1, "1..65535", "port = 65535" },
	{ DATABASE, "port = 0", 1, "1..65535", "port = 1" },
	{ DATABASE, "pool = 257", 1, "1..256", "pool = 256" },
	{ DATABASE, "port = 99999999999999999999", 1, "no whole number", "port = 99" },
	{ TOP, "fetch_timeout = 90", 1, "has no unit: write 90s", "fetch_timeout = 9s" },
	{ PROVIDER, "max_age = \"0\"", 1, "has no unit: write 0s", "max_age = \"0s\"" },
	{ PROVIDER, "leeway = 5x", 1, "is no duration", "leeway = 5m" },
	{ PROVIDER, "leeway = \"5 m\"", 1, "is no duration", "leeway = \"5m\"" },
	{ PROVIDER, "leeway = s", 1, "is no duration", "leeway = 1s" },
	{ PROVIDER, "leeway = 301s", 1, "0s..300s", "leeway = 300s" },
	{ PROVIDER, "leeway = 200000000000000000d", 1, "0s..300s", "leeway = 0s" },
	{ PROVIDER, "max_life = 0s", 1, "1s..3650d", "max_life = 1h" },
	{ TOP, "body_limit = 64kb", 1, "is no size", "body_limit = 64k" },
	{ TOP, "body_limit = 17m", 1, "1k..16m", "body_limit = 16m" },
	{ TOP, "token_limit = 255", 1, "256..1m", "token_limit = 256" },
	{ TOP, "body_limit = 32k\ntoken_limit = 33k", 2,
	  "token_limit (33k) is larger than "
	  "body_limit (32k)",
	  "body_limit = 32k\ntoken_limit = 32k" },
	{ TOP, "\nbody_limit = 8k", 2, "token_limit (16k) is larger",
	  "\nbody_limit = 16k" },
	{ PROVIDER, "link = maybe", 1, "is neither yes nor no", "link = TRUE" },
	{ LOG, "level = loud", 1, "is not one of error|warning|info|debug",
	  "level = error" },
	{ LOG, "target = \"\"", 1, "is not one of", "target = stderr" },
	{ DATABASE, "tls = Verify", 1, "is not one of off|require|verify",
	  "tls = verify" },
	{ PROVIDER, "match = phone", 1, "is not one of email|subject",
	  "match = subject" },
	{ PROVIDER, "audience_claim = client_id", 1, "is not one of aud|azp",
	  "audience_claim = azp" },
	{ SESSION, "mode = cookies", 1, "is not one of", "mode = bearer" },
	{ ACCOUNTS, "signup = yes", 1, "is not one of", "signup = closed" },
	{ TOP, "login_response = user", 1, "is not one of full|claims",
	  "login_response = full" },
	{ PROVIDER, "algorithms = {\"ES256\",\n\"HS256\"}", 1,
	  "\"HS256\" is never accepted", "algorithms = {\"ES256\",\n\"ES384\"}" },
	{ PROVIDER, "algorithms = {\"none\"}", 1, "is never accepted",
	  "algorithms = {\"EdDSA\"}" },
	{ PROVIDER, "algorithms = {\"es256\"}", 1, "there are ES256 ES384 RS256",
	  "algorithms = {\"ES256\"}" },
	{ PROVIDER, "algorithms = {}", 1, "algorithms: is empty", "algorithms = RS512" },
	{ PROVIDER, "require = {\"scope\"}", 1, "is no rule", "require = {\"scope=a\"}" },
	{ PROVIDER, "require = {\"=a\"}", 1, "is no rule", "require = {\"s=a\"}" },
	{ PROVIDER, "require = {\"scope=\"}", 1, "is no rule",
	  "require = {\"scope==\"}" },
	{ PROVIDER, "require = {\"scope=a||b\"}", 1, "an empty value",
	  "require = {\"scope=a|b\"}" },
	{ PROVIDER, "require = {\"scope=a|\"}", 1, "an empty value",
	  "require = {\"scope=a\"}" },
	{ PROVIDER, "require = {\"/a~2=b\"}", 1, "no JSON Pointer",
	  "require = {\"a~2=b\"}" },
	{ PROVIDER, "verified = sometimes", 1, "is no rule", "verified = never" },
	{ PROVIDER, "verified = Always", 1, "is no rule", "verified = always" },
	{ PROVIDER, "verified = \"\"", 1, "is no rule", "verified = \"a=b\"" },
	{ PROVIDER, "email_claim = \"/a~\"", 1, "no JSON Pointer",
	  "email_claim = \"a~\"" },
	{ TOP, "token_places = {\"/a\", \"b\"}", 1, "\"b\" is no JSON Pointer",
	  "token_places = {\"/a\", \"/b\"}" },
	{ TOP, "token_places = {}", 1, "no token would be found",
	  "token_places = \"/t\"" },
	{ TOP, "state_dir = \"var/lib\"", 1, "no absolute path",
	  "state_dir = \"/var/lib\"" },
	{ TOP, "state_dir = \"/a\\tb\"", 1, "control character", "state_dir = \"/a b\"" },
	{ TOP, "state_dir = \"/a\\177b\"", 1, "control character",
	  "state_dir = \"/a~b\"" },
	{ ACCOUNTS,
	  "signup = closed query_lookup = \"SELECT id\\001 FROM t WHERE m = :email\"", 1,
	  "control character",
	  "signup = closed query_lookup = \"SELECT id\\tFROM t\\nWHERE m = :email\"" },
	{ DATABASE, "hosts = {}", 1, "hosts: is empty", "hosts = db" },
	{ DATABASE, "hosts = {\"a\", \"\"}", 1, "an empty entry",
	  "hosts = {\"a\", \"b_1\"}" },
	{ DATABASE, "hosts = {\"a b\"}", 1, "no host name", "hosts = {\"[::1]\"}" },
	{ DATABASE, "socket = \"run/my.sock\"", 1, "no absolute path",
	  "socket = \"/my.sock\"" },
	{ DATABASE,
	  "socket = \"/123456789012345678901234567890123456789012345678901234567890"
	  "12345678901234567890123456789012345678901234567\"",
	  1, "too long for a Unix socket",
	  "socket = \"/123456789012345678901234567890123456789012345678901234567890"
	  "1234567890123456789012345678901234567890123456\"" },
	{ ACCOUNTS, "allow_domains = {\"com\"}", 1, "no domain",
	  "allow_domains = {\"a.com\"}" },
	{ ACCOUNTS, "deny_domains = {\"@a.com\"}", 1, "no domain",
	  "deny_domains = {\"a.com\"}" },
	{ ACCOUNTS, "deny_domains = {\"a-.com\"}", 1, "no domain",
	  "deny_domains = {\"a-a.com\"}" },
	{ ACCOUNTS, "deny_domains = {\"a..com\"}", 1, "no domain",
	  "deny_domains = {\"a.b.com\"}" },
	{ ACCOUNTS, "deny_domains = {\"a.com.\"}", 1, "no domain",
	  "deny_domains = {\"a.com\"}" },
	{ TOP, "metrics_allow = {\"localhost\"}", 1, "no address",
	  "metrics_allow = {\"::1\"}" },
	{ TOP, "metrics_allow = {\"10.0.0.0/33\"}", 1, "no address",
	  "metrics_allow = {\"10.0.0.0/32\"}" },
	{ TOP, "metrics_allow = {\"10.0.0.0/\"}", 1, "no address",
	  "metrics_allow = {\"10.0.0.0/8\"}" },
	{ TOP, "metrics_allow = {\"::/129\"}", 1, "no address",
	  "metrics_allow = {\"::/128\"}" },
	{ TOP, "metrics_allow = {\"10.1\"}", 1, "no address",
	  "metrics_allow = {\"10.0.0.1\"}" },
};

static const struct refusal urls[] = {
	{ WHOLE, P, -1, "public_url: is not set", U("https://a.example") },
	{ WHOLE, U("ftp://a.example"), 1, "must begin with https://",
	  U("http://a.example") },
	{ WHOLE, U("www.example.com"), 1, "no scheme", U("HTTPS://WWW.example.com") },
	{ WHOLE, U("https://"), 1, "a bad host", U("https://a") },
	{ WHOLE, U("h_ttps://a"), 1, "no scheme", U("https://a") },
	{ WHOLE, U("1https://a"), 1, "no scheme", U("https://a") },
	{ WHOLE, U("https://a.example-"), 1, "a bad host", U("https://a-example") },
	{ WHOLE, U("https://a.example:0"), 1, "a port", U("https://a.example:01") },
	{ WHOLE, U("https://a_b.example"), 1, "a bad host", U("https://a-b.example") },
	{ WHOLE, U("https://-a.example"), 1, "a bad host", U("https://1a.example") },
	{ WHOLE, U("https://1.2.3"), 1, "a bad host", U("https://1.2.3.4") },
	{ WHOLE, U("https://[::1"), 1, "a bad host", U("https://[::1]") },
	{ WHOLE, U("https://[::g]"), 1, "a bad host", U("https://[::f]:8443") },
	{ WHOLE, U("https://[::1]x"), 1, "a bad host", U("https://[::1]/x") },
	{ WHOLE, U("https://a.example:"), 1, "a port", U("https://a.example:1") },
	{ WHOLE, U("https://a.example:65536"), 1, "a port",
	  U("https://a.example:65535") },
	{ WHOLE, U("https://u@a.example"), 1, "a user name", U("https://a.example/u@") },
	{ WHOLE, U("https://a.example?x"), 1, "must end with the path",
	  U("https://a.example/x") },
	{ WHOLE, U("https://a.example/#x"), 1, "must end with the path",
	  U("https://a.example/x") },
	{ WHOLE, U("https://a.example/x y"), 1, "has a blank in it",
	  U("https://a.example/x%20y") },
	{ WHOLE, U("https://a.example/\\\\x"), 1, "no URL may have",
	  U("https://a.example//x") },

	{ TOP, "allowed_origins = {\"*\"}", 1, "name each origin",
	  "allowed_origins = {\"https://a.example\"}" },
	{ TOP, "allowed_origins = {\"null\"}", 1, "sandboxed",
	  "allowed_origins = {\"app://localhost\"}" },
	{ TOP, "allowed_origins = {\"https://a.example/\"}", 1, "has a path",
	  "allowed_origins = {\"https://a.example\"}" },
	{ TOP, "allowed_origins = {\"https://a.example/x\"}", 1,
	  "write \"https://a.example\"", "allowed_origins = {\"https://a.example\"}" },
	{ TOP, "allowed_origins = {\"https://A.example\"}", 1, "browsers write",
	  "allowed_origins = {\"https://a.example\"}" },
	{ TOP, "allowed_origins = {\"https://a.example:443\"}", 1, "browsers write",
	  "allowed_origins = {\"https://a.example:444\"}" },
	{ TOP, "allowed_origins = {\"http://a.example:80\"}", 1, "browsers write",
	  "allowed_origins = {\"http://a.example:443\"}" },
	{ TOP, "allowed_origins = {\"a.example\"}", 1, "no scheme",
	  "allowed_origins = {\"https://a.example\"}" },
	{ TOP, "allowed_origins = {\"https://*.a.example\"}", 1, "a bad host",
	  "allowed_origins = {\"https://b.a.example\"}" },
	{ TOP, "allowed_origins = {\"web_app://a\"}", 1, "no scheme",
	  "allowed_origins = {\"web+app-1.x://a\"}" },

	{ TOP, "login_page = \"//evil.example\"", 1, "no path of this site",
	  "login_page = \"/evil.example\"" },
	{ TOP, "login_page = \"/\\\\evil.example\"", 1, "no path of this site",
	  "login_page = \"/a//evil.example\"" },
	{ TOP, "login_page = \"https://evil.example/\"", 1, "the origin of public_url",
	  "login_page = \"https://www.example.com/\"" },
	{ TOP, "login_page = \"http://www.example.com/\"", 1, "the origin of public_url",
	  "login_page = \"https://www.example.com:443/\"" },
	{ TOP, "login_page = \"https://www.example.com@evil.example/\"", 1,
	  "the origin of public_url",
	  "login_page = \"https://www.example.com/@evil.example\"" },
	{ TOP, "login_page = sign-in", 1, "must be a path", "login_page = /sign-in" },

};

static const struct refusal wholes[] = {
	{ WHOLE, "public_url = \"https://a.example\"", -1, "no provider { }",
	  U("https://a.example") },
	{ SESSION, "cookie = \"a b\"", 1, "no cookie name", "cookie = \"a.b\"" },
	{ SESSION, "cookie = \"a=b\"", 1, "no cookie name", "cookie = \"a+b\"" },
	{ SESSION, "cookie = \"a;b\"", 1, "no cookie name", "cookie = \"a!b\"" },
	{ SESSION, "\ncookie_domain = example.com", 2, "without __Host-",
	  "cookie = id\ncookie_domain = example.com" },
	{ SESSION, "cookie = __host-x\ncookie_domain = example.com", 2, "without __Host-",
	  "cookie = __Secure-x\ncookie_domain = www.example.com" },
	{ SESSION, "cookie = x cookie_domain = other.com", 1, "is not in it",
	  "cookie = x cookie_domain = example.com" },
	{ SESSION, "cookie = x cookie_domain = ample.com", 1, "is not in it",
	  "cookie = x cookie_domain = Example.com" },
	{ SESSION, "cookie = x cookie_domain = exomple.com", 1, "is not in it",
	  "cookie = x cookie_domain = Www.example.com" },
	{ SESSION, "cookie = x cookie_domain = .example.com", 1, "no domain",
	  "cookie = x cookie_domain = example.com" },
	{ WHOLE, U("http://a.example") "session { cookie = __Host-a }", 3, "http://",
	  U("http://localhost") "session { cookie = __Host-a }" },
	{ WHOLE, U("http://a.example") "session { cookie = __secure-a }", 3, "http://",
	  U("http://[::1]:99") "session { cookie = __secure-a }" },
	{ WHOLE, U("http://localhost") "session { same_site = None }", 3,
	  "needs an https://", U("https://localhost") "session { same_site = None }" },
	{ WHOLE, U("http://localhost") "session { partitioned = yes }", 3,
	  "needs an https://", U("http://localhost") "session { partitioned = no }" },
	{ SESSION, "same_site = Loose", 1, "is not one of Lax|Strict|None",
	  "same_site = STRICT" },
	{ SESSION, "mode = jwt", 1, "jwt needs keys_dir", "mode = jwt keys_dir = /k" },
	{ DATABASE, "password = x\npassword_file = /x", 2, "keep one of the two",
	  "password = x" },
};

static void bad_values(void **state)
{
	(void)state;
	REFUSALS(values);
}

static void bad_urls(void **state)
{
	(void)state;
	REFUSALS(urls);
}

static void what_does_not_fit_together(void **state)
{
	(void)state;
	REFUSALS(wholes);
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

/* ---- who else may read and write a file */

static const char with_password[] = GOOD "database {\n password = x\n}\n";

static struct config *load_mode(const char *text, mode_t mode)
{
	write_file(file, text_of(text), mode);
	return config_load(file, error);
}

static void file_that_others_can_write(void **state)
{
	static const mode_t good[] = { 0600, 0640, 0644, 0444 };
	static const mode_t bad[] = { 0620, 0602, 0622, 0666, 0777 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		config_free(load_mode(minimal, good[i]));
	assert_string_equal(error, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check_error(load_mode(minimal, bad[i]), 0, "chmod go-w", "");
}

static void file_with_a_password_that_others_can_read(void **state)
{
	struct config *c = load_mode(with_password, 0640);

	(void)state;
	assert_non_null(c);
	assert_string_equal(c->database.password, "x");
	config_free(c);
	check_error(load_mode(with_password, 0644), 4, "chmod o-r", "");
	check_error(load_mode(with_password, 0604), 4, "chmod o-r", "");
	check_error(load_mode(with_password, 0660), 0, "chmod go-w", "");
}

static void password_file(void **state)
{
	static const struct {
		struct text content;
		mode_t mode;
		const char *word; /* NULL: good */
	} cases[] = {
		{ TEXT("x\n"), 0600, NULL },
		{ TEXT("x"), 0440, NULL },
		{ TEXT("x\r\n"), 0640, NULL },
		{ TEXT("x\n"), 0644, "chmod o-r" },
		{ TEXT("x\n"), 0660, "chmod go-w" },
		{ TEXT("x\n"), 0602, "chmod go-w" },
		{ TEXT(""), 0600, "is not one line" },
		{ TEXT("\n"), 0600, "is not one line" },
		{ TEXT("x\ny\n"), 0600, "is not one line" },
		{ TEXT("x\0y\n"), 0600, "is not one line" },
	};
	struct arena *a = arena_new();
	const char *text = config_printf(a,
					 GOOD "database {\n\n"
					      "password_file = '%s' }\n",
					 other);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct config *c;

		write_file(other, cases[i].content, cases[i].mode);
		c = load_mode(text, 0644);
		if (cases[i].word) {
			check_error(c, 5, cases[i].word, text);
			continue;
		}
		assert_non_null(c);
		assert_string_equal(c->database.password, "x");
		config_free(c);
	}
	unlink(other);
	check_error(load_mode(text, 0644), 5, "cannot be read", text);
	assert_int_equal(mkdir(other, 0700), 0);
	check_error(load_mode(text, 0644), 5, "no regular file", text);
	rmdir(other);
	arena_free(a);
}

static void defaults_file(void **state)
{
	struct arena *a = arena_new();
	const char *text = config_printf(a,
					 GOOD "database {\n"
					      "defaults_file = '%s' }\n",
					 other);
	struct config *c;

	(void)state;
	write_file(other, AS_TEXT("[client]\npassword=x\n"), 0640);
	c = load_mode(text, 0644);
	assert_non_null(c);
	assert_string_equal(c->database.defaults_file, other);
	check_list(&c->database.hosts, 1, "");
	assert_int_equal(c->database.port, 0);
	assert_null(c->database.user);
	assert_string_equal(c->database.name, "pintle");
	config_free(c);
	c = must_load(config_printf(a,
				    GOOD "database { defaults_file = '%s'\n"
					 "socket = /s port = 1 user = u }\n",
				    other));
	check_list(&c->database.hosts, 1, "localhost");
	assert_int_equal(c->database.port, 1);
	assert_string_equal(c->database.user, "u");
	config_free(c);
	c = must_load(config_printf(a,
				    GOOD "database { hosts = h\n"
					 "defaults_file = '%s' }\n",
				    other));
	check_list(&c->database.hosts, 1, "h");
	config_free(c);
	write_file(other, AS_TEXT("[client]\n"), 0644);
	check_error(load_mode(text, 0644), 4, "chmod o-r", text);
	write_file(other, AS_TEXT("[client]\n"), 0660);
	check_error(load_mode(text, 0644), 4, "chmod go-w", text);
	unlink(other);
	check_error(load_mode(text, 0644), 4, "cannot be read", text);
	arena_free(a);
}

static void links_are_followed_and_only_files_read(void **state)
{
	struct config *c;

	(void)state;
	write_file(other, text_of(minimal), 0600);
	unlink(file);
	assert_int_equal(symlink(other, file), 0);
	c = config_load(file, error);
	assert_non_null(c);
	config_free(c);
	assert_int_equal(chmod(other, 0620), 0);
	check_error(config_load(file, error), 0, "chmod go-w", "");
	unlink(other);
	check_error(config_load(file, error), 0, "No such file", "");
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	check_error(config_load(file, error), 0, "no regular file", "");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	check_error(config_load(file, error), 0, "no regular file", "");
	rmdir(file);
}

/* ---- pintlectl config */

struct shown {
	struct arena *arena;
	size_t count, stop_at;
	struct {
		const char *option, *value, *origin;
	} rows[256];
};

static bool show(void *context, const char *option, const char *value, const char *origin)
{
	struct shown *s = context;

	assert_true(s->count < sizeof(s->rows) / sizeof(*s->rows));
	s->rows[s->count].option = arena_copy(s->arena, text_of(option)).data;
	s->rows[s->count].value = arena_copy(s->arena, text_of(value)).data;
	s->rows[s->count].origin = arena_copy(s->arena, text_of(origin)).data;
	s->count++;
	return s->count != s->stop_at;
}

/* ORIGIN is given without the file's name: ":12". */
static void check_shown(const struct shown *s, const char *option, const char *value,
			const char *origin)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->rows[i].option, option) != 0)
			continue;
		assert_string_equal(s->rows[i].value, value);
		if (origin[0] == ':')
			origin = config_printf(s->arena, "%s%s", file, origin);
		assert_string_equal(s->rows[i].origin, origin);
		return;
	}
	fail_msg("%s is not shown", option);
}

static void effective_values_and_origins(void **state)
{
	struct shown s = { .arena = arena_new() };
	struct config *c = must_load(
		"public_url = 'https://WWW.example.com/auth/'\n"
		"fetch_timeout = 60s body_limit = 1024k\n"
		"provider p {\n preset = cotter\n audience = {a, b}\n leeway = 90s\n"
		" algorithms = {RS256, ES256}\n require = {}\n jwks_file = /k }\n"
		"database {\n password = hunter2 tls = verify }\n"
		"provider own { audience = a issuer = i jwks_url = 'https://k/'\n"
		" require = {'a=b', '/c=d|e'} verified = never }\n"
		"accounts { phone = on on_subject_change = refuse }\n");

	(void)state;
	assert_true(config_each(c, show, &s));
	check_shown(&s, "public_url", "https://www.example.com/auth", ":1");
	check_shown(&s, "threads", "4", "default");
	check_shown(&s, "fetch_timeout", "1m", ":2");
	check_shown(&s, "body_limit", "1m", ":2");
	check_shown(&s, "token_limit", "16k", "default");
	check_shown(&s, "keys_max_stale", "1d", "default");
	check_shown(&s, "metrics_allow", "127.0.0.1, ::1", "default");
	check_shown(&s, "login_response", "full", "default");
	check_shown(&s, "ca_file", "", "default");
	check_shown(&s, "database.password", "********", ":11");
	check_shown(&s, "database.tls", "verify", ":11");
	check_shown(&s, "database.password_file", "", "default");
	check_shown(&s, "provider.p.preset", "cotter", ":4");
	check_shown(&s, "provider.p.audience", "a, b", ":5");
	check_shown(&s, "provider.p.issuer", "https://www.cotter.app", "preset cotter");
	check_shown(&s, "provider.p.leeway", "90s", ":6");
	check_shown(&s, "provider.p.max_age", "0s", "default");
	check_shown(&s, "provider.p.algorithms", "ES256, RS256", ":7");
	check_shown(&s, "provider.p.require", "", ":8");
	check_shown(&s, "provider.p.jwks_file", "/k", ":9");
	check_shown(&s, "provider.p.jwks_url", "", "default");
	check_shown(&s, "provider.p.match", "email", "preset cotter");
	check_shown(&s, "provider.p.verified",
		    "authentication_method=OTP|MAGIC_LINK|WEBAUTHN|SOCIAL_LOGIN",
		    "preset cotter");
	check_shown(&s, "provider.own.require", "a=b, /c=d|e", ":13");
	check_shown(&s, "provider.own.verified", "never", ":13");
	check_shown(&s, "provider.own.match", "email", "default");
	check_shown(&s, "provider.own.link", "no", "default");
	check_shown(&s, "accounts.phone", "yes", ":14");
	check_shown(&s, "accounts.on_subject_change", "refuse", ":14");
	check_shown(&s, "session.cookie", "__Host-session", "default");
	check_shown(&s, "session.lifetime", "30d", "default");
	for (size_t i = 0; i < s.count; i++)
		assert_null(strstr(s.rows[i].value, "hunter2"));
	s.count = 0;
	s.stop_at = 3;
	assert_false(config_each(c, show, &s));
	assert_int_equal(s.count, 3);
	config_free(c);
	arena_free(s.arena);
}

static void password_of_a_file_is_masked(void **state)
{
	struct shown s = { .arena = arena_new() };
	struct config *c;

	(void)state;
	write_file(other, AS_TEXT("hunter2\n"), 0600);
	c = must_load(config_printf(s.arena,
				    GOOD "database {\n"
					 "password_file = '%s' }\n",
				    other));
	assert_true(config_each(c, show, &s));
	check_shown(&s, "database.password", "********", ":4");
	check_shown(&s, "database.password_file", other, ":4");
	config_free(c);
	arena_free(s.arena);
}

/* ---- the list of options itself */

static void every_option_is_described(void **state)
{
	size_t counts[CONFIG_SECTIONS] = { 0 };

	(void)state;
	for (int i = 0; i < CONFIG_OPTIONS; i++) {
		const struct config_option *o = &config_options[i];
		const size_t len = strlen(o->help);

		counts[o->section]++;
		assert_true(len > 10);
		assert_int_equal(o->help[len - 1], '.');
		assert_non_null(o->limits);
		for (int k = 0; k < i; k++)
			if (config_options[k].section == o->section)
				assert_string_not_equal(config_options[k].name, o->name);
	}
	for (int i = 0; i < CONFIG_SECTIONS; i++)
		assert_true(counts[i] >= 3);
}

/* What an option may be written as, to be good in a file with all others. */
static const char *sample(const struct config_option *o)
{
	static const struct {
		const char *name, *value;
	} samples[] = {
		{ "public_url", "https://www.example.com/auth" },
		{ "allowed_origins", "https://app.example.com" },
		{ "login_page", "/login" },
		{ "audience", "a" },
		{ "issuer", "https://i.example" },
		{ "jwks_url", "https://i.example/keys" },
		{ "require", "a=b" },
		{ "allow_domains", "example.com" },
		{ "deny_domains", "example.net" },
		{ "cookie", "__Secure-x" },
		{ "cookie_domain", "example.com" },
	};

	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		if (strcmp(samples[i].name, o->name) == 0)
			return samples[i].value;
	return o->value ? o->value : "";
}

static const char *const section_names[] = {
	[CONFIG_top] = "",
	[CONFIG_database] = "database",
	[CONFIG_accounts] = "accounts",
	[CONFIG_session] = "session",
	[CONFIG_log] = "log",
	[CONFIG_provider] = "provider x",
};

/* The parser knows every row, takes its own default, and shows where it read it. */
static void every_option_can_be_set(void **state)
{
	struct shown s = { .arena = arena_new() };
	struct buffer b = buffer_new(s.arena, 8192);
	struct config *c;

	(void)state;
	for (int section = 0; section < CONFIG_SECTIONS; section++) {
		if (section != CONFIG_top)
			buffer_printf(&b, "%s { ", section_names[section]);
		for (int i = 0; i < CONFIG_OPTIONS; i++) {
			const struct config_option *o = &config_options[i];
			struct config_list items = config_list_split(s.arena, sample(o));
			const bool list = o->kind == CONFIG_LIST ||
					  o->kind == CONFIG_RULES ||
					  o->kind == CONFIG_ALGORITHMS;

			if ((int)o->section != section)
				continue;
			if (!list) {
				buffer_printf(&b, "%s = '%s'\n", o->name, sample(o));
				continue;
			}
			buffer_printf(&b, "%s = {", o->name);
			for (size_t k = 0; k < items.count; k++)
				buffer_printf(&b, "%s'%s'", k ? ", " : "",
					      items.items[k]);
			buffer_printf(&b, "}\n");
		}
		if (section != CONFIG_top)
			buffer_printf(&b, "}\n");
	}
	buffer_add_char(&b, '\0');
	c = must_load(b.data);
	assert_true(config_each(c, show, &s));
	assert_int_equal(s.count, CONFIG_OPTIONS);
	for (size_t i = 0; i < s.count; i++)
		assert_ptr_equal(strstr(s.rows[i].origin, file), s.rows[i].origin);
	config_free(c);
	arena_free(s.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_file),
		cmocka_unit_test(defaults),
		cmocka_unit_test(provider_defaults),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(bad_urls),
		cmocka_unit_test(what_does_not_fit_together),
		cmocka_unit_test(public_url_is_normalised),
		cmocka_unit_test(length_of_a_host),
		cmocka_unit_test(default_file),
		cmocka_unit_test(file_that_others_can_write),
		cmocka_unit_test(file_with_a_password_that_others_can_read),
		cmocka_unit_test(password_file),
		cmocka_unit_test(defaults_file),
		cmocka_unit_test(links_are_followed_and_only_files_read),
		cmocka_unit_test(effective_values_and_origins),
		cmocka_unit_test(password_of_a_file_is_masked),
		cmocka_unit_test(every_option_is_described),
		cmocka_unit_test(every_option_can_be_set),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

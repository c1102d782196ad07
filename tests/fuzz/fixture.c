#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fuzz.h"
#include "log.h"
#include "metrics.h"
#include "mint.h"
#include "scratch.h"

/* clang-format off */
#define OTHER(name)                                                                      \
	"provider \"" name "\" { issuer = \"https://" name ".example\" audience = \"us\"\n"   \
	"  jwks_file = \"@/keys.json\" verified = \"always\" phone_claim = \"phone_number\" "

static const char configuration[] =
	"public_url = \"https://www.example.com/auth\"\n"
	"state_dir = \"@\"\n"
	"allowed_origins = {\"https://app.example.com\"}\n"
	"login_page = \"/sign-in\"\n"
	"provider \"cotter\" { preset = \"cotter\" audience = \"" FIXTURE_AUDIENCE "\"\n"
	"  jwks_file = \"@/keys.json\" }\n"
	"provider \"google\" { preset = \"google\" audience = \"us\" form = \"yes\"\n"
	"  jwks_file = \"@/keys.json\" algorithms = \"ES256\" }\n"
	/* tid and issuers with a place in them */
	"provider \"microsoft\" { preset = \"microsoft\" audience = \"us\"\n"
	"  jwks_file = \"@/keys.json\" algorithms = \"ES256\" }\n"
	OTHER("subject") "match = \"subject\" link = yes }\n"
	OTHER("once") "single_use = \"1m\" max_age = \"10m\" }\n"
	OTHER("rules") "require = {\"a=1|2\", \"!b=x\", \"/c/d=true\"} }\n"
	OTHER("azp") "audience_claim = \"azp\" }\n"
	"accounts { phone = yes deny_domains = {\"denied.example\"} }\n";
/* clang-format on */

static struct maker_key *key;
static struct app *app, *others[FIXTURE_MODES];

static void close_all(void)
{
	for (size_t i = 0; i < FIXTURE_MODES; i++)
		app_free(others[i]);
	app_free(app);
	maker_key_free(key);
	scratch_close();
}

static void open_all(void)
{
	/* One line at the start of each request would be more than all else. */
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };
	struct arena *a = arena_new();

	log_open(&quiet, "fuzz");
	scratch_open();
	key = maker_key_new("P-256");
	scratch_write(
		"keys.json",
		text_of(maker_jwk_set(a, maker_jwk(a, key, "\"kid\":\"" FIXTURE_KID "\""),
				      NULL)));
	app = app_new(scratch_config(configuration));
	metrics_open(app->config->state_dir);
	arena_free(a);
	atexit(close_all);
}

struct app *fixture_app(void)
{
	if (!app)
		open_all();
	return app;
}

static struct app *app_with(const char *more)
{
	struct arena *a = arena_new();
	struct app *made = app_new(
		scratch_config(arena_printf(a, "%s%s", configuration, more).data));

	arena_free(a);
	return made;
}

struct app *fixture_app_in_mode(unsigned mode)
{
	static const char *const settings[FIXTURE_MODES] = {
		"",
		"session { mode = \"bearer\" }\n",
		"session { mode = \"jwt\" keys_dir = \"@\" }\n",
		"session { mode = \"jwt\" keys_dir = \"@\" gate_cache = \"5m\" }\n",
		"session { mode = \"provider\" }\n",
		"session { mode = \"none\" }\n",
		"session { max_per_user = 2 idle = \"10m\" lifetime = \"1h\" }\n",
		"session { mode = \"jwt\" keys_dir = \"@\" sessions = no }\n",
	};
	struct problem p = { 0 };
	char kid[64];

	fixture_app();
	if (!others[0]) {
		if (!mint_rotate(app->config->state_dir, FIXTURE_NOW, kid, &p))
			abort();
		for (size_t i = 0; i < FIXTURE_MODES; i++)
			others[i] = app_with(settings[i]);
	}
	return others[mode % FIXTURE_MODES];
}

const struct maker_key *fixture_key(void)
{
	fixture_app();
	return key;
}

struct text fixture_sign(struct arena *a, struct text header, struct text payload)
{
	return maker_token(a, fixture_key(), JWS_ES256, header, payload);
}

struct text fixture_token_of(struct arena *a, const char *issuer, const char *email,
			     int64_t now, unsigned number)
{
	return fixture_sign(
		a, AS_TEXT(FIXTURE_HEADER),
		arena_printf(a,
			     "{\"iss\":\"%s\",\"aud\":[\"us\",\"" FIXTURE_AUDIENCE
			     "\"],\"exp\":%lld,\"iat\":%lld,\"sub\":\"s\",\"jti\":\"%u\","
			     "\"type\":\"client_access_token\",\"scope\":\"access\","
			     "\"authentication_method\":\"OTP\",\"identifier\":\"%s\","
			     "\"email\":\"%s\"}",
			     issuer, (long long)now + 3600, (long long)now, number, email,
			     email));
}

struct text fixture_token(struct arena *a)
{
	return fixture_token_of(a, "https://www.cotter.app", "a@example.com",
				FIXTURE_NOW - 100, 0);
}

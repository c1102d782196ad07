/* pintlectl config: every option with its value and where that is from; and the list itself. */
#include "config_fixture.h"

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
		cmocka_unit_test(effective_values_and_origins),
		cmocka_unit_test(password_of_a_file_is_masked),
		cmocka_unit_test(every_option_is_described),
		cmocka_unit_test(every_option_can_be_set),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

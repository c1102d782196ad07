/* The configuration: whether it loads, and what is allowed in it and hardly meant. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "doctor.h"

/*
 * A configuration that cannot be loaded is one error, with its line; by a phrase of it the
 * cure is found. The first that fits counts.
 */
static const struct {
	const char *phrase, *code, *cure;
} cures[] = {
	{ "password", "config_password",
	  "chmod 0640 the file that holds the password, and let root own it and the "
	  "group of "
	  "Pintle's account read it; password_file keeps the password out of "
	  "pintle.conf" },
	{ "can be written by others", "config_writable",
	  "chmod go-w that file: whoever writes it decides who gets in" },
	{ "cannot be read", "config_file_missing",
	  "make the file that this option names, readable by Pintle's account, or "
	  "correct the "
	  "name" },
	{ "no such option", "config_option",
	  "correct the name, or the section it stands in; pintle.conf(5) lists all" },
	{ "is here a second time", "config_twice", "keep one of the two" },
	{ "no provider { } is set", "provider_none",
	  "add a provider \"NAME\" { preset = \"...\" audience = \"your client id\" }" },
	{ "where are its keys", "provider_keys_where",
	  "set jwks_url (the provider's documentation names it), or discovery = yes" },
	{ "preset:", "provider_preset", "use one of the presets that the message lists" },
	{ "audience: ", "provider_audience",
	  "set audience to your client id, as the provider's console shows it" },
	{ "issuer: ", "provider_issuer",
	  "set issuer to the iss claim of your tokens, letter for letter; pintlectl "
	  "explain "
	  "shows that of a token" },
	{ "over http:// from this machine only", "provider_http",
	  "use the https:// URL" },
	{ ": public_url: ", "config_public_url",
	  "set public_url to the URL of Pintle in the browser, such as "
	  "https://www.example.com/auth" },
	{ ": cookie_domain: ", "cookie_domain",
	  "take cookie_domain out, or set it to the domain of public_url and cookie to a "
	  "name "
	  "without __Host-" },
	{ ": same_site: ", "cookie_same_site",
	  "take same_site out, or make public_url https://" },
	{ ": partitioned: ", "cookie_partitioned",
	  "take partitioned out, or make public_url https://" },
	{ ": cookie: ", "cookie_name",
	  "take cookie out: the default name fits public_url" },
	{ "keys_dir", "keys_dir_unset",
	  "set session.keys_dir to a directory of Pintle's account, mode 0700, then: "
	  "pintlectl "
	  "keys rotate" },
	{ ": login_page: ", "login_page",
	  "set login_page to a path of this site, such as \"/login.html\"" },
	{ ": allowed_origins: ", "config_origin",
	  "write each origin as browsers do: scheme://host[:port], no path, no slash at "
	  "the end" },
	{ "token_limit", "config_limits", "raise body_limit, or lower token_limit" },
	{ "opening brace", "config_syntax",
	  "write { after the section's name, and } at its end" },
	{ "not closed", "config_syntax", "close it; the message says where it begins" },
	{ "syntax error", "config_syntax",
	  "write name = value, lists as {\"a\", \"b\"}, sections as name { }" },
	{ "not in quotes", "config_syntax", "put the value in quotes" },
};

/* Its own absence is known without looking at what is said of it. */
static bool note_absence(struct doctor *d, const char *error)
{
	const char *file = d->context->config_file;

	if (access(file, R_OK) == 0)
		return false;
	if (errno == ENOENT)
		doctor_note(
			d, DOCTOR_WRONG, "config_missing",
			"copy pintle.conf.example there, or name another file with -c or "
			"PINTLE_CONFIG",
			"%s", error);
	else
		doctor_note(d, DOCTOR_WRONG, "config_unreadable",
			    "run this as the account that Pintle runs as, or let that "
			    "account's "
			    "group read it: chgrp GROUP FILE; chmod 0640 FILE",
			    "%s", error);
	return true;
}

static void note_error(struct doctor *d, const char *error)
{
	if (note_absence(d, error))
		return;
	for (size_t i = 0; i < sizeof(cures) / sizeof(*cures); i++)
		if (strstr(error, cures[i].phrase)) {
			doctor_note(d, DOCTOR_WRONG, cures[i].code, cures[i].cure, "%s",
				    error);
			return;
		}
	doctor_note(d, DOCTOR_WRONG, "config_value",
		    "mend that line; pintle.conf(5) says what the option takes", "%s",
		    error);
}

void doctor_config(struct doctor *d)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = config_load(d->context->config_file, error);

	if (!config) {
		note_error(d, error);
		d->hopeless = true;
		return;
	}
	d->config = config;
	d->context->app = app_new(config);
}

/* ---- what is allowed in it, and hardly meant */

static bool is_loopback_url(const char *url)
{
	return text_starts(text_of(url), "http://localhost") ||
	       text_starts(text_of(url), "http://127.") ||
	       text_starts(text_of(url), "http://[::1]");
}

static void advise_url(struct doctor *d)
{
	const struct config *c = d->config;
	const char *host = strstr(c->public_origin, "://") + 3;

	if (strstr(host, "example.com") || strstr(host, "example.org"))
		doctor_note(d, DOCTOR_TODO, "public_url_example",
			    "set public_url to the URL of your own site",
			    "public_url %s is that of the example", c->public_url);
	if (!c->https && !is_loopback_url(c->public_url))
		doctor_note(d, DOCTOR_WRONG, "public_url_plain",
			    "get a certificate (certbot), and make public_url https://",
			    "public_url %s is not https://: tokens and cookies can be "
			    "read and "
			    "stolen on the way",
			    c->public_url);
}

static void advise_cookie(struct doctor *d)
{
	const struct config_session *s = &d->config->session;
	const bool has_prefix = text_starts(text_of(s->cookie), "__Host-") ||
				text_starts(text_of(s->cookie), "__Secure-");

	if (s->mode == CONFIG_SESSION_NONE || s->mode == CONFIG_SESSION_BEARER)
		return;
	if (d->config->https && !has_prefix)
		doctor_note(d, DOCTOR_RISK, "cookie_prefix",
			    s->cookie_domain
				    ? "name it __Secure-something"
				    : "take cookie out: __Host-session is the default",
			    "another host of this domain, or one without TLS, can put a "
			    "cookie "
			    "\"%s\" of its own in the place of ours",
			    s->cookie);
	if (strcmp(s->same_site, "None") == 0 && !d->config->allowed_origins.count)
		doctor_note(
			d, DOCTOR_RISK, "cookie_same_site_none",
			"take same_site out, or list the other site in allowed_origins",
			"same_site is None, but no other origin is in allowed_origins: "
			"the "
			"cookie goes along with every foreign page's requests for "
			"nothing");
}

/* The last two labels: what most people register. Without a list of suffixes no more is known. */
static struct text site(const char *origin)
{
	const char *host = strstr(origin, "://") ? strstr(origin, "://") + 3 : origin;
	const size_t len = strcspn(host, ":/");
	size_t start = len, dots = 0;

	while (start && (host[start - 1] != '.' || ++dots < 2))
		start--;
	return (struct text){ host + start, len - start };
}

static void advise_origins(struct doctor *d)
{
	const struct config *c = d->config;
	const char *same_site = c->session.same_site;

	if (c->session.mode == CONFIG_SESSION_NONE ||
	    c->session.mode == CONFIG_SESSION_BEARER)
		return;
	for (size_t i = 0; i < c->allowed_origins.count; i++) {
		const char *origin = c->allowed_origins.items[i];

		if (strcmp(origin, c->public_origin) == 0)
			doctor_note(
				d, DOCTOR_RISK, "origin_own",
				"take it out of allowed_origins",
				"%s in allowed_origins is public_url's own origin, which "
				"needs no listing",
				origin);
		else if (strcmp(same_site, "None") != 0 &&
			 !text_equal(site(origin), site(c->public_origin)))
			doctor_note(
				d, DOCTOR_WRONG, "cookie_cross_site",
				"set session.same_site = \"None\" (and partitioned = "
				"yes), or "
				"use session mode bearer, or serve that page from this "
				"site",
				"%s in allowed_origins is another site: with same_site = "
				"\"%s\" browsers send no cookie from there",
				origin, same_site);
	}
}

static void advise_limits(struct doctor *d)
{
	const struct config *c = d->config;

	if (c->database.pool < c->threads)
		doctor_note(d, DOCTOR_RISK, "pool_small",
			    DOCTOR_TEXT(d, "set database.pool = %d", c->threads),
			    "%d threads share %d connections to the database, and wait "
			    "for each "
			    "other",
			    c->threads, c->database.pool);
	for (size_t i = 0; i < c->metrics_allow.count; i++)
		if (strstr(c->metrics_allow.items[i], "/0"))
			doctor_note(d, DOCTOR_RISK, "metrics_open",
				    "list the addresses of your Prometheus",
				    "metrics_allow has %s: everybody can read /metrics",
				    c->metrics_allow.items[i]);
	if (c->session.idle_s > c->session.lifetime_s)
		doctor_note(
			d, DOCTOR_RISK, "session_idle",
			"make idle shorter than lifetime, or take it out",
			"session.idle is longer than session.lifetime and has no effect");
	if (c->session.gate_cache_s && c->session.mode != CONFIG_SESSION_JWT)
		doctor_note(d, DOCTOR_RISK, "gate_cache_idle", "take gate_cache out",
			    "session.gate_cache has an effect in mode jwt alone");
	if (c->keys_max_stale_s == 0)
		doctor_note(
			d, DOCTOR_RISK, "keys_max_stale",
			"set keys_max_stale = \"1d\", the default",
			"keys_max_stale is 0s: nobody can log in while a provider's key "
			"server is away for a moment");
}

static void advise_database(struct doctor *d)
{
	const struct config_database *db = &d->config->database;

	for (size_t i = 0; i < db->hosts.count; i++) {
		const char *host = db->hosts.items[i];

		if (db->tls == CONFIG_TLS_OFF && *host &&
		    strcmp(host, "localhost") != 0 && strncmp(host, "127.", 4) != 0 &&
		    strcmp(host, "::1") != 0)
			doctor_note(
				d, DOCTOR_RISK, "database_plain",
				"set database.tls = \"verify\", and ca_file to the "
				"server's CA",
				"the connection to the database on %s is not encrypted",
				host);
	}
	if (db->tls == CONFIG_TLS_REQUIRE)
		doctor_note(
			d, DOCTOR_RISK, "database_unverified",
			"set database.tls = \"verify\", and ca_file to the server's CA",
			"database.tls = \"require\" encrypts, but anybody in between can "
			"be "
			"the server");
}

static bool is_placeholder(const char *audience)
{
	static const char *const words[] = { "YOUR_",	      "your-",	  "your_",
					     "00000000-0000", "xxxx",	  "XXXX",
					     "API_KEY_ID",    "CLIENT_ID" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(audience, words[i]))
			return true;
	return false;
}

static void advise_providers(struct doctor *d)
{
	const struct config *c = d->config;

	for (size_t i = 0; i < c->provider_count; i++) {
		const struct config_provider *p = &c->providers[i];

		for (size_t k = 0; k < p->audience.count; k++)
			if (is_placeholder(p->audience.items[k]))
				doctor_note(
					d, DOCTOR_WRONG, "audience_placeholder",
					"set audience to your client id, as the "
					"provider's "
					"console shows it",
					"provider %s: the audience %s is a placeholder",
					p->name, p->audience.items[k]);
		if (p->match == CONFIG_MATCH_EMAIL &&
		    p->verified == CONFIG_VERIFIED_NEVER)
			doctor_note(d, DOCTOR_WRONG, "verified_never",
				    "set verified to what makes an address of this "
				    "provider good, "
				    "or match = \"subject\"",
				    "provider %s: with verified = \"never\" and match = "
				    "\"email\" "
				    "nobody can log in",
				    p->name);
		if (p->max_life_s <= p->leeway_s)
			doctor_note(d, DOCTOR_WRONG, "max_life_short",
				    "take max_life out: the default is 2 days",
				    "provider %s: hardly a token lives as short as "
				    "max_life, %d s",
				    p->name, p->max_life_s);
	}
}

static void advise_accounts(struct doctor *d)
{
	const struct config_accounts *a = &d->config->accounts;

	for (size_t i = 0; i < a->allow_domains.count; i++)
		for (size_t k = 0; k < a->deny_domains.count; k++)
			if (strcmp(a->allow_domains.items[i], a->deny_domains.items[k]) ==
			    0)
				doctor_note(d, DOCTOR_WRONG, "domain_both",
					    "take it out of one of the two",
					    "%s is in allow_domains and in deny_domains: "
					    "nobody "
					    "from there gets in",
					    a->allow_domains.items[i]);
}

void doctor_advice(struct doctor *d)
{
	advise_url(d);
	advise_cookie(d);
	advise_origins(d);
	advise_limits(d);
	advise_database(d);
	advise_providers(d);
	advise_accounts(d);
}

/*
 * What the administrator set, read once at the start with libConfuse (the only file that
 * includes its header).
 *
 * Every option stands in options.def with its type, default and a sentence of help; the
 * parser, `pintlectl config` and the manual's test work from that list.
 */
#ifndef PINTLE_CONFIG_H
#define PINTLE_CONFIG_H

#include "claims.h"
#include "jws.h"
#include "problem.h"

/* A list of strings; NULL after the last. */
struct config_list {
	char **items;
	size_t count;
};

enum config_tls { CONFIG_TLS_OFF, CONFIG_TLS_REQUIRE, CONFIG_TLS_VERIFY };

/* With a defaults_file, what is not set is left to it: one host "", port 0, user NULL. */
struct config_database {
	struct config_list hosts;
	int port;
	char *socket, *user, *password, *name, *defaults_file;
	char *password_file; /* read into password when the configuration is loaded */
	enum config_tls tls;
	int connect_timeout_s, query_timeout_s;
	int pool;
};

enum config_match { CONFIG_MATCH_EMAIL, CONFIG_MATCH_SUBJECT };
enum config_verified {
	CONFIG_VERIFIED_NEVER,
	CONFIG_VERIFIED_ALWAYS,
	CONFIG_VERIFIED_RULE
};

/* One provider block, the preset's values filled in where the file said nothing. */
struct config_provider {
	char *name; /* the block's title: [A-Za-z0-9._-], 1 to 32 bytes, unique */
	char *preset;
	struct config_list issuers, audience;
	char *audience_claim; /* "aud" or "azp" */
	char *jwks_url, *jwks_file;
	bool discovery;
	jws_algorithm_set algorithms;
	struct claim_rule *require;
	size_t require_count;
	char *email_claim, *phone_claim;
	enum config_verified verified;
	struct claim_rule verified_rule;
	enum config_match match;
	int leeway_s;
	int max_age_s; /* 0: no limit */
	int max_life_s;
	bool link, form;
	int single_use_s; /* 0: off */
};

enum config_signup { CONFIG_SIGNUP_OPEN, CONFIG_SIGNUP_CLOSED, CONFIG_SIGNUP_INVITED };

struct config_accounts {
	enum config_signup signup;
	struct config_list allow_domains, deny_domains; /* lower-cased */
	bool phone;
	bool refuse_subject_change;
	char *query_lookup, *query_create, *query_seen; /* NULL: the default schema */
	bool accept_collation;
	/* Derived: nobody will ever ask which sub came with which user; no identities. */
	bool forget_subjects;
};

enum config_session_mode {
	CONFIG_SESSION_COOKIE,
	CONFIG_SESSION_BEARER,
	CONFIG_SESSION_JWT,
	CONFIG_SESSION_PROVIDER,
	CONFIG_SESSION_NONE
};

struct config_session {
	enum config_session_mode mode;
	bool rows;	/* sessions = yes: they stand in a table and can be ended */
	bool stateless; /* derived: mode "jwt" without them */
	int64_t lifetime_s, idle_s, touch_every_s;
	char *cookie; /* never NULL once loaded */
	char *cookie_domain, *same_site;
	bool partitioned;
	int max_per_user;
	char *keys_dir;
	int gate_cache_s;
};

enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };
enum config_log_level {
	CONFIG_LOG_ERROR,
	CONFIG_LOG_WARNING,
	CONFIG_LOG_INFO,
	CONFIG_LOG_DEBUG
};
enum config_log_target { CONFIG_LOG_STDERR, CONFIG_LOG_SYSLOG };

struct config_log {
	enum config_log_format format;
	enum config_log_level level;
	enum config_log_target target;
};

struct config {
	char *file;
	char *public_url;    /* without a slash at the end */
	char *public_origin; /* derived: scheme://host[:port], the default port left out */
	bool https;	     /* derived from public_url */
	char *state_dir;
	int threads;
	struct config_list allowed_origins;
	bool login_response_claims; /* login_response = "claims" */
	char *login_page;
	struct config_list token_places;
	size_t body_limit, token_limit;
	int rate_login; /* per address and minute; 0: no limit */
	struct config_list metrics_allow;
	int fetch_timeout_s, key_cooldown_s, keys_max_stale_s;
	char *ca_file;
	bool sandbox_off; /* sandbox = "off" */
	struct config_database database;
	struct config_provider *providers;
	size_t provider_count;
	struct config_accounts accounts;
	struct config_session session;
	struct config_log log;
};

#define CONFIG_ERROR_SIZE 512

/*
 * Reads FILE. NULL on the first error, and ERROR gets "FILE:LINE: what is wrong" for a
 * person. Refused as well: a file that others can write, or that holds a password and
 * others can read. The caller ends it with config_free.
 */
struct config *config_load(const char *file, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
void config_free(struct config *config);

/* The file to read when none is named: $PINTLE_CONFIG, else the built-in one. */
const char *config_default_file(void);

/*
 * Every option with its effective value and where it came from ("default", "preset cotter",
 * "FILE:12"); secrets are masked. For `pintlectl config`.
 */
bool config_each(const struct config *config,
		 bool (*each)(void *context, const char *option, const char *value,
			      const char *origin),
		 void *context);

#endif

#include "config_private.h"

#include <strings.h>

#include "query.h"

static struct config_block *block(struct config_state *s, enum config_section section)
{
	return &s->blocks[section];
}

/* ---- the top of the file */

static bool derive_url(struct config_state *s, struct config_url *url)
{
	const struct config_block *b = block(s, CONFIG_top);
	struct config *config = &s->config;
	size_t len;
	const char *why;

	if (!config->public_url)
		return config_refuse(s, b, OPTION_top_public_url, "is not set");
	if (!config_url_parse(s->arena, config->public_url, url, &why))
		return config_error(s, config_line(b, OPTION_top_public_url),
				    "public_url: \"%s\" has %s", config->public_url, why);
	config->https = strcmp(url->scheme, "https") == 0;
	if (!config->https && strcmp(url->scheme, "http") != 0)
		return config_refuse(s, b, OPTION_top_public_url,
				     "must begin with https:// or http://");
	if (url->has_query || url->has_fragment)
		return config_refuse(s, b, OPTION_top_public_url,
				     "must end with the path");
	config->public_origin = (char *)config_url_origin(s->arena, url);
	len = strlen(url->path);
	while (len && url->path[len - 1] == '/')
		len--;
	config->public_url = config_printf(s->arena, "%s%.*s", config->public_origin,
					   (int)len, url->path);
	return true;
}

/* It is sent to browsers as Location: nothing there may lead to another site. */
static bool check_login_page(struct config_state *s)
{
	const struct config_block *b = block(s, CONFIG_top);
	const char *page = s->config.login_page;
	struct config_url url;
	const char *why;

	if (!page)
		return true;
	if (page[0] == '/') {
		const char *full =
			config_printf(s->arena, "%s%s", s->config.public_origin, page);

		if (page[1] == '/' || !config_url_parse(s->arena, full, &url, &why))
			return config_refuse(s, b, OPTION_top_login_page,
					     "is no path of this site");
		return true;
	}
	if (!config_url_parse(s->arena, page, &url, &why) ||
	    strcmp(config_url_origin(s->arena, &url), s->config.public_origin) != 0)
		return config_refuse(
			s, b, OPTION_top_login_page,
			"must be a path, or a URL with the origin of public_url");
	return true;
}

static bool check_top(struct config_state *s, struct config_url *url)
{
	const struct config_block *b = block(s, CONFIG_top);

	if (!derive_url(s, url) || !check_login_page(s))
		return false;
	if (!s->config.token_places.count)
		return config_refuse(s, b, OPTION_top_token_places,
				     "is empty: no token would be found");
	if (s->config.token_limit > s->config.body_limit) {
		const enum config_option_id id = b->origin[OPTION_top_token_limit]
							 ? OPTION_top_token_limit
							 : OPTION_top_body_limit;

		return config_error(
			s, config_line(b, id),
			"token_limit (%s) is larger than "
			"body_limit (%s)",
			config_value_print(s->arena, b, OPTION_top_token_limit),
			config_value_print(s->arena, b, OPTION_top_body_limit));
	}
	return true;
}

/* ---- database */

static bool read_password(struct config_state *s, struct config_block *b)
{
	const int line = config_line(b, OPTION_database_password_file);
	struct config_database *database = &s->config.database;
	struct text file;

	if (!config_file_read(s, line, database->password_file, true, &file))
		return false;
	if (file.len && file.data[file.len - 1] == '\n')
		file.len--;
	if (file.len && file.data[file.len - 1] == '\r')
		file.len--;
	if (!file.len || memchr(file.data, '\0', file.len) ||
	    memchr(file.data, '\n', file.len))
		return config_error(s, line, "%s is not one line with a password",
				    database->password_file);
	database->password = (char *)arena_copy(s->arena, file).data;
	b->origin[OPTION_database_password] = line;
	return true;
}

/* What is not set is left to the my.cnf: an argument of ours would win over it. */
static void yield_to_defaults_file(struct config_state *s, const struct config_block *b)
{
	struct config_database *database = &s->config.database;

	if (!b->origin[OPTION_database_user])
		database->user = NULL;
	if (!b->origin[OPTION_database_port])
		database->port = 0;
	if (!b->origin[OPTION_database_hosts] && !b->origin[OPTION_database_socket])
		database->hosts.items[0] = config_copy(s->arena, "");
}

static bool check_database(struct config_state *s)
{
	struct config_block *b = block(s, CONFIG_database);
	const struct config_database *database = &s->config.database;
	const int password_line = config_line(b, OPTION_database_password);

	if (!database->hosts.count)
		return config_refuse(s, b, OPTION_database_hosts, "is empty");
	if (database->password && database->password_file)
		return config_refuse(s, b, OPTION_database_password_file,
				     "password is set as well: keep one of the two");
	if (database->password &&
	    !config_file_check(s, password_line, s->config.file, true))
		return false;
	if (database->defaults_file &&
	    !config_file_check(s, config_line(b, OPTION_database_defaults_file),
			       database->defaults_file, true))
		return false;
	if (database->defaults_file)
		yield_to_defaults_file(s, b);
	return !database->password_file || read_password(s, b);
}

/* ---- providers */

static bool check_providers(struct config_state *s)
{
	if (!s->config.provider_count)
		return config_error(s, 0, "no provider { } is set: nobody could sign in");
	for (size_t i = 0; i < s->config.provider_count; i++)
		if (!config_provider_check(s, &s->blocks[CONFIG_provider + i]))
			return false;
	return true;
}

/* ---- accounts */

static bool check_query(struct config_state *s, enum config_option_id id, const char *sql,
			enum query_kind kind)
{
	const struct config_block *b = block(s, CONFIG_accounts);
	struct query query;
	const char *why;

	if (!sql)
		return true;
	if (!query_parse(s->arena, sql, kind, &query, &why))
		return config_refuse(s, b, id, why);
	if (kind == QUERY_FINDS && !query_uses(&query, QUERY_EMAIL) &&
	    !query_uses(&query, QUERY_PHONE))
		return config_refuse(s, b, id, "it asks for neither :email nor :phone");
	if (id == OPTION_accounts_query_create && query_uses(&query, QUERY_USER_ID))
		return config_refuse(s, b, id,
				     "nobody has a :user_id before he is created");
	return true;
}

/* Who asks whose a sub is, in the table identities? */
static bool needs_identities(const struct config *config)
{
	for (size_t i = 0; i < config->provider_count; i++)
		if (config->providers[i].match == CONFIG_MATCH_SUBJECT)
			return true;
	return config->accounts.refuse_subject_change;
}

static bool check_accounts(struct config_state *s)
{
	const struct config_block *b = block(s, CONFIG_accounts);
	struct config_accounts *accounts = &s->config.accounts;

	if (!accounts->query_lookup) {
		const enum config_option_id id = accounts->query_create
							 ? OPTION_accounts_query_create
							 : OPTION_accounts_query_seen;

		if (accounts->query_create || accounts->query_seen)
			return config_refuse(s, b, id, "needs query_lookup beside it");
		if (accounts->accept_collation)
			return config_refuse(
				s, b, OPTION_accounts_accept_collation,
				"is for a users table of your own: query_lookup");
		return true;
	}
	if (!accounts->query_create && accounts->signup != CONFIG_SIGNUP_CLOSED)
		return config_refuse(
			s, b, OPTION_accounts_query_lookup,
			"needs query_create beside it, or signup = \"closed\"");
	accounts->forget_subjects =
		s->config.session.stateless && !needs_identities(&s->config);
	return check_query(s, OPTION_accounts_query_lookup, accounts->query_lookup,
			   QUERY_FINDS) &&
	       check_query(s, OPTION_accounts_query_create, accounts->query_create,
			   QUERY_CHANGES) &&
	       check_query(s, OPTION_accounts_query_seen, accounts->query_seen,
			   QUERY_CHANGES);
}

/* ---- session */

static bool starts_nocase(const char *name, const char *prefix)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/*
 * RFC 6265, 5.2.3 and 5.3: a browser drops a cookie for a domain that the host is not in.
 */
static bool check_cookie_domain(struct config_state *s, const struct config_url *url)
{
	const struct config_block *b = block(s, CONFIG_session);
	const char *domain = s->config.session.cookie_domain;
	const size_t len = strlen(domain), host_len = strlen(url->host);

	if (starts_nocase(s->config.session.cookie, "__Host-"))
		return config_error(
			s, config_line(b, OPTION_session_cookie_domain),
			"cookie_domain: browsers refuse it with the cookie name "
			"\"%s\": set cookie to a name without __Host-",
			s->config.session.cookie);
	if (host_len < len || strcmp(url->host + host_len - len, domain) != 0 ||
	    (host_len > len && url->host[host_len - len - 1] != '.'))
		return config_refuse(s, b, OPTION_session_cookie_domain,
				     "the host of public_url is not in it");
	return true;
}

static bool check_cookie(struct config_state *s, const struct config_url *url)
{
	const struct config_block *b = block(s, CONFIG_session);
	struct config_session *session = &s->config.session;

	if (!session->cookie)
		session->cookie = config_copy(s->arena, s->config.https ? "__Host-session"
									: "session");
	if (!s->config.https && !config_url_is_loopback(url) &&
	    (starts_nocase(session->cookie, "__Host-") ||
	     starts_nocase(session->cookie, "__Secure-")))
		return config_refuse(s, b, OPTION_session_cookie,
				     "browsers refuse __Host- and __Secure- when "
				     "public_url is http://");
	if (!s->config.https && strcmp(session->same_site, "None") == 0)
		return config_refuse(s, b, OPTION_session_same_site,
				     "None needs an https:// public_url");
	if (!s->config.https && session->partitioned)
		return config_refuse(s, b, OPTION_session_partitioned,
				     "needs an https:// public_url");
	return !session->cookie_domain || check_cookie_domain(s, url);
}

static bool check_session(struct config_state *s, const struct config_url *url)
{
	if (s->config.session.mode == CONFIG_SESSION_JWT && !s->config.session.keys_dir)
		return config_refuse(s, block(s, CONFIG_session), OPTION_session_mode,
				     "jwt needs keys_dir");
	if (!s->config.session.rows && s->config.session.mode != CONFIG_SESSION_JWT)
		return config_refuse(s, block(s, CONFIG_session), OPTION_session_sessions,
				     "no needs mode = \"jwt\"");
	if (!s->config.session.rows && s->config.session.max_per_user)
		return config_refuse(s, block(s, CONFIG_session),
				     OPTION_session_max_per_user, "needs sessions = yes");
	s->config.session.stateless = !s->config.session.rows;
	return check_cookie(s, url);
}

bool config_check(struct config_state *s)
{
	struct config_url url;

	return check_top(s, &url) && check_database(s) && check_providers(s) &&
	       check_session(s, &url) && check_accounts(s);
}

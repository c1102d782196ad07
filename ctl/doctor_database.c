/* The database: is it there, who are we in it, and what may we do? */
#include <stdio.h>
#include <stdlib.h>

#include "doctor.h"
#include "store_doctor.h"

#define CLOCK_OFF_S 30

/* ---- reachable? */

/* By the server's or the client library's error number. */
static const struct {
	unsigned error;
	enum doctor_grade grade;
	const char *code, *cure;
} errors[] = {
	{ 1044, DOCTOR_WRONG, "database_denied",
	  "as the database's root: GRANT SELECT, INSERT, UPDATE, DELETE ON NAME.* TO the "
	  "account" },
	{ 1045, DOCTOR_WRONG, "database_access",
	  "correct database.user and password_file, or make the account: CREATE USER; "
	  "with "
	  "unix_socket it is named like the account that Pintle runs as" },
	{ 1698, DOCTOR_WRONG, "database_access",
	  "run this as the account that database.user is named after (sudo -u), or give "
	  "the "
	  "database account a password" },
	{ 1049, DOCTOR_WRONG, "database_missing",
	  "CREATE DATABASE pintle CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, or correct "
	  "database.name" },
	{ 1040, DOCTOR_AWAY, "database_full",
	  "raise max_connections, or lower database.pool times the number of processes" },
	{ 1203, DOCTOR_AWAY, "database_full",
	  "raise max_user_connections of the account, or lower database.pool" },
	{ 1226, DOCTOR_AWAY, "database_full",
	  "raise MAX_USER_CONNECTIONS of the account, or lower database.pool" },
	{ 1820, DOCTOR_WRONG, "database_expired",
	  "the account's password has expired: ALTER USER with a new one" },
	{ 1862, DOCTOR_WRONG, "database_expired",
	  "the account's password has expired: ALTER USER with a new one" },
	{ 4151, DOCTOR_WRONG, "database_locked",
	  "unlock the account: ALTER USER ... ACCOUNT UNLOCK" },
	{ 3118, DOCTOR_WRONG, "database_locked",
	  "unlock the account: ALTER USER ... ACCOUNT UNLOCK" },
	{ 2002, DOCTOR_AWAY, "database_socket",
	  "start the database (systemctl start mariadb), or correct database.socket: "
	  "SHOW "
	  "VARIABLES LIKE 'socket' shows its place" },
	{ 2003, DOCTOR_AWAY, "database_refused",
	  "start the database, correct hosts and port, and let it listen there "
	  "(bind-address)" },
	{ 2005, DOCTOR_WRONG, "database_host",
	  "correct database.hosts: that name is unknown" },
	{ 2026, DOCTOR_WRONG, "database_tls",
	  "give the server a certificate, and set ca_file to its CA; the name in hosts "
	  "must be "
	  "that in the certificate" },
};

static void note_error(struct doctor *d, const struct problem *p)
{
	const struct config_database *db = &d->config->database;
	const char *host = db->hosts.items[0];
	const bool local = strcmp(host, "localhost") == 0 || !*host;
	const char *where = local && db->socket ? db->socket : host;
	unsigned error = store_error_number(p);

	/* MariaDB's library says the same of a socket and of a port. */
	if (error == 2002 && !local)
		error = 2003;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].error == error) {
			doctor_note(d, errors[i].grade, errors[i].code, errors[i].cure,
				    "database %s on %s, as %s: %s", db->name, where,
				    db->user ? db->user : "defaults_file says",
				    p->detail);
			return;
		}
	doctor_note(d, DOCTOR_AWAY, "database_away",
		    "look the number up in the server's manual, and into its log",
		    "database %s on %s: %s", db->name, where, p->detail);
}

/* ---- what it is */

static void check_version(struct doctor *d, const char *version)
{
	const bool maria = strstr(version, "MariaDB") != NULL;
	unsigned major = 0, minor = 0;

	sscanf(version, "%u.%u", &major, &minor);
	if (maria ? major < 10 || (major == 10 && minor < 6) : major < 8)
		doctor_note(d, DOCTOR_RISK, "database_old",
			    "upgrade to MariaDB 10.6 or MySQL 8.0, or newer",
			    "the server is %s, older than what Pintle is made for",
			    version);
}

static void check_clock(struct doctor *d, const char *value)
{
	const long long off = strtoll(value, NULL, 10) - (long long)d->context->now;

	if (llabs(off) > CLOCK_OFF_S)
		doctor_note(d, DOCTOR_RISK, "database_clock",
			    "set both clocks by NTP: apt-get install chrony",
			    "the database server's clock is %lld s %s this one",
			    llabs(off), off < 0 ? "behind" : "ahead of");
}

/* The session's are set at each connection: another value means somebody in between. */
static void check_session(struct doctor *d, const char *name, const char *value)
{
	static const struct {
		const char *name, *wanted;
	} set[] = {
		{ "sql_mode", "STRICT_ALL_TABLES" },
		{ "time_zone", "+00:00" },
		{ "character_set_client", "utf8mb4" },
	};

	for (size_t i = 0; i < sizeof(set) / sizeof(*set); i++)
		if (strcmp(name, set[i].name) == 0 && !strstr(value, set[i].wanted))
			doctor_note(
				d, DOCTOR_WRONG, "database_session",
				"take a proxy that shares sessions out of the way, and "
				"skip-character-set-client-handshake out of the server's "
				"my.cnf",
				"the session's %s is %s, though Pintle sets it to %s",
				name, value, set[i].wanted);
}

static void check_server(struct doctor *d, const char *name, const char *value)
{
	if (strcmp(name, "read_only") == 0 && strcmp(value, "0") != 0 &&
	    strcmp(value, "OFF") != 0)
		doctor_note(d, DOCTOR_WRONG, "database_read_only",
			    "list the primary in database.hosts, or SET GLOBAL read_only "
			    "= 0 if "
			    "this is it",
			    "the server is read-only: a replica, or one that was failed "
			    "over from");
	else if (strcmp(name, "innodb_flush_log_at_trx_commit") == 0 &&
		 strcmp(value, "1") != 0)
		doctor_note(d, DOCTOR_RISK, "database_not_durable",
			    "innodb_flush_log_at_trx_commit = 1 in the server's my.cnf; "
			    "not needed "
			    "in a cluster",
			    "a power cut takes away logins that were answered: "
			    "innodb_flush_log_at_trx_commit is %s",
			    value);
	else if (strcmp(name, "max_connections") == 0 &&
		 strtol(value, NULL, 10) <= d->config->database.pool)
		doctor_note(
			d, DOCTOR_RISK, "database_connections",
			"raise max_connections in the server's my.cnf, or lower "
			"database.pool",
			"max_connections is %s, and one process of Pintle takes up to %d",
			value, d->config->database.pool);
	else if (strcmp(name, "collation_database") == 0 &&
		 strncmp(value, "utf8mb4", 7) != 0)
		doctor_note(
			d, DOCTOR_RISK, "database_charset",
			"ALTER DATABASE ... CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
			"the database's default is %s: tables of your own made here will "
			"not "
			"hold every name",
			value);
}

static void check_variable(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct doctor *d = context;
	const char *name = values[0], *value = values[1];

	if (strcmp(name, "version") == 0)
		check_version(d, value);
	else if (strcmp(name, "seconds") == 0)
		check_clock(d, value);
	check_session(d, name, value);
	check_server(d, name, value);
}

/* ---- rights: too many */

struct rights {
	struct doctor *d;
	const char *needed; /* "db.": the place of what is ours */
	struct buffer *excess;
};

/* What is left after `pintlectl db migrate` is these four, in our own database. */
static bool is_needed(const char *privilege)
{
	static const char *const needed[] = { "SELECT", "INSERT", "UPDATE", "DELETE",
					      "USAGE" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (strcmp(privilege, needed[i]) == 0)
			return true;
	return false;
}

static void note_excess(struct doctor *d, const char *place, const char *privilege,
			bool grants)
{
	const char *ours = d->config->database.name;
	const size_t len = strlen(ours);
	const bool global = strcmp(place, "*.*") == 0;
	const bool here = strncmp(place, ours, len) == 0 && place[len] == '.';

	if (strcmp(privilege, "USAGE") == 0)
		return;
	if (global)
		doctor_note(d, DOCTOR_RISK, "rights_global",
			    DOCTOR_TEXT(d,
					"REVOKE %s ON *.* FROM the account; GRANT "
					"SELECT, INSERT, "
					"UPDATE, DELETE ON %s.* TO it",
					privilege, ours),
			    "the account has %s on all databases", privilege);
	else if (!here)
		doctor_note(d, DOCTOR_RISK, "rights_elsewhere",
			    DOCTOR_TEXT(d, "REVOKE %s ON %s FROM the account", privilege,
					place),
			    "the account has %s on %s, which is not Pintle's", privilege,
			    place);
	else if (!is_needed(privilege))
		doctor_note(
			d, DOCTOR_RISK, "rights_schema",
			DOCTOR_TEXT(d,
				    "after db migrate: REVOKE %s ON %s FROM the account",
				    privilege, place),
			"the account has %s on %s, which only db migrate needs",
			privilege, place);
	else if (grants)
		doctor_note(d, DOCTOR_RISK, "rights_grant",
			    DOCTOR_TEXT(d, "REVOKE GRANT OPTION ON %s FROM the account",
					place),
			    "the account may give its %s on %s to others", privilege,
			    place);
}

struct privilege_state {
	struct doctor *d;
	size_t seen; /* of one place, so that ALL PRIVILEGES is one finding, not forty */
	char place[256];
	bool global;
};

static void check_privilege(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct privilege_state *s = context;
	const size_t before = s->d->count;

	if (s->seen && strcmp(s->place, values[0]) == 0)
		return;
	note_excess(s->d, values[0], values[1], strcmp(values[2], "YES") == 0);
	if (s->d->count == before)
		return;
	s->seen++;
	snprintf(s->place, sizeof(s->place), "%s", values[0]);
}

/* ---- rights: too few */

static const char *word_after(struct doctor *d, const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	at = at ? at + strlen(mark) : "";
	return DOCTOR_TEXT(d, "%.*s", (int)strcspn(at, " ("), at);
}

static void check_statement(void *context, const char *text, unsigned error)
{
	struct doctor *d = context;
	const char *verb = DOCTOR_TEXT(d, "%.*s", (int)strcspn(text, " "), text);
	const char *table = strncmp(text, "INSERT", 6) == 0 ? word_after(d, text, "INTO ")
			    : strncmp(text, "UPDATE", 6) == 0
				    ? word_after(d, text, "UPDATE ")
				    : word_after(d, text, "FROM ");
	const char *code = DOCTOR_TEXT(d, "rights_missing");

	/* 1142 and 1143: a right on a table, on a column. Others are the schema's affair. */
	if ((error != 1142 && error != 1143) ||
	    !store_needs_table(d->context->app->store, table))
		return;
	for (const struct doctor_finding *f = d->first; f; f = f->next)
		if (strcmp(f->code, code) == 0 &&
		    strcmp(f->cure,
			   DOCTOR_TEXT(d,
				       "as the database's root: GRANT %s ON %s.%s TO the "
				       "account",
				       verb, d->config->database.name, table)) == 0)
			return;
	doctor_note(
		d, DOCTOR_WRONG, code,
		DOCTOR_TEXT(d, "as the database's root: GRANT %s ON %s.%s TO the account",
			    verb, d->config->database.name, table),
		"the account has no right to %s on %s", verb, table);
}

/* ---- several hosts */

struct host {
	const char *name;
	bool read_only, shares; /* its writes, with a cluster */
	char server[512];	/* the same for two names of one */
};

static void note_host(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct host *host = context;
	const char *name = values[0], *value = values[1];
	const size_t len = strlen(host->server);

	if (strcmp(name, "read_only") == 0)
		host->read_only = strcmp(value, "OFF") != 0;
	else if (strcmp(name, "wsrep_on") == 0)
		host->shares = host->shares || strcmp(value, "ON") == 0;
	else if (strcmp(name, "group_replication_group_name") == 0)
		host->shares = host->shares || *value;
	else
		snprintf(host->server + len, sizeof(host->server) - len, "%s ", value);
}

static bool ask_host(struct doctor *d, struct host *host)
{
	char *hosts[] = { (char *)(uintptr_t)host->name, NULL };
	struct config config = *d->config;
	struct problem p = { 0 };
	struct store *store;
	bool good;

	config.database.hosts = (struct config_list){ hosts, 1 };
	store = store_new(&config);
	good = store_ask(store, STORE_ASK_HOST, note_host, host, &p);
	store_free(store);
	if (!good)
		doctor_note(
			d, DOCTOR_RISK, "database_host_away",
			"start it, or take it out of database.hosts: whoever connects "
			"tries it when its turn comes",
			"of several hosts %s is of no use: %s", host->name, p.detail);
	return good;
}

/* Two that take writes and know nothing of each other: no login can tell, so it is told here. */
static void check_hosts(struct doctor *d)
{
	const struct config_list *hosts = &d->config->database.hosts;
	struct host first = { 0 };

	for (size_t i = 0; hosts->count > 1 && i < hosts->count; i++) {
		struct host host = { .name = hosts->items[i] };

		if (!ask_host(d, &host) || host.read_only || host.shares)
			continue;
		if (!first.name)
			first = host;
		else if (strcmp(first.server, host.server) != 0)
			doctor_note(
				d, DOCTOR_WRONG, "database_two_sources",
				"SET GLOBAL read_only = 1 on the one that is to be the "
				"replica, and in its my.cnf; then make it anew from the "
				"other",
				"%s and %s both take writes, and are no cluster: whoever "
				"signs in at one is unknown at the other",
				first.name, host.name);
	}
}

void doctor_database(struct doctor *d)
{
	struct store *store = d->context->app->store;
	struct privilege_state privileges = { .d = d };
	struct problem p = { 0 };

	if (!store_ask(store, STORE_ASK_VARIABLES, check_variable, d, &p) ||
	    !store_ask(store, STORE_ASK_PRIVILEGES, check_privilege, &privileges, &p) ||
	    !store_try_statements(store, check_statement, d, &p)) {
		note_error(d, &p);
		return;
	}
	check_hosts(d);
	if (d->config->accounts.query_lookup && !store_check(store, &p))
		doctor_note(d, DOCTOR_WRONG, "own_queries",
			    "correct the query, the table or the account's rights on it: "
			    "pintle.conf(5), query_lookup, says what is expected",
			    "your own users table: %s", p.detail);
}

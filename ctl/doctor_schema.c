/* The tables: the right version, keys that compare byte for byte and are unique, an engine
 * with transactions. No collation may decide who somebody is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "doctor.h"
#include "store_doctor.h"

/* What says who somebody is, and must be UNIQUE by itself. */
static const struct key {
	const char *table, *columns; /* separated by commas, as the index has them */
} keys[] = {
	{ "users", "email" },
	{ "users", "phone" },
	{ "identities", "provider,subject" },
	{ "own_identities", "provider,subject" },
	{ "sessions", "token_hash" },
	{ "invites", "email" },
	{ "used_tokens", "token_hash" },
};

/* Columns of those keys: at least so many bytes, and of a binary type. */
static const struct column {
	const char *table, *name, *type;
	long bytes;
} columns[] = {
	{ "users", "email", "VARBINARY(254) NULL", 254 },
	{ "users", "phone", "VARBINARY(16) NULL", 16 },
	{ "identities", "provider", "VARBINARY(32) NOT NULL", 32 },
	{ "identities", "subject", "VARBINARY(255) NOT NULL", 255 },
	{ "own_identities", "subject", "VARBINARY(255) NOT NULL", 255 },
	{ "sessions", "token_hash", "BINARY(32) NOT NULL", 32 },
	{ "invites", "email", "VARBINARY(254) NOT NULL", 254 },
	{ "used_tokens", "token_hash", "BINARY(32) NOT NULL", 32 },
};

static const char *const tables[] = { "users",	       "identities", "own_identities",
				      "sessions",      "invites",    "used_tokens",
				      "schema_version" };

#define KEYS (sizeof(keys) / sizeof(*keys))
#define COLUMNS (sizeof(columns) / sizeof(*columns))
#define TABLES (sizeof(tables) / sizeof(*tables))

struct found {
	struct doctor *d;
	bool tables[TABLES], columns[COLUMNS], keys[KEYS], prefixes[KEYS];
	const char *types[COLUMNS];
	long bytes[COLUMNS];
};

static void note_table(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct found *f = context;

	for (size_t i = 0; i < TABLES; i++) {
		if (strcmp(values[0], tables[i]) != 0)
			continue;
		f->tables[i] = true;
		if (strcmp(values[1], "InnoDB") != 0)
			doctor_note(f->d, DOCTOR_WRONG, "table_engine",
				    DOCTOR_TEXT(f->d, "ALTER TABLE %s ENGINE = InnoDB",
						tables[i]),
				    "table %s is kept by %s, which has no transactions: "
				    "a login that "
				    "broke off stays half done",
				    tables[i], values[1]);
	}
}

static void note_column(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct found *f = context;

	for (size_t i = 0; i < COLUMNS; i++)
		if (strcmp(values[0], columns[i].table) == 0 &&
		    strcmp(values[1], columns[i].name) == 0) {
			f->columns[i] = true;
			f->types[i] = DOCTOR_TEXT(f->d, "%s%s%s", values[2],
						  *values[4] ? " " : "", values[4]);
			f->bytes[i] = strtol(values[3], NULL, 10);
		}
}

static void note_key(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct found *f = context;

	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(values[0], keys[i].table) == 0 &&
		    strcmp(values[3], keys[i].columns) == 0 &&
		    strcmp(values[2], "0") == 0) {
			f->keys[i] = f->keys[i] || strcmp(values[4], "0") == 0;
			f->prefixes[i] = strcmp(values[4], "0") != 0;
		}
}

static bool is_used(const struct doctor *d, const char *table)
{
	return store_needs_table(d->context->app->store, table);
}

static bool is_binary(const char *type)
{
	return strcmp(type, "varbinary") == 0 || strcmp(type, "binary") == 0 ||
	       strstr(type, "_nopad_bin") || strstr(type, "utf8mb4_0900_bin");
}

static void check_columns(struct found *f)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		const char *cure = DOCTOR_TEXT(f->d, "ALTER TABLE %s MODIFY %s %s",
					       c->table, c->name, c->type);

		if (!is_used(f->d, c->table))
			continue;
		if (!f->columns[i])
			doctor_note(f->d, DOCTOR_WRONG, "column_missing",
				    "restore the table, or start with an empty database: "
				    "pintlectl "
				    "db migrate",
				    "there is no column %s.%s", c->table, c->name);
		else if (!is_binary(f->types[i]))
			doctor_note(f->d, DOCTOR_WRONG, "column_collation", cure,
				    "%s.%s is %s: a collation decides who is the same "
				    "person, and "
				    "may take two for one",
				    c->table, c->name, f->types[i]);
		else if (f->bytes[i] < c->bytes)
			doctor_note(f->d, DOCTOR_WRONG, "column_short", cure,
				    "%s.%s holds %ld bytes, and %ld are needed", c->table,
				    c->name, f->bytes[i], c->bytes);
	}
}

static void check_keys(struct found *f)
{
	for (size_t i = 0; i < KEYS; i++) {
		const char *cure = DOCTOR_TEXT(f->d,
					       "remove what is there twice, then: ALTER "
					       "TABLE %s ADD UNIQUE (%s)",
					       keys[i].table, keys[i].columns);

		if (f->keys[i] || !is_used(f->d, keys[i].table))
			continue;
		if (f->prefixes[i])
			doctor_note(f->d, DOCTOR_WRONG, "key_prefix", cure,
				    "the unique key of %s (%s) looks at their beginnings "
				    "alone",
				    keys[i].table, keys[i].columns);
		else
			doctor_note(f->d, DOCTOR_WRONG, "key_missing", cure,
				    "%s (%s) has no unique key: one person can become "
				    "two users",
				    keys[i].table, keys[i].columns);
	}
}

static void check_people(void *context, const char *const values[STORE_ANSWER_COLUMNS])
{
	struct doctor *d = context;
	const enum config_signup signup = d->config->accounts.signup;
	const bool empty = strcmp(values[0], "0") == 0;

	if (signup == CONFIG_SIGNUP_CLOSED && empty)
		doctor_note(d, DOCTOR_WRONG, "signup_closed_empty",
			    "pintlectl user create EMAIL, or accounts.signup = \"open\"",
			    "sign-up is closed, and there is no user: nobody can get in");
	if (signup == CONFIG_SIGNUP_INVITED && empty && strcmp(values[1], "0") == 0)
		doctor_note(
			d, DOCTOR_WRONG, "signup_invited_empty",
			"pintlectl invite add EMAIL",
			"sign-up is by invitation, and there is neither a user nor an "
			"invitation");
	if (strcmp(values[2], "1") == 0)
		doctor_note(
			d, DOCTOR_WRONG, "users_upper_case",
			"UPDATE users SET email = CAST(LOWER(CONVERT(email USING "
			"latin1)) AS "
			"BINARY), after looking for those that would then be the same",
			"there are users whose email has capital letters: their logins "
			"find "
			"nobody, and make a second user");
}

static bool check_version(struct doctor *d)
{
	struct problem p = { 0 };
	int version;

	if (!store_schema_version(d->context->app->store, &version, &p))
		return false; /* the check before has said why */
	if (version == 0)
		doctor_note(d, DOCTOR_WRONG, "schema_missing",
			    "pintlectl db migrate, with an account that may CREATE",
			    "the database is empty");
	else if (version < STORE_SCHEMA_VERSION)
		doctor_note(
			d, DOCTOR_WRONG, "schema_old",
			"pintlectl db migrate, with an account that may CREATE and ALTER",
			"the tables are of version %d, and %d is needed", version,
			STORE_SCHEMA_VERSION);
	else if (version > STORE_SCHEMA_VERSION)
		doctor_note(
			d, DOCTOR_WRONG, "schema_new",
			"install the Pintle that migrated this database, or a newer one",
			"the tables are of version %d, made by a newer Pintle than this, "
			"which "
			"knows %d",
			version, STORE_SCHEMA_VERSION);
	return version != 0;
}

void doctor_schema(struct doctor *d)
{
	struct store *store = d->context->app->store;
	struct found f = { .d = d };
	struct problem p = { 0 };
	bool whole = true;

	if (!is_used(d, "schema_version") || !check_version(d) ||
	    !store_ask(store, STORE_ASK_TABLES, note_table, &f, &p) ||
	    !store_ask(store, STORE_ASK_COLUMNS, note_column, &f, &p) ||
	    !store_ask(store, STORE_ASK_KEYS, note_key, &f, &p))
		return;
	for (size_t i = 0; i < TABLES; i++) {
		if (f.tables[i] || !is_used(d, tables[i]))
			continue;
		whole = false;
		doctor_note(
			d, DOCTOR_WRONG, "table_missing",
			DOCTOR_TEXT(
				d,
				"GRANT the account its rights on it, or restore it from "
				"a "
				"backup; for a new one: DELETE FROM schema_version, then "
				"pintlectl db migrate"),
			"there is no table %s, or the account cannot see it", tables[i]);
	}
	if (!whole)
		return;
	check_columns(&f);
	check_keys(&f);
	/* With a users table that is not ours, its rows are nobody's affair here. */
	if (is_used(d, "users") &&
	    !store_ask(store, STORE_ASK_PEOPLE, check_people, d, &p))
		return;
}

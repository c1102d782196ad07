#include "store_mysql.h"

bool store_read_version(struct db_link *link, int *version, struct problem *p)
{
	int64_t found = 0;
	const struct db_column out[] = { DB_NUMBER_COLUMN(found) };
	struct db_call call = { .id = SQL_SCHEMA_VERSION,
				.columns = out,
				.column_count = COUNT(out) };

	if (db_run(link, &call, p) == STORE_FAILED) {
		if (db_fault(link) != DB_NO_TABLE)
			return false;
		problem_clear(p);
	}
	*version = (int)found;
	return true;
}

bool store_schema_version(struct store *store, int *version, struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	bool good;

	if (!link)
		return false;
	good = store_read_version(link, version, p);
	if (!good && db_fault(link) == DB_LOST) {
		problem_clear(p);
		good = db_open(store->db, link, p) &&
		       store_read_version(link, version, p);
	}
	db_give_back(store->db, link);
	return good;
}

static bool ping(struct store *store, struct db_link *link, struct problem *p)
{
	int version = STORE_SCHEMA_VERSION;

	if (!store_needs_tables(store)) {
		char server[128];
		const struct db_column out[] = { DB_TEXT_COLUMN(server) };
		struct db_call call = { .id = SQL_SERVER_VERSION,
					.columns = out,
					.column_count = COUNT(out) };

		return db_run(link, &call, p) != STORE_FAILED &&
		       store_look(store, link, p);
	}
	if (!store_read_version(link, &version, p))
		return false;
	if (version != STORE_SCHEMA_VERSION)
		return problem(p, DATABASE_AWAY, "schema version is %d, needed is %d",
			       version, STORE_SCHEMA_VERSION);
	return store_look(store, link, p);
}

bool store_ping(struct store *store, struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	bool good;

	if (!link)
		return false;
	good = ping(store, link, p);
	if (!good && db_fault(link) == DB_LOST) {
		problem_clear(p);
		good = db_open(store->db, link, p) && ping(store, link, p);
	}
	db_give_back(store->db, link);
	return good;
}

/* A paragraph that begins so makes no sense beside a users table that is not ours. */
#define OURS_ALONE "-- With our own users table alone."

/* Statement by statement: a ";" at the end of a line ends one. "--" lines are comments. */
static bool run_paragraph(struct db_link *link, struct text rest, struct problem *p)
{
	while (rest.len) {
		struct text line, statement = rest, after;
		const char *end = memmem(rest.data, rest.len, ";\n", 2);
		const size_t len = end ? (size_t)(end - rest.data) : rest.len;

		statement.len = len;
		for (;;) {
			line = text_before(statement, '\n', &after);
			if (line.len && !text_starts(line, "--"))
				break;
			if (!after.len) {
				statement.len = 0;
				break;
			}
			statement = after;
		}
		if (statement.len && !db_run_text(link, statement, p))
			return false;
		rest.data += len + (end ? 2 : 0);
		rest.len -= len + (end ? 2 : 0);
	}
	return true;
}

static bool run_script(const struct store *store, struct db_link *link, const char *sql,
		       struct problem *p)
{
	while (*sql) {
		const char *end = strstr(sql, "\n\n");
		const struct text paragraph = { sql, end ? (size_t)(end - sql) + 1
							 : strlen(sql) };

		if (!(store->own && text_starts(paragraph, OURS_ALONE)) &&
		    !run_paragraph(link, paragraph, p))
			return false;
		sql += paragraph.len;
		sql += strspn(sql, "\n");
	}
	return true;
}

static bool apply(const struct store *store, struct db_link *link,
		  const struct store_migration *m, int64_t now, struct problem *p)
{
	struct db_value in[] = { { .type = DB_NUMBER, .number = (uint64_t)m->version },
				 { .type = DB_TIME } };
	struct db_call call = { .id = SQL_SCHEMA_APPLIED,
				.values = in,
				.value_count = COUNT(in) };

	text_print_time(now, ' ', in[1].time);
	/* DDL commits by itself; each statement can be repeated, so a broken run is too. */
	if (!run_script(store, link, m->sql, p))
		return false;
	return db_run(link, &call, p) != STORE_FAILED;
}

/*
 * The tables were made for a users table that is not ours, and now ours is wanted. *VERSION
 * is then 0: all is done again, which adds what is missing.
 */
static bool find_gap(const struct store *store, struct db_link *link, int *version,
		     struct problem *p)
{
	static const char *const email[2] = { "email", NULL };
	char inexact[65];
	bool there;

	if (store->own || !*version)
		return true;
	if (!store_check_key(link, NULL, "users", email, &there, inexact, p))
		return false;
	if (!there)
		*version = 0;
	return true;
}

/*
 * Two who migrate at once: to add a column cannot be done twice. A Galera cluster refuses
 * such locks, and one statement at a time changes its tables anyway.
 */
static void lock(struct db_link *link)
{
	struct problem ignored = { 0 };

	if (!db_run_text(
		    link,
		    AS_TEXT("DO GET_LOCK(LEFT(CONCAT('pintle.', DATABASE()), 64), 60)"),
		    &ignored))
		problem_clear(&ignored);
}

static void unlock(struct db_link *link)
{
	struct problem ignored = { 0 };

	if (db_fault(link) != DB_LOST &&
	    !db_run_text(
		    link,
		    AS_TEXT("DO RELEASE_LOCK(LEFT(CONCAT('pintle.', DATABASE()), 64))"),
		    &ignored))
		problem_clear(&ignored);
}

bool store_migrate(struct store *store, const struct store_migration *migrations,
		   size_t count, int64_t now,
		   void (*done)(const struct store_migration *), struct problem *p)
{
	static const char table[] =
		"CREATE TABLE IF NOT EXISTS schema_version ("
		"version INT UNSIGNED NOT NULL PRIMARY KEY, applied_at DATETIME NOT "
		"NULL) "
		"ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	int version = 0;
	bool good;

	if (!link)
		return false;
	lock(link);
	good = db_run_text(link, text_of(table), p) &&
	       store_read_version(link, &version, p) &&
	       find_gap(store, link, &version, p);
	for (size_t i = 0; good && i < count; i++) {
		if (migrations[i].version <= version)
			continue;
		good = apply(store, link, &migrations[i], now, p);
		if (good)
			done(&migrations[i]);
	}
	unlock(link);
	db_give_back(store->db, link);
	return good;
}

bool store_describe(struct store *store, char *out, size_t size, struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);

	if (!link)
		return false;
	db_describe(link, out, size);
	db_give_back(store->db, link);
	return true;
}

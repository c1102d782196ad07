#include "store_mysql.h"

/* *VERSION is 0 when there is no schema at all. */
static bool read_version(struct db_link *link, int *version, struct problem *p)
{
	int64_t found = 0;
	const struct db_column out[] = { DB_NUMBER_COLUMN(found) };
	struct db_call call = { .id = SQL_SCHEMA_VERSION, .columns = out,
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
	struct db_link *link = db_take(store->db, p);
	bool good;

	if (!link)
		return false;
	good = read_version(link, version, p);
	if (!good && db_fault(link) == DB_LOST) {
		problem_clear(p);
		good = db_open(store->db, link, p) && read_version(link, version, p);
	}
	db_give_back(store->db, link);
	return good;
}

bool store_ping(struct store *store, struct problem *p)
{
	int version;

	if (!store_schema_version(store, &version, p))
		return false;
	return version == STORE_SCHEMA_VERSION ||
	       problem(p, DATABASE_AWAY, "schema version is %d, needed is %d", version,
		       STORE_SCHEMA_VERSION);
}

/* Statement by statement: a ";" at the end of a line ends one. "--" lines are comments. */
static bool run_script(struct db_link *link, const char *sql, struct problem *p)
{
	while (*sql) {
		const char *end = strstr(sql, ";\n");
		const size_t len = end ? (size_t)(end - sql) : strlen(sql);
		const struct text rest = { sql, len };
		struct text line, statement = rest, after;

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
		sql += len + (end ? 2 : 0);
	}
	return true;
}

static bool apply(struct db_link *link, const struct store_migration *m, int64_t now,
		  struct problem *p)
{
	struct db_value in[] = { { .type = DB_NUMBER, .number = (uint64_t)m->version },
				 { .type = DB_TIME } };
	struct db_call call = { .id = SQL_SCHEMA_APPLIED, .values = in,
				.value_count = COUNT(in) };

	text_print_time(now, ' ', in[1].time);
	/* DDL commits by itself; each statement can be repeated, so a broken run is too. */
	if (!run_script(link, m->sql, p))
		return false;
	return db_run(link, &call, p) != STORE_FAILED;
}

bool store_migrate(struct store *store, const struct store_migration *migrations,
		   size_t count, int64_t now, void (*done)(const struct store_migration *),
		   struct problem *p)
{
	static const char table[] =
		"CREATE TABLE IF NOT EXISTS schema_version ("
		"version INT UNSIGNED NOT NULL PRIMARY KEY, applied_at DATETIME NOT NULL) "
		"ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
	struct db_link *link = db_take(store->db, p);
	int version = 0;
	bool good;

	if (!link)
		return false;
	good = db_run_text(link, text_of(table), p) && read_version(link, &version, p);
	for (size_t i = 0; good && i < count; i++) {
		if (migrations[i].version <= version)
			continue;
		good = apply(link, &migrations[i], now, p);
		if (good)
			done(&migrations[i]);
	}
	db_give_back(store->db, link);
	return good;
}

bool store_describe(struct store *store, char *out, size_t size, struct problem *p)
{
	struct db_link *link = db_take(store->db, p);

	if (!link)
		return false;
	db_describe(link, out, size);
	db_give_back(store->db, link);
	return true;
}

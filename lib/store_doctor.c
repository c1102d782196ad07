#include "store_doctor.h"

#include <stdlib.h>

#include "store_mysql.h"

#define VALUE_SIZE 1024

static const struct {
	enum sql_statement id;
	size_t columns;
} questions[STORE_QUESTIONS] = {
	[STORE_ASK_VARIABLES] = { SQL_DOCTOR_VARIABLES, 2 },
	[STORE_ASK_HOST] = { SQL_DOCTOR_HOST, 2 },
	[STORE_ASK_PRIVILEGES] = { SQL_DOCTOR_PRIVILEGES, 3 },
	[STORE_ASK_TABLES] = { SQL_DOCTOR_TABLES, 3 },
	[STORE_ASK_COLUMNS] = { SQL_DOCTOR_COLUMNS, 5 },
	[STORE_ASK_KEYS] = { SQL_DOCTOR_KEYS, 5 },
	[STORE_ASK_PEOPLE] = { SQL_DOCTOR_PEOPLE, 3 },
};

struct answer {
	char values[STORE_ANSWER_COLUMNS][VALUE_SIZE];
	void (*each)(void *context, const char *const values[STORE_ANSWER_COLUMNS]);
	void *context;
};

static void pass_on(void *context)
{
	const struct answer *answer = context;
	const char *values[STORE_ANSWER_COLUMNS];

	for (size_t i = 0; i < STORE_ANSWER_COLUMNS; i++)
		values[i] = answer->values[i];
	answer->each(answer->context, values);
}

bool store_ask(struct store *store, enum store_question question,
	       void (*each)(void *context,
			    const char *const values[STORE_ANSWER_COLUMNS]),
	       void *context, struct problem *p)
{
	struct answer answer = { .each = each, .context = context };
	struct db_column columns[STORE_ANSWER_COLUMNS];
	struct db_call call = { .id = questions[question].id,
				.columns = columns,
				.column_count = questions[question].columns,
				.each = pass_on,
				.context = &answer };

	/* By itself: the store's own way would first refuse what is to be found here. */
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);
	bool good;

	if (!link)
		return false;
	for (size_t i = 0; i < STORE_ANSWER_COLUMNS; i++)
		columns[i] = (struct db_column)DB_TEXT_COLUMN(answer.values[i]);
	good = db_run(link, &call, p) != STORE_FAILED;
	db_give_back(store->db, link);
	return good;
}

bool store_needs_table(const struct store *store, const char *table)
{
	static const struct {
		const char *table;
		enum store_use use;
	} uses[] = {
		{ "users", STORE_USERS },
		{ "identities", STORE_IDENTITIES },
		{ "own_identities", STORE_OWN_IDENTITIES },
		{ "sessions", STORE_SESSIONS },
		{ "invites", STORE_INVITES },
		{ "used_tokens", STORE_TOKENS },
	};

	for (size_t i = 0; i < COUNT(uses); i++)
		if (strcmp(uses[i].table, table) == 0)
			return store_uses(store, uses[i].use);
	return strcmp(table, "schema_version") == 0 && store_needs_tables(store);
}

bool store_try_statements(struct store *store,
			  void (*each)(void *context, const char *text, unsigned error),
			  void *context, struct problem *p)
{
	struct db_link *link = db_take(store->db, DB_STATEMENTS, p);

	if (!link)
		return false;
	for (int id = 0; id < SQL_STATEMENTS; id++) {
		struct problem why = { 0 };
		size_t fields;

		if (!db_open(store->db, link, p)) {
			db_give_back(store->db, link);
			return false;
		}
		if (!db_prepare(link, id, NULL, 0, &fields, &why))
			each(context, db_statement_text(id), store_error_number(&why));
	}
	db_give_back(store->db, link);
	return true;
}

unsigned store_error_number(const struct problem *p)
{
	const char *at = strstr(p->detail, "error ");

	return at ? (unsigned)strtoul(at + 6, NULL, 10) : 0;
}

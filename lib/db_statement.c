#include "db_private.h"

#include <stdio.h>
#include <stdlib.h>

static const struct db_text statements[SQL_STATEMENTS] = {
#define SQL(name, text) [SQL_##name] = { #name, text },
#include "sql.def"
#undef SQL
};

static struct db_text text_of_statement(const struct db_link *link, enum sql_statement id)
{
	return id < SQL_STATEMENTS ? statements[id] : link->db->own[id - SQL_STATEMENTS];
}

const char *db_statement_text(enum sql_statement id)
{
	return statements[id].text;
}

/* ---- preparing */

/*
 * Of a statement of the administrator's the server's own words are told: nothing is bound to
 * it yet, so that they hold no data of a person, and whoever wrote it needs them.
 */
static bool complain(struct db_link *link, MYSQL_STMT *statement, const char *name,
		     struct problem *p)
{
	const unsigned error = mysql_stmt_errno(statement);
	char words[160];

	snprintf(words, sizeof(words), "%s", mysql_stmt_error(statement));
	for (char *c = words; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	db_fail(link, error, name, p);
	/* A lost connection says nothing about the statement; all else is its fault. */
	if (link->fault != DB_OTHER && link->fault != DB_NO_TABLE)
		return false;
	problem_clear(p);
	return problem(p, INTERNAL, "%s: error %u: %s", name, error, words);
}

static MYSQL_STMT *prepare(struct db_link *link, enum sql_statement id, struct problem *p)
{
	const struct db_text s = text_of_statement(link, id);
	MYSQL_STMT *statement = link->prepared[id];

	if (statement)
		return statement;
	statement = mysql_stmt_init(link->mysql);
	if (!statement)
		abort(); /* out of memory */
	if (mysql_stmt_prepare(statement, s.text, strlen(s.text))) {
		if (id >= SQL_STATEMENTS)
			complain(link, statement, s.name, p);
		else
			db_fail(link, mysql_stmt_errno(statement), s.name, p);
		mysql_stmt_close(statement);
		return NULL;
	}
	link->prepared[id] = statement;
	return statement;
}

bool db_prepare(struct db_link *link, enum sql_statement id, struct db_field *fields,
		size_t room, size_t *count, struct problem *p)
{
	MYSQL_STMT *statement = prepare(link, id, p);
	MYSQL_RES *meta;
	size_t found;

	if (!statement)
		return false;
	meta = mysql_stmt_result_metadata(statement);
	found = meta ? mysql_num_fields(meta) : 0;
	for (size_t i = 0; i < found && i < room; i++) {
		const MYSQL_FIELD *f = mysql_fetch_field_direct(meta, (unsigned)i);

		snprintf(fields[i].name, sizeof(fields[i].name), "%s", f->name);
		snprintf(fields[i].schema, sizeof(fields[i].schema), "%s", f->db);
		snprintf(fields[i].table, sizeof(fields[i].table), "%s", f->org_table);
		snprintf(fields[i].column, sizeof(fields[i].column), "%s", f->org_name);
	}
	if (meta)
		mysql_free_result(meta);
	*count = found;
	return true;
}

/* ---- values in, columns out */

static bool bind_values(MYSQL_STMT *statement, const struct db_call *call)
{
	MYSQL_BIND binds[DB_MAX_COLUMNS];

	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < call->value_count; i++) {
		struct db_value *in = &call->values[i];

		switch (in->type) {
		case DB_NULL:
			binds[i].buffer_type = MYSQL_TYPE_NULL;
			break;
		case DB_BYTES:
			binds[i].buffer_type = MYSQL_TYPE_BLOB;
			binds[i].buffer = (void *)(uintptr_t)in->bytes.data;
			binds[i].buffer_length = in->bytes.len;
			break;
		case DB_TEXT:
			binds[i].buffer_type = MYSQL_TYPE_STRING;
			binds[i].buffer = (void *)(uintptr_t)in->bytes.data;
			binds[i].buffer_length = in->bytes.len;
			break;
		case DB_TIME:
			binds[i].buffer_type = MYSQL_TYPE_STRING;
			binds[i].buffer = in->time;
			binds[i].buffer_length = strlen(in->time);
			break;
		case DB_NUMBER:
			binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
			binds[i].buffer = &in->number;
			binds[i].is_unsigned = 1;
			break;
		}
	}
	return !mysql_stmt_bind_param(statement, binds);
}

static bool bind_columns(MYSQL_STMT *statement, const struct db_call *call,
			 struct db_row *row)
{
	MYSQL_BIND binds[DB_MAX_COLUMNS];

	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < call->column_count; i++) {
		const struct db_column *out = &call->columns[i];

		binds[i].buffer_type =
			out->size ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG;
		binds[i].buffer = out->out;
		binds[i].buffer_length = out->size;
		binds[i].length = &row->lens[i];
		binds[i].is_null = &row->nulls[i];
	}
	return !mysql_stmt_bind_result(statement, binds);
}

/* Ends texts with NUL; one that does not fit is a fault, never cut. */
static bool finish_row(const struct db_call *call, const struct db_row *row)
{
	for (size_t i = 0; i < call->column_count; i++) {
		const struct db_column *out = &call->columns[i];
		const unsigned long len = row->nulls[i] ? 0 : row->lens[i];

		if (out->size && len >= out->size)
			return false;
		if (out->len)
			*out->len = len;
		if (out->size)
			((char *)out->out)[len] = '\0';
		else if (row->nulls[i])
			*(uint64_t *)out->out = 0;
	}
	return true;
}

static enum store_outcome fetch_rows(struct db_link *link, MYSQL_STMT *statement,
				     struct db_call *call, struct problem *p)
{
	const char *name = text_of_statement(link, call->id).name;
	enum store_outcome outcome = STORE_NOT_FOUND;
	struct db_row *row = &link->row;
	int fetched;

	memset(row, 0, sizeof(*row));
	if (!bind_columns(statement, call, row) || mysql_stmt_store_result(statement)) {
		db_fail(link, mysql_stmt_errno(statement), name, p);
		return STORE_FAILED;
	}
	while ((fetched = mysql_stmt_fetch(statement)) == 0 ||
	       fetched == MYSQL_DATA_TRUNCATED) {
		if (!finish_row(call, row)) {
			problem(p, INTERNAL, "%s: a column is too long", name);
			link->fault = DB_OTHER;
			outcome = STORE_FAILED;
			break;
		}
		outcome = STORE_OK;
		if (call->each)
			call->each(call->context);
	}
	if (fetched == 1) {
		db_fail(link, mysql_stmt_errno(statement), name, p);
		return STORE_FAILED;
	}
	mysql_stmt_free_result(statement);
	return outcome;
}

enum store_outcome db_run(struct db_link *link, struct db_call *call, struct problem *p)
{
	MYSQL_STMT *statement = prepare(link, call->id, p);
	unsigned error;

	if (!statement)
		return STORE_FAILED;
	link->fault = DB_FINE;
	if (!bind_values(statement, call) || mysql_stmt_execute(statement)) {
		error = mysql_stmt_errno(statement);
		if (error == DB_DUPLICATE_ENTRY)
			return STORE_ALREADY_THERE;
		db_fail(link, error, text_of_statement(link, call->id).name, p);
		/* To try again would not help: the administrator's statement is at fault. */
		if (call->id >= SQL_STATEMENTS && db_error_is_ours(error)) {
			problem_clear(p);
			problem(p, INTERNAL, "%s: error %u%s",
				text_of_statement(link, call->id).name, error,
				db_error_meaning(error));
		}
		return STORE_FAILED;
	}
	if (call->column_count)
		return fetch_rows(link, statement, call, p);
	call->changed = mysql_stmt_affected_rows(statement);
	call->new_id = mysql_stmt_insert_id(statement);
	return STORE_OK;
}

/* What pintlectl doctor asks of the database: facts, and whether each statement may be run. */
#ifndef PINTLE_STORE_DOCTOR_H
#define PINTLE_STORE_DOCTOR_H

#include "store.h"

enum store_question {
	STORE_ASK_VARIABLES, /* name, value */
	STORE_ASK_HOST, /* name, value: hostname, port, datadir; read_only; of clusters */
	STORE_ASK_PRIVILEGES, /* place (*.*, db.*, db.table), privilege, "YES" if grantable */
	STORE_ASK_TABLES,     /* table, engine, collation */
	STORE_ASK_COLUMNS, /* table, column, type, bytes, collation */
	STORE_ASK_KEYS, /* table, index, "0" if unique, columns, "0" if whole, not prefixes */
	STORE_ASK_PEOPLE, /* "1" if there is a user; an open invite; an email in capitals */
	STORE_QUESTIONS
};

#define STORE_ANSWER_COLUMNS 5

/* Calls EACH for every row, all values as text. */
bool store_ask(struct store *store, enum store_question question,
	       void (*each)(void *context,
			    const char *const values[STORE_ANSWER_COLUMNS]),
	       void *context, struct problem *p) __attribute__((warn_unused_result));

/*
 * Has the server prepare every statement that Pintle ever runs, which asks for the rights but
 * does nothing; calls EACH with those that it refuses, and the server's error number.
 */
bool store_try_statements(struct store *store,
			  void (*each)(void *context, const char *text, unsigned error),
			  void *context, struct problem *p)
	__attribute__((warn_unused_result));

/* With the configuration at hand, is this table of our schema used? */
bool store_needs_table(const struct store *store, const char *table);

/* The number in what a problem DATABASE_AWAY says; 0: none. */
unsigned store_error_number(const struct problem *p);

#endif

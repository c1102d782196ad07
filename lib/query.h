/*
 * The SQL of an administrator with a users table of his own: named parameters become places
 * that values are bound to, never pasted. Pure text; no server is asked.
 */
#ifndef PINTLE_QUERY_H
#define PINTLE_QUERY_H

#include "arena.h"

/* What a query may ask for: ":email" and so on. */
enum query_name {
	QUERY_EMAIL,
	QUERY_PHONE,
	QUERY_PROVIDER,
	QUERY_SUBJECT,
	QUERY_USER_ID,
	QUERY_NAMES
};

#define QUERY_PLACES 16
#define QUERY_STATEMENTS 8

struct query_statement {
	const char *text; /* with "?" for each place, without comments */
	size_t place_count;
	enum query_name places[QUERY_PLACES];
};

struct query {
	struct query_statement statements[QUERY_STATEMENTS];
	size_t count;
	unsigned uses; /* 1 << enum query_name for each that occurs */
	/*
	 * Of a plain "SELECT … FROM … column = :email …" the same statement with that column
	 * as its only result, to ask the server what column it is; else no statement.
	 */
	struct query_statement compared;
};

enum query_kind { QUERY_FINDS, QUERY_CHANGES };

/*
 * Takes SQL apart. A query that finds is one SELECT (or WITH … SELECT); one that changes is
 * statements of INSERT, UPDATE and SET @variable, ";" between them. False, and *WHY gets a
 * phrase, for anything else, an unknown name, a bare "?", executable comments, and what does
 * not end. All is in ARENA.
 */
bool query_parse(struct arena *arena, const char *sql, enum query_kind kind,
		 struct query *out, const char **why) __attribute__((warn_unused_result));

static inline bool query_uses(const struct query *q, enum query_name name)
{
	return (q->uses & 1u << name) != 0;
}

#endif

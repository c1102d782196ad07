/*
 * What a command prints of the database: an aligned table or a record for people, a JSON
 * object per line for programs. One description of a row serves all of them.
 *
 * People get printable ASCII, whatever the database holds: the rest is written as \x1b.
 */
#ifndef PINTLE_ROWS_H
#define PINTLE_ROWS_H

#include "arguments.h"
#include "buffer.h"
#include "store_admin.h"

enum rows_form {
	ROWS_TABLE,
	ROWS_RECORD, /* a line for each value */
	ROWS_JSON,
};

#define ROWS_COLUMNS 16

struct rows {
	struct command_context *context;
	const void *filter; /* of a list */
	enum rows_form form;
	struct buffer json;

	/*
	 * A table: its rows wait until they are flushed, for the widths of their columns.
	 */
	struct arena *arena;
	const char *names[ROWS_COLUMNS];
	size_t widths[ROWS_COLUMNS];
	struct text *cells;
	size_t columns, column, count, room;
	bool headed;

	char last[256]; /* the key of the row that ended last */
	unsigned ended; /* how many have */
};

/* JSON where that was asked for, else FORM. */
struct rows *rows_new(struct command_context *context, enum rows_form form);
/* Prints what still waits. */
void rows_free(struct rows *rows);

/*
 * A row: its values, in the same order for each. People see NAME without "_" and "_at".
 */
void rows_begin(struct rows *rows);
void rows_text(struct rows *rows, const char *name, const char *value);
void rows_text_or_null(struct rows *rows, const char *name,
		       const char *value); /* ""; null */
void rows_number(struct rows *rows, const char *name, uint64_t value);
void rows_time(struct rows *rows, const char *name, int64_t when); /* 0: null */
/* KEY is what the list goes on after; NULL outside of lists. */
void rows_end(struct rows *rows, const char *key);

/* Prints the rows that wait. */
void rows_flush(struct rows *rows);

/*
 * Prints a list, which READ gives page by page by adding rows, and frees ROWS. READ finds
 * what it is a list of in rows->filter. Returns the exit status.
 */
int rows_list(struct rows *rows, const struct arguments *arguments,
	      enum store_outcome (*read)(struct rows *rows,
					 const struct store_admin_page *page,
					 struct problem *p),
	      const void *filter);

/* TEXT as people get it. */
const char *rows_printable(struct arena *a, const char *text);

/* Is it a terminal that may get colours? Not with NO_COLOR set (https://no-color.org). */
bool rows_on_terminal(void);

/* TEXT in COLOUR (a number of ECMA-48's SGR; "0": none), where it may be; else as it is. */
const char *rows_colour(struct arena *a, const char *colour, const char *text);

#endif

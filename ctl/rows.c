#include "rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"

#define PAGE 500 /* rows that wait in memory, and that one statement reads */

struct rows *rows_new(struct command_context *context, enum rows_form form)
{
	struct rows *rows = x_alloc(sizeof(*rows));

	rows->context = context;
	rows->form = context->json ? ROWS_JSON : form;
	rows->arena = arena_new();
	rows->json = buffer_new(rows->arena, 1024);
	return rows;
}

void rows_free(struct rows *rows)
{
	rows_flush(rows);
	free(rows->cells);
	arena_free(rows->arena);
	free(rows);
}

/* ---- for people */

/*
 * Not only controls are escaped: what turns the direction of writing, or looks like
 * another letter, makes one person look like another; and the terminal's charset is not
 * known.
 */
const char *rows_printable(struct arena *a, const char *text)
{
	struct buffer b = buffer_new(a, strlen(text) + 1);

	for (; *text; text++) {
		if (*text == '\\')
			buffer_add(&b, AS_TEXT("\\\\"));
		else if (*text >= ' ' && *text <= '~')
			buffer_add_char(&b, *text);
		else
			buffer_printf(&b, "\\x%02x", (unsigned)(unsigned char)*text);
	}
	buffer_add_char(&b, '\0');
	return b.data;
}

bool rows_on_terminal(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

const char *rows_colour(struct arena *a, const char *colour, const char *text)
{
	return rows_on_terminal() && strcmp(colour, "0") != 0
		       ? arena_printf(a, "\033[%sm%s\033[0m", colour, text).data
		       : text;
}

/* "last_login_at": "LAST LOGIN" over a column, "last login" before a value. */
static size_t print_title(const char *name, bool upper, char out[64])
{
	size_t len = strlen(name);

	if (len > 3 && len < 64 && strcmp(name + len - 3, "_at") == 0)
		len -= 3;
	for (size_t i = 0; i < len; i++) {
		out[i] = name[i] == '_' ? ' ' : name[i];
		if (upper && out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
	}
	out[len] = '\0';
	return len;
}

static void widen(struct rows *rows, size_t column, size_t len)
{
	if (rows->widths[column] < len)
		rows->widths[column] = len;
}

static void add_cell(struct rows *rows, const char *name, const char *value)
{
	const char *printable = rows_printable(rows->arena, *value ? value : "-");
	char title[64];
	size_t column = rows->column++;

	if (rows->form == ROWS_RECORD) {
		print_title(name, false, title);
		printf("%s %s\n",
		       rows_colour(rows->arena, "1",
				   arena_printf(rows->arena, "%-18s", title).data),
		       printable);
		return;
	}
	if (column >= ROWS_COLUMNS)
		abort();
	if (rows->count == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 256;
		rows->cells = x_realloc(rows->cells, rows->room * sizeof(*rows->cells));
	}
	if (column == rows->columns) {
		rows->names[column] = name;
		rows->columns++;
		widen(rows, column, print_title(name, true, title));
	}
	rows->cells[rows->count++] = text_of(printable);
	widen(rows, column, strlen(printable));
}

static void print_cell(const struct rows *rows, size_t column, const char *text,
		       const char *colour)
{
	const bool is_last = column + 1 == rows->columns;

	/* Coloured as a whole, since the escapes have no width. */
	printf("%s%s",
	       rows_colour(rows->arena, colour,
			   arena_printf(rows->arena, "%-*s",
					is_last ? 0 : (int)rows->widths[column], text)
				   .data),
	       is_last ? "\n" : "  ");
}

void rows_flush(struct rows *rows)
{
	char title[64];

	if (rows->form != ROWS_TABLE || !rows->count || !rows->columns)
		return;
	for (size_t i = 0; !rows->headed && i < rows->columns; i++) {
		print_title(rows->names[i], true, title);
		print_cell(rows, i, title, "1");
	}
	rows->headed = true;
	for (size_t i = 0; i < rows->count; i++)
		print_cell(rows, i % rows->columns, rows->cells[i].data,
			   strcmp(rows->cells[i].data, "disabled") == 0 ? "31" : "0");
	rows->count = 0;
	arena_reset(rows->arena);
}

/* ---- a row */

void rows_begin(struct rows *rows)
{
	rows->column = 0;
	rows->json.len = 0;
	if (rows->form == ROWS_JSON)
		json_begin(&rows->json, NULL, '{');
}

void rows_text(struct rows *rows, const char *name, const char *value)
{
	if (rows->form == ROWS_JSON)
		json_add_string(&rows->json, name, text_of(value));
	else
		add_cell(rows, name, value);
}

void rows_text_or_null(struct rows *rows, const char *name, const char *value)
{
	if (rows->form == ROWS_JSON && !*value)
		json_add_null(&rows->json, name);
	else
		rows_text(rows, name, value);
}

void rows_number(struct rows *rows, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	if (rows->form == ROWS_JSON)
		json_add_number(&rows->json, name, (int64_t)value);
	else
		add_cell(rows, name, digits);
}

void rows_time(struct rows *rows, const char *name, int64_t when)
{
	char printed[TEXT_TIME_SIZE];

	text_print_time(when, ' ', printed);
	if (rows->form != ROWS_JSON)
		add_cell(rows, name, when ? printed : "");
	else if (when)
		json_add_number(&rows->json, name, when);
	else
		json_add_null(&rows->json, name);
}

void rows_end(struct rows *rows, const char *key)
{
	if (rows->form == ROWS_JSON) {
		json_end(&rows->json, '}');
		buffer_add_char(&rows->json, '\n');
		fwrite(rows->json.data, 1, rows->json.len, stdout);
	}
	if (key)
		snprintf(rows->last, sizeof(rows->last), "%s", key);
	rows->ended++;
}

/* ---- a list */

int rows_list(struct rows *rows, const struct arguments *arguments,
	      enum store_outcome (*read)(struct rows *rows,
					 const struct store_admin_page *page,
					 struct problem *p),
	      const void *filter)
{
	struct store_admin_page page = { .limit = PAGE };
	int64_t left = arguments->limit;
	struct problem p = { 0 };
	int status = STATUS_DONE;

	rows->filter = filter;
	snprintf(rows->last, sizeof(rows->last), "%s", arguments->after);
	do {
		page.after = arena_copy(rows->context->arena, text_of(rows->last)).data;
		page.limit = left < PAGE ? (unsigned)left : PAGE;
		rows->ended = 0;
		if (read(rows, &page, &p) != STORE_OK)
			status = command_problem(&p);
		rows_flush(rows);
		left -= page.limit;
	} while (status == STATUS_DONE && rows->ended == page.limit && left > 0);
	rows_free(rows);
	return status;
}

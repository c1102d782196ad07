#include "config_private.h"

/*
 * Measured with libConfuse 3.3: a line of comment moves the line of every later error by
 * two; end of file closes any section; of two values the last wins, silently; "a\0b" is
 * "a"; "${HOME}" is replaced, in quotes too. What stands where is noted on the way, so
 * that an error found after parsing, and `pintlectl config`, can still name its line.
 */

enum expect { NAME, NAMED, TITLED, VALUE, LIST };

struct scanner {
	struct config_state *s;
	const char *at, *end;
	char *out;
	int line;
	enum expect expect;
	struct text name; /* the last word where a name is expected */
	int section;	  /* index of the open one; -1: none */
	int list_line;	  /* where the open list begins */
	struct config_scan *found;
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("_-.:/@%", c)) ||
	       (unsigned char)c >= 0x80;
}

static bool starts(const struct scanner *x, const char *what)
{
	return text_starts((struct text){ x->at, (size_t)(x->end - x->at) }, what);
}

static void copy(struct scanner *x)
{
	if (*x->at == '\n')
		x->line++;
	*x->out++ = *x->at++;
}

static void skip_line(struct scanner *x)
{
	while (x->at < x->end && *x->at != '\n')
		x->at++;
}

static bool skip_comment(struct scanner *x)
{
	const int line = x->line;

	for (x->at += 2; x->at < x->end; x->at++) {
		if (starts(x, "*/")) {
			x->at += 2;
			*x->out++ = ' ';
			return true;
		}
		if (*x->at == '\n') {
			x->line++;
			*x->out++ = '\n';
		}
	}
	return config_error(x->s, line, "the comment that begins here is not closed");
}

/*
 * \n and \" may be anything but the numbers that the library's lexer stops at, and NUL.
 */
static bool take_escape(struct scanner *x)
{
	size_t digits = 0;
	unsigned value = 0;

	while (x->at + 1 + digits < x->end && x->at[1 + digits] >= '0' &&
	       x->at[1 + digits] <= '9' && digits < 4) {
		value = value * 8 + (unsigned)(x->at[1 + digits] - '0');
		if (x->at[1 + digits] > '7')
			value = 256;
		digits++;
	}
	if (digits && (digits > 3 || value > 255))
		return config_error(x->s, x->line, "a bad octal number after \"\\\"");
	if ((digits && value == 0) || starts(x, "\\x00") ||
	    (starts(x, "\\x0") && !strchr("0123456789abcdefABCDEF", x->at[3])))
		return config_error(x->s, x->line, "a NUL byte");
	copy(x);
	if (x->at < x->end)
		copy(x);
	return true;
}

static bool take_string(struct scanner *x)
{
	const char quote = *x->at;
	const int line = x->line;

	copy(x);
	while (x->at < x->end && *x->at != quote) {
		if (quote == '"' && *x->at == '\\') {
			if (!take_escape(x))
				return false;
			continue;
		}
		if (quote == '\'' && *x->at == '\\' && x->at + 1 < x->end)
			copy(x);
		/* "\$" is a "$" that nothing is put in place of. */
		if (quote == '"' && *x->at == '$')
			*x->out++ = '\\';
		copy(x);
	}
	if (x->at >= x->end)
		return config_error(x->s, line,
				    "the string that begins here is not closed");
	copy(x);
	return true;
}

static bool note(struct scanner *x, struct config_scan_item *list, size_t *count)
{
	const int section = list == x->found->items ? x->section : -1;

	for (size_t i = 0; i < *count; i++)
		if (list[i].section == section && text_equal(list[i].name, x->name) &&
		    x->expect == NAMED)
			return config_error(x->s, x->line,
					    "%.*s is here a second time, "
					    "the first is in line %d",
					    TEXT_ARG(x->name), list[i].line);
	list[(*count)++] = (struct config_scan_item){ section, x->name, x->line };
	return true;
}

/* A word or a string, the first byte of which is FIRST. */
static bool scalar(struct scanner *x, char first, struct text word)
{
	const bool quoted = first == '"' || first == '\'';

	switch (x->expect) {
	case NAME:
		/*
		 * The library takes "database|port" in quotes for the port in database.
		 */
		if (quoted)
			return config_error(x->s, x->line,
					    "a name, without quotes, is expected here");
		x->name = word;
		x->expect = NAMED;
		return true;
	case NAMED:
		x->expect = TITLED;
		return true;
	case VALUE:
		x->expect = NAME;
		return true;
	default:
		return true;
	}
}

/*
 * Only where the library will go on as well is anything noted; every other order of the
 * marks is its error, and it says so.
 */
static bool open_brace(struct scanner *x)
{
	if (x->expect == VALUE) {
		x->expect = LIST;
		x->list_line = x->line;
		return true;
	}
	if (x->expect != NAMED && x->expect != TITLED)
		return true;
	if (x->section >= 0)
		return config_error(x->s, x->line,
				    "%.*s { } cannot be inside another section",
				    TEXT_ARG(x->name));
	if (!note(x, x->found->sections, &x->found->section_count))
		return false;
	x->section = (int)x->found->section_count - 1;
	x->expect = NAME;
	return true;
}

static bool close_brace(struct scanner *x)
{
	if (x->expect == LIST) {
		x->expect = NAME;
		return true;
	}
	if (x->expect == NAME && x->section < 0)
		return config_error(x->s, x->line, "a } without its {");
	if (x->expect == NAME)
		x->section = -1;
	return true;
}

static bool take_mark(struct scanner *x)
{
	const char mark = *x->at;

	copy(x);
	if (mark == '{')
		return open_brace(x);
	if (mark == '}')
		return close_brace(x);
	if (mark == '=' && x->expect == NAMED) {
		if (!note(x, x->found->items, &x->found->item_count))
			return false;
		x->expect = VALUE;
	}
	return true;
}

static bool take_token(struct scanner *x)
{
	const char *from = x->at;
	const char first = *from;

	if (first == '"' || first == '\'') {
		if (!take_string(x))
			return false;
	} else {
		while (x->at < x->end && is_word(*x->at))
			copy(x);
	}
	return scalar(x, first, (struct text){ from, (size_t)(x->at - from) });
}

static bool take(struct scanner *x)
{
	const char c = *x->at;

	if (c == '#' || starts(x, "//")) {
		skip_line(x);
		return true;
	}
	if (starts(x, "/*"))
		return skip_comment(x);
	if (starts(x, "+="))
		return config_error(x->s, x->line,
				    "+= is not used here: write the whole list after =");
	if (strchr("{}=,", c))
		return take_mark(x);
	if (strchr(" \t\r\n", c)) {
		copy(x);
		return true;
	}
	if (c == '"' || c == '\'' || is_word(c))
		return take_token(x);
	return config_error(x->s, x->line, "a %c that is not in quotes", c);
}

bool config_scan(struct config_state *s, struct text file, struct config_scan *out)
{
	const char *nul = file.len ? memchr(file.data, '\0', file.len) : NULL;
	struct scanner x = { .s = s,
			     .at = file.data,
			     .end = file.data + file.len,
			     .line = 1,
			     .section = -1,
			     .found = out };
	size_t items = 0, sections = 0;

	for (size_t i = 0; i < file.len; i++) {
		items += file.data[i] == '=';
		sections += file.data[i] == '{';
		if (nul && file.data + i < nul)
			x.line += file.data[i] == '\n';
	}
	if (nul)
		return config_error(s, x.line, "a NUL byte");
	/* Every "$" may get a "\" put before it. */
	out->text = x.out = arena_alloc(s->arena, 2 * file.len + 1);
	out->items = arena_alloc(s->arena, items * sizeof(*out->items));
	out->sections = arena_alloc(s->arena, sections * sizeof(*out->sections));
	out->item_count = out->section_count = 0;
	while (x.at < x.end)
		if (!take(&x))
			return false;
	*x.out = '\0';
	if (x.expect == LIST)
		return config_error(s, x.list_line,
				    "the list that begins here is not closed");
	if (x.section >= 0)
		return config_error(s, out->sections[x.section].line,
				    "the section that begins here is not closed");
	return true;
}

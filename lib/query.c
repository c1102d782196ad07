#include "query.h"

#include <ctype.h>
#include <strings.h>

#include "buffer.h"

static const char *const names[QUERY_NAMES] = {
	[QUERY_EMAIL] = "email",       [QUERY_PHONE] = "phone",
	[QUERY_PROVIDER] = "provider", [QUERY_SUBJECT] = "subject",
	[QUERY_USER_ID] = "user_id",
};

struct parser {
	struct arena *arena;
	enum query_kind kind;
	const char *at;	    /* what comes next */
	struct buffer text; /* of the statement at hand */
	struct query *out;
	const char *why;
	int depth;   /* of parentheses */
	size_t from; /* where in TEXT the first FROM outside of them stands; 0: not yet */
	struct text compared; /* "u.email" of "u.email = :email" */
	bool is_plain;	      /* and nothing else is compared with :email, or otherwise */
};

static bool refuse(struct parser *s, const char *why)
{
	if (!s->why)
		s->why = why;
	return false;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' ||
	       (unsigned char)c >= 0x80;
}

static struct query_statement *current(struct parser *s)
{
	return &s->out->statements[s->out->count];
}

/* ---- what is passed on as it is: strings, quoted names, words */

/*
 * 'text', "text" or `name`. The quote is doubled within, and in a text "\" escapes: our
 * sessions have neither ANSI_QUOTES nor NO_BACKSLASH_ESCAPES, whatever the server's mode is.
 */
static bool take_quoted(struct parser *s)
{
	const char quote = *s->at, *start = s->at++;

	for (;; s->at++) {
		if (!*s->at)
			return refuse(s, "a quote that does not end");
		if (*s->at == '\\' && quote != '`' && s->at[1])
			s->at++;
		else if (*s->at == quote && s->at[1] == quote)
			s->at++;
		else if (*s->at == quote)
			break;
	}
	s->at++;
	buffer_add(&s->text, (struct text){ start, (size_t)(s->at - start) });
	return true;
}

static void take_word(struct parser *s)
{
	const char *start = s->at;
	struct text word;

	while (is_word(*s->at))
		s->at++;
	word = (struct text){ start, (size_t)(s->at - start) };
	if (!s->depth && !s->from && text_equal_nocase(word, AS_TEXT("from")))
		s->from = s->text.len;
	buffer_add(&s->text, word);
}

/* Any white space is one character; none stands at the beginning. */
static void add_blank(struct parser *s)
{
	if (s->text.len)
		buffer_add_char(&s->text, ' ');
}

/* Two minuses are arithmetic, and were a blank or the end put behind them, a comment. */
static bool check_minuses(struct parser *s)
{
	const struct text before = buffer_text(&s->text);

	return before.len < 2 || memcmp(before.data + before.len - 2, "--", 2) != 0 ||
	       refuse(s, "a comment or the end behind --");
}

/* Comments: to the end of the line, or to the mark. A blank takes their place. */
static bool skip_comment(struct parser *s)
{
	const char *end;

	if (!check_minuses(s))
		return false;
	if (s->at[0] == '/' && (s->at[2] == '!' || (s->at[2] == 'M' && s->at[3] == '!')))
		return refuse(s, "an executable comment, /*! … */");
	end = s->at[0] == '/' ? strstr(s->at + 2, "*/") : strchr(s->at, '\n');
	if (!end && s->at[0] == '/')
		return refuse(s, "a comment that does not end");
	s->at = end ? end + (s->at[0] == '/' ? 2 : 1) : s->at + strlen(s->at);
	add_blank(s);
	return true;
}

/* "--" begins a comment only before a blank (or the end): 5--3 is 8. */
static bool is_comment(const char *at)
{
	return at[0] == '#' || (at[0] == '/' && at[1] == '*') ||
	       (at[0] == '-' && at[1] == '-' &&
		(!at[2] || isspace((unsigned char)at[2]) ||
		 iscntrl((unsigned char)at[2])));
}

/* ---- parameters */

static size_t before_blanks(struct text t)
{
	size_t end = t.len;

	while (end && isspace((unsigned char)t.data[end - 1]))
		end--;
	return end;
}

/* Where the name begins that ends T, `quoted` or a word; its end if there is none. */
static size_t name_start(struct text t)
{
	size_t start = t.len;

	if (!t.len || t.data[t.len - 1] != '`') {
		while (start && is_word(t.data[start - 1]))
			start--;
		return start;
	}
	for (start--; start && t.data[start - 1] != '`'; start--)
		;
	return start ? start - 1 : t.len;
}

/*
 * The column's name, "u.email", before "= " at the end of what was taken so far; "" if it is no
 * name, or part of something longer: what is known of a column says nothing of 1 + column.
 */
static struct text column_before(struct text t)
{
	const struct text none = { 0 };
	size_t end, start;

	t.len = before_blanks(t);
	if (!t.len || t.data[t.len - 1] != '=')
		return none;
	t.len--;
	t.len = end = before_blanks(t);
	for (;;) {
		start = name_start(t);
		if (start == t.len)
			return none;
		if (!start || t.data[start - 1] != '.')
			break;
		t.len = start - 1;
	}
	t.len = start;
	t.len = before_blanks(t);
	if (!t.len || !(t.data[t.len - 1] == '(' || is_word(t.data[t.len - 1])))
		return none;
	return (struct text){ t.data + start, end - start };
}

/*
 * "email = :email COLLATE …" is compared by another collation than the column's, and a second
 * :email with another column: then one column's properties say nothing.
 */
static bool is_collated(const char *after)
{
	static const char word[] = "collate";

	while (isspace((unsigned char)*after))
		after++;
	/* A comment may stand before the word. */
	return (*after && strchr("/#-", *after)) ||
	       strncasecmp(after, word, sizeof(word) - 1) == 0;
}

static bool take_parameter(struct parser *s)
{
	struct query_statement *statement = current(s);
	struct text name = { s->at + 1, 0 };
	size_t i = 0;

	while (is_word(name.data[name.len]))
		name.len++;
	while (i < QUERY_NAMES && !text_is(name, names[i]))
		i++;
	if (i == QUERY_NAMES)
		return refuse(s, arena_printf(s->arena,
					      "unknown parameter :%.*s; there are :email "
					      ":phone :provider :subject :user_id",
					      TEXT_ARG(name))
					 .data);
	if (statement->place_count == QUERY_PLACES)
		return refuse(s, "more than 16 parameters in a statement");
	if (i == QUERY_EMAIL) {
		s->is_plain = !query_uses(s->out, QUERY_EMAIL) &&
			      !is_collated(name.data + name.len);
		s->compared = arena_copy(s->arena, column_before(buffer_text(&s->text)));
	}
	statement->places[statement->place_count++] = (enum query_name)i;
	s->out->uses |= 1u << i;
	buffer_add_char(&s->text, '?');
	s->at = name.data + name.len;
	return true;
}

/* ---- statements */

static bool begins(struct text t, const char *word)
{
	const size_t len = strlen(word);

	return t.len > len &&
	       text_equal_nocase((struct text){ t.data, len }, text_of(word)) &&
	       !is_word(t.data[len]);
}

/* The settings of the session, which outlives the transaction, are not for here. */
static bool sets_variables(struct text list)
{
	bool at_start = true;
	char quote = 0;
	int depth = 0;

	for (size_t i = 0; i < list.len; i++) {
		const char c = list.data[i];

		if (at_start && !isspace((unsigned char)c)) {
			if (c != '@' || i + 1 == list.len || list.data[i + 1] == '@')
				return false;
			at_start = false;
		} else if (quote) {
			i += c == '\\' && quote != '`';
			quote = c == quote ? 0 : quote;
		} else if (c == '\'' || c == '"' || c == '`') {
			quote = c;
		} else {
			depth += (c == '(') - (c == ')');
			at_start = at_start || (c == ',' && !depth);
		}
	}
	return !at_start;
}

/*
 * What could end the transaction around it, or take over another's row (REPLACE), is not
 * for here.
 */
static bool check_kind(struct parser *s, struct text t)
{
	if (s->kind == QUERY_FINDS)
		return begins(t, "SELECT") || begins(t, "WITH") ||
		       refuse(s, "it must be a SELECT");
	if (begins(t, "SET") && sets_variables((struct text){ t.data + 3, t.len - 3 }))
		return true;
	return begins(t, "INSERT") || begins(t, "UPDATE") ||
	       refuse(s, "a statement other than INSERT, SET @variable, UPDATE");
}

static bool end_statement(struct parser *s)
{
	const struct text t = text_trim(buffer_text(&s->text));

	if (s->depth)
		return refuse(s, "a parenthesis without its other half");
	if (!t.len)
		return s->out->count || refuse(s, "it is empty");
	if (!check_minuses(s) || !check_kind(s, t))
		return false;
	if (s->out->count == (s->kind == QUERY_FINDS ? 1 : QUERY_STATEMENTS))
		return refuse(s, "too many statements");
	current(s)->text = arena_copy(s->arena, t).data;
	s->out->count++;
	s->text = buffer_new(s->arena, 256);
	return true;
}

static bool take_next(struct parser *s)
{
	const char c = *s->at;

	if (is_comment(s->at))
		return skip_comment(s);
	if (c == '\'' || c == '"' || c == '`')
		return take_quoted(s);
	if (c == '?')
		return refuse(s, "a bare \"?\": parameters have names, such as :email");
	if (c == ':' && is_word(s->at[1]))
		return take_parameter(s);
	if (is_word(c)) {
		take_word(s);
		return true;
	}
	if (c == ';') {
		s->at++;
		return end_statement(s);
	}
	s->at++;
	if (isspace((unsigned char)c)) {
		add_blank(s);
		return true;
	}
	s->depth += (c == '(') - (c == ')');
	buffer_add_char(&s->text, c);
	return s->depth >= 0 || refuse(s, "a parenthesis without its other half");
}

/* The SELECT again, with the compared column in the place of what it selects. */
static void find_compared(struct parser *s)
{
	const struct query_statement *found = &s->out->statements[0];
	struct buffer b = buffer_new(s->arena, 256);
	size_t before = 0;

	if (!s->is_plain || !s->compared.len || !s->from ||
	    !begins(text_of(found->text), "SELECT"))
		return;
	/* No parameter may stand in the part that goes. */
	for (size_t i = 0; i < s->from && found->text[i]; i++)
		before += found->text[i] == '?';
	if (before)
		return;
	buffer_printf(&b, "%.6s %.*s AS email ", found->text, TEXT_ARG(s->compared));
	buffer_add(&b, text_of(found->text + s->from));
	s->out->compared = *found;
	s->out->compared.text = arena_copy(s->arena, buffer_text(&b)).data;
}

bool query_parse(struct arena *arena, const char *sql, enum query_kind kind,
		 struct query *out, const char **why)
{
	struct query query = { 0 };
	struct parser s = { .arena = arena,
			    .kind = kind,
			    .at = sql,
			    .out = &query,
			    .text = buffer_new(arena, 256) };

	while (*s.at) {
		/* A lookup ends with its ";": what follows is not hidden behind it. */
		if (query.count == QUERY_STATEMENTS)
			refuse(&s, "too many statements");
		if (s.why || !take_next(&s)) {
			*why = s.why;
			return false;
		}
	}
	if (!end_statement(&s)) {
		*why = s.why;
		return false;
	}
	if (kind == QUERY_FINDS)
		find_compared(&s);
	*out = query;
	return true;
}

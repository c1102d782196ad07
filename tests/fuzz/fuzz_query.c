#include "buffer.h"
#include "fuzz.h"
#include "query.h"

static const char *const names[QUERY_NAMES] = { ":email", ":phone", ":provider",
						":subject", ":user_id" };

/* What the server's own reader makes of a statement that we pass on. */
struct reading {
	size_t places;
	bool comment, end, unbalanced;
};

/* The length of what is quoted at AT; 0: nothing is. */
static size_t quoted_len(const char *at)
{
	size_t len = 1;

	if (!*at || !strchr("'\"`", *at))
		return 0;
	for (; at[len]; len++) {
		if (at[len] == '\\' && *at != '`' && at[len + 1])
			len++;
		else if (at[len] == *at && at[len + 1] != *at)
			return len + 1;
		else if (at[len] == *at)
			len++;
	}
	return len;
}

static bool is_comment(const char *at)
{
	return *at == '#' || strncmp(at, "/*", 2) == 0 ||
	       (strncmp(at, "--", 2) == 0 && (unsigned char)at[2] <= ' ') ||
	       strncmp(at, "--\x7f", 3) == 0;
}

/* OUT gets the text with names in the place of "?", as we could be given it. */
static struct reading read_again(const struct query_statement *statement,
				 struct buffer *out)
{
	struct reading r = { 0 };
	int depth = 0;

	for (const char *at = statement->text; *at;) {
		const size_t len = quoted_len(at);

		r.comment = r.comment || is_comment(at);
		if (len) {
			buffer_add(out, (struct text){ at, len });
			at += len;
			continue;
		}
		r.end = r.end || *at == ';';
		depth += (*at == '(') - (*at == ')');
		r.unbalanced = r.unbalanced || depth < 0;
		if (*at == '?' && r.places < statement->place_count)
			buffer_add(out, text_of(names[statement->places[r.places]]));
		else
			buffer_add_char(out, *at);
		r.places += *at++ == '?';
	}
	r.unbalanced = r.unbalanced || depth;
	return r;
}

static void check_statement(struct arena *a, const struct query_statement *statement,
			    enum query_kind kind)
{
	struct buffer named = buffer_new(a, 256);
	const struct reading r = read_again(statement, &named);
	const char *why = "";
	struct query again;

	REQUIRE(r.places == statement->place_count &&
		statement->place_count <= QUERY_PLACES);
	REQUIRE(!r.comment && !r.end && !r.unbalanced);
	REQUIRE(*statement->text && *statement->text != ' ');
	/* It is as it will be: taken again, it is the same. */
	REQUIRE(query_parse(a, arena_copy(a, buffer_text(&named)).data, kind, &again,
			    &why));
	REQUIRE(again.count == 1 &&
		strcmp(again.statements[0].text, statement->text) == 0);
	REQUIRE(again.statements[0].place_count == statement->place_count);
}

static bool begins(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

/* "SET @a = 1, @b = 2": of variables of our own, and of nothing else. */
static void check_assignments(const char *at)
{
	bool first = true;
	int depth = 0;

	while (*at) {
		const size_t len = quoted_len(at);

		if (first && *at != ' ') {
			REQUIRE(at[0] == '@' && at[1] && at[1] != '@');
			first = false;
		}
		depth += (*at == '(') - (*at == ')');
		first = first || (*at == ',' && !depth);
		at += len ? len : 1;
	}
	REQUIRE(!first);
}

/* "f" or another letter: does it find or change? Then an administrator's SQL. */
void fuzz_query(struct arena *a, struct text input)
{
	const enum query_kind kind =
		input.len && *input.data == 'f' ? QUERY_FINDS : QUERY_CHANGES;
	const char *why = NULL;
	struct query query;

	if (!input.len)
		return;
	if (!query_parse(a, arena_copy(a, input).data + 1, kind, &query, &why)) {
		REQUIRE(why && *why);
		return;
	}
	fuzz_through++;
	REQUIRE(query.count >= 1 &&
		query.count <= (kind == QUERY_FINDS ? 1 : QUERY_STATEMENTS));
	for (size_t i = 0; i < query.count; i++) {
		const char *text = query.statements[i].text;

		check_statement(a, &query.statements[i], kind);
		/* Nothing that could end the transaction, or take over another's row. */
		REQUIRE(kind == QUERY_FINDS
				? begins(text, "SELECT") || begins(text, "WITH")
				: begins(text, "INSERT") || begins(text, "UPDATE") ||
					  begins(text, "SET"));
		if (begins(text, "SET"))
			check_assignments(text + strlen("SET"));
	}
	if (query.compared.text) {
		check_statement(a, &query.compared, QUERY_FINDS);
		REQUIRE(query_uses(&query, QUERY_EMAIL) &&
			strstr(query.compared.text, " AS email "));
	}
}

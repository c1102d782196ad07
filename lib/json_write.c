#include "json_text.h"

static void add_unicode(struct buffer *b, unsigned value)
{
	buffer_printf(b, "\\u%04x", value);
}

/* Writes the character at AT, which is not plain; returns how many bytes it was. */
static size_t add_special(struct buffer *b, const unsigned char *at,
			  const unsigned char *end)
{
	size_t len = json_utf8_len(at, end);

	if (len == 0) {
		buffer_add(b, AS_TEXT("\xef\xbf\xbd"));
		return 1;
	}
	if (*at == '"' || *at == '\\')
		buffer_printf(b, "\\%c", *at);
	else if (len == 1)
		add_unicode(b, *at);
	else if (at[0] == 0xc2 && at[1] < 0xa0) /* C1 controls steer terminals */
		add_unicode(b, at[1]);
	else if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9))
		add_unicode(b, 0x2000u | (at[2] & 0x3fu)); /* a line end to JavaScript */
	else
		buffer_add(b, (struct text){ (const char *)at, len });
	return len;
}

static void add_escaped(struct buffer *b, struct text t, unsigned class)
{
	const unsigned char *at = (const unsigned char *)t.data, *end = at + t.len;

	while (at < end) {
		const unsigned char *run = at;

		while (at < end && (json_classes[*at] & class))
			at++;
		buffer_add(b, (struct text){ (const char *)run, (size_t)(at - run) });
		if (at < end)
			at += add_special(b, at, end);
	}
}

static void add_quoted(struct buffer *b, struct text t)
{
	buffer_add_char(b, '"');
	if (t.len)
		add_escaped(b, t, WRITES);
	buffer_add_char(b, '"');
}

static void add_place(struct buffer *b, const char *name)
{
	if (b->len && b->data[b->len - 1] != '{' && b->data[b->len - 1] != '[')
		buffer_add_char(b, ',');
	if (name) {
		add_quoted(b, text_of(name));
		buffer_add_char(b, ':');
	}
}

void json_begin(struct buffer *b, const char *name, char bracket)
{
	add_place(b, name);
	buffer_add_char(b, bracket);
}

void json_end(struct buffer *b, char bracket)
{
	buffer_add_char(b, bracket);
}

void json_add_string(struct buffer *b, const char *name, struct text value)
{
	add_place(b, name);
	add_quoted(b, value);
}

void json_add_number(struct buffer *b, const char *name, int64_t value)
{
	add_place(b, name);
	buffer_add_number(b, value);
}

void json_add_boolean(struct buffer *b, const char *name, bool value)
{
	add_place(b, name);
	buffer_add(b, value ? AS_TEXT("true") : AS_TEXT("false"));
}

void json_add_null(struct buffer *b, const char *name)
{
	add_place(b, name);
	buffer_add(b, AS_TEXT("null"));
}

/* Markup characters stand only in the strings of JSON text; an escape means the same. */
void json_add_raw(struct buffer *b, const char *name, struct text value)
{
	add_place(b, name);
	add_escaped(b, value, RAW);
}

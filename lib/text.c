#include "text.h"

#include <time.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Not strncasecmp: it stops at a NUL, so that "a\0x" would equal "a\0y". */
bool text_equal_nocase(struct text a, struct text b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool text_starts(struct text a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && (len == 0 || memcmp(a.data, prefix, len) == 0);
}

struct text text_before(struct text a, char separator, struct text *rest)
{
	const char *end = a.len ? memchr(a.data, separator, a.len) : NULL;
	size_t len = end ? (size_t)(end - a.data) : a.len;

	*rest = end ? (struct text){ end + 1, a.len - len - 1 } : AS_TEXT("");
	return (struct text){ a.data, len };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct text text_trim(struct text a)
{
	while (a.len && is_blank(a.data[0])) {
		a.data++;
		a.len--;
	}
	while (a.len && is_blank(a.data[a.len - 1]))
		a.len--;
	return a;
}

bool text_to_number(struct text a, int64_t *out)
{
	int64_t value = 0;

	if (a.len < 1 || a.len > 18)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (a.data[i] < '0' || a.data[i] > '9')
			return false;
		value = value * 10 + (a.data[i] - '0');
	}
	*out = value;
	return true;
}

void text_print_time(int64_t when, char separator, char out[TEXT_TIME_SIZE])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm)) {
		seconds = 0;
		gmtime_r(&seconds, &tm);
	}
	strftime(out, TEXT_TIME_SIZE, separator == 'T' ? "%Y-%m-%dT%H:%M:%S"
							: "%Y-%m-%d %H:%M:%S", &tm);
}

#include "text.h"

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

#define DAY_S 86400
#define YEAR_9999_END 253402300799

static char *put_digits(char *out, unsigned value, int count)
{
	for (int i = count; i--; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

/*
 * The Gregorian calendar in years that begin with March, so that the leap day is the last:
 * 400 of them have 146097 days. Of the years up to 9999 only.
 */
static char *put_date(char *out, unsigned days)
{
	const unsigned since = days + 719468; /* 0000-03-01 */
	const unsigned of_era = since % 146097;
	const unsigned year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const unsigned of_year =
		of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const unsigned march = (5 * of_year + 2) / 153; /* months since March */
	const unsigned month = march < 10 ? march + 3 : march - 9;

	out = put_digits(out, since / 146097 * 400 + year_of_era + (month <= 2), 4);
	*out++ = '-';
	out = put_digits(out, month, 2);
	*out++ = '-';
	return put_digits(out, of_year - (153 * march + 2) / 5 + 1, 2);
}

static void print_quickly(unsigned days, unsigned second, char separator, char *out)
{
	out = put_date(out, days);
	*out++ = separator;
	out = put_digits(out, second / 3600, 2);
	*out++ = ':';
	out = put_digits(out, second / 60 % 60, 2);
	*out++ = ':';
	*put_digits(out, second % 60, 2) = '\0';
}

void text_print_time(int64_t when, char separator, char out[TEXT_TIME_SIZE])
{
	const int64_t floor = when > 0 ? when : 0;
	const int64_t held = floor < YEAR_9999_END ? floor : YEAR_9999_END;

	/*
	 * gmtime_r takes a lock that all threads share, and with strftime 1,400 instructions;
	 * a login prints four times. This takes 150.
	 */
	print_quickly((unsigned)(held / DAY_S), (unsigned)(held % DAY_S), separator, out);
}

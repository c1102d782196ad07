#include <strings.h>

#include "freshness.h"
#include "fuzz.h"

#define DIGITS_MAX 18

/* A second reader, of C strings. */
struct reading {
	long long max_age, age;
	bool no_store;
};

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return s;
}

static void read_number(const char *s, long long *out)
{
	const size_t len = strspn(s, "0123456789");

	if (len && len <= DIGITS_MAX && !s[len])
		*out = strtoll(s, NULL, 10);
}

static void read_directive(char *directive, struct reading *r)
{
	char *value = strchr(directive, '=');
	const char *name;

	if (value)
		*value++ = '\0';
	name = trim(directive);
	if (strcasecmp(name, "no-store") == 0 || strcasecmp(name, "no-cache") == 0)
		r->no_store = true;
	if (strcasecmp(name, "max-age") != 0 || !value)
		return;
	value = trim(value);
	if (*value == '"' && strlen(value) > 2) {
		value++;
		value[strlen(value) - 1] = '\0';
	}
	read_number(value, &r->max_age);
}

static void read_line(char *line, struct reading *r)
{
	char *value, *rest = NULL;

	line[strcspn(line, "\r")] = '\0';
	value = strchr(line, ':');
	if (!value)
		return;
	*value++ = '\0';
	if (strcasecmp(line, "Age") == 0)
		read_number(trim(value), &r->age);
	if (strcasecmp(line, "Cache-Control") != 0)
		return;
	for (char *one = strtok_r(value, ",", &rest); one;
	     one = strtok_r(NULL, ",", &rest))
		read_directive(one, r);
}

/* Lines of an answer's head. */
void fuzz_freshness(struct arena *a, struct text input)
{
	struct freshness f = FRESHNESS_START;
	struct reading r = { .max_age = -1 };
	int64_t life;

	/* A head has neither, but at the end of a line. */
	for (size_t i = 0; i < input.len; i++)
		if (!input.data[i] || (input.data[i] == '\r' &&
				       (i + 1 == input.len || input.data[i + 1] != '\n')))
			return;
	while (input.len) {
		const struct text line = text_before(input, '\n', &input);

		freshness_take(&f, a, line);
		read_line((char *)(uintptr_t)arena_copy(a, line).data, &r);
	}
	life = freshness_life(&f);
	fuzz_through += life > 0;
	REQUIRE(f.max_age_s == r.max_age && f.age_s == r.age && f.no_store == r.no_store);
	REQUIRE(life == (r.no_store	      ? 0
			 : r.max_age < 0      ? -1
			 : r.max_age <= r.age ? 0
					      : r.max_age - r.age));
	REQUIRE(f.etag.len <= 256);
	REQUIRE(!f.etag.len || !memchr(f.etag.data, '\n', f.etag.len));
}

#include "jwks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buffer.h"
#include "json.h"

#define RECORD_DEPTH 10

struct text jwks_record_print(struct arena *a, const struct jwks_record *record)
{
	struct buffer b = buffer_new(a, record->keys.len + 1024);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "url", record->url);
	json_add_string(&b, "etag", record->etag);
	json_add_number(&b, "fetched_at", record->fetched_at);
	json_add_number(&b, "fresh_until", record->fresh_until);
	json_add_raw(&b, "set", record->keys);
	json_end(&b, '}');
	buffer_add_char(&b, '\n');
	return buffer_text(&b);
}

static bool read_time(const struct json *object, const char *name, int64_t *out)
{
	const struct json *value;
	double number;

	if (!json_member(object, name, &value) || !json_number(value, &number) ||
	    !(number >= 0 && number <= 253402300799.0))
		return false;
	*out = (int64_t)number;
	return true;
}

bool jwks_record_parse(struct arena *a, struct text file, struct jwks_record *out,
		       struct problem *p)
{
	const char *why = "no object";
	const struct json *record = json_parse(a, file, RECORD_DEPTH, &why), *value;
	struct jwks_record r;

	if (!record || json_type(record) != JSON_OBJECT)
		return problem(p, KEYS_AWAY, "key file: %s", why);
	if (!json_member(record, "url", &value) || !json_string(value, &r.url) ||
	    !json_member(record, "etag", &value) || !json_string(value, &r.etag) ||
	    !read_time(record, "fetched_at", &r.fetched_at) ||
	    !read_time(record, "fresh_until", &r.fresh_until) ||
	    !json_member(record, "set", &value))
		return problem(p, KEYS_AWAY, "key file: not as pintle-fetch writes it");
	/* Nothing in the file can make a set live longer than a fresh fetch could. */
	if (r.fresh_until > r.fetched_at + JWKS_LIFE_MAX_S)
		r.fresh_until = r.fetched_at + JWKS_LIFE_MAX_S;
	r.keys = json_print(a, value);
	*out = r;
	return true;
}

bool jwks_is_cooling(const char *tried, const char *url, int cooldown_s)
{
	const size_t len = strlen(url);
	const int fd = open(tried, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char content[2048];
	struct stat st;
	ssize_t got;
	time_t age;

	if (fd < 0)
		return false;
	got = fstat(fd, &st) == 0 ? read(fd, content, sizeof(content)) : -1;
	close(fd);
	if (got < 0 || (size_t)got != (len < sizeof(content) ? len : sizeof(content)) ||
	    memcmp(content, url, (size_t)got) != 0)
		return false;
	age = time(NULL) - st.st_mtime;
	/* A stamp from the future is the work of a clock that was set back: it says nothing. */
	return age > -2 && age < cooldown_s;
}

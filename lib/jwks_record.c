#include "jwks.h"

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

#include "freshness.h"

#define ETAG_MAX 256

static void take_cache_control(struct freshness *f, struct text value)
{
	while (value.len) {
		struct text rest, number, directive = text_before(value, ',', &rest);
		const struct text name = text_trim(text_before(directive, '=', &number));

		if (text_equal_nocase(name, AS_TEXT("max-age"))) {
			number = text_trim(number);
			if (number.len > 2 && number.data[0] == '"')
				number = (struct text){ number.data + 1, number.len - 2 };
			text_to_number(number, &f->max_age_s);
		} else if (text_equal_nocase(name, AS_TEXT("no-store")) ||
			   text_equal_nocase(name, AS_TEXT("no-cache"))) {
			f->no_store = true;
		}
		value = rest;
	}
}

void freshness_take(struct freshness *f, struct arena *a, struct text line)
{
	struct text name, value;

	while (line.len &&
	       (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
		line.len--;
	name = text_before(line, ':', &value);
	value = text_trim(value);
	if (text_equal_nocase(name, AS_TEXT("ETag")) && value.len <= ETAG_MAX)
		f->etag = arena_copy(a, value);
	else if (text_equal_nocase(name, AS_TEXT("Cache-Control")))
		take_cache_control(f, value);
	else if (text_equal_nocase(name, AS_TEXT("Age")))
		text_to_number(value, &f->age_s);
}

int64_t freshness_life(const struct freshness *f)
{
	if (f->no_store)
		return 0;
	if (f->max_age_s < 0)
		return -1;
	return f->max_age_s > f->age_s ? f->max_age_s - f->age_s : 0;
}

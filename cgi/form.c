#include "form.h"

#define FIELDS_MAX 32

bool form_is(const struct request *req)
{
	struct text rest;
	const struct text name = text_trim(text_before(req->content_type, ';', &rest));

	return text_equal_nocase(name, AS_TEXT("application/x-www-form-urlencoded"));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode(struct arena *a, struct text in, struct text *out)
{
	char *bytes = arena_alloc(a, in.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.data[i] == '+' ? ' ' : in.data[i];

		if (c == '%') {
			if (i + 2 >= in.len || hex_digit(in.data[i + 1]) < 0 ||
			    hex_digit(in.data[i + 2]) < 0)
				return false;
			c = (char)(hex_digit(in.data[i + 1]) * 16 +
				   hex_digit(in.data[i + 2]));
			i += 2;
		}
		if (!c)
			return false;
		bytes[len++] = c;
	}
	*out = (struct text){ bytes, len };
	return true;
}

bool form_check(struct arena *a, struct text form, struct problem *p)
{
	struct text names[FIELDS_MAX], value;
	size_t count = 0;

	while (form.len) {
		struct text raw;
		const struct text pair = text_before(form, '&', &form);
		const struct text name = text_before(pair, '=', &raw);

		if (!pair.len)
			continue;
		if (count == FIELDS_MAX)
			return problem(p, BAD_FORM, "more than %d fields", FIELDS_MAX);
		if (!decode(a, name, &names[count]) || !decode(a, raw, &value))
			return problem(p, BAD_FORM, "a broken escape or a NUL");
		for (size_t i = 0; i < count; i++)
			if (text_equal(names[i], names[count]))
				return problem(p, BAD_FORM, "a field twice");
		count++;
	}
	return true;
}

bool form_field(struct arena *a, struct text form, const char *name, struct text *out)
{
	struct text value = { 0 };
	unsigned found = 0;

	while (form.len) {
		struct text raw, decoded;
		const struct text pair = text_before(form, '&', &form);
		const struct text key = text_before(pair, '=', &raw);

		/* "&&" is no field without a name, as form_check has it. */
		if (!pair.len || !decode(a, key, &decoded) || !text_is(decoded, name))
			continue;
		if (!decode(a, raw, &value))
			return false;
		found++;
	}
	if (found != 1)
		return false;
	*out = value;
	return true;
}

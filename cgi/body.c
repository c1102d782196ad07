#include "body.h"

#define BODY_DEPTH 32

/* "application/json", perhaps with charset=utf-8 (RFC 8259, 11), and nothing else. */
static bool is_json_type(struct text type)
{
	struct text rest, value;
	struct text name = text_trim(text_before(type, ';', &rest));

	if (!text_equal_nocase(name, AS_TEXT("application/json")))
		return false;
	while (rest.len) {
		name = text_trim(text_before(text_trim(text_before(rest, ';', &rest)),
					     '=', &value));
		if (!name.len && !value.len)
			continue;
		if (!text_equal_nocase(name, AS_TEXT("charset")))
			return false;
		value = text_trim(value);
		if (value.len >= 2 && value.data[0] == '"' &&
		    value.data[value.len - 1] == '"')
			value = (struct text){ value.data + 1, value.len - 2 };
		if (!text_equal_nocase(value, AS_TEXT("utf-8")))
			return false;
	}
	return true;
}

/* More digits than any length of ours has; such a body is too large, and the header no lie. */
static bool is_huge(struct text length)
{
	size_t digits = 0;

	for (size_t i = 0; i < length.len; i++) {
		if (length.data[i] < '0' || length.data[i] > '9')
			return false;
		digits += digits || length.data[i] != '0';
	}
	return digits > 18;
}

/* Content-Length may be absent or empty: with chunked bodies some servers do not know it. */
bool body_check_length(const struct request *req, size_t limit, struct problem *p)
{
	int64_t length = 0;

	if (req->content_length.len) {
		if (!text_to_number(req->content_length, &length))
			return is_huge(req->content_length)
				       ? problem(p, BODY_TOO_LARGE,
						 "%.*s bytes announced",
						 TEXT_ARG(req->content_length))
				       : problem(p, BAD_LENGTH, "Content-Length %.*s",
						 TEXT_ARG(req->content_length));
		if ((uint64_t)length > limit)
			return problem(p, BODY_TOO_LARGE, "%lld bytes announced",
				       (long long)length);
	}
	if (req->body_size > limit)
		return problem(p, BODY_TOO_LARGE, "%zu bytes", req->body_size);
	if (req->body_broken)
		return problem(p, BODY_SHORT, "it broke off after %zu bytes",
			       req->body_size);
	if (req->content_length.len && (uint64_t)length != req->body_size)
		return problem(p, BODY_SHORT, "%zu of %lld bytes", req->body_size,
			       (long long)length);
	return true;
}

bool body_parse(const struct request *req, size_t limit, bool empty_is_fine,
		const struct json **out, struct problem *p)
{
	const char *why = "no object";
	const struct json *value;

	if (empty_is_fine && !req->body_size && !req->body_broken &&
	    (!req->content_length.len || text_is(req->content_length, "0"))) {
		*out = NULL;
		return true;
	}
	if (!is_json_type(req->content_type) || req->content_encoding.len)
		return problem(p, MEDIA_TYPE, "Content-Type %.*s",
			       TEXT_ARG(req->content_type));
	if (!body_check_length(req, limit, p))
		return false;
	value = json_parse(req->arena, req->body, BODY_DEPTH, &why);
	if (!value || json_type(value) != JSON_OBJECT)
		return problem(p, BAD_JSON, "%s", value ? "no object" : why);
	*out = value;
	return true;
}

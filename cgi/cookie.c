#include "cookie.h"

#include "buffer.h"

struct search {
	struct text name, value;
	unsigned found;
};

/*
 * Separated by ";", and by "," where the server joined two headers (RFC 9110, 5.3). Not by ","
 * for a name with a prefix: what "__Host-" promises would be gone if the page of a sibling
 * host could put a cookie of that name into the value of one of its own.
 */
static struct text next_cookie(struct text *rest, bool commas)
{
	const struct text all = *rest;
	size_t len = 0;

	while (len < all.len && all.data[len] != ';' && !(commas && all.data[len] == ','))
		len++;
	*rest = len < all.len ? (struct text){ all.data + len + 1, all.len - len - 1 }
			      : AS_TEXT("");
	return text_trim((struct text){ all.data, len });
}

static void search_header(void *context, struct text header)
{
	struct search *s = context;
	const bool commas = !text_starts(s->name, "__");

	while (header.len) {
		struct text value, tail, again;
		const struct text name =
			text_before(next_cookie(&header, commas), '=', &value);

		if (!text_equal(name, s->name))
			continue;
		/* No token of ours holds a ",": what follows is of another header. */
		s->value = text_trim(text_before(value, ',', &tail));
		s->found++;
		if (text_equal(text_before(text_trim(tail), '=', &again), s->name))
			s->found++;
	}
}

bool cookie_find(const struct request *req, const char *name, struct text *out)
{
	struct search s = { .name = text_of(name) };

	request_each(req->variables, "HTTP_COOKIE", search_header, &s);
	if (s.found != 1)
		return false;
	*out = s.value;
	return true;
}

struct text cookie_print(struct arena *a, const struct config *config, const char *name,
			 struct text value, int64_t max_age_s)
{
	const struct config_session *session = &config->session;
	struct buffer b = buffer_new(a, 256);

	buffer_add(&b, text_of(name));
	buffer_add_char(&b, '=');
	buffer_add(&b, value);
	buffer_add(&b, AS_TEXT("; Path=/; Max-Age="));
	buffer_add_number(&b, value.len ? max_age_s : 0);
	if (session->cookie_domain) {
		buffer_add(&b, AS_TEXT("; Domain="));
		buffer_add(&b, text_of(session->cookie_domain));
	}
	buffer_add(&b, AS_TEXT("; HttpOnly; SameSite="));
	buffer_add(&b, text_of(session->same_site));
	if (config->https)
		buffer_add(&b, AS_TEXT("; Secure"));
	if (session->partitioned)
		buffer_add(&b, AS_TEXT("; Partitioned"));
	return buffer_text(&b);
}

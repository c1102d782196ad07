#include "request.h"

#include "secret.h"

/* More of a body than this is not even read to be thrown away. */
#define DRAIN_MAX (16u * 1024 * 1024)

struct found {
	struct text value;
	unsigned count;
};

static void note_first(void *context, struct text value)
{
	struct found *found = context;

	if (!found->count++)
		found->value = value;
}

void request_each(char *const *variables, const char *name,
		  void (*each)(void *context, struct text value), void *context)
{
	const size_t len = strlen(name);

	/* A login asks for 15 of some 25: the first letter says of most that it is another. */
	for (; *variables; variables++)
		if (**variables == *name && strncmp(*variables, name, len) == 0 &&
		    (*variables)[len] == '=')
			each(context, text_of(*variables + len + 1));
}

/* The value of a variable, "" if it is absent or, being there twice, means nothing certain. */
static struct text get(char *const *variables, const char *name)
{
	struct found found = { 0 };

	request_each(variables, name, note_first, &found);
	return found.count == 1 ? found.value : AS_TEXT("");
}

/* The first one: what the server itself sets comes before what may be folded into its name. */
static struct text first(char *const *variables, const char *name, bool *present)
{
	struct found found = { 0 };

	request_each(variables, name, note_first, &found);
	if (present)
		*present = found.count != 0;
	return found.count ? found.value : AS_TEXT("");
}

/* SPEC section 2: PATH_INFO, or the last segment of SCRIPT_NAME. */
static struct text find_path(char *const *variables)
{
	struct text path = first(variables, "PATH_INFO", NULL);
	struct text script = first(variables, "SCRIPT_NAME", NULL);
	size_t start = script.len;

	if (path.len)
		return path;
	while (start && script.data[start - 1] != '/')
		start--;
	return start ? (struct text){ script.data + start - 1, script.len - start + 1 }
		     : AS_TEXT("");
}

/*
 * The server's words for our path, put together again, are what was asked for. Where it asks
 * about another page the URI is that page's.
 */
static bool is_direct(char *const *variables, struct text uri)
{
	const struct text script = first(variables, "SCRIPT_NAME", NULL);
	const struct text info = first(variables, "PATH_INFO", NULL);
	struct text query;
	const struct text path = text_before(uri, '?', &query);

	return !uri.len || (path.len == script.len + info.len &&
			    memcmp(path.data, script.data, script.len) == 0 &&
			    memcmp(path.data + script.len, info.data, info.len) == 0);
}

static void make_id(char id[REQUEST_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char random[(REQUEST_ID_SIZE - 1) / 2];

	secret_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++) {
		id[2 * i] = hex[random[i] >> 4];
		id[2 * i + 1] = hex[random[i] & 15];
	}
	id[2 * sizeof(random)] = '\0';
}

void request_read(struct request *req, const struct door *door, struct arena *arena,
		  int64_t now)
{
	char *const *v = door->variables;

	memset(req, 0, sizeof(*req));
	make_id(req->id);
	req->arena = arena;
	req->now = now;
	req->role = door->role;
	req->variables = v;
	req->method = first(v, "REQUEST_METHOD", NULL);
	req->path = find_path(v);
	req->address = first(v, "REMOTE_ADDR", NULL);
	req->user_agent = first(v, "HTTP_USER_AGENT", NULL);
	req->content_type = get(v, "CONTENT_TYPE");
	req->content_encoding = first(v, "HTTP_CONTENT_ENCODING", NULL);
	req->content_length = first(v, "CONTENT_LENGTH", NULL);
	/* Two Origins are one that is nobody's. */
	first(v, "HTTP_ORIGIN", &req->has_origin);
	req->origin = get(v, "HTTP_ORIGIN");
	req->fetch_site = first(v, "HTTP_SEC_FETCH_SITE", NULL);
	req->fetch_mode = first(v, "HTTP_SEC_FETCH_MODE", NULL);
	req->uri = first(v, "REQUEST_URI", NULL);
	req->is_direct = is_direct(v, req->uri);
	req->accept = first(v, "HTTP_ACCEPT", NULL);
	req->authorization = get(v, "HTTP_AUTHORIZATION");
}

/* A body that comes all the same is read to its end and counted, not kept. */
static bool has_no_body(struct text method)
{
	return text_is(method, "GET") || text_is(method, "HEAD") ||
	       text_is(method, "OPTIONS");
}

void request_read_body(struct request *req, const struct door *door, size_t limit)
{
	struct text length = req->content_length;
	char *kept, rest[4096];
	int64_t expected;
	size_t room = limit;
	ssize_t got = 1;

	/*
	 * The server's word for the length, where it is a small one, saves memory: without a
	 * body there is none (RFC 3875, 4.1.2), and 64 KiB to be cleared for each GET cost
	 * more than all the rest of it.
	 */
	if (text_to_number(length, &expected) && (size_t)expected < room)
		room = (size_t)expected;
	else if (!length.len && has_no_body(req->method))
		room = 0;
	kept = arena_alloc(req->arena, room + 1);
	req->body = (struct text){ kept, 0 };
	while (got > 0 && req->body_size < DRAIN_MAX) {
		const size_t left = room - req->body.len;

		if (left) {
			got = door->read_body(door->context, kept + req->body.len, left);
			req->body.len += got > 0 ? (size_t)got : 0;
		} else {
			got = door->read_body(door->context, rest, sizeof(rest));
		}
		req->body_size += got > 0 ? (size_t)got : 0;
	}
	req->body_broken = got != 0;
}

struct text request_bearer(const struct request *req)
{
	struct text rest;
	const struct text scheme = text_before(req->authorization, ' ', &rest);

	return text_equal_nocase(scheme, AS_TEXT("Bearer")) ? text_trim(rest)
							    : AS_TEXT("");
}

#include "response.h"

#include "json.h"

#define RETRY_DATABASE_S 2
#define RETRY_KEYS_S 10
#define RETRY_RATE_S 60

void response_start(struct response *res, struct arena *arena)
{
	memset(res, 0, sizeof(*res));
	res->arena = arena;
	res->status = 200;
	res->content_type = "application/json";
	res->headers = buffer_new(arena, 512);
	res->body = buffer_new(arena, 1024);
}

void response_header(struct response *res, const char *name, struct text value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f)
			return;
	buffer_add(&res->headers, text_of(name));
	buffer_add(&res->headers, AS_TEXT(": "));
	buffer_add(&res->headers, value);
	buffer_add(&res->headers, AS_TEXT("\r\n"));
}

static unsigned retry_after(const struct problem *p)
{
	switch (p->kind) {
	case PROBLEM_DATABASE_AWAY:
		return RETRY_DATABASE_S;
	case PROBLEM_KEYS_AWAY:
		return p->retry_after_s ? p->retry_after_s : RETRY_KEYS_S;
	case PROBLEM_RATE_LIMITED:
		return p->retry_after_s ? p->retry_after_s : RETRY_RATE_S;
	default:
		return 0;
	}
}

void response_problem(struct response *res, const struct problem *p,
		      const char *request_id)
{
	const struct problem_row *row = problem_row(p->kind);
	const unsigned retry = retry_after(p);

	res->status = row->status;
	res->bodiless = false;
	res->headers.len = 0;
	res->body.len = 0;
	res->content_type = "application/json";
	json_begin(&res->body, NULL, '{');
	json_add_string(&res->body, "error", text_of(row->error));
	if (row->reason)
		json_add_string(&res->body, "reason", text_of(row->reason));
	else
		json_add_null(&res->body, "reason");
	json_add_string(&res->body, "message", text_of(row->message));
	json_add_string(&res->body, "request_id", text_of(request_id));
	json_end(&res->body, '}');
	if (retry)
		response_header(res, "Retry-After",
				arena_printf(res->arena, "%u", retry));
}

static void add_or_null(struct buffer *b, const char *name, struct text value)
{
	if (value.len)
		json_add_string(b, name, value);
	else
		json_add_null(b, name);
}

void response_add_user(struct response *res, const struct store_user *user)
{
	json_begin(&res->body, "user", '{');
	json_add_string(&res->body, "id", text_of(user->id));
	add_or_null(&res->body, "email", text_of(user->email));
	add_or_null(&res->body, "phone", text_of(user->phone));
	json_end(&res->body, '}');
}

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} known[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].status == status)
			return known[i].phrase;
	return "Unknown";
}

struct text response_print(const struct response *res)
{
	struct buffer out =
		buffer_new(res->arena, 512 + res->headers.len + res->body.len);
	const bool has_body = !res->bodiless;

	buffer_add(&out, AS_TEXT("Status: "));
	buffer_add_number(&out, res->status);
	buffer_add_char(&out, ' ');
	buffer_add(&out, text_of(phrase(res->status)));
	buffer_add(&out, AS_TEXT("\r\nCache-Control: no-store\r\n"
				 "X-Content-Type-Options: nosniff\r\n"));
	if (has_body) {
		buffer_add(&out, AS_TEXT("Content-Type: "));
		buffer_add(&out, text_of(res->content_type));
		buffer_add(&out, AS_TEXT("\r\nContent-Length: "));
		buffer_add_number(&out, (int64_t)res->body.len);
		buffer_add(&out, AS_TEXT("\r\n"));
	}
	buffer_add(&out, buffer_text(&res->headers));
	buffer_add(&out, AS_TEXT("\r\n"));
	if (has_body && !res->without_body)
		buffer_add(&out, buffer_text(&res->body));
	return buffer_text(&out);
}

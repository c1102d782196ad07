#include "body.h"
#include "form.h"
#include "fuzz.h"
#include "origin.h"
#include "return_to.h"
#include "route.h"

#define VARIABLES_MAX 24

static const struct config *settings(void)
{
	static char ours[] = "https://www.example.com",
		    other[] = "https://app.example.com";
	static char *listed[] = { other, NULL };
	static char issuer[] = "https://id.example/tenant";
	static char *issuers[] = { issuer, NULL };
	static struct config_provider provider = { .issuers = { issuers, 1 },
						   .form = true };
	static struct config config;

	config.providers = &provider;
	config.provider_count = 1;
	config.public_origin = ours;
	config.allowed_origins = (struct config_list){ listed, 1 };
	return &config;
}

static ssize_t read_all(void *context, char *out, size_t size)
{
	struct text *left = context;
	const size_t len = size < left->len ? size : left->len;

	memcpy(out, left->data, len);
	*left = (struct text){ left->data + len, left->len - len };
	return (ssize_t)len;
}

struct tally {
	unsigned count;
	struct text last;
};

static void note(void *context, struct text value)
{
	struct tally *tally = context;

	tally->count++;
	tally->last = value;
}

static struct tally look(char *const *variables, const char *name)
{
	struct tally tally = { 0 };

	request_each(variables, name, note, &tally);
	return tally;
}

/* Who may change something: nobody, ours or listed, byte for byte, and in one header. */
static void check_origin(struct arena *a, const struct request *req)
{
	const struct tally origin = look(req->variables, "HTTP_ORIGIN");
	const bool known =
		origin.count == 1 && (text_is(origin.last, "https://www.example.com") ||
				      text_is(origin.last, "https://app.example.com"));
	struct problem p = { 0 };
	struct response res;
	struct text head;
	const bool allowed = origin_check(settings(), req, false, &p);
	const bool form_allowed = origin_check(settings(), req, true, &p);

	if (origin.count)
		REQUIRE(allowed == known);
	/* A form may come from the provider's page as well, and nothing else may. */
	if (form_allowed && !allowed)
		REQUIRE(form_is(req) && text_is(req->origin, "https://id.example"));
	REQUIRE(form_allowed || !allowed);
	response_start(&res, a);
	origin_add_headers(settings(), req, "GET", &res);
	head = buffer_text(&res.headers);
	REQUIRE(!memmem(head.data, head.len, "Origin: *", 9));
	REQUIRE(!memmem(head.data, head.len, "Origin: null", 12));
	REQUIRE(!memmem(head.data, head.len, "Credentials: true", 17) ||
		text_is(req->origin, "https://app.example.com"));
}

static void check_body(const struct request *req, size_t limit)
{
	const struct json *value = NULL;
	struct problem p = { 0 };
	int64_t length;

	if (!body_parse(req, limit, false, &value, &p)) {
		REQUIRE(p.kind == PROBLEM_MEDIA_TYPE ||
			p.kind == PROBLEM_BODY_TOO_LARGE ||
			p.kind == PROBLEM_BAD_LENGTH || p.kind == PROBLEM_BODY_SHORT ||
			p.kind == PROBLEM_BAD_JSON);
		return;
	}
	fuzz_through++;
	REQUIRE(json_type(value) == JSON_OBJECT && req->body_size <= limit);
	REQUIRE(req->body.len == req->body_size && !req->body_broken);
	REQUIRE(!json_scan(req->body, 32, NULL) && !req->content_encoding.len);
	REQUIRE(look(req->variables, "CONTENT_TYPE").count == 1);
	REQUIRE(req->content_type.len >= 16 &&
		text_equal_nocase((struct text){ text_trim(req->content_type).data, 16 },
				  AS_TEXT("application/json")));
	if (req->content_length.len)
		REQUIRE(text_to_number(req->content_length, &length) &&
			(size_t)length == req->body_size);
}

static void check_return(struct text uri)
{
	const struct text safe = return_to_safe(uri);

	REQUIRE(safe.len && safe.data[0] == '/' &&
		(safe.len == 1 || safe.data[1] != '/'));
	REQUIRE(!memchr(safe.data, '\\', safe.len) &&
		!memchr(safe.data, '\r', safe.len) && !memchr(safe.data, '\n', safe.len));
}

/* Lines "NAME=value", an empty one, then the body. */
void fuzz_request(struct arena *a, struct text input)
{
	char *variables[VARIABLES_MAX + 1] = { 0 };
	const struct door door = { ROLE_RESPONDER, variables, read_all, &input };
	struct route_path path;
	struct problem p = { 0 };
	const struct route *route;
	struct request req;

	for (size_t i = 0; i < VARIABLES_MAX && input.len; i++) {
		const struct text line = text_before(input, '\n', &input);

		if (!line.len)
			break;
		variables[i] = (char *)(uintptr_t)arena_copy(a, line).data;
	}
	request_read(&req, &door, a, 0);
	request_read_body(&req, &door, 256);
	check_origin(a, &req);
	check_body(&req, 256);
	check_return(req.uri);
	REQUIRE(request_bearer(&req).len <= req.authorization.len);
	route = route_find(&req, &path, &p);
	REQUIRE((route != NULL) == (p.kind == PROBLEM_NONE));
	/* Exactly, and no prefix of it: servers hand over /loginX as well. */
	if (route && route->handle == handle_login)
		REQUIRE(text_is(req.path, "/login") && text_is(req.method, "POST"));
}

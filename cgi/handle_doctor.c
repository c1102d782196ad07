#include "json.h"
#include "pass.h"
#include "route.h"

#define DEPTH 4

/* What the web server may have dropped, changed or added. Who asks has written the rest. */
static const char *const shown[] = {
	"REQUEST_METHOD",
	"SCRIPT_NAME",
	"PATH_INFO",
	"QUERY_STRING",
	"REMOTE_ADDR",
	"HTTPS",
	"REQUEST_SCHEME",
	"SERVER_NAME",
	"SERVER_PORT",
	"SERVER_SOFTWARE",
	"SERVER_PROTOCOL",
	"CONTENT_TYPE",
	"CONTENT_LENGTH",
	"HTTP_HOST",
	"HTTP_AUTHORIZATION",
	"HTTP_COOKIE",
	"HTTP_ORIGIN",
	"HTTP_SEC_FETCH_SITE",
	"HTTP_USER_AGENT",
	"HTTP_ACCEPT",
	"HTTP_VIA",
	"HTTP_X_FORWARDED_FOR",
	"HTTP_X_FORWARDED_PROTO",
};

static void add(void *context, struct text value)
{
	struct buffer *b = context;

	/* A header may hold any byte; what is no UTF-8 is not repeated. */
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.data[i] >= 0x7f ||
		    (unsigned char)value.data[i] < ' ')
			value = AS_TEXT("?");
	json_add_string(b, NULL, value);
}

static void add_variables(const struct request *req, struct buffer *b)
{
	json_begin(b, "variables", '{');
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		json_begin(b, shown[i], '[');
		request_each(req->variables, shown[i], add, b);
		json_end(b, ']');
	}
	json_end(b, '}');
}

/*
 * For pintlectl doctor --url: what of a request arrived here. Everybody else gets 404, and no
 * way to find out whether a doctor is at work.
 */
bool handle_doctor(const struct app *app, const struct request *req, struct response *res,
		   struct problem *p)
{
	const char *why;
	const struct json *body = json_parse(req->arena, req->body, DEPTH, &why), *value;
	struct text secret;

	if (!json_member(body, "secret", &value) || !json_string(value, &secret) ||
	    !pass_is_valid(app->config->state_dir, secret, req->now))
		return problem(p, NOT_FOUND, "no doctor has asked for it");
	json_begin(&res->body, NULL, '{');
	json_add_number(&res->body, "body_bytes", (int64_t)req->body_size);
	json_add_boolean(&res->body, "body_broken", req->body_broken);
	json_add_string(&res->body, "path", req->path);
	json_add_string(&res->body, "address", req->address);
	add_variables(req, &res->body);
	json_end(&res->body, '}');
	return true;
}

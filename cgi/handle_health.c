#include "json.h"
#include "route.h"

bool handle_health(const struct app *app, const struct request *req, struct response *res,
		   struct problem *p)
{
	(void)app, (void)req, (void)p;
	json_begin(&res->body, NULL, '{');
	json_add_string(&res->body, "status", AS_TEXT("ok"));
	json_end(&res->body, '}');
	return true;
}

/* Keys are told but do not decide: they come when the first token asks for them. */
static void add_keys(const struct app *app, int64_t now, struct buffer *b)
{
	json_begin(b, "keys", '{');
	for (size_t i = 0; i < app->rules.providers->count; i++) {
		const struct provider *provider = &app->rules.providers->all[i];
		size_t keys = 0;
		int64_t age;

		jwks_status(provider->jwks, now, &keys, &age);
		json_add_number(b, provider->config->name, (int64_t)keys);
	}
	json_end(b, '}');
}

bool handle_ready(const struct app *app, const struct request *req, struct response *res,
		  struct problem *p)
{
	struct problem database = { 0 };
	const bool ready = store_ping(app->store, &database);

	(void)p;
	res->status = ready ? 200 : 503;
	if (!ready)
		response_header(res, "Retry-After", AS_TEXT("2"));
	json_begin(&res->body, NULL, '{');
	json_add_boolean(&res->body, "ready", ready);
	json_add_string(&res->body, "database",
			ready ? AS_TEXT("ok") : AS_TEXT("unavailable"));
	add_keys(app, req->now, &res->body);
	json_end(&res->body, '}');
	return true;
}

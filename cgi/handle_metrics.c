#include <inttypes.h>

#include "metrics.h"
#include "network.h"
#include "route.h"

/* The address is what the web server says, never a header. */
static bool is_allowed(const struct config_list *networks, struct text address)
{
	for (size_t i = 0; i < networks->count; i++)
		if (network_holds(text_of(networks->items[i]), address))
			return true;
	return false;
}

static void add_gauge(struct buffer *b, const char *name, const char *help)
{
	buffer_printf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* Not counted but looked up: what this worker would use. */
static void add_keys(const struct app *app, int64_t now, struct buffer *b)
{
	const struct providers *providers = app->rules.providers;

	add_gauge(b, "pintle_provider_keys", "Usable keys at hand.");
	for (size_t i = 0; i < providers->count; i++) {
		size_t keys = 0;
		int64_t age_s;

		jwks_status(providers->all[i].jwks, now, &keys, &age_s);
		buffer_printf(b, "pintle_provider_keys{provider=\"%s\"} %zu\n",
			      providers->all[i].config->name, keys);
	}
	add_gauge(b, "pintle_provider_keys_age_seconds",
		  "Since they were fetched; 0 if pinned.");
	for (size_t i = 0; i < providers->count; i++) {
		size_t keys;
		int64_t age_s;

		if (jwks_status(providers->all[i].jwks, now, &keys, &age_s))
			buffer_printf(b,
				      "pintle_provider_keys_age_seconds{provider=\"%s\"} "
				      "%" PRId64 "\n",
				      providers->all[i].config->name, age_s);
	}
}

bool handle_metrics(const struct app *app, const struct request *req,
		    struct response *res, struct problem *p)
{
	if (!is_allowed(&app->config->metrics_allow, req->address))
		return problem(p, ADDRESS_REFUSED, "not in metrics_allow");
	if (!metrics_print(&res->body, p))
		return false;
	add_keys(app, req->now, &res->body);
	res->content_type = "text/plain; version=0.0.4; charset=utf-8";
	return true;
}

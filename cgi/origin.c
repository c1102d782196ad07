#include "origin.h"

static bool is_ours(const struct config *config, struct text origin)
{
	return text_is(origin, config->public_origin);
}

static bool is_listed(const struct config *config, struct text origin)
{
	for (size_t i = 0; i < config->allowed_origins.count; i++)
		if (text_is(origin, config->allowed_origins.items[i]))
			return true;
	return false;
}

bool origin_check(const struct config *config, const struct request *req, struct problem *p)
{
	if (req->has_origin) {
		if (is_ours(config, req->origin) || is_listed(config, req->origin))
			return true;
		return problem(p, ORIGIN_REFUSED, "Origin %.*s", TEXT_ARG(req->origin));
	}
	if (text_equal_nocase(req->fetch_site, AS_TEXT("cross-site")))
		return problem(p, ORIGIN_REFUSED, "cross-site without an Origin");
	return true;
}

void origin_add_headers(const struct config *config, const struct request *req,
			const char *methods, struct response *res)
{
	response_header(res, "Vary", AS_TEXT("Origin"));
	if (!req->has_origin || !is_listed(config, req->origin))
		return;
	response_header(res, "Access-Control-Allow-Origin", req->origin);
	response_header(res, "Access-Control-Allow-Credentials", AS_TEXT("true"));
	if (!methods)
		return;
	response_header(res, "Access-Control-Allow-Methods", text_of(methods));
	response_header(res, "Access-Control-Allow-Headers",
			AS_TEXT("Content-Type, Authorization"));
	response_header(res, "Access-Control-Max-Age", AS_TEXT("600"));
}

#include "origin.h"

#include "form.h"

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

/* Scheme and host: "https:" alone begins every issuer as well. */
static bool is_whole(struct text origin)
{
	const size_t scheme = text_starts(origin, "https://")  ? 8
			      : text_starts(origin, "http://") ? 7
							       : origin.len;

	return origin.len > scheme &&
	       !memchr(origin.data + scheme, '/', origin.len - scheme);
}

/* "https://id.example.com" of that issuer, or of one with a path. */
static bool is_of_provider(const struct config_provider *provider, struct text origin)
{
	if (!provider->form || !is_whole(origin))
		return false;
	for (size_t i = 0; i < provider->issuers.count; i++) {
		const struct text issuer = text_of(provider->issuers.items[i]);

		if (issuer.len >= origin.len &&
		    memcmp(issuer.data, origin.data, origin.len) == 0 &&
		    (issuer.len == origin.len || issuer.data[origin.len] == '/'))
			return true;
	}
	return false;
}

static bool is_of_any_provider(const struct config *config, struct text origin)
{
	for (size_t i = 0; i < config->provider_count; i++)
		if (is_of_provider(&config->providers[i], origin))
			return true;
	return false;
}

static bool refuse(const struct request *req, struct problem *p)
{
	return problem(p, ORIGIN_REFUSED, "Origin %.*s", TEXT_ARG(req->origin));
}

bool origin_check(const struct config *config, const struct request *req, bool forms,
		  struct problem *p)
{
	if (req->has_origin)
		return is_ours(config, req->origin) || is_listed(config, req->origin) ||
		       (forms && form_is(req) &&
			is_of_any_provider(config, req->origin)) ||
		       refuse(req, p);
	if (text_equal_nocase(req->fetch_site, AS_TEXT("cross-site")))
		return problem(p, ORIGIN_REFUSED, "cross-site without an Origin");
	return true;
}

bool origin_check_form(const struct config *config, const struct request *req,
		       const struct config_provider *provider, struct problem *p)
{
	return !req->has_origin || is_ours(config, req->origin) ||
	       is_listed(config, req->origin) || is_of_provider(provider, req->origin) ||
	       refuse(req, p);
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

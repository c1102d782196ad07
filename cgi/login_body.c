#include "login_body.h"

#include "body.h"
#include "cookie.h"
#include "form.h"
#include "json.h"
#include "origin.h"
#include "return_to.h"

/* The first of token_places that is there decides: it holds a token, or the body is bad. */
static bool find_token(const struct config *config, const struct json *body,
		       struct text *token, struct problem *p)
{
	for (size_t i = 0; i < config->token_places.count; i++) {
		const char *place = config->token_places.items[i];
		const struct json *value;

		if (!json_find(body, place, &value))
			continue;
		return json_string(value, token) ||
		       problem(p, NO_TOKEN, "%s is no string", place);
	}
	return problem(p, NO_TOKEN, "at none of the token_places");
}

static bool takes_forms(const struct config *config)
{
	for (size_t i = 0; i < config->provider_count; i++)
		if (config->providers[i].form)
			return true;
	return false;
}

/* Google's double submit: the page's cookie comes again as a field, or it was another's page. */
static bool has_google_csrf(const struct request *req)
{
	struct text field, cookie;

	return form_field(req->arena, req->body, "g_csrf_token", &field) && field.len &&
	       cookie_find(req, "g_csrf_token", &cookie) && text_equal(field, cookie);
}

static bool check_google(const struct login_body *body, struct problem *p)
{
	return body->has_google_csrf ||
	       problem(p, BAD_FORM, "g_csrf_token is not that of the cookie");
}

/* From the query of the address posted to, or from Apple's state. */
static struct text find_return(const struct request *req)
{
	struct text query, target;

	text_before(req->uri, '?', &query);
	if (form_field(req->arena, query, "return_to", &target) ||
	    form_field(req->arena, req->body, "state", &target))
		return return_to_safe(target);
	return AS_TEXT("/");
}

static bool parse_form(const struct request *req, struct login_body *out,
		       struct problem *p)
{
	struct text credential, id_token;
	bool has_credential, has_id_token;

	if (!form_check(req->arena, req->body, p))
		return false;
	has_credential = form_field(req->arena, req->body, "credential", &credential);
	has_id_token = form_field(req->arena, req->body, "id_token", &id_token);
	if (has_credential && has_id_token)
		return problem(p, BAD_FORM, "both credential and id_token");
	if (!has_credential && !has_id_token)
		return problem(p, NO_TOKEN, "neither credential nor id_token");
	out->has_google_csrf = has_google_csrf(req);
	if (has_credential && !check_google(out, p))
		return false;
	out->is_form = true;
	out->return_to = find_return(req);
	out->token = has_credential ? credential : id_token;
	return true;
}

bool login_body_parse(const struct app *app, const struct request *req,
		      struct login_body *out, struct problem *p)
{
	struct login_body body = { 0 };
	const struct json *json;

	if (form_is(req) && !req->content_encoding.len && takes_forms(app->config)) {
		if (!body_check_length(req, app->config->body_limit, p) ||
		    !parse_form(req, &body, p))
			return false;
	} else if (!body_parse(req, app->config->body_limit, false, &json, p) ||
		   !find_token(app->config, json, &body.token, p)) {
		return false;
	}
	*out = body;
	return true;
}

static bool is_google(const struct identity *identity)
{
	const struct json *value;
	struct text issuer;

	return json_member(identity->document, "iss", &value) &&
	       json_string(value, &issuer) &&
	       (text_is(issuer, "https://accounts.google.com") ||
		text_is(issuer, "accounts.google.com"));
}

bool login_body_check_form(const struct app *app, const struct request *req,
			   const struct login_body *body, const struct identity *identity,
			   struct problem *p)
{
	const struct config_provider *provider = identity->provider->config;

	if (!body->is_form)
		return true;
	if (!provider->form)
		return problem(p, MEDIA_TYPE, "provider %s takes no forms",
			       provider->name);
	return origin_check_form(app->config, req, provider, p) &&
	       /* Whichever field the token came in: another's page chooses that. */
	       (!is_google(identity) || check_google(body, p));
}

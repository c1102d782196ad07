#include "access.h"

#include <stdio.h>

#include "user.h"

/* One request for access on its way. */
struct asking {
	const struct app *app;
	const struct config_session *config;
	int64_t now;
	struct arena *arena;
	bool at_gate;
};

static bool by_opaque(const struct asking *a, struct text token, struct access *out,
		      struct problem *p)
{
	out->has_session = true;
	return session_find(a->app->store, a->config, token, a->now, &out->session,
			    &out->user, p);
}

/*
 * A token that is refused is no session; keys that are away are not known. *REFUSED (may be
 * NULL) gets what was wrong with it.
 */
static bool verify(const struct asking *a, const struct token_rules *rules,
		   struct text token, struct identity *out, enum problem_kind *refused,
		   struct problem *p)
{
	struct problem why = { 0 };

	if (token_verify(rules, token, a->now, a->arena, NULL, out, &why))
		return true;
	if (refused)
		*refused = why.kind;
	if (problem_row(why.kind)->status >= 500) {
		*p = why;
		return false;
	}
	return problem(p, NO_SESSION, "token: %s: %s", problem_row(why.kind)->cause,
		       why.detail);
}

static struct text string_claim(const struct identity *identity, const char *name)
{
	const struct json *value;
	struct text text = { 0 };

	if (json_member(identity->document, name, &value))
		json_string(value, &text);
	return text;
}

/* What the token says of itself and its user, nobody asked. */
static void believe(const struct asking *a, const struct identity *identity,
		    struct text id, struct access *out)
{
	snprintf(out->session.row.id, sizeof(out->session.row.id), "%.*s", TEXT_ARG(id));
	snprintf(out->user.id, sizeof(out->user.id), "%.*s", TEXT_ARG(identity->subject));
	snprintf(out->user.email, sizeof(out->user.email), "%.*s",
		 TEXT_ARG(identity->email));
	out->session.row.last_seen_at = a->now;
	out->session.row.created_at = identity->issued_at;
	out->session.row.expires_at = identity->expires_at;
}

/*
 * Within gate_cache of its making our own JWT is believed; after that its session is asked.
 * With sessions = no there is none, and the token holds until it expires.
 */
static bool by_own_jwt(const struct asking *a, struct text token, struct access *out,
		       enum problem_kind *refused, struct problem *p)
{
	struct identity identity;
	struct text id;

	if (!verify(a, &a->app->own_rules, token, &identity, refused, p))
		return false;
	id = string_claim(&identity, "sid");
	out->has_session = true;
	if (a->config->stateless ||
	    (a->at_gate && a->now - identity.issued_at < a->config->gate_cache_s)) {
		believe(a, &identity, a->config->stateless ? AS_TEXT("") : id, out);
		return true;
	}
	if (!session_find_by_id(a->app->store, a->config, arena_copy(a->arena, id).data,
				a->now, &out->session, &out->user, p))
		return false;
	return text_is(identity.subject, out->user.id) ||
	       problem(p, NO_SESSION, "the session is another user's");
}

/*
 * With single_use: a token that opens no session any more opens no door either. To come by
 * here is no use of it: who calls an interface shows his token again and again.
 */
static bool check_unspent(const struct asking *a, const struct identity *identity,
			  struct problem *p)
{
	const int single_use_s = identity->provider->config->single_use_s;
	unsigned char hash[SHA256_BYTES];
	int64_t first_used_at;

	if (!single_use_s)
		return true;
	token_identity_hash(identity, hash);
	switch (store_token_used(a->app->store, hash, &first_used_at, p)) {
	case STORE_OK:
		return a->now - first_used_at <= single_use_s ||
		       problem(p, NO_SESSION, "the token was first used %lld s ago",
			       (long long)(a->now - first_used_at));
	case STORE_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static bool by_user(const struct asking *a, const struct identity *identity,
		    struct access *out, struct problem *p)
{
	const struct config_provider *provider = identity->provider->config;
	const struct config_accounts *accounts = &a->app->config->accounts;
	/* What a login would refuse, a bearer does not get past either. */
	const bool by_subject =
		provider->match == CONFIG_MATCH_SUBJECT ||
		(accounts->refuse_subject_change && identity->subject.len);
	struct problem why = { 0 };

	if (identity->email.len && !user_domain_allowed(accounts, identity->email, &why))
		return problem(p, NO_SESSION, "%s", why.detail);
	if (!check_unspent(a, identity, p))
		return false;
	out->has_session = false;
	switch (store_user_find(a->app->store, by_subject, identity->email,
				identity->phone, text_of(provider->name),
				identity->subject, &out->user, p)) {
	case STORE_OK:
		break;
	case STORE_NOT_FOUND:
		return problem(p, NO_SESSION, "a good token, but no such user");
	default:
		return false;
	}
	/* Found by subject he may be another one than the address, or the number, says. */
	if (provider->match == CONFIG_MATCH_EMAIL &&
	    !(identity->email.len ? text_is(identity->email, out->user.email)
				  : text_is(identity->phone, out->user.phone)))
		return problem(p, NO_SESSION, "the address is another user's");
	return out->user.active ||
	       problem(p, NO_SESSION, "user %s is disabled", out->user.id);
}

/* In mode "provider" the session that the login started must stand: it can be ended. */
static bool by_provider_token(const struct asking *a, struct text token,
			      struct access *out, struct problem *p)
{
	unsigned char hash[SHA256_BYTES];
	struct identity identity;

	if (!verify(a, &a->app->rules, token, &identity, NULL, p))
		return false;
	if (a->config->mode != CONFIG_SESSION_PROVIDER)
		return by_user(a, &identity, out, p);
	out->has_session = true;
	token_identity_hash(&identity, hash);
	return session_find_by_hash(a->app->store, a->config, hash, a->now, &out->session,
				    &out->user, p);
}

/* The bearer's JWT in mode "jwt": ours, or, when another issuer's, a provider's. */
static bool by_either_jwt(const struct asking *a, struct text token, struct access *out,
			  struct problem *p)
{
	enum problem_kind refused = PROBLEM_NONE;

	if (by_own_jwt(a, token, out, &refused, p))
		return true;
	if (refused != PROBLEM_TOKEN_ISSUER)
		return false;
	problem_clear(p);
	return by_provider_token(a, token, out, p);
}

static bool by_bearer(const struct asking *a, struct text token, struct access *out,
		      struct problem *p)
{
	if (!token_looks_like_jwt(token)) {
		if (a->config->mode == CONFIG_SESSION_BEARER)
			return by_opaque(a, token, out, p);
		return problem(p, NO_SESSION, "the bearer's token is none of ours");
	}
	return a->config->mode == CONFIG_SESSION_JWT
		       ? by_either_jwt(a, token, out, p)
		       : by_provider_token(a, token, out, p);
}

static bool by_cookie(const struct asking *a, struct text token, struct access *out,
		      struct problem *p)
{
	switch (a->config->mode) {
	case CONFIG_SESSION_COOKIE:
		return by_opaque(a, token, out, p);
	case CONFIG_SESSION_JWT:
		return by_own_jwt(a, token, out, NULL, p);
	case CONFIG_SESSION_PROVIDER:
		return by_provider_token(a, token, out, p);
	default:
		return problem(p, NO_SESSION, "no cookies in this session mode");
	}
}

bool access_find(const struct app *app, const struct access_credentials *credentials,
		 int64_t now, struct arena *arena, struct access *out, struct problem *p)
{
	const struct asking a = { app, &app->config->session, now, arena,
				  credentials->at_gate };
	struct access access = { 0 };
	bool found = false;

	if (credentials->cookie.len) {
		found = by_cookie(&a, credentials->cookie, &access, p);
		/* An application's own tokens may come beside our cookie, and the reverse. */
		if (!found && p->kind == PROBLEM_NO_SESSION && credentials->bearer.len)
			problem_clear(p);
	}
	if (!found && p->kind == PROBLEM_NONE) {
		if (!credentials->bearer.len)
			return problem(p, NO_SESSION, "nothing came with the request");
		found = by_bearer(&a, credentials->bearer, &access, p);
	}
	if (found)
		*out = access;
	return found;
}

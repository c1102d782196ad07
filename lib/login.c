#include "login.h"

struct attempt {
	const struct login_request *request;
	const unsigned char
		*token; /* the hash of the provider's token, where it is needed */
	struct login *login;
};

static bool end_session(struct store_tx *tx, const unsigned char *hash, struct problem *p)
{
	return !hash || store_session_drop(tx, hash, p) == STORE_OK;
}

static bool needs_token(const struct login_request *r)
{
	return r->config->session.mode == CONFIG_SESSION_PROVIDER ||
	       r->identity->provider->config->single_use_s;
}

/* A provider's token that is posted again starts its session anew. */
static const unsigned char *same_token(const struct attempt *a)
{
	return a->request->config->session.mode == CONFIG_SESSION_PROVIDER ? a->token
									   : NULL;
}

/* With single_use: a token opens sessions for a while after its first use, then no more. */
static bool use_token(struct store_tx *tx, const struct attempt *a, struct problem *p)
{
	const struct login_request *r = a->request;
	const struct config_provider *provider = r->identity->provider->config;
	int64_t first_used_at;

	if (!provider->single_use_s)
		return true;
	switch (store_token_use(tx, a->token, r->now,
				r->identity->expires_at + provider->leeway_s,
				&first_used_at, p)) {
	case STORE_OK:
		break;
	case STORE_ALREADY_THERE: /* the same token is being posted twice at once */
		return store_tx_again(tx, p);
	default:
		return false;
	}
	return r->now - first_used_at <= provider->single_use_s ||
	       problem(p, TOKEN_REPLAYED, "first used %lld s ago",
		       (long long)(r->now - first_used_at));
}

/* The session, if there are any: in the place of the one that came along. */
static bool renew_session(struct store_tx *tx, const struct attempt *a,
			  const char *user_id, struct problem *p)
{
	return !a->login->has_session || a->request->config->session.stateless ||
	       (end_session(tx, a->request->old_hash, p) &&
		end_session(tx, same_token(a), p) &&
		session_start(tx, &a->request->config->session, user_id,
			      &a->login->session, p));
}

static bool attempt_login(struct store_tx *tx, void *context, struct problem *p)
{
	const struct attempt *a = context;
	const struct login_request *r = a->request;
	struct login *login = a->login;
	struct user_decision d;

	if (!use_token(tx, a, p) ||
	    !user_find_or_create(tx, &r->config->accounts, r->identity, r->now, &d, p) ||
	    !renew_session(tx, a, d.user.id, p))
		return false;
	/*
	 * The very user whom an attempt before made, with a COMMIT that got no answer: it was
	 * done after all. An id that was rolled back is not given out again.
	 */
	login->created = d.created || (login->created && store_tx_may_be_done(tx) &&
				       strcmp(login->user.id, d.user.id) == 0);
	login->user = d.user;
	return true;
}

bool login_record(struct store *store, const struct login_request *request,
		  struct login *out, struct problem *p)
{
	struct login login = { .has_session = request->config->session.mode !=
					      CONFIG_SESSION_NONE };
	unsigned char token[SHA256_BYTES];
	struct attempt attempt = { request, needs_token(request) ? token : NULL, &login };

	if (attempt.token)
		token_identity_hash(request->identity, token);
	if (login.has_session)
		session_prepare(&request->config->session,
				text_of(request->identity->provider->config->name),
				&request->client, request->now, &login.session);
	if (login.has_session && request->config->session.mode == CONFIG_SESSION_PROVIDER)
		session_bind(&login.session, token, request->identity->expires_at);
	if (!store_transact(store, attempt_login, &attempt, p))
		return false;
	*out = login;
	return true;
}

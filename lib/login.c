#include "login.h"

struct attempt {
	const struct login_request *request;
	struct login *login;
};

static bool end_session(struct store_tx *tx, const unsigned char *hash, struct problem *p)
{
	return !hash || store_session_drop(tx, hash, p) == STORE_OK;
}

/* A provider's token that is posted again starts its session anew. */
static const unsigned char *same_token(const struct login_request *r)
{
	return r->config->session.mode == CONFIG_SESSION_PROVIDER ? r->identity->hash : NULL;
}

/* With single_use: a token opens sessions for a while after its first use, then no more. */
static bool use_token(struct store_tx *tx, const struct login_request *r, struct problem *p)
{
	const struct config_provider *provider = r->identity->provider->config;
	int64_t first_used_at;

	if (!provider->single_use_s)
		return true;
	switch (store_token_use(tx, r->identity->hash, r->now,
				r->identity->expires_at + provider->leeway_s, &first_used_at,
				p)) {
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

static bool attempt_login(struct store_tx *tx, void *context, struct problem *p)
{
	const struct attempt *a = context;
	const struct login_request *r = a->request;
	const bool created_before = a->login->created;
	bool already = false;

	if (!use_token(tx, r, p) ||
	    !user_find_or_create(tx, &r->config->accounts, r->identity, r->now,
				 &a->login->user, &a->login->created, p))
		return false;
	if (!a->login->has_session)
		return true;
	if (!end_session(tx, r->old_hash, p) ||
	    (!store_tx_may_be_done(tx) && !end_session(tx, same_token(r), p)) ||
	    !session_start(tx, &r->config->session, a->login->user.id, &a->login->session,
			   &already, p))
		return false;
	/* The attempt before was committed after all, so what it found out holds. */
	if (already)
		a->login->created = created_before;
	return true;
}

bool login_record(struct store *store, const struct login_request *request,
		  struct login *out, struct problem *p)
{
	struct login login = { .has_session = request->config->session.mode !=
					      CONFIG_SESSION_NONE };
	struct attempt attempt = { request, &login };

	if (login.has_session)
		session_prepare(&request->config->session,
				text_of(request->identity->provider->config->name),
				&request->client, request->now, &login.session);
	if (login.has_session && request->config->session.mode == CONFIG_SESSION_PROVIDER)
		session_bind(&login.session, request->identity->hash,
			     request->identity->expires_at);
	if (!store_transact(store, attempt_login, &attempt, p))
		return false;
	*out = login;
	return true;
}

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

static bool attempt_login(struct store_tx *tx, void *context, struct problem *p)
{
	const struct attempt *a = context;
	const struct login_request *r = a->request;
	const bool created_before = a->login->created;
	bool already = false;

	if (!user_find_or_create(tx, &r->config->accounts, r->identity, r->now,
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

#include "login.h"

struct attempt {
	const struct login_request *request;
	struct login *login;
};

static bool end_old_session(struct store_tx *tx, struct text token, struct problem *p)
{
	unsigned char hash[SHA256_BYTES];

	if (!secret_is_token(token))
		return true;
	secret_sha256(token, hash);
	return store_session_drop(tx, hash, p) == STORE_OK;
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
	if (!end_old_session(tx, r->old_token, p) ||
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
	if (!store_transact(store, attempt_login, &attempt, p))
		return false;
	*out = login;
	return true;
}

#include "session.h"

#include <stdio.h>

/* Printable ASCII of T, cut to fit: the browser's word for itself, shown to its owner later. */
static void copy_printable(char *out, size_t size, struct text t)
{
	size_t n = t.len < size - 1 ? t.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = t.data[i] >= ' ' && t.data[i] <= '~' ? t.data[i] : '?';
	out[n] = '\0';
}

static int64_t ends_unused(const struct config_session *config,
			   const struct store_session *row)
{
	const int64_t idle_end = row->last_seen_at + config->idle_s;

	return config->idle_s && idle_end < row->expires_at ? idle_end : row->expires_at;
}

void session_prepare(const struct config_session *config, struct text provider,
		     const struct session_client *client, int64_t now,
		     struct session *out)
{
	memset(out, 0, sizeof(*out));
	secret_token(out->token);
	secret_sha256(text_of(out->token), out->row.hash);
	copy_printable(out->row.provider, sizeof(out->row.provider), provider);
	copy_printable(out->row.address, sizeof(out->row.address), client->address);
	copy_printable(out->row.user_agent, sizeof(out->row.user_agent),
		       client->user_agent);
	out->row.created_at = now;
	out->row.last_seen_at = now;
	out->row.expires_at = now + config->lifetime_s;
	out->valid_until = ends_unused(config, &out->row);
}

void session_bind(struct session *session, const unsigned char hash[SHA256_BYTES],
		  int64_t expires_at)
{
	memset(session->token, 0, sizeof(session->token));
	memcpy(session->row.hash, hash, SHA256_BYTES);
	if (expires_at < session->row.expires_at)
		session->row.expires_at = expires_at;
	if (expires_at < session->valid_until)
		session->valid_until = expires_at;
}

bool session_start(struct store_tx *tx, const struct config_session *config,
		   const char *user_id, struct session *session, struct problem *p)
{
	switch (store_session_add(tx, user_id, session->row.hash, &session->row, p)) {
	case STORE_OK:
		break;
	case STORE_ALREADY_THERE:
		/* 256 random bits do not meet by chance: it is this very session. */
		return store_tx_may_be_done(tx) ||
		       problem(p, INTERNAL, "session token is taken");
	default:
		return false;
	}
	return !config->max_per_user ||
	       store_session_trim(tx, user_id, session->row.id, config->max_per_user,
				  p) == STORE_OK;
}

/* Is what the store found still a session, and its user one who may have one? */
static bool accept(const struct config_session *config, enum store_outcome outcome,
		   int64_t now, struct session *session, const struct store_user *user,
		   struct problem *p)
{
	if (outcome == STORE_NOT_FOUND)
		return problem(p, NO_SESSION, "ended or never there");
	if (outcome != STORE_OK)
		return false;
	session->valid_until = ends_unused(config, &session->row);
	if (session->valid_until <= now)
		return problem(p, NO_SESSION, "expired");
	return user->active || problem(p, NO_SESSION, "user %s is disabled", user->id);
}

bool session_find_by_hash(struct store *store, const struct config_session *config,
			  const unsigned char hash[SHA256_BYTES], int64_t now,
			  struct session *out, struct store_user *user, struct problem *p)
{
	struct session found = { 0 };
	const enum store_outcome outcome =
		store_session_find(store, hash, &found.row, user, p);

	if (!accept(config, outcome, now, &found, user, p))
		return false;
	*out = found;
	return true;
}

bool session_find_by_id(struct store *store, const struct config_session *config,
			const char *id, int64_t now, struct session *out,
			struct store_user *user, struct problem *p)
{
	struct session found = { 0 };
	const enum store_outcome outcome =
		store_session_by_id(store, id, &found.row, user, p);

	if (!accept(config, outcome, now, &found, user, p))
		return false;
	*out = found;
	return true;
}

bool session_find(struct store *store, const struct config_session *config,
		  struct text token, int64_t now, struct session *out,
		  struct store_user *user, struct problem *p)
{
	unsigned char hash[SHA256_BYTES];

	if (!secret_is_token(token))
		return problem(p, NO_SESSION, "not of a token's shape");
	secret_sha256(token, hash);
	return session_find_by_hash(store, config, hash, now, out, user, p);
}

bool session_touch_is_due(const struct config_session *config,
			  const struct session *session, int64_t now)
{
	/* At least four times within the idle time, or a session in use would end as unused. */
	const int64_t most = config->idle_s / 4;
	const int64_t every = config->idle_s && most < config->touch_every_s
				      ? most
				      : config->touch_every_s;

	return now - session->row.last_seen_at >= every;
}

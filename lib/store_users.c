#include <stdio.h>

#include "store_mysql.h"
#include "store_own.h"

/* ---- in our own table */

/* What a session of this user will be known by. */
static void know(struct store_tx *tx, const struct store_user *user)
{
	snprintf(tx->known_as, sizeof(tx->known_as), "%s",
		 user->email[0] ? user->email : user->phone);
}

/* What USER_BY_... gives, before it is a struct store_match. */
struct match_row {
	struct store_match match;
	uint64_t active, subject;
};

#define MATCH_COLUMNS(row)                                                               \
	DB_TEXT_COLUMN((row).match.user.id), DB_TEXT_COLUMN((row).match.user.email),     \
		DB_TEXT_COLUMN((row).match.user.phone), DB_NUMBER_COLUMN((row).active),  \
		DB_NUMBER_COLUMN((row).subject)

static const struct store_match *finish_match(struct match_row *row)
{
	row->match.user.active = row->active != 0;
	row->match.subject_is_theirs = row->subject == 1;
	row->match.subject_is_anothers = row->subject == 0;
	return &row->match;
}

static enum store_outcome find_user(struct store_tx *tx, enum sql_statement id,
				    struct db_value *in, size_t count,
				    struct store_match *out, struct problem *p)
{
	struct match_row row = { 0 };
	const struct db_column columns[] = { MATCH_COLUMNS(row) };
	struct db_call call = { .id = id,
				.values = in,
				.value_count = count,
				.columns = columns,
				.column_count = COUNT(columns) };
	const enum store_outcome outcome = store_run(tx, &call, p);

	if (outcome == STORE_OK)
		*out = *finish_match(&row);
	return outcome;
}

/* ---- in a table that is not ours */

/* Whose the subject is, which our table identities knows. */
static enum store_outcome relate(struct store_tx *tx, struct text provider,
				 struct text subject, struct store_match *match,
				 struct problem *p)
{
	struct db_value in[] = { store_bytes(text_of(match->user.id)),
				 store_bytes(provider), store_bytes(subject) };
	uint64_t whose = 2;
	const struct db_column out[] = { DB_NUMBER_COLUMN(whose) };
	struct db_call call = QUERY(OWN_RELATION, in, out);

	if (tx->store->config->accounts.forget_subjects)
		return STORE_OK;
	if (store_run(tx, &call, p) != STORE_OK)
		return STORE_FAILED;
	match->subject_is_theirs = whose == 1;
	match->subject_is_anothers = whose == 0;
	return STORE_OK;
}

static enum store_outcome find_own(struct store_tx *tx, struct text email,
				   struct text phone, struct text provider,
				   struct text subject, struct store_match *out,
				   struct problem *p)
{
	const struct store_about about = { email, phone, provider, subject };
	struct store_match match = { 0 };
	enum store_outcome outcome = own_find(tx->store, tx, &about, &match.user, p);

	if (outcome == STORE_OK)
		outcome = relate(tx, provider, subject, &match, p);
	if (outcome == STORE_OK) {
		know(tx, &match.user);
		*out = match;
	}
	return outcome;
}

/* The id to which our table links a subject, and the address that was its then. */
static enum store_outcome find_link(struct store *store, struct store_tx *tx,
				    struct text provider, struct text subject,
				    char user_id[STORE_ID_SIZE], char known_as[255],
				    struct problem *p)
{
	char written[255];
	struct db_value in[] = { store_bytes(provider), store_bytes(subject) };
	const struct db_column out[] = { { user_id, STORE_ID_SIZE, NULL },
					 DB_TEXT_COLUMN(written) };
	struct db_call call = QUERY(OWN_IDENTITY, in, out);
	const enum store_outcome outcome =
		tx ? store_run(tx, &call, p) : store_run_single(store, &call, p);

	if (outcome == STORE_OK)
		own_canonical(written, known_as);
	return outcome;
}

/*
 * The user of a link is not there. Where the lookup finds by id that is certain, and the link
 * goes, as our own table's foreign key would have it. Else the address may have changed hands:
 * nobody is let in, and nobody made beside.
 */
static enum store_outcome forget_link(struct store_tx *tx, struct text provider,
				      struct text subject, const char *user_id,
				      struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject),
				 store_bytes(text_of(user_id)) };
	struct db_call call = CALL(OWN_IDENTITY_GONE, in);

	if (own_finds_by_id(tx->store))
		return store_run(tx, &call, p) == STORE_OK ? STORE_NOT_FOUND
							   : STORE_FAILED;
	problem(p, IDENTITY_CONFLICT,
		"the sub is user %s's, whom query_lookup does not find: let "
		"it ask for :user_id, too",
		user_id);
	return STORE_FAILED;
}

static enum store_outcome find_own_by_subject(struct store_tx *tx, struct text provider,
					      struct text subject,
					      struct store_match *out, struct problem *p)
{
	struct store_match match = { .subject_is_theirs = true };
	char user_id[STORE_ID_SIZE], known_as[255];
	enum store_outcome outcome =
		find_link(tx->store, tx, provider, subject, user_id, known_as, p);

	if (outcome != STORE_OK)
		return outcome;
	outcome = own_by_id(tx->store, tx, user_id, known_as, &match.user, p);
	/* The address at the time of the link may be out of date, and the token's be right. */
	if (outcome == STORE_NOT_FOUND && tx->about.email.len) {
		snprintf(known_as, sizeof(known_as), "%.*s", TEXT_ARG(tx->about.email));
		outcome = own_by_id(tx->store, tx, user_id, known_as, &match.user, p);
	}
	if (outcome == STORE_NOT_FOUND)
		return forget_link(tx, provider, subject, user_id, p);
	if (outcome == STORE_OK) {
		know(tx, &match.user);
		*out = match;
	}
	return outcome;
}

static enum store_outcome find_own_single(struct store *store, bool by_subject,
					  const struct store_about *about,
					  struct store_user *out, struct problem *p)
{
	char user_id[STORE_ID_SIZE], known_as[255];
	enum store_outcome outcome;

	if (by_subject) {
		outcome = find_link(store, NULL, about->provider, about->subject, user_id,
				    known_as, p);
		return outcome == STORE_OK
			       ? own_by_id(store, NULL, user_id, known_as, out, p)
			       : outcome;
	}
	outcome = own_find(store, NULL, about, out, p);
	if (outcome == STORE_FAILED && p->kind == PROBLEM_IDENTITY_CONFLICT) {
		problem_clear(p);
		outcome = STORE_NOT_FOUND;
	}
	return outcome;
}

/* ---- either */

enum store_outcome store_user_known(struct store_tx *tx, struct text email,
				    struct text provider, struct text subject,
				    int64_t now, struct store_user *out,
				    struct problem *p)
{
	struct db_value in[] = { store_time(now), store_bytes(email),
				 store_bytes(provider), store_bytes(subject) };
	struct db_call call = CALL(USER_KNOWN, in);
	struct store_user user = { .active = true };
	enum store_outcome outcome;

	if (tx->store->own)
		return STORE_NOT_FOUND;
	outcome = store_run(tx, &call, p);
	if (outcome != STORE_OK)
		return outcome;
	if (!call.new_id)
		return STORE_NOT_FOUND;
	snprintf(user.id, sizeof(user.id), "%llu", (unsigned long long)call.new_id);
	snprintf(user.email, sizeof(user.email), "%.*s", TEXT_ARG(email));
	*out = user;
	return STORE_OK;
}

enum store_outcome store_user_by_email(struct store_tx *tx, struct text email,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject),
				 store_bytes(email) };

	return tx->store->own
		       ? find_own(tx, email, AS_TEXT(""), provider, subject, out, p)
		       : find_user(tx, SQL_USER_BY_EMAIL, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_phone(struct store_tx *tx, struct text phone,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject),
				 store_bytes(phone) };

	return tx->store->own
		       ? find_own(tx, AS_TEXT(""), phone, provider, subject, out, p)
		       : find_user(tx, SQL_USER_BY_PHONE, in, COUNT(in), out, p);
}

enum store_outcome store_user_by_subject(struct store_tx *tx, struct text provider,
					 struct text subject, struct store_match *out,
					 struct problem *p)
{
	struct db_value in[] = { store_bytes(provider), store_bytes(subject) };

	if (tx->store->config->accounts.forget_subjects)
		return STORE_NOT_FOUND;
	return tx->store->own ? find_own_by_subject(tx, provider, subject, out, p)
			      : find_user(tx, SQL_USER_BY_SUBJECT, in, COUNT(in), out, p);
}

enum store_outcome store_user_add(struct store_tx *tx, struct text email,
				  struct text phone, int64_t now, struct store_user *out,
				  struct problem *p)
{
	struct db_value in[] = { store_bytes_or_null(email), store_bytes_or_null(phone),
				 store_time(now), store_time(now) };
	struct db_call call = CALL(USER_ADD, in);
	struct store_user user = { .active = true };
	enum store_outcome outcome;

	if (tx->store->own) {
		outcome = own_create(tx, out, p);
		if (outcome == STORE_OK)
			know(tx, out);
		return outcome;
	}
	outcome = store_run(tx, &call, p);
	if (outcome != STORE_OK)
		return outcome;
	snprintf(user.id, sizeof(user.id), "%llu", (unsigned long long)call.new_id);
	snprintf(user.email, sizeof(user.email), "%.*s", TEXT_ARG(email));
	snprintf(user.phone, sizeof(user.phone), "%.*s", TEXT_ARG(phone));
	*out = user;
	return STORE_OK;
}

enum store_outcome store_user_seen(struct store_tx *tx, const char *user_id, int64_t now,
				   struct problem *p)
{
	struct db_value in[] = { store_time(now), store_id(user_id) };
	struct db_call call = CALL(USER_SEEN, in);

	return tx->store->own ? own_seen(tx, user_id, p) : store_run(tx, &call, p);
}

enum store_outcome store_identity_add(struct store_tx *tx, const char *user_id,
				      struct text provider, struct text subject,
				      struct text email_as_written, int64_t now,
				      struct problem *p)
{
	const struct db_value owner = store_owner(tx->store, user_id);
	struct db_value in[] = { owner, store_bytes(provider), store_bytes(subject),
				 store_bytes_or_null(email_as_written), store_time(now) };
	struct db_call call = CALL(IDENTITY_ADD, in);

	if (tx->store->own && tx->store->config->accounts.forget_subjects)
		return STORE_OK;
	call.id = OWNED(tx->store, IDENTITY_ADD);
	return store_run(tx, &call, p);
}

enum store_outcome store_identity_other(struct store_tx *tx, const char *user_id,
					struct text provider, struct text subject,
					struct problem *p)
{
	struct db_value in[] = { store_owner(tx->store, user_id), store_bytes(provider),
				 store_bytes(subject) };
	uint64_t found;
	const struct db_column out[] = { DB_NUMBER_COLUMN(found) };
	struct db_call call = QUERY(IDENTITY_OTHER, in, out);

	if (tx->store->own && tx->store->config->accounts.forget_subjects)
		return STORE_NOT_FOUND;
	call.id = OWNED(tx->store, IDENTITY_OTHER);
	return store_run(tx, &call, p);
}

enum store_outcome store_invite_use(struct store_tx *tx, struct text email, int64_t now,
				    struct problem *p)
{
	struct db_value in[] = { store_time(now), store_bytes(email) };
	struct db_call call = CALL(INVITE_USE, in);
	const enum store_outcome outcome = store_run(tx, &call, p);

	return outcome == STORE_OK && !call.changed ? STORE_NOT_FOUND : outcome;
}

enum store_outcome store_user_find(struct store *store, bool by_subject,
				   struct text email, struct text phone,
				   struct text provider, struct text subject,
				   struct store_user *out, struct problem *p)
{
	struct match_row row = { 0 };
	const struct db_column columns[] = { MATCH_COLUMNS(row) };
	struct db_value in[] = { store_bytes(provider), store_bytes(subject),
				 store_bytes(email.len ? email : phone) };
	struct db_call call = {
		.id = by_subject  ? SQL_USER_BY_SUBJECT
		      : email.len ? SQL_USER_BY_EMAIL
				  : SQL_USER_BY_PHONE,
		.values = in,
		.value_count = by_subject ? 2 : COUNT(in),
		.columns = columns,
		.column_count = COUNT(columns),
	};
	const struct store_about about = { email, email.len ? AS_TEXT("") : phone,
					   provider, subject };
	enum store_outcome outcome;

	if (store->own)
		return find_own_single(store, by_subject, &about, out, p);
	outcome = store_run_single(store, &call, p);
	if (outcome == STORE_OK)
		*out = finish_match(&row)->user;
	return outcome;
}

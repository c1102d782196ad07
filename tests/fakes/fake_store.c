#include "fake_rows.h"

#include <stdio.h>
#include <stdlib.h>

void fake_print_id(char out[STORE_ID_SIZE], uint64_t id)
{
	snprintf(out, STORE_ID_SIZE, "%llu", (unsigned long long)id);
}

void fake_copy_user(const struct row *row, const struct store_tx *tx,
		    struct store_user *out)
{
	const struct record *r = fake_seen(row, tx);

	*out = (struct store_user){ .active = r->active };
	fake_print_id(out->id, r->id);
	memcpy(out->email, r->key[0].data, r->key[0].len);
	memcpy(out->phone, r->key[1].data, r->key[1].len);
}

/* ---- users */

struct find_user {
	struct record key, identity;
	bool by_subject;
	struct store_match match;
};

static enum store_outcome match_by_subject(struct store_tx *tx, struct find_user *f)
{
	const struct row *identity = fake_find_key(tx, FAKE_IDENTITIES, &f->identity);
	const struct row *user =
		identity ? fake_find_id(tx, FAKE_USERS, identity->now.user_id) : NULL;

	if (!user)
		return STORE_NOT_FOUND;
	f->match = (struct store_match){ .subject_is_theirs = true };
	fake_copy_user(user, tx, &f->match.user);
	return STORE_OK;
}

static enum store_outcome find_user(struct store_tx *tx, void *arguments,
				    struct problem *p)
{
	struct find_user *f = arguments;
	const struct row *user;

	(void)p;
	if (f->by_subject)
		return match_by_subject(tx, f);
	user = fake_find_key(tx, FAKE_USERS, &f->key);
	if (!user)
		return STORE_NOT_FOUND;
	f->match = (struct store_match){ 0 };
	fake_copy_user(user, tx, &f->match.user);
	for (const struct row *row = tx->store->rows; row; row = row->next) {
		const struct record *r = &row->now;

		if (row->table != FAKE_IDENTITIES || !fake_is_there(row, tx) ||
		    !fake_same(&r->key[0], &f->identity.key[0]) ||
		    !fake_same(&r->key[1], &f->identity.key[1]))
			continue;
		if (r->user_id == user->now.id)
			f->match.subject_is_theirs = true;
		else
			f->match.subject_is_anothers = true;
	}
	return STORE_OK;
}

static enum store_outcome find_other(struct store_tx *tx, void *arguments,
				     struct problem *p)
{
	const struct record *key = arguments;

	(void)p;
	for (const struct row *row = tx->store->rows; row; row = row->next)
		if (row->table == FAKE_IDENTITIES && fake_is_there(row, tx) &&
		    row->now.user_id == key->user_id &&
		    fake_same(&row->now.key[0], &key->key[0]) &&
		    !fake_same(&row->now.key[1], &key->key[1]))
			return STORE_OK;
	return STORE_NOT_FOUND;
}

/* What is longer than its column can be is found by nobody. */
static bool find_user_setup(struct find_user *f, struct text email, struct text phone,
			    struct text provider, struct text subject)
{
	*f = (struct find_user){ 0 };
	if (!fake_put(&f->identity.key[0], provider, 255) ||
	    !fake_put(&f->identity.key[1], subject, 255))
		fake_misuse("a provider or subject that no column could hold");
	return fake_put(&f->key.key[0], email, 255) &&
	       fake_put(&f->key.key[1], phone, 255);
}

static enum store_outcome find_in_tx(struct store_tx *tx, const char *operation,
				     struct find_user *f, struct store_match *out,
				     struct problem *p)
{
	const enum store_outcome outcome = fake_run(tx, operation, find_user, f, p);

	if (outcome == STORE_OK)
		*out = f->match;
	return outcome;
}

enum store_outcome store_user_by_email(struct store_tx *tx, struct text email,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct find_user f;

	if (!find_user_setup(&f, email, AS_TEXT(""), provider, subject))
		return STORE_NOT_FOUND;
	return find_in_tx(tx, "user_by_email", &f, out, p);
}

enum store_outcome store_user_by_phone(struct store_tx *tx, struct text phone,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p)
{
	struct find_user f;

	if (!find_user_setup(&f, AS_TEXT(""), phone, provider, subject))
		return STORE_NOT_FOUND;
	return find_in_tx(tx, "user_by_phone", &f, out, p);
}

enum store_outcome store_user_by_subject(struct store_tx *tx, struct text provider,
					 struct text subject, struct store_match *out,
					 struct problem *p)
{
	struct find_user f;

	find_user_setup(&f, AS_TEXT(""), AS_TEXT(""), provider, subject);
	f.by_subject = true;
	return find_in_tx(tx, "user_by_subject", &f, out, p);
}

enum store_outcome store_user_find(struct store *store, bool by_subject,
				   struct text email, struct text phone,
				   struct text provider, struct text subject,
				   struct store_user *out, struct problem *p)
{
	enum store_outcome outcome;
	struct find_user f;

	if (!find_user_setup(&f, email, email.len ? AS_TEXT("") : phone, provider,
			     subject))
		return STORE_NOT_FOUND;
	f.by_subject = by_subject;
	outcome = fake_run_single(store, "user_find", find_user, &f, p);
	if (outcome == STORE_OK)
		*out = f.match.user;
	return outcome;
}

enum store_outcome store_identity_other(struct store_tx *tx, const char *user_id,
					struct text provider, struct text subject,
					struct problem *p)
{
	struct record key = { .user_id = fake_number_of(user_id) };

	if (!fake_put(&key.key[0], provider, 255) || !fake_put(&key.key[1], subject, 255))
		fake_misuse("a provider or subject that no column could hold");
	return fake_run(tx, "identity_other", find_other, &key, p);
}

/* ---- rows that are added */

struct add {
	enum fake_table table;
	struct record record;
	bool fits;
};

static enum store_outcome add(struct store_tx *tx, void *arguments, struct problem *p)
{
	struct add *a = arguments;

	if (!a->fits || ((a->table == FAKE_IDENTITIES || a->table == FAKE_SESSIONS) &&
			 !fake_find_id(tx, FAKE_USERS, a->record.user_id)))
		return fake_fail(tx, FAKE_BROKEN, p);
	return fake_add_row(tx, a->table, &a->record, p);
}

enum store_outcome store_user_add(struct store_tx *tx, struct text email,
				  struct text phone, int64_t now, struct store_user *out,
				  struct problem *p)
{
	struct add a = { .table = FAKE_USERS,
			 .record = {
				 .active = true, .created_at = now, .seen_at = now } };
	enum store_outcome outcome;

	a.fits = fake_put(&a.record.key[0], email, 254) &&
		 fake_put(&a.record.key[1], phone, 16);
	outcome = fake_run(tx, "user_add", add, &a, p);
	if (outcome == STORE_OK)
		fake_copy_user(&(struct row){ .now = a.record }, tx, out);
	return outcome;
}

enum store_outcome store_identity_add(struct store_tx *tx, const char *user_id,
				      struct text provider, struct text subject,
				      struct text email_as_written, int64_t now,
				      struct problem *p)
{
	struct add a = { .table = FAKE_IDENTITIES,
			 .record = { .user_id = fake_number_of(user_id),
				     .created_at = now } };

	a.fits = fake_put(&a.record.key[0], provider, 32) &&
		 fake_put(&a.record.key[1], subject, 255) &&
		 fake_put(&a.record.written, email_as_written, 254);
	return fake_run(tx, "identity_add", add, &a, p);
}

enum store_outcome store_session_add(struct store_tx *tx, const char *user_id,
				     const unsigned char hash[SHA256_BYTES],
				     struct store_session *session, struct problem *p)
{
	struct add a = { .table = FAKE_SESSIONS,
			 .fits = true,
			 .record = { .user_id = fake_number_of(user_id),
				     .session = *session } };
	enum store_outcome outcome;

	fake_put(&a.record.key[0], (struct text){ (const char *)hash, SHA256_BYTES },
		 SHA256_BYTES);
	a.record.session.generation = 0;
	a.record.session.rotated_at = 0;
	outcome = fake_run(tx, "session_add", add, &a, p);
	if (outcome == STORE_OK)
		fake_print_id(session->id, a.record.id);
	return outcome;
}

static enum store_outcome use_token(struct store_tx *tx, void *arguments,
				    struct problem *p)
{
	struct add *a = arguments;
	const struct row *row = fake_find_key(tx, FAKE_USED_TOKENS, &a->record);

	if (!row)
		return fake_add_row(tx, FAKE_USED_TOKENS, &a->record, p);
	a->record.created_at = row->now.created_at;
	return STORE_OK;
}

enum store_outcome store_token_use(struct store_tx *tx,
				   const unsigned char hash[SHA256_BYTES], int64_t now,
				   int64_t expires_at, int64_t *first_used_at,
				   struct problem *p)
{
	struct add a = { .record = { .created_at = now, .expires_at = expires_at } };
	enum store_outcome outcome;

	fake_put(&a.record.key[0], (struct text){ (const char *)hash, SHA256_BYTES },
		 SHA256_BYTES);
	outcome = fake_run(tx, "token_use", use_token, &a, p);
	if (outcome == STORE_OK)
		*first_used_at = a.record.created_at;
	return outcome;
}

static enum store_outcome find_token(struct store_tx *tx, void *arguments,
				     struct problem *p)
{
	struct add *a = arguments;
	const struct row *row = fake_find_key(tx, FAKE_USED_TOKENS, &a->record);

	(void)p;
	if (!row)
		return STORE_NOT_FOUND;
	a->record.created_at = row->now.created_at;
	return STORE_OK;
}

enum store_outcome store_token_used(struct store *store,
				    const unsigned char hash[SHA256_BYTES],
				    int64_t *first_used_at, struct problem *p)
{
	struct add a = { 0 };
	enum store_outcome outcome;

	fake_put(&a.record.key[0], (struct text){ (const char *)hash, SHA256_BYTES },
		 SHA256_BYTES);
	outcome = fake_run_single(store, "token_used", find_token, &a, p);
	if (outcome == STORE_OK)
		*first_used_at = a.record.created_at;
	return outcome;
}

/* ---- rows that are changed: one by its id or key, or those of a user */

struct row *fake_find_one(struct store_tx *tx, const struct fake_change *c)
{
	return c->id ? fake_find_id(tx, c->table, c->id)
		     : fake_find_key(tx, c->table, &c->key);
}

/* Calls UPDATE for the row, if it is there, once it is TX's own. */
static enum store_outcome change_one(struct store_tx *tx, struct fake_change *c,
				     bool (*update)(struct record *r,
						    const struct fake_change *c),
				     struct problem *p)
{
	struct row *row = fake_find_one(tx, c);

	c->changed = 0;
	if (!row)
		return STORE_OK;
	if (!fake_claim(tx, row))
		return fake_fail(tx, FAKE_CONFLICT, p);
	c->changed = row->will_be && update(&row->then, c);
	return STORE_OK;
}

static bool update_seen(struct record *r, const struct fake_change *c)
{
	r->seen_at = c->now;
	r->session.last_seen_at = c->now;
	return true;
}

static enum store_outcome see(struct store_tx *tx, void *arguments, struct problem *p)
{
	return change_one(tx, arguments, update_seen, p);
}

enum store_outcome store_user_seen(struct store_tx *tx, const char *user_id, int64_t now,
				   struct problem *p)
{
	struct fake_change c = { .table = FAKE_USERS,
				 .id = fake_number_of(user_id),
				 .now = now };

	return fake_run(tx, "user_seen", see, &c, p);
}

struct known_user {
	struct find_user find;
	struct fake_change seen;
};

static enum store_outcome find_known(struct store_tx *tx, void *arguments,
				     struct problem *p)
{
	struct known_user *k = arguments;
	const struct store_user *user = &k->find.match.user;
	const enum store_outcome outcome = find_user(tx, &k->find, p);

	if (outcome != STORE_OK)
		return outcome;
	if (!k->find.match.subject_is_theirs || !user->active || *user->phone)
		return STORE_NOT_FOUND;
	k->seen.id = fake_number_of(user->id);
	return see(tx, &k->seen, p);
}

enum store_outcome store_user_known(struct store_tx *tx, struct text email,
				    struct text provider, struct text subject,
				    int64_t now, struct store_user *out,
				    struct problem *p)
{
	struct known_user k = { .seen = { .table = FAKE_USERS, .now = now } };
	enum store_outcome outcome;

	if (!find_user_setup(&k.find, email, AS_TEXT(""), provider, subject))
		return STORE_NOT_FOUND;
	outcome = fake_run(tx, "user_known", find_known, &k, p);
	if (outcome == STORE_OK)
		*out = k.find.match.user;
	return outcome;
}

enum store_outcome store_session_touch(struct store *store, const char *session_id,
				       int64_t now, struct problem *p)
{
	struct fake_change c = { .table = FAKE_SESSIONS,
				 .id = fake_number_of(session_id),
				 .now = now };

	return fake_run_single(store, "session_touch", see, &c, p);
}

static bool update_used(struct record *r, const struct fake_change *c)
{
	const bool was_free = !r->used;

	(void)c;
	r->used = true;
	return was_free;
}

static enum store_outcome use_invite(struct store_tx *tx, void *arguments,
				     struct problem *p)
{
	return change_one(tx, arguments, update_used, p);
}

enum store_outcome store_invite_use(struct store_tx *tx, struct text email, int64_t now,
				    struct problem *p)
{
	struct fake_change c = { .table = FAKE_INVITES, .now = now };
	enum store_outcome outcome;

	if (!fake_put(&c.key.key[0], email, 254))
		return STORE_NOT_FOUND;
	outcome = fake_run(tx, "invite_use", use_invite, &c, p);
	return outcome == STORE_OK && !c.changed ? STORE_NOT_FOUND : outcome;
}

static bool update_generation(struct record *r, const struct fake_change *c)
{
	if (r->session.generation != c->from)
		return false;
	r->session.generation++;
	r->session.rotated_at = c->now;
	r->session.last_seen_at = c->now;
	return true;
}

static enum store_outcome rotate(struct store_tx *tx, void *arguments, struct problem *p)
{
	return change_one(tx, arguments, update_generation, p);
}

enum store_outcome store_session_rotate(struct store *store, const char *session_id,
					uint64_t from, int64_t now, struct problem *p)
{
	struct fake_change c = { .table = FAKE_SESSIONS,
				 .id = fake_number_of(session_id),
				 .now = now,
				 .from = from };
	const enum store_outcome outcome =
		fake_run_single(store, "session_rotate", rotate, &c, p);

	return outcome == STORE_OK && !c.changed ? STORE_NOT_FOUND : outcome;
}

/* ---- the schema: there is none, but its version can be wrong */

static enum store_outcome read_schema(struct store_tx *tx, void *arguments,
				      struct problem *p)
{
	(void)p;
	*(int *)arguments = tx->store->schema;
	return STORE_OK;
}

bool store_schema_version(struct store *store, int *version, struct problem *p)
{
	int found;

	if (fake_run_single(store, "schema_version", read_schema, &found, p) != STORE_OK)
		return false;
	*version = found;
	return true;
}

/* The fake's users are always its own, and its keys exact. */
void store_tx_about(struct store_tx *tx, struct text email, struct text phone,
		    struct text provider, struct text subject)
{
	(void)tx, (void)email, (void)phone, (void)provider, (void)subject;
}

void store_tx_try(struct store_tx *tx)
{
	(void)tx;
}

bool store_needs_tables(const struct store *store)
{
	(void)store;
	return true;
}

bool store_check(struct store *store, struct problem *p)
{
	int version;

	return store_schema_version(store, &version, p);
}

bool store_ping(struct store *store, struct problem *p)
{
	int version;

	if (!store_schema_version(store, &version, p))
		return false;
	return version == STORE_SCHEMA_VERSION ||
	       problem(p, DATABASE_AWAY, "schema version is %d, needed is %d", version,
		       STORE_SCHEMA_VERSION);
}

bool store_migrate(struct store *store, const struct store_migration *migrations,
		   size_t count, int64_t now,
		   void (*done)(const struct store_migration *), struct problem *p)
{
	int version;

	(void)now;
	if (!store_schema_version(store, &version, p))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (migrations[i].version <= version)
			continue;
		fake_store_set_schema(store, migrations[i].version);
		done(&migrations[i]);
	}
	return true;
}

bool store_describe(struct store *store, char *out, size_t size, struct problem *p)
{
	int version;

	if (!store_schema_version(store, &version, p))
		return false;
	snprintf(out, size, "a fake store in memory");
	return true;
}

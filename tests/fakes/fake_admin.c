#include "fake_rows.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- for tests */

void fake_store_fail(struct store *store, const char *operation, unsigned skip,
		     unsigned count, enum fake_fault fault)
{
	struct plan plan = { .skip = skip, .count = count, .fault = fault };

	snprintf(plan.operation, sizeof(plan.operation), "%s",
		 operation ? operation : "");
	pthread_mutex_lock(&store->mutex);
	if (store->plan_count == FAKE_MAX_PLANS)
		fake_misuse("too many faults are planned");
	store->plans[store->plan_count++] = plan;
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_heal(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	store->plan_count = 0;
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_away(struct store *store, bool away)
{
	pthread_mutex_lock(&store->mutex);
	store->away = away;
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_between(struct store *store,
			void (*hook)(void *context, const char *operation), void *context)
{
	pthread_mutex_lock(&store->mutex);
	store->hook = hook;
	store->hook_context = context;
	pthread_mutex_unlock(&store->mutex);
}

struct fake_counts fake_store_counts(struct store *store)
{
	struct fake_counts counts;

	pthread_mutex_lock(&store->mutex);
	counts = store->counts;
	pthread_mutex_unlock(&store->mutex);
	return counts;
}

void fake_store_count_anew(struct store *store)
{
	pthread_mutex_lock(&store->mutex);
	store->counts = (struct fake_counts){ 0 };
	pthread_mutex_unlock(&store->mutex);
}

size_t fake_store_rows(struct store *store, enum fake_table table)
{
	size_t count = 0;

	pthread_mutex_lock(&store->mutex);
	for (const struct row *row = store->rows; row; row = row->next)
		count += row->table == table && row->there;
	pthread_mutex_unlock(&store->mutex);
	return count;
}

static void print_bytes(FILE *out, const char *name, const struct bytes *b)
{
	fprintf(out, " %s=", name);
	fwrite(b->data, 1, b->len, out);
}

static void print_hash(FILE *out, const struct bytes *hash)
{
	fputs(" hash=", out);
	for (size_t i = 0; i < hash->len; i++)
		fprintf(out, "%02x", (unsigned char)hash->data[i]);
}

static void print_session(FILE *out, const struct record *r)
{
	const struct store_session *s = &r->session;

	print_hash(out, &r->key[0]);
	fprintf(out,
		" user=%llu provider=%s address=%s user_agent=%s created=%lld seen=%lld"
		" expires=%lld generation=%llu rotated=%lld",
		(unsigned long long)r->user_id, s->provider, s->address, s->user_agent,
		(long long)s->created_at, (long long)s->last_seen_at,
		(long long)s->expires_at, (unsigned long long)s->generation,
		(long long)s->rotated_at);
}

static void print_record(FILE *out, enum fake_table table, const struct record *r)
{
	switch (table) {
	case FAKE_USERS:
		print_bytes(out, "email", &r->key[0]);
		print_bytes(out, "phone", &r->key[1]);
		fprintf(out, " %s created=%lld seen=%lld",
			r->active ? "active" : "disabled", (long long)r->created_at,
			(long long)r->seen_at);
		break;
	case FAKE_IDENTITIES:
		fprintf(out, " user=%llu", (unsigned long long)r->user_id);
		print_bytes(out, "provider", &r->key[0]);
		print_bytes(out, "subject", &r->key[1]);
		print_bytes(out, "written", &r->written);
		break;
	case FAKE_SESSIONS:
		print_session(out, r);
		break;
	case FAKE_INVITES:
		print_bytes(out, "email", &r->key[0]);
		fprintf(out, " %s", r->used ? "used" : "free");
		break;
	default:
		print_hash(out, &r->key[0]);
		fprintf(out, " used=%lld expires=%lld", (long long)r->created_at,
			(long long)r->expires_at);
		break;
	}
}

char *fake_store_dump(struct store *store)
{
	static const char *const names[FAKE_TABLES] = { "user", "identity", "session",
							"invite", "used_token" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		fake_misuse("out of memory");
	pthread_mutex_lock(&store->mutex);
	for (const struct row *row = store->rows; row; row = row->next) {
		if (!row->there)
			continue;
		fprintf(out, "%s id=%llu", names[row->table],
			(unsigned long long)row->now.id);
		print_record(out, row->table, &row->now);
		fputc('\n', out);
	}
	pthread_mutex_unlock(&store->mutex);
	fclose(out);
	return text;
}

/* ---- what an administrator does, in transactions beside the counted ones */

void fake_store_invite(struct store *store, struct text email)
{
	struct store_tx tx = { .store = store };
	struct record record = { 0 };
	struct problem p = { 0 };

	if (!fake_put(&record.key[0], email, 254))
		fake_misuse("an invitation that does not fit");
	pthread_mutex_lock(&store->mutex);
	fake_add_row(&tx, FAKE_INVITES, &record, &p);
	fake_finish(&tx, true);
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_set_active(struct store *store, const char *user_id, bool active)
{
	struct store_tx tx = { .store = store };
	struct row *row;

	pthread_mutex_lock(&store->mutex);
	row = fake_find_id(&tx, FAKE_USERS, fake_number_of(user_id));
	if (!row || !fake_claim(&tx, row))
		fake_misuse("no such user, or it is held by a transaction");
	row->then.active = active;
	fake_finish(&tx, true);
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_erase(struct store *store, const char *user_id)
{
	const uint64_t id = fake_number_of(user_id);
	struct store_tx tx = { .store = store };

	pthread_mutex_lock(&store->mutex);
	for (struct row *row = store->rows; row; row = row->next) {
		const bool is_user = row->table == FAKE_USERS && row->now.id == id;

		if (!is_user && row->now.user_id != id)
			continue;
		if (!fake_claim(&tx, row))
			fake_misuse("a row of the user is held by a transaction");
		row->will_be = false;
	}
	fake_finish(&tx, true);
	pthread_mutex_unlock(&store->mutex);
}

void fake_store_set_schema(struct store *store, int version)
{
	pthread_mutex_lock(&store->mutex);
	store->schema = version;
	pthread_mutex_unlock(&store->mutex);
}

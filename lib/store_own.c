#include "store_own.h"

#include <stdatomic.h>
#include <stdio.h>

#include "email.h"
#include "log.h"
#include "query.h"

/* Where the statements stand among the administrator's own. */
#define LOOKUP SQL_OWN(0)
#define COMPARED SQL_OWN(1)
#define CREATE 2
#define SEEN (CREATE + QUERY_STATEMENTS)
_Static_assert(SEEN + QUERY_STATEMENTS <= DB_OWN_MAX, "as many as there are places");

#define DUPLICATES_MAX 4

/* What a lookup's columns are; their order is the administrator's. */
enum own_column { OWN_ID, OWN_EMAIL, OWN_PHONE, OWN_STATUS, OWN_COLUMNS };
static const char *const column_names[] = { "id", "email", "phone", "status" };

struct store_own {
	struct arena *arena;
	const struct config_accounts *accounts;
	struct query lookup, create, seen;
	/* The columns in order, 4 bits each, counted from 1; one word, as threads share it. */
	_Atomic unsigned order;
	_Atomic bool engine_is_told;
};

static void parse(struct store_own *own, const char *sql, enum query_kind kind,
		  struct query *out)
{
	const char *why;

	/* The configuration was checked when it was read. */
	if (sql && !query_parse(own->arena, sql, kind, out, &why))
		abort();
}

static void set_all(struct db *db, size_t first, const char *name, const struct query *q)
{
	for (size_t i = 0; i < q->count; i++)
		db_set_own(db, first + i, name, q->statements[i].text);
}

struct store_own *own_new(struct db *db, const struct config_accounts *accounts)
{
	struct store_own *own;

	if (!accounts->query_lookup)
		return NULL;
	own = x_alloc(sizeof(*own));
	own->arena = arena_new();
	own->accounts = accounts;
	parse(own, accounts->query_lookup, QUERY_FINDS, &own->lookup);
	parse(own, accounts->query_create, QUERY_CHANGES, &own->create);
	parse(own, accounts->query_seen, QUERY_CHANGES, &own->seen);
	set_all(db, 0, "query_lookup", &own->lookup);
	if (own->lookup.compared.text)
		db_set_own(db, 1, "query_lookup", own->lookup.compared.text);
	set_all(db, CREATE, "query_create", &own->create);
	set_all(db, SEEN, "query_seen", &own->seen);
	return own;
}

void own_free(struct store_own *own)
{
	if (!own)
		return;
	arena_free(own->arena);
	free(own);
}

/* ---- checked at the start, and on each new connection */

static bool find_columns(const struct db_field *fields, size_t count, unsigned *order,
			 struct problem *p)
{
	*order = 0;
	for (size_t i = 0; i < count; i++) {
		size_t c = 0;

		while (c < OWN_COLUMNS && !text_equal_nocase(text_of(fields[i].name),
							     text_of(column_names[c])))
			c++;
		/* A "stauts" that nobody heeds would let the disabled in. */
		if (c == OWN_COLUMNS)
			return problem(p, INTERNAL,
				       "query_lookup: a column \"%s\"; there are id, "
				       "email, phone and status",
				       fields[i].name);
		for (size_t j = 0; j < i; j++)
			if ((*order >> 4 * j & 15) == c + 1)
				return problem(p, INTERNAL,
					       "query_lookup: two columns \"%s\"",
					       fields[i].name);
		*order |= (unsigned)(c + 1) << 4 * i;
	}
	return true;
}

static const struct db_field *find_column(const struct db_field *fields, size_t count,
					  enum own_column c)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal_nocase(text_of(fields[i].name), text_of(column_names[c])))
			return &fields[i];
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	const size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The column of a key: UNIQUE, and compared byte for byte, or by us afterwards. */
static bool check_key(const struct store_own *own, struct db_link *link,
		      const struct db_field *field, bool is_given, struct problem *p)
{
	const char *const columns[2] = { field->column, NULL };
	const bool is_known = field->table[0] && field->column[0];
	char collation[65] = "";
	bool unique = false;

	if (is_known && !store_check_key(link, field->schema, field->table, columns,
					 &unique, collation, p))
		return false;
	if (!unique)
		return problem(p, INTERNAL, "query_lookup: %s%s%s%s", field->name,
			       is_known ? ": there is no UNIQUE index on "
					: " is no column of a table, "
					  "so that nobody knows whether it is UNIQUE",
			       is_known ? field->table : "",
			       is_known ? " for it alone" : "");
	/* "_bin" takes "alice " for "alice": that is found out when the row is looked at. */
	if (!*collation || (is_given && ends_with(collation, "_bin")))
		return true;
	if (!own->accounts->accept_collation)
		return problem(p, INTERNAL,
			       "query_lookup: %s.%s is compared by %s, not byte for "
			       "byte: change it, or set accept_collation = yes",
			       field->table, field->column, collation);
	return is_given ||
	       problem(p, INTERNAL,
		       "query_lookup: with accept_collation it must give the column "
		       "%s, to be compared",
		       field->name);
}

/* Where the lookup does not give the email: the column that it compares with :email. */
static bool check_compared(const struct store_own *own, struct db_link *link,
			   struct problem *p)
{
	struct problem why = { 0 };
	struct db_field field;
	size_t count;

	if (own->lookup.compared.text) {
		if (db_prepare(link, COMPARED, &field, 1, &count, &why))
			return check_key(own, link, &field, false, p);
		if (db_fault(link) == DB_LOST) {
			*p = why;
			return false;
		}
	}
	return problem(p, INTERNAL,
		       "query_lookup: it must give the column email, to be compared "
		       "with :email");
}

/*
 * Told once in a process, and no more than told: UNIQUE still makes one user of many logins,
 * but what is made there stays when the login fails after all.
 */
static bool warn_of_engine(struct store_own *own, struct db_link *link,
			   const struct db_field *id, struct problem *p)
{
	char engine[65] = "";
	struct db_value in[] = { store_text_or_null(text_of(id->schema)),
				 store_text_or_null(text_of(id->table)) };
	const struct db_column out[] = { DB_TEXT_COLUMN(engine) };
	struct db_call call = QUERY(TABLE_ENGINE, in, out);

	if (!id->table[0] || atomic_exchange(&own->engine_is_told, true))
		return true;
	switch (db_run(link, &call, p)) {
	case STORE_OK:
		log_event(CONFIG_LOG_WARNING, "users",
			  "your table %s is %s, which has no transactions: a user can be "
			  "made there "
			  "whose login then fails. InnoDB has them",
			  id->table, engine);
		return true;
	case STORE_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static bool check_lookup(struct store_own *own, struct db_link *link, struct problem *p)
{
	struct db_field fields[OWN_COLUMNS + 1];
	const struct db_field *email, *phone;
	unsigned order;
	size_t count;

	if (!db_prepare(link, LOOKUP, fields, OWN_COLUMNS + 1, &count, p) ||
	    !find_columns(fields, count < OWN_COLUMNS + 1 ? count : OWN_COLUMNS + 1,
			  &order, p))
		return false;
	email = find_column(fields, count, OWN_EMAIL);
	phone = find_column(fields, count, OWN_PHONE);
	if (!find_column(fields, count, OWN_ID))
		return problem(p, INTERNAL, "query_lookup: it gives no column named id");
	if (query_uses(&own->lookup, QUERY_EMAIL) &&
	    !(email ? check_key(own, link, email, true, p)
		    : check_compared(own, link, p)))
		return false;
	if (query_uses(&own->lookup, QUERY_PHONE) && !phone)
		return problem(p, INTERNAL,
			       "query_lookup: it must give the column phone, to be "
			       "compared with :phone");
	if (query_uses(&own->lookup, QUERY_PHONE) &&
	    !check_key(own, link, phone, true, p))
		return false;
	atomic_store(&own->order, order);
	return warn_of_engine(own, link, find_column(fields, count, OWN_ID), p);
}

static bool check_changes(struct db_link *link, size_t first, const struct query *q,
			  const char *name, struct problem *p)
{
	size_t columns;

	for (size_t i = 0; i < q->count; i++) {
		if (!db_prepare(link, SQL_OWN(first + i), NULL, 0, &columns, p))
			return false;
		if (columns)
			return problem(p, INTERNAL, "%s: it gives rows", name);
	}
	return true;
}

bool own_check(struct store *store, struct db_link *link, struct problem *p)
{
	struct store_own *own = store->own;

	return check_lookup(own, link, p) &&
	       check_changes(link, CREATE, &own->create, "query_create", p) &&
	       check_changes(link, SEEN, &own->seen, "query_seen", p);
}

/* ---- run */

/* What the places of a statement are filled with; NULL where nothing is known. */
static void fill(const struct query_statement *s, const struct store_about *about,
		 const char *user_id, struct db_value in[QUERY_PLACES])
{
	const struct text values[QUERY_NAMES] = {
		[QUERY_EMAIL] = about->email,	    [QUERY_PHONE] = about->phone,
		[QUERY_PROVIDER] = about->provider, [QUERY_SUBJECT] = about->subject,
		[QUERY_USER_ID] = text_of(user_id),
	};

	for (size_t i = 0; i < s->place_count; i++)
		in[i] = store_text_or_null(values[s->places[i]]);
}

static enum store_outcome run_changes(struct store_tx *tx, size_t first,
				      const struct query *q, const char *user_id,
				      struct problem *p)
{
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; outcome == STORE_OK && i < q->count; i++) {
		struct db_value in[QUERY_PLACES];
		struct db_call call = { .id = SQL_OWN(first + i),
					.values = in,
					.value_count = q->statements[i].place_count };

		fill(&q->statements[i], &tx->about, user_id, in);
		outcome = store_run(tx, &call, p);
	}
	return outcome;
}

struct own_row {
	char texts[OWN_COLUMNS][256];
	size_t lens[OWN_COLUMNS];
	unsigned rows;
};

/* A text with a NUL in it is not the one before the NUL: it is made one that fits nothing. */
static void take_row(void *context)
{
	struct own_row *row = context;

	row->rows++;
	for (int i = 0; i < OWN_COLUMNS; i++)
		if (strlen(row->texts[i]) != row->lens[i])
			snprintf(row->texts[i], sizeof(row->texts[i]), "\n");
}

/* An id goes into headers, cookies' tokens and logs. */
static bool is_fit_id(const char *id)
{
	const size_t len = strlen(id);

	if (!len || len >= STORE_ID_SIZE)
		return false;
	for (const char *c = id; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return true;
}

/* The one spelling of what stands in the table, in capitals as may be; "" if it has none. */
void own_canonical(const char *written, char out[255])
{
	struct arena *scratch = arena_new();
	struct problem ignored = { 0 };
	struct text email = { 0 };

	if (!email_normalise(scratch, text_of(written), &email, &ignored))
		email.len = 0;
	snprintf(out, 255, "%.*s", TEXT_ARG(email));
	arena_free(scratch);
}

static bool has_column(unsigned order, enum own_column c)
{
	for (; order; order >>= 4)
		if ((order & 15) == (unsigned)c + 1)
			return true;
	return false;
}

static enum store_outcome finish(const struct own_row *row, unsigned order,
				 struct store_user *out, struct problem *p)
{
	struct store_user user = { 0 };

	if (row->rows > 1) {
		problem(p, INTERNAL, "query_lookup: %u rows for one user", row->rows);
		return STORE_FAILED;
	}
	if (!is_fit_id(row->texts[OWN_ID])) {
		problem(p, INTERNAL,
			"query_lookup: an id that is not 1 to 64 printable characters");
		return STORE_FAILED;
	}
	snprintf(user.id, sizeof(user.id), "%.64s", row->texts[OWN_ID]);
	if (has_column(order, OWN_EMAIL))
		own_canonical(row->texts[OWN_EMAIL], user.email);
	if (phone_is_valid(text_of(row->texts[OWN_PHONE])))
		snprintf(user.phone, sizeof(user.phone), "%.19s", row->texts[OWN_PHONE]);
	/* Anything else than these two is no: better a user who asks than one who stays. */
	user.active = !has_column(order, OWN_STATUS) ||
		      strcmp(row->texts[OWN_STATUS], "active") == 0 ||
		      strcmp(row->texts[OWN_STATUS], "1") == 0;
	*out = user;
	return STORE_OK;
}

static enum store_outcome look_up(struct store *store, struct store_tx *tx,
				  const struct store_about *about, const char *user_id,
				  struct store_user *out, struct problem *p)
{
	struct store_own *own = store->own;
	const struct query_statement *s = &own->lookup.statements[0];
	struct db_column columns[OWN_COLUMNS];
	struct db_value in[QUERY_PLACES];
	struct own_row row = { 0 };
	struct db_call call = { .id = LOOKUP,
				.values = in,
				.value_count = s->place_count,
				.columns = columns,
				.each = take_row,
				.context = &row };
	unsigned order = atomic_load(&own->order);
	enum store_outcome outcome;

	/* Known since the first connection was looked at; a transaction has one. */
	if (!order && !tx) {
		if (!store_check(store, p))
			return STORE_FAILED;
		order = atomic_load(&own->order);
	}

	for (unsigned left = order; left; left >>= 4)
		columns[call.column_count++] =
			(struct db_column){ row.texts[(left & 15) - 1],
					    sizeof(row.texts[0]),
					    &row.lens[(left & 15) - 1] };
	fill(s, about, user_id, in);
	outcome = tx ? store_run(tx, &call, p) : store_run_single(store, &call, p);
	return outcome == STORE_OK ? finish(&row, order, out, p) : outcome;
}

enum store_outcome own_find(struct store *store, struct store_tx *tx,
			    const struct store_about *about, struct store_user *out,
			    struct problem *p)
{
	struct store_user user;
	const enum store_outcome outcome = look_up(store, tx, about, NULL, &user, p);
	bool same;

	if (outcome != STORE_OK)
		return outcome;
	if (about->email.len && !has_column(atomic_load(&store->own->order), OWN_EMAIL))
		snprintf(user.email, sizeof(user.email), "%.*s", TEXT_ARG(about->email));
	same = about->email.len ? text_is(about->email, user.email)
				: text_is(about->phone, user.phone);
	if (same) {
		*out = user;
		return STORE_OK;
	}
	problem(p, IDENTITY_CONFLICT,
		"query_lookup found user %s, who has another address", user.id);
	return STORE_FAILED;
}

bool own_finds_by_id(const struct store *store)
{
	return query_uses(&store->own->lookup, QUERY_USER_ID);
}

enum store_outcome own_by_id(struct store *store, struct store_tx *tx,
			     const char *user_id, const char *known_as,
			     struct store_user *out, struct problem *p)
{
	struct store_about about = { 0 };
	struct store_user user;
	enum store_outcome outcome;

	if (own_finds_by_id(store)) {
		outcome = look_up(store, tx, &about, user_id, &user, p);
	} else {
		if (!*known_as)
			return STORE_NOT_FOUND;
		*(known_as[0] == '+' ? &about.phone : &about.email) = text_of(known_as);
		outcome = own_find(store, tx, &about, &user, p);
		if (outcome == STORE_FAILED && p->kind == PROBLEM_IDENTITY_CONFLICT) {
			problem_clear(p);
			outcome = STORE_NOT_FOUND;
		}
	}
	if (outcome != STORE_OK)
		return outcome;
	/* No collation of the id's either. */
	if (strcmp(user.id, user_id) != 0)
		return STORE_NOT_FOUND;
	if (!user.email[0] && known_as[0] && known_as[0] != '+')
		snprintf(user.email, sizeof(user.email), "%.254s", known_as);
	*out = user;
	return STORE_OK;
}

enum store_outcome own_create(struct store_tx *tx, struct store_user *out,
			      struct problem *p)
{
	struct store_own *own = tx->store->own;
	enum store_outcome outcome;

	if (!own->create.count) {
		problem(p, SIGNUP_CLOSED, "there is no query_create");
		return STORE_FAILED;
	}
	if (tx->is_trial) {
		*out = (struct store_user){ .active = true };
		return STORE_OK;
	}
	outcome = run_changes(tx, CREATE, &own->create, NULL, p);
	/* A login beside this one was faster; but not again and again, unseen by the lookup. */
	if (outcome == STORE_ALREADY_THERE && ++tx->duplicates == DUPLICATES_MAX) {
		problem(p, INTERNAL,
			"query_create meets a UNIQUE index, and query_lookup finds "
			"nobody: is another column than the address UNIQUE?");
		return STORE_FAILED;
	}
	if (outcome != STORE_OK)
		return outcome;
	outcome = own_find(tx->store, tx, &tx->about, out, p);
	if (outcome != STORE_NOT_FOUND)
		return outcome;
	problem(p, INTERNAL, "query_create made no user that query_lookup finds");
	return STORE_FAILED;
}

enum store_outcome own_seen(struct store_tx *tx, const char *user_id, struct problem *p)
{
	return tx->is_trial ? STORE_OK
			    : run_changes(tx, SEEN, &tx->store->own->seen, user_id, p);
}

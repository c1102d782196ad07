#include "identity_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "log.h"
#include "login.h"
#include "scratch.h"
#include "token_maker.h"

#define NOW 1795350100
#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ROWS_MAX 100

enum column {
	PROVIDER,
	MATCH,
	LINK,
	CHANGE,
	SIGNUP,
	SUB,
	ADDRESS,
	STATUS,
	CASES,
	ANSWER = CASES,
	THEN,
	COLUMNS
};

/* All that can stand in a column, "*" aside. */
static const char *const domain[CASES][9] = {
	[PROVIDER] = { "unknown", "known" },
	[MATCH] = { "subject", "email" },
	[LINK] = { "yes", "no" },
	[CHANGE] = { "allow", "refuse" },
	[SIGNUP] = { "open", "closed", "invited", "uninvited" },
	[SUB] = { "none", "new", "alice", "sam", "other" },
	[ADDRESS] = { "alice", "unverified", "free", "absent", "number", "freenumber",
		      "nophone" },
	[STATUS] = { "active", "disabled" },
};

struct rule {
	char cells[COLUMNS][24];
	unsigned line, decided;
};

struct table {
	struct rule rules[ROWS_MAX];
	size_t count;
};

/* ---- the file */

static const char *path_of_rules(struct arena *a)
{
	const char *top = getenv("top_srcdir");

	return arena_printf(a, "%s/doc/identity-rules", top ? top : ".").data;
}

static bool is_known(enum column c, const char *cell)
{
	if (c >= CASES || strcmp(cell, "*") == 0)
		return true;
	for (size_t i = 0; domain[c][i]; i++)
		if (strcmp(domain[c][i], cell) == 0)
			return true;
	return false;
}

static void read_rule(struct table *t, char *line, unsigned number)
{
	struct rule *r = &t->rules[t->count];
	size_t n = 0;

	for (char *cell = strtok(line, " \n"); cell; cell = strtok(NULL, " \n")) {
		if (n == COLUMNS || !is_known((enum column)n, cell))
			fail_msg("doc/identity-rules:%u: \"%s\"?", number, cell);
		snprintf(r->cells[n++], sizeof(r->cells[0]), "%s", cell);
	}
	if (n != COLUMNS)
		fail_msg("doc/identity-rules:%u: %zu columns", number, n);
	r->line = number;
	t->count++;
}

static void read_table(struct table *t, struct arena *a)
{
	FILE *f = fopen(path_of_rules(a), "r");
	char line[256];

	if (!f)
		fail_msg("there is no %s", path_of_rules(a));
	for (unsigned number = 1; fgets(line, sizeof(line), f); number++) {
		assert_true(t->count < ROWS_MAX);
		if (line[0] != '#' && line[strspn(line, " \n")])
			read_rule(t, line, number);
	}
	fclose(f);
	assert_true(t->count > 10);
}

/* ---- one case */

struct test_case {
	const char *cells[CASES];
};

static bool is(const struct test_case *t, enum column c, const char *cell)
{
	return strcmp(t->cells[c], cell) == 0;
}

/* Alice is there where her address is what the case is about. */
static bool has_alice(const struct test_case *t)
{
	return is(t, ADDRESS, "alice") || is(t, ADDRESS, "unverified");
}

static bool makes_sense(const struct test_case *t)
{
	return has_alice(t) || (!is(t, SUB, "alice") && !is(t, SUB, "other"));
}

static struct rule *decide(struct table *table, const struct test_case *t)
{
	for (size_t i = 0; i < table->count; i++) {
		struct rule *r = &table->rules[i];
		int c = 0;

		while (c < CASES && (strcmp(r->cells[c], "*") == 0 ||
				     strcmp(r->cells[c], t->cells[c]) == 0))
			c++;
		if (c == CASES)
			return r;
	}
	return NULL;
}

/* ---- the world of a case */

struct world {
	const struct store_contract *contract;
	struct config *config;
	struct token_rules rules;
	struct maker_key *key;
	struct arena *arena;
	const struct test_case *test_case;
	char alice[STORE_ID_SIZE], sam[STORE_ID_SIZE], phil[STORE_ID_SIZE];
	char sub_is[STORE_ID_SIZE]; /* whose the token's sub is */
};

static const char configuration[] = "public_url = \"https://www.example.com/auth\"\n"
				    "state_dir = \"@\"\n"
				    "provider \"rules\" {\n"
				    "  issuer = \"https://rules.example\" audience = "
				    "\"us\" jwks_file = \"@/keys.json\"\n"
				    "  algorithms = \"ES256\" phone_claim = \"phone\"\n"
				    "}\n";

static bool add_user(struct store_tx *tx, const char *email, const char *phone,
		     char id[STORE_ID_SIZE], struct problem *p)
{
	struct store_user user;

	store_tx_about(tx, text_of(email), text_of(phone), AS_TEXT("rules"), AS_TEXT(""));
	if (store_user_add(tx, text_of(email), text_of(phone), NOW, &user, p) != STORE_OK)
		return false;
	snprintf(id, STORE_ID_SIZE, "%s", user.id);
	return true;
}

static bool link_to(struct store_tx *tx, const char *id, const char *sub,
		    struct problem *p)
{
	return store_identity_add(tx, id, AS_TEXT("rules"), text_of(sub),
				  AS_TEXT("then@example.com"), NOW, p) == STORE_OK;
}

static bool populate(struct store_tx *tx, void *context, struct problem *p)
{
	struct world *w = context;
	const struct test_case *t = w->test_case;

	w->alice[0] = w->sam[0] = w->phil[0] = w->sub_is[0] = '\0';
	if (has_alice(t) && !add_user(tx, "alice@example.com", "", w->alice, p))
		return false;
	if (!add_user(tx, "sam@example.com", "", w->sam, p))
		return false;
	if (is(t, ADDRESS, "number") && !add_user(tx, "", "+12025550123", w->phil, p))
		return false;
	if (is(t, SUB, "other") && !link_to(tx, w->alice, "s-other", p))
		return false;
	if (is(t, SUB, "alice") || is(t, SUB, "sam"))
		snprintf(w->sub_is, sizeof(w->sub_is), "%s",
			 is(t, SUB, "sam") ? w->sam : w->alice);
	return !w->sub_is[0] || link_to(tx, w->sub_is, "s-token", p);
}

static void arrange(struct world *w)
{
	const struct test_case *t = w->test_case;
	const struct store_contract *c = w->contract;
	struct problem p = { 0 };

	c->clear();
	if (!store_transact(c->store, populate, w, &p))
		fail_msg("%s", p.detail);
	if (is(t, STATUS, "disabled")) {
		const char *const all[] = { w->alice, w->sam, w->phil };

		for (size_t i = 0; i < COUNT(all); i++)
			if (all[i][0])
				c->set_active(all[i], false);
	}
	if (is(t, SIGNUP, "invited"))
		c->invite(is(t, ADDRESS, "free") ? AS_TEXT("free@example.com")
						 : AS_TEXT("alice@example.com"));
	w->config->providers[0].match =
		is(t, MATCH, "email") ? CONFIG_MATCH_EMAIL : CONFIG_MATCH_SUBJECT;
	w->config->providers[0].link = is(t, LINK, "yes");
	w->config->accounts.refuse_subject_change = is(t, CHANGE, "refuse");
	w->config->accounts.signup = is(t, SIGNUP, "open")     ? CONFIG_SIGNUP_OPEN
				     : is(t, SIGNUP, "closed") ? CONFIG_SIGNUP_CLOSED
							       : CONFIG_SIGNUP_INVITED;
	w->rules.phone = !is(t, ADDRESS, "nophone");
}

static struct text make_token(struct world *w)
{
	const struct test_case *t = w->test_case;
	const char *address =
		is(t, ADDRESS, "alice")
			? "\"email\":\"Alice@Example.com\",\"email_verified\":true,"
		: is(t, ADDRESS, "unverified")
			? "\"email\":\"alice@example.com\",\"email_verified\":false,"
		: is(t, ADDRESS, "free")
			? "\"email\":\"free@example.com\",\"email_verified\":true,"
		: is(t, ADDRESS, "absent") ? "\"email_verified\":true,"
		: is(t, ADDRESS, "freenumber")
			? "\"phone\":\"+12025550199\",\"email_verified\":true,"
			: "\"phone\":\"+12025550123\",\"email_verified\":true,";
	const struct text payload = arena_printf(
		w->arena,
		"{\"iss\":\"https://"
		"%s.example\",\"aud\":\"us\",%s%s\"iat\":%d,\"exp\":%d}",
		is(t, PROVIDER, "known") ? "rules" : "stranger", address,
		is(t, SUB, "none") ? "" : "\"sub\":\"s-token\",", NOW - 5, NOW + 600);

	return maker_token(w->arena, w->key, JWS_ES256, AS_TEXT("{\"alg\":\"ES256\"}"),
			   payload);
}

/* ---- what the program does */

struct found {
	char answer[STORE_ID_SIZE]; /* as in the table */
	char then[STORE_ID_SIZE];
};

static const char *name_of(const struct world *w, const char *id)
{
	return !id[0]			   ? "nobody"
	       : strcmp(id, w->alice) == 0 ? "alice"
	       : strcmp(id, w->sam) == 0   ? "sam"
	       : strcmp(id, w->phil) == 0  ? "phil"
					   : "new";
}

static bool find_sub(struct store_tx *tx, void *context, struct problem *p)
{
	struct store_match match;

	store_tx_about(tx, AS_TEXT("alice@example.com"), AS_TEXT(""), AS_TEXT("rules"),
		       AS_TEXT("s-token"));
	switch (store_user_by_subject(tx, AS_TEXT("rules"), AS_TEXT("s-token"), &match,
				      p)) {
	case STORE_OK:
		snprintf(context, STORE_ID_SIZE, "%s", match.user.id);
		return true;
	case STORE_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static size_t rows_of(const struct world *w)
{
	return w->contract->rows(CONTRACT_USERS) +
	       w->contract->rows(CONTRACT_IDENTITIES) +
	       w->contract->rows(CONTRACT_SESSIONS);
}

/* A token to a login, as the web does it. */
static bool log_in(struct world *w, struct login *out, struct problem *p)
{
	struct identity identity;
	const struct login_request request = { .config = w->config,
					       .identity = &identity,
					       .now = NOW };

	return token_verify(&w->rules, make_token(w), NOW, w->arena, NULL, &identity,
			    p) &&
	       login_record(w->contract->store, &request, out, p);
}

static struct found run_case(struct world *w)
{
	struct found found = { 0 };
	char then[STORE_ID_SIZE] = "";
	struct login login;
	struct problem p = { 0 }, later = { 0 };
	size_t before;

	arrange(w);
	before = rows_of(w);
	if (log_in(w, &login, &p)) {
		snprintf(found.answer, sizeof(found.answer), "%s",
			 login.created ? "new" : name_of(w, login.user.id));
		assert_int_equal(w->contract->rows(CONTRACT_SESSIONS), 1);
	} else {
		snprintf(found.answer, sizeof(found.answer), "%s",
			 problem_row(p.kind)->error);
		/* A refusal leaves no trace. */
		assert_int_equal(rows_of(w), before);
	}
	if (!store_transact(w->contract->store, find_sub, then, &later))
		fail_msg("%s", later.detail);
	snprintf(found.then, sizeof(found.then), "%s",
		 strcmp(then, w->sub_is) == 0 ? "=" : name_of(w, then));
	return found;
}

/* "=" and the name of whom the sub was linked to before say the same. */
static bool agree(const struct world *w, const struct rule *r, const struct found *found)
{
	const char *before = name_of(w, w->sub_is);

	return strcmp(r->cells[ANSWER], found->answer) == 0 &&
	       (strcmp(r->cells[THEN], found->then) == 0 ||
		(strcmp(found->then, "=") == 0 && strcmp(r->cells[THEN], before) == 0));
}

static void tell(const struct test_case *t, const struct rule *r,
		 const struct found *found)
{
	printf("not ok - identity-rules:");
	for (int c = 0; c < CASES; c++)
		printf(" %s", t->cells[c]);
	if (r)
		printf(": line %u says %s, %s", r->line, r->cells[ANSWER],
		       r->cells[THEN]);
	else
		printf(": no row says anything");
	printf("; the program %s, %s\n", found->answer, found->then);
}

static int try_case(struct world *w, struct table *table, const struct test_case *t)
{
	struct rule *r = decide(table, t);
	struct found found;

	w->test_case = t;
	w->arena = arena_new();
	found = run_case(w);
	arena_free(w->arena);
	if (r)
		r->decided++;
	if (r && agree(w, r, &found))
		return 0;
	tell(t, r, &found);
	return 1;
}

/* The NUMBERth combination; false when there are no more. */
static bool combine(unsigned number, struct test_case *out)
{
	for (int c = 0; c < CASES; c++) {
		unsigned size = 0;

		while (domain[c][size])
			size++;
		out->cells[c] = domain[c][number % size];
		number /= size;
	}
	return number == 0;
}

static int try_all(struct world *w, struct table *table, unsigned step)
{
	unsigned tried = 0, sensible = 0;
	struct test_case t;
	int wrong = 0;

	for (unsigned number = 0; combine(number, &t); number++) {
		if (!makes_sense(&t) || sensible++ % step)
			continue;
		wrong += try_case(w, table, &t);
		tried++;
	}
	for (size_t i = 0; step == 1 && i < table->count; i++)
		if (!table->rules[i].decided) {
			printf("not ok - identity-rules:%u never decides\n",
			       table->rules[i].line);
			wrong++;
		}
	printf("%s - %s: %u cases of identity-rules\n", wrong ? "not ok" : "ok",
	       w->contract->name, tried);
	return wrong;
}

int identity_rules_run(const struct store_contract *contract, unsigned step)
{
	static const struct config_log quiet = { .level = CONFIG_LOG_ERROR };
	struct table *table = calloc(1, sizeof(*table));
	struct world w = { .contract = contract, .key = maker_key_new("P-256") };
	struct arena *a = arena_new();
	int wrong;

	log_open(&quiet, "test");
	read_table(table, a);
	scratch_open();
	scratch_write(
		"keys.json",
		text_of(maker_jwk_set(a, maker_jwk(a, w.key, "\"kid\":\"a\""), NULL)));
	w.config = scratch_config(configuration);
	w.config->session.mode = CONFIG_SESSION_COOKIE;
	w.rules = (struct token_rules){ .providers = provider_list_new(w.config),
					.token_limit = w.config->token_limit };
	wrong = try_all(&w, table, step);
	provider_list_free(w.rules.providers);
	config_free(w.config);
	scratch_close();
	maker_key_free(w.key);
	arena_free(a);
	free(table);
	return wrong;
}

/*
 * Logins of people with several addresses, numbers and providers, one after the other:
 * whose login each is, told a second time by SPEC section 5 and doc/identity-rules.
 */
#include "asking.h"
#include "fakes/fake_store.h"
#include "fixture.h"
#include "fuzz.h"
#include "buffer.h"
#include "json.h"

#define STEP_BYTES 3
#define STEPS_MAX 40
#define ADDRESSES 6
#define SUBJECTS 4
#define USERS_MAX (STEPS_MAX + 1)
#define NOBODY (-1)

/* The last two are phone numbers; the one before them is in a domain that is denied. */
static const char *const addresses[ADDRESSES] = { "a@example.com", "b@example.com",
						  "c@example.com", "d@denied.example",
						  "+12025550101",  "+12025550102" };
static const char *const issuers[] = { "https://www.cotter.app",
				       "https://subject.example",
				       "https://rules.example" };
#define PROVIDERS (sizeof(issuers) / sizeof(*issuers))

struct user {
	char id[STORE_ID_SIZE];
	int address;
	bool there, active;
};

struct world {
	struct app *app;
	struct arena *arena;
	bool link;
	struct user users[USERS_MAX];
	int count;
	int subjects[PROVIDERS][SUBJECTS]; /* whose they are */
	bool invited[ADDRESSES], used[ADDRESSES];
	unsigned tokens;
};

/* Who says to be there. NOBODY: no address, no subject. */
struct claim {
	size_t provider;
	int address, subject;
	bool verified;
};

/* Whose login it is to be, or the error. */
struct decision {
	const char *error;
	int user;
	bool created, linked;
};

static bool by_subject(const struct claim *c)
{
	return c->provider == 1;
}

static int find_by_address(const struct world *w, int address)
{
	for (int i = 0; i < w->count; i++)
		if (w->users[i].there && w->users[i].address == address)
			return i;
	return NOBODY;
}

static bool has_other_subject(const struct world *w, const struct claim *c, int user)
{
	for (int i = 0; i < SUBJECTS; i++)
		if (i != c->subject && w->subjects[c->provider][i] == user)
			return true;
	return false;
}

static struct decision refuse(const char *error)
{
	return (struct decision){ .error = error, .user = NOBODY };
}

static struct decision decide_known(const struct world *w, const struct claim *c,
				    int user)
{
	const int owner =
		c->subject == NOBODY ? user : w->subjects[c->provider][c->subject];
	const bool other = has_other_subject(w, c, user);

	if (!w->users[user].active)
		return refuse("account_disabled");
	if (owner == user)
		return (struct decision){ .user = user };
	if (by_subject(c) ? !w->link || other
			  : w->app->config->accounts.refuse_subject_change && other)
		return refuse("identity_conflict");
	return (struct decision){ .user = user, .linked = owner == NOBODY };
}

static struct decision decide(const struct world *w, const struct claim *c)
{
	const enum config_signup signup = w->app->config->accounts.signup;
	const bool proven = c->address != NOBODY && c->verified;
	int user;

	if (by_subject(c) && c->subject == NOBODY)
		return refuse("invalid_token");
	if (proven && c->address == 3)
		return refuse("email_refused");
	if (by_subject(c)) {
		user = w->subjects[c->provider][c->subject];
		if (user != NOBODY)
			return w->users[user].active ? (struct decision){ .user = user }
						     : refuse("account_disabled");
	}
	if (!proven)
		return refuse(c->address == NOBODY ? "email_missing"
						   : "email_unverified");
	user = find_by_address(w, c->address);
	if (user != NOBODY)
		return decide_known(w, c, user);
	if (signup == CONFIG_SIGNUP_CLOSED ||
	    (signup == CONFIG_SIGNUP_INVITED &&
	     (c->address > 3 || !w->invited[c->address] || w->used[c->address])))
		return refuse("signup_closed");
	return (struct decision){ .user = w->count,
				  .created = true,
				  .linked = c->subject != NOBODY &&
					    w->subjects[c->provider][c->subject] ==
						    NOBODY };
}

/* ---- the token and what becomes of it */

static struct text make_token(struct world *w, const struct claim *c)
{
	struct buffer b = buffer_new(w->arena, 256);
	const bool number = c->address > 3;

	json_begin(&b, NULL, '{');
	json_add_string(&b, "iss", text_of(issuers[c->provider]));
	json_add_number(&b, "iat", FIXTURE_NOW);
	json_add_number(&b, "exp", FIXTURE_NOW + 3600);
	json_add_number(&b, "jti", ++w->tokens);
	json_add_string(&b, "a", AS_TEXT("1"));
	json_add_raw(&b, "c", AS_TEXT("{\"d\":true}"));
	json_add_string(&b, "type", AS_TEXT("client_access_token"));
	json_add_string(&b, "scope", AS_TEXT("access"));
	json_add_string(&b, "aud",
			c->provider ? AS_TEXT("us") : AS_TEXT(FIXTURE_AUDIENCE));
	if (c->verified)
		json_add_string(&b, "authentication_method", AS_TEXT("OTP"));
	if (c->subject != NOBODY)
		json_add_string(&b, "sub", arena_printf(w->arena, "s%d", c->subject));
	if (c->address != NOBODY)
		json_add_string(&b,
				!c->provider ? "identifier"
				: number     ? "phone_number"
					     : "email",
				text_of(addresses[c->address]));
	json_end(&b, '}');
	return fixture_sign(w->arena, AS_TEXT(FIXTURE_HEADER), buffer_text(&b));
}

static struct text member(struct world *w, const struct reply *r, const char *where)
{
	const char *why;
	const struct json *body = json_parse(w->arena, r->body, 40, &why), *value;
	struct text text = AS_TEXT("");

	if (json_find(body, where, &value))
		json_string(value, &text);
	return text;
}

/* Who comes through the gate with it is who would be logged in, and nobody else. */
static void check_gate(struct world *w, const struct claim *c, struct text token,
		       const struct decision *d)
{
	char *const variables[] = {
		(char[]){ "REQUEST_METHOD=GET" }, (char[]){ "PATH_INFO=/authorize" },
		(char *)(uintptr_t)arena_printf(
			w->arena, "HTTP_AUTHORIZATION=Bearer %.*s", TEXT_ARG(token))
			.data,
		NULL
	};
	const struct reply r = asking(w->app, w->arena, FIXTURE_NOW, ROLE_RESPONDER,
				      variables, AS_TEXT(""));
	unsigned count;

	asking_check(&r, ROLE_RESPONDER, false);
	if (r.status == 204)
		REQUIRE(d->user != NOBODY && !d->created &&
			text_is(asking_header(&r, "X-Pintle-User-Id", &count),
				w->users[d->user].id));
	else
		REQUIRE(r.status == 401);
	/* It links nobody: where a login would do that the gate says no. */
	if (d->user != NOBODY && !d->created && !d->linked &&
	    !w->app->config->accounts.refuse_subject_change)
		REQUIRE(r.status == 204);
	(void)c;
}

static void apply(struct world *w, const struct claim *c, const struct decision *d,
		  const struct reply *r)
{
	struct user *user = &w->users[d->user];
	const struct text id = member(w, r, "/user/id");

	if (d->created) {
		*user = (struct user){ .address = c->address,
				       .there = true,
				       .active = true };
		REQUIRE(id.len && id.len < sizeof(user->id));
		memcpy(user->id, id.data, id.len);
		w->count++;
		if (w->app->config->accounts.signup == CONFIG_SIGNUP_INVITED)
			w->used[c->address] = true;
	}
	REQUIRE(text_is(id, user->id));
	REQUIRE((memmem(r->body.data, r->body.len, "\"created\":true", 14) != NULL) ==
		d->created);
	if (d->linked)
		w->subjects[c->provider][c->subject] = d->user;
}

static void login(struct world *w, const struct claim *c)
{
	char *const variables[] = { (char[]){ "REQUEST_METHOD=POST" },
				    (char[]){ "PATH_INFO=/login" },
				    (char[]){ "CONTENT_TYPE=application/json" }, NULL };
	const struct decision d = decide(w, c);
	const struct text token = make_token(w, c);
	struct reply r;

	check_gate(w, c, token, &d);
	r = asking(w->app, w->arena, FIXTURE_NOW, ROLE_RESPONDER, variables,
		   arena_printf(w->arena, "{\"token\":\"%.*s\"}", TEXT_ARG(token)));
	asking_check(&r, ROLE_RESPONDER, false);
	REQUIRE((r.status == 200) == (d.user != NOBODY));
	if (r.status == 200)
		apply(w, c, &d, &r);
	else
		REQUIRE(text_is(member(w, &r, "/error"), d.error));
	fuzz_through += r.status == 200;
}

/* ---- the administrator */

static void administrate(struct world *w, unsigned what, int number)
{
	struct user *user = &w->users[w->count ? number % w->count : 0];

	if (what == 0 && number % ADDRESSES < 4) {
		fake_store_invite(w->app->store, text_of(addresses[number % ADDRESSES]));
		w->invited[number % ADDRESSES] = true;
	}
	if (what == 0 || !w->count || !user->there)
		return;
	if (what < 3) {
		user->active = what == 1;
		fake_store_set_active(w->app->store, user->id, user->active);
		return;
	}
	fake_store_erase(w->app->store, user->id);
	user->there = false;
	for (size_t p = 0; p < PROVIDERS; p++)
		for (int s = 0; s < SUBJECTS; s++)
			if (w->subjects[p][s] == user - w->users)
				w->subjects[p][s] = NOBODY;
}

static void take_step(struct world *w, const unsigned char bytes[STEP_BYTES])
{
	const struct claim claim = {
		.provider = bytes[0] % PROVIDERS,
		.address = bytes[1] % (ADDRESSES + 1) - 1,
		.subject = bytes[2] % (SUBJECTS + 1) - 1,
		/* The others' is always: it is the provider who is believed. */
		.verified = bytes[0] % PROVIDERS || bytes[0] & 32,
	};

	if (bytes[0] >= 0xc0)
		administrate(w, bytes[1] % 4, bytes[2]);
	else
		login(w, &claim);
}

/* A byte for the settings, then three for each step. */
void fuzz_identity(struct arena *a, struct text input)
{
	struct world w = { .app = fixture_app(), .arena = a };
	struct config *config = w.app->config;
	const unsigned char *bytes = (const unsigned char *)input.data;

	if (!input.len)
		return;
	memset(w.subjects, NOBODY, sizeof(w.subjects));
	store_free(w.app->store);
	w.app->store = store_new(config);
	w.link = *bytes & 8;
	for (size_t i = 0; i < config->provider_count; i++)
		if (strcmp(config->providers[i].name, "subject") == 0)
			config->providers[i].link = w.link;
	config->accounts.signup = (enum config_signup)(*bytes % 4 % 3);
	config->accounts.refuse_subject_change = *bytes & 4;
	for (size_t i = 1, n = 0; i + STEP_BYTES <= input.len && n < STEPS_MAX;
	     i += STEP_BYTES, n++)
		take_step(&w, bytes + i);
	config->accounts.signup = CONFIG_SIGNUP_OPEN;
	config->accounts.refuse_subject_change = false;
}

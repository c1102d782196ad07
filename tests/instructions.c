/*
 * One operation of the whole program, again and again, for callgrind to count: requests go
 * through answer() to the store in memory, without a web server or a database.
 *
 *	instructions OPERATION COUNT	scripts/bench-instructions runs it
 *
 * Only what happens in measured() is counted. Before each time the store is made anew, with
 * the same rows, so that no time costs more than another.
 */
#include "answer_fixture.h"

#include "mint.h"

#define EMAIL "alice@example.com"
#define WARM 3 /* times that are not counted: what is made once is made in them */

enum body { BODY_NONE, BODY_SMALL, BODY_COTTER };

static struct config *store_config; /* the fake store asks nothing of it */
static struct text good_token, id_token;

/* ---- bodies, shaped as Cotter's SDK posts them: 2.4 KB of which one token counts */

static const char *cotter_body(struct text token)
{
	return arena_printf(
		       arena,
		       "{\"name\":\"Alice Example\",\"address\":\"1 Example Street\","
		       "\"token\":{\"expire_at\":\"1797942000\",\"identifier\":\"" EMAIL
		       "\",\"identifier_id\":\"44444444-4444-4444-8444-444444444444\","
		       "\"identifier_type\":\"EMAIL\",\"receiver\":\"" AUDIENCE
		       "\",\"signature\":"
		       "\"OiYGivn0JPlkeh8WhKRmImPSLsDz7w8ptlgcJupoqM9C4iC"
		       "xJlGPkZp7/q6fM5yhDHKxsDrhxZHpLLByHh31xQ==\",\"timestamp\":"
		       "\"1795350000\"},\"email\":\"" EMAIL "\",\"oauth_token\":{"
		       "\"access_token\":\"%.*s\",\"id_token\":\"%.*s\",\"refresh_"
		       "token\":"
		       "\"27805:Zr0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aB4cD5eF\","
		       "\"expires_in\":3600,\"token_type\":\"Bearer\",\"auth_method\":"
		       "\"OTP\"},\"user\":{\"ID\":\"11111111-1111-4111-8111-"
		       "111111111111\","
		       "\"created_at\":\"2026-11-22T05:50:14.182738Z\",\"updated_at\":"
		       "\"2026-11-22T06:00:47.115096Z\",\"deleted_at\":"
		       "\"0001-01-01T00:00:00Z\",\"issuer\":\"" AUDIENCE
		       "\",\"client_user_id\":\"11111111-1111-4111-8111-111111111111\","
		       "\"enrolled\":[],\"default_method\":null,\"identifier\":\"" EMAIL
		       "\",\"identifiers\":null}}",
		       TEXT_ARG(token), TEXT_ARG(id_token))
		.data;
}

static const char *body_of(enum body kind, struct text token)
{
	return kind == BODY_COTTER ? cotter_body(token) : body_with(token);
}

/* ---- the operations */

static struct text expired(void)
{
	return sign(CLAIMS("exp", "1795340000", "iat", "1795330000"));
}

/* The signature of another key under our kid. */
static struct text forged(void)
{
	return maker_token(arena, stranger, JWS_ES256, HEADER(), CLAIMS());
}

static struct text good(void)
{
	return good_token;
}

static struct text newcomer(void)
{
	return sign(CLAIMS("identifier", "\"new@example.com\"", "sub", "\"new\""));
}

#define BROWSER                                                                          \
	"HTTP_ACCEPT=application/json", "HTTP_ORIGIN=" ORIGIN, "HTTPS=on",               \
		"HTTP_HOST=www.example.com", "SERVER_PROTOCOL=HTTP/1.1",                 \
		"REQUEST_URI=/auth/login", "SERVER_SOFTWARE=lighttpd/1.4.69"

enum credentials { NOTHING, COOKIE_OF_SESSION, COOKIE_UNKNOWN, OWN_JWT, PROVIDERS_JWT };

static const struct operation {
	const char *name;
	int status;
	enum role role;
	const char *method, *path;
	enum body body;
	struct text (*token)(void);
	enum credentials credentials;
	bool jwt_mode;
} operations[] = {
	{ "login", 200, ROLE_RESPONDER, "POST", "/login", BODY_SMALL, good, NOTHING,
	  false },
	{ "login-cotter", 200, ROLE_RESPONDER, "POST", "/login", BODY_COTTER, good,
	  NOTHING, false },
	{ "login-new", 200, ROLE_RESPONDER, "POST", "/login", BODY_SMALL, newcomer,
	  NOTHING, false },
	{ "refused-early", 403, ROLE_RESPONDER, "POST", "/login", BODY_SMALL, expired,
	  NOTHING, false },
	{ "refused-signature", 403, ROLE_RESPONDER, "POST", "/login", BODY_SMALL, forged,
	  NOTHING, false },
	{ "session", 200, ROLE_RESPONDER, "GET", "/session", BODY_NONE, NULL,
	  COOKIE_OF_SESSION, false },
	{ "gate-allow", 200, ROLE_AUTHORIZER, "GET", "/members/", BODY_NONE, NULL,
	  COOKIE_OF_SESSION, false },
	{ "gate-deny", 401, ROLE_AUTHORIZER, "GET", "/members/", BODY_NONE, NULL,
	  COOKIE_UNKNOWN, false },
	{ "gate-stranger", 401, ROLE_AUTHORIZER, "GET", "/members/", BODY_NONE, NULL,
	  NOTHING, false },
	{ "gate-jwt", 200, ROLE_AUTHORIZER, "GET", "/members/", BODY_NONE, NULL, OWN_JWT,
	  true },
	{ "gate-provider", 200, ROLE_AUTHORIZER, "GET", "/members/", BODY_NONE, NULL,
	  PROVIDERS_JWT, false },
};

static const struct operation *find(const char *name)
{
	for (size_t i = 0; i < COUNT(operations); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	fprintf(stderr, "there is no operation %s\n", name);
	exit(2);
}

/* ---- the state before each time: one user, and one session whose cookie is told */

static const char *first_session(void)
{
	const struct reply r = log_in(good_token);

	if (r.status != 200)
		fail_msg("%s", r.log);
	if (app->mint)
		return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %s",
				    at(r.json, "/session/token"))
			.data;
	return cookie_of(&r);
}

static const char *prepare(const struct operation *o)
{
	const char *session;

	store_free(app->store);
	app->store = store_new(store_config);
	session = first_session();
	switch (o->credentials) {
	case COOKIE_OF_SESSION:
	case OWN_JWT:
		return session;
	case COOKIE_UNKNOWN:
		return "HTTP_COOKIE=" COOKIE
		       "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	case PROVIDERS_JWT:
		return arena_printf(arena, "HTTP_AUTHORIZATION=Bearer %.*s",
				    TEXT_ARG(good_token))
			.data;
	default:
		return "";
	}
}

/* ---- counted */

/* As a door does it; answer_after is not in it, as nobody waits for that. */
static inline int serve(struct arena *own, const struct door *door)
{
	struct response res;
	struct text out;

	answer(app, own, now, door, &res, &out);
	arena_reset(own);
	return res.status;
}

__attribute__((noinline, noclone)) static int measured(struct arena *own,
						       const struct door *door)
{
	return serve(own, door);
}

static void run(const struct operation *o, const struct call *call, struct arena *own,
		bool warm)
{
	const char *variables[VARIABLES_MAX + 10];
	struct body_source source = { text_of(call->body), false };
	const struct door door = { call->role, (char *const *)(uintptr_t)variables,
				   read_from_source, &source };
	int status;

	make_variables(call, variables);
	status = warm ? measured(own, &door) : serve(own, &door);
	if (status != o->status)
		fail_msg("%s: %d instead of %d", o->name, status, o->status);
}

static void open_app(const struct operation *o)
{
	struct problem p = { 0 };
	char kid[64];

	use("",
	    o->jwt_mode
		    ? "session { mode = \"jwt\" keys_dir = \"@\" gate_cache = \"60s\" }\n"
		    : "");
	if (o->jwt_mode && !mint_rotate(app->config->session.keys_dir, now, kid, &p))
		fail_msg("%s", p.detail);
	store_config = app->config;
	log_open(&app->config->log, "instructions");
	good_token = sign(CLAIMS("identifier", "\"" EMAIL "\""));
	id_token = sign(
		CLAIMS("identifier", "\"" EMAIL "\"", "type", "\"client_id_token\""));
}

int main(int argc, char **argv)
{
	const struct operation *o = find(argc == 3 ? argv[1] : "");
	const long count = argc == 3 ? atol(argv[2]) : 0;
	struct arena *own = arena_new();
	struct text token;

	open_all(NULL);
	open_one(NULL);
	open_app(o);
	token = o->token ? o->token() : AS_TEXT("");
	for (long i = 0; i < WARM + count; i++) {
		const struct call call = {
			.role = o->role,
			.method = o->method,
			.path = o->path,
			.body = o->body ? body_of(o->body, token) : NULL,
			.more = { BROWSER, prepare(o) },
		};

		run(o, &call, own, i >= WARM);
	}
	arena_free(own);
	close_one(NULL);
	close_all(NULL);
	return 0;
}

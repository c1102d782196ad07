#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "json.h"
#include "user.h"

#define INPUT_MAX (1024 * 1024)
#define INPUT_DEPTH 32

static struct text read_input(struct command_context *context)
{
	char *data = arena_alloc(context->arena, INPUT_MAX);
	struct text input = { data, 0 };
	ssize_t got;

	while (input.len < INPUT_MAX &&
	       (got = read(STDIN_FILENO, data + input.len, INPUT_MAX - input.len)) > 0)
		input.len += (size_t)got;
	while (input.len && (unsigned char)input.data[input.len - 1] <= ' ')
		input.len--;
	while (input.len && (unsigned char)*input.data <= ' ')
		input = (struct text){ input.data + 1, input.len - 1 };
	return input;
}

/* As it is copied from a browser or a log: "Authorization: Bearer TOKEN", or its end. */
static struct text without_scheme(struct text input)
{
	struct text rest;

	if (text_equal_nocase(text_before(input, ':', &rest), AS_TEXT("Authorization")))
		input = text_trim(rest);
	if (text_equal_nocase(text_before(input, ' ', &rest), AS_TEXT("Bearer")))
		input = text_trim(rest);
	return input;
}

/* A token as such, or as a header has it, or the body of a login that holds one. */
static bool read_token(struct command_context *context, struct text *out)
{
	const struct config *config = context->app->config;
	const struct text input = read_input(context);
	const struct json *body, *value;
	const char *why;

	body = input.len && input.data[0] == '{'
		       ? json_parse(context->arena, input, INPUT_DEPTH, &why)
		       : NULL;
	*out = without_scheme(input);
	for (size_t i = 0; body && i < config->token_places.count; i++)
		if (json_find(body, config->token_places.items[i], &value))
			return json_string(value, out);
	return out->len != 0;
}

static void print_check(void *context, const char *name, bool passed, struct text saw)
{
	const struct command_context *c = context;
	struct buffer b = buffer_new(c->arena, 256);

	/* What stands in a token came from outside: printed so that no terminal minds it. */
	json_begin(&b, NULL, '{');
	json_add_string(&b, "check", text_of(name));
	json_add_boolean(&b, "passed", passed);
	json_add_string(&b, "saw", saw);
	json_end(&b, '}');
	if (c->json) {
		printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
		return;
	}
	b.len = 0;
	json_add_string(&b, NULL, saw);
	printf("  %-10s %-7s %.*s\n", name, passed ? "passed" : "FAILED",
	       TEXT_ARG(buffer_text(&b)));
}

struct trial {
	struct command_context *context;
	const struct identity *identity;
	struct user_decision decision;
	bool decided;
	struct problem why;
};

/* The login up to its last step, which is to take everything back. */
static bool try_login(struct store_tx *tx, void *context, struct problem *p)
{
	struct trial *t = context;

	store_tx_try(tx);
	t->decided = user_find_or_create(tx, &t->context->app->config->accounts,
					 t->identity, t->context->now, &t->decision, p);
	t->why = *p;
	return t->decided ? problem(p, INTERNAL, "a trial is never committed") : false;
}

/* With single_use a login asks this before anything else. */
static bool check_unused(const struct trial *t, struct problem *p)
{
	const struct config_provider *provider = t->identity->provider->config;
	unsigned char hash[SHA256_BYTES];
	int64_t first_used_at;

	if (!provider->single_use_s)
		return true;
	token_identity_hash(t->identity, hash);
	switch (store_token_used(t->context->app->store, hash, &first_used_at, p)) {
	case STORE_OK:
		return t->context->now - first_used_at <= provider->single_use_s ||
		       problem(p, TOKEN_REPLAYED, "first used %lld s ago",
			       (long long)(t->context->now - first_used_at));
	case STORE_NOT_FOUND:
		return true;
	default:
		return false;
	}
}

static void say_decision(const struct trial *t)
{
	const struct user_decision *d = &t->decision;
	struct buffer b = buffer_new(t->context->arena, 256);

	if (!t->context->json) {
		if (d->created)
			puts("a login with it would create a new user");
		else
			printf("a login with it would be that of user %s\n", d->user.id);
		printf("  because   %s\n", user_rule_text(d->rule));
		return;
	}
	json_begin(&b, NULL, '{');
	json_add_string(&b, "login", text_of(d->created ? "create" : "continue"));
	json_add_string(&b, "user", text_of(d->created ? "" : d->user.id));
	json_add_string(&b, "rule", text_of(user_rule_text(d->rule)));
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

static int say_result(const struct trial *t)
{
	const struct problem_row *row = problem_row(t->why.kind);
	struct buffer b = buffer_new(t->context->arena, 256);

	if (t->decided) {
		say_decision(t);
		return STATUS_DONE;
	}
	if (t->context->json) {
		json_begin(&b, NULL, '{');
		json_add_string(&b, "login", AS_TEXT("refuse"));
		json_add_string(&b, "error", text_of(row->error));
		json_add_string(&b, "reason", text_of(row->cause));
		json_add_string(&b, "rule", text_of(t->why.detail));
		json_end(&b, '}');
		printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
	} else {
		printf("a login with it would be refused: %s (%s)\n", row->error,
		       row->cause);
		if (t->why.detail[0])
			printf("  because   %s\n", t->why.detail);
	}
	return row->status == 503 ? STATUS_TRY_AGAIN : STATUS_NO;
}

int cmd_explain(struct command_context *context, int argc, char **argv)
{
	const struct token_trace trace = { print_check, context };
	struct trial trial = { .context = context };
	struct problem p = { 0 };
	struct identity identity;
	struct text token;

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	if (!read_token(context, &token)) {
		fputs("pintlectl: no token on stdin\n", stderr);
		return STATUS_USAGE;
	}
	if (!token_verify(&context->app->rules, token, context->now, context->arena,
			  &trace, &identity, &p)) {
		trial.why = p;
		return say_result(&trial);
	}
	trial.identity = &identity;
	if (!check_unused(&trial, &trial.why))
		return say_result(&trial);
	if (!store_transact(context->app->store, try_login, &trial, &p) &&
	    !trial.decided && trial.why.kind == PROBLEM_NONE)
		trial.why = p;
	return say_result(&trial);
}

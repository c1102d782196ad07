#include <stdio.h>

#include "buffer.h"
#include "command.h"
#include "json.h"

static const char *source(const struct config_provider *p)
{
	if (p->jwks_file)
		return p->jwks_file;
	return p->discovery ? "discovery" : p->jwks_url;
}

static void print_json(struct command_context *context, const struct config_provider *p,
		       bool have, size_t keys, int64_t age_s)
{
	struct buffer b = buffer_new(context->arena, 512);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "name", text_of(p->name));
	json_begin(&b, "issuers", '[');
	for (size_t i = 0; i < p->issuers.count; i++)
		json_add_string(&b, NULL, text_of(p->issuers.items[i]));
	json_end(&b, ']');
	json_add_string(&b, "source", text_of(source(p)));
	json_add_number(&b, "keys", have ? (int64_t)keys : 0);
	if (have)
		json_add_number(&b, "age_s", age_s);
	else
		json_add_null(&b, "age_s");
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

int cmd_provider_list(struct command_context *context, int argc, char **argv)
{
	const struct providers *providers = context->app->rules.providers;

	(void)argc, (void)argv;
	for (size_t i = 0; i < providers->count; i++) {
		const struct config_provider *p = providers->all[i].config;
		int64_t age_s = 0;
		size_t keys = 0;
		const bool have =
			jwks_status(providers->all[i].jwks, context->now, &keys, &age_s);

		if (context->json) {
			print_json(context, p, have, keys, age_s);
			continue;
		}
		printf("%-16s %s\n", p->name, p->issuers.items[0]);
		if (have)
			printf("%-16s %zu keys, %lld s old, from %s\n", "", keys,
			       (long long)age_s, source(p));
		else
			printf("%-16s no keys yet, from %s\n", "", source(p));
	}
	return STATUS_DONE;
}

static bool is_asked_for(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 0;
}

int cmd_provider_refresh(struct command_context *context, int argc, char **argv)
{
	const struct providers *providers = context->app->rules.providers;
	int status = STATUS_USAGE;

	for (size_t i = 0; i < providers->count; i++) {
		const struct provider *provider = &providers->all[i];
		struct problem p = { 0 };
		int64_t age_s;
		size_t keys;

		if (!is_asked_for(provider->config->name, argc, argv))
			continue;
		if (!jwks_refresh(provider->jwks, context->now, &p)) {
			status = command_problem(&p);
			continue;
		}
		jwks_status(provider->jwks, context->now, &keys, &age_s);
		printf("%-16s %zu keys\n", provider->config->name, keys);
		status = status == STATUS_USAGE ? STATUS_DONE : status;
	}
	if (status == STATUS_USAGE)
		fputs("pintlectl: no provider of that name\n", stderr);
	return status;
}
